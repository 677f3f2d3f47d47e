/* SPDX-License-Identifier: GPL-2.0 */
/* Socket buffers. Softirq context unless said. */
#ifndef SHIM_SKB_H
#define SHIM_SKB_H

#include "shim/types.h"

SHIM_BEGIN

/* --- sizes, constants of the running kernel --- */

u32 shim_skb_headroom(void);            /* NET_SKB_PAD + NET_IP_ALIGN */
u32 shim_xdp_headroom(void);            /* XDP_PACKET_HEADROOM */
u32 shim_skb_space(u32 headroom, u32 bytes); /* whole memory that a built skb of that data takes */
u32 shim_page_size(void);

/* --- receive --- */

/* An skb over memory of `truesize` bytes with data at [headroom, headroom + length), which goes
 * back to its page pool when freed. NULL without memory; then the caller still owns it. */
struct sk_buff *shim_skb_build(void *memory, u32 truesize, u32 headroom, u32 length);

/* One more page of the pool behind what there is, with `length` bytes at its start. */
void shim_skb_add_page(struct sk_buff *skb, struct page *page, u32 length, u32 truesize);

void shim_skb_set_metadata(struct sk_buff *skb, u32 bytes); /* XDP metadata before the data */
void shim_skb_set_protocol(struct sk_buff *skb, struct net_device *netdev);
void shim_skb_set_checksum_good(struct sk_buff *skb);
void shim_skb_set_hash(struct sk_buff *skb, u32 hash, bool l4);
void shim_skb_set_vlan(struct sk_buff *skb, u16 tci);
void shim_skb_set_rx_queue(struct sk_buff *skb, u32 queue);

/* --- transmit: inspecting --- */

/* One linear piece, no VLAN tag beside the data, no segmentation. */
bool shim_skb_is_plain(const struct sk_buff *skb);

u32 shim_skb_length(const struct sk_buff *skb);
u32 shim_skb_head_length(const struct sk_buff *skb); /* linear part */
const void *shim_skb_data(const struct sk_buff *skb);
u32 shim_skb_frags(const struct sk_buff *skb);
u32 shim_skb_frag_length(const struct sk_buff *skb, u32 index);
bool shim_skb_has_frag_list(const struct sk_buff *skb);

bool shim_skb_wants_checksum(const struct sk_buff *skb);
u32 shim_skb_checksum_start(const struct sk_buff *skb); /* from the frame's start: L4 header */
u32 shim_skb_checksum_offset(const struct sk_buff *skb); /* from there: the checksum field */
bool shim_skb_is_ipv6(const struct sk_buff *skb); /* below any VLAN tags in the data */
bool shim_skb_is_ip(const struct sk_buff *skb); /* IPv4 or IPv6 */

bool shim_skb_is_gso(const struct sk_buff *skb);
u32 shim_skb_gso_size(const struct sk_buff *skb);
u32 shim_skb_gso_segments(const struct sk_buff *skb);
u32 shim_skb_tcp_headers(const struct sk_buff *skb); /* Ethernet to TCP, with options */

bool shim_skb_has_vlan(const struct sk_buff *skb);
u16 shim_skb_vlan_tci(const struct sk_buff *skb);

/* --- transmit: changing --- */

/* 0 or a negative errno; then the skb is unchanged and still the caller's. */
int shim_skb_linearize(struct sk_buff *skb);

/* Makes the headers private and rewrites them for LSO: IP length (and IPv4 checksum) zero, TCP
 * checksum the pseudo-header sum with length 0. 0 or a negative errno. */
int shim_skb_prepare_lso(struct sk_buff *skb);

/* Of the packet that prepare_lso() prepares: not below tags, but as segmentation was asked for. */
bool shim_skb_is_gso_ipv6(const struct sk_buff *skb);

/* Tells a socket that wants to know in software when its packet was sent. Before the doorbell. */
void shim_skb_tx_timestamp(struct sk_buff *skb);

/* --- end of life --- */

void shim_skb_consume(struct sk_buff *skb, int budget); /* sent; budget of the NAPI poll, or 0 */

/* Why a packet was not sent; what watches the kernel's drops is told. */
enum shim_drop {
	SHIM_DROP_NO_MEMORY, /* linearising, private headers, or DMA mapping */
	SHIM_DROP_BAD_GSO, /* segmentation that makes no sense */
	SHIM_DROP_DEVICE, /* the queue went away with packets in it */
};
void shim_skb_drop(struct sk_buff *skb, enum shim_drop reason); /* any context */

SHIM_END

#endif
