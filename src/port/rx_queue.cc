// SPDX-License-Identifier: GPL-2.0
#include "port/rx_queue.h"

#include "shim/dma.h"
#include "shim/log.h"
#include "shim/netdev.h"
#include "shim/trace.h"

namespace mana::port {

namespace {

// One packet takes one WQE of one BU: header, unused OOB and a single SGE.
constexpr u32 kWqeUnits = 1;
static_assert(wire::wqe_bytes(wire::OobSize::k8, 1) == kWqeUnits * wire::kBasicUnit);
constexpr u32 kSgl = wire::sgl_offset(wire::OobSize::k8);

}  // namespace

Result<void> RxQueue::prepare(::device* dev, int node, net_device* netdev, u32 index,
                              const kern::Napi& napi, RxStatistics& statistics,
                              const RxConfig& config) {
  dev_ = dev;
  netdev_ = netdev;
  index_ = index;
  statistics_ = &statistics;
  geometry_ = config.geometry;
  xdp_ = config.xdp;
  rq_ = TRY(gdma::WorkRing::create(dev, config.depth));
  // One WQE stays free, so that the fence's completion always finds room in a CQ of equal length
  // (D-62).
  cq_ = TRY(gdma::CompletionRing::create(dev, rq_.units()));
  buffers_ = TRY(kern::Array<RxBuffer>::create(rq_.units(), node));

  // P1. A shared page is synced whole when it goes back: its other half may be in use.
  const bool shared = geometry_.stride < shim_page_size();
  auto pool = kern::PagePool::create({
      .dev = dev,
      .netdev = netdev,
      .napi = napi.get(),
      .order = geometry_.page_order,
      .size = rq_.units(),
      .node = node,
      .sync_offset = shared ? 0 : geometry_.headroom,
      .sync_length = shared ? shim_page_size() : geometry_.data,
      .bidirectional = xdp_,
  });
  if (!pool) {  // P8
    shim_log_netdev(netdev, SHIM_LOG_ERROR, "queue %u: no page pool (error %d)\n", index,
                    pool.to_errno());
    return pool.error();
  }
  pool_ = mana::move(*pool);

  s32 code = 0;
  rxq_ = shim_xdp_rxq_create(netdev, index, napi.get(), pool_.get(), &code);  // P7
  if (!rxq_)
    return Result<>::from_errno(code);

  for (u32 i = 0; i + 1 < rq_.units(); i++)
    if (!allocate(buffers_[i]))
      return Errno::kNoMemory;
  return {};
}

RxQueue::~RxQueue() {
  // P9, in this order: buffers, then the memory model, then (with the member) the pool itself.
  for (const RxBuffer& buffer : buffers_)
    if (buffer.page)
      pool_.put(buffer.page);
  if (rxq_)
    shim_xdp_rxq_destroy(rxq_);
  count_pool();
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

Result<void> RxQueue::attach(const hwc::Device& device, u64 vport, u32 parent_eq) {
  rq_.reset();
  cq_.reset();
  rung_ = 0;
  broken_.store(false);
  device_ = &device;
  doorbell_ = device.doorbell;
  write_wqe_templates();
  auto object = hwc::create_wq_object(device, vport, wire::WqType::kRq, rq_.memory(), cq_.memory(),
                                      parent_eq);
  if (!object) {
    in_doubt_ = hwc::leaves_doubt(object.error());
    return object.error();
  }
  object_ = *object;
  return {};
}

// Everything of a WQE but the address, for all slots: posting stores eight bytes.
void RxQueue::write_wqe_templates() {
  for (u32 slot = 0; slot < rq_.units(); slot++) {
    *reinterpret_cast<wire::WqeHeader*>(rq_.at(slot)) = {
        .dw0 = 0,
        .dw1 = wire::WqeHeader::SgeCount::put(1) |
               wire::WqeHeader::OobSizeCode::put(static_cast<u32>(wire::OobSize::k8))};
    rq_.write_sge(slot, kSgl, 0, 0, device_->mkey, geometry_.data);
  }
}

void RxQueue::post_all() {
  // After a detach() the buffers lie where the ring happened to be; line them up from slot 0.
  u32 filled = 0;
  for (RxBuffer& buffer : buffers_) {
    if (!buffer.page)
      continue;
    const RxBuffer taken = buffer;
    buffer.page = nullptr;
    buffers_[filled++] = taken;
  }
  for (u32 i = 0; i < filled; i++) {
    const RxBuffer buffer = buffers_[i];
    post(buffer);
  }
  shim_trace_rx_refill(netdev_, index_, filled, rq_.producer(), rq_.consumer());
  rung_ = rq_.producer();
  doorbell_.ring_rq(object_.wq_id, rq_.doorbell_tail());
}

bool RxQueue::detach() {
  if (!object_.exists())
    return !in_doubt_;
  const bool confirmed = hwc::destroy_wq_object(*device_, wire::WqType::kRq, object_.handle).ok();
  object_ = {};
  return confirmed;
}

// --- buffers ----------------------------------------------------------------------------------

bool RxQueue::allocate(RxBuffer& buffer) const {
  buffer.page = shim_page_pool_alloc(pool_.get(), &buffer.offset, geometry_.stride);
  return buffer.page != nullptr;
}

void RxQueue::post(const RxBuffer& buffer) {
  const u32 position = rq_.producer();
  buffers_[rq_.index_of(position)] = buffer;
  kern::write_once(*reinterpret_cast<u64*>(rq_.at(position, kSgl)),
                   buffer.dma() + geometry_.headroom);
  rq_.advance(kWqeUnits);
}

// Posts a buffer again of which `bytes` may have been looked at or changed.
void RxQueue::repost(const RxBuffer& buffer, u32 bytes) {
  shim_dma_sync_for_device(dev_, buffer.dma() + geometry_.headroom, bytes, xdp_);
  post(buffer);
}

// --- poll -------------------------------------------------------------------------------------

u32 RxQueue::poll(const kern::Napi& napi, u32 budget, TxQueue& tx) {
  u32 done = 0;
  for (; done < budget; done++) {
    const gdma::SlotState slot = cq_.state();
    if (slot == gdma::SlotState::kEmpty)
      break;
    if (slot == gdma::SlotState::kOverrun) {  // D-39
      broken_.store(true);
      break;
    }
    const RxCompletion completion = RxCompletion::copy(cq_.front());
    cq_.pop();
    if (!completion.belongs_to(object_.wq_id)) {
      statistics_->misdirected.increment();
      broken_.store(true);
      continue;
    }
    switch (completion.type) {
      case wire::RxCqeType::kOk:
      case wire::RxCqeType::kTruncated: handle_packet(napi, completion, tx); break;
      case wire::RxCqeType::kFence: fence_.complete(); break;
      case wire::RxCqeType::kCoalesced4:
      case wire::RxCqeType::kCoalesced8:
        // D-59: never negotiated, so nobody knows how many WQEs this stands for.
        statistics_->coalesced.increment();
        broken_.store(true);
        break;
      default:
        statistics_->unknown_type.increment();
        broken_.store(true);
        break;
    }
  }

  if (mana::exchange(redirected_, false))
    shim_xdp_flush();
  if (staged_count_ != 0)
    send_staged(program_.load_acquire(), tx);
  if (rung_ != rq_.producer()) {
    shim_trace_rx_refill(netdev_, index_, rq_.producer() - rung_, rq_.producer(), rq_.consumer());
    rung_ = rq_.producer();
    doorbell_.ring_rq(object_.wq_id, rq_.doorbell_tail());
  }
  if (cq_.acknowledgement_due()) {  // D-31
    cq_.acknowledge();
    doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), false);
  }
  return done;
}

void RxQueue::arm() {
  // D-39: an overrun CQ would only be announced again at once, and again.
  if (cq_.state() == gdma::SlotState::kOverrun)
    return;
  cq_.arm();
  doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), true);
}

void RxQueue::handle_packet(const kern::Napi& napi, const RxCompletion& completion, TxQueue& tx) {
  // WQEs are consumed in ring order; where the completion thinks it was does not matter.
  RxBuffer& slot = buffers_[rq_.index_of(rq_.consumer())];
  if (!rq_.retire(kWqeUnits)) {
    statistics_->misdirected.increment();
    broken_.store(true);
    return;
  }
  const RxBuffer buffer = slot;
  slot.page = nullptr;

  // D-58: one completion, one WQE, whatever else is wrong with it.
  if (completion.type == wire::RxCqeType::kTruncated) [[unlikely]] {
    statistics_->truncated.increment();
    repost(buffer, 0);
    return;
  }
  const u32 length = completion.length;
  if (length == 0 || length > geometry_.data) [[unlikely]] {
    statistics_->bad_length.increment();
    repost(buffer, 0);
    return;
  }

  RxBuffer replacement;
  if (!allocate(replacement)) [[unlikely]] {  // P6
    statistics_->no_buffer.increment();
    repost(buffer, 0);
    return;
  }
  statistics_->pool_buffers.increment();
  post(replacement);

  // D-60: only now, and only as much as was received, does the CPU look at the data.
  shim_page_pool_sync_for_cpu(pool_.get(), buffer.page, buffer.offset + geometry_.headroom, length);
  statistics_->packets.increment();
  statistics_->bytes.add(length);

  u32 headroom = geometry_.headroom;
  u32 data_length = length;
  u32 metadata = 0;
  if (bpf_prog* program = program_.load_acquire())
    if (!run_xdp(program, buffer, headroom, data_length, metadata, tx))
      return;
  deliver(napi, buffer, completion, headroom, data_length, metadata);
}

// True: the packet goes on to the stack. False: the program (or an error) took it.
bool RxQueue::run_xdp(bpf_prog* program, const RxBuffer& buffer, u32& headroom, u32& length,
                      u32& metadata, TxQueue& tx) {
  shim_xdp_buff xdp;
  shim_xdp_prepare(&xdp, rxq_, buffer.memory(), geometry_.stride, headroom, length);
  const shim_xdp_action action = shim_xdp_run(program, &xdp, netdev_);
  switch (action) {
    case SHIM_XDP_PASS: shim_xdp_result(&xdp, &headroom, &length, &metadata); return true;
    case SHIM_XDP_TX:
      shim_xdp_result(&xdp, &headroom, &length, &metadata);
      staged_[staged_count_++] = {
          .page = buffer.page, .address = buffer.dma() + headroom, .bytes = length};
      if (staged_count_ == kMaxStaged)
        send_staged(program, tx);
      return false;
    case SHIM_XDP_REDIRECT:
      if (shim_xdp_redirect(netdev_, &xdp, program) == 0) {
        redirected_ = true;
        statistics_->xdp_redirect.increment();
        return false;
      }
      break;
    case SHIM_XDP_DROP:
    case SHIM_XDP_ABORTED: break;
  }
  if (action == SHIM_XDP_REDIRECT)
    shim_xdp_exception(netdev_, program, action);
  statistics_->xdp_drop.increment();
  pool_.recycle_direct(buffer.page);  // P4
  return false;
}

// What the program sends back. `program` is only for the report of what finds no room.
void RxQueue::send_staged(bpf_prog* program, TxQueue& tx) {
  const u32 sent = tx.transmit_pages({staged_, staged_count_});
  statistics_->xdp_tx.add(sent);
  for (u32 i = sent; i < staged_count_; i++) {
    if (program)
      shim_xdp_exception(netdev_, program, SHIM_XDP_TX);
    statistics_->xdp_drop.increment();
    pool_.recycle_direct(staged_[i].page);  // P4
  }
  staged_count_ = 0;
}

void RxQueue::deliver(const kern::Napi& napi, const RxBuffer& buffer,
                      const RxCompletion& completion, u32 headroom, u32 length, u32 metadata) {
  sk_buff* skb = shim_skb_build(buffer.memory(), geometry_.stride, headroom, length);  // P3
  if (!skb) [[unlikely]] {
    statistics_->no_skb.increment();
    pool_.recycle_direct(buffer.page);  // P4
    return;
  }
  if (metadata)
    shim_skb_set_metadata(skb, metadata);
  shim_skb_set_rx_queue(skb, index_);
  shim_skb_set_protocol(skb, netdev_);
  if (completion.checksum_good() && shim_netdev_rx_checksum(netdev_)) {
    shim_skb_set_checksum_good(skb);
    statistics_->csum_unnecessary.increment();
  } else if (completion.checksum_bad()) {
    statistics_->csum_bad.increment();
  } else {
    statistics_->csum_none.increment();
  }
  if (completion.hash_type() && shim_netdev_rx_hash(netdev_))
    shim_skb_set_hash(skb, completion.hash, completion.hash_is_l4());
  if (completion.has_vlan())
    shim_skb_set_vlan(skb, completion.vlan_id());
  shim_napi_receive(napi.get(), skb);
}

}  // namespace mana::port
