/* SPDX-License-Identifier: GPL-2.0 */
/* Peculiar skbs, beyond what kunit_skb() makes, and what becomes of an skb. Process context. */
#ifndef KUNIT_SKBS_H
#define KUNIT_SKBS_H

#include "shim/types.h"

SHIM_BEGIN

/* One more fragment, of no bytes if need be. False without memory or room. */
bool kunit_skb_add_fragment(struct sk_buff *skb, const u8 *bytes, u32 length);
/* `part` becomes the end of skb's list of further skbs, and goes with it. */
void kunit_skb_add_list(struct sk_buff *skb, struct sk_buff *part);

/* One more reference; kunit_skb_free() drops one. */
void kunit_skb_hold(struct sk_buff *skb);
u32 kunit_skb_references(const struct sk_buff *skb);

/* Makes it a segmentation packet whatever its content, of `segments` packets. */
void kunit_skb_make_gso(struct sk_buff *skb, u32 size, u32 segments);

/* A log of the ends of skbs: begin() empties it. Each skb under its number, in order. */
void kunit_skb_log_begin(void);
void kunit_skb_log(struct sk_buff *skb, u32 number);
u32 kunit_skb_log_count(void);
u32 kunit_skb_log_entry(u32 index); /* the number of the index-th to end; ~0 if none has */

SHIM_END

#endif
