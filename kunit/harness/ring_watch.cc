// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/ring_watch.h"

#include "kunit/shim/iommu.h"
#include "shim/memory.h"
#include "wire/tx.h"

namespace mana::kunit {

namespace {

constexpr u32 kMailbox = 0x28;
constexpr u32 kDoorbells = 0x1000;
constexpr u32 kPage = 0x1000;
constexpr u8 kConsumed = 0xEE;
constexpr u64 kConsumedAddress = 0xEEEEEEEEEEEEEEEE;

constexpr u32 kMaxRings = 32;
constexpr u32 kMaxEntries = 48;
constexpr u32 kMaxRegions = 64;
constexpr u32 kMaxVports = 8;

const char* name(RingWatch::Kind kind) {
  switch (kind) {
    case RingWatch::Kind::kRequests: return "request";
    case RingWatch::Kind::kResponses: return "response buffer";
    case RingWatch::Kind::kTransmit: return "packet";
    case RingWatch::Kind::kReceive: return "receive buffer";
    case RingWatch::Kind::kNone: break;
  }
  return "?";
}

bool is_sq(RingWatch::Kind kind) {
  return kind == RingWatch::Kind::kRequests || kind == RingWatch::Kind::kTransmit;
}

template <typename Message>
Message as(const u8* message) {
  Message copy;
  __builtin_memcpy(static_cast<void*>(&copy), message, sizeof(copy));
  return copy;
}

}  // namespace

struct RingWatch::State {
  u32 words[wire::smc::kWords];
  wire::EstablishHwc frames;
  Ring rings[kMaxRings];
  Entries entries[kMaxEntries];
  struct {
    u64 handle;
    u64 address;
  } regions[kMaxRegions];
  u32 region_count;
  struct {
    u64 handle;
    u32 offset;
  } vports[kMaxVports];
  u32 vport_count;
  u32 hwc_key;
  u32 key;
  u32 destination_rq;
  u32 destination_cq;
  u32 last_activity;
  ModelDevice::Request asked;
  // A completion whose last byte is still to come.
  struct {
    u64 address;
    u32 dw0;
    u32 wq;
  } pending;
  Wqe wqe;
  u32 seen_wqes[5];
  u32 seen_doorbells[5];
  u32 most_laps[5];
  u32 index_doorbells;
  u8 packet[65536 + 512];
};

RingWatch::RingWatch(Nic& nic)
    : device_{nic.device()},
      state_{static_cast<State*>(shim_alloc(sizeof(State), -1))},
      hook_{this} {
  if (!state_) {
    FAIL("no memory to watch rings with");
    return;
  }
  device_.eat_write = hook_;
  device_.on_request = hook_;
  device_.edit_response = hook_;
  device_.edit_write = hook_;
  device_.on_doorbell = hook_;
}

RingWatch::~RingWatch() {
  const unsigned long flags = kunit_function_lock(device_.function);
  device_.eat_write = nullptr;
  device_.on_request = nullptr;
  device_.edit_response = nullptr;
  device_.edit_write = nullptr;
  device_.on_doorbell = nullptr;
  kunit_function_unlock(device_.function, flags);
  shim_free(state_);
}

// --- what was seen ---

u32 RingWatch::wqes(Kind kind) const { return state_->seen_wqes[static_cast<u32>(kind)]; }
u32 RingWatch::doorbells(Kind kind) const { return state_->seen_doorbells[static_cast<u32>(kind)]; }
u32 RingWatch::index_doorbells() const { return state_->index_doorbells; }
u32 RingWatch::most_laps(Kind kind) const { return state_->most_laps[static_cast<u32>(kind)]; }

const RingWatch::Ring* RingWatch::ring(Kind kind, u32 n) const {
  for (const Ring& ring : state_->rings)
    if (ring.kind == kind && n-- == 0)
      return &ring;
  return nullptr;
}

// FNV-1a.
u64 RingWatch::digest(const u8* bytes, u32 length) {
  u64 sum = 0xcbf29ce484222325;
  for (u32 i = 0; i < length; i++)
    sum = (sum ^ bytes[i]) * 0x100000001b3;
  return sum;
}

u64 RingWatch::digest(const Wqe& wqe, u32 skip) const {
  u32 length = 0;
  for (u32 i = 0; i < wqe.sges; i++) {
    const u32 bytes = wqe.sge[i].size;
    if (bytes > sizeof(state_->packet) - length ||
        !kunit_dma_read(device_.function, wqe.sge[i].address, state_->packet + length, bytes)) {
      FAIL("SGE %u of a packet cannot be read", i);
      return 0;
    }
    length += bytes;
  }
  return digest(state_->packet + skip, length - min(skip, length));
}

// --- what the driver and the device say to each other ---

bool RingWatch::write(u64 offset, u64 value, u32 size) {
  if (offset < kDoorbells) {
    if (size != 4)
      FAIL("D-6: %u bytes are written to the mailbox at once", size);
    if (offset >= kMailbox && offset < kMailbox + wire::smc::kBytes)
      state_->words[(offset - kMailbox) / 4] = static_cast<u32>(value);
    const u32 header = state_->words[wire::smc::kHeaderWord];
    if (offset == kMailbox + 4 * wire::smc::kHeaderWord &&
        wire::smc::MessageType::get(header) == static_cast<u32>(wire::smc::Type::kEstablishHwc))
      establish();
    return false;
  }
  const u64 reg = offset % kPage;
  if (size != 8 || (reg != wire::doorbell::kSq && reg != wire::doorbell::kRq &&
                    reg != wire::doorbell::kCq && reg != wire::doorbell::kEq))
    FAIL("D-32: a doorbell of %u bytes at %#llx", size, offset);
  if (value >> 24 & 0xFF)
    FAIL("D-33: bits 31:24 of a doorbell are set: %#llx", value);
  return false;
}

void RingWatch::establish() {
  State& state = *state_;
  state.frames = wire::EstablishHwc::decode(state.words);
  clear_bytes(state.rings, sizeof(state.rings));
  clear_bytes(state.entries, sizeof(state.entries));
  state.region_count = state.vport_count = state.last_activity = 0;
  state.destination_rq = state.destination_cq = 0;
  const u64 eq = state.frames.eq_frame << wire::kPageShift;
  add(Entries{.exists = true,
              .events = true,
              .id = ~0u,
              .address = eq,
              .count = kPage / wire::Eqe::kSize,
              .produced = kPage / wire::Eqe::kSize});
}

void RingWatch::init_item(u32 item, u32 value) {
  State& state = *state_;
  const auto page = [](u64 frame) { return frame << wire::kPageShift; };
  switch (static_cast<wire::HwcInitItem>(item)) {
    case wire::HwcInitItem::kCqId:
      add(Entries{.exists = true,
                  .events = false,
                  .id = value,
                  .address = page(state.frames.cq_frame),
                  .count = kPage / wire::Cqe::kSize,
                  .produced = kPage / wire::Cqe::kSize});
      return;
    case wire::HwcInitItem::kRqId:
      add(Ring{.kind = Kind::kResponses,
               .id = value,
               .address = page(state.frames.rq_frame),
               .bytes = kPage});
      return;
    case wire::HwcInitItem::kSqId:
      add(Ring{.kind = Kind::kRequests,
               .id = value,
               .address = page(state.frames.sq_frame),
               .bytes = kPage});
      return;
    case wire::HwcInitItem::kGpaMkey: state.hwc_key = value; return;
    case wire::HwcInitItem::kDestinationRqId: state.destination_rq = value; return;
    case wire::HwcInitItem::kDestinationCqId: state.destination_cq = value; return;
    default: return;
  }
}

void RingWatch::request(const ModelDevice::Request& request) {
  State& state = *state_;
  state.asked = request;
  if (request.command == wire::Command::kDestroyWqObject) {
    const auto asked = request.as<wire::DestroyWqObjectRequest>();
    const Kind kind = asked.wq_type == wire::WqType::kSq ? Kind::kTransmit : Kind::kReceive;
    for (Ring& ring : state.rings) {
      if (ring.kind != kind || ring.object != asked.object)
        continue;
      for (Entries& entries : state.entries)
        if (!entries.events && entries.id == ring.cq)
          entries.exists = false;
      ring.kind = Kind::kNone;
    }
  }
  if (request.command == wire::Command::kDisableQueue) {
    const u32 id = request.as<wire::DisableQueueRequest>().queue_id;
    for (Entries& entries : state.entries)
      if (entries.events && entries.id == id)
        entries.exists = false;
  }
}

void RingWatch::response(wire::Command command, const u8* message) {
  State& state = *state_;
  if (as<wire::ResponseHeader>(message).status != wire::status::kSuccess)
    return;
  const auto address_of = [&](u64 region) {
    for (u32 i = 0; i < min(state.region_count, kMaxRegions); i++)
      if (state.regions[i].handle == region)
        return state.regions[i].address;
    FAIL("a queue in a region that nobody made");
    return u64{0};
  };
  switch (command) {
    case wire::Command::kRegisterDevice:
      state.key = as<wire::RegisterDeviceResponse>(message).gpa_mkey;
      return;
    case wire::Command::kCreateDmaRegion: {
      u64 first;
      __builtin_memcpy(&first, state.asked.message + sizeof(wire::CreateDmaRegionRequest),
                       sizeof(first));
      state.regions[state.region_count++ % kMaxRegions] = {
          .handle = as<wire::CreateDmaRegionResponse>(message).region, .address = first};
      return;
    }
    case wire::Command::kConfigVportTx:
      state.vports[state.vport_count++ % kMaxVports] = {
          .handle = state.asked.as<wire::ConfigVportTxRequest>().vport,
          .offset = as<wire::ConfigVportTxResponse>(message).vport_offset};
      return;
    case wire::Command::kCreateQueue: {
      const auto asked = state.asked.as<wire::CreateQueueRequest>();
      const u32 count = asked.queue_bytes / wire::Eqe::kSize;
      add(Entries{.exists = true,
                  .events = true,
                  .id = as<wire::CreateQueueResponse>(message).queue_id,
                  .address = address_of(asked.region),
                  .count = count,
                  .produced = count});
      return;
    }
    case wire::Command::kCreateWqObject: {
      const auto asked = state.asked.as<wire::CreateWqObjectRequest>();
      const auto made = as<wire::CreateWqObjectResponse>(message);
      const u32 count = asked.cq_bytes / wire::Cqe::kSize;
      add(Entries{.exists = true,
                  .events = false,
                  .id = made.cq_id,
                  .address = address_of(asked.cq_region),
                  .count = count,
                  .produced = count});
      Ring ring{.kind = asked.wq_type == wire::WqType::kSq ? Kind::kTransmit : Kind::kReceive,
                .id = made.wq_id,
                .cq = made.cq_id,
                .address = address_of(asked.wq_region),
                .bytes = asked.wq_bytes,
                .object = made.object,
                .vport = asked.vport};
      // The last word on this vPort.
      for (u32 i = 0; i < min(state.vport_count, kMaxVports); i++)
        if (state.vports[i].handle == asked.vport)
          ring.vport_offset = state.vports[i].offset;
      add(ring);
      return;
    }
    default: return;
  }
}

RingWatch::Ring* RingWatch::add(const Ring& ring) {
  for (Ring& slot : state_->rings) {
    if (slot.kind == Kind::kNone) {
      slot = ring;
      return &slot;
    }
  }
  FAIL("more queues than can be watched");
  return nullptr;
}

void RingWatch::add(const Entries& entries) {
  for (Entries& slot : state_->entries) {
    if (!slot.exists) {
      slot = entries;
      return;
    }
  }
  FAIL("more queues than can be watched");
}

RingWatch::Ring* RingWatch::find(Kind a, Kind b, u32 id) {
  for (Ring& ring : state_->rings)
    if ((ring.kind == a || ring.kind == b) && ring.id == id)
      return &ring;
  return nullptr;
}

// Whatever the device writes: entries of CQs and EQs come as all bytes but the last, then that.
void RingWatch::dma(u64 address, const u8* bytes, u32 length) {
  State& state = *state_;
  for (Entries& entries : state.entries) {
    const u32 size = entries.events ? wire::Eqe::kSize : wire::Cqe::kSize;
    if (!entries.exists || address < entries.address ||
        address >= entries.address + u64{entries.count} * size)
      continue;
    const u32 offset = static_cast<u32>(address - entries.address) % size;
    u32 words[16] = {};
    if (offset == 0 && length == size - 1) {
      __builtin_memcpy(words, bytes, length);
      state.pending = {.address = address, .dw0 = words[0], .wq = words[15] & 0xFFFFFF};
      if (entries.events && entries.id == ~0u &&
          (words[3] & 0xFF) == static_cast<u32>(wire::EqeType::kHwcEqIdDoorbell))
        entries.id = wire::Eqe::HwcEqId::get(words[0]);
      else if (entries.events && (words[3] & 0xFF) == static_cast<u32>(wire::EqeType::kHwcInitData))
        init_item(wire::Eqe::ItemType::get(words[0]), wire::Eqe::ItemValue::get(words[0]));
    } else if (offset == size - 1 && length == 1 && state.pending.address == address - offset) {
      entries.produced++;
      if (!entries.events)
        completion(entries.id, bytes[0] & 1, state.pending.wq, state.pending.dw0 & 0x3F);
    }
    return;
  }
}

void RingWatch::completion(u32 cq, bool of_sq, u32 wq, u32 type) {
  for (Ring& ring : state_->rings) {
    if (ring.kind == Kind::kNone || is_sq(ring.kind) != of_sq || ring.id != wq)
      continue;
    const bool data = ring.kind == Kind::kTransmit || ring.kind == Kind::kReceive;
    if (data && ring.cq != cq)
      continue;
    if (ring.kind != Kind::kReceive || type == static_cast<u32>(wire::RxCqeType::kOk) ||
        type == static_cast<u32>(wire::RxCqeType::kTruncated))
      consume(ring);
    return;
  }
}

// The WQE at `done` is the driver's again. What a template keeps between packets stays.
void RingWatch::consume(Ring& ring) {
  u8* const memory = static_cast<u8*>(kunit_dma_memory(device_.function, ring.address));
  Wqe& wqe = state_->wqe;
  if (ring.done == ring.tail || !memory || !parse(ring, ring.done, wqe)) {
    FAIL("a %s is not what it was when it was announced", name(ring.kind));
    return;
  }
  const u32 mask = ring.bytes - 1;
  const u32 sgl = wire::sgl_offset(wqe.oob_bytes == 24 ? wire::OobSize::k24 : wire::OobSize::k8);
  if (ring.kind == Kind::kReceive) {
    __builtin_memset(memory + ((ring.done + sgl) & mask), kConsumed, sizeof(u64));
  } else {
    if (ring.kind == Kind::kRequests)
      if (void* message = kunit_dma_memory(device_.function, wqe.sge[0].address))
        __builtin_memset(message, kConsumed, wqe.sge[0].size);
    for (u32 i = 0; i < wqe.bytes; i++)
      // ModelDevice knows an answer by the address in the first response buffer's WQE.
      if (ring.kind != Kind::kResponses || i < sgl || i >= sgl + sizeof(u64))
        memory[(ring.done + i) & mask] = kConsumed;
  }
  ring.done += wqe.bytes;
}

// --- doorbells ---

void RingWatch::doorbell(const Doorbell& doorbell) {
  Ring* ring = nullptr;
  switch (doorbell.reg) {
    case wire::doorbell::kSq: ring = find(Kind::kRequests, Kind::kTransmit, doorbell.id); break;
    case wire::doorbell::kRq: ring = find(Kind::kResponses, Kind::kReceive, doorbell.id); break;
    case wire::doorbell::kCq: index_moved(false, doorbell.id, doorbell.value); return;
    case wire::doorbell::kEq: index_moved(true, doorbell.id, doorbell.value); return;
    default: return;
  }
  if (ring)
    announce(*ring, doorbell.value);
  else
    FAIL("a doorbell of %s %#x, which does not exist", doorbell.reg ? "RQ" : "SQ", doorbell.id);
}

void RingWatch::announce(Ring& ring, u32 tail) {
  const u32 kind = static_cast<u32>(ring.kind);
  ring.doorbells++;
  state_->seen_doorbells[kind]++;
  if (tail % wire::kBasicUnit != 0 || tail - ring.done > ring.bytes ||
      tail - ring.done < ring.tail - ring.done) {
    FAIL("D-30: the tail of %s %#x goes from %#x to %#x, %#x are consumed", name(ring.kind),
         ring.id, ring.tail, tail, ring.done);
    return;
  }
  while (ring.tail != tail) {
    Wqe& wqe = state_->wqe;
    if (!parse(ring, ring.tail, wqe) || wqe.bytes > tail - ring.tail || !check(ring, wqe)) {
      FAIL("D-29: a %s is announced that is not complete: position %#x, %#x %#x", name(ring.kind),
           ring.tail, wqe.dw0, wqe.dw1);
      ring.tail = tail;
      return;
    }
    if (on_wqe)
      on_wqe(ring, wqe);
    ring.tail += wqe.bytes;
    ring.wqes++;
    state_->seen_wqes[kind]++;
  }
  state_->most_laps[kind] = max(state_->most_laps[kind], ring.tail / ring.bytes);
}

// D-31: an index of the ring's, behind which no more than a ring full is waiting.
void RingWatch::index_moved(bool events, u32 id, u32 index) {
  state_->index_doorbells++;
  for (const Entries& entries : state_->entries) {
    if (!entries.exists || entries.events != events || entries.id != id)
      continue;
    const u32 span = entries.count * wire::kOwnerLaps;
    if (index >= span || ((entries.produced - index) & (span - 1)) > entries.count)
      FAIL("D-31: the index of %s %#x is %u, but %u of %u entries were written",
           events ? "EQ" : "CQ", id, index, entries.produced, entries.count);
    return;
  }
  FAIL("a doorbell of %s %#x, which does not exist", events ? "EQ" : "CQ", id);
}

// False if it makes no sense as a WQE at all.
bool RingWatch::parse(const Ring& ring, u32 position, Wqe& wqe) const {
  const u8* const memory = static_cast<const u8*>(kunit_dma_memory(device_.function, ring.address));
  const u32 mask = ring.bytes - 1;
  clear_bytes(&wqe, sizeof(wqe));
  if (!memory)
    return false;
  __builtin_memcpy(&wqe.dw0, memory + (position & mask), 4);
  __builtin_memcpy(&wqe.dw1, memory + ((position + 4) & mask), 4);
  wqe.position = position;
  wqe.sges = wire::WqeHeader::SgeCount::get(wqe.dw1);
  const u32 code = wire::WqeHeader::OobSizeCode::get(wqe.dw1);
  if (code != static_cast<u32>(wire::OobSize::k8) && code != static_cast<u32>(wire::OobSize::k24))
    return false;
  const auto oob = static_cast<wire::OobSize>(code);
  wqe.oob_bytes = wire::oob_bytes(oob);
  wqe.bytes = wire::wqe_bytes(oob, wqe.sges);
  const u32 limit = is_sq(ring.kind) ? wire::kMaxSqWqeBytes : wire::kMaxRqWqeBytes;  // D-35
  if (wqe.sges == 0 || wqe.bytes > limit)
    return false;
  for (u32 i = 0; i < wqe.oob_bytes / 4; i++)
    __builtin_memcpy(&wqe.oob[i], memory + ((position + 8 + 4 * i) & mask), 4);
  for (u32 i = 0; i < wqe.sges; i++)
    __builtin_memcpy(&wqe.sge[i], memory + ((position + wire::sgl_offset(oob) + 16 * i) & mask),
                     16);
  return true;
}

bool RingWatch::check(const Ring& ring, const Wqe& wqe) {
  const bool channel = ring.kind == Kind::kRequests || ring.kind == Kind::kResponses;
  const u32 key = channel ? state_->hwc_key : state_->key;
  for (u32 i = 0; i < wqe.sges; i++)
    if (wqe.sge[i].memory_key != key || wqe.sge[i].size == 0 ||
        !kunit_dma_valid(device_.function, wqe.sge[i].address, wqe.sge[i].size))
      return false;
  switch (ring.kind) {
    case Kind::kRequests: return check_request(ring, wqe);
    case Kind::kTransmit: return check_transmit(ring, wqe);
    // Vector B.4: one SGE, 8 bytes of OOB, nothing else.
    case Kind::kResponses:
      return wqe.dw0 == 0 && wqe.dw1 == 0x201 && wqe.sge[0].size == wire::kMaxHwcMessage;
    case Kind::kReceive: return wqe.dw0 == 0 && wqe.dw1 == 0x201 && check_receive(ring, wqe);
    case Kind::kNone: break;
  }
  return false;
}

// Vector B.4, and the message itself (D-41).
bool RingWatch::check_request(const Ring& ring, const Wqe& wqe) {
  State& state = *state_;
  const Ring* responses = nullptr;
  for (const Ring& other : state.rings)
    if (other.kind == Kind::kResponses)
      responses = &other;
  if (!responses || responses->tail == responses->done) {
    FAIL("D-16: a request without a buffer for its response");
    return false;
  }
  u32 cq = ~0u;
  for (const Entries& entries : state.entries)
    if (entries.exists && !entries.events &&
        entries.address == state.frames.cq_frame << wire::kPageShift)
      cq = entries.id;
  if (wqe.dw0 != 0 || wqe.dw1 != 0x601 || wqe.oob[0] != 0 || wqe.oob[1] != 0 ||
      wqe.oob[2] != state.destination_rq || wqe.oob[3] != state.destination_cq ||
      wqe.oob[4] != cq || wqe.oob[5] != ring.id)
    return false;
  const auto* message =
      static_cast<const u8*>(kunit_dma_memory(device_.function, wqe.sge[0].address));
  if (!message || wqe.sge[0].size < sizeof(wire::RequestHeader))
    return false;
  const auto header = as<wire::RequestHeader>(message);
  const bool fresh = header.activity_id != state.last_activity || ring.wqes == 0;
  state.last_activity = header.activity_id;
  return fresh && header.request.header_type == wire::MessageHeader::kStandard &&
         header.request.size == wqe.sge[0].size && header.request.version != 0 &&
         header.request.message_type == header.response.message_type &&
         header.response.size >= sizeof(wire::ResponseHeader) &&
         header.response.size <= wire::kMaxHwcMessage;
}

// Data sheet 8.1 and 8.4.
bool RingWatch::check_transmit(const Ring& ring, const Wqe& wqe) {
  using wire::TxOob;
  using wire::WqeHeader;
  const u32 headers = WqeHeader::LastVbytes::get(wqe.dw0);
  const u32 mss = WqeHeader::ClientDataUnit::get(wqe.dw1);
  const bool in_sgl = WqeHeader::ClientOobInSgl::get(wqe.dw1);
  if (wqe.dw0 != WqeHeader::LastVbytes::put(headers) || WqeHeader::DirectSgl::get(wqe.dw1) ||
      in_sgl != (mss != 0) || in_sgl != (headers != 0) || (in_sgl && wqe.sge[0].size != headers) ||
      (in_sgl && wqe.sges < wire::kMinLsoSges) || wqe.sges > wire::kMaxTxSges)
    return false;
  const bool long_form = TxOob::PacketFormat::get(wqe.oob[0]) == TxOob::kLongFormat;
  if (long_form != (wqe.oob_bytes == 24) || TxOob::CqId::get(wqe.oob[0]) != ring.cq ||
      TxOob::SuppressCqe::get(wqe.oob[0]) ||
      TxOob::SqFrame::put(TxOob::SqFrame::get(wqe.oob[1])) != (ring.id & TxOob::SqFrame::kMask))
    return false;
  const u32 fits_short = ring.vport_offset <= TxOob::kMaxShortVportOffset ? ring.vport_offset : 0;
  if (TxOob::ShortVportOffset::get(wqe.oob[1]) != fits_short)
    return false;
  return !long_form || (TxOob::LongVportOffset::get(wqe.oob[3]) == ring.vport_offset &&
                        wqe.oob[4] == 0 && wqe.oob[5] == 0);
}

// No buffer is in the ring twice.
bool RingWatch::check_receive(const Ring& ring, const Wqe& wqe) {
  const u8* const memory = static_cast<const u8*>(kunit_dma_memory(device_.function, ring.address));
  if (wqe.sge[0].address == kConsumedAddress)
    return false;
  for (u32 at = ring.done; at != ring.tail; at += wire::kHwcResponseWqeBytes) {
    u64 other;
    __builtin_memcpy(&other, memory + ((at + 16) & (ring.bytes - 1)), sizeof(other));
    if (other == wqe.sge[0].address) {
      FAIL("P6: a receive buffer is posted twice");
      return false;
    }
  }
  return true;
}

}  // namespace mana::kunit
