/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The shortest XDP programs: one verdict each. Self-contained, so that no header package is needed.
 */
#define SECTION(name) __attribute__((section(name), used))

enum { XDP_DROP = 1, XDP_PASS = 2, XDP_TX = 3 };
enum { MAP_TYPE_DEVMAP = 14 };

static long (*const redirect_map)(void *map, unsigned long long key, unsigned long long flags) =
	(void *)51;

struct {
	int (*type)[MAP_TYPE_DEVMAP];
	int (*max_entries)[1];
	unsigned int *key;
	unsigned int *value;
} ports SECTION(".maps");

SECTION("xdp.drop") int xdp_drop(void *frame)
{
	return XDP_DROP;
}

SECTION("xdp.pass") int xdp_pass(void *frame)
{
	return XDP_PASS;
}

SECTION("xdp.tx") int xdp_tx(void *frame)
{
	return XDP_TX;
}

/* To the port that the user put into "ports". */
SECTION("xdp.redirect") int xdp_redirect(void *frame)
{
	return redirect_map(&ports, 0, 0);
}

char whose_terms[] SECTION("license") = "GPL";
