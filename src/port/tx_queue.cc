// SPDX-License-Identifier: GPL-2.0
// A transmit queue's life, its room, and what becomes of packets that were sent.
#include "port/tx_queue.h"

#include "gdma/completion_cursor.h"
#include "shim/dma.h"
#include "shim/trace.h"

namespace mana::port {

namespace {

constexpr u32 kMaxUnits = wire::kMaxSqWqeBytes / wire::kBasicUnit;

// The queue stops when the largest WQE might not fit, and starts again when a few do: without the
// distance it would flap with every completion.
constexpr u32 kStopUnits = kMaxUnits;
constexpr u32 kWakeUnits = 40;
static_assert(kWakeUnits > 2 * kStopUnits && kWakeUnits <= 128);

}  // namespace

Result<void> TxQueue::prepare(::device* dev, int node, netdev_queue* txq, TxStatistics& statistics,
                              const TxConfig& config) {
  dev_ = dev;
  txq_ = txq;
  statistics_ = &statistics;
  sq_ = TRY(gdma::WorkRing::create(dev, config.units));
  // A packet takes at least one BU, so there is a CQE for each, and the CQ cannot overrun (D-62).
  cq_ = TRY(gdma::CompletionRing::create(dev, sq_.units()));
  records_ = TRY(kern::Array<TxRecord>::create(sq_.units(), node));
  addresses_ = TRY(kern::Array<u64>::create(sq_.units() * 2, node));
  lengths_ = TRY(kern::Array<u32>::create(sq_.units() * 2, node));
  mapping_mask_ = addresses_.size() - 1;
  // Of a large ring they are worth having, but not worth failing for.
  const u32 copies = sq_.units() * kCopyBytes;
  if (auto memory = kern::DmaCoherent::allocate(dev, copies)) {
    copies_ = mana::move(*memory);
    copied_sizes_ = kCopyBytes - kMinCopyBytes + 1;
  } else if (copies <= SHIM_DMA_EASY) {
    return memory.error();
  }
  max_used_ = sq_.units() - kStopUnits;
  return {};
}

TxQueue::~TxQueue() { drop_outstanding(); }

Result<void> TxQueue::attach(const hwc::Device& device, u64 vport, u32 vport_offset, u32 parent_eq,
                             const hwc::Moderation* moderation) {
  sq_.reset();
  cq_.reset();
  rung_ = seen_consumer_ = 0;
  broken_.store(false);
  device_ = &device;
  doorbell_ = device.doorbell;
  mkey_ = device.mkey;
  vport_offset_ = vport_offset;
  shim_txq_reset(txq_);
  auto object = hwc::create_wq_object(device, vport, wire::WqType::kSq, sq_.memory(), cq_.memory(),
                                      parent_eq, moderation);
  if (!object) {
    in_doubt_ = hwc::leaves_doubt(object.error());
    return object.error();
  }
  object_ = *object;
  make_templates();
  return {};
}

// D-51, D-52: what all packets of the queue have in common. Devices read the vPort offset from
// either field of the long form; both say the same where both can.
void TxQueue::make_templates() {
  using wire::TxOob;
  short_form_ = vport_offset_ <= TxOob::kMaxShortVportOffset;
  const u32 dw0 = TxOob::PacketFormat::put(short_form_ ? TxOob::kShortFormat : TxOob::kLongFormat) |
                  TxOob::CqId::put(object_.cq_id);
  const u32 dw1 = (object_.wq_id & TxOob::SqFrame::kMask) |
                  TxOob::ShortVportOffset::put(short_form_ ? vport_offset_ : 0);
  oob_ = dw0 | u64{dw1} << 32;
  long_dw3_ = TxOob::LongVportOffset::put(vport_offset_);
}

bool TxQueue::detach() {
  bool confirmed = !in_doubt_;
  if (object_.exists()) {
    confirmed = hwc::destroy_wq_object(*device_, wire::WqType::kSq, object_.handle).ok();
    object_ = {};
  }
  if (confirmed) {
    drop_outstanding();
    shim_txq_reset(txq_);
  }
  return confirmed;
}

void TxQueue::flush() {
  if (rung_ != sq_.producer())
    ring();
}

void TxQueue::ring() {
  rung_ = sq_.producer();
  doorbell_.ring_sq(object_.wq_id, sq_.doorbell_tail());
}

// The room that was seen last has run out; there may be more by now.
bool TxQueue::find_room() {
  seen_consumer_ = sq_.consumer();
  if (has_room())
    return true;
  stop_if_full();
  return has_room();
}

void TxQueue::stop_if_full() {
  seen_consumer_ = sq_.consumer();
  if (has_room())
    return;
  // shim_txq_stop() orders the stop before the second look, reap() orders its progress before it
  // looks for a stopped queue: one of the two sees the other.
  shim_txq_stop(txq_);
  seen_consumer_ = sq_.consumer();
  if (sq_.available() >= kWakeUnits) {
    shim_txq_start(txq_);
    return;
  }
  statistics_->stop_queue.increment();
  shim_trace_tx_stop(txq_, sq_.available());
}

// --- completion -------------------------------------------------------------------------------

bool TxQueue::reap(int budget, RxStash& stash) {
  constexpr u32 kKind = wire::tx_cqe::Type::kMask | wire::tx_cqe::ClientType::kMask;
  constexpr u32 kSent = wire::tx_cqe::Type::put(static_cast<u32>(wire::TxCqeType::kOk)) |
                        wire::tx_cqe::ClientType::put(wire::kClientTypeBnic);

  const TxRecord* const records = records_.data();
  const u32 begin = sq_.consumer();
  u32 position = begin;
  u32 posted = sq_.producer();
  u32 packets = 0;
  u32 bytes = 0;
  u32 left = cq_.entries();  // D-40

  gdma::CompletionCursor cursor{cq_, wire::Cqe::IsSq::put(1) | wire::Cqe::WqId::put(object_.wq_id)};
  for (; left > 0; left--, cursor.advance()) {
    const u32 trailer = cursor.trailer();
    if (!cursor.ready(trailer)) [[unlikely]] {
      const gdma::SlotState state = cursor.state(trailer);
      if (state == gdma::SlotState::kReady) {  // of another queue
        misdirected();
        continue;
      }
      if (state == gdma::SlotState::kOverrun)  // D-39
        broken_.store(true);
      break;
    }
    if (position == posted) [[unlikely]] {
      posted = sq_.producer();
      if (position == posted) {
        misdirected();
        continue;
      }
    }
    const TxRecord& record = records[sq_.index_of(position)];
    const u32 what = record.what;
    // Without a budget this is netpoll, with interrupts off: frames can only be returned with
    // interrupts on, and wait for the poll that the device has asked for.
    if (what >= TxRecord::KindOf::put(TxRecord::kXdpFrame) && budget == 0) [[unlikely]]
      break;
    const u32 dw0 = kern::read_once(cursor.entry().data[0]);
    if ((dw0 & kKind) != kSent && !is_end_of_packet(dw0)) [[unlikely]]
      continue;

    if (TxRecord::is_copied_skb(what)) {
      position += what;
    } else if (TxRecord::is_page(what)) {
      // P4: there is a budget, so this is the NAPI of the receive queue.
      u8* const memory = static_cast<u8*>(record.object);
      if (!stash.put({.memory = memory, .data = data_of(position)})) [[unlikely]]
        recycle(memory);
      position += TxRecord::Units::get(what);
      continue;
    } else {
      unmap(position, TxRecord::Mappings::get(what));
      position += TxRecord::Units::get(what);
      if (TxRecord::KindOf::get(what) != TxRecord::kSkb) {
        if (record.object)
          complete_frame(static_cast<xdp_frame*>(record.object));
        continue;
      }
    }
    packets++;
    bytes += record.bytes;
    shim_skb_consume(static_cast<sk_buff*>(record.object), budget);
  }
  cq_.pop(cq_.entries() - left);

  if (mana::exchange(bulk_begun_, false))
    shim_xdp_bulk_end(&sent_);
  if (position != begin) {
    // The slots belong to the transmit side from here on.
    sq_.consume_to(position);
    if (packets)
      shim_txq_completed(txq_, packets, bytes);
    if (sq_.available() >= kWakeUnits && open_.load() && shim_txq_wake_if_stopped(txq_))
      woken();
  }
  if (cq_.acknowledgement_due()) {  // D-31
    cq_.acknowledge();
    doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), false);
  }
  return left > 0;
}

void TxQueue::woken() {
  statistics_->wake_queue.increment();
  shim_trace_tx_wake(txq_, sq_.available());
}

// D-56: only a completion of this SQ, for a packet that was posted, frees anything.
void TxQueue::misdirected() {
  statistics_->misdirected.increment();
  broken_.store(true);
}

// Whether a completion that is not the usual one ends the packet it is about.
bool TxQueue::is_end_of_packet(u32 dw0) {
  if (wire::tx_cqe::ClientType::get(dw0) != wire::kClientTypeBnic) {
    misdirected();
    return false;
  }
  const auto type = static_cast<wire::TxCqeType>(wire::tx_cqe::Type::get(dw0));
  if (type < wire::TxCqeType::kOk || type > wire::TxCqeType::kGdmaError)
    statistics_->unknown_type.increment();
  else
    statistics_->completion_errors.increment();
  if (type == wire::TxCqeType::kGdmaError)  // D-57: the SQ is dead until it is recreated
    broken_.store(true);
  return true;
}

void TxQueue::arm() {
  // D-39: an overrun CQ would only be announced again at once, and again.
  if (cq_.state() == gdma::SlotState::kOverrun)
    return;
  cq_.arm();
  doorbell_.ring_cq(object_.cq_id, cq_.doorbell_index(), true);
}

void TxQueue::unmap(u32 position, u32 count) {
  for (u32 i = 0; i < count; i++) {
    const u32 slot = (position * 2 + i) & mapping_mask_;
    shim_dma_unmap(dev_, addresses_[slot], lengths_[slot]);
  }
}

void TxQueue::complete_frame(xdp_frame* frame) {
  if (!mana::exchange(bulk_begun_, true))
    shim_xdp_bulk_begin(&sent_);
  shim_xdp_bulk_return(&sent_, frame);
}

void TxQueue::recycle(u8* memory) { shim_page_pool_return(shim_page_of(memory), true); }

// The device is known not to look at the ring any more. Process context.
void TxQueue::drop_outstanding() {
  if (!sq_.memory())
    return;
  u32 position = sq_.consumer();
  while (position != sq_.producer()) {
    const TxRecord& record = records_[sq_.index_of(position)];
    unmap(position, TxRecord::Mappings::get(record.what));
    switch (TxRecord::KindOf::get(record.what)) {
      case TxRecord::kSkb:
        shim_skb_drop(static_cast<sk_buff*>(record.object), SHIM_DROP_DEVICE);
        break;
      case TxRecord::kXdpFrame:
        shim_xdp_frame_return(static_cast<xdp_frame*>(record.object));
        break;
      case TxRecord::kXdpPage: shim_page_pool_return(shim_page_of(record.object), false); break;
      case TxRecord::kNothing: break;
    }
    position += TxRecord::Units::get(record.what);
  }
  sq_.consume_to(position);
}

}  // namespace mana::port
