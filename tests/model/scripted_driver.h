// SPDX-License-Identifier: GPL-2.0
// A driver that does what a test tells it: rings, doorbells and commands, with code of its own.
#pragma once

#include <gtest/gtest.h>

#include <algorithm>

#include <optional>

#include "fake_host.h"
#include "packets.h"
#include "wire/bnic_commands.h"
#include "wire/mailbox.h"
#include "wire/registers.h"
#include "wire/tx.h"

namespace mana::test {

// What the model hands out; the tests take them from its answers, except to compare.
inline constexpr uint64_t kMap = 0;
inline constexpr uint64_t kUnchecked = ~0ull;

// The consuming side of a CQ or EQ.
template <typename Entry>
class ConsumerRing {
 public:
  ConsumerRing() = default;
  ConsumerRing(FakeHost& host, uint64_t address, uint32_t bytes)
      : host_{&host}, address_{address}, entries_{bytes / Entry::kSize}, head_{entries_} {}

  uint32_t id = 0;

  uint32_t entries() const { return entries_; }
  uint64_t address() const { return address_; }
  uint32_t index() const { return static_cast<uint32_t>(head_ % (8ull * entries_)); }
  uint32_t lap() const { return static_cast<uint32_t>(head_ / entries_ % 8); }

  // Owner bits in the slot at the head, whatever they mean.
  uint32_t owner() const { return wire::OwnerBits::get(host_->load<Entry>(slot()).trailer); }
  std::optional<Entry> next() {
    const Entry entry = host_->load<Entry>(slot());
    if (wire::OwnerBits::get(entry.trailer) != lap())
      return std::nullopt;
    head_++;
    return entry;
  }
  uint64_t slot() const { return address_ + head_ % entries_ * Entry::kSize; }

 private:
  FakeHost* host_ = nullptr;
  uint64_t address_ = 0;
  uint32_t entries_ = 0;
  uint64_t head_ = 0;
};

// The producing side of an SQ or RQ.
class ProducerRing {
 public:
  ProducerRing() = default;
  ProducerRing(FakeHost& host, uint64_t address, uint32_t bytes)
      : host_{&host}, address_{address}, bytes_{bytes} {}

  uint32_t id = 0;
  uint32_t tail = 0;  // bytes, unmasked

  uint64_t address() const { return address_; }
  uint32_t bytes() const { return bytes_; }
  // Puts bytes in the ring, wrapping; no doorbell.
  void post(const Bytes& wqe);

 private:
  FakeHost* host_ = nullptr;
  uint64_t address_ = 0;
  uint32_t bytes_ = 0;
};

struct WqeSpec {
  std::vector<wire::Sge> sges;
  std::vector<uint32_t> oob = {0, 0};  // 2 or 6 words
  uint32_t last_vbytes = 0;
  uint32_t client_data_unit = 0;
  bool oob_in_sgl = false;
  int sge_count = -1;  // what the header says, if it lies
  int oob_code = -1;
};
Bytes make_wqe(const WqeSpec& spec);

// One SQ or RQ with its CQ.
struct Queue {
  ProducerRing wq;
  ConsumerRing<wire::Cqe> cq;
  uint64_t object = 0;
  uint64_t wq_region = 0;
  uint64_t cq_region = 0;
};

struct Response {
  bool arrived = false;  // both completions and a message
  uint32_t status = 0xDEADBEEF;
  wire::ResponseHeader header = {};
  Bytes bytes;          // as long as the completion says
  wire::HwcRxCqe cqe = {};

  bool ok() const { return arrived && status == 0; }
  template <typename Message>
  Message as() const {
    Message message = {};
    std::memcpy(static_cast<void*>(&message), bytes.data(),
                std::min(sizeof(message), bytes.size()));
    return message;
  }
};

struct Port {
  uint32_t index = 0;
  uint64_t handle = 0;
  uint32_t vport_offset = 0;
  Bytes mac;
  std::vector<Queue> sqs;
  std::vector<Queue> rqs;
  std::vector<std::vector<uint64_t>> buffers;  // of each RQ, in posting order
  std::vector<size_t> consumed;                // of each RQ
};

struct Received {
  wire::RxCqe cqe = {};
  Bytes frame;
};

class ScriptedDriver : public ::testing::Test {
 protected:
  ScriptedDriver() = default;
  ~ScriptedDriver() override { stop(); }

  // ---- the model ----
  void start();  // with `config`
  void stop();
  uint64_t read(uint64_t offset, uint32_t size) { return ops_->read(model_, offset, size); }
  uint32_t read32(uint64_t offset) { return static_cast<uint32_t>(read(offset, 4)); }
  void write(uint64_t offset, uint64_t value, uint32_t size) {
    ops_->write(model_, offset, value, size);
  }
  void run();              // until it asks for no more
  void pass_time(uint64_t nanoseconds);  // and runs what is due
  bool receive(uint32_t port, const Bytes& frame);
  std::string control(const std::string& line);  // "<failed>" if it failed
  uint64_t statistic(const std::string& name);   // the first member of that name
  uint64_t port_statistic(uint32_t port, const std::string& name);

  // ---- mailbox ----
  // Writes words and returns dw7 when the device gave it back.
  uint32_t mailbox(const std::vector<uint32_t>& words);
  void mailbox_word(uint32_t word, uint32_t value) { write(mailbox_ + 4 * word, value, 4); }
  uint32_t mailbox_word(uint32_t word) { return read32(mailbox_ + 4 * word); }
  wire::EstablishHwc hwc_frames();
  std::vector<uint32_t> establish_words(const wire::EstablishHwc& message);

  // ---- doorbells ----
  void ring(uint32_t page, uint32_t reg, uint64_t value) {
    write(doorbells_ + page * 4096ull + reg, value, 8);
  }
  void ring_sq(const ProducerRing& wq) {
    ring(page_, wire::doorbell::kSq, wire::doorbell::work_queue(wq.id, wq.tail));
  }
  void ring_rq(const ProducerRing& wq) {
    ring(page_, wire::doorbell::kRq, wire::doorbell::work_queue(wq.id, wq.tail));
  }
  void arm(const ConsumerRing<wire::Cqe>& cq, bool arm = true) {
    ring(page_, wire::doorbell::kCq, wire::doorbell::completion_queue(cq.id, cq.index(), arm));
  }
  void arm(const ConsumerRing<wire::Eqe>& eq, bool arm = true) {
    ring(page_, wire::doorbell::kEq, wire::doorbell::event_queue(eq.id, eq.index(), arm));
  }

  // ---- hardware channel ----
  // ESTABLISH and the events; false if it failed.
  bool establish(uint16_t vector = 0);
  uint32_t destroy() { return mailbox({0, 0, 0, 0, 0, 0, 0, 2}); }
  void post_response_buffer(uint32_t size = 4096);
  // Puts a request in the ring and rings; collect() waits for its response.
  void send(const Bytes& message, uint32_t sge_size = 0);
  Response collect();
  Response exchange(const Bytes& message);

  template <typename Message>
  Bytes request(wire::Command command, const Message& message, uint32_t response_bytes = 4096,
                uint16_t response_version = 1, uint16_t version = 1) {
    Bytes bytes(sizeof(message));
    std::memcpy(bytes.data(), static_cast<const void*>(&message), sizeof(message));
    fill_header(bytes, command, response_bytes, response_version, version);
    return bytes;
  }
  void fill_header(Bytes& bytes, wire::Command command, uint32_t response_bytes = 4096,
                   uint16_t response_version = 1, uint16_t version = 1);
  template <typename Message>
  Response command(wire::Command command, const Message& message, uint16_t response_version = 1,
                   uint16_t version = 1) {
    return exchange(request(command, message, 4096, response_version, version));
  }
  Response command(wire::Command code) { return command(code, wire::HeaderOnlyRequest{}); }

  // ---- bring-up ----
  bool verify(uint64_t driver_caps = 0);
  bool register_device();
  uint64_t create_region(uint64_t address, uint64_t bytes);
  std::optional<ConsumerRing<wire::Eqe>> create_eq(uint32_t vector, uint32_t bytes = 4096);
  Response create_wq(wire::WqType type, uint64_t vport, uint64_t wq_region, uint64_t cq_region,
                     uint32_t wq_bytes, uint32_t cq_bytes, uint32_t eq);
  std::optional<Queue> create_queue(wire::WqType type, const Port& port, uint32_t wq_bytes = 4096,
                                    uint32_t cq_bytes = 4096);
  Response destroy_queue(wire::WqType type, const Queue& queue);
  Response steer(const Port& port, wire::TriState enable,
                 wire::TriState rss = wire::TriState::kUnchanged,
                 const std::vector<uint64_t>& table = {});
  Response fence(const Queue& rq);
  void post_buffers(Port& port, uint32_t queue, uint32_t count, uint32_t size = 1514);

  // Everything up to open ports; EQ `eq` serves all CQs.
  void bring_up(uint64_t driver_caps = 0);                      // to REGISTERED
  Port configure_port(uint32_t index);                          // to vPort TX configured
  Port open_port(uint32_t index, uint32_t queues = 1, uint32_t buffers = 16,
                 uint32_t buffer_bytes = 1514);
  void open_two_ports();  // ports 0 and 1, as `a` and `b`

  // ---- frames ----
  struct SendSpec {
    uint32_t flags = 0;  // TxOob dw0 bits
    uint32_t transport_offset = 0;
    bool long_form = false;
    int tci = -1;            // inject
    int short_offset = -1;   // vPort offset, if not the port's
    int long_offset = -1;
    uint32_t mss = 0;        // LSO
    uint32_t header = 0;     // LSO: bytes of SGE 0
    std::vector<uint32_t> pieces;  // sizes of the SGEs, the rest in one more
  };
  WqeSpec tx_wqe(const Port& port, const Queue& sq, const Bytes& frame, const SendSpec& spec);
  // Posts, rings, runs; the type of the completion, -1 without one.
  int send_frame(Port& port, const Bytes& frame, const SendSpec& spec, uint32_t queue = 0);
  int send_frame(Port& port, const Bytes& frame) { return send_frame(port, frame, SendSpec{}); }
  int send_wqe(Queue& sq, const Bytes& wqe);
  int next_tx_type(Queue& sq);
  std::optional<Received> next_received(Port& port, uint32_t queue = 0);

  vnic_config config = default_config();
  std::string options;
  FakeHost host;
  vnic_geometry geometry = {};
  std::string error;

  // After establish()
  ConsumerRing<wire::Eqe> hwc_eq;
  ConsumerRing<wire::Cqe> hwc_cq;
  ProducerRing hwc_sq, hwc_rq;
  uint32_t hwc_mkey = 0, hwc_pdid = 0, max_cqs = 0;
  uint32_t hwc_page = 0;
  std::vector<wire::Eqe> init_events;
  wire::DeviceId device_id = {};  // of the next requests
  uint16_t message_id = 0;
  uint32_t activity_id = 0x1000;

  // After bring_up()
  uint32_t pdid = 0, mkey = 0;
  ConsumerRing<wire::Eqe> eq;
  Port a, b;

  const vnic_model_ops* ops_ = nullptr;
  vnic_model* model_ = nullptr;
  uint64_t doorbells_ = 0, mailbox_ = 0;
  uint32_t page_ = 0;  // doorbell page of the data queues, 0 before registration
  uint64_t request_buffer_ = 0;
  std::vector<uint64_t> response_buffers_;
  uint64_t response_pool_ = 0;
  uint64_t hwc_pages_ = 0;
  uint64_t frame_buffer_ = 0;

  static vnic_config default_config();
};

// Shorthand for the type of an EQE.
inline int type_of(const std::optional<wire::Eqe>& eqe) {
  return eqe ? static_cast<int>(eqe->type()) : -1;
}

}  // namespace mana::test
