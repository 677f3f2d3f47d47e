/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An XDP program that takes frames in several buffers. What it does is in the map "orders": a
 * verdict, and how many bytes of a frame to keep (0: all). It counts in "seen": frames, and those
 * with bytes beyond the first buffer.
 *
 * Self-contained, like xdp_count.bpf.c. The section's name is what says that it takes such frames.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };
enum { MAP_TYPE_ARRAY = 2, MAP_TYPE_PERCPU_ARRAY = 6, MAP_TYPE_DEVMAP = 14 };

struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

static void *(*const map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const redirect_map)(void *map, u64 key, u64 flags) = (void *)51;
static long (*const adjust_tail)(struct xdp_md *frame, int delta) = (void *)65;
static u64 (*const buffer_length)(struct xdp_md *frame) = (void *)188;

struct {
	int (*type)[MAP_TYPE_ARRAY];
	int (*max_entries)[2];
	u32 *key;
	u32 *value;
} orders SECTION(".maps");

struct {
	int (*type)[MAP_TYPE_PERCPU_ARRAY];
	int (*max_entries)[2];
	u32 *key;
	u64 *value;
} seen SECTION(".maps");

struct {
	int (*type)[MAP_TYPE_DEVMAP];
	int (*max_entries)[1];
	u32 *key;
	u32 *value;
} ports SECTION(".maps");

static __attribute__((always_inline)) void count(u32 which)
{
	u64 *frames = map_lookup_elem(&seen, &which);

	if (frames)
		(*frames)++;
}

static __attribute__((always_inline)) u32 order(u32 which)
{
	u32 *value = map_lookup_elem(&orders, &which);

	return value ? *value : 0;
}

SECTION("xdp.frags") int xdp_frags(struct xdp_md *frame)
{
	u32 verdict = order(0), keep = order(1);
	u32 length = buffer_length(frame);
	u16 *ethernet;

	count(0);
	if (length <= frame->data_end - frame->data)
		return XDP_PASS; /* what keeps a network alive is small */
	count(1);
	if (keep && keep < length && adjust_tail(frame, (int)keep - (int)length))
		return XDP_ABORTED;
	switch (verdict) {
	case XDP_TX:
		ethernet = (u16 *)(long)frame->data;
		if ((void *)(ethernet + 7) > (void *)(long)frame->data_end)
			return XDP_DROP;
		for (int i = 0; i < 3; i++) {
			u16 word = ethernet[i];

			ethernet[i] = ethernet[i + 3];
			ethernet[i + 3] = word;
		}
		return XDP_TX;
	case XDP_REDIRECT:
		return redirect_map(&ports, 0, 0);
	default:
		return verdict;
	}
}

char whose_terms[] SECTION("license") = "GPL";
