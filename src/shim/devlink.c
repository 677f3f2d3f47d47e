// SPDX-License-Identifier: GPL-2.0
/* devlink: include/shim/devlink.h. */

#include <linux/mutex.h>
#include <linux/pci.h>
#include <net/devlink.h>

#include "shim/devlink.h"
#include "shim/entry.h"
#include "text_sink.h"

#if IS_ENABLED(CONFIG_NET_DEVLINK)

/* The private area of the instance. */
struct shim_devlink {
	struct mana_adapter *adapter;
	struct devlink_health_reporter *reporters[SHIM_REPORTERS];
	/* Outside devlink's own lock, and so not for its callbacks. */
	struct mutex lock;
	bool registered; /* nothing may be reported before and after */
};

/* The context of a report by the driver itself. */
static char own_report;

static int mana_devlink_info_get(struct devlink *devlink, struct devlink_info_req *request,
				 struct netlink_ext_ack *ack)
{
	struct shim_devlink *self = devlink_priv(devlink);
	struct shim_versions versions = {};
	int error;

	mana_adapter_versions(self->adapter, &versions);
	error = devlink_info_version_running_put(request, "fw.registers", versions.registers);
	if (error)
		return error;
	return devlink_info_version_running_put(request, "fw.protocol", versions.protocol);
}

static const struct devlink_ops mana_devlink_ops = {
	.info_get = mana_devlink_info_get,
};

static enum shim_reporter reporter_of(struct shim_devlink *self,
				      struct devlink_health_reporter *reporter)
{
	int i;

	for (i = 0; i < SHIM_REPORTERS - 1; i++)
		if (self->reporters[i] == reporter)
			break;
	return i;
}

static int mana_reporter_diagnose(struct devlink_health_reporter *reporter,
				  struct devlink_fmsg *message, struct netlink_ext_ack *ack)
{
	struct shim_devlink *self = devlink_health_reporter_priv(reporter);
	struct shim_text text = {.message = message};

	return mana_adapter_diagnose(self->adapter, reporter_of(self, reporter), &text);
}

static int mana_reporter_dump(struct devlink_health_reporter *reporter,
			      struct devlink_fmsg *message, void *context,
			      struct netlink_ext_ack *ack)
{
	struct shim_devlink *self = devlink_health_reporter_priv(reporter);
	struct shim_text text = {.message = message};

	return mana_adapter_dump(self->adapter, reporter_of(self, reporter), &text);
}

/* After a report of its own the driver repairs without being asked, and says when it is done. */
static int mana_reporter_recover(struct devlink_health_reporter *reporter, void *context,
				 struct netlink_ext_ack *ack)
{
	struct shim_devlink *self = devlink_health_reporter_priv(reporter);

	if (context == &own_report)
		return -EINPROGRESS;
	return mana_adapter_recover(self->adapter, reporter_of(self, reporter), ack);
}

#define REPORTER_OPS(reporter_name)                                                                \
	{                                                                                          \
		.name = reporter_name,                                                             \
		.recover = mana_reporter_recover,                                                  \
		.dump = mana_reporter_dump,                                                        \
		.diagnose = mana_reporter_diagnose,                                                \
	}

static const struct devlink_health_reporter_ops mana_reporter_ops[SHIM_REPORTERS] = {
	[SHIM_REPORTER_HWC] = REPORTER_OPS("hwc"),
	[SHIM_REPORTER_TX] = REPORTER_OPS("tx"),
	[SHIM_REPORTER_RX] = REPORTER_OPS("rx"),
};

struct shim_devlink *shim_devlink_create(struct pci_dev *pdev, struct mana_adapter *adapter)
{
	struct devlink *devlink =
		devlink_alloc(&mana_devlink_ops, sizeof(struct shim_devlink), &pdev->dev);
	struct shim_devlink *self;
	int i;

	if (!devlink)
		return NULL;
	self = devlink_priv(devlink);
	self->adapter = adapter;
	mutex_init(&self->lock);
	for (i = 0; i < SHIM_REPORTERS; i++) {
		self->reporters[i] =
			devlink_health_reporter_create(devlink, &mana_reporter_ops[i], 0, self);
		if (IS_ERR(self->reporters[i])) {
			self->reporters[i] = NULL;
			shim_devlink_destroy(self);
			return NULL;
		}
	}
	return self;
}

void shim_devlink_register(struct shim_devlink *self)
{
	if (!self)
		return;
	mutex_lock(&self->lock);
	devlink_register(priv_to_devlink(self));
	self->registered = true;
	mutex_unlock(&self->lock);
}

void shim_devlink_unregister(struct shim_devlink *self)
{
	if (!self)
		return;
	mutex_lock(&self->lock);
	if (self->registered)
		devlink_unregister(priv_to_devlink(self));
	self->registered = false;
	mutex_unlock(&self->lock);
}

void shim_devlink_destroy(struct shim_devlink *self)
{
	int i;

	if (!self)
		return;
	for (i = 0; i < SHIM_REPORTERS; i++)
		if (self->reporters[i])
			devlink_health_reporter_destroy(self->reporters[i]);
	mutex_destroy(&self->lock);
	devlink_free(priv_to_devlink(self));
}

void shim_devlink_report(struct shim_devlink *self, enum shim_reporter which, const char *sentence)
{
	if (!self)
		return;
	mutex_lock(&self->lock);
	if (self->registered)
		devlink_health_report(self->reporters[which], sentence, &own_report);
	mutex_unlock(&self->lock);
}

void shim_devlink_recovered(struct shim_devlink *self, enum shim_reporter which)
{
	if (!self)
		return;
	mutex_lock(&self->lock);
	if (self->registered) {
		devlink_health_reporter_recovery_done(self->reporters[which]);
		devlink_health_reporter_state_update(self->reporters[which],
						     DEVLINK_HEALTH_REPORTER_STATE_HEALTHY);
	}
	mutex_unlock(&self->lock);
}

#else

struct shim_devlink *shim_devlink_create(struct pci_dev *pdev, struct mana_adapter *adapter)
{
	return NULL;
}

void shim_devlink_register(struct shim_devlink *self)
{
}

void shim_devlink_unregister(struct shim_devlink *self)
{
}

void shim_devlink_destroy(struct shim_devlink *self)
{
}

void shim_devlink_report(struct shim_devlink *self, enum shim_reporter which, const char *sentence)
{
}

void shim_devlink_recovered(struct shim_devlink *self, enum shim_reporter which)
{
}

#endif
