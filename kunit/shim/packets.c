// SPDX-License-Identifier: GPL-2.0
/* Frames into and out of a netdev: stack.h. */

#include <linux/etherdevice.h>
#include <linux/if_vlan.h>
#include <linux/netdevice.h>
#include <linux/skbuff.h>
#include <linux/slab.h>
#include <net/tcp.h>
#include <net/xdp.h>

#include "kunit/shim/stack.h"

/* --- transmit --- */

/* Small fragments share pages. */
static bool add_fragments(struct sk_buff *skb, const struct kunit_packet *packet, u32 linear)
{
	struct page *page = NULL;
	u32 done = linear, used = 0;

	while (done < packet->length) {
		u32 part = min3(packet->length - done, packet->fragment ?: (u32)PAGE_SIZE,
				(u32)PAGE_SIZE);

		if (skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
			return false;
		if (page && used + part <= PAGE_SIZE) {
			get_page(page);
		} else {
			page = alloc_page(GFP_KERNEL);
			if (!page)
				return false;
			used = 0;
		}
		memcpy(page_address(page) + used, packet->bytes + done, part);
		skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, used, part, part);
		used += part;
		done += part;
	}
	return true;
}

static void find_headers(struct sk_buff *skb)
{
	u32 offset = ETH_HLEN;
	__be16 protocol = eth_hdr(skb)->h_proto;

	if (protocol == htons(ETH_P_8021Q) && skb_headlen(skb) >= VLAN_ETH_HLEN) {
		protocol = vlan_eth_hdr(skb)->h_vlan_encapsulated_proto;
		offset = VLAN_ETH_HLEN;
	}
	skb_set_network_header(skb, offset);
	if (protocol == htons(ETH_P_IP) && skb_headlen(skb) >= offset + sizeof(struct iphdr))
		skb_set_transport_header(skb, offset + ip_hdrlen(skb));
	else if (protocol == htons(ETH_P_IPV6))
		skb_set_transport_header(skb, offset + sizeof(struct ipv6hdr));
}

struct sk_buff *kunit_skb(struct net_device *netdev, const struct kunit_packet *packet)
{
	u32 linear = packet->linear ? min(packet->linear, packet->length) : packet->length;
	u32 headroom = packet->headroom ?: LL_RESERVED_SPACE(netdev);
	struct sk_buff *skb;

	if (!packet->linear && packet->length > SKB_WITH_OVERHEAD(PAGE_SIZE) - headroom)
		linear = min_t(u32, packet->length, 256);
	skb = alloc_skb(headroom + linear, GFP_KERNEL);
	if (!skb)
		return NULL;
	skb_reserve(skb, headroom);
	skb_put_data(skb, packet->bytes, linear);
	skb->dev = netdev;
	skb_reset_mac_header(skb);
	skb->protocol = eth_hdr(skb)->h_proto;
	find_headers(skb);
	if (!add_fragments(skb, packet, linear)) {
		kfree_skb(skb);
		return NULL;
	}
	if (packet->checksum_start) {
		skb->ip_summed = CHECKSUM_PARTIAL;
		skb->csum_start = skb_headroom(skb) + packet->checksum_start;
		skb->csum_offset = packet->checksum_offset;
		skb_set_transport_header(skb, packet->checksum_start);
	}
	if (packet->gso_size) {
		/* From the bytes: the header may end in a fragment. */
		u32 l4 = skb_transport_offset(skb);
		u32 headers = l4 + (packet->bytes[l4 + 12] >> 4) * 4;

		skb_shinfo(skb)->gso_size = packet->gso_size;
		skb_shinfo(skb)->gso_type =
			vlan_get_protocol(skb) == htons(ETH_P_IPV6) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
		skb_shinfo(skb)->gso_segs =
			DIV_ROUND_UP(packet->length - headers, packet->gso_size);
	}
	if (packet->vlan)
		__vlan_hwaccel_put_tag(skb, htons(ETH_P_8021Q), packet->tci);
	return skb;
}

struct sk_buff *kunit_skb_clone(struct sk_buff *skb)
{
	return skb_clone(skb, GFP_KERNEL);
}

void kunit_skb_free(struct sk_buff *skb)
{
	kfree_skb(skb);
}

void kunit_send(struct sk_buff *skb)
{
	dev_queue_xmit(skb);
}

bool kunit_send_direct(struct sk_buff *skb, u32 queue)
{
	return dev_direct_xmit(skb, queue) == NETDEV_TX_OK;
}

u32 kunit_send_batch(struct sk_buff **skbs, u32 count, u32 queue)
{
	struct net_device *netdev = skbs[0]->dev;
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, queue);
	u32 sent = 0;

	local_bh_disable();
	HARD_TX_LOCK(netdev, txq, smp_processor_id());
	while (sent < count && !netif_xmit_frozen_or_stopped(txq)) {
		skb_set_queue_mapping(skbs[sent], queue);
		if (!dev_xmit_complete(
			    netdev_start_xmit(skbs[sent], netdev, txq, sent + 1 < count)))
			break;
		sent++;
	}
	HARD_TX_UNLOCK(netdev, txq);
	local_bh_enable();
	return sent;
}

bool kunit_send_raw(struct sk_buff *skb, u32 queue)
{
	struct net_device *netdev = skb->dev;
	struct netdev_queue *txq = netdev_get_tx_queue(netdev, queue);
	bool taken;

	local_bh_disable();
	HARD_TX_LOCK(netdev, txq, smp_processor_id());
	skb_set_queue_mapping(skb, queue);
	taken = dev_xmit_complete(netdev_start_xmit(skb, netdev, txq, false));
	HARD_TX_UNLOCK(netdev, txq);
	local_bh_enable();
	return taken;
}

bool kunit_queue_stopped(struct net_device *netdev, u32 queue)
{
	return netif_xmit_stopped(netdev_get_tx_queue(netdev, queue));
}

u32 kunit_queue_in_flight(struct net_device *netdev, u32 queue)
{
	const struct dql *dql = &netdev_get_tx_queue(netdev, queue)->dql;

	return READ_ONCE(dql->num_queued) - READ_ONCE(dql->num_completed);
}

int kunit_xdp_send(struct net_device *netdev, const u8 *bytes, u32 length, u32 count)
{
	struct xdp_frame **frames = kcalloc(count, sizeof(*frames), GFP_KERNEL);
	int taken = -ENOMEM;
	u32 made = 0;

	if (!frames)
		return -ENOMEM;
	for (; made < count; made++) {
		struct page *page = alloc_page(GFP_KERNEL);
		struct xdp_frame *frame;

		if (!page)
			goto out;
		frame = page_address(page);
		*frame = (struct xdp_frame){
			.data = page_address(page) + XDP_PACKET_HEADROOM,
			.len = length,
			.headroom = XDP_PACKET_HEADROOM - sizeof(*frame),
			.frame_sz = PAGE_SIZE,
			.mem.type = MEM_TYPE_PAGE_ORDER0,
		};
		memcpy(frame->data, bytes, length);
		frames[made] = frame;
	}
	local_bh_disable();
	taken = netdev->netdev_ops->ndo_xdp_xmit(netdev, count, frames, XDP_XMIT_FLUSH);
	local_bh_enable();
out:
	for (u32 i = max(taken, 0); i < made; i++)
		xdp_return_frame(frames[i]);
	kfree(frames);
	return taken;
}

/* --- receive --- */

struct kunit_tap {
	struct packet_type type;
	struct sk_buff_head queue;
};

static int tap_receive(struct sk_buff *skb, struct net_device *netdev, struct packet_type *type,
		       struct net_device *original)
{
	struct kunit_tap *tap = container_of(type, struct kunit_tap, type);
	struct sk_buff *mine = skb_share_check(skb, GFP_ATOMIC);

	if (mine)
		skb_queue_tail(&tap->queue, mine);
	return NET_RX_SUCCESS;
}

struct kunit_tap *kunit_tap_create(struct net_device *netdev)
{
	struct kunit_tap *tap = kzalloc(sizeof(*tap), GFP_KERNEL);

	if (!tap)
		return NULL;
	skb_queue_head_init(&tap->queue);
	tap->type.type = htons(ETH_P_ALL);
	tap->type.dev = netdev;
	tap->type.ignore_outgoing = true;
	tap->type.func = tap_receive;
	dev_add_pack(&tap->type);
	return tap;
}

void kunit_tap_destroy(struct kunit_tap *tap)
{
	dev_remove_pack(&tap->type);
	skb_queue_purge(&tap->queue);
	kfree(tap);
}

u32 kunit_tap_count(struct kunit_tap *tap)
{
	return skb_queue_len_lockless(&tap->queue);
}

struct sk_buff *kunit_tap_take(struct kunit_tap *tap)
{
	return skb_dequeue(&tap->queue);
}

void kunit_skb_look(const struct sk_buff *skb, struct kunit_received *received)
{
	*received = (struct kunit_received){
		.length = skb->len +
			  (skb_mac_header_was_set(skb) ? skb->data - skb_mac_header(skb) : 0),
		.truesize = skb->truesize,
		.queue = skb_rx_queue_recorded(skb) ? skb_get_rx_queue(skb) : ~0u,
		.hash = skb->hash,
		.has_hash = skb->hash != 0,
		.hash_l4 = skb->l4_hash,
		.metadata = skb_metadata_len(skb),
		.checksum_good = skb->ip_summed == CHECKSUM_UNNECESSARY,
		.vlan = skb_vlan_tag_present(skb),
		.tci = skb_vlan_tag_get(skb),
		.recycles = skb->pp_recycle,
		.fragments = skb_shinfo(skb)->nr_frags,
	};
}

bool kunit_skb_copy(const struct sk_buff *skb, u32 offset, void *to, u32 bytes)
{
	int from = (int)offset - (int)(skb->data - skb_mac_header(skb));

	return !skb_copy_bits(skb, from, to, bytes);
}
