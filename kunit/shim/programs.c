// SPDX-License-Identifier: GPL-2.0
/*
 * XDP programs: stack.h. To the kernel this is a BPF program, translated and run as any other; all
 * it does is to call a function of ours, where a real one would call a helper of the kernel's.
 */

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/page_pool/helpers.h>
#include <net/xdp.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/stack.h"

static struct attached {
	struct bpf_prog *program; /* with a reference of ours */
	kunit_xdp_program function;
	void *context;
} attached[8];

static void ask_for_hints(struct xdp_buff *buffer, struct kunit_xdp *xdp)
{
	const struct xdp_metadata_ops *ops = buffer->rxq->dev->xdp_metadata_ops;
	const struct xdp_md *context = (const struct xdp_md *)buffer;
	enum xdp_rss_hash_type kinds = 0;
	__be16 protocol = 0;

	xdp->has_hash = ops->xmo_rx_hash(context, &xdp->hash, &kinds) == 0;
	xdp->hash_kinds = kinds;
	xdp->has_vlan = ops->xmo_rx_vlan_tag(context, &protocol, &xdp->vlan) == 0;
	xdp->vlan_protocol = ntohs(protocol);
}

/* As bpf_xdp_adjust_tail() would. */
static void adjust_tail(struct xdp_buff *buffer, int tail)
{
	struct skb_shared_info *list = xdp_get_shared_info_from_buff(buffer);

	while (tail < 0 && xdp_buff_has_frags(buffer)) {
		skb_frag_t *last = &list->frags[list->nr_frags - 1];
		int part = min_t(int, -tail, skb_frag_size(last));

		tail += part;
		list->xdp_frags_size -= part;
		skb_frag_size_sub(last, part);
		if (skb_frag_size(last) > 0)
			return;
		page_pool_put_full_page(skb_frag_page(last)->pp, skb_frag_page(last), false);
		if (--list->nr_frags == 0)
			xdp_buff_clear_frags_flag(buffer);
	}
	if (!xdp_buff_has_frags(buffer))
		buffer->data_end += tail;
}

static u64 run_program(struct xdp_buff *buffer, u64 index)
{
	struct kunit_xdp xdp = {
		.data = buffer->data,
		.length = buffer->data_end - buffer->data,
		.headroom = buffer->data - buffer->data_hard_start,
		.tailroom = xdp_data_hard_end(buffer) - buffer->data_end,
		.frame_size = buffer->frame_sz,
		.queue = buffer->rxq->queue_index,
		.netdev = buffer->rxq->dev->ifindex,
		.napi_id = buffer->rxq->napi_id,
		.from_pool = buffer->rxq->mem.type == MEM_TYPE_PAGE_POOL,
		.memory_id = buffer->rxq->mem.id,
	};
	int head = 0, tail = 0, target = 0;
	enum shim_xdp_action action;
	u32 metadata = 0;

	if (xdp_buff_has_frags(buffer)) {
		xdp.fragments = xdp_get_shared_info_from_buff(buffer)->nr_frags;
		xdp.fragments_length = xdp_get_shared_info_from_buff(buffer)->xdp_frags_size;
	}
	if (attached[index].program->aux->dev_bound)
		ask_for_hints(buffer, &xdp);
	action = attached[index].function(attached[index].context, &xdp, &head, &tail, &metadata,
					  &target);

	/* As bpf_xdp_adjust_head() and _meta() would. */
	buffer->data += head;
	adjust_tail(buffer, tail);
	buffer->data_meta = metadata ? buffer->data - metadata : buffer->data;
	if (action == SHIM_XDP_REDIRECT) {
		struct bpf_redirect_info *info = bpf_net_ctx_get_ri();

		info->tgt_index = target;
		info->map_id = INT_MAX;
		info->map_type = BPF_MAP_TYPE_UNSPEC;
		info->flags = 0;
	}
	return action;
}

static struct bpf_prog *make_program(u32 index)
{
	/* The argument, the context, is where the function wants it: in the first register. */
	struct bpf_insn code[] = {
		BPF_MOV64_IMM(BPF_REG_2, index),
		BPF_EMIT_CALL(run_program),
		BPF_EXIT_INSN(),
	};
	struct bpf_prog *program = bpf_prog_alloc(bpf_prog_size(ARRAY_SIZE(code)), 0);
	int error;

	if (!program)
		return ERR_PTR(-ENOMEM);
	program->len = ARRAY_SIZE(code);
	program->type = BPF_PROG_TYPE_XDP;
	memcpy(program->insnsi, code, sizeof(code));
	program = bpf_prog_select_runtime(program, &error);
	if (error) {
		bpf_prog_free(program);
		return ERR_PTR(error);
	}
	atomic64_set(&program->aux->refcnt, 1);
	return program;
}

static int set_program(struct net_device *netdev, struct bpf_prog *program)
{
	struct netdev_bpf command = {.command = XDP_SETUP_PROG, .prog = program};
	int error;

	rtnl_lock();
	error = netdev->netdev_ops->ndo_bpf(netdev, &command);
	rtnl_unlock();
	return error;
}

static void drop(struct attached *slot)
{
	/* It never was registered as such. */
	slot->program->aux->dev_bound = false;
	bpf_prog_put(slot->program);
	slot->program = NULL;
}

int kunit_xdp_attach(struct net_device *netdev, kunit_xdp_program function, void *context)
{
	return kunit_xdp_attach_as(netdev, 0, function, context);
}

int kunit_xdp_attach_as(struct net_device *netdev, u32 how, kunit_xdp_program function,
			void *context)
{
	struct bpf_prog *program;
	int error;
	u32 i;

	/* Programs that no netdev has any more, and that no poll runs. */
	synchronize_net();
	for (i = 0; i < ARRAY_SIZE(attached); i++)
		if (attached[i].program && atomic64_read(&attached[i].program->aux->refcnt) == 1)
			drop(&attached[i]);
	for (i = 0; i < ARRAY_SIZE(attached) && attached[i].program; i++)
		;
	if (i == ARRAY_SIZE(attached))
		return -ENOSPC;
	program = make_program(i);
	if (IS_ERR(program))
		return PTR_ERR(program);
	program->aux->dev_bound = how & KUNIT_XDP_BOUND;
	program->aux->xdp_has_frags = how & KUNIT_XDP_FRAGMENTS;
	attached[i] = (struct attached){program, function, context};
	/* The netdev gets a reference of its own; ours is to see that it is given back. */
	bpf_prog_inc(program);
	error = set_program(netdev, program);
	if (error) {
		bpf_prog_put(program);
		drop(&attached[i]);
	}
	return error;
}

int kunit_xdp_detach(struct net_device *netdev)
{
	return set_program(netdev, NULL);
}

u32 kunit_xdp_programs(void)
{
	u32 left = 0;

	for (u32 i = 0; i < ARRAY_SIZE(attached); i++) {
		if (!attached[i].program)
			continue;
		left += atomic64_read(&attached[i].program->aux->refcnt) - 1;
		drop(&attached[i]);
	}
	return left;
}
