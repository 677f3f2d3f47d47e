// SPDX-License-Identifier: GPL-2.0
#include "hwc/event_queue.h"

#include "shim/log.h"

namespace mana::hwc {

namespace {

// Room for one completion event of each of two CQs of 128 ports: a CQ has at most one event
// outstanding between two arm doorbells, so this ring cannot overrun.
constexpr u32 kEntries = 256;

}  // namespace

EventQueue::EventQueue(const kern::PciFunction& function, const Device& device,
                       const gdma::CqTable& cqs, Quarantine& quarantine, u32 index,
                       gdma::EventRing ring)
    : function_{function},
      device_{device},
      cqs_{cqs},
      quarantine_{quarantine},
      ring_{mana::move(ring)},
      index_{index} {
  shim_format(irq_name_, sizeof(irq_name_), "mana_q%u@pci:%s", index, function.name());
}

Result<kern::Box<EventQueue>> EventQueue::create(const kern::PciFunction& function,
                                                 const Device& device, const gdma::CqTable& cqs,
                                                 Quarantine& quarantine, u32 index) {
  auto ring = TRY(gdma::EventRing::create(function.device(), kEntries));
  auto queue = TRY(kern::Box<EventQueue>::create(function.node(), function, device, cqs, quarantine,
                                                 index, mana::move(ring)));
  const s32 code = shim_irq_request_eq(function.get(), queue->vector(), queue->irq_name_,
                                       reinterpret_cast<mana_eq*>(queue.get()));
  if (code < 0) {
    device.channel->diagnosis().set("an interrupt could not be requested, vector", queue->vector());
    return Result<>::from_errno(code).error();
  }
  queue->irq_requested_ = true;
  shim_irq_spread(function.get(), queue->vector(), index);

  auto id = create_eq(device, queue->ring_.memory(), queue->vector());
  if (!id) {
    // Without an answer nobody knows whether the EQ exists now.
    if (device.channel->failed())
      quarantine.hold(queue->ring_.take_memory());
    return id.error();
  }
  // An interrupt before this line finds an unknown id and rings nothing; the arm doorbell below
  // makes the device notify again.
  __atomic_store_n(&queue->id_, *id, __ATOMIC_RELEASE);
  __atomic_store_n(&queue->exists_, true, __ATOMIC_RELEASE);
  device.doorbell.ring_eq(*id, queue->ring_.doorbell_index(), true);
  return queue;
}

EventQueue::~EventQueue() {
  bool confirmed = true;
  if (exists_)
    confirmed = disable_eq(device_, id_).ok();
  if (irq_requested_)
    shim_irq_free_eq(function_.get(), vector(), reinterpret_cast<mana_eq*>(this));
  if (!confirmed)
    quarantine_.hold(ring_.take_memory());
}

void EventQueue::interrupt() {
  if (!__atomic_load_n(&exists_, __ATOMIC_ACQUIRE))
    return;

  for (u32 budget = ring_.entries(); budget > 0; budget--) {  // D-40
    const gdma::SlotState slot = ring_.state();
    if (slot == gdma::SlotState::kEmpty)
      break;
    if (slot == gdma::SlotState::kOverrun) {
      // D-39: events are lost, so every CQ may have news. Catch up with the device's lap and let
      // all polls look; they arm their CQs again themselves.
      overruns_.increment();
      ring_.resynchronize();
      cqs_.notify_all();
      if (shim_log_allowed())
        shim_log(function_.device(), SHIM_LOG_WARNING, "%s: event queue overrun, recovered\n",
                 irq_name_);
      break;
    }
    const u32 value = kern::read_once(ring_.front().data[0]);
    const u32 trailer = kern::read_once(ring_.front().trailer);
    ring_.pop();
    // D-15, D-38: other types and unknown CQs are not for us.
    if (static_cast<wire::EqeType>(wire::Eqe::Type::get(trailer)) == wire::EqeType::kCompletion)
      cqs_.notify(wire::Eqe::CqId::get(value));
  }
  // D-37: arming with entries left in the ring makes the device notify at once.
  ring_.acknowledge();
  device_.doorbell.ring_eq(id_, ring_.doorbell_index(), true);
}

Result<void> EventQueueSet::init(const kern::PciFunction& function, const Device& device,
                                 const gdma::CqTable& cqs, Quarantine& quarantine, u32 count) {
  function_ = &function;
  device_ = &device;
  cqs_ = &cqs;
  quarantine_ = &quarantine;
  slots_ = TRY(kern::Array<Slot>::create(count, function.node()));
  return {};
}

Result<EventQueue*> EventQueueSet::acquire(u32 index) {
  kern::Mutex::Guard guard{lock_};
  Slot& slot = slots_[index];
  if (!slot.queue)
    slot.queue = TRY(EventQueue::create(*function_, *device_, *cqs_, *quarantine_, index));
  slot.users++;
  return slot.queue.get();
}

void EventQueueSet::release(u32 index) {
  kern::Mutex::Guard guard{lock_};
  Slot& slot = slots_[index];
  if (--slot.users == 0)
    slot.queue = {};
}

}  // namespace mana::hwc
