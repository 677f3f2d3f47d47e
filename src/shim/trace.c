// SPDX-License-Identifier: GPL-2.0
/* Tracepoints: include/shim/trace.h. */

#include <linux/device.h>
#include <linux/netdevice.h>

#define CREATE_TRACE_POINTS
#include "trace_events.h"

#include "shim/trace.h"

void shim_trace_hwc_request(struct device *dev, u32 command, const char *name, u32 activity,
			    u32 bytes)
{
	trace_mana_hwc_request(dev, command, name, activity, bytes);
}

void shim_trace_hwc_response(struct device *dev, u32 command, const char *name, u32 activity,
			     int error, u32 status, u64 microseconds)
{
	trace_mana_hwc_response(dev, command, name, activity, error, status, microseconds);
}

void shim_trace_event(struct device *dev, u32 eq, u32 type, u32 value)
{
	trace_mana_event(dev, eq, type, value);
}

void shim_trace_rx_refill(const struct net_device *netdev, u32 queue, u32 posted, u32 producer,
			  u32 consumer)
{
	trace_mana_rx_refill(netdev, queue, posted, producer, consumer);
}

void shim_trace_tx_stop(const struct netdev_queue *txq, u32 available)
{
	trace_mana_tx_stop(txq, available);
}

void shim_trace_tx_wake(const struct netdev_queue *txq, u32 available)
{
	trace_mana_tx_wake(txq, available);
}

void shim_trace_recovery_request(const struct net_device *netdev)
{
	trace_mana_recovery_request(netdev);
}

void shim_trace_recovery_done(const struct net_device *netdev, u32 attempt, int error)
{
	trace_mana_recovery_done(netdev, attempt, error);
}

void shim_trace_function(struct device *dev, const char *step, int error)
{
	trace_mana_function(dev, step, error);
}
