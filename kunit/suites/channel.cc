// SPDX-License-Identifier: GPL-2.0
// src/hwc/channel.cc: how the hardware channel carries requests, on a device that answers as it
// should, or in any other way. How it comes up is in channel_start.cc, its events and its end in
// channel_events.cc.
#include "hwc/channel.h"

#include <initializer_list>

#include "kunit/harness/contexts.h"
#include "kunit/harness/scripted_channel.h"

namespace mana::kunit {
namespace {

using wire::EqeType;
using wire::HwcInitItem;

using Request = ScriptedDevice::Request;
using Access = ScriptedDevice::Access;

constexpr u32 kDefaultTimeoutMs = 30'000;
constexpr u64 kPromptMs = 1'000;

constexpr ScriptedChannel::Config kNotYet{.create = false};
constexpr ScriptedChannel::Config kAtOnce{.pace = KUNIT_PACE_AT_ONCE};

// --- requests ---------------------------------------------------------------------------------

// The device checks at each request that a buffer is posted. Both rings wrap, the SQ three times.
CASE(D16_a_buffer_is_posted_before_each_request) {
  ScriptedChannel rig{kAtOnce};
  for (u32 n = 0; n < 200; n++)
    ASSERT_EQ(rig.ask_error(), Errno{0});
  EXPECT_EQ(rig.device().request_count, 201u);
  EXPECT_EQ(rig.device().rq_tail, 202 * wire::kHwcResponseWqeBytes);
  EXPECT_EQ(rig.device().sq_tail, 201 * wire::kHwcRequestWqeBytes);
}

// Appendix B.4 but for the addresses. The rings are all over ones before, so what is to be zero was
// written.
CASE(D17_work_queue_elements) {
  ScriptedChannel rig{kAtOnce};
  auto& device = rig.device();
  auto* function = rig.function().get();
  auto* sq = static_cast<u8*>(kunit_dma_memory(function, device.rings.sq_frame << 12));
  auto* rq = static_cast<u8*>(kunit_dma_memory(function, device.rings.rq_frame << 12));
  ASSERT(sq && rq);
  u32 posted = 0;
  const auto look = [&](const Access& access) {
    if (!access.is_write || access.offset != ScriptedDevice::kDoorbells)
      return;
    posted++;
    u32 expected[16] = {0, 0x601, 0, 0, 0, 0, ScriptedDevice::kCq, ScriptedDevice::kSq};
    expected[10] = ScriptedDevice::kMkey;
    expected[11] = 40;
    const auto* wqe = reinterpret_cast<const u32*>(sq + (access.value >> 32) % 4096 - 64);
    for (u32 n = 0; n < 16; n++)
      if (n != 8 && n != 9)
        EXPECT_EQ(wqe[n], expected[n]);
    u32 buffer[8] = {0, 0x201, 0, 0, 0, 0, ScriptedDevice::kMkey, 4096};
    const auto* receive = reinterpret_cast<const u32*>(rq + device.rq_consumed * 32 % 4096);
    for (u32 n = 0; n < 8; n++)
      if (n != 4 && n != 5)
        EXPECT_EQ(receive[n], buffer[n]);
    u64 address;
    copy_bytes(&address, wqe + 8, sizeof(address));
    EXPECT(kunit_dma_valid(rig.function().get(), address, 40));
    copy_bytes(&address, receive + 4, sizeof(address));
    EXPECT(kunit_dma_valid(rig.function().get(), address, 4096));
    // What comes next is written over this.
    __builtin_memset(sq + (access.value >> 32) % 4096, 0xFF, 64);
    __builtin_memset(rq + (device.rq_consumed + 1) * 32 % 4096, 0xFF, 32);
  };
  device.on_access = look;
  for (u32 n = 0; n < 3; n++)
    EXPECT_EQ(rig.ask_error(), Errno{0});
  device.on_access = nullptr;
  EXPECT_EQ(posted, 3u);
}

// C8: announced destinations are used.
CASE(D17_destinations_of_requests) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.insert(5, ScriptedDevice::item_event(HwcInitItem::kDestinationRqId, 0xABCDE1));
  device.insert(5, ScriptedDevice::item_event(HwcInitItem::kDestinationCqId, 0xABCDE2));
  ASSERT_EQ(rig.create(), Errno{0});
  const auto* wqe =
      static_cast<const u32*>(kunit_dma_memory(rig.function().get(), device.rings.sq_frame << 12));
  EXPECT_EQ(wqe[4], 0xABCDE1u);
  EXPECT_EQ(wqe[5], 0xABCDE2u);
}

Errno ask_long(const ScriptedChannel& rig, u32 words) {
  wire::HeaderOnlyRequest request{};
  const auto write = [](u64* to, u32 count, const void*) {
    for (u32 n = 0; n < count; n++)
      to[n] = n;
  };
  const auto got = rig.channel().call<ScriptedChannel::Answer>(
      {.command = ScriptedChannel::kCommand}, request,
      {.count = words, .write = write, .source = nullptr});
  return got ? Errno{0} : got.error();
}

CASE(D18_no_request_beyond_4096_bytes) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const u32 before = device.request_count;
  EXPECT_EQ(ask_long(rig, 508), Errno::kMessageSize);
  EXPECT_EQ(ask_long(rig, 0x10000), Errno::kMessageSize);
  EXPECT_EQ(device.request_count, before);
  EXPECT_EQ(ask_long(rig, 507), Errno{0});
  EXPECT_EQ(device.last_request().bytes, 40u + 507 * 8);
  EXPECT_EQ(device.last_request().at<u64>(40 + 506 * 8), 506u);
  EXPECT(!rig.channel().failed());
}

CASE(D18_nor_beyond_the_devices_limit) {
  ScriptedChannel rig{kNotYet};
  auto& device = rig.device();
  device.set_item(HwcInitItem::kMaxRequest, 639);  // VERIFY_VF_DRIVER_VERSION has 640
  EXPECT_EQ(rig.create(), Errno::kProtocol);
  device.set_item(HwcInitItem::kMaxRequest, 640);
  ASSERT_EQ(rig.create(), Errno{0});
  EXPECT_EQ(ask_long(rig, 76), Errno::kMessageSize);
  EXPECT_EQ(ask_long(rig, 75), Errno{0});
  EXPECT(rig.destroy());
  device.set_item(HwcInitItem::kMaxRequest, 0xFFFFFF);  // and 4096 is ours
  ASSERT_EQ(rig.create(), Errno{0});
  EXPECT_EQ(ask_long(rig, 508), Errno::kMessageSize);
}

CASE(D18_one_request_at_a_time) {
  ScriptedChannel rig;
  auto& device = rig.device();
  u32 in_flight = 0, most = 0;
  wire::RequestHeader asked{};
  const auto reply = [&] {
    in_flight--;
    device.respond(ScriptedChannel::good_answer(device, asked, asked.activity_id));
  };
  const auto take = [&](const Request& request) {
    most = max(most, ++in_flight);
    asked = request.header();
    device.after(7, reply);
  };
  device.on_request = take;
  u32 mine[3] = {};
  const auto count = [&](u32 who) {
    for (u32 n = 0; n < 20; n++)
      mine[who] += rig.ask().ok();
  };
  auto first = [&] { count(0); };
  auto second = [&] { count(1); };
  {
    const Thread one{first};
    const Thread two{second};
    count(2);
  }
  device.on_request = nullptr;
  EXPECT_EQ(mine[0] + mine[1] + mine[2], 60u);
  EXPECT_EQ(most, 1u);
}

CASE(D19_completions_in_either_order) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 n = 0; n < 20; n++) {
    const auto answer = [&](const Request& request) {
      device.respond(ScriptedChannel::good_answer(device, request.header(), n),
                     ScriptedChannel::kAnswerBytes, n % 2);
    };
    device.on_request = answer;
    const auto got = rig.ask();
    ASSERT(got);
    EXPECT_EQ(got.value().values[0], n);
  }
}

CASE(D19_the_sq_completion_comes_later) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    const auto& message = ScriptedChannel::good_answer(device, request.header());
    device.put(message);
    device.push_cqe(false, ScriptedDevice::kRq, device.next_offset(),
                    ScriptedChannel::kAnswerBytes);
    device.rq_consumed++;
  };
  device.on_request = answer;
  EXPECT_EQ(rig.ask_error(), Errno{0});
  rig.still([&] { device.push_cqe(true, ScriptedDevice::kSq); });
  EXPECT_EQ(rig.ask_error(), Errno{0});
  rig.still([&] { device.push_cqe(true, ScriptedDevice::kSq); });
  rig.settle();
  EXPECT(rig.answered());
}

// D-34: a WQE whose completion never comes may still be read; no other is written over it.
CASE(D34_sq_completions_that_never_come) {
  ScriptedChannel rig{kAtOnce};
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    const auto& message = ScriptedChannel::good_answer(device, request.header());
    device.put(message);
    device.push_cqe(false, ScriptedDevice::kRq, device.next_offset(),
                    ScriptedChannel::kAnswerBytes);
    device.rq_consumed++;
  };
  device.on_request = answer;
  u32 sent = 0;
  Errno error{0};
  for (; sent < 100 && error == Errno{0}; sent++)
    error = rig.ask_error();
  EXPECT_NE(error, Errno{0});
  // 64 WQEs fill the ring, all but the first of them without a completion.
  EXPECT_LE(device.sq_tail, 4096 + wire::kHwcRequestWqeBytes);
  EXPECT_GE(sent, 60u);
  EXPECT(rig.channel().failed());
}

CASE(D19_completions_of_other_queues) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    device.push_cqe(true, 0x77);
    device.push_cqe(false, 0x78, device.next_offset(), 64);
    device.push_cqe(false, ScriptedDevice::kSq, device.next_offset(), 64);
    device.push_cqe(true, ScriptedDevice::kRq, device.next_offset(), 64);
    device.respond(ScriptedChannel::good_answer(device, request.header()));
    device.push_cqe(true, ScriptedDevice::kSq);  // one too many
  };
  device.on_request = answer;
  for (u32 n = 0; n < 3; n++)
    EXPECT_EQ(rig.ask_error(), Errno{0});
  EXPECT(!rig.channel().failed());
}

CASE(D19_wrong_message_ids) {
  for (u16 id : {1, 2, 63, 0x8000, 0xFFFF}) {
    ScriptedChannel rig;
    const Stopwatch watch;
    EXPECT_EQ(rig.ask_changed([=](auto& header) { header.response.message_id = id; }),
              Errno::kProtocol);
    EXPECT_LE(watch.ms(), kPromptMs);
    EXPECT(rig.channel().failed());
    EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  }
}

CASE(D20_impossible_lengths) {
  for (u32 length : {0u, 1u, 31u, 4097u, 0x7FFFFFFFu, 0x80000020u, 0xFFFFFFFFu}) {
    ScriptedChannel rig;
    auto& device = rig.device();
    const auto answer = [&](const Request& request) {
      device.respond(ScriptedChannel::good_answer(device, request.header()), length);
    };
    device.on_request = answer;
    const Stopwatch watch;
    EXPECT_EQ(rig.ask_error(), Errno::kProtocol);
    EXPECT_LE(watch.ms(), kPromptMs);
    EXPECT(rig.channel().failed());
  }
}

CASE(D20_short_answers_are_rejected_or_filled_up) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 length = 32; length <= ScriptedChannel::kAnswerBytes; length++) {
    const auto answer = [&](const Request& request) {
      auto& message = ScriptedChannel::good_answer(device, request.header());
      message.header().response.size = length;
      device.respond(message, length);
    };
    device.on_request = answer;
    // The whole of it, or half.
    EXPECT_EQ(rig.ask_error(),
              length == ScriptedChannel::kAnswerBytes ? Errno{0} : Errno::kProtocol);
    const auto half = rig.ask(40);
    EXPECT_EQ(half.ok(), length >= 40);
    if (half) {
      const u32 more = length - 40;
      const u64 kept = more == 8 ? ScriptedChannel::kPattern
                                 : ScriptedChannel::kPattern & ((1ull << 8 * more) - 1);
      EXPECT_EQ(half.value().values[0], ScriptedChannel::kPattern);
      EXPECT_EQ(half.value().values[1], kept);
    }
  }
  EXPECT(!rig.channel().failed());
}

CASE(D20_long_answers_are_cut) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto answer = [&](const Request& request) {
    auto& message = device.answer(request.header(), 0, wire::kMaxHwcMessage);
    __builtin_memset(message.message + 32, 0x22, wire::kMaxHwcMessage - 32);
    device.respond(message);
  };
  device.on_request = answer;
  const auto got = rig.ask();
  ASSERT(got);
  EXPECT_EQ(got.value().values[1], 0x2222222222222222u);
}

// The buffer is the device's again as soon as the answer was read; what it writes there then is not
// the answer. AT_ONCE: the garbage is there before the caller wakes.
CASE(D20_the_device_cannot_change_an_answer_later) {
  ScriptedChannel rig{kAtOnce};
  auto& device = rig.device();
  u32 spoiled = 0;
  const auto spoil = [&](const Access& access) {
    // The RQ doorbell: the response was taken, its buffer posted again.
    if (!access.is_write || access.offset != ScriptedDevice::kDoorbells + wire::doorbell::kRq)
      return;
    auto& garbage = device.answer({}, 0, ScriptedChannel::kAnswerBytes);
    __builtin_memset(garbage.message, 0xEE, ScriptedChannel::kAnswerBytes);
    device.put(garbage);
    spoiled++;
  };
  const auto answer = [&](const Request& request) {
    device.respond(ScriptedChannel::good_answer(device, request.header()));
  };
  device.on_request = answer;
  device.on_access = spoil;
  const auto got = rig.ask();
  device.on_access = nullptr;
  EXPECT_EQ(spoiled, 1u);
  ASSERT(got);
  EXPECT_EQ(got.value().values[0], ScriptedChannel::kPattern);
}

CASE(D21_each_field_of_the_header) {
  ScriptedChannel rig;
  using Header = wire::ResponseHeader;
  const auto rejected = [&](auto change) {
    EXPECT_EQ(rig.ask_changed(change), Errno::kProtocol);
    EXPECT(!rig.channel().failed());  // it was an answer to this request after all
    EXPECT(rig.answered());
  };
  rejected([](Header& header) { header.response.message_type++; });
  rejected([](Header& header) { header.response.message_type |= 0x20000; });
  rejected([](Header& header) { header.response.version = 0; });
  rejected([](Header& header) { header.response.version = 3; });
  rejected([](Header& header) { header.response.version = 0xFFFF; });
  rejected([](Header& header) { header.response.size = ScriptedChannel::kAnswerBytes + 1; });
  rejected([](Header& header) { header.response.size = 0xFFFFFFFF; });
  rejected([](Header& header) { header.response.size = 31; });
  rejected([](Header& header) { header.response.size = 0; });
  rejected([](Header& header) { header.device.type = wire::DeviceType::kHwc; });
  rejected([](Header& header) { header.device.instance++; });
  EXPECT_EQ(rig.ask_changed([](Header& header) { header.response.version = 2; }), Errno{0});
}

CASE(D21_another_activity_is_another_request) {
  ScriptedChannel rig;
  for (u32 bit : {0u, 31u}) {
    const Stopwatch watch;
    EXPECT_EQ(rig.ask_changed([=](auto& header) { header.activity_id ^= 1u << bit; }),
              Errno::kTimedOut);
    EXPECT_GE(watch.ms(), kDefaultTimeoutMs);
    EXPECT(rig.channel().failed());
    EXPECT(rig.destroy());
    EXPECT_EQ(rig.create(), Errno{0});
  }
}

CASE(D22_statuses) {
  ScriptedChannel rig;
  const auto status = [&](u32 value) {
    return rig.ask_changed([=](auto& header) { header.status = value; });
  };
  for (u32 refusal : {1u, 0x104u, 0x105u, 0x106u, 0x80000000u, 0xFFFFFFFEu})
    EXPECT_EQ(status(refusal), Errno::kIo);
  EXPECT_EQ(status(0xFFFFFFFF), Errno::kNotSupported);
  EXPECT_EQ(status(0), Errno{0});
  EXPECT(!rig.channel().failed());

  // Where a command says so, 0x105 is a success, and nothing else is.
  auto& device = rig.device();
  for (u32 value : {0x105u, 0x106u, 1u}) {
    const auto answer = [&](const Request& request) {
      auto& message = ScriptedChannel::good_answer(device, request.header());
      message.header().status = value;
      device.respond(message);
    };
    device.on_request = answer;
    EXPECT_EQ(rig.ask(0, true).ok(), value == 0x105);
  }
}

CASE(D22_a_refusal_may_be_a_header_only) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const auto refuse = [&](const Request& request) {
    auto& message = device.answer(request.header(), 7);
    message.header().response.version = 9;
    device.respond(message);
  };
  device.on_request = refuse;
  EXPECT_EQ(rig.ask_error(), Errno::kIo);
  EXPECT_TEXT(rig.diagnosis().text().bytes,
              "QUERY_MAX_RESOURCES (0x2): the device refused with status 0x7");
}

// --- timeouts ---------------------------------------------------------------------------------

CASE(D23_a_timeout_latches) {
  ScriptedChannel rig;
  auto& device = rig.device();
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_in_vain(), Errno::kTimedOut);
  EXPECT_GE(watch.ms(), kDefaultTimeoutMs);
  EXPECT_LE(watch.ms(), kDefaultTimeoutMs + 1'000);
  EXPECT(rig.channel().failed());
  EXPECT_TEXT(rig.diagnosis().text().bytes,
              "QUERY_MAX_RESOURCES (0x2): no answer, ms waited: 0x7530");

  const u32 sent = device.request_count, tail = device.sq_tail;
  const Stopwatch second;
  for (u32 n = 0; n < 3; n++)
    EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_LE(second.ms(), 10u);
  EXPECT_EQ(device.request_count, sent);
  EXPECT_EQ(device.sq_tail, tail);
}

// The slot of a request that timed out is not used again: neither it nor its activity id is what a
// late answer could be taken for.
CASE(D23_a_late_answer_does_not_answer_the_next_request) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader first{};
  u32 later_requests = 0;
  const auto reply = [&] { device.respond(ScriptedChannel::good_answer(device, first, 0xBAD)); };
  const auto take = [&](const Request& request) {
    if (first.activity_id == 0)
      first = request.header();
    else if (later_requests++ == 0)
      device.after(10, reply);  // the first request's answer, at last
  };
  device.on_request = take;
  EXPECT_EQ(rig.ask_error(), Errno::kTimedOut);
  const auto got = rig.ask();
  EXPECT(!got);
  EXPECT_EQ(later_requests, 0u);
}

// Nor does it write to anything that is the caller's: there is nobody any more.
CASE(D23_a_late_answer_finds_nobody) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader first{};
  const auto take = [&](const Request& request) { first = request.header(); };
  device.on_request = take;
  EXPECT_EQ(rig.ask_error(), Errno::kTimedOut);
  const u32 buffers = device.rq_tail;
  for (u32 n = 0; n < 3; n++) {
    rig.still([&] { device.respond(ScriptedChannel::good_answer(device, first, 0xBAD)); });
    rig.settle();
  }
  EXPECT_EQ(device.rq_tail, buffers + 3 * wire::kHwcResponseWqeBytes);
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
  EXPECT_EQ(rig.ask_error(), Errno::kNoDevice);
}

// In the last moment; but it is the answer.
CASE(D23_an_answer_just_in_time) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader asked{};
  const auto reply = [&] { device.respond(ScriptedChannel::good_answer(device, asked)); };
  const auto take = [&](const Request& request) {
    asked = request.header();
    device.after(kDefaultTimeoutMs - 50, reply);
  };
  device.on_request = take;
  EXPECT_EQ(rig.ask_error(), Errno{0});
  EXPECT(rig.answered());
}

CASE(D23_an_answer_that_comes_twice) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader first{}, second{};
  const auto reply = [&] { device.respond(ScriptedChannel::good_answer(device, second, 2)); };
  const auto take = [&](const Request& request) {
    if (first.activity_id == 0) {
      first = request.header();
      device.respond(ScriptedChannel::good_answer(device, first, 1));
      device.respond(ScriptedChannel::good_answer(device, first, 1));
      return;
    }
    second = request.header();
    device.respond(ScriptedChannel::good_answer(device, first, 1));
    device.after(100, reply);
  };
  device.on_request = take;
  const auto one = rig.ask();
  const auto two = rig.ask();
  ASSERT(one && two);
  EXPECT_EQ(one.value().values[0], 1u);
  EXPECT_EQ(two.value().values[0], 2u);
}

// Before anybody asked. The activity id is easy to guess.
CASE(D23_answers_that_nobody_asked_for) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader asked = device.last_request().header();
  asked.request.message_type = static_cast<u32>(ScriptedChannel::kCommand);
  asked.device = ScriptedChannel::kDevice;
  asked.activity_id++;
  rig.still([&] { device.respond(ScriptedChannel::good_answer(device, asked, 0xBAD)); });
  rig.settle();
  EXPECT(rig.answered());
}

CASE(D24_timeouts_are_clamped) {
  ScriptedChannel rig;
  struct {
    u32 wanted, low, high;
  } const rounds[] = {
      {0, 30'000, 31'000}, {1, 1'000, 2'000}, {5'000, 5'000, 6'000}, {~0u, 60'000, 121'000}};
  for (const auto& round : rounds) {
    rig.channel().set_timeout(round.wanted);
    const Stopwatch watch;
    EXPECT_EQ(rig.ask_in_vain(), Errno::kTimedOut);
    EXPECT_GE(watch.ms(), round.low);
    EXPECT_LE(watch.ms(), round.high);
    EXPECT(rig.destroy());
    ASSERT_EQ(rig.create(), Errno{0});
  }
}

CASE(D24_timeouts_by_event) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 wanted : {5'000u, 0u}) {  // 0 is ignored
    rig.still([&] { device.push_event(EqeType::kReconfigurationData, 1 << 24 | wanted); });
    rig.settle();
  }
  const Stopwatch watch;
  EXPECT_EQ(rig.ask_in_vain(), Errno::kTimedOut);
  EXPECT_GE(watch.ms(), 5'000u);
  EXPECT_LE(watch.ms(), 6'000u);
}

CASE(D25_offsets_agree_with_our_own_books) {
  ScriptedChannel rig;
  auto& device = rig.device();
  wire::RequestHeader asked{};
  const auto reply = [&] { device.respond(ScriptedChannel::good_answer(device, asked)); };
  const auto lie = [&](const Request& request) {
    asked = request.header();
    device.put(ScriptedChannel::good_answer(device, asked, 0xBAD));
    const u32 right = device.next_offset() % 4096;
    for (u32 wrong : {right + 1, right + 16, right + 31, right + 32, right + 64, right ^ 0x800,
                      right - 32, right + 4097})
      device.push_cqe(false, ScriptedDevice::kRq, wrong, ScriptedChannel::kAnswerBytes);
    device.after(5, reply);
  };
  device.on_request = lie;
  const auto got = rig.ask();
  ASSERT(got);
  EXPECT_EQ(got.value().values[0], ScriptedChannel::kPattern);
  EXPECT(!rig.channel().failed());
}

// With the laps of the ring, and without.
CASE(D25_offsets_are_reduced_by_the_ring) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 extra : {0u, 4096u, 0x80000000u, 0xFFFFF000u}) {
    const auto answer = [&](const Request& request) {
      const auto& message = ScriptedChannel::good_answer(device, request.header());
      device.put(message);
      device.push_cqe(true, ScriptedDevice::kSq);
      device.push_cqe(false, ScriptedDevice::kRq, device.next_offset() % 4096 + extra,
                      ScriptedChannel::kAnswerBytes);
      device.rq_consumed++;
    };
    device.on_request = answer;
    EXPECT_EQ(rig.ask_error(), Errno{0});
  }
}

// Random answers with random completions. Whatever it is: an error or the right thing, in time.
CASE(D68_garbage) {
  ScriptedChannel rig{kAtOnce};
  auto& device = rig.device();
  u32 seed = 1, successes = 0;
  const auto next = [&] { return (seed = seed * 1664525 + 1013904223) >> 8; };
  const auto babble = [&](const Request& request) {
    auto& message = ScriptedChannel::good_answer(device, request.header());
    for (u32 n = next() % 6; n > 0; n--)
      message.message[next() % (next() % 2 ? 32 : ScriptedChannel::kAnswerBytes)] =
          static_cast<u8>(next());
    switch (next() % 5) {
      case 0: device.respond(message); break;
      case 1: device.respond(message, next() % 5000); break;
      case 2: device.push_cqe(next() % 2, next() % 64, next() % 8192, next() % 5000); break;
      case 3: device.push_event(static_cast<EqeType>(next()), next()); break;
      default: break;
    }
    device.respond(message);
  };
  for (u32 round = 0; round < 300; round++) {
    if (rig.channel().failed()) {
      EXPECT(rig.destroy());
      kunit_function_set_pace(rig.function().get(), KUNIT_PACE_AT_ONCE);
      ASSERT_EQ(rig.create(), Errno{0});
    }
    rig.channel().set_timeout(1'000);
    device.on_request = babble;
    const Stopwatch watch;
    successes += rig.ask_error() == Errno{0};
    device.on_request = nullptr;
    EXPECT_LE(watch.ms(), 121'000u);  // an event may have set another timeout
  }
  EXPECT_GE(successes, 20u);
  EXPECT_LE(successes, 280u);
}

CASE(D41_headers_of_requests) {
  ScriptedChannel rig;
  auto& device = rig.device();
  for (u32 n = 0; n < 20; n++)
    ASSERT_EQ(rig.ask_error(), Errno{0});
  for (u32 n = 0; n < device.request_count; n++) {
    const Request& request = device.request(n);
    EXPECT_EQ(request.at<u32>(0), 0u);
    EXPECT_EQ(request.at<u32>(12), request.bytes);
    EXPECT_GE(request.at<u16>(8), 1u);
    EXPECT_EQ(request.at<u16>(10), 0u);  // the slot
    EXPECT_EQ(request.at<u32>(16), 0u);
    EXPECT_EQ(request.at<u32>(20), request.at<u32>(4));
    EXPECT_GE(request.at<u16>(24), 1u);
    EXPECT_EQ(request.at<u16>(26), 0u);
    EXPECT_GE(request.at<u32>(28), 32u);
    EXPECT_LE(request.at<u32>(28), 4096u);
    for (u32 other = 0; other < n; other++)
      EXPECT_NE(request.at<u32>(36), device.request(other).at<u32>(36));
  }
}

constexpr mana_case kCases[] = {
    LIST(D16_a_buffer_is_posted_before_each_request),
    LIST(D17_work_queue_elements),
    LIST(D17_destinations_of_requests),
    LIST(D18_no_request_beyond_4096_bytes),
    LIST(D18_nor_beyond_the_devices_limit),
    LIST(D18_one_request_at_a_time),
    LIST(D19_completions_in_either_order),
    LIST(D19_the_sq_completion_comes_later),
    LIST(D34_sq_completions_that_never_come),
    LIST(D19_completions_of_other_queues),
    LIST(D19_wrong_message_ids),
    LIST(D20_impossible_lengths),
    LIST(D20_short_answers_are_rejected_or_filled_up),
    LIST(D20_long_answers_are_cut),
    LIST(D20_the_device_cannot_change_an_answer_later),
    LIST(D21_each_field_of_the_header),
    LIST(D21_another_activity_is_another_request),
    LIST(D22_statuses),
    LIST(D22_a_refusal_may_be_a_header_only),
    LIST(D23_a_timeout_latches),
    LIST(D23_a_late_answer_does_not_answer_the_next_request),
    LIST(D23_a_late_answer_finds_nobody),
    LIST(D23_an_answer_just_in_time),
    LIST(D23_an_answer_that_comes_twice),
    LIST(D23_answers_that_nobody_asked_for),
    LIST(D24_timeouts_are_clamped),
    LIST(D24_timeouts_by_event),
    LIST(D25_offsets_agree_with_our_own_books),
    LIST(D25_offsets_are_reduced_by_the_ring),
    LIST(D68_garbage),
    LIST(D41_headers_of_requests),
};

}  // namespace

MANA_SUITE(channel, kCases)

}  // namespace mana::kunit
