// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "gdma/cq_table.h"
#include "gdma/entry_ring.h"
#include "hwc/commands.h"
#include "shim/irq.h"

namespace mana::hwc {

// A data event queue: tells which CQs have news. Bound to one MSI-X vector, shared by the channels
// of all ports that use its index.
class EventQueue : NonCopyable {
 public:
  // EQ number `index` on vector `index` + 1 (vector 0 is the hardware channel's).
  static Result<kern::Box<EventQueue>> create(const kern::PciFunction& function,
                                              const Device& device, const gdma::CqTable& cqs,
                                              Quarantine& quarantine, u32 index);
  // Disables the EQ; all CQs attached to it are gone. Memory that the device may still write to
  // goes to the quarantine.
  ~EventQueue();

  u32 id() const { return id_; }
  u32 vector() const { return index_ + 1; }
  void synchronize() const { shim_irq_synchronize(function_.get(), vector()); }
  int irq() const { return shim_irq_number(function_.get(), vector()); }

  void interrupt();  // hard interrupt context
  u64 overruns() const { return overruns_.get(); }

 private:
  template <typename T>
  friend class kern::Box;

  EventQueue(const kern::PciFunction& function, const Device& device, const gdma::CqTable& cqs,
             Quarantine& quarantine, u32 index, gdma::EventRing ring);

  const kern::PciFunction& function_;
  const Device& device_;
  const gdma::CqTable& cqs_;
  Quarantine& quarantine_;
  gdma::EventRing ring_;
  u32 index_;
  u32 id_ = 0;
  bool exists_ = false;  // on the device
  bool irq_requested_ = false;
  kern::Counter overruns_;
  char irq_name_[48];
};

// The data EQs of the function, created when the first channel wants one.
class EventQueueSet : NonCopyable {
 public:
  Result<void> init(const kern::PciFunction& function, const Device& device,
                    const gdma::CqTable& cqs, Quarantine& quarantine, u32 count);

  // Process context. Every acquire() that succeeds is paired with a release() of the same index,
  // after the CQs attached to the EQ are destroyed (D-64).
  Result<EventQueue*> acquire(u32 index);
  void release(u32 index);

  u32 count() const { return slots_.size(); }

 private:
  struct Slot {
    kern::Box<EventQueue> queue;
    u32 users = 0;
  };

  const kern::PciFunction* function_ = nullptr;
  const Device* device_ = nullptr;
  const gdma::CqTable* cqs_ = nullptr;
  Quarantine* quarantine_ = nullptr;
  kern::Mutex lock_{SHIM_MUTEX_EVENT_QUEUES};
  kern::Array<Slot> slots_;
};

}  // namespace mana::hwc
