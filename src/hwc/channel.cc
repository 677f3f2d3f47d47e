// SPDX-License-Identifier: GPL-2.0
#include "hwc/channel.h"

#include "base/scope_exit.h"
#include "shim/log.h"
#include "shim/trace.h"
#include "wire/hwc.h"

namespace mana::hwc {

namespace {

constexpr u32 kVector = 0;  // every driver binds the HWC EQ to vector 0
constexpr u32 kInitTimeoutMs = 10'000;
constexpr u32 kDefaultTimeoutMs = 30'000;
constexpr u32 kMinTimeoutMs = 1'000;
constexpr u32 kMaxTimeoutMs = 120'000;

// While waiting we look at the rings ourselves now and then, so that a lost interrupt costs a
// delay and not the device.
constexpr u32 kFirstPollMs = 20;
constexpr u32 kLastPollMs = 500;

constexpr u32 kEqEntries = 256;
constexpr u32 kCqEntries = 64;
constexpr u32 kWorkUnits = 128;
constexpr u32 kRequestUnits = wire::kHwcRequestWqeBytes / wire::kBasicUnit;
constexpr u32 kResponseUnits = wire::kHwcResponseWqeBytes / wire::kBasicUnit;

constexpr u32 kStatusNtNotSupported = 0xC00000BB;  // what some hosts answer for "unsupported"

constexpr u32 item_bit(wire::HwcInitItem item) { return 1u << static_cast<u32>(item); }

constexpr u32 kSeenEvent129 = 1;
constexpr u32 kRequiredItems =
    kSeenEvent129 | item_bit(wire::HwcInitItem::kCqId) | item_bit(wire::HwcInitItem::kRqId) |
    item_bit(wire::HwcInitItem::kSqId) | item_bit(wire::HwcInitItem::kMaxCqs) |
    item_bit(wire::HwcInitItem::kPdid) | item_bit(wire::HwcInitItem::kGpaMkey);

}  // namespace

HardwareChannel::HardwareChannel(const kern::PciFunction& function, const kern::Bar& bar,
                                 const gdma::RegisterMap& map, Diagnosis& diagnosis,
                                 NoticeSink sink)
    : function_{function},
      map_{map},
      diagnosis_{diagnosis},
      sink_{sink},
      mailbox_{bar, map.mailbox_offset(), diagnosis},
      timeout_ms_{kDefaultTimeoutMs} {
  shim_format(irq_name_, sizeof(irq_name_), "mana_hwc@pci:%s", function.name());
}

HardwareChannel::~HardwareChannel() {
  if (irq_requested_)
    shim_irq_free_hwc(function_.get(), kVector, reinterpret_cast<mana_hwc*>(this));
  if (device_knows_rings_)
    shim_log(function_.device(), SHIM_LOG_ERROR,
             "hardware channel destroyed while the device uses it: this is a driver bug\n");
}

Result<kern::Box<HardwareChannel>> HardwareChannel::create(
    const kern::PciFunction& function, const kern::Bar& bar, const gdma::RegisterMap& map,
    Diagnosis& diagnosis, Quarantine& quarantine, NoticeSink sink) {
  auto channel =
      TRY(kern::Box<HardwareChannel>::create(function.node(), function, bar, map, diagnosis, sink));
  TRY(channel->allocate_rings());

  ScopeExit undo{[&] {
    const Diagnosis cause = diagnosis;  // stopping may fail too, but is not the story
    if (!channel->stop())
      channel->abandon(quarantine);
    diagnosis = cause;
  }};
  TRY(channel->establish());
  TRY(channel->test_own_eq());
  undo.dismiss();
  return channel;
}

Result<void> HardwareChannel::allocate_rings() {
  ::device* dev = function_.device();
  eq_ = TRY(gdma::EventRing::create(dev, kEqEntries));
  cq_ = TRY(gdma::CompletionRing::create(dev, kCqEntries));
  sq_ = TRY(gdma::WorkRing::create(dev, kWorkUnits));
  rq_ = TRY(gdma::WorkRing::create(dev, kWorkUnits));
  request_buffer_ = TRY(kern::DmaCoherent::allocate(dev, wire::kMaxHwcMessage));
  response_buffer_ = TRY(kern::DmaCoherent::allocate(dev, wire::kMaxHwcMessage));

  // D-10: the handler is in place before the device can send its first event.
  const s32 code =
      shim_irq_request_hwc(function_.get(), kVector, irq_name_, reinterpret_cast<mana_hwc*>(this));
  if (code < 0) {
    diagnosis_.set("the interrupt of vector 0 could not be requested");
    return Result<>::from_errno(code);
  }
  irq_requested_ = true;
  return {};
}

Result<void> HardwareChannel::establish() {
  const wire::EstablishHwc rings{
      .eq_frame = eq_.memory().address() >> wire::kPageShift,
      .cq_frame = cq_.memory().address() >> wire::kPageShift,
      .rq_frame = rq_.memory().address() >> wire::kPageShift,
      .sq_frame = sq_.memory().address() >> wire::kPageShift,
      .msix_vector = kVector,
  };
  device_knows_rings_ = true;
  TRY(mailbox_.establish_hwc(rings));

  TRY(wait_for_event(init_done_, kInitTimeoutMs,
                     "the device never finished the channel's init events, ms waited:"));
  TRY(check_ids());

  kern::SpinLock::Guard guard{lock_};
  post_response_buffer();  // D-16
  return {};
}

// Waits for what the device announces on its own. A channel that fails ends the wait, too.
Result<void> HardwareChannel::wait_for_event(kern::Completion& done, u32 timeout,
                                             const char* on_timeout) {
  const u64 deadline = shim_now_ms() + timeout;
  while (!done.wait(kFirstPollMs)) {
    interrupt();  // in case the interrupt was lost
    if (map_.device_gone()) {  // D-65
      fail();
      diagnosis_.set("the device is gone");
      return Errno::kNoDevice;
    }
    if (shim_now_ms() > deadline && !done.wait(0)) {
      diagnosis_.set(on_timeout, timeout);
      return Errno::kTimedOut;
    }
  }
  return {};
}

// Runs after the init events ended: later ones are ignored, so ids_ does not change any more
// (D-14).
Result<void> HardwareChannel::check_ids() {
  if (failed()) {
    diagnosis_.set("lost events, or a reset request, during the channel's initialisation");
    return Errno::kProtocol;
  }
  if ((ids_.seen & kRequiredItems) != kRequiredItems) {  // D-12
    diagnosis_.set("the channel's init events lack items, those seen are", ids_.seen);
    return Errno::kProtocol;
  }
  if (ids_.max_cqs == 0 || ids_.cq >= ids_.max_cqs) {  // D-13
    diagnosis_.set("the channel's CQ id is not below the announced maximum", ids_.cq);
    return Errno::kProtocol;
  }
  if (ids_.max_request < sizeof(wire::VerifyVersionRequest)) {
    diagnosis_.set("the channel's maximum request size is too small,", ids_.max_request);
    return Errno::kProtocol;
  }
  return {};
}

bool HardwareChannel::stop() {
  if (!device_knows_rings_)
    return true;
  failed_.store(true);
  // A mailbox that did not answer ESTABLISH in time will not answer DESTROY either; possession is
  // checked first there, so this costs one more timeout at worst.
  if (mailbox_.destroy_hwc() || shim_pci_reset(function_.get()) == 0)
    device_knows_rings_ = false;
  return !device_knows_rings_;
}

void HardwareChannel::abandon(Quarantine& quarantine) {
  if (mana::exchange(irq_requested_, false))
    shim_irq_free_hwc(function_.get(), kVector, reinterpret_cast<mana_hwc*>(this));
  device_knows_rings_ = false;
  quarantine.hold(eq_.take_memory());
  quarantine.hold(cq_.take_memory());
  quarantine.hold(sq_.take_memory());
  quarantine.hold(rq_.take_memory());
  quarantine.hold(mana::move(request_buffer_));
  quarantine.hold(mana::move(response_buffer_));
}

void HardwareChannel::fail() {
  kern::SpinLock::Guard guard{lock_};
  fail_locked();
}

void HardwareChannel::fail_locked() {
  if (latch())
    notify(Notice::kFailed, 0);
}

// True if this is the first failure.
bool HardwareChannel::latch() {
  const bool first = !failed_.exchange(true);
  init_done_.complete();
  response_done_.complete();
  test_done_.complete();
  return first;
}

void HardwareChannel::mute() {
  kern::SpinLock::Guard guard{lock_};
  sink_ = {};
}

void HardwareChannel::notify(Notice notice, u32 value) {
  if (sink_.notify)
    sink_.notify(sink_.context, notice, value);
}

void HardwareChannel::describe(const kern::Text& text) const {
  text.word("state", failed() ? "failed" : "up");
  if (failed())  // may be about to be written anew: then either reason is a good one
    text.word("reason", diagnosis_.text().bytes);
  text.number("timeout_ms", timeout_ms_.load());
  text.number("requests", next_activity_ - 1);
  text.number("eq", ids_.eq);
  text.number("cq", ids_.cq);
  text.number("sq", ids_.sq);
  text.number("rq", ids_.rq);
  text.number("max_cqs", ids_.max_cqs);
  text.number("max_request", ids_.max_request);
  text.number("sq_used", sq_.used());
  text.number("rq_used", rq_.used());
}

void HardwareChannel::set_timeout(u32 milliseconds) {
  if (milliseconds != 0)  // D-24
    timeout_ms_.store(clamp(milliseconds, kMinTimeoutMs, kMaxTimeoutMs));
}

// --- requests ---------------------------------------------------------------------------------

Result<void> HardwareChannel::exchange(const Call& call, wire::RequestHeader* request,
                                       u32 request_bytes, const Table& table,
                                       wire::ResponseHeader* response, u32 response_bytes) {
  const u32 table_bytes = table.count * sizeof(u64);
  const u32 message_bytes = request_bytes + table_bytes;
  if (message_bytes > min(ids_.max_request, wire::kMaxHwcMessage)) {  // D-18
    diagnosis_.set("the request is longer than the channel allows,", call.command, message_bytes);
    return Errno::kMessageSize;
  }

  kern::Mutex::Guard one_request{request_mutex_};
  if (failed()) {
    diagnosis_.set("not sent, the channel failed before", call.command);
    return Errno::kNoDevice;
  }

  {
    // D-34: the device completes requests in its own time, but not never.
    kern::SpinLock::Guard guard{lock_};
    if (sq_.available() < kRequestUnits) {
      fail_locked();
      diagnosis_.set("not sent, the device does not complete the requests before", call.command);
      return Errno::kProtocol;
    }
  }

  // The message id names the slot in flight; with one slot it is always 0. The activity id is what
  // tells requests apart (D-21, D-41).
  *request = {
      .request = {.header_type = wire::MessageHeader::kStandard,
                  .message_type = static_cast<u32>(call.command),
                  .version = call.version,
                  .message_id = 0,
                  .size = message_bytes},
      .response = {.header_type = wire::MessageHeader::kStandard,
                   .message_type = static_cast<u32>(call.command),
                   .version = call.response_version,
                   .message_id = 0,
                   .size = response_bytes},
      .device = call.device,
      .activity_id = next_activity_++,
  };
  copy_bytes(request_buffer_.data(), request, request_bytes);
  if (table.count)
    table.write(reinterpret_cast<u64*>(request_buffer_.data() + request_bytes), table.count,
                table.source);

  const u64 sent_us = shim_now_us();
  shim_trace_hwc_request(function_.device(), static_cast<u32>(call.command),
                         command_name(call.command), request->activity_id, message_bytes);
  {
    kern::SpinLock::Guard guard{lock_};
    response_done_.reset();
    response_length_ = 0;
    malformed_ = false;
    waiting_ = true;
    activity_in_flight_ = request->activity_id;
    post_request(message_bytes);
  }
  Result<void> answered = wait_for_response(call.command);
  if (answered)
    answered = check_response(call, call.minimum_response ? call.minimum_response : response_bytes);
  trace_response(call.command, request->activity_id, answered, shim_now_us() - sent_us);
  TRY(answered);
  copy_bytes(response, response_, min(response_length_, response_bytes));
  return {};
}

void HardwareChannel::trace_response(wire::Command command, u32 activity,
                                     const Result<void>& answered, u64 microseconds) const {
  wire::ResponseHeader header{};
  if (response_length_ >= sizeof(header))
    copy_bytes(&header, response_, sizeof(header));
  shim_trace_hwc_response(function_.device(), static_cast<u32>(command), command_name(command),
                          activity, answered.to_errno(), header.status, microseconds);
}

Result<void> HardwareChannel::wait_for_response(wire::Command command) {
  const u32 timeout = timeout_ms_.load();
  const u64 deadline = shim_now_ms() + timeout;
  u32 slice = kFirstPollMs;

  while (!response_done_.wait(slice)) {
    interrupt();
    if (map_.device_gone()) {
      fail();
      diagnosis_.set("the device is gone", command);
      return Errno::kNoDevice;
    }
    if (shim_now_ms() >= deadline) {
      kern::SpinLock::Guard guard{lock_};
      if (response_length_ != 0)
        break;
      // D-23: from here on a late answer finds nobody waiting, and the latch keeps the slot from
      // being used again.
      waiting_ = false;
      fail_locked();
      diagnosis_.set("no answer, ms waited:", command, timeout);
      return Errno::kTimedOut;
    }
    slice = min(slice * 2, kLastPollMs);
  }

  kern::SpinLock::Guard guard{lock_};
  if (response_length_ != 0)
    return {};
  waiting_ = false;
  if (malformed_) {
    fail_locked();
    diagnosis_.set("the answer has an impossible length or message id", command);
    return Errno::kProtocol;
  }
  diagnosis_.set("the channel failed while waiting for the answer", command);
  return Errno::kNoDevice;
}

// Decides on the private copy of a response (D-20 to D-22). Its activity id matched already.
Result<void> HardwareChannel::check_response(const Call& call, u32 minimum) {
  wire::ResponseHeader header;
  copy_bytes(&header, response_, sizeof(header));

  const char* problem = nullptr;
  if (header.response.message_type != static_cast<u32>(call.command))
    problem = "the answer belongs to another command,";
  else if (header.device != call.device)
    problem = "the answer comes from another device,";
  else if (header.response.size > response_length_ ||
           header.response.size < sizeof(wire::ResponseHeader))
    problem = "the answer states a wrong size,";
  if (problem) {
    diagnosis_.set(problem, call.command, header.response.message_type);
    return Errno::kProtocol;
  }

  if (header.status == wire::status::kUnsupported || header.status == kStatusNtNotSupported) {
    diagnosis_.set("not supported by the device, status", call.command, header.status);
    return Errno::kNotSupported;
  }
  if (header.status != wire::status::kSuccess &&
      !(call.accept_more_entries && header.status == wire::status::kMoreEntries)) {
    diagnosis_.set("the device refused with status", call.command, header.status);
    return Errno::kIo;
  }

  // A refusal may be short and carry any version; a success may not.
  if (header.response.version == 0 || header.response.version > call.response_version) {
    diagnosis_.set("the answer has an unexpected version,", call.command, header.response.version);
    return Errno::kProtocol;
  }
  if (header.response.size < minimum) {
    diagnosis_.set("the answer is too short, bytes:", call.command, header.response.size);
    return Errno::kProtocol;
  }
  return {};
}

void HardwareChannel::post_response_buffer() {
  const u32 position = rq_.producer();
  auto* header = reinterpret_cast<wire::WqeHeader*>(rq_.at(position));
  *header = {.dw0 = 0,
             .dw1 = wire::WqeHeader::SgeCount::put(1) |
                    wire::WqeHeader::OobSizeCode::put(static_cast<u32>(wire::OobSize::k8))};
  clear_bytes(rq_.at(position, sizeof(*header)), wire::oob_bytes(wire::OobSize::k8));
  rq_.write_sge(position, wire::sgl_offset(wire::OobSize::k8), 0, response_buffer_.address(),
                ids_.mkey, wire::kMaxHwcMessage);
  rq_.advance(kResponseUnits);
  doorbell_.ring_rq(ids_.rq, rq_.doorbell_tail());
}

void HardwareChannel::post_request(u32 bytes) {
  const u32 position = sq_.producer();
  clear_bytes(sq_.at(position), wire::kBasicUnit);
  clear_bytes(sq_.at(position, wire::kBasicUnit), wire::kBasicUnit);
  *reinterpret_cast<wire::WqeHeader*>(sq_.at(position)) = {
      .dw0 = 0,
      .dw1 = wire::WqeHeader::SgeCount::put(1) |
             wire::WqeHeader::OobSizeCode::put(static_cast<u32>(wire::OobSize::k24))};
  *reinterpret_cast<wire::HwcRequestOob*>(sq_.at(position, sizeof(wire::WqeHeader))) = {
      .reserved0 = 0,
      .reserved1 = 0,
      .destination_rq = ids_.destination_rq,
      .destination_cq = ids_.destination_cq,
      .source_cq = ids_.cq,
      .source_sq = ids_.sq,
  };
  sq_.write_sge(position, wire::sgl_offset(wire::OobSize::k24), 0, request_buffer_.address(),
                ids_.mkey, bytes);
  sq_.advance(kRequestUnits);
  doorbell_.ring_sq(ids_.sq, sq_.doorbell_tail());
}

Result<void> HardwareChannel::test_own_eq() {
  {
    kern::SpinLock::Guard guard{lock_};
    test_done_.reset();
    test_waiting_ = true;
  }
  wire::GenerateTestEqeRequest request{};
  request.eq_id = ids_.eq;
  const Call call_{.command = wire::Command::kGenerateTestEqe,
                   .device = {wire::DeviceType::kHwc, 0}};
  TRY(call<wire::HeaderOnlyResponse>(call_, request));
  TRY(wait_for_event(test_done_, timeout_ms_.load(),
                     "the channel's test event never arrived, ms waited:"));
  if (failed()) {
    diagnosis_.set("the channel failed while waiting for its test event");
    return Errno::kNoDevice;
  }
  return {};
}

// --- events -----------------------------------------------------------------------------------

void HardwareChannel::interrupt() {
  kern::SpinLock::Guard guard{lock_};
  process_events();
  // A completion event may have been lost with its interrupt; looking costs one load. Without event
  // 129 there is no doorbell to answer on.
  if (state_ == State::kUp && (ids_.seen & kSeenEvent129))
    process_completions();
}

void HardwareChannel::process_events() {
  bool consumed = false;
  for (u32 budget = eq_.entries(); budget > 0; budget--) {  // D-40
    const gdma::SlotState slot = eq_.state();
    if (slot == gdma::SlotState::kEmpty)
      break;
    if (slot == gdma::SlotState::kOverrun) {  // D-39
      fail_locked();
      return;
    }
    const u32 value = kern::read_once(eq_.front().data[0]);
    const auto type =
        static_cast<wire::EqeType>(wire::Eqe::Type::get(kern::read_once(eq_.front().trailer)));
    eq_.pop();
    consumed = true;
    shim_trace_event(function_.device(), ids_.eq, static_cast<u32>(type), value);
    handle_event(type, value);
  }
  if (consumed)
    arm_eq();
}

void HardwareChannel::arm_eq() {
  if (!(ids_.seen & kSeenEvent129))
    return;  // nothing to ring yet; the events that follow will bring us back
  eq_.acknowledge();
  doorbell_.ring_eq(ids_.eq, eq_.doorbell_index(), true);
}

void HardwareChannel::handle_event(wire::EqeType type, u32 value) {
  const bool booting = state_ == State::kBootstrap;
  switch (type) {
    case wire::EqeType::kHwcEqIdDoorbell: {
      if (!booting)
        return;  // D-14
      auto page = map_.doorbell_page(wire::Eqe::HwcDoorbell::get(value));
      if (!page)
        return;  // D-4; establishment fails for lack of this event
      doorbell_ = *page;
      ids_.eq = wire::Eqe::HwcEqId::get(value);
      ids_.seen |= kSeenEvent129;
      return;
    }
    case wire::EqeType::kHwcInitData:
      if (booting)
        handle_init_item(value);
      return;
    case wire::EqeType::kHwcInitDone:
      if (!booting)
        return;
      state_ = State::kUp;
      init_done_.complete();
      return;
    case wire::EqeType::kTest:
      if (mana::exchange(test_waiting_, false))
        test_done_.complete();
      return;
    case wire::EqeType::kReconfigurationData: {
      if (booting)
        return;
      const u32 item_value = wire::Eqe::ItemValue::get(value);
      switch (static_cast<wire::ReconfigurationItem>(wire::Eqe::ItemType::get(value))) {
        case wire::ReconfigurationItem::kHwcTimeout: set_timeout(item_value); return;
        case wire::ReconfigurationItem::kVportLinkUp: notify(Notice::kLinkUp, item_value); return;
        case wire::ReconfigurationItem::kVportLinkDown:
          notify(Notice::kLinkDown, item_value);
          return;
      }
      return;
    }
    case wire::EqeType::kVfResetRequest:
      (void)latch();  // D-65
      notify(Notice::kResetRequest, 0);
      return;
    default:
      // Completions are found by looking at the CQ; everything else is not for us (D-15).
      return;
  }
}

void HardwareChannel::handle_init_item(u32 value) {
  const u32 type = wire::Eqe::ItemType::get(value);
  const u32 item = wire::Eqe::ItemValue::get(value);
  switch (static_cast<wire::HwcInitItem>(type)) {
    case wire::HwcInitItem::kCqId: ids_.cq = item; break;
    case wire::HwcInitItem::kRqId: ids_.rq = item; break;
    case wire::HwcInitItem::kSqId: ids_.sq = item; break;
    case wire::HwcInitItem::kMaxCqs: ids_.max_cqs = item; break;
    case wire::HwcInitItem::kPdid: ids_.pdid = item; break;
    case wire::HwcInitItem::kGpaMkey: ids_.mkey = item; break;
    case wire::HwcInitItem::kDestinationRqId: ids_.destination_rq = item; break;
    case wire::HwcInitItem::kDestinationCqId: ids_.destination_cq = item; break;
    case wire::HwcInitItem::kMaxRequest:
    case wire::HwcInitItem::kMaxResponse:  // whose requests is disputed: both bound ours
      ids_.max_request = min(ids_.max_request, item);
      break;
    case wire::HwcInitItem::kQueueDepth: break;  // we use one slot whatever the depth
    default: return;  // D-15
  }
  ids_.seen |= 1u << type;
}

void HardwareChannel::process_completions() {
  bool consumed = false;
  for (u32 budget = cq_.entries(); budget > 0; budget--) {
    const gdma::SlotState slot = cq_.state();
    if (slot == gdma::SlotState::kEmpty)
      break;
    if (slot == gdma::SlotState::kOverrun) {
      fail_locked();
      return;
    }
    const auto& entry = reinterpret_cast<const wire::HwcRxCqe&>(cq_.front());
    const u32 trailer = kern::read_once(entry.trailer);
    const u32 offset = kern::read_once(entry.wqe_offset);
    const u32 length = kern::read_once(entry.length);
    cq_.pop();
    consumed = true;

    // D-19: the SQ's and the RQ's completion of a request arrive in either order; entries of
    // queues that are not ours change nothing.
    const u32 wq_id = wire::Cqe::WqId::get(trailer);
    if (wire::Cqe::IsSq::get(trailer)) {
      if (wq_id == ids_.sq && !sq_.retire(kRequestUnits) && shim_log_allowed())
        shim_log(function_.device(), SHIM_LOG_WARNING,
                 "hardware channel: a completion for no request was ignored\n");
    } else if (wq_id == ids_.rq) {
      handle_response(offset, length);
    }
  }
  if (consumed) {
    cq_.acknowledge();
    doorbell_.ring_cq(ids_.cq, cq_.doorbell_index(), true);
  }
}

void HardwareChannel::handle_response(u32 wqe_offset, u32 length) {
  // D-25: there is one response buffer, and we know where its WQE is; the device's offset can only
  // agree. It counts bytes, and may or may not be reduced by the ring size.
  const u32 expected = rq_.index_of(rq_.consumer()) * wire::kBasicUnit;
  const u32 ring_mask = rq_.units() * wire::kBasicUnit - 1;
  if ((wqe_offset & ring_mask) != expected || !rq_.retire(kResponseUnits)) {
    if (shim_log_allowed())
      shim_log(function_.device(), SHIM_LOG_WARNING,
               "hardware channel: a completion for a buffer that is not posted was ignored\n");
    return;
  }

  // D-19, D-20, D-23: a malformed answer ends the wait with an error; one to an earlier request
  // (late, or sent twice) is dropped, and the right one may still come.
  if (length < sizeof(wire::ResponseHeader) || length > wire::kMaxHwcMessage) {
    reject_response();
  } else if (waiting_) {
    copy_bytes(response_, response_buffer_.data(), length);
    wire::ResponseHeader header;
    copy_bytes(&header, response_, sizeof(header));
    if (header.response.message_id != 0) {
      reject_response();
    } else if (header.activity_id == activity_in_flight_) {
      waiting_ = false;
      response_length_ = length;
      response_done_.complete();
    }
  }
  post_response_buffer();
}

void HardwareChannel::reject_response() {
  if (!waiting_)
    return;
  waiting_ = false;
  malformed_ = true;
  response_done_.complete();
}

}  // namespace mana::hwc
