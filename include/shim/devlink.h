/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The function's devlink instance and its health reporters. Process context without RTNL. A kernel
 * without devlink has none; all functions take NULL for that.
 */
#ifndef SHIM_DEVLINK_H
#define SHIM_DEVLINK_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_devlink;

enum shim_reporter {
	SHIM_REPORTER_HWC, /* the hardware channel */
	SHIM_REPORTER_TX,
	SHIM_REPORTER_RX,
	SHIM_REPORTERS
};

/* Makes the instance with its reporters; NULL without memory. People see it from register() to
 * unregister(); before and after, reports go nowhere. unregister() waits for what people asked for:
 * the caller must hold nothing that the callbacks of entry.h wait for. */
struct shim_devlink *shim_devlink_create(struct pci_dev *pdev, struct mana_adapter *adapter);
void shim_devlink_register(struct shim_devlink *devlink);
void shim_devlink_unregister(struct shim_devlink *devlink);
void shim_devlink_destroy(struct shim_devlink *devlink);

/* Something is broken: takes a dump (mana_adapter_dump() of entry.h). The driver repairs by itself
 * what it can; recovered() says that it did. Not from those callbacks. */
void shim_devlink_report(struct shim_devlink *devlink, enum shim_reporter which,
			 const char *sentence);
void shim_devlink_recovered(struct shim_devlink *devlink, enum shim_reporter which);

SHIM_END

#endif
