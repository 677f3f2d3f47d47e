// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/scripted_device.h"

#include <initializer_list>

#include "base/new.h"
#include "shim/memory.h"

namespace mana::kunit {

using wire::Command;
using wire::EqeType;
using wire::HwcInitItem;

namespace {

constexpr u32 kHwcEqEntries = wire::kMinRingBytes / wire::Eqe::kSize;
constexpr u32 kHwcCqEntries = wire::kMinRingBytes / wire::Cqe::kSize;
constexpr u32 kMaxTimers = 8;
constexpr u32 kMaxRegions = 16;

u64 ring_address(u64 frame, u32 offset) {
  return (frame << wire::kPageShift) + offset % wire::kMinRingBytes;
}

// What a doorbell does to a queue whose next entry is number `head` (data sheet 5.5): true if it is
// to notify at once.
bool arm(u32 head, u32 index, bool armed_bit, u32 entries, bool& armed) {
  const u32 ahead = (head - index) & (entries * wire::kOwnerLaps - 1);
  if (!armed_bit) {
    armed = false;
    return false;
  }
  if (ahead == 0) {
    armed = true;
    return false;
  }
  if (ahead > entries)
    return false;
  armed = false;
  return true;
}

}  // namespace

struct ScriptedDevice::Parts {
  alignas(8) u8 registers[kBar];
  Event init_events[kMaxInitEvents];
  Request requests[kMaxRequests];
  Answer answer;
  EventQueue event_queues[kMaxEventQueues];
  Region regions[kMaxRegions];
  struct {
    u64 at_ns;
    Hook<void()> what;
  } timers[kMaxTimers];
};

ScriptedDevice::ScriptedDevice() {
  void* memory = shim_alloc(sizeof(Parts), -1);
  parts_ = memory ? ::new (memory) Parts{} : nullptr;
  if (!parts_) {
    FAIL("no memory for the device");
    return;
  }
  poke<u32>(wire::reg::kVersion, 0x01000001);
  poke<u64>(wire::reg::kDoorbellOffset, kDoorbells);
  poke<u32>(wire::reg::kDoorbellSize, 0x1000);
  poke<u64>(wire::reg::kSmcOffset, kMailbox);
  poke<u32>(wire::reg::kSmcSize, wire::smc::kBytes);
  for (const Event& event :
       {Event{EqeType::kHwcEqIdDoorbell, kEq}, item_event(HwcInitItem::kCqId, kCq),
        item_event(HwcInitItem::kRqId, kRq), item_event(HwcInitItem::kSqId, kSq),
        item_event(HwcInitItem::kQueueDepth, 1), item_event(HwcInitItem::kMaxRequest, 4096),
        item_event(HwcInitItem::kMaxResponse, 4096), item_event(HwcInitItem::kMaxCqs, 128),
        item_event(HwcInitItem::kPdid, 5), item_event(HwcInitItem::kGpaMkey, kMkey),
        Event{EqeType::kHwcInitDone, 0}})
    insert(init_count, event);
}

ScriptedDevice::~ScriptedDevice() { shim_free(parts_); }

u8* ScriptedDevice::registers() const { return parts_->registers; }
ScriptedDevice::Event& ScriptedDevice::init_event(u32 n) const { return parts_->init_events[n]; }
ScriptedDevice::EventQueue& ScriptedDevice::event_queue(u32 n) const {
  return parts_->event_queues[n];
}
const ScriptedDevice::Request& ScriptedDevice::request(u32 n) const {
  return parts_->requests[n % kMaxRequests];
}

u32 ScriptedDevice::count_of(Command command, u32 from) const {
  u32 count = 0;
  for (u32 n = from; n < request_count; n++)
    count += request(n).command == command;
  return count;
}

const ScriptedDevice::Request* ScriptedDevice::last_of(Command command) const {
  for (u32 n = request_count; n-- > 0 && request_count - n <= kMaxRequests;)
    if (request(n).command == command)
      return &request(n);
  return nullptr;
}

// --- registers --------------------------------------------------------------------------------

u64 ScriptedDevice::read(u64 offset, u32 size) {
  u64 value = gone_ ? ~0ull >> (64 - 8 * size) : 0;
  if (!gone_)
    __builtin_memcpy(&value, registers() + offset, size);
  if (on_access)
    on_access({false, offset, value, size});
  return value;
}

void ScriptedDevice::write(u64 offset, u64 value, u32 size) {
  if (on_access)
    on_access({true, offset, value, size});
  if (gone_)
    return;
  __builtin_memcpy(registers() + offset, &value, size);
  if (offset == kMailboxHeader) {
    mailbox_requests++;
    last_mailbox_request = static_cast<u32>(value);
    poke<u32>(kMailboxHeader, last_mailbox_request | kStillBusy);
    mailbox_pending_ = true;
    kunit_schedule(function);
  } else if (offset >= kDoorbells && size == sizeof(u64)) {
    doorbell(offset % wire::kPageSize, value);
  }
}

void ScriptedDevice::doorbell(u32 reg, u64 value) {
  const u32 id = static_cast<u32>(value & 0xFFFFFF);
  const u32 high = static_cast<u32>(value >> 32);
  const u32 index = high & 0x7FFFFFFF;
  switch (reg) {
    case wire::doorbell::kSq:
      if (id != kSq)
        return;
      sq_tail = high;
      kunit_schedule(function);
      return;
    case wire::doorbell::kRq:
      if (id == kRq)
        rq_tail = high;
      return;
    case wire::doorbell::kCq:
      if (id != kCq)
        return;
      cq_doorbells++;
      if (arm(cq_head_, index, high >> 31, kHwcCqEntries, cq_armed_))
        push_event(EqeType::kCompletion, kCq);
      return;
    case wire::doorbell::kEq:
      for (u32 n = 0; n < event_queue_count; n++) {
        EventQueue& queue = event_queue(n);
        if (!queue.exists || queue.id != (id & 0xFFFF))
          continue;
        queue.doorbells++;
        if (arm(queue.head, index, high >> 31, queue.entries, queue.armed))
          notify(queue);
      }
      return;
    default: return;
  }
}

void ScriptedDevice::reset() {
  established = false;
  mailbox_pending_ = false;
  poke<u32>(kMailboxHeader, 0);
  for (u32 n = 0; n < event_queue_count; n++)
    event_queue(n).exists = false;
  live_regions = live_queues = 0;
  for (auto& timer : parts_->timers)
    timer = {};
}

void ScriptedDevice::run() {
  fire_timers();
  if (exchange(mailbox_pending_, false))
    answer_mailbox();
  while (established && !gone_ && sq_consumed * wire::kHwcRequestWqeBytes != sq_tail)
    take_request();
  set_timer();
}

// --- time -------------------------------------------------------------------------------------

void ScriptedDevice::after(u32 milliseconds, Hook<void()> what) {
  for (auto& timer : parts_->timers)
    if (!timer.what) {
      timer = {kunit_now_ns() + milliseconds * 1'000'000ull, what};
      set_timer();
      return;
    }
  FAIL("the device has no timer left");
}

void ScriptedDevice::fire_timers() {
  const u64 now = kunit_now_ns();
  for (auto& timer : parts_->timers)
    if (timer.what && timer.at_ns <= now)
      exchange(timer.what, Hook<void()>{})();
}

void ScriptedDevice::set_timer() {
  u64 next = ~0ull;
  for (const auto& timer : parts_->timers)
    if (timer.what)
      next = min(next, timer.at_ns);
  kunit_run_at(function, next);
}

void ScriptedDevice::forget_hooks() {
  on_access = nullptr;
  mailbox_answer = nullptr;
  on_request = nullptr;
  edit_answer = nullptr;
  for (auto& timer : parts_->timers)
    timer = {};
}

// --- mailbox and first events -----------------------------------------------------------------

void ScriptedDevice::answer_mailbox() {
  u32 words[wire::smc::kWords];
  __builtin_memcpy(words, registers() + kMailbox, sizeof(words));
  words[wire::smc::kHeaderWord] &= ~kStillBusy;
  const u32 request = words[wire::smc::kHeaderWord];
  const u32 answer = mailbox_answer ? mailbox_answer(request) : success(request);
  poke<u32>(kMailboxHeader, answer);
  if (answer != success(request))
    return;
  if (wire::smc::MessageType::get(request) != static_cast<u32>(wire::smc::Type::kEstablishHwc)) {
    established = false;
    return;
  }
  rings = wire::EstablishHwc::decode(words);
  established = true;
  event_queue_count = 1;
  event_queue(0) = {.address = rings.eq_frame << wire::kPageShift,
                    .entries = kHwcEqEntries,
                    .vector = rings.msix_vector,
                    .id = kEq,
                    .head = kHwcEqEntries,
                    .armed = true,
                    .exists = true};
  cq_head_ = kHwcCqEntries;
  cq_armed_ = true;
  rq_consumed = sq_consumed = sq_tail = rq_tail = 0;
  for (u32 n = 0; n < init_count; n++)
    push_event(init_event(n).type, init_event(n).value);
}

void ScriptedDevice::insert(u32 at, Event event) {
  if (init_count == kMaxInitEvents) {
    FAIL("too many init events");
    return;
  }
  for (u32 n = init_count++; n > at; n--)
    init_event(n) = init_event(n - 1);
  init_event(at) = event;
}

void ScriptedDevice::erase(u32 at) {
  for (u32 n = at; n + 1 < init_count; n++)
    init_event(n) = init_event(n + 1);
  init_count--;
}

u32 ScriptedDevice::position_of(HwcInitItem type) const {
  for (u32 n = 0; n < init_count; n++)
    if (init_event(n).type == EqeType::kHwcInitData &&
        init_event(n).value >> 24 == static_cast<u32>(type))
      return n;
  return init_count;
}

void ScriptedDevice::drop_item(HwcInitItem type) {
  if (const u32 at = position_of(type); at != init_count)
    erase(at);
}

void ScriptedDevice::set_item(HwcInitItem type, u32 value) {
  if (const u32 at = position_of(type); at != init_count)
    init_event(at).value = item(type, value);
}

// --- requests ---------------------------------------------------------------------------------

void ScriptedDevice::take_request() {
  wire::Sge sge;
  const u64 wqe = ring_address(rings.sq_frame, sq_consumed++ * wire::kHwcRequestWqeBytes);
  if (!kunit_dma_read(function, wqe + wire::sgl_offset(wire::OobSize::k24), &sge, sizeof(sge)))
    return;
  Request& request = parts_->requests[request_count++ % kMaxRequests];
  clear_bytes(request.message, sizeof(request.message));
  request.bytes = min(sge.size, wire::kMaxHwcMessage);
  if (!kunit_dma_read(function, sge.address, request.message, request.bytes))
    return;
  request.command = static_cast<Command>(request.header().request.message_type);
  // D-16
  if (rq_tail <= rq_consumed * wire::kHwcResponseWqeBytes)
    FAIL("request %u came without a buffer for its response", request_count);
  if (on_request)
    on_request(request);
  else
    succeed(request);
}

ScriptedDevice::Answer& ScriptedDevice::answer(const wire::RequestHeader& asked, u32 status,
                                               u32 bytes) {
  Answer& message = parts_->answer;
  message.length = max<u32>(bytes, sizeof(wire::ResponseHeader));
  clear_bytes(message.message, sizeof(message.message));
  message.header() = {.response = {.header_type = wire::MessageHeader::kStandard,
                                   .message_type = asked.request.message_type,
                                   .version = 1,
                                   .message_id = asked.request.message_id,
                                   .size = message.length},
                      .device = asked.device,
                      .activity_id = asked.activity_id,
                      .status = status,
                      .reserved = 0};
  return message;
}

void ScriptedDevice::put(const Answer& message) {
  wire::Sge sge;
  const u64 wqe = ring_address(rings.rq_frame, next_offset());
  if (kunit_dma_read(function, wqe + wire::sgl_offset(wire::OobSize::k8), &sge, sizeof(sge)))
    (void)kunit_dma_write(function, sge.address, message.message, min(message.length, sge.size));
}

void ScriptedDevice::respond(const Answer& message, u32 length, bool sq_first) {
  if (!established)
    return;
  put(message);
  const u32 offset = next_offset();
  rq_consumed++;
  if (sq_first)
    push_cqe(true, kSq);
  push_cqe(false, kRq, offset, length);
  if (!sq_first)
    push_cqe(true, kSq);
}

void ScriptedDevice::succeed(const Request& request) {
  const wire::RequestHeader asked = request.header();
  if (request.command == Command::kGenerateTestEqe) {
    for (u32 n = 0; n < event_queue_count; n++)
      if (event_queue(n).exists && event_queue(n).id == request.at<u32>(40))
        push_event(EqeType::kTest, 0, n);
  }
  Answer& message = answer(asked, 0, min(asked.response.size, wire::kMaxHwcMessage));
  fill(request, message);
  u32 length = message.length;
  if (edit_answer)
    edit_answer(request.command, message.message, length);
  respond(message, length);
}

ScriptedDevice::Region* ScriptedDevice::find_region(u64 handle) const {
  for (Region& region : parts_->regions)
    if (region.handle != 0 && region.handle == handle)
      return &region;
  return nullptr;
}

// Bodies of good answers. What a command creates lives until a command destroys it.
void ScriptedDevice::fill(const Request& request, Answer& message) {
  switch (request.command) {
    case Command::kVerifyVfDriverVersion:
      message.as<wire::VerifyVersionResponse>().protocol = wire::kGdmaProtocol;
      return;
    case Command::kQueryHwcTimeout:
      message.as<wire::QueryHwcTimeoutResponse>().timeout_ms = 30'000;
      return;
    case Command::kQueryMaxResources: {
      auto& limits = message.as<wire::QueryMaxResourcesResponse>();
      limits.max_sq = limits.max_rq = limits.max_cq = limits.max_eq = limits.max_msix = 16;
      return;
    }
    case Command::kListDevices: {
      auto& list = message.as<wire::ListDevicesResponse>();
      list.count = 2;
      list.devices[0] = {wire::DeviceType::kHwc, 0};
      list.devices[1] = {wire::DeviceType::kMana, 1};
      return;
    }
    case Command::kRegisterDevice: {
      auto& registered = message.as<wire::RegisterDeviceResponse>();
      registered.pdid = 0x51;
      registered.gpa_mkey = 0x99;
      registered.doorbell_id = 1;
      return;
    }
    case Command::kCreateDmaRegion: {
      Region& region = parts_->regions[next_region_ % kMaxRegions];
      region = {.handle = kFirstRegion + next_region_++,
                .address = request.at<u64>(64),
                .bytes = request.at<u64>(40)};
      live_regions++;
      message.as<wire::CreateDmaRegionResponse>().region = region.handle;
      return;
    }
    case Command::kDestroyDmaRegion: {
      Region* region = find_region(request.at<u64>(40));
      if (!region) {
        message.header().status = wire::status::kFailure;
        return;
      }
      region->handle = 0;
      live_regions--;
      return;
    }
    case Command::kCreateQueue: {
      Region* region = find_region(request.at<u64>(56));
      if (!region || event_queue_count == kMaxEventQueues) {
        message.header().status = wire::status::kFailure;
        return;
      }
      const u32 n = event_queue_count++;
      const u32 entries = request.at<u32>(68) / wire::Eqe::kSize;
      event_queue(n) = {.address = region->address,
                        .entries = entries,
                        .vector = request.at<u32>(76),
                        .id = kFirstEqId + n,
                        .head = entries,
                        .armed = true,
                        .exists = true};
      region->handle = 0;
      live_regions--;
      live_queues++;
      message.as<wire::CreateQueueResponse>().queue_id = event_queue(n).id;
      return;
    }
    case Command::kDisableQueue:
      for (u32 n = 1; n < event_queue_count; n++)
        if (event_queue(n).exists && event_queue(n).id == request.at<u32>(44)) {
          event_queue(n).exists = false;
          live_queues--;
          return;
        }
      message.header().status = wire::status::kFailure;
      return;
    case Command::kCreateWqObject: {
      Region* wq = find_region(request.at<u64>(56));
      Region* cq = find_region(request.at<u64>(64));
      if (!wq || !cq) {
        message.header().status = wire::status::kFailure;
        return;
      }
      wq->handle = cq->handle = 0;
      live_regions -= 2;
      live_queues++;
      auto& created = message.as<wire::CreateWqObjectResponse>();
      created.wq_id = 0x61;
      created.cq_id = 0x62;
      created.object = 0x6300000063;
      return;
    }
    case Command::kDestroyWqObject: live_queues--; return;
    case Command::kQueryDevConfig: {
      auto& config = message.as<wire::QueryDevConfigResponse>();
      config.header.response.version = 4;
      config.vport_count = 2;
      config.max_eq = 16;
      config.adapter_mtu = 9014;
      config.link_speed = 100'000;
      return;
    }
    case Command::kQueryVportConfig: {
      auto& config = message.as<wire::QueryVportConfigResponse>();
      config.max_sq = config.max_rq = 8;
      config.indirection_entries = 128;
      config.mac[0] = 0x02;
      config.mac[5] = static_cast<u8>(1 + request.at<u32>(40));
      config.vport = 0x7000000070 + request.at<u32>(40);
      return;
    }
    case Command::kConfigVportTx:
      message.as<wire::ConfigVportTxResponse>().vport_offset = 5;
      return;
    default: return;
  }
}

// --- queues -----------------------------------------------------------------------------------

void ScriptedDevice::notify(EventQueue& queue) {
  queue.notified++;
  if (!lose_interrupts)
    kunit_raise(function, queue.vector);
}

void ScriptedDevice::push_event(EqeType type, u32 value, u32 number) {
  EventQueue& queue = event_queue(number);
  if (gone_ || !queue.exists || (number == 0 && !established))
    return;
  const u32 lap = event_owner >= 0 ? static_cast<u32>(event_owner) : queue.head / queue.entries;
  const wire::Eqe entry{
      .data = {value, 0, 0},
      .trailer = wire::Eqe::Type::put(static_cast<u32>(type)) | wire::OwnerBits::put(lap)};
  const u32 slot = queue.head++ % queue.entries;
  (void)kunit_dma_write(function, queue.address + slot * wire::Eqe::kSize, &entry, sizeof(entry));
  if (exchange(queue.armed, false))
    notify(queue);
}

void ScriptedDevice::push_cqe(bool is_sq, u32 wq_id, u32 offset, u32 length) {
  if (gone_ || !established)
    return;
  const u32 lap = cqe_owner >= 0 ? static_cast<u32>(cqe_owner) : cq_head_ / kHwcCqEntries;
  wire::HwcRxCqe entry{};
  entry.wqe_offset = offset;
  entry.length = length;
  entry.trailer =
      wire::Cqe::WqId::put(wq_id) | wire::Cqe::IsSq::put(is_sq) | wire::OwnerBits::put(lap);
  (void)kunit_dma_write(function, ring_address(rings.cq_frame, cq_head_++ * wire::Cqe::kSize),
                        &entry, sizeof(entry));
  if (exchange(cq_armed_, false))
    push_event(EqeType::kCompletion, kCq);
}

}  // namespace mana::kunit
