/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An XDP program that sends each frame on, out of the port in the map "ports", with the Ethernet
 * addresses in the map "addresses" (destination, then source).
 *
 * Self-contained, like xdp_count.bpf.c.
 */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))

enum { XDP_DROP = 1 };
enum { MAP_TYPE_ARRAY = 2, MAP_TYPE_DEVMAP = 14 };

struct xdp_md {
	u32 data;
	u32 data_end;
	u32 data_meta;
	u32 ingress_ifindex;
	u32 rx_queue_index;
	u32 egress_ifindex;
};

struct addresses {
	u16 words[6];
};

static void *(*const map_lookup_elem)(void *map, const void *key) = (void *)1;
static long (*const redirect_map)(void *map, u64 key, u64 flags) = (void *)51;

struct {
	int (*type)[MAP_TYPE_ARRAY];
	int (*max_entries)[1];
	u32 *key;
	struct addresses *value;
} addresses SECTION(".maps");

struct {
	int (*type)[MAP_TYPE_DEVMAP];
	int (*max_entries)[1];
	u32 *key;
	u32 *value;
} ports SECTION(".maps");

SECTION("xdp") int xdp_route(struct xdp_md *frame)
{
	u16 *ethernet = (u16 *)(long)frame->data;
	u32 first = 0;
	const struct addresses *new = map_lookup_elem(&addresses, &first);

	if (!new || (void *)(ethernet + 7) > (void *)(long)frame->data_end)
		return XDP_DROP;
	for (int i = 0; i < 6; i++)
		ethernet[i] = new->words[i];
	return redirect_map(&ports, 0, 0);
}

char whose_terms[] SECTION("license") = "GPL";
