/* SPDX-License-Identifier: GPL-2.0 */
/*
 * XDP programs for the demo and the tests. Each counts its frames in the map "seen", at the place
 * of its verdict; which one runs is the section that is loaded.
 *
 * Self-contained: what it needs of the kernel's BPF interface is declared here, so that no header
 * package is needed to build it.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))

enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT, XDP_VERDICTS };
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

/* What a loader reads from a map's declaration: types of pointers, not values. */
struct {
	int (*type)[MAP_TYPE_PERCPU_ARRAY];
	int (*max_entries)[XDP_VERDICTS];
	u32 *key;
	u64 *value;
} seen SECTION(".maps");

struct {
	int (*type)[MAP_TYPE_DEVMAP];
	int (*max_entries)[1];
	u32 *key;
	u32 *value;
} ports SECTION(".maps");

static __attribute__((always_inline)) int count(u32 verdict)
{
	u64 *frames = map_lookup_elem(&seen, &verdict);

	if (frames)
		(*frames)++;
	return verdict;
}

SECTION("xdp.pass") int xdp_pass(struct xdp_md *frame)
{
	return count(XDP_PASS);
}

SECTION("xdp.drop") int xdp_drop(struct xdp_md *frame)
{
	return count(XDP_DROP);
}

SECTION("xdp.aborted") int xdp_aborted(struct xdp_md *frame)
{
	return count(XDP_ABORTED);
}

/* Back to where it came from, with the addresses swapped. */
SECTION("xdp.tx") int xdp_tx(struct xdp_md *frame)
{
	u16 *ethernet = (u16 *)(long)frame->data;

	if ((void *)(ethernet + 7) > (void *)(long)frame->data_end)
		return count(XDP_DROP);
	for (int i = 0; i < 3; i++) {
		u16 word = ethernet[i];

		ethernet[i] = ethernet[i + 3];
		ethernet[i + 3] = word;
	}
	return count(XDP_TX);
}

/* To the port that the user put into "ports". */
SECTION("xdp.redirect") int xdp_redirect(struct xdp_md *frame)
{
	count(XDP_REDIRECT);
	return redirect_map(&ports, 0, 0);
}

char whose_terms[] SECTION("license") = "GPL";
