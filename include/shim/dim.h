/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel's dynamic interrupt moderation: looks at the traffic of a CQ, and says how long its
 * interrupts should wait. C++ embeds the object; src/shim/dim.c asserts that the storage is large
 * enough.
 */
#ifndef SHIM_DIM_H
#define SHIM_DIM_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_dim {
	unsigned long storage[48];
};

/* How long and how many completions an interrupt waits for. */
struct shim_wait {
	u32 usecs;
	u32 frames;
};

/* Begins anew; decisions go to mana_moderator_adapt() of entry.h. Not while there may be a
 * decision on its way. */
void shim_dim_start(struct shim_dim *dim, struct mana_moderator *moderator, bool tx);

/* Where it begins. */
void shim_dim_first(bool tx, struct shim_wait *wait);

/* Softirq: a poll ended that an interrupt began. Packets and bytes are totals. */
void shim_dim_sample(struct shim_dim *dim, u64 packets, u64 bytes);

/* Process context: waits for a decision that is being carried out, drops one that is not. There
 * must be no sample meanwhile. */
void shim_dim_cancel(struct shim_dim *dim);

SHIM_END

#endif
