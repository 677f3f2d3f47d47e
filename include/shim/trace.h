/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Tracepoints, group "mana". Each function is one event; while nobody listens, it is one
 * no-operation and its arguments are not evaluated further than the call needs. Any context.
 *
 * Texts are copied when the event is recorded.
 */
#ifndef SHIM_TRACE_H
#define SHIM_TRACE_H

#include "shim/types.h"

SHIM_BEGIN

/* A management command is on its way; `name` is that of the code in words. */
void shim_trace_hwc_request(struct device *dev, u32 command, const char *name, u32 activity,
			    u32 bytes);

/* It has ended: `error` is 0 or a negative errno; `status` the device's own, 0 without an answer.
 */
void shim_trace_hwc_response(struct device *dev, u32 command, const char *name, u32 activity,
			     int error, u32 status, u64 microseconds);

/* An entry of an event queue, as it was taken out. */
void shim_trace_event(struct device *dev, u32 eq, u32 type, u32 value);

/* Doorbell of a receive ring: `posted` buffers since the last one; positions in BU, free-running.
 */
void shim_trace_rx_refill(const struct net_device *netdev, u32 queue, u32 posted, u32 producer,
			  u32 consumer);

/* A transmit queue was stopped for lack of room, or woken; `available` BU are free. */
void shim_trace_tx_stop(const struct netdev_queue *txq, u32 available);
void shim_trace_tx_wake(const struct netdev_queue *txq, u32 available);

/* The port's queues shall be recreated, and what became of it; `attempt` counts failures in a row.
 */
void shim_trace_recovery_request(const struct net_device *netdev);
void shim_trace_recovery_done(const struct net_device *netdev, u32 attempt, int error);

/* The function as a whole: suspended, resumed, asked to reset ...; 0 or a negative errno. */
void shim_trace_function(struct device *dev, const char *step, int error);

SHIM_END

#endif
