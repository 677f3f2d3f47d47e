// SPDX-License-Identifier: GPL-2.0
/*
 * XDP programs: stack.h. To the kernel this is a BPF program, translated and run as any other; all
 * it does is to call a function of ours, where a real one would call a helper of the kernel's.
 */

#include <linux/bpf.h>
#include <linux/filter.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <net/xdp.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/stack.h"

static kunit_xdp_program the_program;
static void *the_context;
static atomic_t runs_now;
static struct bpf_prog *attached[8]; /* each with a reference of ours */

static u64 run_program(struct xdp_buff *buffer)
{
	struct kunit_xdp xdp = {
		.data = buffer->data,
		.length = buffer->data_end - buffer->data,
		.headroom = buffer->data - buffer->data_hard_start,
		.tailroom = xdp_data_hard_end(buffer) - buffer->data_end,
		.frame_size = buffer->frame_sz,
		.queue = buffer->rxq->queue_index,
	};
	kunit_xdp_program program = READ_ONCE(the_program);
	int head = 0, tail = 0, target = 0;
	enum shim_xdp_action action;
	u32 metadata = 0;

	if (!program)
		return XDP_ABORTED;
	atomic_inc(&runs_now);
	action = program(READ_ONCE(the_context), &xdp, &head, &tail, &metadata, &target);
	atomic_dec(&runs_now);

	/* As bpf_xdp_adjust_head(), _tail() and _meta() would. */
	buffer->data += head;
	buffer->data_end += tail;
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

static struct bpf_prog *make_program(void)
{
	/* The argument, the context, is where the function wants it: in the first register. */
	struct bpf_insn code[] = {
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

int kunit_xdp_attach(struct net_device *netdev, kunit_xdp_program function, void *context)
{
	struct bpf_prog *program = make_program();
	int error;
	u32 i = 0;

	if (IS_ERR(program))
		return PTR_ERR(program);
	while (i < ARRAY_SIZE(attached) && attached[i])
		i++;
	if (i == ARRAY_SIZE(attached)) {
		bpf_prog_put(program);
		return -ENOSPC;
	}
	WRITE_ONCE(the_context, context);
	WRITE_ONCE(the_program, function);
	/* The netdev gets a reference of its own; ours is to see that it is given back. */
	bpf_prog_inc(program);
	error = set_program(netdev, program);
	if (error) {
		bpf_prog_put(program);
		bpf_prog_put(program);
		return error;
	}
	attached[i] = program;
	return 0;
}

int kunit_xdp_detach(struct net_device *netdev)
{
	return set_program(netdev, NULL);
}

u32 kunit_xdp_programs(void)
{
	u32 left = 0;

	for (u32 i = 0; i < ARRAY_SIZE(attached); i++) {
		if (!attached[i])
			continue;
		left += atomic64_read(&attached[i]->aux->refcnt) - 1;
		bpf_prog_put(attached[i]);
		attached[i] = NULL;
	}
	return left;
}
