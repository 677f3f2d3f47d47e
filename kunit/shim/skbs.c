// SPDX-License-Identifier: GPL-2.0
/* Peculiar skbs: skbs.h. */

#include <linux/atomic.h>
#include <linux/skbuff.h>

#include "kunit/shim/cases.h"
#include "kunit/shim/skbs.h"

#define LOG_ENTRIES 8192

static u32 ended[LOG_ENTRIES];
static atomic_t ended_count;

bool kunit_skb_add_fragment(struct sk_buff *skb, const u8 *bytes, u32 length)
{
	struct page *page;

	if (length > PAGE_SIZE || skb_shinfo(skb)->nr_frags == MAX_SKB_FRAGS)
		return false;
	page = alloc_page(GFP_KERNEL);
	if (!page)
		return false;
	memcpy(page_address(page), bytes, length);
	skb_add_rx_frag(skb, skb_shinfo(skb)->nr_frags, page, 0, length, PAGE_SIZE);
	return true;
}

void kunit_skb_add_list(struct sk_buff *skb, struct sk_buff *part)
{
	struct sk_buff **end = &skb_shinfo(skb)->frag_list;

	while (*end)
		end = &(*end)->next;
	*end = part;
	skb->len += part->len;
	skb->data_len += part->len;
	skb->truesize += part->truesize;
}

void kunit_skb_hold(struct sk_buff *skb)
{
	skb_get(skb);
}

u32 kunit_skb_references(const struct sk_buff *skb)
{
	return refcount_read(&skb->users);
}

void kunit_skb_make_gso(struct sk_buff *skb, u32 size, u32 segments)
{
	skb_shinfo(skb)->gso_size = size;
	skb_shinfo(skb)->gso_segs = segments;
	skb_shinfo(skb)->gso_type =
		skb->protocol == htons(ETH_P_IPV6) ? SKB_GSO_TCPV6 : SKB_GSO_TCPV4;
}

void kunit_skb_log_begin(void)
{
	atomic_set(&ended_count, 0);
}

static void note_end(struct sk_buff *skb)
{
	u32 index = atomic_inc_return(&ended_count) - 1;

	if (index < LOG_ENTRIES)
		WRITE_ONCE(ended[index], skb->mark);
	else if (index == LOG_ENTRIES)
		kunit_fail(__FILE__, __LINE__, "the log of skbs is full");
}

void kunit_skb_log(struct sk_buff *skb, u32 number)
{
	skb->mark = number;
	skb->destructor = note_end;
}

u32 kunit_skb_log_count(void)
{
	return atomic_read(&ended_count);
}

u32 kunit_skb_log_entry(u32 index)
{
	return index < min_t(u32, LOG_ENTRIES, atomic_read(&ended_count)) ? READ_ONCE(ended[index])
									  : ~0u;
}
