// SPDX-License-Identifier: GPL-2.0
// A port's counters, as ethtool and ip show them. Names that the distribution's driver has too mean
// the same.
#include "port/port.h"
#include "shim/sync.h"

namespace mana::port {

namespace {

template <typename Statistics>
struct Column {
  const char* name;
  kern::Counter Statistics::* counter;
};

// After "rx_<queue>_".
constexpr Column<RxStatistics> kRxColumns[] = {
    {"packets", &RxStatistics::packets},
    {"bytes", &RxStatistics::bytes},
    {"xdp_drop", &RxStatistics::xdp_drop},
    {"xdp_tx", &RxStatistics::xdp_tx},
    {"xdp_redirect", &RxStatistics::xdp_redirect},
    {"no_buffer", &RxStatistics::no_buffer},
    {"no_skb", &RxStatistics::no_skb},
    {"bad_length", &RxStatistics::bad_length},
    {"truncated", &RxStatistics::truncated},
    {"csum_unnecessary", &RxStatistics::csum_unnecessary},
    {"csum_none", &RxStatistics::csum_none},
    {"csum_bad", &RxStatistics::csum_bad},
    {"pool_buffers", &RxStatistics::pool_buffers},
    {"shared_cqe", &RxStatistics::shared_cqe},
};
// Then what the driver knows of the page pool, in pages.
constexpr const char* kPoolColumns[] = {"pool_pages_taken", "pool_pages_released", "pool_pages"};

// Sums over all pools, with the names that the kernel gives them; only if it counts.
struct PoolColumn {
  const char* name;
  u64 shim_page_pool_stats::* counter;
};
constexpr PoolColumn kPoolSums[] = {
    {"rx_pp_alloc_fast", &shim_page_pool_stats::alloc_fast},
    {"rx_pp_alloc_slow", &shim_page_pool_stats::alloc_slow},
    {"rx_pp_alloc_slow_ho", &shim_page_pool_stats::alloc_slow_high_order},
    {"rx_pp_alloc_empty", &shim_page_pool_stats::alloc_empty},
    {"rx_pp_alloc_refill", &shim_page_pool_stats::alloc_refill},
    {"rx_pp_alloc_waive", &shim_page_pool_stats::alloc_waive},
    {"rx_pp_recycle_cached", &shim_page_pool_stats::recycle_cached},
    {"rx_pp_recycle_cache_full", &shim_page_pool_stats::recycle_cache_full},
    {"rx_pp_recycle_ring", &shim_page_pool_stats::recycle_ring},
    {"rx_pp_recycle_ring_full", &shim_page_pool_stats::recycle_ring_full},
    {"rx_pp_recycle_released_ref", &shim_page_pool_stats::recycle_released_refcnt},
};

// After "tx_<queue>_".
constexpr Column<TxStatistics> kTxColumns[] = {
    {"packets", &TxStatistics::packets},
    {"bytes", &TxStatistics::bytes},
    {"xdp_xmit", &TxStatistics::xdp_xmit},
    {"tso_packets", &TxStatistics::tso_packets},
    {"tso_bytes", &TxStatistics::tso_bytes},
    {"tso_segments", &TxStatistics::tso_segments},
    {"long_pkt_fmt", &TxStatistics::long_format},
    {"short_pkt_fmt", &TxStatistics::short_format},
    {"csum_partial", &TxStatistics::checksum_partial},
    {"mana_map_err", &TxStatistics::map_errors},
    {"dropped", &TxStatistics::dropped},
    {"linearized", &TxStatistics::linearized},
    {"stop", &TxStatistics::stop_queue},
    {"wake", &TxStatistics::wake_queue},
    {"cqe_err", &TxStatistics::completion_errors},
};

// Sums over all queues.
constexpr Column<TxStatistics> kTxSums[] = {
    {"stop_queue", &TxStatistics::stop_queue},
    {"wake_queue", &TxStatistics::wake_queue},
    {"tx_cq_err", &TxStatistics::completion_errors},
    {"tx_cqe_unknown_type", &TxStatistics::unknown_type},
    {"tx_cqe_misdirected", &TxStatistics::misdirected},
};
constexpr Column<RxStatistics> kRxSums[] = {
    {"rx_coalesced_err", &RxStatistics::coalesced},
    {"rx_cqe_unknown_type", &RxStatistics::unknown_type},
    {"rx_cqe_misdirected", &RxStatistics::misdirected},
};
constexpr const char* kPortColumns[] = {"queue_recoveries", "tx_timeouts"};

// Of the whole function, from the device, in the order of wire::GfCounters.
constexpr const char* kDeviceColumns[] = {
    "hc_rx_discards_no_wqe",
    "hc_rx_err_vport_disabled",
    "hc_rx_bytes",
    "hc_rx_ucast_pkts",
    "hc_rx_ucast_bytes",
    "hc_rx_bcast_pkts",
    "hc_rx_bcast_bytes",
    "hc_rx_mcast_pkts",
    "hc_rx_mcast_bytes",
    "hc_tx_err_gf_disabled",
    "hc_tx_err_vport_disabled",
    "hc_tx_err_inval_vportoffset_pkt",
    "hc_tx_err_vlan_enforcement",
    "hc_tx_err_eth_type_enforcement",
    "hc_tx_err_sa_enforcement",
    "hc_tx_err_sqpdid_enforcement",
    "hc_tx_err_cqpdid_enforcement",
    "hc_tx_err_mtu_violation",
    "hc_tx_err_inval_oob",
    "hc_tx_bytes",
    "hc_tx_ucast_pkts",
    "hc_tx_ucast_bytes",
    "hc_tx_bcast_pkts",
    "hc_tx_bcast_bytes",
    "hc_tx_mcast_pkts",
    "hc_tx_mcast_bytes",
    "hc_tx_err_gdma",
};
static_assert(sizeof(kDeviceColumns) / sizeof(kDeviceColumns[0]) == wire::kGfCounterBits);

template <typename T, size_t N>
constexpr u32 length(const T (&)[N]) {
  return N;
}

template <typename Statistics>
u64 sum(const kern::Array<Statistics>& queues, kern::Counter Statistics::* counter) {
  u64 total = 0;
  for (const Statistics& queue : queues)
    total += (queue.*counter).get();
  return total;
}

}  // namespace

void Port::get_stats(shim_link_stats& stats) {
  stats.rx_packets = sum(rx_statistics_, &RxStatistics::packets);
  stats.rx_bytes = sum(rx_statistics_, &RxStatistics::bytes);
  stats.rx_length_errors = sum(rx_statistics_, &RxStatistics::truncated) +
                           sum(rx_statistics_, &RxStatistics::bad_length);
  stats.rx_errors = stats.rx_length_errors;
  stats.rx_dropped =
      sum(rx_statistics_, &RxStatistics::no_buffer) + sum(rx_statistics_, &RxStatistics::no_skb);
  stats.rx_missed = rx_missed();
  stats.tx_packets = sum(tx_statistics_, &TxStatistics::packets);
  stats.tx_bytes = sum(tx_statistics_, &TxStatistics::bytes);
  stats.tx_dropped = sum(tx_statistics_, &TxStatistics::dropped);
  stats.tx_errors = sum(tx_statistics_, &TxStatistics::completion_errors) +
                    sum(tx_statistics_, &TxStatistics::unknown_type);
}

// What the device dropped for want of a receive buffer. It counts for the whole function: the
// number is this port's only if there is no other. It is asked for in the background and in
// arrears, because this may be atomic context and a command sleeps.
u64 Port::rx_missed() {
  constexpr u64 kPauseMs = 1'000;
  if (context_.config.vports != 1)
    return 0;
  const u64 now = shim_now_ms();
  if (now - device_counters_asked_.load() >= kPauseMs && !lost_.load()) {
    device_counters_asked_.store(now);
    device_counters_work_.queue();
  }
  return rx_missed_.load();
}

// Optional for the device: if it cannot tell, what it said last stands.
void Port::update_device_counters() {
  if (lost_.load())
    return;
  if (auto answer = hwc::query_gf_counters(context_.device))
    device_counters_.update(*answer);
  rx_missed_.store(device_counters_.totals().rx_discards_no_wqe);
}

void Port::refresh_device_counters() {
  shim_rtnl_lock();
  update_device_counters();
  shim_rtnl_unlock();
}

u32 Port::stat_count() const {
  const u32 per_queue = length(kRxColumns) + length(kPoolColumns) + length(kTxColumns);
  return length(kTxSums) + length(kRxSums) + length(kPortColumns) + length(kDeviceColumns) +
         (shim_page_pool_counts() ? length(kPoolSums) : 0) + per_queue * settings_.channels;
}

void Port::stat_names(u8* names) const {
  for (const auto& column : kTxSums)
    shim_stat_name(&names, "%s", column.name);
  for (const auto& column : kRxSums)
    shim_stat_name(&names, "%s", column.name);
  for (const char* name : kPortColumns)
    shim_stat_name(&names, "%s", name);
  for (const char* name : kDeviceColumns)
    shim_stat_name(&names, "%s", name);
  if (shim_page_pool_counts())
    for (const auto& column : kPoolSums)
      shim_stat_name(&names, "%s", column.name);
  for (u32 queue = 0; queue < settings_.channels; queue++) {
    for (const auto& column : kRxColumns)
      shim_stat_name(&names, "rx_%u_%s", queue, column.name);
    for (const char* name : kPoolColumns)
      shim_stat_name(&names, "rx_%u_%s", queue, name);
  }
  for (u32 queue = 0; queue < settings_.channels; queue++)
    for (const auto& column : kTxColumns)
      shim_stat_name(&names, "tx_%u_%s", queue, column.name);
}

shim_page_pool_stats Port::pool_stats() const {
  shim_page_pool_stats total{};
  for (const RxStatistics& queue : rx_statistics_)
    for (const auto& column : kPoolSums)
      total.*column.counter += queue.past_pools.*column.counter;
  for (const auto& channel : active_)
    channel->rx().pool().add_stats(total);
  return total;
}

void Port::stat_values(u64* values) {
  for (const auto& column : kTxSums)
    *values++ = sum(tx_statistics_, column.counter);
  for (const auto& column : kRxSums)
    *values++ = sum(rx_statistics_, column.counter);
  *values++ = recoveries_.get();
  *values++ = tx_timeouts_.get();

  update_device_counters();
  copy_bytes(values, &device_counters_.totals(), sizeof(wire::GfCounters));
  values += wire::kGfCounterBits;

  if (shim_page_pool_counts()) {
    const shim_page_pool_stats pools = pool_stats();
    for (const auto& column : kPoolSums)
      *values++ = pools.*column.counter;
  }

  for (u32 queue = 0; queue < settings_.channels; queue++) {
    const RxStatistics& rx = rx_statistics_[queue];
    for (const auto& column : kRxColumns)
      *values++ = (rx.*column.counter).get();
    u32 taken = 0;
    u32 released = 0;
    if (queue < active_.size()) {
      // Released before taken: what is released was taken.
      released = active_[queue]->rx().pool().pages_released();
      taken = active_[queue]->rx().pool().pages_taken();
    }
    *values++ = rx.past_pool_pages.get() + taken;
    *values++ = rx.past_pool_pages.get() + released;
    *values++ = taken - released;
  }
  for (u32 queue = 0; queue < settings_.channels; queue++)
    for (const auto& column : kTxColumns)
      *values++ = (tx_statistics_[queue].*column.counter).get();
}

}  // namespace mana::port
