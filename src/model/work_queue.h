// SPDX-License-Identifier: GPL-2.0
// SQ and RQ: a ring of work queue elements that the driver fills (data sheet 5.2, 5.3, 5.7).
#pragma once

#include "model/completion_queue.h"
#include "wire/bnic_commands.h"

namespace mana::model {

class Vport;

// One WQE, copied from the guest and decoded (M-28).
struct Wqe {
  static constexpr u32 kMaxSges = 31;
  static constexpr u32 kMaxOobWords = 8;

  wire::WqeHeader header;
  u32 oob[kMaxOobWords];  // zero beyond oob_bytes
  u32 oob_bytes;
  u32 sge_count;
  u32 bytes;      // size in the ring
  u32 position;   // byte position, unmasked
  u64 total;      // bytes of all SGEs
  wire::Sge sges[kMaxSges];
};

// Received packets whose completion is not written yet (M-58). Their flags are the same.
struct RxBatch {
  static constexpr u32 kMaxPackets = 8;

  u32 count = 0;
  bool of_eight = false;   // the layout, if there is more than one
  bool truncated = false;
  u32 flags = 0;
  u32 wqe_offset = 0;      // of the first
  u16 lengths[kMaxPackets] = {};
  u32 hashes[kMaxPackets] = {};
};

enum class FetchResult : u8 {
  kEmpty,
  kOk,
  kMalformed,  // nothing can be said about where the next WQE begins
};

class WorkQueue : NonCopyable {
 public:
  WorkQueue(wire::WqType type, const RingMemory& memory, DmaRegion* region, CompletionQueue* cq,
            Vport* vport, u32 doorbell_id)
      : type_{type},
        memory_{memory},
        cq_{cq},
        vport_{vport},
        doorbell_id_{doorbell_id},
        region_{region} {}

  u32 id = 0;
  u64 object = 0;                // handle of the WQ object; 0 for the HWC
  bool disabled = false;         // until destroyed (M-29)
  bool scheduled = false;        // on the device's list of SQs with work
  WorkQueue* next_scheduled = nullptr;
  RxBatch batch;
  Alarm<WorkQueue> alarm;  // when the batch must be completed

  wire::WqType type() const { return type_; }
  CompletionQueue* cq() const { return cq_; }
  void set_cq(CompletionQueue* cq) { cq_ = cq; }
  Vport* vport() const { return vport_; }
  DmaRegion* region() const { return region_; }
  u32 doorbell_id() const { return doorbell_id_; }
  bool has_work() const { return producer_ != consumer_ && !disabled; }
  u32 consumer() const { return consumer_; }  // bytes, free-running
  u32 outstanding_bytes() const { return producer_ - consumer_; }

  // M-26, M-27: takes a tail in (P, C + ring size] modulo 2^32, ignores others (false). A tail
  // equal to P says nothing new.
  bool doorbell(u32 tail);

  // Copies and decodes the WQE at C; does not consume it.
  FetchResult fetch(const Host& host, Wqe& wqe);
  void consume(const Wqe& wqe) { consumer_ += wqe.bytes; }
  // Gives up everything that is posted.
  void skip_all() { consumer_ = producer_; }

 private:
  static constexpr u32 kWindowBytes = 1024;
  static_assert(kWindowBytes >= wire::kMaxSqWqeBytes);

  // The next `length` bytes of posted WQEs, from the private copy; null if they cannot be read.
  const u8* look(const Host& host, u32 length);

  wire::WqType type_;
  RingMemory memory_;
  u32 producer_ = 0;  // bytes, free-running
  u32 consumer_ = 0;
  CompletionQueue* cq_;
  Vport* vport_;  // null for the HWC
  u32 doorbell_id_;
  DmaRegion* region_;

  // Posted WQEs are copied ahead in runs, each once: until it completes, a WQE is the device's.
  u32 window_position_ = 0;
  u32 window_length_ = 0;
  u8 window_[kWindowBytes];
};

}  // namespace mana::model
