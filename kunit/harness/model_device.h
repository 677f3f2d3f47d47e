// SPDX-License-Identifier: GPL-2.0
// The device model behind a function. Knows each request that the driver sends, and can change each
// answer.
#pragma once

#include "kunit/harness/function.h"
#include "kunit/harness/hook.h"
#include "vnic/device_model.h"
#include "wire/bnic_commands.h"
#include "wire/mailbox.h"
#include "wire/registers.h"

namespace mana::kunit {

// A write to a doorbell register, taken apart.
struct Doorbell {
  u32 page;
  u32 reg;  // offset in the page
  u32 id;
  u32 value;  // tail or index, without the arm bit
  bool arm;
};

class ModelDevice final : public BusDevice {
 public:
  struct Config {
    u32 ports = 2;
    u32 queues = 2;
    u32 mtu = 9000;
    const char* options = "";
  };
  explicit ModelDevice(const Config& config);
  ~ModelDevice();

  explicit operator bool() const { return model_ != nullptr; }

  u64 read(u64 offset, u32 size) override { return ops_->read(model_, offset, size); }
  void write(u64 offset, u64 value, u32 size) override;
  void run() override;
  void reset() override;
  u64 bar_bytes() const override { return geometry_.bar0_size; }
  u32 vectors() const { return geometry_.msix_vectors; }

  // --- talking to the model; not from hooks ---
  // Its answer, valid until the next; "" if it did not understand.
  const char* control(const char* line);
  void fault(const char* line);  // "fault LINE" must be understood
  // A number of "stats": of a port by name.
  u64 port_statistic(u32 port, const char* name);
  // The n-th request from now on, 1 is the next, meets "fault hwc any WHAT x1"; 0: none.
  void fault_nth(u32 n, const char* what);
  // From on_request: if it is this one that would meet the fault, then the next shall.
  void postpone_fault() { fault_at_ += fault_at_ == request_count_; }
  bool fault_nth_left() const { return fault_at_ > request_count_; }
  void set_link(u32 port, bool up);
  // From hooks, or with the function still: a frame comes in at a port. False if the device lost
  // it.
  bool receive(u32 port, const u8* frame, u32 bytes) {
    return ops_->receive(model_, port, frame, bytes);
  }
  bool has_objects();  // anything that the driver made and did not destroy

  // --- looking over the driver's shoulder ---
  static constexpr u32 kMaxRequests = 1024;
  static constexpr u32 kMaxRequestBytes = 512;  // of each that are kept
  struct Request {
    wire::Command command;
    u32 bytes;
    u64 at_ns;
    alignas(8) u8 message[kMaxRequestBytes];

    template <typename Message>
    Message as() const {
      Message copy{};
      __builtin_memcpy(static_cast<void*>(&copy), message,
                       sizeof(copy) < sizeof(message) ? sizeof(copy) : sizeof(message));
      return copy;
    }
  };
  u32 request_count() const { return request_count_; }  // since creation
  // Without those for the device's counters: a port that is alone asks for them in the background
  // when somebody looks at its statistics, but at most once in a second of the guest's clock.
  u32 change_count() const { return request_count_ - counter_requests_; }
  // The n-th since creation; the oldest are forgotten after kMaxRequests.
  const Request& request(u32 n) const { return requests_[n % kMaxRequests]; }
  u32 count_of(wire::Command command, u32 from = 0) const;
  const Request* last_of(wire::Command command) const;

  // --- interfering; hooks run under the function's lock ---
  Hook<void(const Request&)> on_request;  // before the device sees it
  Hook<void(const Doorbell&)> on_doorbell;  // likewise
  Hook<bool(u64 offset, u64 value, u32 size)> eat_write;  // true: the device never sees it
  // An answer, before the driver can see it; the command it answers, the message, its length.
  Hook<void(wire::Command, u8*, u32)> edit_response;
  // Whatever else the device writes into memory.
  Hook<void(u64 address, u8*, u32)> edit_write;
  bool stalled = false;  // does not run

  u64 doorbells(u32 reg) const { return doorbells_[reg / 0x400 & 3]; }

 private:
  void note_mailbox(u64 offset, u32 value);
  void note_request();
  bool dma_write(u64 address, const void* from, size_t length);

  const vnic_model_ops* ops_;
  vnic_model* model_ = nullptr;
  vnic_geometry geometry_{};
  u32 words_[wire::smc::kWords] = {};
  wire::EstablishHwc rings_{};
  u32 position_ = 0;  // BU of the HWC's SQ
  u32 request_count_ = 0;
  u32 counter_requests_ = 0;
  Request* requests_ = nullptr;
  u8* scratch_ = nullptr;  // of kScratch bytes, for edited writes
  char* reply_ = nullptr;
  u64 doorbells_[4] = {};
  u32 fault_at_ = 0;
  const char* fault_what_ = nullptr;

  static constexpr u32 kScratch = 65536;
  static constexpr u32 kReply = 32768;
};

}  // namespace mana::kunit
