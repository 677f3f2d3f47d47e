// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/receive_bench.h"

#include "kunit/shim/mmio.h"
#include "shim/memory.h"
#include "shim/sync.h"
#include "wire/gdma_commands.h"

namespace mana::kunit {

namespace {

// The doorbell page of the BNIC, behind the channel's own.
constexpr u32 kPage = 1;
constexpr u64 kRqBell = 0x2000 + wire::doorbell::kRq;
// Of the model's generator: src/model/load.h.
constexpr u64 kTrigger = 0x3FF8;

}  // namespace

ReceiveBench::ReceiveBench(const Config& config)
    : nic{{.ports = config.ports,
           .queues = config.queues,
           .options = config.options,
           .pace = config.pace}},
      config_{config} {
  nic.device().edit_response = learn_;
  nic.device().eat_write = watch_;
  nic.device().on_doorbell = ring_;
  nic.device().edit_write = edit_;
}

ReceiveBench::~ReceiveBench() { remove_tap(); }

void ReceiveBench::remove_tap() {
  if (tap_)
    kunit_tap_destroy(exchange(tap_, nullptr));
}

bool ReceiveBench::probe() {
  if (!nic || !nic.device())
    return false;
  int error = nic.probe();
  for (u32 i = 0; i < config_.ports && error == 0; i++) {
    error = kunit_netdev_set_rings(nic.netdev(i), i == port() ? config_.ring : 128, 128);
    if (error == 0 && config_.scatter)
      error = kunit_netdev_set_scatter(nic.netdev(i), true);
    if (error == 0)
      error = kunit_netdev_set_mtu(nic.netdev(i), config_.mtu);
  }
  if (error != 0)
    FAIL("the function does not come up: %d", error);
  return error == 0;
}

bool ReceiveBench::up() {
  if (!probe())
    return false;
  for (u32 i = 0; i < config_.ports; i++) {
    if (const int error = nic.open(i); error != 0) {
      FAIL("port %u does not open: %d", i, error);
      return false;
    }
  }
  kunit_netdev_set_feature(netdev(), KUNIT_FEATURE_GRO, false);
  tap_ = kunit_tap_create(netdev());
  if (!tap_)
    FAIL("no memory for a tap");
  nic.settle();
  return tap_ != nullptr;
}

// --- frames ---

Frame ReceiveBench::numbered(u32 n, u32 payload) {
  Frame frame = Frame::raw(14 + payload, 77, 1, static_cast<u8>(n * 7));
  if (frame)
    put32(frame.bytes() + 14, n);
  return frame;
}

u32 ReceiveBench::inject(u32 count, u32 first, u32 payload) {
  auto make = [=](u32 i) { return numbered(first + i, payload); };
  return inject_each(count, make);
}

u32 ReceiveBench::inject_each(u32 count, Hook<Frame(u32)> make) {
  const u32 bytes = make(0).length();
  // Made beforehand: with the device still there is nothing to allocate.
  u8* frames = static_cast<u8*>(shim_alloc(size_t{count} * bytes, -1));
  if (!frames) {
    FAIL("no memory for %u frames", count);
    return 0;
  }
  for (u32 i = 0; i < count; i++) {
    const Frame frame = make(i);
    if (frame.length() == bytes)
      __builtin_memcpy(frames + size_t{i} * bytes, frame.bytes(), bytes);
    else
      FAIL("frame %u has another length", i);
  }
  u32 taken = 0;
  {
    const StillFunction still{nic.function()};
    for (u32 i = 0; i < count; i++)
      taken += nic.device().receive(port(), frames + size_t{i} * bytes, bytes);
  }
  shim_free(frames);
  nic.settle();
  return taken;
}

u32 ReceiveBench::inject_same(const Frame& frame, u32 count) {
  u32 taken = 0;
  {
    const StillFunction still{nic.function()};
    for (u32 i = 0; i < count; i++)
      taken += inject_now(frame);
  }
  nic.settle();
  return taken;
}

bool ReceiveBench::inject(const Frame& frame) { return inject_same(frame, 1) == 1; }

bool ReceiveBench::inject_now(const Frame& frame) {
  return frame && nic.device().receive(port(), frame.bytes(), frame.length());
}

bool ReceiveBench::arrive(u32 count, u32 first, u32 payload) {
  for (u32 n = first; n < first + count; n++) {
    const Skb skb = take();
    if (!skb) {
      kunit_note("frame %u did not arrive", n);
      return false;
    }
    if (!skb.holds(numbered(n, payload))) {
      kunit_note("frame %u arrived changed", n);
      return false;
    }
  }
  if (arrived() != 0) {
    kunit_note("%u frames too many", arrived());
    return false;
  }
  return true;
}

bool ReceiveBench::pass(u32 count, u32 first, u32 payload) {
  // Few enough for the pool to have a place for every page when they come back.
  constexpr u32 kPart = 48;
  for (u32 done = 0; done < count;) {
    const u32 part = min(count - done, kPart);
    if (inject(part, first + done, payload) != part) {
      kunit_note("the device had no buffer for a frame");
      return false;
    }
    if (!arrive(part, first + done, payload))
      return false;
    done += part;
  }
  return true;
}

void ReceiveBench::start_traffic(u32 count, u32 bytes, u32 burst, u32 interval) {
  char line[96];
  shim_format(line, sizeof(line), "load %u udp %u burst %u interval %u", port(), bytes, burst,
              interval);
  if (__builtin_strcmp(nic.device().control(line), "ok") != 0)
    FAIL("the device model does not understand \"%s\"", line);
  kunit_function_write(function(), kTrigger, count, 8);
}

u64 ReceiveBench::traffic_left() { return kunit_function_read(function(), kTrigger, 8); }

void ReceiveBench::end_traffic() {
  char line[32];
  shim_format(line, sizeof(line), "load %u off", port());
  nic.device().control(line);
  nic.settle();
}

// --- what the driver made ---

void ReceiveBench::Learn::operator()(wire::Command command, u8* bytes, u32 length) const {
  ModelDevice& device = bench.nic.device();
  const auto& request = device.request(device.request_count() - 1);
  if (command == wire::Command::kCreateDmaRegion &&
      length >= sizeof(wire::CreateDmaRegionResponse)) {
    auto& region = bench.regions_[bench.region_count_++ % kRegions];
    wire::CreateDmaRegionResponse response;
    __builtin_memcpy(static_cast<void*>(&response), bytes, sizeof(response));
    region.handle = response.region;
    // The list of its pages begins with the address.
    __builtin_memcpy(&region.address, request.message + sizeof(wire::CreateDmaRegionRequest), 8);
  }
  if (command != wire::Command::kCreateWqObject || length < sizeof(wire::CreateWqObjectResponse))
    return;
  const auto wanted = request.as<wire::CreateWqObjectRequest>();
  if (wanted.wq_type != wire::WqType::kRq)
    return;
  wire::CreateWqObjectResponse response;
  __builtin_memcpy(static_cast<void*>(&response), bytes, sizeof(response));
  Rq& rq = bench.rqs_[bench.rq_count_++ % kRqs];
  rq = {};
  rq.wq_id = response.wq_id;
  rq.cq_id = response.cq_id;
  rq.wq_bytes = wanted.wq_bytes;
  rq.cq_bytes = wanted.cq_bytes;
  for (const auto& region : bench.regions_) {
    if (region.handle == wanted.wq_region)
      rq.wq_address = region.address;
    if (region.handle == wanted.cq_region)
      rq.cq_address = region.address;
  }
}

ReceiveBench::Rq* ReceiveBench::find(u32 id, bool cq) {
  for (u32 n = 0; n < min(rq_count_, kRqs); n++) {
    Rq& rq = rqs_[(rq_count_ - 1 - n) % kRqs];
    if ((cq ? rq.cq_id : rq.wq_id) == id)
      return &rq;
  }
  return nullptr;
}

bool ReceiveBench::Watch::operator()(u64 offset, u64 value, u32) const {
  if (offset == kRqBell)
    if (Rq* rq = bench.find(static_cast<u32>(wire::doorbell::QueueId::get(value)), false))
      rq->wqe_counts += static_cast<u32>(value >> 24 & 0xFF);
  return false;
}

void ReceiveBench::Ring::operator()(const Doorbell& doorbell) const {
  if (doorbell.page == kPage && doorbell.reg == wire::doorbell::kRq) {
    if (Rq* rq = bench.find(doorbell.id, false)) {
      rq->bells++;
      rq->backwards |= doorbell.value - rq->tail > rq->wq_bytes;
      rq->tail = doorbell.value;
    }
  } else if (doorbell.page == kPage && doorbell.reg == wire::doorbell::kCq) {
    if (Rq* rq = bench.find(doorbell.id, true)) {
      rq->cq_bells++;
      rq->arms += doorbell.arm;
      rq->index = doorbell.value;
    }
  }
  if (bench.on_doorbell)
    bench.on_doorbell(doorbell);
}

void ReceiveBench::Edit::operator()(u64 address, u8* bytes, u32 length) const {
  // All but the byte with the owner bits, which comes last, by itself.
  constexpr u32 kEntry = wire::Cqe::kSize - 1;
  if ((!bench.on_completion && !bench.on_fence) || length != kEntry)
    return;
  for (u32 n = 0; n < min(bench.rq_count_, kRqs); n++) {
    const Rq& rq = bench.rqs_[n];
    if (address - rq.cq_address >= rq.cq_bytes)
      continue;
    wire::RxCqe cqe{};
    __builtin_memcpy(static_cast<void*>(&cqe), bytes, kEntry);
    const auto& hook = cqe.type() == wire::RxCqeType::kFence ? bench.on_fence : bench.on_completion;
    if (!hook)
      return;
    hook(cqe);
    __builtin_memcpy(bytes, &cqe, kEntry);
    return;
  }
}

wire::Cqe* ReceiveBench::cqe(u32 index, u32 n) const {
  auto* ring = static_cast<wire::Cqe*>(kunit_dma_memory(function(), rq(n).cq_address));
  if (!ring)
    FAIL("the CQ is gone");
  return ring ? ring + index % (rq(n).cq_bytes / wire::Cqe::kSize) : nullptr;
}

const u8* ReceiveBench::wqe(u32 index, u32 n) const {
  const auto* ring = static_cast<const u8*>(kunit_dma_memory(function(), rq(n).wq_address));
  if (!ring)
    FAIL("the RQ is gone");
  return ring ? ring + index * wire::kBasicUnit % rq(n).wq_bytes : nullptr;
}

kunit_pool ReceiveBench::pool(u32 index) const {
  kunit_pool pool{};
  if (!kunit_pool_look(netdev(), index, &pool))
    FAIL("there is no page pool %u", index);
  return pool;
}

kunit_dma_calls ReceiveBench::dma() const {
  kunit_dma_calls calls{};
  kunit_dma_get_calls(function(), &calls);
  return calls;
}

u64 ReceiveBench::queue_stat(const char* name) const {
  char full[32];
  shim_format(full, sizeof(full), "rx_0_%s", name);
  return stat(full);
}

bool ReceiveBench::await_recoveries(u32 count) const {
  for (u32 i = 0; i < 300 && stat("queue_recoveries") < count; i++)
    shim_sleep_ms(20);
  nic.settle();
  return stat("queue_recoveries") == count && kunit_netdev_carrier(netdev());
}

bool ReceiveBench::await_pools(u32 count) const {
  for (u32 i = 0; i < 40 && pools() != count; i++)
    shim_sleep_ms(100);
  return pools() == count;
}

void ReceiveBench::expect_whole_ring() {
  clear_arrived();
  const u64 lost = without_buffer();
  // Two polls, each of enough packets for a doorbell: now the device was told of all buffers.
  constexpr u32 kTwoPolls = 96;
  EXPECT_EQ(inject(kTwoPolls, 500), kTwoPolls);
  EXPECT(arrive(kTwoPolls, 500));
  EXPECT_EQ(inject(buffers(), 500), buffers());
  EXPECT(arrive(buffers(), 500));
  EXPECT_EQ(without_buffer(), lost);
}

}  // namespace mana::kunit
