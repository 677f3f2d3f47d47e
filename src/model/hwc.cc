// SPDX-License-Identifier: GPL-2.0
#include "model/hwc.h"

namespace mana::model {
namespace {

constexpr u32 kHeaderBytes = sizeof(wire::RequestHeader);
constexpr u32 kResponseHeaderBytes = sizeof(wire::ResponseHeader);

}  // namespace

bool Hwc::establish(const wire::EstablishHwc& message) {
  const u64 frames[] = {message.eq_frame, message.cq_frame, message.rq_frame, message.sq_frame};
  if (active() || message.msix_vector >= kMsixVectors)
    return false;
  for (const u64 frame : frames) {
    // V1
    if (!context_.host.valid(frame << wire::kPageShift, wire::kPageSize))
      return false;
  }
  const auto ring = [](u64 frame) { return RingMemory::one_page(frame << wire::kPageShift); };
  eq_ = resources_.create_eq(ring(message.eq_frame), nullptr, kHwcDoorbell, message.msix_vector);
  if (eq_)
    cq_ = resources_.create_cq(ring(message.cq_frame), nullptr, eq_, kHwcDoorbell);
  if (cq_)
    sq_ = resources_.create_wq(wire::WqType::kSq, ring(message.sq_frame), nullptr, cq_, nullptr,
                               kHwcDoorbell);
  if (sq_)
    rq_ = resources_.create_wq(wire::WqType::kRq, ring(message.rq_frame), nullptr, cq_, nullptr,
                               kHwcDoorbell);
  if (!rq_) {
    destroy();
    return false;
  }
  return true;
}

void Hwc::post_item(wire::HwcInitItem item, u32 value) {
  const u32 type = static_cast<u32>(item);
  u64 argument = 0;
  if (context_.faults.active(Fault::kInitItem) &&
      context_.faults.take(Fault::kInitItem, type, &argument))
    value = static_cast<u32>(argument);
  if (missing_item_ == type)
    return;
  eq_->post(context_, wire::EqeType::kHwcInitData,
            wire::Eqe::ItemValue::put(value) | wire::Eqe::ItemType::put(type));
}

void Hwc::announce() {
  using wire::HwcInitItem;
  u64 argument = 0;
  missing_item_ =
      context_.faults.take(Fault::kInitMissing, &argument) ? static_cast<u32>(argument) : kNoItem;
  u32 eq_id = eq_->id;
  if (context_.faults.take(Fault::kInitEqId, &argument))
    eq_id = static_cast<u32>(argument);
  // M-10: 129 first; a driver needs it to acknowledge the others.
  if (missing_item_ != 0) {
    eq_->post(context_, wire::EqeType::kHwcEqIdDoorbell,
              wire::Eqe::HwcEqId::put(eq_id) | wire::Eqe::HwcDoorbell::put(kHwcDoorbell));
  }
  post_item(HwcInitItem::kCqId, cq_->id);
  post_item(HwcInitItem::kRqId, rq_->id);
  post_item(HwcInitItem::kSqId, sq_->id);
  post_item(HwcInitItem::kQueueDepth, wire::kHwcDepth);
  post_item(HwcInitItem::kMaxRequest, wire::kMaxHwcMessage);
  post_item(HwcInitItem::kMaxResponse, wire::kMaxHwcMessage);
  post_item(HwcInitItem::kMaxCqs, Resources::kMaxCqs);
  post_item(HwcInitItem::kPdid, kHwcPdid);
  post_item(HwcInitItem::kGpaMkey, kHwcMkey);
  if (!context_.faults.take(Fault::kInitNoDone))
    eq_->post(context_, wire::EqeType::kHwcInitDone);
}

void Hwc::destroy() {
  if (rq_)
    resources_.destroy_wq(rq_);
  if (sq_)
    resources_.destroy_wq(sq_);
  if (cq_)
    resources_.destroy_cq(cq_);
  if (eq_)
    resources_.destroy_eq(eq_);
  rq_ = sq_ = nullptr;
  cq_ = nullptr;
  eq_ = nullptr;
  for (Outgoing& outgoing : outgoing_)
    outgoing = {};
}

Hwc::Outgoing* Hwc::free_slot() {
  for (Outgoing& outgoing : outgoing_) {
    if (!outgoing.used)
      return &outgoing;
  }
  return nullptr;
}

u64 Hwc::deadline() const {
  u64 earliest = kNever;
  for (const Outgoing& outgoing : outgoing_) {
    if (outgoing.used && outgoing.due != 0)
      earliest = min(earliest, outgoing.due);
  }
  return earliest;
}

bool Hwc::run() {
  constexpr u32 kRequestsPerRun = 8;
  if (!active())
    return false;
  for (u32 i = 0; i < kRequestsPerRun; i++) {
    if (!deliver_due() && !accept_request())
      return false;
  }
  return true;
}

// M-19: in order, and only when the answer has somewhere to go.
bool Hwc::accept_request() {
  if (!sq_->has_work() || !rq_->has_work() || !free_slot())
    return false;
  if (sq_->fetch(context_.host, wqe_) != FetchResult::kOk) {
    // M-14: where the next request begins is unknown, but the channel goes on behind the tail.
    context_.blame().text("HWC: malformed request WQE");
    sq_->skip_all();
    post_sq_cqe();
    return true;
  }
  sq_->consume(wqe_);
  serve(wqe_);
  return true;
}

u32 Hwc::read_request(const Wqe& wqe, bool& valid) {
  using Oob = wire::HwcRequestOob;
  const wire::Sge& sge = wqe.sges[0];
  // V6: the smaller of the two sizes, both within the limit.
  if (wqe.sge_count != 1 || sge.memory_key != kHwcMkey || sge.size < kHeaderBytes)
    return 0;
  u32 length = min(sge.size, wire::kMaxHwcMessage);
  if (!context_.host.read(sge.address, request_, length))
    return 0;
  const auto& header = *reinterpret_cast<const wire::RequestHeader*>(request_);
  Oob oob;
  copy_bytes(&oob, wqe.oob, sizeof(oob));
  // M-14
  valid =
      sge.size <= wire::kMaxHwcMessage && wqe.oob_bytes == sizeof(Oob) &&
      Oob::QueueId::get(oob.source_cq) == cq_->id && Oob::QueueId::get(oob.source_sq) == sq_->id &&
      header.request.header_type == wire::MessageHeader::kStandard && header.request.version != 0 &&
      header.request.size >= kHeaderBytes && header.request.size <= wire::kMaxHwcMessage;
  if (valid)
    length = min(length, header.request.size);
  return length;
}

void Hwc::serve(const Wqe& wqe) {
  bool valid = false;
  const u32 length = read_request(wqe, valid);
  const auto& header = *reinterpret_cast<const wire::RequestHeader*>(request_);
  // V7: without room for a header there is no answer.
  if (length == 0 || header.response.size < kResponseHeaderBytes) {
    context_.blame().text("HWC: a request that cannot be answered");
    post_sq_cqe();
    return;
  }
  respond(length, valid);
}

void Hwc::respond(u32 length, bool valid) {
  Outgoing& outgoing = *free_slot();
  u8* bytes = bytes_of(outgoing);
  const Request request{request_, length};
  const wire::RequestHeader& header = request.header();
  const u32 command = header.request.message_type;
  if (context_.faults.take(Fault::kHwcSilent, command, nullptr))
    return;

  clear_bytes(bytes, wire::kMaxHwcMessage);
  Reply reply{bytes};
  u64 wrong_status = 0;
  u32 status = wire::status::kFailure;
  if (context_.faults.take(Fault::kHwcStatus, command, &wrong_status))
    status = static_cast<u32>(wrong_status);
  else if (valid)
    status = commands_.execute(request, reply);

  // M-17, and 4.8: never more than the requester's buffer, never a newer layout than it knows.
  outgoing = {};
  outgoing.used = true;
  outgoing.with_sq_cqe = true;
  outgoing.length = min(min(reply.size(), header.response.size), wire::kMaxHwcMessage);
  auto& answer = *reinterpret_cast<wire::ResponseHeader*>(bytes);
  answer = {};
  answer.response.header_type = wire::MessageHeader::kStandard;
  answer.response.message_type = command;
  answer.response.version =
      static_cast<u16>(min<u32>(reply.version(), max<u32>(header.response.version, 1)));
  answer.response.message_id =
      header.request.message_id;  // M-16: of the request, not the expectation
  answer.response.size = outgoing.length;
  answer.device = header.device;
  answer.activity_id = header.activity_id;
  answer.status = status;
  apply_faults(outgoing, bytes, command);
  deliver_due();
}

void Hwc::apply_faults(Outgoing& outgoing, u8* bytes, u32 command) {
  Faults& faults = context_.faults;
  auto& answer = *reinterpret_cast<wire::ResponseHeader*>(bytes);
  u64 argument = 0;
  if (faults.take(Fault::kHwcMessageId, command, &argument))
    answer.response.message_id = static_cast<u16>(argument);
  if (faults.take(Fault::kHwcActivityId, command, nullptr))
    answer.activity_id ^= 0x5A5A5A5A;
  if (faults.take(Fault::kHwcGarbage, command, nullptr)) {
    for (u32 i = 0; i < outgoing.length; i++) {
      noise_ = noise_ * 1664525 + 1013904223;
      bytes[i] = static_cast<u8>(noise_ >> 24);
    }
  }
  if (faults.take(Fault::kHwcShort, command, &argument) ||
      faults.take(Fault::kHwcLong, command, &argument))
    outgoing.reported_length = static_cast<u32>(argument);
  faults.take_each(Fault::kHwcPatch, command, [bytes](u64 patch) {
    const u32 word = static_cast<u32>(patch);
    copy_bytes(bytes + (patch >> 32), reinterpret_cast<const u8*>(&word), sizeof(word));
  });
  if (faults.take(Fault::kHwcOwner, command, nullptr))
    outgoing.owner_skew = 2;
  if (faults.take(Fault::kHwcLate, command, &argument))
    outgoing.due = context_.host.now() + min<u64>(argument, 3'600'000) * 1'000'000 + 1;
  if (faults.take(Fault::kHwcTwice, command, nullptr)) {
    if (Outgoing* second = free_slot()) {
      *second = outgoing;
      second->with_sq_cqe = false;
      copy_bytes(bytes_of(*second), bytes, outgoing.length);
    }
  }
}

bool Hwc::deliver_due() {
  for (Outgoing& outgoing : outgoing_) {
    if (outgoing.used && (outgoing.due == 0 || outgoing.due <= context_.host.now()) &&
        deliver(outgoing, bytes_of(outgoing)))
      return true;
  }
  return false;
}

// False if no buffer is posted: it waits.
bool Hwc::deliver(Outgoing& outgoing, u8* bytes) {
  if (!rq_->has_work()) {
    outgoing.due = 0;
    return false;
  }
  if (rq_->fetch(context_.host, wqe_) != FetchResult::kOk) {
    context_.blame().text("HWC: malformed response WQE");
    rq_->skip_all();
    return true;
  }
  rq_->consume(wqe_);
  for (u32 i = 0; i < wqe_.sge_count; i++) {
    if (wqe_.sges[i].memory_key != kHwcMkey)
      wqe_.total = 0;
  }
  // M-17, V7
  const u32 length = static_cast<u32>(min<u64>(outgoing.length, wqe_.total));
  if (length < kResponseHeaderBytes) {
    context_.blame().text("HWC: a response buffer that holds no response");
    return true;
  }
  if (length < outgoing.length && outgoing.reported_length == 0)
    reinterpret_cast<wire::ResponseHeader*>(bytes)->response.size = length;
  u32 done = 0;
  for (u32 i = 0; i < wqe_.sge_count && done < length; i++) {
    const u32 part = min(wqe_.sges[i].size, length - done);
    if (!context_.host.write(wqe_.sges[i].address, bytes + done, part)) {
      context_.blame().text("HWC: a response buffer that is not memory");
      return true;
    }
    done += part;
  }

  // M-15: one completion of each kind.
  outgoing.used = false;
  if (outgoing.with_sq_cqe)
    post_sq_cqe();
  wire::HwcRxCqe cqe = {};
  cqe.wqe_offset = wqe_.position;
  cqe.length = outgoing.reported_length != 0 ? outgoing.reported_length : length;
  cqe.trailer = wire::Cqe::WqId::put(rq_->id);
  wire::Cqe raw;
  copy_bytes(&raw, &cqe, sizeof(raw));
  cq_->post(context_, raw, outgoing.owner_skew);
  return true;
}

void Hwc::post_sq_cqe() {
  wire::Cqe cqe = {};
  cqe.trailer = wire::Cqe::WqId::put(sq_->id) | wire::Cqe::IsSq::put(1);
  cq_->post(context_, cqe);
}

}  // namespace mana::model
