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
	u32 pieces; /* pages of each */
	struct page *pages[]; /* each with a reference of ours beside the frame's */
};

static struct xdp_frame *frame_of(const struct kunit_frames *frames, u32 index)
{
	return page_address(frames->pages[index * frames->pieces]);
}

/* All pieces are of the same length, but for the last. */
static void fill_frame(struct kunit_frames *frames, u32 index, const u8 *bytes, u32 length)
{
	struct xdp_frame *frame = frame_of(frames, index);
	u32 part = DIV_ROUND_UP(length, frames->pieces);
	struct skb_shared_info *list;

	*frame = (struct xdp_frame){
		.data = (void *)frame + XDP_PACKET_HEADROOM,
		.len = min(part, length),
		.headroom = XDP_PACKET_HEADROOM - sizeof(struct xdp_frame),
		.frame_sz = PAGE_SIZE,
		.flags = frames->pieces > 1 ? XDP_FLAGS_HAS_FRAGS : 0,
		.mem.type = MEM_TYPE_PAGE_ORDER0,
	};
	memcpy(frame->data, bytes, frame->len);
	list = xdp_get_shared_info_from_frame(frame);
	for (u32 i = 1; i < frames->pieces; i++) {
		struct page *page = frames->pages[index * frames->pieces + i];
		u32 size = min(part, length - i * part);

		memcpy(page_address(page), bytes + i * part, size);
		skb_frag_fill_page_desc(&list->frags[list->nr_frags++], page, 0, size);
		list->xdp_frags_size += size;
	}
}

struct kunit_frames *kunit_frames_create(const u8 *bytes, u32 length, u32 count, u32 fragments)
{
	struct kunit_frames *frames;
	u32 pieces = 1 + fragments;

	frames = kzalloc(struct_size(frames, pages, size_mul(count, pieces)), GFP_KERNEL);
	if (!frames || length > PAGE_SIZE / 2 * pieces || pieces > 1 + MAX_SKB_FRAGS)
		goto free;
	frames->pieces = pieces;
	for (; frames->count < count; frames->count++) {
		for (u32 i = 0; i < pieces; i++) {
			struct page *page = alloc_page(GFP_KERNEL | __GFP_ZERO);

			if (!page)
				goto free;
			get_page(page);
			frames->pages[frames->count * pieces + i] = page;
		}
		fill_frame(frames, frames->count, bytes, length);
	}
	return frames;

free:
	if (frames)
		kunit_frames_destroy(frames);
	return NULL;
}

void kunit_frames_destroy(struct kunit_frames *frames)
{
	for (u32 i = 0; i < frames->count * frames->pieces; i++) {
		struct page *page = frames->pages[i];
		u32 frame = i / frames->pieces;

		if (frame >= frames->taken) {
			if (page_count(page) != 2)
				kunit_fail(__FILE__, __LINE__,
					   "frame %u was not taken, and has %d references", frame,
					   page_count(page));
			put_page(page);
		} else if (page_count(page) != 1) {
			kunit_fail(__FILE__, __LINE__, "frame %u was taken, and has %d references",
				   frame, page_count(page));
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
		batch[i] = frame_of(frames, frames->taken + i);
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

	for (u32 i = 0; i < frames->taken * frames->pieces; i++)
		under_way += page_count(frames->pages[i]) > 1;
	return under_way;
}
