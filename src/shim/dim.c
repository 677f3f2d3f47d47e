// SPDX-License-Identifier: GPL-2.0
/* Dynamic interrupt moderation: include/shim/dim.h. */

#include <linux/dim.h>

#include "shim/dim.h"
#include "shim/entry.h"

/* A CQ's period begins when its event is asked for. */
#define MANA_DIM_MODE DIM_CQ_PERIOD_MODE_START_FROM_EQE

struct mana_dim {
	struct dim dim;
	struct mana_moderator *moderator;
	u16 events;
	bool tx;
};
static_assert(sizeof(struct mana_dim) <= sizeof(struct shim_dim));

static struct mana_dim *dim_of(struct shim_dim *dim)
{
	return (struct mana_dim *)dim->storage;
}

static void profile(bool tx, int index, struct shim_wait *wait)
{
	struct dim_cq_moder moder = tx ? net_dim_get_tx_moderation(MANA_DIM_MODE, index)
				       : net_dim_get_rx_moderation(MANA_DIM_MODE, index);

	wait->usecs = moder.usec;
	wait->frames = moder.pkts;
}

static void mana_dim_work(struct work_struct *work)
{
	struct mana_dim *self = container_of(work, struct mana_dim, dim.work);
	struct shim_wait wait;

	profile(self->tx, self->dim.profile_ix, &wait);
	mana_moderator_adapt(self->moderator, &wait);
	self->dim.state = DIM_START_MEASURE;
}

void shim_dim_start(struct shim_dim *dim, struct mana_moderator *moderator, bool tx)
{
	struct mana_dim *self = dim_of(dim);

	memset(self, 0, sizeof(*self));
	self->moderator = moderator;
	self->tx = tx;
	self->dim.mode = MANA_DIM_MODE;
	INIT_WORK(&self->dim.work, mana_dim_work);
}

void shim_dim_first(bool tx, struct shim_wait *wait)
{
	profile(tx, 0, wait);
}

void shim_dim_sample(struct shim_dim *dim, u64 packets, u64 bytes)
{
	struct mana_dim *self = dim_of(dim);
	struct dim_sample sample = {};

	dim_update_sample(++self->events, packets, bytes, &sample);
	net_dim(&self->dim, sample);
}

void shim_dim_cancel(struct shim_dim *dim)
{
	cancel_work_sync(&dim_of(dim)->dim.work);
}
