// SPDX-License-Identifier: GPL-2.0
/* Socket buffers: include/shim/skb.h. */

#include <linux/bpf.h>
#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip6_checksum.h>
#include <net/tcp.h>

#include "shim/skb.h"

/* --- sizes --- */

u32 shim_skb_headroom(void)
{
	return NET_SKB_PAD + NET_IP_ALIGN;
}

u32 shim_xdp_headroom(void)
{
	return XDP_PACKET_HEADROOM;
}

u32 shim_skb_space(u32 headroom, u32 bytes)
{
	return SKB_DATA_ALIGN(headroom + bytes) + SKB_DATA_ALIGN(sizeof(struct skb_shared_info));
}

u32 shim_page_size(void)
{
	return PAGE_SIZE;
}

/* --- receive --- */

struct sk_buff *shim_skb_build(void *memory, u32 truesize, u32 headroom, u32 length)
{
	struct sk_buff *skb = napi_build_skb(memory, truesize);

	if (unlikely(!skb))
		return NULL;
	/* skb_reserve() and skb_put() of an skb that is known to be empty. */
	skb->data += headroom;
	skb->tail += headroom + length;
	skb->len = length;
	skb_mark_for_recycle(skb);
	return skb;
}

void shim_skb_add_page(struct sk_buff *skb, struct page *page, u32 length, u32 truesize)
{
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, length, truesize);
}

void shim_skb_set_metadata(struct sk_buff *skb, u32 bytes)
{
	skb_metadata_set(skb, bytes);
}

void shim_skb_set_protocol(struct sk_buff *skb, struct net_device *netdev)
{
	skb->protocol = eth_type_trans(skb, netdev);
}

void shim_skb_set_checksum_good(struct sk_buff *skb)
{
	skb->ip_summed = CHECKSUM_UNNECESSARY;
}

void shim_skb_set_hash(struct sk_buff *skb, u32 hash, bool l4)
{
	skb_set_hash(skb, hash, l4 ? PKT_HASH_TYPE_L4 : PKT_HASH_TYPE_L3);
}

void shim_skb_set_vlan(struct sk_buff *skb, u16 tci)
{
	__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), tci);
}

void shim_skb_set_rx_queue(struct sk_buff *skb, u32 queue)
{
	skb_record_rx_queue(skb, queue);
}

/* --- transmit: inspecting --- */

bool shim_skb_is_plain(const struct sk_buff *skb)
{
	return likely(!skb_is_nonlinear(skb) && !skb_vlan_tag_present(skb) && !skb_is_gso(skb));
}

u32 shim_skb_length(const struct sk_buff *skb)
{
	return skb->len;
}

u32 shim_skb_head_length(const struct sk_buff *skb)
{
	return skb_headlen(skb);
}

const void *shim_skb_data(const struct sk_buff *skb)
{
	return skb->data;
}

u32 shim_skb_frags(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->nr_frags;
}

u32 shim_skb_frag_length(const struct sk_buff *skb, u32 index)
{
	return skb_frag_size(&skb_shinfo(skb)->frags[index]);
}

bool shim_skb_has_frag_list(const struct sk_buff *skb)
{
	return skb_has_frag_list(skb);
}

bool shim_skb_wants_checksum(const struct sk_buff *skb)
{
	return skb->ip_summed == CHECKSUM_PARTIAL;
}

u32 shim_skb_checksum_start(const struct sk_buff *skb)
{
	return skb_checksum_start_offset(skb);
}

u32 shim_skb_checksum_offset(const struct sk_buff *skb)
{
	return skb->csum_offset;
}

static noinline __be16 protocol_below_tags(const struct sk_buff *skb)
{
	return vlan_get_protocol(skb);
}

static __be16 protocol_of(const struct sk_buff *skb)
{
	return unlikely(eth_type_vlan(skb->protocol)) ? protocol_below_tags(skb) : skb->protocol;
}

bool shim_skb_is_ipv6(const struct sk_buff *skb)
{
	return protocol_of(skb) == htons(ETH_P_IPV6);
}

bool shim_skb_is_ip(const struct sk_buff *skb)
{
	__be16 protocol = protocol_of(skb);

	return protocol == htons(ETH_P_IP) || protocol == htons(ETH_P_IPV6);
}

bool shim_skb_is_gso(const struct sk_buff *skb)
{
	return skb_is_gso(skb);
}

u32 shim_skb_gso_size(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_size;
}

u32 shim_skb_gso_segments(const struct sk_buff *skb)
{
	return skb_shinfo(skb)->gso_segs;
}

u32 shim_skb_tcp_headers(const struct sk_buff *skb)
{
	return skb_tcp_all_headers(skb);
}

bool shim_skb_has_vlan(const struct sk_buff *skb)
{
	return skb_vlan_tag_present(skb);
}

u16 shim_skb_vlan_tci(const struct sk_buff *skb)
{
	return skb_vlan_tag_get(skb);
}

/* --- transmit: changing --- */

int shim_skb_linearize(struct sk_buff *skb)
{
	return skb_linearize(skb);
}

static void prepare_lso_ipv4(struct sk_buff *skb)
{
	struct iphdr *ip = ip_hdr(skb);

	ip->tot_len = 0;
	ip->check = 0;
	tcp_hdr(skb)->check = ~tcp_v4_check(0, ip->saddr, ip->daddr, 0);
}

int shim_skb_prepare_lso(struct sk_buff *skb)
{
	int error = skb_cow_head(skb, 0);

	if (error)
		return error;
	if (skb_is_gso_v6(skb))
		tcp_v6_gso_csum_prep(skb);
	else
		prepare_lso_ipv4(skb);
	return 0;
}

bool shim_skb_is_gso_ipv6(const struct sk_buff *skb)
{
	return skb_is_gso_v6(skb);
}

void shim_skb_tx_timestamp(struct sk_buff *skb)
{
	/* Not skb_tx_timestamp(): it asks for a PHY first, and there is none. */
	if (unlikely(skb_shinfo(skb)->tx_flags & SKBTX_SW_TSTAMP))
		skb_tstamp_tx(skb, NULL);
}

/* --- end of life --- */

void shim_skb_consume(struct sk_buff *skb, int budget)
{
	napi_consume_skb(skb, budget);
}

void shim_skb_drop(struct sk_buff *skb, enum shim_drop reason)
{
	static const enum skb_drop_reason reasons[] = {
		[SHIM_DROP_NO_MEMORY] = SKB_DROP_REASON_NOMEM,
		[SHIM_DROP_BAD_GSO] = SKB_DROP_REASON_SKB_BAD_GSO,
		[SHIM_DROP_DEVICE] = SKB_DROP_REASON_DEV_READY,
	};

	dev_kfree_skb_any_reason(skb, reasons[reason]);
}
