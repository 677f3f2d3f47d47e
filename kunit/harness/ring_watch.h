// SPDX-License-Identifier: GPL-2.0
// Looks at the driver's rings through the device's eyes, at the very moment of each doorbell: what
// is announced must be in memory, whole and right. What the device has consumed is overwritten at
// once, so that nothing old can pass for new.
#pragma once

#include "kunit/harness/nic.h"
#include "wire/work_queue.h"

namespace mana::kunit {

class RingWatch : NonCopyable {
 public:
  enum class Kind : u8 { kNone, kRequests, kResponses, kTransmit, kReceive };

  // A work queue that the device knows.
  struct Ring {
    Kind kind;
    u32 id;
    u32 cq;
    u64 address;
    u32 bytes;
    u64 object;
    u64 vport;
    u32 vport_offset;
    // In bytes, modulo 2^32.
    u32 tail;
    u32 done;
    // Since the queue exists.
    u32 doorbells;
    u32 wqes;
  };
  struct Wqe {
    u32 position;  // bytes, modulo 2^32
    u32 bytes;
    u32 dw0;
    u32 dw1;
    u32 oob_bytes;
    u32 oob[6];
    u32 sges;
    wire::Sge sge[31];
  };

  // Before probe; takes the hooks of the device that it needs.
  explicit RingWatch(Nic& nic);
  ~RingWatch();
  explicit operator bool() const { return state_ != nullptr; }

  // Each WQE that a doorbell announces and that is right so far. Under the function's lock.
  Hook<void(const Ring&, const Wqe&)> on_wqe;
  // Bytes of a transmit WQE's packet, from `skip` on, as one number.
  u64 digest(const Wqe& wqe, u32 skip = 0) const;
  static u64 digest(const u8* bytes, u32 length);

  // --- what was seen, since probe ---
  u32 wqes(Kind kind) const;  // of queues that are gone too
  u32 doorbells(Kind kind) const;
  u32 index_doorbells() const;  // of CQs and EQs
  u32 most_laps(Kind kind) const;  // whole laps of the ring that went furthest
  // The n-th queue of its kind that exists now, in the order of creation; nullptr if there are
  // fewer.
  const Ring* ring(Kind kind, u32 n) const;

 private:
  // A CQ or an EQ.
  struct Entries {
    bool exists;
    bool events;
    u32 id;
    u64 address;
    u32 count;
    u32 produced;  // as the data sheet counts, from `count` on
  };
  struct State;

  bool write(u64 offset, u64 value, u32 size);
  void request(const ModelDevice::Request& request);
  void response(wire::Command command, const u8* message);
  void dma(u64 address, const u8* bytes, u32 length);
  void doorbell(const Doorbell& doorbell);

  void establish();
  void init_item(u32 item, u32 value);
  void announce(Ring& ring, u32 tail);
  void index_moved(bool events, u32 id, u32 index);
  void completion(u32 cq, bool is_sq, u32 wq, u32 type);
  void consume(Ring& ring);

  bool parse(const Ring& ring, u32 position, Wqe& wqe) const;
  bool check(const Ring& ring, const Wqe& wqe);
  bool check_request(const Ring& ring, const Wqe& wqe);
  bool check_transmit(const Ring& ring, const Wqe& wqe);
  bool check_receive(const Ring& ring, const Wqe& wqe);

  Ring* add(const Ring& ring);
  void add(const Entries& entries);
  Ring* find(Kind a, Kind b, u32 id);

  ModelDevice& device_;
  State* state_;
  // What the hooks call.
  struct {
    RingWatch* self;
    bool operator()(u64 offset, u64 value, u32 size) { return self->write(offset, value, size); }
    void operator()(const ModelDevice::Request& request) { self->request(request); }
    void operator()(wire::Command command, u8* message, u32) { self->response(command, message); }
    void operator()(u64 address, u8* bytes, u32 length) { self->dma(address, bytes, length); }
    void operator()(const Doorbell& doorbell) { self->doorbell(doorbell); }
  } hook_;
};

}  // namespace mana::kunit
