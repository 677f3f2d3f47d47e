// SPDX-License-Identifier: GPL-2.0
// The hardware channel: requests in on an SQ, responses out on an RQ (data sheet 4).
#pragma once

#include "model/commands.h"
#include "wire/mailbox.h"

namespace mana::model {

class Hwc : NonCopyable {
 public:
  static constexpr u64 kNever = ~0ull;

  Hwc(Context& context, Resources& resources, Commands& commands)
      : context_{context}, resources_{resources}, commands_{commands} {}

  bool active() const { return eq_ != nullptr; }

  // M-6: false, and nothing happened, if a frame or the vector is not valid.
  bool establish(const wire::EstablishHwc& message);
  // M-10: the events that tell the driver ids and limits.
  void announce();
  void destroy();

  // Works off what is posted, a bounded amount. True if more can be done now.
  bool run();
  // When a held-back response is due, or kNever.
  u64 deadline() const;

  void post_event(wire::EqeType type, u32 data) { eq_->post(context_, type, data); }

 private:
  // A response on its way; most leave at once, a fault may hold one back.
  struct Outgoing {
    bool used = false;
    bool with_sq_cqe = false;
    u64 due = 0;
    u32 length = 0;           // bytes of the message
    u32 reported_length = 0;  // in the completion; 0: as written
    u32 owner_skew = 0;
  };
  static constexpr u32 kMaxOutgoing = 4;

  bool accept_request();
  void serve(const Wqe& wqe);
  // Bytes of the request in request_, 0 if there is nothing that could be answered.
  u32 read_request(const Wqe& wqe, bool& valid);
  void respond(u32 length, bool valid);
  void apply_faults(Outgoing& outgoing, u8* bytes, u32 command);
  bool deliver_due();
  bool deliver(Outgoing& outgoing, u8* bytes);
  Outgoing* free_slot();
  u8* bytes_of(const Outgoing& outgoing) { return outgoing_bytes_[&outgoing - outgoing_]; }
  void post_sq_cqe();
  void post_item(wire::HwcInitItem item, u32 value);

  Context& context_;
  Resources& resources_;
  Commands& commands_;
  EventQueue* eq_ = nullptr;
  CompletionQueue* cq_ = nullptr;
  WorkQueue* sq_ = nullptr;
  WorkQueue* rq_ = nullptr;
  static constexpr u32 kNoItem = 0xFFFFFFFF;
  u32 missing_item_ = kNoItem;  // left out by a fault; 0 is event 129
  u32 noise_ = 1;  // state of the generator for garbage
  Outgoing outgoing_[kMaxOutgoing];
  Wqe wqe_;
  alignas(8) u8 request_[wire::kMaxHwcMessage];
  alignas(8) u8 outgoing_bytes_[kMaxOutgoing][wire::kMaxHwcMessage];
};

}  // namespace mana::model
