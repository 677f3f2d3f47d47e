/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What every seam header needs: the kernel's integer names, and the kernel's structures as opaque
 * handles. In C the integers come from the kernel itself: include this after <linux/types.h>.
 */
#ifndef SHIM_TYPES_H
#define SHIM_TYPES_H

#ifdef __cplusplus
#include <stddef.h>
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
#define SHIM_BEGIN extern "C" {
#define SHIM_END }
#else
#define SHIM_BEGIN
#define SHIM_END
#endif

#define SHIM_PRINTF(text, first) __attribute__((__format__(__printf__, text, first)))

/* The kernel's. */
struct bpf_prog;
struct dentry;
struct device;
struct napi_struct;
struct net_device;
struct netdev_queue;
struct netlink_ext_ack;
struct page;
struct page_pool;
struct pci_dev;
struct sk_buff;
struct xdp_frame;
struct xdp_rxq_info;

/* Ours, implemented in C++: the tag is the type, see src/adapter/entry.cc. */
struct mana_adapter;
struct mana_channel;
struct mana_eq;
struct mana_hwc;
struct mana_moderator;
struct mana_port;
struct mana_rx_completion;

#endif
