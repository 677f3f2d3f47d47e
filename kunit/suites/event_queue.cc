// SPDX-License-Identifier: GPL-2.0
// src/hwc/event_queue.cc: data event queues, how they are shared, what they tell, and how they end.
#include "hwc/event_queue.h"

#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/harness/nic.h"
#include "kunit/harness/scripted_channel.h"
#include "kunit/shim/faults.h"
#include "shim/irq.h"

namespace mana::kunit {
namespace {

using wire::Command;
using wire::EqeType;

using Access = ScriptedDevice::Access;
using Request = ScriptedDevice::Request;

constexpr u32 kCqs = 128;
constexpr u32 kPage = 1;
constexpr u32 kChannelMemory = 6;  // pieces of DMA memory that the channel itself has

// The event queues of a function, and somebody who wants to hear of the CQ number kCq.
class Exchange : NonCopyable {
 public:
  static constexpr u32 kCq = 0x25;

  explicit Exchange(kunit_pace pace = KUNIT_PACE_LATER) : rig_{{.pace = pace}} {
    mana_.channel = &rig_.channel();
    mana_.doorbell = *rig_.map().doorbell_page(kPage);
    first_ = device().request_count;
    auto cqs = gdma::CqTable::create(kCqs, kern::kAnyNode);
    napi_ = kunit_napi_create();
    if (!cqs || !napi_ || !queues_.init(3)) {
      FAIL("no memory for event queues");
      return;
    }
    cqs_ = mana::move(*cqs);
    listener_ = {.cq_id = kCq, .napi = kunit_napi_of(napi_)};
    EXPECT(cqs_.publish(listener_));
  }
  ~Exchange() {
    if (napi_)
      kunit_napi_destroy(napi_);
  }
  explicit operator bool() const { return rig_ && napi_; }

  ScriptedChannel& rig() { return rig_; }
  ScriptedDevice& device() const { return rig_.device(); }
  hwc::EventQueueSet& queues() { return queues_; }
  gdma::CqTable& cqs() { return cqs_; }
  gdma::CqListener& listener() { return listener_; }

  hwc::EventQueue* acquire(u32 index = 0) {
    auto queue = queues_.acquire(index);
    held_ += queue.ok();
    return queue ? queue.value() : nullptr;
  }
  Errno acquire_error(u32 index = 0) {
    auto queue = queues_.acquire(index);
    held_ += queue.ok();
    return queue ? Errno{0} : queue.error();
  }
  // The last one is the end of the function's life too, and so of all queues.
  void release(hwc::EventQueue& queue) {
    queues_.release(queue);
    if (--held_ == 0)
      queues_.clear();
  }

  // Number of the queue on the device.
  ScriptedDevice::EventQueue& on_device(u32 n = 1) const { return device().event_queue(n); }
  void push(EqeType type, u32 value, u32 n = 1) {
    rig_.still([&] { device().push_event(type, value, n); });
  }
  void complete(u32 cq = kCq, u32 n = 1) { push(EqeType::kCompletion, cq, n); }
  // That many events on the first queue before its interrupt: nothing is read in between.
  void flood(u32 count) {
    rig_.still([&] {
      device().lose_interrupts = true;
      for (u32 n = 0; n < count; n++)
        device().push_event(EqeType::kCompletion, kCq, 1);
      device().lose_interrupts = false;
      kunit_raise(rig_.function().get(), on_device().vector);
    });
  }
  u32 polls() {
    rig_.settle();
    return kunit_napi_polls(napi_);
  }
  u32 count_of(Command command) const { return device().count_of(command, first_); }
  // Pieces of DMA memory that are not the channel's.
  u32 memory() const { return rig_.coherent() - kChannelMemory; }

  u32 overruns = 0;  // that the owner was told of

 private:
  ScriptedChannel rig_;
  hwc::Device mana_;
  gdma::CqTable cqs_;
  gdma::CqListener listener_;
  kunit_napi* napi_ = nullptr;
  u32 first_ = 0;
  u32 held_ = 0;
  hwc::EventQueueSet queues_{
      {.function = rig_.pci(),
       .device = mana_,
       .cqs = cqs_,
       .quarantine = rig_.quarantine(),
       .overrun = [](void* self) { static_cast<Exchange*>(self)->overruns++; },
       .overrun_context = this}};
};

// --- creation ---------------------------------------------------------------------------------

CASE(vectors_and_numbers) {
  Exchange exchange;
  for (u32 index = 0; index < 3; index++) {
    hwc::EventQueue* queue = exchange.acquire(index);
    ASSERT(queue);
    EXPECT_EQ(queue->id(), exchange.on_device(1 + index).id);
    EXPECT_EQ(queue->vector(), index + 1);
    EXPECT_EQ(exchange.on_device(1 + index).vector, index + 1);
    EXPECT_EQ(queue->irq(), shim_vector_irq(exchange.rig().pci().get(), index + 1));
    exchange.release(*queue);
  }
  EXPECT_EQ(exchange.memory(), 0u);
  EXPECT_EQ(exchange.queues().count(), 3u);
}

CASE(D37_armed_from_the_start) {
  Exchange exchange{KUNIT_PACE_AT_ONCE};
  u64 rung = 0;
  u32 bells = 0;
  const auto look = [&](const Access& access) {
    if (access.is_write &&
        access.offset == ScriptedDevice::kDoorbells + 0x1000 * kPage + wire::doorbell::kEq) {
      rung = access.value;
      bells++;
    }
  };
  exchange.device().on_access = look;
  hwc::EventQueue* queue = exchange.acquire();
  exchange.device().on_access = nullptr;
  ASSERT(queue);
  EXPECT_EQ(bells, 1u);
  EXPECT_EQ(rung, 1ull << 63 | static_cast<u64>(exchange.on_device().entries) << 32 | queue->id());
  EXPECT(exchange.on_device().armed);
  exchange.release(*queue);
}

// An event that came before the driver knew the queue's id: its interrupt finds nothing to ring.
CASE(D37_an_event_before_the_answer) {
  Exchange exchange{KUNIT_PACE_AT_ONCE};
  auto& device = exchange.device();
  wire::RequestHeader asked{};
  const auto reply = [&] {
    auto& message = device.answer(asked, 0, 36);
    message.as<wire::CreateQueueResponse>().queue_id = exchange.on_device().id;
    device.respond(message);
  };
  const auto answer = [&](const Request& request) {
    if (request.command != Command::kCreateQueue) {
      device.succeed(request);
      return;
    }
    asked = request.header();
    exchange.on_device() = {.address = 0,
                            .entries = 256,
                            .vector = request.at<u32>(76),
                            .id = ScriptedDevice::kFirstEqId,
                            .head = 256,
                            .armed = true,
                            .exists = true};
    device.event_queue_count = 2;
    // The region message was the one before.
    exchange.on_device().address = device.request(device.request_count - 2).at<u64>(64);
    device.push_event(EqeType::kCompletion, Exchange::kCq, 1);
    device.after(50, reply);
  };
  device.on_request = answer;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  EXPECT_EQ(exchange.polls(), 1u);
  EXPECT_EQ(exchange.on_device().notified, 2u);
  EXPECT(exchange.on_device().armed);
  device.on_request = nullptr;
  exchange.release(*queue);
}

CASE(every_allocation_of_an_event_queue) {
  Exchange exchange;
  ASSERT(exchange);
  u32 failures = 0;
  for (u32 n = 1; n < 100; n++) {
    kunit_fail_allocation(n);
    const Errno error = exchange.acquire_error();
    const bool reached = kunit_fail_allocation_left() == 0;
    kunit_fail_allocation(0);
    if (error == Errno{0}) {
      exchange.release(*exchange.acquire());
      exchange.release(*exchange.acquire());
    }
    if (!reached) {
      EXPECT_EQ(error, Errno{0});
      break;
    }
    failures += error != Errno{0};
    EXPECT(error == Errno{0} || error == Errno::kNoMemory);
  }
  EXPECT_GE(failures, 2u);
}

CASE(an_interrupt_that_cannot_be_had) {
  Exchange exchange;
  const auto somebody = kern::Array<u8>::create(4096, kern::kAnyNode);
  auto* other = reinterpret_cast<mana_eq*>(somebody.value().data());
  ASSERT_EQ(shim_irq_request_eq(exchange.rig().pci().get(), 1, "somebody", other), 0);
  EXPECT_EQ(exchange.acquire_error(), Errno::kBusy);
  EXPECT_EQ(exchange.count_of(Command::kCreateDmaRegion), 0u);
  EXPECT_EQ(exchange.memory(), 0u);
  shim_irq_free_eq(exchange.rig().pci().get(), 1, other);
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  exchange.release(*queue);
}

// --- events -----------------------------------------------------------------------------------

CASE(a_completion_event_schedules_its_napi) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  for (u32 n = 1; n <= 5; n++) {
    exchange.complete();
    EXPECT_EQ(exchange.polls(), n);
  }
  // On whatever queue it comes.
  hwc::EventQueue* other = exchange.acquire(2);
  ASSERT(other);
  exchange.complete(Exchange::kCq, 2);
  EXPECT_EQ(exchange.polls(), 6u);
  exchange.release(*other);
  exchange.release(*queue);
}

CASE(D37_armed_after_each_pass) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  auto& eq = exchange.on_device();
  // More than eight laps, in bursts of all sizes up to a third of the ring.
  for (u32 burst = 1; eq.head < 10 * eq.entries; burst = burst % 85 + 1) {
    exchange.rig().still([&] {
      for (u32 n = 0; n < burst; n++)
        exchange.device().push_event(EqeType::kCompletion, Exchange::kCq, 1);
    });
    const Stopwatch watch;
    while (!kern::read_once(eq.armed) && watch.ms() < 100)
      shim_sleep_ms(1);
    ASSERT(eq.armed);
  }
  const u32 before = exchange.polls();
  exchange.complete();
  EXPECT_EQ(exchange.polls(), before + 1);
  EXPECT_EQ(exchange.overruns, 0u);
  exchange.release(*queue);
}

CASE(D38_unknown_cqs) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  for (u32 cq : {0u, Exchange::kCq - 1, Exchange::kCq + 1, kCqs - 1, kCqs, kCqs + Exchange::kCq,
                 0x10000u, 0xFFFFFFu, 0xFFFFFFFFu})
    exchange.complete(cq);
  EXPECT_EQ(exchange.polls(), 0u);
  exchange.complete(0xFF000000 | Exchange::kCq);  // bits 31:24 are reserved
  EXPECT_EQ(exchange.polls(), 1u);
  // D-64: after this nobody hears of it.
  exchange.cqs().unpublish(exchange.listener());
  queue->synchronize();
  exchange.complete();
  EXPECT_EQ(exchange.polls(), 1u);
  EXPECT(exchange.on_device().armed);
  exchange.release(*queue);
}

CASE(D15_other_events) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  for (u32 type = 0; type < 256; type++) {
    if (type != static_cast<u32>(EqeType::kCompletion))
      exchange.push(static_cast<EqeType>(type), Exchange::kCq);
    if (type % 64 == 63)
      exchange.rig().settle();
  }
  EXPECT_EQ(exchange.polls(), 0u);
  EXPECT_EQ(exchange.rig().told_count(), 0u);  // a reset request is the channel's business
  exchange.complete();
  EXPECT_EQ(exchange.polls(), 1u);
  exchange.release(*queue);
}

CASE(D40_a_full_queue) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  for (u32 round = 0; round < 3; round++) {
    exchange.flood(exchange.on_device().entries);
    EXPECT_GE(exchange.polls(), round + 1);
    EXPECT(exchange.on_device().armed);
    EXPECT_EQ(exchange.on_device().notified, round + 1);
  }
  EXPECT_EQ(exchange.overruns, 0u);
  exchange.release(*queue);
}

// --- overruns ---------------------------------------------------------------------------------

CASE(D39_an_overrun_is_told_once) {
  for (s32 owner = 2; owner < 8; owner++) {
    Exchange exchange;
    hwc::EventQueue* queue = exchange.acquire();
    ASSERT(queue);
    exchange.device().event_owner = owner;
    exchange.complete();
    exchange.rig().settle();
    exchange.device().event_owner = -1;
    EXPECT(queue->overrun());
    EXPECT_EQ(exchange.overruns, 1u);
    EXPECT_EQ(exchange.polls(), 0u);
    EXPECT(!exchange.on_device().armed);
    // Silent from now on, even if interrupts come.
    const u32 bells = exchange.on_device().doorbells;
    for (u32 n = 0; n < 10; n++) {
      exchange.rig().still([&] { kunit_raise(exchange.rig().function().get(), 1); });
      exchange.rig().settle();
    }
    EXPECT_EQ(exchange.overruns, 1u);
    EXPECT_EQ(exchange.on_device().doorbells, bells);
    EXPECT(!exchange.rig().channel().failed());
    exchange.release(*queue);
  }
}

CASE(D39_more_events_than_the_queue_holds) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  exchange.flood(exchange.on_device().entries + 1);
  exchange.rig().settle();
  EXPECT(queue->overrun());
  EXPECT_EQ(exchange.overruns, 1u);
  exchange.release(*queue);
}

// Its users let go of it one by one. The new one works meanwhile, on the same vector.
CASE(D39_an_overrun_queue_is_replaced) {
  Exchange exchange;
  hwc::EventQueue* old_one = exchange.acquire();
  EXPECT_EQ(exchange.acquire(), old_one);
  ASSERT(old_one);
  exchange.device().event_owner = 5;
  exchange.complete();
  exchange.rig().settle();
  exchange.device().event_owner = -1;

  hwc::EventQueue* new_one = exchange.acquire();
  ASSERT(new_one && new_one != old_one);
  EXPECT_NE(new_one->id(), old_one->id());
  EXPECT_EQ(new_one->vector(), old_one->vector());
  EXPECT_EQ(exchange.acquire(), new_one);
  exchange.complete(Exchange::kCq, 2);
  EXPECT_EQ(exchange.polls(), 1u);

  EXPECT_EQ(exchange.memory(), 2u);
  exchange.release(*old_one);
  EXPECT_EQ(exchange.count_of(Command::kDisableQueue), 0u);
  exchange.release(*old_one);
  EXPECT_EQ(exchange.count_of(Command::kDisableQueue), 1u);
  EXPECT(!exchange.on_device(1).exists);
  EXPECT_EQ(exchange.memory(), 1u);
  exchange.complete(Exchange::kCq, 2);
  EXPECT_EQ(exchange.polls(), 2u);
  exchange.release(*new_one);
  exchange.release(*new_one);
  EXPECT(!exchange.on_device(2).exists);
  EXPECT_EQ(exchange.memory(), 0u);
}

// Three generations, and the one in the middle goes first.
CASE(D39_overruns_in_a_row) {
  Exchange exchange;
  hwc::EventQueue* queues[3];
  for (u32 n = 0; n < 3; n++) {
    queues[n] = exchange.acquire();
    ASSERT(queues[n]);
    if (n < 2) {
      exchange.device().event_owner = 5;
      exchange.complete(Exchange::kCq, n + 1);
      exchange.rig().settle();
      exchange.device().event_owner = -1;
    }
  }
  EXPECT_EQ(exchange.overruns, 2u);
  for (u32 n : {1u, 0u, 2u}) {
    exchange.release(*queues[n]);
    EXPECT(!exchange.on_device(n + 1).exists);
    EXPECT_EQ(exchange.on_device(3).exists, n != 2);
  }
  EXPECT_EQ(exchange.memory(), 0u);
  EXPECT_EQ(exchange.count_of(Command::kDisableQueue), 3u);
}

CASE(D39_no_replacement_at_first) {
  Exchange exchange;
  hwc::EventQueue* old_one = exchange.acquire();
  ASSERT(old_one);
  exchange.device().event_owner = 5;
  exchange.complete();
  exchange.rig().settle();
  exchange.device().event_owner = -1;
  const auto refuse = [&](const Request& request) {
    exchange.device().respond(exchange.device().answer(request.header(), 1));
  };
  exchange.device().on_request = refuse;
  EXPECT_EQ(exchange.acquire_error(), Errno::kIo);
  EXPECT_EQ(exchange.acquire_error(), Errno::kIo);
  exchange.device().on_request = nullptr;
  hwc::EventQueue* new_one = exchange.acquire();
  ASSERT(new_one && new_one != old_one);
  exchange.release(*new_one);
  exchange.release(*old_one);
  EXPECT_EQ(exchange.memory(), 0u);
  EXPECT_EQ(exchange.device().live_queues, 0u);
}

// --- sharing and the end ----------------------------------------------------------------------

CASE(shared_and_counted) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire(1);
  ASSERT(queue);
  for (u32 n = 0; n < 4; n++)
    EXPECT_EQ(exchange.acquire(1), queue);
  EXPECT_EQ(exchange.count_of(Command::kCreateQueue), 1u);
  for (u32 n = 0; n < 4; n++)
    exchange.release(*queue);
  EXPECT_EQ(exchange.count_of(Command::kDisableQueue), 0u);
  exchange.release(*queue);
  EXPECT_EQ(exchange.count_of(Command::kDisableQueue), 1u);
  EXPECT_EQ(exchange.memory(), 0u);
  queue = exchange.acquire(1);
  ASSERT(queue);
  EXPECT_EQ(exchange.count_of(Command::kCreateQueue), 2u);
  exchange.release(*queue);
}

// Threads come and go; the queue is never twice on the device.
CASE(shared_by_threads) {
  Exchange exchange;
  u32 rounds[3] = {};
  const auto use = [&](u32 who) {
    for (u32 n = 0; n < 15; n++)
      if (auto queue = exchange.queues().acquire(0)) {
        rounds[who] += (*queue)->id() >= ScriptedDevice::kFirstEqId;
        exchange.queues().release(**queue);
      }
  };
  u32 most = 0;
  const auto answer = [&](const Request& request) {
    auto& device = exchange.device();
    // The device forgets queues that are gone, so that there are always numbers left.
    if (device.event_queue_count > 5 && device.live_queues == 0)
      device.event_queue_count = 1;
    device.succeed(request);
    most = max(most, device.live_queues);
  };
  exchange.device().on_request = answer;
  auto first = [&] { use(0); };
  auto second = [&] { use(1); };
  {
    const Thread one{first};
    const Thread two{second};
    use(2);
  }
  EXPECT_EQ(rounds[0] + rounds[1] + rounds[2], 45u);
  EXPECT_EQ(most, 1u);
  // Those who come later find the one that the first had made.
  EXPECT_EQ(exchange.count_of(Command::kCreateQueue), 1u);
  EXPECT_EQ(exchange.device().live_queues, 1u);
  exchange.queues().clear();
  exchange.device().on_request = nullptr;
  EXPECT_EQ(exchange.device().live_queues, 0u);
}

CASE(D11_a_refused_queue_leaves_nothing) {
  Exchange exchange;
  for (Command refused : {Command::kCreateDmaRegion, Command::kCreateQueue}) {
    const auto answer = [&](const Request& request) {
      if (request.command == refused)
        exchange.device().respond(exchange.device().answer(request.header(), 1));
      else
        exchange.device().succeed(request);
    };
    exchange.device().on_request = answer;
    EXPECT_EQ(exchange.acquire_error(), Errno::kIo);
    exchange.device().on_request = nullptr;
    EXPECT_EQ(exchange.memory(), 0u);
    EXPECT_EQ(exchange.rig().quarantine().count(), 0u);
    EXPECT_EQ(exchange.device().live_regions, 0u);
  }
}

// Created, as far as anybody knows.
CASE(D11_a_queue_that_may_exist_keeps_its_memory) {
  for (u32 how = 0; how < 3; how++) {
    Exchange exchange;
    auto& device = exchange.device();
    const auto answer = [&](const Request& request) {
      if (request.command == Command::kCreateQueue && how == 0)
        return;  // no answer
      if (request.command == Command::kCreateQueue) {
        auto& message = device.answer(request.header(), 0, 36);
        message.header().response.version = how == 1 ? 0 : 1;
        message.as<wire::CreateQueueResponse>().queue_id = 0x12345;
        device.respond(message);
        return;
      }
      if (request.command == Command::kDisableQueue) {
        device.respond(device.answer(request.header(), 1));
        return;
      }
      device.succeed(request);
    };
    device.on_request = answer;
    EXPECT_EQ(exchange.acquire_error(), how == 0 ? Errno::kTimedOut : Errno::kProtocol);
    EXPECT_EQ(exchange.memory(), 1u);
    EXPECT_EQ(exchange.rig().quarantine().count(), 1u);
    device.on_request = nullptr;
    exchange.rig().quarantine().release_all();
    EXPECT_EQ(exchange.memory(), 0u);
  }
}

CASE(D11_a_queue_that_was_not_disabled_keeps_its_memory) {
  for (bool refused : {true, false}) {
    Exchange exchange;
    auto& device = exchange.device();
    hwc::EventQueue* queue = exchange.acquire();
    ASSERT(queue);
    const auto answer = [&](const Request& request) {
      if (refused)
        device.respond(device.answer(request.header(), 1));
    };
    device.on_request = answer;
    exchange.rig().channel().set_timeout(2'000);
    const Stopwatch watch;
    exchange.release(*queue);
    EXPECT_LE(watch.ms(), 3'000u);
    EXPECT_EQ(exchange.memory(), 1u);
    EXPECT_EQ(exchange.rig().quarantine().count(), 1u);
    // Events still come, into memory that is nobody else's, and nobody hears of them.
    exchange.complete();
    EXPECT_EQ(exchange.polls(), 0u);
    EXPECT_EQ(kunit_dma_faults(exchange.rig().function().get()), 0u);
    device.on_request = nullptr;
  }
}

// All that is left is to keep the memory; nothing waits, nothing is sent.
CASE(D65_the_end_of_a_queue_on_a_dead_channel) {
  Exchange exchange;
  hwc::EventQueue* queue = exchange.acquire();
  ASSERT(queue);
  exchange.rig().channel().fail();
  const u32 sent = exchange.device().request_count;
  const Stopwatch watch;
  exchange.release(*queue);
  EXPECT_LE(watch.ms(), 10u);
  EXPECT_EQ(exchange.device().request_count, sent);
  EXPECT_EQ(exchange.memory(), 1u);
  EXPECT_EQ(exchange.rig().quarantine().count(), 1u);
  EXPECT_EQ(exchange.acquire_error(), Errno::kNoDevice);
}

// --- in the whole driver ----------------------------------------------------------------------

CASE(D64_objects_go_before_their_queue) {
  Nic nic;
  ASSERT(nic.up());
  auto& device = nic.device();
  EXPECT_EQ(device.count_of(Command::kCreateQueue), 2u);  // for both ports
  u32 from = device.request_count();
  nic.close(0);
  EXPECT_EQ(device.count_of(Command::kDestroyWqObject, from), 4u);
  EXPECT_EQ(device.count_of(Command::kDisableQueue, from), 0u);
  from = device.request_count();
  nic.close(1);
  nic.remove();
  u32 destroyed = 0, disabled = 0;
  for (u32 n = from; n < device.request_count(); n++) {
    destroyed += device.request(n).command == Command::kDestroyWqObject;
    disabled += device.request(n).command == Command::kDisableQueue;
    EXPECT(disabled == 0 || destroyed == 4);
  }
  EXPECT_EQ(destroyed, 4u);
  EXPECT_EQ(disabled, 2u);
}

CASE(D39_an_overrun_in_traffic_is_repaired) {
  Nic nic;
  ASSERT(nic.up());
  EXPECT(nic.traffic());
  nic.device().fault("eq owner x1");
  const Frame frame{{.payload = 100, .source = 1, .destination = 2}};
  EXPECT(nic.send(0, frame));
  nic.settle();
  // All that share the queue get a new one.
  EXPECT_EQ(nic.stat(0, "queue_recoveries"), 1u);
  EXPECT_EQ(nic.stat(1, "queue_recoveries"), 1u);
  EXPECT(nic.traffic());
  EXPECT_EQ(nic.stat(0, "queue_recoveries"), 1u);
}

// The events of what is under way are lost too: nobody may wait for them before the repair.
CASE(D39_an_overrun_is_repaired_at_once) {
  Nic nic{{.queues = 1}};
  ASSERT(nic.up());
  u64 begin = shim_now_ms();
  for (u32 port : {0u, 1u}) {
    nic.close(port);
    EXPECT_EQ(nic.open(port), 0);
  }
  const u64 usual = shim_now_ms() - begin;
  for (u32 round = 1; round <= 2; round++) {
    EXPECT(nic.traffic());
    nic.device().fault("eq owner x1");
    const Frame frame{{.payload = 100, .source = 1, .destination = 2}};
    begin = shim_now_ms();
    EXPECT(nic.send(0, frame));
    for (u32 port : {0u, 1u})
      while (nic.stat(port, "queue_recoveries") < round && shim_now_ms() - begin < 20'000)
        shim_sleep_ms(10);
    EXPECT_LE(shim_now_ms() - begin, usual + 1'000);
  }
  EXPECT(nic.traffic());
}

CASE(D38_a_lie_about_a_cq_in_traffic) {
  Nic nic;
  ASSERT(nic.up());
  for (u32 cq : {0xFFFFFFu, 0u, 1000u}) {
    char line[40];
    shim_format(line, sizeof(line), "eq cq-id %u x1", cq);
    nic.device().fault(line);
    const Frame frame{{.payload = 100, .source = 1, .destination = 2}};
    (void)nic.send(0, frame);
    nic.settle();
  }
  nic.device().fault("clear");
  EXPECT_EQ(nic.stat(0, "queue_recoveries"), 0u);
}

constexpr mana_case kCases[] = {
    LIST(vectors_and_numbers),
    LIST(D37_armed_from_the_start),
    LIST(D37_an_event_before_the_answer),
    LIST(every_allocation_of_an_event_queue),
    LIST(an_interrupt_that_cannot_be_had),
    LIST(a_completion_event_schedules_its_napi),
    LIST(D37_armed_after_each_pass),
    LIST(D38_unknown_cqs),
    LIST(D15_other_events),
    LIST(D40_a_full_queue),
    LIST(D39_an_overrun_is_told_once),
    LIST(D39_more_events_than_the_queue_holds),
    LIST(D39_an_overrun_queue_is_replaced),
    LIST(D39_overruns_in_a_row),
    LIST(D39_no_replacement_at_first),
    LIST(shared_and_counted),
    LIST(shared_by_threads),
    LIST(D11_a_refused_queue_leaves_nothing),
    LIST(D11_a_queue_that_may_exist_keeps_its_memory),
    LIST(D11_a_queue_that_was_not_disabled_keeps_its_memory),
    LIST(D65_the_end_of_a_queue_on_a_dead_channel),
    LIST(D64_objects_go_before_their_queue),
    LIST(D39_an_overrun_in_traffic_is_repaired),
    LIST(D39_an_overrun_is_repaired_at_once),
    LIST(D38_a_lie_about_a_cq_in_traffic),
};

}  // namespace

MANA_SUITE(event_queue, kCases)

}  // namespace mana::kunit
