/* SPDX-License-Identifier: GPL-2.0 */
/* XDP programs, buffers and frames. In the NAPI poll unless said. */
#ifndef SHIM_XDP_H
#define SHIM_XDP_H

#include "shim/types.h"

SHIM_BEGIN

/* Storage for the kernel's struct xdp_buff. */
struct shim_xdp_buff {
	unsigned long storage[10];
};

/* What a program decided; values of enum xdp_action. */
enum shim_xdp_action {
	SHIM_XDP_ABORTED = 0,
	SHIM_XDP_DROP = 1,
	SHIM_XDP_PASS = 2,
	SHIM_XDP_TX = 3,
	SHIM_XDP_REDIRECT = 4,
};

/* Registers a queue with the page-pool memory model; NULL or *error on failure. Process context.
 * The registration holds its own reference to the pool until destroy(). `frag_size`: bytes of the
 * buffers behind the first that a program may use, 0: none. */
struct xdp_rxq_info *shim_xdp_rxq_create(struct net_device *netdev, u32 queue,
					 struct napi_struct *napi, struct page_pool *pool,
					 u32 frag_size, int *error);
void shim_xdp_rxq_destroy(struct xdp_rxq_info *rxq);

/* init(): once for many frames of one queue, in buffers of `frame_size` bytes. prepare(): the next
 * frame, at [headroom, headroom + length) of the buffer at `memory`. */
void shim_xdp_init(struct shim_xdp_buff *xdp, struct xdp_rxq_info *rxq, u32 frame_size);
void shim_xdp_prepare(struct shim_xdp_buff *xdp, void *memory, u32 headroom, u32 length);

/* Runs a program; unknown actions are reported and come back as SHIM_XDP_ABORTED. */
enum shim_xdp_action shim_xdp_run(struct bpf_prog *program, struct shim_xdp_buff *xdp,
				  struct net_device *netdev);

/* Frames in several buffers, whose list is in the first, behind the data. add_frag(): the first
 * `length` bytes of a page. frags(): how many there are now; a program may have given some back. */
void shim_xdp_clear_frags(struct shim_xdp_buff *xdp);
void shim_xdp_add_frag(struct shim_xdp_buff *xdp, struct page *page, u32 length);
u32 shim_xdp_frags(const struct shim_xdp_buff *xdp);
/* The frags become those of an skb that was just built over the first buffer. */
void shim_xdp_give_frags(const struct shim_xdp_buff *xdp, struct sk_buff *skb, u32 frags);
/* All buffers go back to their pool. */
void shim_xdp_return(struct shim_xdp_buff *xdp);
/* The frame, at the start of its own buffer; NULL if there is no room for it. */
struct xdp_frame *shim_xdp_to_frame(struct shim_xdp_buff *xdp);
/* Whether a program says that it takes such frames. */
bool shim_bpf_takes_frags(const struct bpf_prog *program);

/* Programs that were loaded for this netdev alone may ask for hints: what the device says about the
 * frame. set_hints(): of the frame that is run next; *completion lives as long as the run. */
bool shim_bpf_reads_hints(const struct bpf_prog *program);
void shim_xdp_set_hints(struct shim_xdp_buff *xdp, const struct mana_rx_completion *completion);

/* What a hash hint was computed of; bits of enum xdp_rss_hash_type. */
enum shim_hash_kind {
	SHIM_HASH_IPV4 = 1 << 0,
	SHIM_HASH_IPV6 = 1 << 1,
	SHIM_HASH_EXTENSIONS = 1 << 2,
	SHIM_HASH_L4 = 1 << 3,
	SHIM_HASH_TCP = 1 << 4,
	SHIM_HASH_UDP = 1 << 5,
};

/* Where the program left the frame: bytes from the buffer's start, length, metadata length. */
void shim_xdp_result(const struct shim_xdp_buff *xdp, u32 *headroom, u32 *length, u32 *metadata);

/* 0: the frame belongs to the redirect target; else it is still the caller's. */
int shim_xdp_redirect(struct net_device *netdev, struct shim_xdp_buff *xdp,
		      struct bpf_prog *program);
/* Once before the poll ends, if anything was redirected. */
void shim_xdp_flush(void);

/* Reports a failed XDP_TX or XDP_REDIRECT (tracepoint). */
void shim_xdp_exception(struct net_device *netdev, struct bpf_prog *program,
			enum shim_xdp_action action);

const void *shim_xdp_frame_data(const struct xdp_frame *frame);
u32 shim_xdp_frame_length(const struct xdp_frame *frame); /* in the first buffer */
bool shim_xdp_frame_has_frags(const struct xdp_frame *frame);
u32 shim_xdp_frame_frags(const struct xdp_frame *frame);
const void *shim_xdp_frame_frag(const struct xdp_frame *frame, u32 index, u32 *length);

/* Gives a frame's memory back to where it came from. Any context. */
void shim_xdp_frame_return(struct xdp_frame *frame);

/* The same for many, in softirq context: begin() and end() enclose the returns and nothing that
 * sleeps. */
struct shim_xdp_bulk {
	unsigned long storage[18];
};
void shim_xdp_bulk_begin(struct shim_xdp_bulk *bulk);
void shim_xdp_bulk_return(struct shim_xdp_bulk *bulk, struct xdp_frame *frame);
void shim_xdp_bulk_end(struct shim_xdp_bulk *bulk);

/* Lets programs ask for hints. Before the netdev is registered. */
void shim_set_xdp_hints(struct net_device *netdev);

/* Drops the reference to a program that was attached; NULL is allowed. Under RTNL. */
void shim_bpf_put(struct bpf_prog *program);

SHIM_END

#endif
