// SPDX-License-Identifier: GPL-2.0
/* XDP frames that are watched: frames.h. */

#include <linux/mm.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/xdp.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/frames.h"

struct kunit_frames {
	u32 count;
	u32 taken; /* the first of them */
	struct page *pages[]; /* each with a reference of ours beside the frame's */
};

static struct xdp_frame *frame_of(struct page *page)
{
	return page_address(page);
}

struct kunit_frames *kunit_frames_create(const u8 *bytes, u32 length, u32 count, bool fragments)
{
	struct kunit_frames *frames = kzalloc(struct_size(frames, pages, count), GFP_KERNEL);

	if (!frames || length > PAGE_SIZE / 2)
		goto free;
	for (; frames->count < count; frames->count++) {
		struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

		if (!page)
			goto free;
		get_page(page);
		*frame_of(page) = (struct xdp_frame){
			.data = page_address(page) + XDP_PACKET_HEADROOM,
			.len = length,
			.headroom = XDP_PACKET_HEADROOM - sizeof(struct xdp_frame),
			.frame_sz = PAGE_SIZE,
			.flags = fragments ? XDP_FLAGS_HAS_FRAGS : 0,
			.mem.type = MEM_TYPE_PAGE_ORDER0,
		};
		memcpy(frame_of(page)->data, bytes, length);
		frames->pages[frames->count] = page;
	}
	return frames;

free:
	if (frames)
		kunit_frames_destroy(frames);
	return NULL;
}

void kunit_frames_destroy(struct kunit_frames *frames)
{
	for (u32 i = 0; i < frames->count; i++) {
		struct page *page = frames->pages[i];

		if (i >= frames->taken) {
			if (page_count(page) != 2)
				kunit_fail(__FILE__, __LINE__,
					   "frame %u was not taken, and has %d references", i,
					   page_count(page));
			put_page(page);
		} else if (page_count(page) != 1) {
			kunit_fail(__FILE__, __LINE__, "frame %u was taken, and has %d references",
				   i, page_count(page));
		}
		put_page(page);
	}
	kfree(frames);
}

int kunit_frames_send(struct kunit_frames *frames, struct net_device *netdev, u32 count, bool flush)
{
	struct xdp_frame *batch[64];
	int taken;

	count = min3(count, frames->count - frames->taken, (u32)ARRAY_SIZE(batch));
	for (u32 i = 0; i < count; i++)
		batch[i] = frame_of(frames->pages[frames->taken + i]);
	local_bh_disable();
	taken = netdev->netdev_ops->ndo_xdp_xmit(netdev, count, batch, flush ? XDP_XMIT_FLUSH : 0);
	local_bh_enable();
	if (taken > (int)count) {
		kunit_fail(__FILE__, __LINE__, "%d of %u frames were taken", taken, count);
		return taken;
	}
	frames->taken += max(taken, 0);
	return taken;
}

u32 kunit_frames_under_way(const struct kunit_frames *frames)
{
	u32 under_way = 0;

	for (u32 i = 0; i < frames->taken; i++)
		under_way += page_count(frames->pages[i]) > 1;
	return under_way;
}
