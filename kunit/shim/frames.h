/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP frames as another driver would hand them over, each in a page of its own that is watched: who
 * frees a frame, and how often, shows. Process context.
 */
#ifndef KUNIT_FRAMES_H
#define KUNIT_FRAMES_H

#include "shim/types.h"

SHIM_BEGIN

struct kunit_frames;

/* `count` times the same bytes, the last of them in as many fragments, each in a page of its own.
 * NULL without memory. */
struct kunit_frames *kunit_frames_create(const u8 *bytes, u32 length, u32 count, u32 fragments);
/* Frees those that were never sent. Fails the case if a frame that was taken is not freed exactly
 * once. */
void kunit_frames_destroy(struct kunit_frames *frames);

/* ndo_xdp_xmit of the next `count` that were not taken yet: the number taken, or a negative errno.
 */
int kunit_frames_send(struct kunit_frames *frames, struct net_device *netdev, u32 count,
		      bool flush);
/* Pages of those that were taken and not freed. */
u32 kunit_frames_under_way(const struct kunit_frames *frames);

SHIM_END

#endif
