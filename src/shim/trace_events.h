/* SPDX-License-Identifier: GPL-2.0 */
/* What the events of group "mana" hold and how they look as text. Read several times by trace.c. */
/* clang-format off */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mana

#if !defined(SHIM_TRACE_EVENTS_H) || defined(TRACE_HEADER_MULTI_READ)
#define SHIM_TRACE_EVENTS_H

#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/tracepoint.h>

#define mana_event_types                                                                           \
	{ 3, "completion" }, { 64, "test" }, { 129, "hwc_eq_id_doorbell" },                        \
	{ 130, "hwc_init_data" }, { 131, "hwc_init_done" }, { 132, "fpga_reconfiguration" },       \
	{ 133, "reconfiguration_data" }, { 134, "soc_service" }, { 135, "vf_reset_request" },      \
	{ 176, "rnic_qp_fatal" }

TRACE_EVENT(mana_hwc_request,
	TP_PROTO(struct device *dev, u32 command, const char *name, u32 activity, u32 bytes),
	TP_ARGS(dev, command, name, activity, bytes),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(name, name)
		__field(u32, command)
		__field(u32, activity)
		__field(u32, bytes)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__entry->command = command;
		__entry->activity = activity;
		__entry->bytes = bytes;
	),
	TP_printk("%s command=%s (0x%x) activity=%u bytes=%u", __get_str(dev), __get_str(name),
		  __entry->command, __entry->activity, __entry->bytes)
);

TRACE_EVENT(mana_hwc_response,
	TP_PROTO(struct device *dev, u32 command, const char *name, u32 activity, int error,
		 u32 status, u64 microseconds),
	TP_ARGS(dev, command, name, activity, error, status, microseconds),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(name, name)
		__field(u32, command)
		__field(u32, activity)
		__field(int, error)
		__field(u32, status)
		__field(u64, microseconds)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(name);
		__entry->command = command;
		__entry->activity = activity;
		__entry->error = error;
		__entry->status = status;
		__entry->microseconds = microseconds;
	),
	TP_printk("%s command=%s (0x%x) activity=%u error=%d status=0x%x us=%llu", __get_str(dev),
		  __get_str(name), __entry->command, __entry->activity, __entry->error,
		  __entry->status, __entry->microseconds)
);

TRACE_EVENT(mana_event,
	TP_PROTO(struct device *dev, u32 eq, u32 type, u32 value),
	TP_ARGS(dev, eq, type, value),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__field(u32, eq)
		__field(u32, type)
		__field(u32, value)
	),
	TP_fast_assign(
		__assign_str(dev);
		__entry->eq = eq;
		__entry->type = type;
		__entry->value = value;
	),
	TP_printk("%s eq=%u type=%s (%u) value=0x%x", __get_str(dev), __entry->eq,
		  __print_symbolic(__entry->type, mana_event_types), __entry->type, __entry->value)
);

TRACE_EVENT(mana_rx_refill,
	TP_PROTO(const struct net_device *netdev, u32 queue, u32 posted, u32 producer,
		 u32 consumer),
	TP_ARGS(netdev, queue, posted, producer, consumer),
	TP_STRUCT__entry(
		__string(netdev, netdev->name)
		__field(u32, queue)
		__field(u32, posted)
		__field(u32, producer)
		__field(u32, consumer)
	),
	TP_fast_assign(
		__assign_str(netdev);
		__entry->queue = queue;
		__entry->posted = posted;
		__entry->producer = producer;
		__entry->consumer = consumer;
	),
	TP_printk("%s queue=%u posted=%u producer=%u consumer=%u", __get_str(netdev),
		  __entry->queue, __entry->posted, __entry->producer, __entry->consumer)
);

DECLARE_EVENT_CLASS(mana_txq,
	TP_PROTO(const struct netdev_queue *txq, u32 available),
	TP_ARGS(txq, available),
	TP_STRUCT__entry(
		__string(netdev, txq->dev->name)
		__field(u32, queue)
		__field(u32, available)
	),
	TP_fast_assign(
		__assign_str(netdev);
		__entry->queue = txq - txq->dev->_tx;
		__entry->available = available;
	),
	TP_printk("%s queue=%u available=%u", __get_str(netdev), __entry->queue,
		  __entry->available)
);

DEFINE_EVENT(mana_txq, mana_tx_stop,
	TP_PROTO(const struct netdev_queue *txq, u32 available),
	TP_ARGS(txq, available)
);

DEFINE_EVENT(mana_txq, mana_tx_wake,
	TP_PROTO(const struct netdev_queue *txq, u32 available),
	TP_ARGS(txq, available)
);

TRACE_EVENT(mana_recovery_request,
	TP_PROTO(const struct net_device *netdev),
	TP_ARGS(netdev),
	TP_STRUCT__entry(
		__string(netdev, netdev->name)
	),
	TP_fast_assign(
		__assign_str(netdev);
	),
	TP_printk("%s", __get_str(netdev))
);

TRACE_EVENT(mana_recovery_done,
	TP_PROTO(const struct net_device *netdev, u32 attempt, int error),
	TP_ARGS(netdev, attempt, error),
	TP_STRUCT__entry(
		__string(netdev, netdev->name)
		__field(u32, attempt)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(netdev);
		__entry->attempt = attempt;
		__entry->error = error;
	),
	TP_printk("%s attempt=%u error=%d", __get_str(netdev), __entry->attempt, __entry->error)
);

TRACE_EVENT(mana_function,
	TP_PROTO(struct device *dev, const char *step, int error),
	TP_ARGS(dev, step, error),
	TP_STRUCT__entry(
		__string(dev, dev_name(dev))
		__string(step, step)
		__field(int, error)
	),
	TP_fast_assign(
		__assign_str(dev);
		__assign_str(step);
		__entry->error = error;
	),
	TP_printk("%s step=%s error=%d", __get_str(dev), __get_str(step), __entry->error)
);

#endif

/* Found through "-I include", the only directory of ours that the search path has. */
#undef TRACE_INCLUDE_PATH
#define TRACE_INCLUDE_PATH ../src/shim
#undef TRACE_INCLUDE_FILE
#define TRACE_INCLUDE_FILE trace_events
#include <trace/define_trace.h>
