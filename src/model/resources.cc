// SPDX-License-Identifier: GPL-2.0
#include "model/resources.h"

namespace mana::model {
namespace {

// [63:32] generation, [31:24] kind, [23:0] id. The kind keeps handles of different objects apart,
// and from 0 and all ones.
constexpr u32 kRegionKind = 0x5D;
constexpr u32 kObjectKind = 0x30;  // plus the WQ type

constexpr u64 make_handle(u32 generation, u32 kind, u32 id) {
  return static_cast<u64>(generation) << 32 | kind << 24 | id;
}
constexpr u32 id_of(u64 handle) { return static_cast<u32>(handle & 0xFFFFFF); }

}  // namespace

DmaRegion* Resources::create_region(const DmaRegion::Shape& shape) {
  if (regions_.full() || shape.page_count > kMaxPages - pages_)
    return nullptr;
  DmaRegion* region = DmaRegion::create(context_.host, shape);
  if (!region)
    return nullptr;
  u32 id = 0;
  regions_.insert(region, id);
  region->set_handle(make_handle(++generation_, kRegionKind, id));
  pages_ += shape.page_count;
  return region;
}

DmaRegion* Resources::find_region(u64 handle) const {
  DmaRegion* region = regions_.find(id_of(handle));
  return region && region->handle() == handle && !region->consumed() ? region : nullptr;
}

void Resources::destroy_region(DmaRegion* region) {
  if (!region)
    return;
  regions_.remove(id_of(region->handle()));
  pages_ -= region->page_count();
  context_.host.destroy(region);
}

EventQueue* Resources::create_eq(const RingMemory& memory, DmaRegion* region, u32 doorbell_id,
                                 u32 vector) {
  if (eqs.full())
    return nullptr;
  auto* eq = context_.host.create<EventQueue>(0, memory, region, doorbell_id, vector);
  if (!eq)
    return nullptr;
  eqs.insert(eq, eq->id);
  take_region(region);
  return eq;
}

CompletionQueue* Resources::create_cq(const RingMemory& memory, DmaRegion* region,
                                      EventQueue* parent, u32 doorbell_id) {
  if (cqs.full())
    return nullptr;
  auto* cq = context_.host.create<CompletionQueue>(0, memory, region, parent, doorbell_id);
  if (!cq)
    return nullptr;
  cqs.insert(cq, cq->id);
  if (parent)
    parent->attached_cqs++;
  take_region(region);
  return cq;
}

WorkQueue* Resources::create_wq(wire::WqType type, const RingMemory& memory, DmaRegion* region,
                                CompletionQueue* cq, Vport* vport, u32 doorbell_id) {
  const bool is_sq = type == wire::WqType::kSq;
  if (is_sq ? sqs.full() : rqs.full())
    return nullptr;
  auto* wq = context_.host.create<WorkQueue>(0, type, memory, region, cq, vport, doorbell_id);
  if (!wq)
    return nullptr;
  if (is_sq)
    sqs.insert(wq, wq->id);
  else
    rqs.insert(wq, wq->id);
  wq->object = make_handle(++generation_, kObjectKind + static_cast<u32>(type), wq->id);
  take_region(region);
  return wq;
}

void Resources::destroy_eq(EventQueue* eq) {
  eqs.remove(eq->id);
  destroy_region(eq->region());
  context_.host.destroy(eq);
}

void Resources::destroy_cq(CompletionQueue* cq) {
  cqs.remove(cq->id);
  context_.cq_alarms.cancel(*cq);
  cq->moderate(context_, {});
  if (cq->parent())
    cq->parent()->attached_cqs--;
  destroy_region(cq->region());
  context_.host.destroy(cq);
}

void Resources::remove_wq(WorkQueue* wq) {
  context_.rx_alarms.cancel(*wq);
  if (wq->type() == wire::WqType::kSq)
    sqs.remove(wq->id);
  else
    rqs.remove(wq->id);
  context_.host.destroy(wq);
}

void Resources::destroy_wq(WorkQueue* wq) {
  destroy_region(wq->region());
  remove_wq(wq);
}

void Resources::abandon_wq(WorkQueue* wq) {
  wq->region()->set_consumed(false);
  remove_wq(wq);
}

WorkQueue* Resources::find_object(wire::WqType type, u64 handle) const {
  WorkQueue* wq = nullptr;
  if (type == wire::WqType::kSq)
    wq = sqs.find(id_of(handle));
  else if (type == wire::WqType::kRq)
    wq = rqs.find(id_of(handle));
  return wq && wq->vport() && wq->object == handle ? wq : nullptr;
}

void Resources::restart() {
  eqs.restart();
  cqs.restart();
  sqs.restart();
  rqs.restart();
  regions_.restart();
}

}  // namespace mana::model
