// SPDX-License-Identifier: GPL-2.0
/* XDP: include/shim/xdp.h. */

#include <linux/bpf.h>
#include <linux/bpf_trace.h>
#include <linux/build_bug.h>
#include <linux/filter.h>
#include <linux/netdevice.h>
#include <linux/slab.h>
#include <net/xdp.h>

#include "shim/entry.h"
#include "shim/xdp.h"

/* The kernel's buffer, and what hints are made from: the kernel gives the first to a hint. */
struct mana_xdp_buff {
	struct xdp_buff buff;
	const struct mana_rx_completion *completion;
};

static_assert(sizeof(struct mana_xdp_buff) <= sizeof(struct shim_xdp_buff));
static_assert(__alignof__(struct mana_xdp_buff) <= __alignof__(struct shim_xdp_buff));
static_assert(offsetof(struct mana_xdp_buff, buff) == 0);
static_assert((int)SHIM_HASH_IPV4 == (int)XDP_RSS_L3_IPV4);
static_assert((int)SHIM_HASH_IPV6 == (int)XDP_RSS_L3_IPV6);
static_assert((int)SHIM_HASH_EXTENSIONS == (int)XDP_RSS_L3_DYNHDR);
static_assert((int)SHIM_HASH_L4 == (int)XDP_RSS_L4);
static_assert((int)SHIM_HASH_TCP == (int)XDP_RSS_L4_TCP);
static_assert((int)SHIM_HASH_UDP == (int)XDP_RSS_L4_UDP);
static_assert(sizeof(struct xdp_frame_bulk) <= sizeof(struct shim_xdp_bulk));
static_assert(__alignof__(struct xdp_frame_bulk) <= __alignof__(struct shim_xdp_bulk));
static_assert((int)SHIM_XDP_ABORTED == (int)XDP_ABORTED);
static_assert((int)SHIM_XDP_DROP == (int)XDP_DROP);
static_assert((int)SHIM_XDP_PASS == (int)XDP_PASS);
static_assert((int)SHIM_XDP_TX == (int)XDP_TX);
static_assert((int)SHIM_XDP_REDIRECT == (int)XDP_REDIRECT);
static_assert(XDP_ABORTED == 0 && XDP_REDIRECT == 4); /* the known ones lie between */

static struct xdp_buff *buff_of(struct shim_xdp_buff *xdp)
{
	return (struct xdp_buff *)xdp->storage;
}

/* --- receive queues --- */

struct xdp_rxq_info *shim_xdp_rxq_create(struct net_device *netdev, u32 queue,
					 struct napi_struct *napi, struct page_pool *pool,
					 u32 frag_size, int *error)
{
	struct xdp_rxq_info *rxq = kzalloc(sizeof(*rxq), GFP_KERNEL);

	if (!rxq) {
		*error = -ENOMEM;
		return NULL;
	}

	*error = __xdp_rxq_info_reg(rxq, netdev, queue, napi->napi_id, frag_size);
	if (*error)
		goto free;

	*error = xdp_rxq_info_reg_mem_model(rxq, MEM_TYPE_PAGE_POOL, pool);
	if (*error)
		goto unregister;

	return rxq;

unregister:
	xdp_rxq_info_unreg(rxq);
free:
	kfree(rxq);
	return NULL;
}

void shim_xdp_rxq_destroy(struct xdp_rxq_info *rxq)
{
	xdp_rxq_info_unreg(rxq);
	kfree(rxq);
}

/* --- programs --- */

void shim_xdp_init(struct shim_xdp_buff *xdp, struct xdp_rxq_info *rxq, u32 frame_size)
{
	xdp_init_buff(buff_of(xdp), frame_size, rxq);
}

void shim_xdp_prepare(struct shim_xdp_buff *xdp, void *memory, u32 headroom, u32 length)
{
	xdp_prepare_buff(buff_of(xdp), memory, headroom, length, true);
}

static noinline __cold enum shim_xdp_action aborted(struct net_device *netdev,
						    struct bpf_prog *program, u32 action)
{
	if (action != XDP_ABORTED)
		bpf_warn_invalid_xdp_action(netdev, program, action);
	trace_xdp_exception(netdev, program, action);
	return SHIM_XDP_ABORTED;
}

/* In each of the loops that run programs. */
__attribute__((__always_inline__)) enum shim_xdp_action
shim_xdp_run(struct bpf_prog *program, struct shim_xdp_buff *xdp, struct net_device *netdev)
{
	u32 action = bpf_prog_run_xdp(program, buff_of(xdp));

	if (unlikely(action == XDP_ABORTED || action > XDP_REDIRECT))
		return aborted(netdev, program, action);
	return (enum shim_xdp_action)action;
}

void shim_xdp_result(const struct shim_xdp_buff *xdp, u32 *headroom, u32 *length, u32 *metadata)
{
	const struct xdp_buff *buff = (const struct xdp_buff *)xdp->storage;

	*headroom = buff->data - buff->data_hard_start;
	*length = buff->data_end - buff->data;
	*metadata = buff->data - buff->data_meta;
}

int shim_xdp_redirect(struct net_device *netdev, struct shim_xdp_buff *xdp,
		      struct bpf_prog *program)
{
	return xdp_do_redirect(netdev, buff_of(xdp), program);
}

void shim_xdp_flush(void)
{
	xdp_do_flush();
}

void shim_xdp_exception(struct net_device *netdev, struct bpf_prog *program,
			enum shim_xdp_action action)
{
	trace_xdp_exception(netdev, program, action);
}

/* --- hints --- */

bool shim_bpf_reads_hints(const struct bpf_prog *program)
{
	return bpf_prog_is_dev_bound(program->aux);
}

void shim_xdp_set_hints(struct shim_xdp_buff *xdp, const struct mana_rx_completion *completion)
{
	((struct mana_xdp_buff *)xdp->storage)->completion = completion;
}

static const struct mana_rx_completion *completion_of(const struct xdp_md *context)
{
	return ((const struct mana_xdp_buff *)context)->completion;
}

static int mana_xmo_rx_hash(const struct xdp_md *context, u32 *hash, enum xdp_rss_hash_type *type)
{
	u32 bits;

	if (!mana_rx_hint_hash(completion_of(context), hash, &bits))
		return -ENODATA;
	*type = bits;
	return 0;
}

static int mana_xmo_rx_vlan_tag(const struct xdp_md *context, __be16 *protocol, u16 *tci)
{
	if (!mana_rx_hint_vlan(completion_of(context), tci))
		return -ENODATA;
	*protocol = htons(ETH_P_8021Q);
	return 0;
}

static const struct xdp_metadata_ops mana_xdp_metadata_ops = {
	.xmo_rx_hash = mana_xmo_rx_hash,
	.xmo_rx_vlan_tag = mana_xmo_rx_vlan_tag,
};

void shim_set_xdp_hints(struct net_device *netdev)
{
	netdev->xdp_metadata_ops = &mana_xdp_metadata_ops;
}

void shim_bpf_put(struct bpf_prog *program)
{
	if (program)
		bpf_prog_put(program);
}

/* --- frames in several buffers --- */

void shim_xdp_clear_frags(struct shim_xdp_buff *xdp)
{
	xdp_reinit_buff(buff_of(xdp));
}

void shim_xdp_add_frag(struct shim_xdp_buff *xdp, struct page *page, u32 length)
{
	struct xdp_buff *buff = buff_of(xdp);
	struct skb_shared_info *list = xdp_get_shared_info_from_buff(buff);

	if (!xdp_buff_has_frags(buff)) {
		list->nr_frags = 0;
		list->xdp_frags_size = 0;
		xdp_buff_set_frags_flag(buff);
	}
	skb_frag_fill_page_desc(&list->frags[list->nr_frags++], page, 0, length);
	list->xdp_frags_size += length;
	if (page_is_pfmemalloc(page))
		xdp_buff_set_frag_pfmemalloc(buff);
}

u32 shim_xdp_frags(const struct shim_xdp_buff *xdp)
{
	const struct xdp_buff *buff = (const struct xdp_buff *)xdp->storage;

	return xdp_buff_has_frags(buff) ? xdp_get_shared_info_from_buff(buff)->nr_frags : 0;
}

void shim_xdp_give_frags(const struct shim_xdp_buff *xdp, struct sk_buff *skb, u32 frags)
{
	const struct xdp_buff *buff = (const struct xdp_buff *)xdp->storage;

	/* Building the skb has cleared their number, and neither the list nor its length. */
	xdp_update_skb_shared_info(skb, frags, skb_shinfo(skb)->xdp_frags_size, frags * PAGE_SIZE,
				   xdp_buff_is_frag_pfmemalloc(buff));
}

void shim_xdp_return(struct shim_xdp_buff *xdp)
{
	xdp_return_buff(buff_of(xdp));
}

struct xdp_frame *shim_xdp_to_frame(struct shim_xdp_buff *xdp)
{
	return xdp_convert_buff_to_frame(buff_of(xdp));
}

bool shim_bpf_takes_frags(const struct bpf_prog *program)
{
	return program->aux->xdp_has_frags;
}

/* --- frames --- */

const void *shim_xdp_frame_data(const struct xdp_frame *frame)
{
	return frame->data;
}

u32 shim_xdp_frame_length(const struct xdp_frame *frame)
{
	return frame->len;
}

bool shim_xdp_frame_has_frags(const struct xdp_frame *frame)
{
	return xdp_frame_has_frags(frame);
}

u32 shim_xdp_frame_frags(const struct xdp_frame *frame)
{
	return xdp_frame_has_frags(frame) ? xdp_get_shared_info_from_frame(frame)->nr_frags : 0;
}

const void *shim_xdp_frame_frag(const struct xdp_frame *frame, u32 index, u32 *length)
{
	const skb_frag_t *frag = &xdp_get_shared_info_from_frame(frame)->frags[index];

	*length = skb_frag_size(frag);
	return skb_frag_address(frag);
}

void shim_xdp_frame_return(struct xdp_frame *frame)
{
	xdp_return_frame(frame);
}

static struct xdp_frame_bulk *bulk_of(struct shim_xdp_bulk *bulk)
{
	return (struct xdp_frame_bulk *)bulk->storage;
}

void shim_xdp_bulk_begin(struct shim_xdp_bulk *bulk)
{
	rcu_read_lock();
	xdp_frame_bulk_init(bulk_of(bulk));
}

void shim_xdp_bulk_return(struct shim_xdp_bulk *bulk, struct xdp_frame *frame)
{
	xdp_return_frame_bulk(frame, bulk_of(bulk));
}

void shim_xdp_bulk_end(struct shim_xdp_bulk *bulk)
{
	xdp_flush_frame_bulk(bulk_of(bulk));
	rcu_read_unlock();
}
