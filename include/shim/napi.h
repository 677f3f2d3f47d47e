/* SPDX-License-Identifier: GPL-2.0 */
/* NAPI contexts; a poll calls mana_channel_poll() of entry.h with the channel. */
#ifndef SHIM_NAPI_H
#define SHIM_NAPI_H

#include "shim/types.h"

SHIM_BEGIN

/* Adds a disabled NAPI to a netdev; NULL without memory. Process context. The caller owns it until
 * destroy(), which wants it disabled. */
struct napi_struct *shim_napi_create(struct net_device *netdev, struct mana_channel *channel);
void shim_napi_destroy(struct napi_struct *napi);

/* Tells the stack which queue and interrupt the NAPI serves (netdev-genl). Under RTNL. */
void shim_napi_link(struct napi_struct *napi, u32 queue, int irq);
void shim_napi_unlink(struct napi_struct *napi, u32 queue);

/* Process context; disable() waits for a poll to end. */
void shim_napi_enable(struct napi_struct *napi);
void shim_napi_disable(struct napi_struct *napi);

/* From a hard interrupt. */
void shim_napi_schedule_irq(struct napi_struct *napi);

/* From process context. */
void shim_napi_schedule(struct napi_struct *napi);

/* From the poll, with less work done than the budget. True if the queues shall be armed. */
bool shim_napi_complete(struct napi_struct *napi, int work_done);

void shim_napi_receive(struct napi_struct *napi, struct sk_buff *skb);

SHIM_END

#endif
