// SPDX-License-Identifier: GPL-2.0
// A device that does what a case tells it, also what no device would do: registers as plain memory,
// a mailbox, a hardware channel, and event queues that events can be put into. Rings, arming and
// doorbells work as the data sheet says; whatever is an answer is the case's to change.
#pragma once

#include "kunit/harness/function.h"
#include "kunit/harness/hook.h"
#include "wire/bnic_commands.h"
#include "wire/mailbox.h"
#include "wire/registers.h"

namespace mana::kunit {

class ScriptedDevice final : public BusDevice {
 public:
  static constexpr u32 kMailbox = 0x28;
  static constexpr u32 kMailboxHeader = kMailbox + 4 * wire::smc::kHeaderWord;
  static constexpr u32 kDoorbells = 0x1000;
  static constexpr u32 kDoorbellPages = 3;
  static constexpr u32 kBar = 0x4000;
  // The numbers of the data sheet's examples.
  static constexpr u32 kEq = 0x19, kCq = 0x1A, kSq = 0x18, kRq = 0x1B, kMkey = 0x77;

  ScriptedDevice();
  ~ScriptedDevice();
  explicit operator bool() const { return parts_ != nullptr; }

  u64 read(u64 offset, u32 size) override;
  void write(u64 offset, u64 value, u32 size) override;
  void run() override;
  void reset() override;
  u64 bar_bytes() const override { return kBar; }

  // Everything below is for hooks, or with the function still; hooks run under its lock.

  // --- registers ---
  struct Access {
    bool is_write;
    u64 offset;
    u64 value;
    u32 size;
  };
  Hook<void(const Access&)> on_access;  // a write before it takes effect
  template <typename T>
  void poke(u64 offset, T value) {
    __builtin_memcpy(registers() + offset, &value, sizeof(value));
  }
  template <typename T>
  T peek(u64 offset) const {
    T value;
    __builtin_memcpy(&value, registers() + offset, sizeof(value));
    return value;
  }
  void vanish() { gone_ = true; }  // all registers read all ones, nothing is written or answered
  void come_back() { gone_ = false; }

  // Calls it in the future. As it is a case's lambda, none may be left when that ends.
  void after(u32 milliseconds, Hook<void()> what);
  // No hook is called any more.
  void forget_hooks();

  // --- mailbox ---
  // The header that answers a request: bit 31 set, no answer. Without it, success.
  Hook<u32(u32 header)> mailbox_answer;
  u32 mailbox_requests = 0;
  u32 last_mailbox_request = 0;
  static u32 success(u32 header) { return wire::smc::MessageType::get(header) | 0x80; }
  static constexpr u32 kStillBusy = 1u << 31;

  // --- what follows ESTABLISH ---
  struct Event {
    wire::EqeType type;
    u32 value;
  };
  static constexpr u32 kMaxInitEvents = 320;
  u32 init_count = 0;
  Event& init_event(u32 n) const;
  void insert(u32 at, Event event);
  void erase(u32 at);
  static constexpr u32 item(wire::HwcInitItem type, u32 value) {
    return static_cast<u32>(type) << 24 | value;
  }
  static constexpr Event item_event(wire::HwcInitItem type, u32 value) {
    return {wire::EqeType::kHwcInitData, item(type, value)};
  }
  u32 position_of(wire::HwcInitItem type) const;  // init_count: none
  void drop_item(wire::HwcInitItem type);
  void set_item(wire::HwcInitItem type, u32 value);

  // --- requests ---
  struct Request {
    wire::Command command;
    u32 bytes;
    alignas(8) u8 message[wire::kMaxHwcMessage];

    wire::RequestHeader header() const { return as<wire::RequestHeader>(); }
    template <typename T>
    T at(u32 offset) const {
      T value;
      __builtin_memcpy(&value, message + offset, sizeof(value));
      return value;
    }
    template <typename Message>
    Message as() const {
      return at<Message>(0);
    }
  };
  static constexpr u32 kMaxRequests = 32;
  u32 request_count = 0;
  // The n-th; the oldest are forgotten after kMaxRequests.
  const Request& request(u32 n) const;
  const Request& last_request() const { return request(request_count - 1); }
  u32 count_of(wire::Command command, u32 from = 0) const;
  const Request* last_of(wire::Command command) const;

  // Answers a request; without it, succeed().
  Hook<void(const Request&)> on_request;
  // Changes a good answer of succeed()'s: command, message, and how long the completion says it is.
  Hook<void(wire::Command, u8* message, u32& length)> edit_answer;

  // An answer in the making; there is one at a time.
  struct Answer {
    u32 length;
    alignas(8) u8 message[wire::kMaxHwcMessage];

    wire::ResponseHeader& header() { return *reinterpret_cast<wire::ResponseHeader*>(message); }
    template <typename Message>
    Message& as() {
      return *reinterpret_cast<Message*>(message);
    }
  };
  Answer& answer(const wire::RequestHeader& asked, u32 status = 0, u32 bytes = 0);
  void put(const Answer& message);  // into the buffer that is posted next
  u32 next_offset() const { return rq_consumed * wire::kHwcResponseWqeBytes; }
  // Message and both completions.
  void respond(const Answer& message) { respond(message, message.length); }
  void respond(const Answer& message, u32 length, bool sq_first = true);
  // What a device would do, the test event included.
  void succeed(const Request& request);

  u32 rq_consumed = 0;  // WQEs
  u32 sq_consumed = 0;
  u32 sq_tail = 0;  // bytes
  u32 rq_tail = 0;

  // --- event queues: number 0 is the channel's, then in the order of CREATE_QUEUE ---
  struct EventQueue {
    u64 address = 0;
    u32 entries = 0;
    u32 vector = 0;
    u32 id = 0;
    u32 head = 0;
    bool armed = false;
    bool exists = false;
    u32 doorbells = 0;
    u32 notified = 0;  // interrupts
  };
  static constexpr u32 kMaxEventQueues = 10;
  EventQueue& event_queue(u32 n) const;
  u32 event_queue_count = 0;
  void push_event(wire::EqeType type, u32 value, u32 queue = 0);
  void push_cqe(bool is_sq, u32 wq_id, u32 offset = 0, u32 length = 0);
  // Owner bits of the next entries, instead of the right ones.
  s32 event_owner = -1;
  s32 cqe_owner = -1;
  bool lose_interrupts = false;
  // Of the channel's CQ, as the driver acknowledged them.
  u32 cq_doorbells = 0;
  u32 cq_head() const { return cq_head_; }

  bool established = false;
  wire::EstablishHwc rings{};

  // DMA regions and queues that live.
  u32 live_regions = 0;
  u32 live_queues = 0;
  static constexpr u64 kFirstRegion = 0x5000;
  static constexpr u32 kFirstEqId = 0x40;

 private:
  struct Parts;  // everything that is large
  struct Region {
    u64 handle;
    u64 address;
    u64 bytes;
  };

  u8* registers() const;
  void answer_mailbox();
  void take_request();
  void fire_timers();
  void set_timer();
  void notify(EventQueue& queue);
  void doorbell(u32 reg, u64 value);
  void fill(const Request& request, Answer& message);
  Region* find_region(u64 handle) const;

  Parts* parts_;
  bool gone_ = false;
  bool mailbox_pending_ = false;
  u32 cq_head_ = 0;
  bool cq_armed_ = false;
  u32 next_region_ = 0;
};

}  // namespace mana::kunit
