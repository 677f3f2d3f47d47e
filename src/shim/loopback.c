// SPDX-License-Identifier: GPL-2.0
/* A frame that is sent to be received: shim_loopback() of include/shim/ethtool.h. */

#include <linux/completion.h>
#include <linux/etherdevice.h>
#include <linux/if_ether.h>
#include <linux/jiffies.h>
#include <linux/netdevice.h>
#include <linux/random.h>
#include <linux/skbuff.h>

#include "shim/ethtool.h"

struct loopback {
	struct packet_type type;
	struct completion arrived;
	u64 cookie;
};

static int loopback_receive(struct sk_buff *skb, struct net_device *netdev,
			    struct packet_type *type, struct net_device *original)
{
	struct loopback *self = container_of(type, struct loopback, type);
	u64 cookie;

	if (skb_copy_bits(skb, 0, &cookie, sizeof(cookie)) == 0 && cookie == self->cookie)
		complete(&self->arrived);
	consume_skb(skb);
	return NET_RX_SUCCESS;
}

static int loopback_send(struct net_device *from, struct net_device *to, u64 cookie)
{
	struct sk_buff *skb = alloc_skb(LL_RESERVED_SPACE(from) + ETH_ZLEN, GFP_KERNEL);
	u8 *payload;
	int error;

	if (!skb)
		return -ENOMEM;
	skb_reserve(skb, LL_RESERVED_SPACE(from));
	skb_reset_network_header(skb);
	payload = skb_put_zero(skb, ETH_ZLEN - ETH_HLEN);
	memcpy(payload, &cookie, sizeof(cookie));
	skb->dev = from;
	skb->protocol = htons(ETH_P_LOOPBACK);
	if (dev_hard_header(skb, from, ETH_P_LOOPBACK, to->dev_addr, from->dev_addr, skb->len) <
	    0) {
		kfree_skb(skb);
		return -EINVAL;
	}
	error = dev_queue_xmit(skb);
	return error > 0 ? net_xmit_errno(error) : error;
}

int shim_loopback(struct net_device *from, struct net_device *to, u32 milliseconds)
{
	struct loopback loopback = {
		.type = {.type = htons(ETH_P_LOOPBACK), .dev = to, .func = loopback_receive},
		.cookie = get_random_u64(),
	};
	int error;

	init_completion(&loopback.arrived);
	dev_add_pack(&loopback.type);
	error = loopback_send(from, to, loopback.cookie);
	if (!error &&
	    !wait_for_completion_timeout(&loopback.arrived, msecs_to_jiffies(milliseconds)))
		error = -ETIMEDOUT;
	dev_remove_pack(&loopback.type);
	return error;
}
