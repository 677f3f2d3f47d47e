// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "gdma/entry_ring.h"
#include "gdma/register_map.h"
#include "gdma/work_ring.h"
#include "hwc/diagnosis.h"
#include "hwc/mailbox.h"
#include "hwc/quarantine.h"
#include "kern/atomic.h"
#include "kern/memory.h"
#include "kern/pci.h"
#include "kern/sync.h"
#include "kern/text.h"
#include "shim/irq.h"
#include "wire/gdma_commands.h"

namespace mana::hwc {

// What the device tells on its own, and what becomes of the channel. Any context.
enum class Notice {
  kResetRequest,  // the function is about to be reset; the channel is dead
  kLinkUp,        // value: vPort index, unchecked
  kLinkDown,      // value: vPort index, unchecked
  kFailed,        // nothing can be asked of the device any more
};

struct NoticeSink {
  void (*notify)(void* context, Notice notice, u32 value) = nullptr;
  void* context = nullptr;
};

// The hardware channel: one EQ, CQ, SQ and RQ that carry management requests, one at a time.
//
// The first failure that leaves the channel's state unknown (a request that timed out, an overrun
// ring, a reset request, a vanished device) latches: every later request fails at once, and nobody
// waits in vain (D-65). A request that was answered with an error is not such a failure.
class HardwareChannel : NonCopyable {
 public:
  struct Call {
    wire::Command command;
    wire::DeviceId device{wire::DeviceType::kNone, 0};
    u16 version = 1;
    u16 response_version = 1;     // the newest that the caller understands
    u32 minimum_response = 0;     // bytes; 0: the whole Response
    bool accept_more_entries = false;  // status 0x105 is success (D-22)
  };

  // What follows the fixed part of a request: `count` words that `write` puts into the message.
  struct Table {
    u32 count = 0;
    void (*write)(u64* to, u32 count, const void* source) = nullptr;
    const void* source = nullptr;
  };

  // Steps 3 to 8 of bring-up (data sheet 10.1): interrupt, rings, ESTABLISH, init events, test.
  // On failure everything is undone; what cannot be is in the quarantine.
  static Result<kern::Box<HardwareChannel>> create(const kern::PciFunction& function,
                                                   const kern::Bar& bar,
                                                   const gdma::RegisterMap& map,
                                                   Diagnosis& diagnosis, Quarantine& quarantine,
                                                   NoticeSink sink);
  ~HardwareChannel();

  // Ends the channel and with it everything the device has (DESTROY_HWC, else a function level
  // reset). True: the device has stopped all DMA. Process context; no request may be under way.
  bool stop();

  // After stop() failed: gives everything that the device may write to to the quarantine.
  void abandon(Quarantine& quarantine);

  // Sends a request and waits for its response; process context, sleeps. `request` starts with a
  // RequestHeader that is filled in here; `table` follows it in the message. Fields of Response
  // that the device did not send are zero.
  //
  // kNotSupported, kIo: the device's answer. Anything else: no usable answer.
  template <typename Response, typename Request>
  Result<Response> call(const Call& call, Request& request, const Table& table) {
    Response response{};
    TRY(exchange(call, &request.header, sizeof(Request), table, &response.header,
                 sizeof(Response)));
    return response;
  }

  template <typename Response, typename Request>
  Result<Response> call(const Call& what, Request& request) {
    return call<Response>(what, request, Table{});
  }

  // Asks for a test event on the channel's own EQ and waits for it: the interrupt path works.
  Result<void> test_own_eq();

  // After this the sink hears nothing any more. Process context.
  void mute();

  void interrupt();  // hard interrupt context

  bool failed() const { return failed_.load(); }
  void fail();  // any context
  void describe(const kern::Text& text) const;  // process context
  void set_timeout(u32 milliseconds);
  u32 max_cqs() const { return ids_.max_cqs; }
  u32 cq_id() const { return ids_.cq; }
  Diagnosis& diagnosis() { return diagnosis_; }

 private:
  template <typename T>
  friend class kern::Box;

  enum class State : u8 { kBootstrap, kUp };

  // What the init events announce (data sheet 4.3).
  struct Ids {
    u32 cq = 0;
    u32 rq = 0;
    u32 sq = 0;
    u32 max_cqs = 0;
    u32 pdid = 0;
    u32 mkey = 0;
    u32 destination_rq = 0;
    u32 destination_cq = 0;
    u32 max_request = wire::kMaxHwcMessage;
    u32 eq = 0;
    u32 seen = 0;  // bit n: init item n; bit 0: event 129
  };

  HardwareChannel(const kern::PciFunction& function, const kern::Bar& bar,
                  const gdma::RegisterMap& map, Diagnosis& diagnosis, NoticeSink sink);

  Result<void> allocate_rings();
  Result<void> establish();
  Result<void> wait_for_event(kern::Completion& done, u32 timeout, const char* on_timeout);
  Result<void> check_ids();

  Result<void> exchange(const Call& call, wire::RequestHeader* request, u32 request_bytes,
                        const Table& table, wire::ResponseHeader* response, u32 response_bytes);
  Result<void> wait_for_response(wire::Command command);
  Result<void> check_response(const Call& call, u32 minimum);
  void trace_response(wire::Command command, u32 activity, const Result<void>& answered,
                      u64 microseconds) const;
  void post_response_buffer();
  void post_request(u32 bytes);

  // Under lock_.
  void process_events();
  void handle_event(wire::EqeType type, u32 value);
  void handle_init_item(u32 value);
  void process_completions();
  void handle_response(u32 wqe_offset, u32 length);
  void reject_response();
  void fail_locked();
  bool latch();
  void arm_eq();
  void notify(Notice notice, u32 value);

  const kern::PciFunction& function_;
  const gdma::RegisterMap& map_;
  Diagnosis& diagnosis_;
  NoticeSink sink_;
  Mailbox mailbox_;

  gdma::EventRing eq_;
  gdma::CompletionRing cq_;
  gdma::WorkRing sq_;
  gdma::WorkRing rq_;
  kern::DmaCoherent request_buffer_;
  kern::DmaCoherent response_buffer_;
  gdma::DoorbellPage doorbell_;

  kern::Mutex request_mutex_{SHIM_MUTEX_HWC_REQUEST};  // one at a time: depth 1 (D-18)
  kern::SpinLock lock_;        // rings and the fields below, against the interrupt
  State state_ = State::kBootstrap;
  bool irq_requested_ = false;
  bool device_knows_rings_ = false;  // ESTABLISH was sent and nothing confirmed the end
  bool waiting_ = false;             // a request is in flight
  bool malformed_ = false;           // the answer to it made no sense
  bool test_waiting_ = false;
  u32 activity_in_flight_ = 0;
  u32 response_length_ = 0;  // of the response in response_, 0 while none has come
  u32 next_activity_ = 1;
  Ids ids_;

  kern::Atomic<bool> failed_{false};
  kern::Atomic<u32> timeout_ms_;
  kern::Completion init_done_;
  kern::Completion response_done_;
  kern::Completion test_done_;
  char irq_name_[48];

  // D-20: the response as it was when it arrived; the device cannot change it any more.
  alignas(8) u8 response_[wire::kMaxHwcMessage];
};

}  // namespace mana::hwc
