// SPDX-License-Identifier: GPL-2.0
#include "scripted_device.h"

namespace mana::test {

using wire::EqeType;
using wire::HwcInitItem;

ScriptedHwc::ScriptedHwc(FakeKernel& kernel) : kernel_{kernel} {
  init_events = {{EqeType::kHwcEqIdDoorbell, kEq},
                 {EqeType::kHwcInitData, item(HwcInitItem::kCqId, kCq)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kRqId, kRq)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kSqId, kSq)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kQueueDepth, 1)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kMaxRequest, 4096)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kMaxResponse, 4096)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kMaxCqs, 128)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kPdid, 5)},
                 {EqeType::kHwcInitData, item(HwcInitItem::kGpaMkey, kMkey)},
                 {EqeType::kHwcInitDone, 0}};
  mailbox_answer = [](u32 header) { return wire::smc::MessageType::get(header) | 0x80; };
}

void ScriptedHwc::drop_item(HwcInitItem type) {
  std::erase_if(init_events, [type](const auto& event) {
    return event.first == EqeType::kHwcInitData && event.second >> 24 == static_cast<u32>(type);
  });
}

void ScriptedHwc::set_item(HwcInitItem type, u32 value) {
  for (auto& event : init_events)
    if (event.first == EqeType::kHwcInitData && event.second >> 24 == static_cast<u32>(type))
      event.second = item(type, value);
}

void ScriptedHwc::write(u64 offset, u64 value, u32 size) {
  RegisterFile::write(offset, value, size);
  if (offset == kMailbox + 28) {
    mailbox_requests.push_back(static_cast<u32>(value));
    poke<u32>(kMailbox + 28, static_cast<u32>(value) | 1u << 31);
    mailbox_pending_ = true;
  } else if (offset == 0x1000 + wire::doorbell::kSq) {
    sq_tail = static_cast<u32>(value >> 32);
  } else if (offset == 0x1000 + wire::doorbell::kRq) {
    rq_tail = static_cast<u32>(value >> 32);
  }
}

bool ScriptedHwc::run() {
  if (std::exchange(mailbox_pending_, false)) {
    u32 words[wire::smc::kWords];
    std::memcpy(words, &bytes[kMailbox], sizeof(words));
    words[7] &= 0x7FFFFFFF;
    const u32 answer = mailbox_answer(words[7]);
    poke<u32>(kMailbox + 28, answer);
    if ((answer & 0xFF87) == 0x81 && (answer >> 31) == 0) {
      rings = wire::EstablishHwc::decode(words);
      established = true;
      eq_head_ = 4096 / wire::Eqe::kSize;
      cq_head_ = 4096 / wire::Cqe::kSize;
      rq_consumed = sq_consumed = sq_tail = rq_tail = 0;
      for (const auto& [type, data] : init_events)
        push_event(type, data);
    } else if ((answer & 0xFF87) == 0x82) {
      established = false;
    }
    return true;
  }
  if (!established || sq_consumed * 64 == sq_tail)
    return false;
  const u8* wqe = ring(rings.sq_frame, sq_consumed++ * 64);
  wire::Sge sge;
  std::memcpy(&sge, wqe + 32, sizeof(sge));
  const u8* message = kernel_.coherent(sge.address, sge.size);
  if (!message) {
    ADD_FAILURE() << "a request that is not in DMA memory";
    return true;
  }
  const Bytes request(message, message + sge.size);
  requests.push_back(request);
  if (on_request)
    on_request(request);
  else
    test_event_and_answer(request);
  return true;
}

void ScriptedHwc::test_event_and_answer(const Bytes& request) {
  const auto* header = reinterpret_cast<const wire::RequestHeader*>(request.data());
  if (header->request.message_type == static_cast<u32>(wire::Command::kGenerateTestEqe))
    push_event(EqeType::kTest, 0);
  respond(answer(request, 0, header->response.size));
}

void ScriptedHwc::push_event(EqeType type, u32 value) {
  if (!established)
    return;
  const u32 lap = event_owner >= 0 ? static_cast<u32>(event_owner) : eq_head_ / 256;
  const wire::Eqe eqe{
      .data = {value, 0, 0},
      .trailer = wire::Eqe::Type::put(static_cast<u32>(type)) | wire::OwnerBits::put(lap)};
  std::memcpy(ring(rings.eq_frame, eq_head_++ * wire::Eqe::kSize), &eqe, sizeof(eqe));
  kernel_.raise_msix(rings.msix_vector);
}

void ScriptedHwc::push_cqe(bool is_sq, u32 wq_id, u32 offset, u32 length) {
  const u32 lap = cqe_owner >= 0 ? static_cast<u32>(cqe_owner) : cq_head_ / 64;
  wire::HwcRxCqe cqe{};
  cqe.wqe_offset = offset;
  cqe.length = length;
  cqe.trailer =
      wire::Cqe::WqId::put(wq_id) | wire::Cqe::IsSq::put(is_sq) | wire::OwnerBits::put(lap);
  std::memcpy(ring(rings.cq_frame, cq_head_++ * wire::Cqe::kSize), &cqe, sizeof(cqe));
  push_event(EqeType::kCompletion, kCq);
}

Bytes ScriptedHwc::answer(const Bytes& request, u32 status, u32 bytes) {
  wire::RequestHeader asked;
  std::memcpy(&asked, request.data(), sizeof(asked));
  Bytes message(std::max<size_t>(bytes, sizeof(wire::ResponseHeader)));
  header(message) = {.response = {.header_type = 0,
                                  .message_type = asked.request.message_type,
                                  .version = 1,
                                  .message_id = asked.request.message_id,
                                  .size = static_cast<u32>(message.size())},
                     .device = asked.device,
                     .activity_id = asked.activity_id,
                     .status = status,
                     .reserved = 0};
  return message;
}

void ScriptedHwc::put(const Bytes& message) {
  const u8* wqe = ring(rings.rq_frame, rq_consumed * 32);
  wire::Sge sge;
  std::memcpy(&sge, wqe + 16, sizeof(sge));
  kernel_.dma_write(sge.address, message.data(), std::min<size_t>(message.size(), sge.size));
}

void ScriptedHwc::respond(const Bytes& message, u32 length, bool sq_first) {
  put(message);
  const u32 offset = next_offset();
  rq_consumed++;
  if (sq_first)
    push_cqe(true, kSq);
  push_cqe(false, kRq, offset, length);
  if (!sq_first)
    push_cqe(true, kSq);
}

}  // namespace mana::test
