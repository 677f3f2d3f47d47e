// SPDX-License-Identifier: GPL-2.0
// src/hwc/channel.cc, on a scripted device.
#include "hwc/channel.h"

#include <optional>

#include "scripted_device.h"

namespace mana::test {
namespace {

using hwc::HardwareChannel;
using wire::Command;
using wire::EqeType;
using wire::HwcInitItem;

class ChannelTest : public KernelTest {
 protected:
  void SetUp() override {
    kernel.attach(&device);
    auto enabled = kern::PciFunction::enable(kernel.pdev());
    function.emplace(mana::move(*enabled));
    auto mapped = kern::Bar::map(*function);
    bar.emplace(mana::move(*mapped));
    const char* reason = nullptr;
    auto read = gdma::RegisterMap::read(*bar, &reason);
    map.emplace(*read);
    auto allocated = kern::MsixVectors::allocate(*function, 2, 8);
    vectors = mana::move(*allocated);
  }
  void TearDown() override {
    kernel.clear_hooks();
    device.on_request = nullptr;
    if (channel) {
      device.mailbox_answer = [](u32 header) { return wire::smc::MessageType::get(header) | 0x80; };
      EXPECT_TRUE(channel->stop());
      channel = {};
    }
    quarantine.release_all();
    vectors = {};
    bar.reset();
    function.reset();
    KernelTest::TearDown();
  }

  Errno create() {
    const auto notify = [](void* self, hwc::Notice notice, u32 value) {
      static_cast<ChannelTest*>(self)->notices.emplace_back(notice, value);
    };
    auto made = HardwareChannel::create(*function, *bar, *map, diagnosis, quarantine,
                                        {.notify = notify, .context = this});
    if (!made)
      return made.error();
    channel = mana::move(*made);
    return Errno{0};
  }
  // A request of 40 bytes with an answer of up to 48.
  struct Answer {
    wire::ResponseHeader header;
    u64 values[2];
  };
  Result<Answer> ask(u32 minimum = 0, bool more_entries = false) {
    wire::HeaderOnlyRequest request{};
    return channel->call<Answer>({.command = Command::kQueryMaxResources,
                                  .device = {wire::DeviceType::kMana, 7},
                                  .response_version = 2,
                                  .minimum_response = minimum,
                                  .accept_more_entries = more_entries},
                                 request);
  }
  // Answers requests with `change` applied to a good answer of 48 bytes.
  void answer_with(std::function<void(wire::ResponseHeader&)> change, int length = -1) {
    device.on_request = [=, this](const Bytes& request) {
      Bytes message = ScriptedHwc::answer(request, 0, sizeof(Answer));
      std::memset(&message[sizeof(wire::ResponseHeader)], 0x11, 16);
      change(ScriptedHwc::header(message));
      device.respond(message,
                     length < 0 ? static_cast<u32>(message.size()) : static_cast<u32>(length));
    };
  }

  ScriptedHwc device{kernel};
  std::optional<kern::PciFunction> function;
  std::optional<kern::Bar> bar;
  std::optional<gdma::RegisterMap> map;
  kern::MsixVectors vectors;
  hwc::Diagnosis diagnosis;
  hwc::Quarantine quarantine;
  kern::Box<HardwareChannel> channel;
  std::vector<std::pair<hwc::Notice, u32>> notices;
};

// --- establishment ---

TEST_F(ChannelTest, D10_RingsAreZeroAndTheVectorReadyBeforeEstablish) {
  bool looked = false;
  kernel.on_mmio = [&](const Mmio& access) {
    if (!access.is_write || access.offset != RegisterFile::kMailbox + 28 || looked)
      return;
    looked = true;
    EXPECT_TRUE(kernel.handlers_.contains(0));
    u32 words[8];
    std::memcpy(words, &device.bytes[RegisterFile::kMailbox], sizeof(words));
    const auto rings = wire::EstablishHwc::decode(words);
    EXPECT_EQ(rings.msix_vector, 0);
    for (u64 frame : {rings.eq_frame, rings.cq_frame, rings.rq_frame, rings.sq_frame}) {
      const u8* ring = kernel.coherent(frame << 12, 4096);
      ASSERT_NE(ring, nullptr);
      for (u32 i = 0; i < 4096; i++)
        ASSERT_EQ(ring[i], 0);
    }
  };
  EXPECT_EQ(create(), Errno{0});
  EXPECT_TRUE(looked);
}

TEST_F(ChannelTest, D11_FreesAfterDestroyOrResetOnly) {
  ASSERT_EQ(create(), Errno{0});
  // Neither works: the memory stays, in the quarantine.
  device.mailbox_answer = [](u32) { return 1u << 31; };
  kernel.fail_always[static_cast<int>(Failing::kReset)] = true;
  EXPECT_FALSE(channel->stop());
  const size_t memory = kernel.coherent_count();
  channel->abandon(quarantine);
  channel = {};
  EXPECT_EQ(kernel.coherent_count(), memory);
  EXPECT_GE(memory, 6u);
  EXPECT_TRUE(kernel.handlers_.empty());
}

TEST_F(ChannelTest, D11_ResetReplacesDestroy) {
  ASSERT_EQ(create(), Errno{0});
  device.mailbox_answer = [](u32) { return 0x182u; };
  EXPECT_TRUE(channel->stop());
  EXPECT_EQ(kernel.resets, 1u);
  EXPECT_TRUE(channel->stop());
  EXPECT_EQ(kernel.resets, 1u);
}

TEST_F(ChannelTest, D12_EveryRequiredItem) {
  for (HwcInitItem item : {HwcInitItem::kCqId, HwcInitItem::kRqId, HwcInitItem::kSqId,
                           HwcInitItem::kMaxCqs, HwcInitItem::kPdid, HwcInitItem::kGpaMkey}) {
    const auto all = device.init_events;
    device.drop_item(item);
    EXPECT_EQ(create(), Errno::kProtocol) << static_cast<int>(item);
    EXPECT_FALSE(device.established);
    device.init_events = all;
  }
  for (HwcInitItem item :
       {HwcInitItem::kQueueDepth, HwcInitItem::kMaxRequest, HwcInitItem::kMaxResponse})
    device.drop_item(item);
  EXPECT_EQ(create(), Errno{0});
}

TEST_F(ChannelTest, D12_Event129IsRequired) {
  device.init_events.erase(device.init_events.begin());
  EXPECT_EQ(create(), Errno::kProtocol);
}

TEST_F(ChannelTest, D4_DoorbellOfTheChannelInsideTheBar) {
  for (u32 page : {3u, 4u, 0xFFFFu}) {
    device.init_events[0].second = page << 16 | ScriptedHwc::kEq;
    EXPECT_EQ(create(), Errno::kProtocol) << page;
  }
}

TEST_F(ChannelTest, D13_CqIdBelowTheMaximum) {
  device.set_item(HwcInitItem::kMaxCqs, ScriptedHwc::kCq);
  EXPECT_EQ(create(), Errno::kProtocol);
  device.set_item(HwcInitItem::kMaxCqs, 0);
  EXPECT_EQ(create(), Errno::kProtocol);
  device.set_item(HwcInitItem::kMaxCqs, ScriptedHwc::kCq + 1);
  EXPECT_EQ(create(), Errno{0});
}

TEST_F(ChannelTest, D13_NoEndOfTheEventsIsAnErrorInTime) {
  device.init_events.pop_back();
  const u64 before = kernel.now_ms;
  EXPECT_EQ(create(), Errno::kTimedOut);
  EXPECT_LE(kernel.now_ms - before, 60'000u);
  EXPECT_FALSE(device.established);
}

TEST_F(ChannelTest, D14_LaterInitEventsChangeNothing) {
  ASSERT_EQ(create(), Errno{0});
  device.push_event(EqeType::kHwcEqIdDoorbell, 2 << 16 | 0x55);
  device.push_event(EqeType::kHwcInitData, ScriptedHwc::item(HwcInitItem::kMaxCqs, 0xFFFFFF));
  device.push_event(EqeType::kHwcInitData, ScriptedHwc::item(HwcInitItem::kGpaMkey, 0x666));
  device.push_event(EqeType::kHwcInitData, ScriptedHwc::item(HwcInitItem::kSqId, 0x99));
  device.push_event(EqeType::kHwcInitDone, 0);
  kernel.settle();
  EXPECT_EQ(channel->max_cqs(), 128u);
  kernel.mmio.clear();
  answer_with([](auto&) {});
  EXPECT_TRUE(ask().ok());
  for (const Mmio& access : kernel.mmio)
    if (access.is_write) {
      EXPECT_LT(access.offset, 0x2000u);  // the doorbell page is the same
      const u64 id = access.value & 0xFFFFFF;
      EXPECT_TRUE(id == ScriptedHwc::kEq || id == ScriptedHwc::kCq || id == ScriptedHwc::kSq ||
                  id == ScriptedHwc::kRq);
    }
}

TEST_F(ChannelTest, D15_UnknownItemsAndEventsAreIgnored) {
  device.init_events.insert(device.init_events.begin() + 3, {EqeType::kHwcInitData, 0xC8001234});
  device.init_events.insert(device.init_events.begin() + 4, {EqeType{0x42}, 0xFFFFFFFF});
  device.init_events.insert(device.init_events.begin(), {EqeType::kFpgaReconfiguration, 1});
  ASSERT_EQ(create(), Errno{0});
  for (u32 type = 0; type < 256; type++)
    if (type != static_cast<u32>(EqeType::kVfResetRequest))
      device.push_event(static_cast<EqeType>(type), 0x05FFFFFF);
  kernel.settle();
  answer_with([](auto&) {});
  EXPECT_TRUE(ask().ok());
}

TEST_F(ChannelTest, MemoryAndInterruptFailures) {
  for (u64 n = 1;; n++) {
    kernel.fail_nth = n;
    const Errno error = create();
    if (error == Errno{0})
      break;
    EXPECT_EQ(error, Errno::kNoMemory) << n;
    EXPECT_TRUE(device.mailbox_requests.empty());
    EXPECT_EQ(kernel.coherent_count(), 0u);
  }
  kernel.fail_nth = 0;
}

// --- requests ---

TEST_F(ChannelTest, D16_ABufferIsPostedBeforeARequest) {
  kernel.on_mmio = [&](const Mmio& access) {
    if (access.is_write && access.offset == 0x1000 + wire::doorbell::kSq) {
      EXPECT_GT(device.rq_tail / 32, device.rq_consumed);
    }
  };
  ASSERT_EQ(create(), Errno{0});
  for (int i = 0; i < 200; i++)
    ASSERT_TRUE(ask().ok());
  EXPECT_GT(device.rq_tail, 4096u);  // past the ring's end
}

// Appendix B.4, with other addresses. D-29 as far as it can be seen: it is all there at the ring.
TEST_F(ChannelTest, D17_WorkQueueElements) {
  ASSERT_EQ(create(), Errno{0});
  Bytes request_wqe, response_wqe;
  kernel.on_mmio = [&](const Mmio& access) {
    if (!access.is_write || access.offset != 0x1000 + wire::doorbell::kSq)
      return;
    const u8* sq = kernel.coherent((device.rings.sq_frame << 12) + (access.value >> 32) - 64, 64);
    const u8* rq = kernel.coherent((device.rings.rq_frame << 12) + device.rq_consumed * 32, 32);
    request_wqe.assign(sq, sq + 64);
    response_wqe.assign(rq, rq + 32);
  };
  ASSERT_TRUE(ask().ok());
  Bytes request = {0,  0, 0,    0, 1, 6, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0, 0, 0,
                   0,  0, 0x1a, 0, 0, 0, 0x18, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x77, 0, 0, 0,
                   40, 0, 0,    0, 0, 0, 0,    0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,    0};
  Bytes response = {0, 0, 0, 0, 1, 2, 0, 0, 0,    0, 0, 0, 0, 0,    0, 0,
                    0, 0, 0, 0, 0, 0, 0, 0, 0x77, 0, 0, 0, 0, 0x10, 0, 0};
  ASSERT_EQ(request_wqe.size(), 64u);
  std::copy_n(request_wqe.begin() + 32, 8, request.begin() + 32);
  std::copy_n(response_wqe.begin() + 16, 8, response.begin() + 16);
  EXPECT_EQ(request_wqe, request);
  EXPECT_EQ(response_wqe, response);
}

TEST_F(ChannelTest, D18_NoRequestBeyondTheLimit) {
  ASSERT_EQ(create(), Errno{0});
  wire::HeaderOnlyRequest request{};
  const auto write = [](u64* to, u32 count, const void*) {
    std::memset(to, 0, count * sizeof(u64));
  };
  const size_t before = device.requests.size();
  auto long_call = [&](u32 count) {
    return channel->call<Answer>({.command = Command::kQueryMaxResources}, request,
                                 {.count = count, .write = write, .source = nullptr});
  };
  EXPECT_EQ(long_call(508).error(), Errno::kMessageSize);
  EXPECT_EQ(device.requests.size(), before);
  EXPECT_TRUE(long_call(507).ok());
  EXPECT_EQ(device.requests.back().size(), 40u + 507 * 8);
}

TEST_F(ChannelTest, D18_TheDevicesLimitCounts) {
  device.set_item(HwcInitItem::kMaxRequest, 639);
  EXPECT_EQ(create(), Errno::kProtocol);
  device.set_item(HwcInitItem::kMaxRequest, 640);
  ASSERT_EQ(create(), Errno{0});
  wire::HeaderOnlyRequest request{};
  const auto write = [](u64* to, u32 count, const void*) {
    std::memset(to, 0, count * sizeof(u64));
  };
  EXPECT_EQ(channel
                ->call<Answer>({.command = Command::kQueryMaxResources}, request,
                               {.count = 76, .write = write, .source = nullptr})
                .error(),
            Errno::kMessageSize);
}

TEST_F(ChannelTest, D19_CompletionsInEitherOrder) {
  ASSERT_EQ(create(), Errno{0});
  for (bool sq_first : {true, false}) {
    device.on_request = [&](const Bytes& request) {
      const Bytes message = ScriptedHwc::answer(request, 0, sizeof(Answer));
      device.respond(message, static_cast<u32>(message.size()), sq_first);
    };
    EXPECT_TRUE(ask().ok());
  }
  // The SQ's much later, or never: the next request does not mind.
  device.on_request = [&](const Bytes& request) {
    const Bytes message = ScriptedHwc::answer(request, 0, sizeof(Answer));
    device.put(message);
    device.push_cqe(false, ScriptedHwc::kRq, device.next_offset(), sizeof(Answer));
    device.rq_consumed++;
  };
  EXPECT_TRUE(ask().ok());
  device.push_cqe(true, ScriptedHwc::kSq);
  EXPECT_TRUE(ask().ok());
}

TEST_F(ChannelTest, D19_CompletionsOfOtherQueuesAreIgnored) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes& request) {
    device.push_cqe(true, 0x77);
    device.push_cqe(false, 0x78, 0, 64);
    device.push_cqe(false, ScriptedHwc::kSq, 0, 64);
    device.push_cqe(true, ScriptedHwc::kSq);
    device.push_cqe(true, ScriptedHwc::kSq);  // one too many
    device.test_event_and_answer(request);
  };
  EXPECT_TRUE(ask().ok());
  EXPECT_TRUE(ask().ok());
}

TEST_F(ChannelTest, D19_AWrongMessageIdIsRejected) {
  ASSERT_EQ(create(), Errno{0});
  answer_with([](wire::ResponseHeader& header) { header.response.message_id = 1; });
  const u64 before = kernel.now_ms;
  EXPECT_EQ(ask().error(), Errno::kProtocol);
  EXPECT_LT(kernel.now_ms - before, 1'000u);
  EXPECT_TRUE(channel->failed());
}

TEST_F(ChannelTest, D20_ImpossibleLengths) {
  for (int length : {0, 31, 4097, 0x7FFFFFFF}) {
    ASSERT_EQ(create(), Errno{0});
    answer_with([](auto&) {}, length);
    EXPECT_EQ(ask().error(), Errno::kProtocol) << length;
    EXPECT_TRUE(channel->failed());
    device.on_request = nullptr;
    EXPECT_TRUE(channel->stop());
    channel = {};
  }
}

TEST_F(ChannelTest, D20_MissingFieldsReadAsZeroOrAreRejected) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes& request) {
    Bytes message = ScriptedHwc::answer(request, 0, 48);
    std::memset(&message[32], 0x11, 16);
    ScriptedHwc::header(message).response.size = 40;
    device.respond(message, 40);
  };
  EXPECT_EQ(ask().error(), Errno::kProtocol);  // wants all of it
  auto answer = ask(40);
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->values[0], 0x1111111111111111ull);
  EXPECT_EQ(answer->values[1], 0u);
  EXPECT_FALSE(channel->failed());
}

TEST_F(ChannelTest, D20_TheDeviceCannotChangeAnAnswerLater) {
  ASSERT_EQ(create(), Errno{0});
  answer_with([](auto&) {});
  // Between the completion and the caller, which waits.
  kernel.before_interrupts = [&, polls = 0]() mutable {
    if (device.requests.size() < 2 || polls++ < 1)
      return;
    Bytes garbage(48, 0xEE);
    const u32 consumed = std::exchange(device.rq_consumed, device.rq_consumed - 1);
    device.put(garbage);
    device.rq_consumed = consumed;
  };
  auto answer = ask();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->values[0], 0x1111111111111111ull);
  kernel.before_interrupts = nullptr;
}

TEST_F(ChannelTest, D20_LongerAnswersAreCutToTheCallersSize) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes& request) {
    Bytes message = ScriptedHwc::answer(request, 0, 4096);
    std::memset(&message[32], 0x22, 4064);
    device.respond(message);
  };
  auto answer = ask();
  ASSERT_TRUE(answer.ok());
  EXPECT_EQ(answer->values[1], 0x2222222222222222ull);
}

TEST_F(ChannelTest, D21_EveryFieldOfTheHeader) {
  ASSERT_EQ(create(), Errno{0});
  const auto expect_rejected = [&](const char* what, auto change) {
    answer_with(change);
    EXPECT_EQ(ask().error(), Errno::kProtocol) << what;
    EXPECT_FALSE(channel->failed()) << what;
  };
  using Header = wire::ResponseHeader;
  expect_rejected("type", [](Header& header) { header.response.message_type++; });
  expect_rejected("version 0", [](Header& header) { header.response.version = 0; });
  expect_rejected("version", [](Header& header) { header.response.version = 3; });
  expect_rejected("size", [](Header& header) { header.response.size = 49; });
  expect_rejected("size", [](Header& header) { header.response.size = 31; });
  expect_rejected("device type",
                  [](Header& header) { header.device.type = wire::DeviceType::kHwc; });
  expect_rejected("device instance", [](Header& header) { header.device.instance = 6; });
  answer_with([](Header& header) { header.response.version = 2; });
  EXPECT_TRUE(ask().ok());
  // Another activity: the answer to an earlier request; ours never comes.
  answer_with([](Header& header) { header.activity_id ^= 1; });
  EXPECT_EQ(ask().error(), Errno::kTimedOut);
}

TEST_F(ChannelTest, D22_Statuses) {
  ASSERT_EQ(create(), Errno{0});
  const auto status = [&](u32 value) {
    answer_with([value](wire::ResponseHeader& header) { header.status = value; });
  };
  status(0xFFFFFFFF);
  EXPECT_EQ(ask().error(), Errno::kNotSupported);
  status(1);
  EXPECT_EQ(ask().error(), Errno::kIo);
  status(0x105);
  EXPECT_EQ(ask().error(), Errno::kIo);
  EXPECT_TRUE(ask(0, true).ok());
  EXPECT_FALSE(channel->failed());
  // A refusal may be as short as a header.
  device.on_request = [&](const Bytes& request) {
    device.respond(ScriptedHwc::answer(request, 7));
  };
  EXPECT_EQ(ask().error(), Errno::kIo);
}

TEST_F(ChannelTest, D23_ATimeoutLatchesAndALateAnswerFindsNobody) {
  ASSERT_EQ(create(), Errno{0});
  Bytes late;
  device.on_request = [&](const Bytes& request) {
    late = ScriptedHwc::answer(request, 0, sizeof(Answer));
  };
  const u64 before = kernel.now_ms;
  EXPECT_EQ(ask().error(), Errno::kTimedOut);
  EXPECT_GE(kernel.now_ms - before, 30'000u);
  EXPECT_LE(kernel.now_ms - before, 31'000u);
  EXPECT_TRUE(channel->failed());

  const size_t sent = device.requests.size();
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
  EXPECT_EQ(device.requests.size(), sent);
  EXPECT_LE(kernel.now_ms - before, 31'000u);

  device.respond(late);
  kernel.settle();
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
}

TEST_F(ChannelTest, D23_AnAnswerThatCameTwiceDoesNotAnswerTheNext) {
  ASSERT_EQ(create(), Errno{0});
  Bytes first;
  device.on_request = [&](const Bytes& request) {
    if (first.empty())
      first = ScriptedHwc::answer(request, 0, sizeof(Answer));
    device.respond(first);  // for the second request too
    if (device.requests.size() > 2)
      kernel.after(
          100, [&, request] { device.respond(ScriptedHwc::answer(request, 9, sizeof(Answer))); });
  };
  EXPECT_TRUE(ask().ok());
  EXPECT_EQ(ask().error(), Errno::kIo);  // its own
}

TEST_F(ChannelTest, D24_Timeouts) {
  ASSERT_EQ(create(), Errno{0});
  const auto wait = [&] {
    device.on_request = [](const Bytes&) {};
    const u64 before = kernel.now_ms;
    EXPECT_EQ(ask().error(), Errno::kTimedOut);
    return kernel.now_ms - before;
  };
  channel->set_timeout(0);  // ignored
  device.push_event(EqeType::kReconfigurationData, 1 << 24 | 0);
  kernel.settle();
  EXPECT_GE(wait(), 30'000u);
  const auto again = [&] {
    EXPECT_TRUE(channel->stop());
    channel = {};
    device.on_request = nullptr;
    ASSERT_EQ(create(), Errno{0});
  };
  again();
  channel->set_timeout(1);
  EXPECT_GE(wait(), 1'000u);
  again();
  channel->set_timeout(0xFFFFFFFF);
  EXPECT_LE(wait(), 121'000u);
  again();
  device.push_event(EqeType::kReconfigurationData, 1 << 24 | 5'000);
  kernel.settle();
  const u64 waited = wait();
  EXPECT_GE(waited, 5'000u);
  EXPECT_LE(waited, 6'000u);
}

TEST_F(ChannelTest, D25_OffsetsAgreeWithOurOwnBooks) {
  ASSERT_EQ(create(), Errno{0});
  // Wrong offsets first: not aligned, not posted, far away. None may be taken for the answer.
  device.on_request = [&](const Bytes& request) {
    Bytes lie = ScriptedHwc::answer(request, 5, sizeof(Answer));
    device.put(lie);
    const u32 right = device.next_offset() % 4096;
    for (u32 wrong : {right + 1, right + 16, right + 32, right + 64, right ^ 0x800})
      device.push_cqe(false, ScriptedHwc::kRq, wrong, sizeof(Answer));
    kernel.after(5, [&, request] { device.test_event_and_answer(request); });
  };
  EXPECT_TRUE(ask().ok());
  // With and without the laps of the ring.
  for (u32 extra : {0u, 4096u, 0xFFFFF000u}) {
    device.on_request = [&, extra](const Bytes& request) {
      device.put(ScriptedHwc::answer(request, 0, sizeof(Answer)));
      device.push_cqe(false, ScriptedHwc::kRq, device.next_offset() % 4096 + extra, sizeof(Answer));
      device.rq_consumed++;
    };
    EXPECT_TRUE(ask().ok());
  }
}

TEST_F(ChannelTest, D41_Headers) {
  ASSERT_EQ(create(), Errno{0});
  std::set<u32> activities;
  for (int i = 0; i < 5; i++)
    ASSERT_TRUE(ask().ok());
  for (const Bytes& bytes : device.requests) {
    wire::RequestHeader header;
    std::memcpy(&header, bytes.data(), sizeof(header));
    EXPECT_EQ(header.request.header_type, 0u);
    EXPECT_GE(header.request.version, 1);
    EXPECT_EQ(header.request.size, bytes.size());
    EXPECT_EQ(header.response.message_type, header.request.message_type);
    EXPECT_GE(header.response.size, sizeof(wire::ResponseHeader));
    EXPECT_LE(header.response.size, 4096u);
    EXPECT_TRUE(activities.insert(header.activity_id).second);
  }
}

// --- events ---

TEST_F(ChannelTest, D37_ALostInterruptCostsADelayOnly) {
  ASSERT_EQ(create(), Errno{0});
  kernel.before_interrupts = [&] { kernel.pending_.clear(); };
  const u64 before = kernel.now_ms;
  EXPECT_TRUE(ask().ok());
  EXPECT_LE(kernel.now_ms - before, 100u);
  kernel.before_interrupts = nullptr;
}

TEST_F(ChannelTest, D37_TheEqIsArmedAfterEachPass) {
  ASSERT_EQ(create(), Errno{0});
  for (int i = 0; i < 1'000; i++) {
    kernel.mmio.clear();
    device.push_event(EqeType::kTest, 0);
    kernel.settle();
    ASSERT_FALSE(kernel.mmio.empty());
    const Mmio& last = kernel.mmio.back();
    ASSERT_EQ(last.offset, 0x1FF8u);
    ASSERT_EQ(last.value >> 63, 1u);
  }
}

TEST_F(ChannelTest, D39_OverrunOfTheEqLatches) {
  ASSERT_EQ(create(), Errno{0});
  device.event_owner = 5;
  device.push_event(EqeType::kTest, 0);
  kernel.settle();
  EXPECT_TRUE(channel->failed());
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
}

TEST_F(ChannelTest, D39_OverrunOfTheCqReleasesTheWaiter) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes&) {
    device.cqe_owner = 6;
    device.push_cqe(true, ScriptedHwc::kSq);
  };
  const u64 before = kernel.now_ms;
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
  EXPECT_LT(kernel.now_ms - before, 1'000u);
}

TEST_F(ChannelTest, D39_OverrunDuringInitialisation) {
  device.event_owner = 4;
  EXPECT_EQ(create(), Errno::kProtocol);
}

TEST_F(ChannelTest, D40_AFloodIsHandledInBoundedPasses) {
  ASSERT_EQ(create(), Errno{0});
  for (int i = 0; i < 255; i++)
    device.push_event(EqeType{0x42}, 0);
  const u64 rounds = kernel.rounds;
  kernel.settle();
  EXPECT_LT(kernel.rounds - rounds, 10u);
  EXPECT_FALSE(channel->failed());
}

TEST_F(ChannelTest, D65_AResetRequestReleasesTheWaiterAndLatches) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes&) { device.push_event(EqeType::kVfResetRequest, 0); };
  const u64 before = kernel.now_ms;
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
  EXPECT_LT(kernel.now_ms - before, 1'000u);
  ASSERT_EQ(notices.size(), 1u);
  EXPECT_EQ(notices[0].first, hwc::Notice::kResetRequest);
  const size_t sent = device.requests.size();
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
  EXPECT_EQ(device.requests.size(), sent);
}

TEST_F(ChannelTest, D65_AVanishedDeviceReleasesTheWaiter) {
  ASSERT_EQ(create(), Errno{0});
  device.on_request = [&](const Bytes&) { device.poke<u32>(wire::reg::kVersion, ~0u); };
  const u64 before = kernel.now_ms;
  EXPECT_EQ(ask().error(), Errno::kNoDevice);
  EXPECT_LT(kernel.now_ms - before, 1'000u);
}

TEST_F(ChannelTest, NoticesEndWhenMuted) {
  ASSERT_EQ(create(), Errno{0});
  device.push_event(EqeType::kReconfigurationData, 2 << 24 | 3);
  device.push_event(EqeType::kReconfigurationData, 3 << 24 | 0xFFFFFF);
  device.push_event(EqeType::kReconfigurationData, 99u << 24 | 1);
  kernel.settle();
  ASSERT_EQ(notices.size(), 2u);
  EXPECT_EQ(notices[0], (std::pair{hwc::Notice::kLinkUp, 3u}));
  EXPECT_EQ(notices[1], (std::pair{hwc::Notice::kLinkDown, 0xFFFFFFu}));
  channel->mute();
  device.push_event(EqeType::kReconfigurationData, 2 << 24 | 3);
  kernel.settle();
  EXPECT_EQ(notices.size(), 2u);
}

TEST_F(ChannelTest, TheTestEventMustArrive) {
  device.on_request = [&](const Bytes& request) { device.respond(ScriptedHwc::answer(request)); };
  EXPECT_EQ(create(), Errno::kTimedOut);
  EXPECT_FALSE(device.established);
}

}  // namespace
}  // namespace mana::test
