// SPDX-License-Identifier: GPL-2.0
#include "model/device.h"

#include "model/registers.h"

namespace mana::model {
namespace {

constexpr u32 kMinMtu = 1500;
constexpr u32 kMaxMtu = 9216;
constexpr u32 kReceiveBytes = Frame::kHeadroom + 64 * 1024;

}  // namespace

Device* Device::create(const vnic_host& host, const vnic_config& config, TextWriter& error) {
  if (host.size < sizeof(vnic_host) || config.size < sizeof(vnic_config)) {
    error.text("the host is older than this model");
    return nullptr;
  }
  const Host allocator{host};
  Device* device = allocator.create<Device>(0, host);
  if (!device) {
    error.text("out of memory");
    return nullptr;
  }
  if (!device->configure(config, error)) {
    destroy(device);
    return nullptr;
  }
  if (!device->allocate_buffers()) {
    error.text("out of memory");
    destroy(device);
    return nullptr;
  }
  device->fabric_.set_up();
  return device;
}

void Device::destroy(Device* device) {
  device->tear_down();
  Host& host = device->context_.host;
  if (device->tx_buffer_)
    host.release(device->tx_buffer_);
  if (device->rx_buffer_)
    host.release(device->rx_buffer_);
  host.destroy(device);
}

bool Device::configure(const vnic_config& config, TextWriter& error) {
  if (config.ports < 1 || config.ports > kMaxPorts) {
    error.text("ports must be 1 to ").number(kMaxPorts);
    return false;
  }
  if (config.queues < 1 || config.queues > kMaxQueuePairs) {
    error.text("queues must be 1 to ").number(kMaxQueuePairs);
    return false;
  }
  if (config.mtu < kMinMtu || config.mtu > kMaxMtu) {
    error.text("mtu must be ").number(kMinMtu).text(" to ").number(kMaxMtu);
    return false;
  }
  if ((config.mac[0] & 1) != 0) {
    error.text("mac must not be a group address");
    return false;
  }
  context_.config.ports = config.ports;
  context_.config.queues = config.queues;
  context_.config.mtu = config.mtu;
  context_.config.external_ports = config.external_ports;
  copy_bytes(context_.config.mac, config.mac, sizeof(config.mac));
  return !config.options || read_options(config.options, error);
}

// "key=value" entries, separated by ';' or ',':
//   fault=LINE       as in faults.h
//   indirection=N    entries of the indirection table, 64 or 128
//   vport-offset=N   TX vPort offset of port 0, 0 to 4080
//   moderation=N     offers interrupt moderation of so many CQs, 0 to 512; 0 is no such offer
//   coalescing=N     offers completions of so many received packets: 0, 4 or 8
//   coalescing-ns=N  how long a packet waits for others, up to a second
//   suppression=N    whether a WQE can do without its completion, 0 or 1
bool Device::read_options(const char* options, TextWriter& error) {
  TextReader reader{options, " \t:=", ";,"};
  do {
    const Word key = reader.next();
    if (key.empty())
      continue;
    u64 value = 0;
    bool good = false;
    if (key.is("fault")) {
      good = context_.faults.add(reader);
    } else if (key.is("indirection")) {
      good = reader.next().number(value) && (value == 64 || value == 128);
      context_.config.indirection_entries = static_cast<u32>(value);
    } else if (key.is("vport-offset")) {
      good = reader.next().number(value) && value <= wire::TxOob::kMaxVportOffset - kMaxPorts + 1;
      context_.config.vport_offset = static_cast<u32>(value);
    } else if (key.is("moderation")) {
      good = reader.next().number(value) && value <= kMaxDataCqs;
      context_.config.moderated_cqs = static_cast<u32>(value);
    } else if (key.is("coalescing")) {
      good = reader.next().number(value) && (value == 0 || value == 4 || value == 8);
      context_.config.coalescing = static_cast<u32>(value);
    } else if (key.is("coalescing-ns")) {
      good = reader.next().number(value) && value <= 1'000'000'000;
      context_.config.coalescing_ns = static_cast<u32>(value);
    } else if (key.is("suppression")) {
      good = reader.next().number(value) && value <= 1;
      context_.config.heeds_suppression = value != 0;
    }
    if (!good) {
      error.text("cannot use the option that begins with '");
      for (size_t i = 0; i < min<size_t>(key.length, 32); i++) {
        const char letter[] = {key.begin[i], '\0'};
        error.text(letter);
      }
      error.text("'");
      return false;
    }
  } while (reader.next_entry());
  return true;
}

bool Device::allocate_buffers() {
  tx_buffer_ = static_cast<u8*>(context_.host.allocate(TxEngine::kBufferBytes));
  rx_buffer_ = static_cast<u8*>(context_.host.allocate(kReceiveBytes));
  tx_.set_buffer(tx_buffer_);
  return tx_buffer_ && rx_buffer_;
}

// M-7: nothing of the driver's remains, and nothing of the function touches its memory.
void Device::tear_down() {
  commands_.reclaim();
  while (DmaRegion* region = resources_.any_region()) {
    resources_.destroy_region(region);
    context_.statistics.reclaimed++;
  }
  if (resources_.registered) {
    resources_.registered = false;
    context_.statistics.reclaimed++;
  }
  hwc_.destroy();
  resources_.restart();
  fabric_.reset();
  context_.driver_caps = 0;
}

void Device::reset() {
  // M-9
  tear_down();
  mailbox_.reset();
  mailbox_stuck_ = false;
  context_.host.run_at(Hwc::kNever);
}

u64 Device::read(u64 offset, u32 size) {
  if (context_.faults.active(Fault::kRemoved))
    return all_ones(size);
  const bool map = inside(offset, size, 0, wire::reg::kMapSize);
  const bool mailbox = inside(offset, size, kMailboxOffset, wire::smc::kBytes);
  if (offset == Load::kTrigger && fabric_.load().active())
    return fabric_.load().remaining();
  if (!map && !mailbox)
    return all_ones(size);
  if (context_.faults.take(Fault::kRegistersGone))
    return all_ones(size);
  return map ? patched_map(static_cast<u32>(offset), size)
             : mailbox_.read(static_cast<u32>(offset - kMailboxOffset), size);
}

u64 Device::patched_map(u32 offset, u32 size) {
  u64 value = read_map(offset, size);
  for (u32 word = 0; word + 4 <= size; word += 4) {
    u64 wrong = 0;
    if (context_.faults.take(Fault::kRegister, offset + word, &wrong))
      value = (value & ~(0xFFFFFFFFull << (8 * word))) | (wrong & 0xFFFFFFFF) << (8 * word);
  }
  return value;
}

void Device::write(u64 offset, u64 value, u32 size) {
  if (context_.faults.active(Fault::kRemoved))
    return;
  if (inside(offset, size, kMailboxOffset, wire::smc::kBytes)) {
    if (mailbox_.write(static_cast<u32>(offset - kMailboxOffset), value, size))
      context_.host.schedule();
    return;
  }
  if (offset == Load::kTrigger && fabric_.load().active()) {
    fabric_.load().start(value);
    context_.host.schedule();
    return;
  }
  if (offset >= kDoorbellZone)
    ring(offset, value, size);
  // M-2: the map is read-only.
}

void Device::run() {
  if (context_.faults.active(Fault::kRemoved))
    return;
  busy_ = true;
  if (mailbox_.pending() && !mailbox_stuck_)
    serve_mailbox();
  const bool more_requests = hwc_.run();
  const bool more_frames = transmit();
  const u64 next_load = fabric_.load().active() ? fabric_.load().run() : Load::kNever;
  const u64 next_alarm = ring_alarms();
  busy_ = false;
  if (more_requests || more_frames)
    context_.host.schedule();
  static_assert(Hwc::kNever == Load::kNever);
  const u64 deadline = min(hwc_.deadline(), min(next_load, next_alarm));
  if (deadline != Hwc::kNever)
    context_.host.run_at(deadline);
}

// What waited long enough: completions for more packets, then events for more completions. When
// the next is due.
u64 Device::ring_alarms() {
  const u64 now = context_.host.now();
  while (WorkQueue* rq = context_.rx_alarms.take_due(now))
    fabric_.rx().flush(*rq);
  while (CompletionQueue* cq = context_.cq_alarms.take_due(now))
    cq->period_ended(context_);
  return min(context_.rx_alarms.earliest(), context_.cq_alarms.earliest());
}

void Device::serve_mailbox() {
  using namespace wire::smc;
  if (context_.faults.take(Fault::kMailboxSilent)) {
    mailbox_stuck_ = true;
    return;
  }
  const u32 request = mailbox_.request_header();
  u32 status = 0;
  u64 argument = 0;
  const bool refused = context_.faults.take(Fault::kMailboxStatus, &argument);
  status = refused ? static_cast<u32>(argument) : execute_mailbox(request);
  context_.trace()
      .text("mailbox type ")
      .number(MessageType::get(request))
      .text(" status ")
      .number(status);
  // M-5: the version is at most what was asked for, and at most what is known.
  const u32 known = MessageType::get(request) == static_cast<u32>(Type::kReportHwcTimeout)
                        ? kReportTimeoutVersion
                        : kEstablishVersion;
  u32 answer = MessageType::put(MessageType::get(request)) |
               Version::put(min(Version::get(request), known)) | IsResponse::put(1) |
               Status::put(status);
  if (context_.faults.take(Fault::kMailboxGarbage))
    answer = 0x5A6B7C3D;
  mailbox_.answer(answer);
  const bool established =
      MessageType::get(request) == static_cast<u32>(Type::kEstablishHwc) && status == 0 && !refused;
  // 4.3: the answer only acknowledges; ids follow as events.
  if (established)
    hwc_.announce();
}

// The status of the answer.
u32 Device::execute_mailbox(u32 header) {
  using namespace wire::smc;
  constexpr u32 kRefused = 1;
  const u32 version = Version::get(header);
  if (IsResponse::get(header) != 0 || Status::get(header) != 0)
    return kRefused;  // V2
  switch (static_cast<Type>(MessageType::get(header))) {
    case Type::kEstablishHwc:
      if (version != kEstablishVersion)
        return kRefused;
      if (ResetVf::get(header) != 0)
        tear_down();
      return hwc_.establish(wire::EstablishHwc::decode(mailbox_.words())) ? 0 : kRefused;
    case Type::kDestroyHwc:
      if (version != kDestroyVersion)
        return kRefused;
      tear_down();  // M-7; without a channel there is nothing to do, which is a success (10.8)
      return 0;
    case Type::kReportHwcTimeout:
      if (version < kReportTimeoutVersion)
        return kRefused;
      context_.trace()
          .text("driver reports an HWC timeout after ms ")
          .number(mailbox_.words()[6] & 0xFFFFFF);
      return 0;  // M-8
  }
  return kRefused;
}

// Each SQ gets a turn of a few frames. True if work is left.
bool Device::transmit() {
  constexpr u32 kFramesPerRun = 256;
  constexpr u32 kFramesPerTurn = 32;
  u32 frames = 0;
  while (!schedule_.empty() && frames < kFramesPerRun) {
    WorkQueue* sq = schedule_.take();
    frames += tx_.process(*sq, kFramesPerTurn);
    schedule_.add(sq);
  }
  return !schedule_.empty();
}

bool Device::receive(u32 port, const void* bytes, size_t length) {
  // A host that calls back from inside transmit() would tread on a frame in work.
  if (busy_ || context_.faults.active(Fault::kRemoved) || port >= fabric_.count() ||
      length < kEthernetHeader || length > context_.config.adapter_mtu() + kVlanTag)
    return false;
  Frame frame;
  frame.bytes = rx_buffer_ + Frame::kHeadroom;
  frame.length = static_cast<u32>(length);
  copy_bytes(frame.bytes, bytes, length);
  frame.take_tag();
  frame.layout = parse_frame(frame.bytes, frame.length);
  return fabric_.receive(fabric_.vport(port), frame);
}

void Device::set_link(u32 port, bool up) {
  if (port >= fabric_.count() || fabric_.vport(port).link_up == up)
    return;
  fabric_.vport(port).link_up = up;
  post_reconfiguration(
      wire::driver_cap::kVportLinkState,
      up ? wire::ReconfigurationItem::kVportLinkUp : wire::ReconfigurationItem::kVportLinkDown,
      port);
}

// M-61: only for drivers that said they understand it. False if it was not sent.
bool Device::post_reconfiguration(u64 capability, wire::ReconfigurationItem item, u32 value) {
  if (!hwc_.active() || (context_.driver_caps & capability) == 0)
    return false;
  hwc_.post_event(
      wire::EqeType::kReconfigurationData,
      wire::Eqe::ItemValue::put(value) | wire::Eqe::ItemType::put(static_cast<u32>(item)));
  return true;
}

}  // namespace mana::model
