/* SPDX-License-Identifier: GPL-2.0 */
/*
 * An XDP program that hands each frame over to the processor in the map "processors".
 *
 * Self-contained, like xdp_count.bpf.c.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define SECTION(name) __attribute__((section(name), used))

enum { MAP_TYPE_CPUMAP = 16 };

struct xdp_md {
	u32 data;
};

static long (*const redirect_map)(void *map, u64 key, u64 flags) = (void *)51;

/* The value is how many frames the processor's queue holds. */
struct {
	int (*type)[MAP_TYPE_CPUMAP];
	int (*max_entries)[1];
	u32 *key;
	u32 *value;
} processors SECTION(".maps");

SECTION("xdp.cpu") int xdp_cpu(struct xdp_md *frame)
{
	return redirect_map(&processors, 0, 0);
}

char whose_terms[] SECTION("license") = "GPL";
