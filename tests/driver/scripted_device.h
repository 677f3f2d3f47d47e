// SPDX-License-Identifier: GPL-2.0
// Devices that do what a test tells them, also what no device would do.
#pragma once

#include "driver_test.h"
#include "wire/gdma_commands.h"
#include "wire/mailbox.h"

namespace mana::test {

// Registers as plain memory: a sane map, a mailbox, doorbell pages.
class RegisterFile : public BusDevice {
 public:
  RegisterFile() {
    poke<u32>(wire::reg::kVersion, 0x01000001);
    poke<u64>(wire::reg::kDoorbellOffset, 0x1000);
    poke<u32>(wire::reg::kDoorbellSize, 0x1000);
    poke<u64>(wire::reg::kSmcOffset, kMailbox);
    poke<u32>(wire::reg::kSmcSize, 32);
  }
  static constexpr u32 kMailbox = 0x28;

  u64 bar_size() const override { return bytes.size(); }
  u64 read(u64 offset, u32 size) override {
    u64 value = 0;
    std::memcpy(&value, &bytes.at(offset), size);
    return value;
  }
  void write(u64 offset, u64 value, u32 size) override {
    std::memcpy(&bytes.at(offset), &value, size);
  }
  template <typename T>
  void poke(u64 offset, T value) {
    std::memcpy(&bytes.at(offset), &value, sizeof(value));
  }
  template <typename T>
  T peek(u64 offset) const {
    T value;
    std::memcpy(&value, &bytes.at(offset), sizeof(value));
    return value;
  }

  std::vector<u8> bytes = std::vector<u8>(0x4000);
};

// A hardware channel and nothing behind it. The numbers are those of the data sheet's examples.
class ScriptedHwc : public RegisterFile {
 public:
  explicit ScriptedHwc(FakeKernel& kernel);

  void write(u64 offset, u64 value, u32 size) override;
  bool run() override;
  void reset() override { established = false; }

  static constexpr u32 kEq = 0x19, kCq = 0x1A, kSq = 0x18, kRq = 0x1B, kMkey = 0x77;

  // What ESTABLISH is followed by.
  std::vector<std::pair<wire::EqeType, u32>> init_events;
  static u32 item(wire::HwcInitItem type, u32 value) {
    return static_cast<u32>(type) << 24 | value;
  }
  void drop_item(wire::HwcInitItem type);
  void set_item(wire::HwcInitItem type, u32 value);

  // The word that answers a mailbox request; bit 31 set: no answer.
  std::function<u32(u32 header)> mailbox_answer;
  std::vector<u32> mailbox_requests;
  // Answers a request; without it, success.
  std::function<void(const Bytes& request)> on_request;
  std::vector<Bytes> requests;

  void push_event(wire::EqeType type, u32 value);
  void push_cqe(bool is_sq, u32 wq_id, u32 offset = 0, u32 length = 0);
  // Owner bits of the next entries, instead of the right ones.
  int event_owner = -1;
  int cqe_owner = -1;

  // An answer in the making.
  static Bytes answer(const Bytes& request, u32 status = 0, u32 bytes = 0);
  static wire::ResponseHeader& header(Bytes& message) {
    return *reinterpret_cast<wire::ResponseHeader*>(message.data());
  }
  void put(const Bytes& message);  // into the posted buffer
  u32 next_offset() const { return rq_consumed * wire::kHwcResponseWqeBytes; }
  // Message and both completions.
  void respond(const Bytes& message) { respond(message, static_cast<u32>(message.size())); }
  void respond(const Bytes& message, u32 length, bool sq_first = true);
  void test_event_and_answer(const Bytes& request);

  bool established = false;
  wire::EstablishHwc rings{};
  u32 rq_consumed = 0;  // WQEs
  u32 sq_consumed = 0;
  u32 sq_tail = 0;  // bytes
  u32 rq_tail = 0;

 private:
  u8* ring(u64 frame, u32 offset) { return kernel_.coherent((frame << 12) + offset % 4096, 16); }

  FakeKernel& kernel_;
  bool mailbox_pending_ = false;
  u32 eq_head_ = 0;
  u32 cq_head_ = 0;
};

}  // namespace mana::test
