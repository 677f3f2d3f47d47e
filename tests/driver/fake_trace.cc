// SPDX-License-Identifier: GPL-2.0
// Tracepoints nobody listens to.
#include "shim/trace.h"

void shim_trace_hwc_request(device*, u32, const char*, u32, u32) {}
void shim_trace_hwc_response(device*, u32, const char*, u32, int, u32, u64) {}
void shim_trace_event(device*, u32, u32, u32) {}
void shim_trace_rx_refill(const net_device*, u32, u32, u32, u32) {}
void shim_trace_tx_stop(const netdev_queue*, u32) {}
void shim_trace_tx_wake(const netdev_queue*, u32) {}
void shim_trace_recovery_request(const net_device*) {}
void shim_trace_recovery_done(const net_device*, u32, int) {}
void shim_trace_function(device*, const char*, int) {}
