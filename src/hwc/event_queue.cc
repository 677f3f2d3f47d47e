// SPDX-License-Identifier: GPL-2.0
#include "hwc/event_queue.h"

#include "shim/log.h"
#include "shim/trace.h"

namespace mana::hwc {

namespace {

// Room for one completion event of each of two CQs of 128 ports: a CQ has at most one event
// outstanding between two arm doorbells, so this ring cannot overrun.
constexpr u32 kEntries = 256;

}  // namespace

EventQueue::EventQueue(const EventQueueContext& context, u32 index, gdma::EventRing ring)
    : ring_{mana::move(ring)},
      cqs_{context.cqs},
      doorbell_{context.device.doorbell},
      context_{context},
      index_{index} {
  shim_format(irq_name_, sizeof(irq_name_), "mana_q%u@pci:%s", index, context.function.name());
}

Result<kern::Box<EventQueue>> EventQueue::create(const EventQueueContext& context, u32 index) {
  const kern::PciFunction& function = context.function;
  const Device& device = context.device;
  auto ring = TRY(gdma::EventRing::create(function.device(), kEntries));
  auto queue =
      TRY(kern::Box<EventQueue>::create(function.node(), context, index, mana::move(ring)));
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
    if (leaves_doubt(id.error()))
      context.quarantine.hold(queue->ring_.take_memory());
    return id.error();
  }
  // An interrupt before these lines finds no queue and rings nothing; the arm doorbell below makes
  // the device notify again.
  queue->id_ = *id;
  queue->exists_ = true;
  queue->listening_.store_release(true);
  queue->arm();
  return queue;
}

EventQueue::~EventQueue() {
  const bool confirmed = !exists_ || disable_eq(context_.device, id_).ok();
  free_irq();
  if (!confirmed)
    context_.quarantine.hold(ring_.take_memory());
}

void EventQueue::free_irq() {
  if (mana::exchange(irq_requested_, false))
    shim_irq_free_eq(context_.function.get(), vector(), reinterpret_cast<mana_eq*>(this));
}

void EventQueue::interrupt() {
  if (!listening_.load_acquire())
    return;
  gdma::SlotState end;
  {
    gdma::CqTable::Wakeups wakeups;
    end = ring_.drain(ring_.entries(), [&](const wire::Eqe& event, u32 trailer) {  // D-40
      const u32 value = kern::read_once(event.data[0]);
      shim_trace_event(context_.function.device(), id_, wire::Eqe::Type::get(trailer), value);
      const auto type = static_cast<wire::EqeType>(wire::Eqe::Type::get(trailer));
      // D-15, D-38: other types and unknown CQs are not for us.
      if (type == wire::EqeType::kCompletion) [[likely]]
        cqs_.notify(wire::Eqe::CqId::get(value), wakeups);
      else if (type == wire::EqeType::kTest)
        tested_.complete();
    });
  }
  if (end == gdma::SlotState::kOverrun) [[unlikely]] {
    report_overrun();
    return;
  }
  arm();
}

// D-37: arming with entries left in the ring makes the device notify at once.
void EventQueue::arm() const { doorbell_.ring_eq(id_, ring_.doorbell_index(), true); }

// D-39: nobody knows where the device is in the ring now. It stays unarmed until its users have
// recreated it.
void EventQueue::report_overrun() {
  listening_.store(false);
  overrun_.store(true);
  if (shim_log_allowed())
    shim_log(context_.function.device(), SHIM_LOG_WARNING, "%s: event queue overrun\n", irq_name_);
  context_.overrun(context_.overrun_context);
}

Result<void> EventQueue::test(u32 milliseconds) {
  tested_.reset();
  TRY(generate_test_event(context_.device, id_));
  if (tested_.wait(milliseconds))
    return {};
  context_.device.channel->diagnosis().set("the test event never arrived, vector",
                                           wire::Command::kGenerateTestEqe, vector());
  return Errno::kTimedOut;
}

Result<void> EventQueueSet::init(u32 count) {
  queues_ = TRY(kern::Array<kern::Box<EventQueue>>::create(count, context_.function.node()));
  return {};
}

Result<EventQueue*> EventQueueSet::acquire(u32 index) {
  kern::Mutex::Guard guard{lock_};
  kern::Box<EventQueue>& current = queues_[index];
  if (!current || current->overrun()) {
    // The new queue takes the vector over; those who still have the old one hear nothing from it
    // anyway, and are about to let it go.
    if (current)
      current->free_irq();
    auto fresh = TRY(EventQueue::create(context_, index));
    fresh->older_ = mana::move(current);
    current = mana::move(fresh);
  } else {
    // If an interrupt was lost, nobody has armed the queue since; whoever recreates CQs to repair
    // that counts on it. The handler may run meanwhile: an index that is behind only makes the
    // device notify once more, and the handler then arms with the right one.
    current->arm();
  }
  current->users_++;
  return current.get();
}

Result<void> EventQueueSet::test(u32 milliseconds) {
  kern::Mutex::Guard guard{lock_};
  for (const kern::Box<EventQueue>& queue : queues_)
    if (queue && !queue->overrun())
      TRY(queue->test(milliseconds));
  return {};
}

void EventQueueSet::release(EventQueue& queue) {
  kern::Mutex::Guard guard{lock_};
  if (--queue.users_ != 0 || !queue.overrun())
    return;
  for (kern::Box<EventQueue>* link = &queues_[queue.index_]; *link; link = &(*link)->older_)
    if (link->get() == &queue) {
      kern::Box<EventQueue> rest = mana::move(queue.older_);
      *link = mana::move(rest);  // destroys the queue
      return;
    }
}

void EventQueueSet::clear() {
  kern::Mutex::Guard guard{lock_};
  for (auto& queue : queues_)
    queue = {};
}

}  // namespace mana::hwc
