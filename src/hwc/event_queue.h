// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/cq_table.h"
#include "gdma/entry_ring.h"
#include "hwc/commands.h"
#include "shim/irq.h"

namespace mana::hwc {

// What the event queues of a function share; outlives them.
struct EventQueueContext {
  const kern::PciFunction& function;
  const Device& device;
  const gdma::CqTable& cqs;
  Quarantine& quarantine;
  // Called in hard interrupt context when an EQ lost events: all its users have to let go of it and
  // acquire it again, which gives them a new one (D-39).
  void (*overrun)(void* context);
  void* overrun_context;
};

// A data event queue: tells which CQs have news. Bound to one MSI-X vector, shared by the channels
// of all ports that use its index.
class EventQueue : NonCopyable {
 public:
  // EQ number `index` on vector `index` + 1 (vector 0 is the hardware channel's).
  static Result<kern::Box<EventQueue>> create(const EventQueueContext& context, u32 index);
  // Disables the EQ; all CQs attached to it are gone. Memory that the device may still write to
  // goes to the quarantine.
  ~EventQueue();

  u32 id() const { return id_; }
  u32 vector() const { return index_ + 1; }
  void synchronize() const { shim_irq_synchronize(context_.function.get(), vector()); }
  int irq() const { return shim_vector_irq(context_.function.get(), vector()); }

  void interrupt();  // hard interrupt context

  // Has the device post a test event, and waits for its interrupt. Process context.
  Result<void> test(u32 milliseconds);

  // Events were lost: the queue is silent, and of no use to those who have it any more.
  bool overrun() const { return overrun_.load(); }

 private:
  template <typename T>
  friend class kern::Box;
  friend class EventQueueSet;

  EventQueue(const EventQueueContext& context, u32 index, gdma::EventRing ring);
  void free_irq();
  void arm() const;
  void report_overrun();

  // What an interrupt needs.
  gdma::EventRing ring_;
  const gdma::CqTable& cqs_;
  gdma::DoorbellPage doorbell_;
  u32 id_ = 0;
  kern::Atomic<bool> listening_{false};  // exists on the device, and lost nothing

  const EventQueueContext& context_;
  u32 index_;
  bool exists_ = false;  // on the device
  bool irq_requested_ = false;
  kern::Atomic<bool> overrun_{false};
  char irq_name_[48];
  kern::Completion tested_;

  // Book-keeping of the set.
  u32 users_ = 0;
  kern::Box<EventQueue> older_;  // an overrun queue of the same index that still has users
};

// The data EQs of the function, created when the first channel wants one. They and their interrupts
// stay until clear(), so that ports that go down and up again, or change their channels, need not
// ask the device for them. An EQ whose CQs are gone is silent.
class EventQueueSet : NonCopyable {
 public:
  explicit EventQueueSet(const EventQueueContext& context) : context_{context} {}

  Result<void> init(u32 count);

  // Process context. Every acquire() that succeeds is paired with a release() of the same queue,
  // after the CQs attached to the EQ are destroyed (D-64).
  Result<EventQueue*> acquire(u32 index);
  void release(EventQueue& queue);

  // Tests each queue in use, to the first that fails.
  Result<void> test(u32 milliseconds);

  // Destroys all EQs. Process context, while nobody has one and the device still listens.
  void clear();

  u32 count() const { return queues_.size(); }

 private:
  EventQueueContext context_;
  kern::Mutex lock_{SHIM_MUTEX_EVENT_QUEUES};
  kern::Array<kern::Box<EventQueue>> queues_;  // by index; overrun ones hang behind the current one
};

}  // namespace mana::hwc
