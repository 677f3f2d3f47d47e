// SPDX-License-Identifier: GPL-2.0
// src/hwc/mailbox.cc: who owns the mailbox, what is written to it and when, what is taken for an
// answer.
#include "hwc/mailbox.h"

#include <initializer_list>

#include "kunit/harness/scripted_channel.h"

namespace mana::kunit {
namespace {

constexpr u32 kMailbox = ScriptedDevice::kMailbox;
constexpr u32 kHeader = ScriptedDevice::kMailboxHeader;
constexpr u32 kBusy = ScriptedDevice::kStillBusy;
constexpr u64 kMostMs = 60'000;  // D-9

// Appendix B.1
constexpr wire::EstablishHwc kRings{.eq_frame = 0xA123456789ABC,
                                    .cq_frame = 0x0000000123456,
                                    .rq_frame = 0x3000000000001,
                                    .sq_frame = 0xF0000000FFFFF,
                                    .msix_vector = 0};
constexpr u32 kWords[wire::smc::kWords] = {0x56789abc, 0x34561234, 0x00000012, 0x00000001,
                                           0xffff0000, 0x0000000f, 0x0000f30a, 0x00000001};

// A mailbox, and the accesses to it.
class Post : NonCopyable {
 public:
  Post() {
    device().init_count = 0;  // there are no rings
    device().on_access = note_;
  }
  ~Post() {
    const StillFunction still{rig_.function()};
    device().forget_hooks();
  }

  explicit operator bool() const { return static_cast<bool>(rig_); }
  ScriptedDevice& device() const { return rig_.device(); }
  const Function& function() const { return rig_.function(); }
  const char* why() {
    text_ = rig_.diagnosis().text();
    return text_.bytes;
  }
  Errno establish(const wire::EstablishHwc& rings = kRings) {
    return mailbox_.establish_hwc(rings).error();
  }
  Errno destroy() { return mailbox_.destroy_hwc().error(); }

  void poke_header(u32 value) {
    const StillFunction still{rig_.function()};
    device().poke<u32>(kHeader, value);
  }
  // The answer to DESTROY is this header; afterwards the mailbox is the driver's again.
  Errno destroy_answered_with(u32 answer) {
    const auto give = [=](u32) { return answer; };
    device().mailbox_answer = give;
    const Errno error = destroy();
    device().mailbox_answer = nullptr;
    poke_header(0);
    return error;
  }

  static constexpr u32 kMaxWrites = 8;
  ScriptedDevice::Access writes[kMaxWrites];
  u32 write_count = 0;
  u32 reads = 0;
  u32 bad_accesses = 0;  // not an aligned word

 private:
  void note(const ScriptedDevice::Access& access) {
    bad_accesses += access.size != sizeof(u32) || access.offset % sizeof(u32) != 0;
    if (!access.is_write)
      reads++;
    else if (write_count++ < kMaxWrites)
      writes[write_count - 1] = access;
  }
  struct Note {
    Post* post;
    void operator()(const ScriptedDevice::Access& access) const { post->note(access); }
  };

  Note note_{this};
  ScriptedChannel rig_{{.create = false}};
  hwc::Mailbox mailbox_{rig_.bar(), kMailbox, rig_.diagnosis()};
  hwc::Diagnosis::Text text_{};
};

// --- possession and order ---

CASE(D5_nothing_is_written_before_possession) {
  Post post;
  post.poke_header(kBusy);
  u32 written_before = ~0u;
  const auto release = [&] {
    written_before = post.write_count;
    post.device().poke<u32>(kHeader, 0);
  };
  {
    const StillFunction still{post.function()};
    post.device().after(3'000, release);
  }
  const Stopwatch watch;
  EXPECT_EQ(post.establish(), Errno{0});
  EXPECT_EQ(written_before, 0u);
  EXPECT_GE(watch.ms(), 2'990u);
  EXPECT_LE(watch.ms(), 3'100u);
  EXPECT_EQ(post.write_count, 8u);
}

CASE(D5_destroy_waits_for_possession_too) {
  Post post;
  post.poke_header(kBusy | 0x81);
  u32 written_before = ~0u;
  const auto release = [&] {
    written_before = post.write_count;
    post.device().poke<u32>(kHeader, 0x81);
  };
  {
    const StillFunction still{post.function()};
    post.device().after(500, release);
  }
  EXPECT_EQ(post.destroy(), Errno{0});
  EXPECT_EQ(written_before, 0u);
}

CASE(D5_the_header_is_written_last) {
  Post post;
  EXPECT_EQ(post.establish(), Errno{0});
  ASSERT_EQ(post.write_count, 8u);
  bool seen[wire::smc::kWords] = {};
  for (u32 n = 0; n < 8; n++)
    seen[(post.writes[n].offset - kMailbox) / 4 % 8] = true;
  for (bool word : seen)
    EXPECT(word);
  EXPECT_EQ(post.writes[7].offset, kHeader);
  EXPECT_EQ(post.device().mailbox_requests, 1u);
}

CASE(D5_destroy_writes_the_header_only) {
  Post post;
  EXPECT_EQ(post.destroy(), Errno{0});
  ASSERT_EQ(post.write_count, 1u);
  EXPECT_EQ(post.writes[0].offset, kHeader);
  EXPECT_EQ(post.writes[0].value, 2u);
}

CASE(D6_aligned_words_only) {
  Post post;
  EXPECT_EQ(post.establish(), Errno{0});
  EXPECT_EQ(post.destroy(), Errno{0});
  EXPECT_GE(post.reads, 4u);
  EXPECT_EQ(post.bad_accesses, 0u);
}

// What the last answer left in the mailbox does not find its way into the next request.
CASE(D6_no_foreign_bits_in_the_header) {
  Post post;
  for (u32 left : {0x00000081u, 0x0000ff82u, 0x7fffffffu, 0x7f7f7f7fu}) {
    post.poke_header(left);
    EXPECT_EQ(post.establish(), Errno{0});
    EXPECT_EQ(post.device().last_mailbox_request, 0x00000001u);
    post.poke_header(left);
    EXPECT_EQ(post.destroy(), Errno{0});
    EXPECT_EQ(post.device().last_mailbox_request, 0x00000002u);
  }
}

CASE(D7_frame_numbers) {
  Post post;
  EXPECT_EQ(post.establish(), Errno{0});
  ASSERT_EQ(post.write_count, 8u);
  for (u32 n = 0; n < 8; n++) {
    EXPECT_EQ(post.writes[n].offset, kMailbox + 4 * n);
    EXPECT_EQ(post.writes[n].value, kWords[n]);
  }
}

// One bit at a time, so that no field spills into another. Bit by bit by the data sheet's table.
CASE(D7_each_bit_of_each_frame) {
  Post post;
  for (u32 ring = 0; ring < 4; ring++)
    for (u32 bit = 0; bit < 52; bit += bit < 46 ? 5 : 1) {
      wire::EstablishHwc rings{};
      u64* const frames[] = {&rings.eq_frame, &rings.cq_frame, &rings.rq_frame, &rings.sq_frame};
      *frames[ring] = 1ull << bit;
      post.write_count = 0;
      ASSERT_EQ(post.establish(rings), Errno{0});
      const u32 at = bit < 48 ? 8 * 6 * ring + bit : 8 * 24 + 4 * ring + bit - 48;
      for (u32 n = 0; n < 7; n++)
        EXPECT_EQ(post.writes[n].value, n == at / 32 ? 1u << at % 32 : 0u);
    }
  wire::EstablishHwc rings{
      .eq_frame = 0, .cq_frame = 0, .rq_frame = 0, .sq_frame = 0, .msix_vector = 0x8001};
  post.write_count = 0;
  ASSERT_EQ(post.establish(rings), Errno{0});
  EXPECT_EQ(post.writes[6].value, 0x80010000u);
}

// --- answers ---

// Every header that a confused device might leave, as far as the named bits go.
CASE(D8_only_a_proper_answer_is_one) {
  Post post;
  u32 accepted = 0;
  for (u32 low = 0; low < 0x100; low++) {
    const u32 type = low & 7, version = low >> 3 & 7, response = low >> 7;
    const bool proper = type == 2 && version == 0 && response;
    const Errno error = post.destroy_answered_with(low);
    EXPECT_EQ(error, proper ? Errno{0} : Errno::kProtocol);
    if (kunit_failed()) {
      FAIL("header %#x", low);
      return;
    }
    accepted += error == Errno{0};
  }
  EXPECT_EQ(accepted, 2u);  // bit 6 is reserved
}

CASE(D8_every_other_status_is_a_refusal) {
  Post post;
  for (u32 status = 1; status < 0x100; status++)
    ASSERT_EQ(post.destroy_answered_with(0x82 | status << 8), Errno::kIo);
  EXPECT_EQ(post.destroy_answered_with(0x82), Errno{0});
  EXPECT_EQ(post.destroy_answered_with(0x3782), Errno::kIo);
  EXPECT_TEXT(post.why(), "the mailbox request was refused with status 0x37");
}

CASE(D8_a_refused_establish) {
  Post post;
  const auto refuse = [](u32) { return 0x181u; };
  post.device().mailbox_answer = refuse;
  EXPECT_EQ(post.establish(), Errno::kIo);
  // Nor the answer to another request.
  const auto other = [](u32) { return 0x82u; };
  post.device().mailbox_answer = other;
  EXPECT_EQ(post.establish(), Errno::kProtocol);
  EXPECT_TEXT(post.why(), "the mailbox answered with an unexpected header, 0x82");
}

CASE(reserved_bits_of_an_answer_say_nothing) {
  Post post;
  for (u32 reserved : {0x00000040u, 0x00ff0000u, 0x01000000u, 0x7e000000u})
    EXPECT_EQ(post.destroy_answered_with(reserved | 0x82), Errno{0});
}

CASE(D8_all_ones_before_the_request) {
  Post post;
  post.poke_header(~0u);
  const Stopwatch watch;
  EXPECT_EQ(post.establish(), Errno::kNoDevice);
  EXPECT_EQ(post.destroy(), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), 10u);
  EXPECT_EQ(post.write_count, 0u);
}

CASE(D8_all_ones_for_an_answer) {
  Post post;
  const Stopwatch watch;
  EXPECT_EQ(post.destroy_answered_with(~0u), Errno::kNoDevice);
  EXPECT_LE(watch.ms(), 100u);
  EXPECT_TEXT(post.why(), "the mailbox reads all ones: the device is gone or in reset");
}

// --- waits ---

CASE(D9_no_answer) {
  Post post;
  const Stopwatch watch;
  EXPECT_EQ(post.destroy_answered_with(kBusy), Errno::kTimedOut);
  EXPECT_LE(watch.ms(), kMostMs);
  EXPECT_GE(watch.ms(), 5'000u);  // a host that is being serviced takes seconds
  EXPECT_LE(watch.ms(), hwc::Mailbox::kTimeoutMs + 100);
  EXPECT_TEXT(post.why(), "the mailbox never answered, ms waited: 0x2710");
}

CASE(D9_no_possession) {
  Post post;
  post.poke_header(kBusy);
  const Stopwatch watch;
  EXPECT_EQ(post.establish(), Errno::kTimedOut);
  EXPECT_LE(watch.ms(), kMostMs);
  EXPECT_EQ(post.write_count, 0u);
  EXPECT_EQ(post.destroy(), Errno::kTimedOut);
  EXPECT_LE(watch.ms(), 2 * (hwc::Mailbox::kTimeoutMs + 100));
  EXPECT_EQ(post.write_count, 0u);
}

CASE(an_answer_that_takes_its_time) {
  Post post;
  const auto busy = [](u32) { return kBusy; };
  post.device().mailbox_answer = busy;
  const auto late = [&] { post.device().poke<u32>(kHeader, 0x82); };
  {
    const StillFunction still{post.function()};
    post.device().after(hwc::Mailbox::kTimeoutMs - 500, late);
  }
  EXPECT_EQ(post.destroy(), Errno{0});
}

// A mailbox that shows something else at each look: no wait without an end, no success by accident.
CASE(D9_a_mailbox_that_never_holds_still) {
  Post post;
  u32 seed = 12345;
  const auto scramble = [&](const ScriptedDevice::Access& access) {
    if (access.is_write)
      return;
    seed = seed * 1664525 + 1013904223;
    // For the next look. Never a proper answer, and never all ones.
    post.device().poke<u32>(kHeader, (seed & ~0x80u) | (seed % 3 ? kBusy : 0));
  };
  const auto no_answer = [](u32 header) { return header; };
  post.device().mailbox_answer = no_answer;
  post.device().on_access = scramble;
  const Stopwatch watch;
  for (u32 round = 0; round < 100; round++) {
    EXPECT_NE(post.establish(), Errno{0});
    EXPECT_NE(post.destroy(), Errno{0});
  }
  EXPECT_LE(watch.ms(), 200 * 2 * hwc::Mailbox::kTimeoutMs);
}

constexpr mana_case kCases[] = {
    LIST(D5_nothing_is_written_before_possession),
    LIST(D5_destroy_waits_for_possession_too),
    LIST(D5_the_header_is_written_last),
    LIST(D5_destroy_writes_the_header_only),
    LIST(D6_aligned_words_only),
    LIST(D6_no_foreign_bits_in_the_header),
    LIST(D7_frame_numbers),
    LIST(D7_each_bit_of_each_frame),
    LIST(D8_only_a_proper_answer_is_one),
    LIST(D8_every_other_status_is_a_refusal),
    LIST(D8_a_refused_establish),
    LIST(reserved_bits_of_an_answer_say_nothing),
    LIST(D8_all_ones_before_the_request),
    LIST(D8_all_ones_for_an_answer),
    LIST(D9_no_answer),
    LIST(D9_no_possession),
    LIST(an_answer_that_takes_its_time),
    LIST(D9_a_mailbox_that_never_holds_still),
};

}  // namespace

MANA_SUITE(mailbox, kCases)

}  // namespace mana::kunit
