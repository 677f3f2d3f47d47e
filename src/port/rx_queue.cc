// SPDX-License-Identifier: GPL-2.0
#include "port/rx_queue.h"

#include "shim/log.h"
#include "shim/netdev.h"

namespace mana::port {

Result<void> RxQueue::prepare(::device* dev, int node, net_device* netdev, u32 index,
                              const kern::Napi& napi, RxStatistics& statistics,
                              const RxConfig& config) {
  dev_ = dev;
  netdev_ = netdev;
  index_ = index;
  statistics_ = &statistics;
  geometry_ = config.geometry;
  two_way_ = config.two_way;
  unit_shift_ = geometry_.scattered() ? kScatteredShift : 0;
  rq_ = TRY(gdma::WorkRing::create(dev, config.depth << unit_shift_));
  // One WQE stays free, so that the fence's completion always finds room in a CQ of equal length
  // (D-62).
  cq_ = TRY(gdma::CompletionRing::create(dev, slots()));
  buffers_ = TRY(kern::Array<RxBuffer>::create(slots(), node));
  if (geometry_.scattered())
    tails_ = TRY(kern::Array<RxBuffer>::create(slots() * kMaxTails, node));

  // P1. A shared page is synced whole when it goes back: its other half may be in use. So is a page
  // that may have been a tail.
  const bool whole = geometry_.shares_pages() || geometry_.scattered();
  auto pool = kern::PagePool::create({
      .dev = dev,
      .netdev = netdev,
      .napi = napi.get(),
      .order = geometry_.page_order,
      .size = slots() * (1 + geometry_.tails),
      .node = node,
      .sync_offset = whole ? 0 : geometry_.headroom,
      .sync_length = whole ? shim_page_size() : geometry_.data,
      .bidirectional = two_way_,
  });
  if (!pool) {  // P8
    shim_log_netdev(netdev, SHIM_LOG_ERROR, "queue %u: no page pool (error %d)\n", index,
                    pool.to_errno());
    return pool.error();
  }
  pool_ = mana::move(*pool);

  s32 code = 0;
  rxq_ = shim_xdp_rxq_create(netdev, index, napi.get(), pool_.get(),
                             geometry_.scattered() ? shim_page_size() : 0, &code);  // P7
  if (!rxq_)
    return Result<>::from_errno(code);

  for (u32 slot = 0; slot < slots(); slot++) {
    buffers_[slot] = fill();
    if (!buffers_[slot].memory || !fill_tails(slot))
      return Errno::kNoMemory;
  }
  return {};
}

RxQueue::~RxQueue() {
  // P9, in this order: buffers, then the memory model, then (with the member) the pool itself.
  for (const RxBuffer& buffer : buffers_)
    put(buffer);
  for (const RxBuffer& tail : tails_)
    put(tail);
  for (u32 i = 0; i < reserved_; i++)
    put(reserve_[i]);
  put(spare_);
  empty_stash();
  if (rxq_)
    shim_xdp_rxq_destroy(rxq_);
  count_pool();
}

void RxQueue::put(const RxBuffer& buffer) const {
  if (buffer.memory)
    pool_.put(shim_page_of(buffer.memory));
}

void RxQueue::empty_stash() {
  while (!stash_.empty())
    put(stash_.take());
}

void RxQueue::count_pool() {
  if (!pool_ || !statistics_)
    return;
  statistics_->past_pool_pages.add(pool_.pages_taken());
  pool_.add_stats(statistics_->past_pools);
}

void RxQueue::unlink() {
  if (rxq_)
    shim_xdp_rxq_destroy(mana::exchange(rxq_, nullptr));
  if (pool_)
    shim_page_pool_unlink_napi(pool_.get());
  count_pool();
  statistics_ = nullptr;  // the port's, which may end before the quarantine does
}

Result<void> RxQueue::attach(const hwc::Device& device, u64 vport, u32 parent_eq,
                             const hwc::Moderation* moderation) {
  rq_.reset();
  cq_.reset();
  burst_.clear();
  broken_.store(false);
  device_ = &device;
  doorbell_ = device.doorbell;
  write_wqes();
  auto object = hwc::create_wq_object(device, vport, wire::WqType::kRq, rq_.memory(), cq_.memory(),
                                      parent_eq, moderation);
  if (!object) {
    in_doubt_ = hwc::leaves_doubt(object.error());
    return object.error();
  }
  object_ = *object;
  return {};
}

// Of all slots: what changes afterwards is the address.
void RxQueue::write_wqes() {
  for (u32 slot = 0; slot < slots(); slot++) {
    const u32 position = slot << unit_shift_;
    *reinterpret_cast<wire::WqeHeader*>(rq_.at(position)) = {
        .dw0 = 0,
        .dw1 = wire::WqeHeader::SgeCount::put(1 + geometry_.tails) |
               wire::WqeHeader::OobSizeCode::put(static_cast<u32>(wire::OobSize::k8))};
    rq_.write_sge(position, kSgl, 0, buffers_[slot].data, device_->mkey, geometry_.data);
    for (u32 i = 0; i < geometry_.tails; i++)
      rq_.write_sge(position, kSgl, 1 + i, tails_of(slot)[i].data, device_->mkey, shim_page_size());
  }
}

bool RxQueue::detach() {
  if (!object_.exists())
    return !in_doubt_;
  const bool confirmed = hwc::destroy_wq_object(*device_, wire::WqType::kRq, object_.handle).ok();
  object_ = {};
  return confirmed;
}

}  // namespace mana::port
