/* SPDX-License-Identifier: GPL-2.0 */
/* Network devices: life, carrier, queues. Callbacks of the stack are in entry.h. */
#ifndef SHIM_NETDEV_H
#define SHIM_NETDEV_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_netdev_config {
	struct pci_dev *pdev;
	struct mana_port *port; /* what the callbacks are given */
	u32 index;              /* of the port, for dev_port */
	u32 max_queues;
	u32 min_mtu;
	u32 max_mtu;
	u8 mac[6];
};

/* A netdev that is not registered; NULL without memory. Process context. */
struct net_device *shim_netdev_create(const struct shim_netdev_config *config);
void shim_netdev_destroy(struct net_device *netdev);

/* Process context, takes RTNL. After unregister() no callback runs any more. */
int shim_netdev_register(struct net_device *netdev);
void shim_netdev_unregister(struct net_device *netdev);

const char *shim_netdev_name(const struct net_device *netdev);
bool shim_netdev_running(const struct net_device *netdev); /* administratively up */
void shim_netdev_set_mtu(struct net_device *netdev, u32 mtu); /* under RTNL */

/* Under RTNL. 0 or a negative errno. */
int shim_netdev_set_queues(struct net_device *netdev, u32 count);

/* Lets the stack offer XDP_REDIRECT into this netdev, or not. Under RTNL. */
void shim_netdev_set_redirect_target(struct net_device *netdev, bool on);

/* Says that XDP programs may be given frames in several buffers, or not. Under RTNL. */
void shim_netdev_set_rx_frags(struct net_device *netdev, bool on);

/* Tells the stack that the hardware is away, or back. Under RTNL. */
void shim_netdev_detach(struct net_device *netdev);
void shim_netdev_attach(struct net_device *netdev);

/* What the device says about itself, again. Under RTNL, while detached. */
void shim_netdev_set_limits(struct net_device *netdev, u32 max_mtu, const u8 mac[6]);

void shim_netdev_carrier_on(struct net_device *netdev);
void shim_netdev_carrier_off(struct net_device *netdev);

/* RTNL, for work that is not called by the stack. */
void shim_rtnl_lock(void);
bool shim_rtnl_lock_killable(void); /* false: the caller shall die, and does not have it */
void shim_rtnl_unlock(void);

/* Waits until no softirq that started before uses what was unpublished. Process context. */
void shim_synchronize_net(void);

/* What the user switched on (ethtool -K). Any context. */
bool shim_netdev_rx_checksum(const struct net_device *netdev);
bool shim_netdev_rx_hash(const struct net_device *netdev);

/* --- transmit queues --- */

struct netdev_queue *shim_txq(struct net_device *netdev, u32 index);

/* Lets the stack use the queues, or not. disable() waits for a running transmit. */
void shim_netdev_tx_start(struct net_device *netdev);
void shim_netdev_tx_disable(struct net_device *netdev);

/* Byte queue limits. sent() returns whether the doorbell has to be rung now; more: the stack has
 * another packet at hand. */
bool shim_txq_sent(struct netdev_queue *txq, u32 bytes, bool more);
void shim_txq_completed(struct netdev_queue *txq, u32 packets, u32 bytes);
void shim_txq_reset(struct netdev_queue *txq);
bool shim_xmit_more(void);

/* Stop and wake. Both have the barrier that pairs them: stop, then look again; free, then wake. */
void shim_txq_stop(struct netdev_queue *txq);
void shim_txq_start(struct netdev_queue *txq);
bool shim_txq_wake_if_stopped(struct netdev_queue *txq);
bool shim_txq_stopped(const struct netdev_queue *txq);

/* The stack's lock of a queue, for frames that do not come from the stack. Softirq context. */
void shim_txq_lock(struct netdev_queue *txq);
void shim_txq_unlock(struct netdev_queue *txq);
void shim_txq_touch(struct netdev_queue *txq); /* not hung: resets the watchdog's clock */

/* The number of the CPU that runs this. Preemption off. */
u32 shim_this_cpu(void);

/* A sentence for the person who asked for what is refused (extended ack); NULL is allowed. The
 * sentence must live as long as the module. */
void shim_refuse(struct netlink_ext_ack *ack, const char *sentence);

SHIM_END

#endif
