// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

#include <algorithm>

namespace mana::test {

using wire::Command;

void ProducerRing::post(const Bytes& wqe) {
  for (size_t i = 0; i < wqe.size(); i++)
    *host_->at(address_ + (tail + i) % bytes_) = wqe[i];
  tail += static_cast<uint32_t>(wqe.size());
}

Bytes make_wqe(const WqeSpec& spec) {
  const size_t oob_bytes = spec.oob.size() * 4;
  const size_t sgl = (8 + oob_bytes + 15) / 16 * 16;
  Bytes bytes((sgl + spec.sges.size() * 16 + 31) / 32 * 32);
  const uint32_t count = spec.sge_count >= 0 ? static_cast<uint32_t>(spec.sge_count)
                                             : static_cast<uint32_t>(spec.sges.size());
  const uint32_t code = spec.oob_code >= 0 ? static_cast<uint32_t>(spec.oob_code)
                        : oob_bytes == 32  ? 7
                                           : static_cast<uint32_t>(spec.oob.size());
  const uint32_t dw0 = spec.last_vbytes << 24;
  const uint32_t dw1 =
      count | code << 8 | (spec.oob_in_sgl ? 1u << 11 : 0) | spec.client_data_unit << 16;
  std::memcpy(&bytes[0], &dw0, 4);
  std::memcpy(&bytes[4], &dw1, 4);
  std::memcpy(&bytes[8], spec.oob.data(), oob_bytes);
  if (!spec.sges.empty())
    std::memcpy(&bytes[sgl], spec.sges.data(), spec.sges.size() * 16);
  return bytes;
}

vnic_config ScriptedDriver::default_config() {
  vnic_config config{};
  config.size = sizeof(config);
  config.ports = 2;
  config.queues = 4;
  config.mtu = 1500;
  const uint8_t mac[] = {0x02, 0, 0, 0, 0, 1};
  std::memcpy(config.mac, mac, 6);
  return config;
}

void ScriptedDriver::start() {
  ops_ = vnic_model_get(VNIC_ABI_VERSION);
  ASSERT_NE(ops_, nullptr);
  vnic_host callbacks = host.callbacks();
  config.options = options.c_str();
  geometry.size = sizeof(geometry);
  char text[200] = "";
  model_ = ops_->create(&callbacks, &config, &geometry, text, sizeof(text));
  error = text;
  if (!model_)
    return;
  doorbells_ = read(wire::reg::kDoorbellOffset, 8);
  mailbox_ = read(wire::reg::kSmcOffset, 8);
}

void ScriptedDriver::stop() {
  if (model_)
    ops_->destroy(model_);
  model_ = nullptr;
  EXPECT_EQ(host.live_allocations, 0u);
}

void ScriptedDriver::run() {
  for (int i = 0; host.scheduled; i++) {
    ASSERT_LT(i, 100000) << "the model never finishes";
    host.scheduled = false;
    ops_->run(model_);
  }
}

void ScriptedDriver::pass_time(uint64_t nanoseconds) {
  host.now += nanoseconds;
  if (host.deadline <= host.now) {
    host.deadline = UINT64_MAX;
    ops_->run(model_);
  }
  run();
}

bool ScriptedDriver::receive(uint32_t port, const Bytes& frame) {
  return ops_->receive(model_, port, frame.data(), frame.size());
}

std::string ScriptedDriver::control(const std::string& line) {
  std::vector<char> reply(65536);
  return ops_->control(model_, line.c_str(), reply.data(), reply.size()) ? reply.data()
                                                                         : "<failed>";
}

static uint64_t member(const std::string& json, const std::string& name, size_t from) {
  const size_t at = json.find("\"" + name + "\":", from);
  if (at == std::string::npos)
    return kUnchecked;
  return std::stoull(json.substr(at + name.size() + 3));
}

uint64_t ScriptedDriver::statistic(const std::string& name) {
  // Behind the ports, which have members of the same names.
  const std::string json = control("stats");
  return member(json, name, json.find("\"gf\":"));
}

uint64_t ScriptedDriver::port_statistic(uint32_t port, const std::string& name) {
  const std::string json = control("stats");
  return member(json, name, json.find("{\"port\":" + std::to_string(port) + ","));
}

// ---- mailbox ----

uint32_t ScriptedDriver::mailbox(const std::vector<uint32_t>& words) {
  for (uint32_t i = 0; i < 8; i++)
    mailbox_word(i, words[i]);
  run();
  return mailbox_word(7);
}

wire::EstablishHwc ScriptedDriver::hwc_frames() {
  // Always the same four pages, cleared.
  if (hwc_pages_ == 0)
    hwc_pages_ = host.take_pages(4 * 4096);
  std::memset(host.at(hwc_pages_), 0, 4 * 4096);
  uint64_t next = hwc_pages_ >> 12;
  const auto frame = [&] { return next++; };
  wire::EstablishHwc message{};
  message.eq_frame = frame();
  message.cq_frame = frame();
  message.rq_frame = frame();
  message.sq_frame = frame();
  return message;
}

std::vector<uint32_t> ScriptedDriver::establish_words(const wire::EstablishHwc& message) {
  u32 words[8];
  message.encode(words);
  return {words, words + 8};
}

// ---- hardware channel ----

bool ScriptedDriver::establish(uint16_t vector) {
  auto message = hwc_frames();
  message.msix_vector = vector;
  hwc_eq = {host, message.eq_frame << 12, 4096};
  hwc_cq = {host, message.cq_frame << 12, 4096};
  hwc_rq = {host, message.rq_frame << 12, 4096};
  hwc_sq = {host, message.sq_frame << 12, 4096};
  page_ = 0;
  response_buffers_.clear();
  if (mailbox(establish_words(message)) != 0x81)
    return false;
  init_events.clear();
  while (auto eqe = hwc_eq.next()) {
    init_events.push_back(*eqe);
    const uint32_t value = eqe->data[0] & 0xFFFFFF;
    if (eqe->type() == wire::EqeType::kHwcEqIdDoorbell) {
      hwc_eq.id = eqe->data[0] & 0xFFFF;
      hwc_page = eqe->data[0] >> 16;
    } else if (eqe->type() == wire::EqeType::kHwcInitData) {
      switch (eqe->data[0] >> 24) {
        case 1: hwc_cq.id = value; break;
        case 2: hwc_rq.id = value; break;
        case 3: hwc_sq.id = value; break;
        case 7: max_cqs = value; break;
        case 8: hwc_pdid = value; break;
        case 9: hwc_mkey = value; break;
      }
    }
  }
  if (request_buffer_ == 0)
    request_buffer_ = host.take_pages(8192);
  arm(hwc_eq);
  return true;
}

void ScriptedDriver::post_response_buffer(uint32_t size) {
  constexpr size_t kPool = 16;
  if (response_pool_ == 0)
    response_pool_ = host.take_pages(kPool * 4096);
  const uint64_t buffer = response_pool_ + response_buffers_.size() % kPool * 4096;
  std::memset(host.at(buffer), 0xEE, 4096);
  response_buffers_.push_back(buffer);
  hwc_rq.post(make_wqe({.sges = {{buffer, hwc_mkey, size}}}));
  ring(hwc_page, wire::doorbell::kRq, wire::doorbell::work_queue(hwc_rq.id, hwc_rq.tail));
}

void ScriptedDriver::send(const Bytes& message, uint32_t sge_size) {
  host.store_bytes(request_buffer_, message);
  const uint32_t size = sge_size != 0 ? sge_size : static_cast<uint32_t>(message.size());
  hwc_sq.post(make_wqe(
      {.sges = {{request_buffer_, hwc_mkey, size}}, .oob = {0, 0, 0, 0, hwc_cq.id, hwc_sq.id}}));
  ring(hwc_page, wire::doorbell::kSq, wire::doorbell::work_queue(hwc_sq.id, hwc_sq.tail));
}

Response ScriptedDriver::collect() {
  run();
  Response response;
  bool sq_done = false;
  while (auto cqe = hwc_cq.next()) {
    if (cqe->is_sq()) {
      EXPECT_EQ(cqe->wq_id(), hwc_sq.id);
      EXPECT_FALSE(sq_done);
      sq_done = true;
      continue;
    }
    EXPECT_EQ(cqe->wq_id(), hwc_rq.id);
    EXPECT_FALSE(response.arrived);
    std::memcpy(&response.cqe, &*cqe, sizeof(response.cqe));
    response.arrived = true;
    const size_t index = response.cqe.wqe_offset / 32;
    EXPECT_LT(index, response_buffers_.size());
    response.bytes = host.bytes(response_buffers_.at(index), std::min(response.cqe.length, 4096u));
    std::memcpy(&response.header, response.bytes.data(),
                std::min(sizeof(response.header), response.bytes.size()));
    response.status = response.header.status;
    if (sq_done)
      break;  // a second answer is for the next call
  }
  while (hwc_eq.next()) {
  }
  ring(hwc_page, wire::doorbell::kCq,
       wire::doorbell::completion_queue(hwc_cq.id, hwc_cq.index(), true));
  ring(hwc_page, wire::doorbell::kEq, wire::doorbell::event_queue(hwc_eq.id, hwc_eq.index(), true));
  return response;
}

Response ScriptedDriver::exchange(const Bytes& message) {
  // Buffers are used up in order; keep one posted, and the table of them short.
  post_response_buffer();
  send(message);
  return collect();
}

void ScriptedDriver::fill_header(Bytes& bytes, Command command, uint32_t response_bytes,
                                 uint16_t response_version, uint16_t version) {
  wire::RequestHeader header = {};
  header.request.message_type = static_cast<uint32_t>(command);
  header.request.version = version;
  header.request.message_id = message_id;
  header.request.size = static_cast<uint32_t>(bytes.size());
  header.response.message_type = static_cast<uint32_t>(command);
  header.response.version = response_version;
  header.response.size = response_bytes;
  header.device = device_id;
  header.activity_id = activity_id++;
  std::memcpy(bytes.data(), &header, sizeof(header));
}

// ---- bring-up ----

bool ScriptedDriver::verify(uint64_t driver_caps) {
  wire::VerifyVersionRequest message = {};
  message.protocol_min = message.protocol_max = 1;
  message.driver_caps[0] = driver_caps;
  return command(Command::kVerifyVfDriverVersion, message).ok();
}

bool ScriptedDriver::register_device() {
  const Response list = command(Command::kListDevices);
  device_id = list.as<wire::ListDevicesResponse>().devices[1];
  const Response response = command(Command::kRegisterDevice);
  const auto answer = response.as<wire::RegisterDeviceResponse>();
  pdid = answer.pdid;
  mkey = answer.gpa_mkey;
  page_ = answer.doorbell_id;
  return response.ok();
}

uint64_t ScriptedDriver::create_region(uint64_t address, uint64_t bytes) {
  wire::CreateDmaRegionRequest message = {};
  message.length = bytes;
  message.page_count = message.addresses_here = static_cast<uint32_t>((bytes + 4095) / 4096);
  Bytes raw(sizeof(message) + message.page_count * 8);
  std::memcpy(raw.data(), static_cast<const void*>(&message), sizeof(message));
  for (uint32_t i = 0; i < message.page_count; i++) {
    const uint64_t page = address + i * 4096ull;
    std::memcpy(&raw[sizeof(message) + i * 8], &page, 8);
  }
  fill_header(raw, Command::kCreateDmaRegion);
  const Response response = exchange(raw);
  return response.ok() ? response.as<wire::CreateDmaRegionResponse>().region : 0;
}

std::optional<ConsumerRing<wire::Eqe>> ScriptedDriver::create_eq(uint32_t vector, uint32_t bytes) {
  const uint64_t memory = host.take_pages(bytes);
  wire::CreateQueueRequest message = {};
  message.type = wire::QueueType::kEq;
  message.pdid = pdid;
  message.doorbell_id = page_;
  message.region = create_region(memory, bytes);
  message.queue_bytes = bytes;
  message.msix_index = vector;
  const Response response = command(Command::kCreateQueue, message);
  if (!response.ok())
    return std::nullopt;
  ConsumerRing<wire::Eqe> ring{host, memory, bytes};
  ring.id = response.as<wire::CreateQueueResponse>().queue_id;
  return ring;
}

Response ScriptedDriver::create_wq(wire::WqType type, uint64_t vport, uint64_t wq_region,
                                   uint64_t cq_region, uint32_t wq_bytes, uint32_t cq_bytes,
                                   uint32_t parent) {
  wire::CreateWqObjectRequest message = {};
  message.vport = vport;
  message.wq_type = type;
  message.wq_region = wq_region;
  message.cq_region = cq_region;
  message.wq_bytes = wq_bytes;
  message.cq_bytes = cq_bytes;
  message.parent_eq = parent;
  return command(Command::kCreateWqObject, message);
}

std::optional<Queue> ScriptedDriver::create_queue(wire::WqType type, const Port& port,
                                                  uint32_t wq_bytes, uint32_t cq_bytes) {
  const uint64_t wq = host.take_pages(wq_bytes);
  const uint64_t cq = host.take_pages(cq_bytes);
  Queue queue;
  queue.wq_region = create_region(wq, wq_bytes);
  queue.cq_region = create_region(cq, cq_bytes);
  const Response response =
      create_wq(type, port.handle, queue.wq_region, queue.cq_region, wq_bytes, cq_bytes, eq.id);
  if (!response.ok())
    return std::nullopt;
  const auto answer = response.as<wire::CreateWqObjectResponse>();
  queue.wq = {host, wq, wq_bytes};
  queue.cq = {host, cq, cq_bytes};
  queue.wq.id = answer.wq_id;
  queue.cq.id = answer.cq_id;
  queue.object = answer.object;
  return queue;
}

Response ScriptedDriver::destroy_queue(wire::WqType type, const Queue& queue) {
  wire::DestroyWqObjectRequest message = {};
  message.wq_type = type;
  message.object = queue.object;
  return command(Command::kDestroyWqObject, message);
}

Response ScriptedDriver::steer(const Port& port, wire::TriState enable, wire::TriState rss,
                               const std::vector<uint64_t>& table) {
  wire::ConfigVportRxRequest message = {};
  message.vport = port.handle;
  message.rx_enable = enable;
  message.rss_enable = rss;
  message.entry_count = static_cast<uint16_t>(table.size());
  message.table_offset = sizeof(message);
  if (enable == wire::TriState::kOn && !port.rqs.empty()) {
    message.update_default_object = 1;
    message.default_object = port.rqs[0].object;
  }
  message.update_table = !table.empty();
  Bytes raw(sizeof(message) + table.size() * 8);
  std::memcpy(raw.data(), static_cast<const void*>(&message), sizeof(message));
  if (!table.empty())
    std::memcpy(&raw[sizeof(message)], table.data(), table.size() * 8);
  fill_header(raw, Command::kConfigVportRx, 32, 1, 2);
  return exchange(raw);
}

Response ScriptedDriver::fence(const Queue& rq) {
  wire::FenceRqRequest message = {};
  message.object = rq.object;
  return command(Command::kFenceRq, message);
}

void ScriptedDriver::post_buffers(Port& port, uint32_t queue, uint32_t count, uint32_t size) {
  for (uint32_t i = 0; i < count; i++) {
    const uint64_t buffer = host.take_pages(std::max(size, 1u));
    std::memset(host.at(buffer), 0xEE, (size + 4095) / 4096 * 4096);
    port.buffers[queue].push_back(buffer);
    port.rqs[queue].wq.post(make_wqe({.sges = {{buffer, mkey, size}}}));
  }
  ring_rq(port.rqs[queue].wq);
}

void ScriptedDriver::bring_up(uint64_t driver_caps) {
  if (!model_)
    start();
  if (control("objects").find("\"hwc\":0") != std::string::npos) {
    ASSERT_TRUE(establish());
  }
  ASSERT_TRUE(verify(driver_caps));
  ASSERT_TRUE(register_device());
  const auto ring = create_eq(1);
  ASSERT_TRUE(ring);
  eq = *ring;
  if (frame_buffer_ == 0)
    frame_buffer_ = host.take_pages(256 * 1024);
}

Port ScriptedDriver::configure_port(uint32_t index) {
  Port port;
  port.index = index;
  wire::QueryVportConfigRequest query = {};
  query.index = index;
  const auto vport =
      command(Command::kQueryVportConfig, query).as<wire::QueryVportConfigResponse>();
  port.handle = vport.vport;
  port.mac.assign(vport.mac, vport.mac + 6);
  wire::ConfigVportTxRequest tx = {};
  tx.vport = port.handle;
  tx.pdid = pdid;
  tx.doorbell_id = page_;
  const Response response = command(Command::kConfigVportTx, tx);
  EXPECT_TRUE(response.ok());
  port.vport_offset = response.as<wire::ConfigVportTxResponse>().vport_offset;
  return port;
}

Port ScriptedDriver::open_port(uint32_t index, uint32_t queues, uint32_t buffers,
                               uint32_t buffer_bytes) {
  Port port = configure_port(index);
  for (uint32_t i = 0; i < queues; i++) {
    auto sq = create_queue(wire::WqType::kSq, port);
    auto rq = create_queue(wire::WqType::kRq, port);
    EXPECT_TRUE(sq && rq);
    if (!sq || !rq)
      return port;
    port.sqs.push_back(*sq);
    port.rqs.push_back(*rq);
    port.buffers.emplace_back();
    port.consumed.push_back(0);
    post_buffers(port, i, buffers, buffer_bytes);
  }
  EXPECT_TRUE(steer(port, wire::TriState::kOn).ok());
  return port;
}

void ScriptedDriver::open_two_ports() {
  bring_up();
  a = open_port(0);
  b = open_port(1);
}

// ---- frames ----

WqeSpec ScriptedDriver::tx_wqe(const Port& port, const Queue& sq, const Bytes& frame,
                               const SendSpec& spec) {
  host.store_bytes(frame_buffer_, frame);
  const bool long_form = spec.long_form || spec.tci >= 0 || port.vport_offset > 255;
  WqeSpec wqe;
  wqe.oob.assign(long_form ? 6 : 2, 0);
  uint32_t offset = port.vport_offset <= 255 ? port.vport_offset : 0;
  if (spec.short_offset >= 0)
    offset = static_cast<uint32_t>(spec.short_offset);
  wqe.oob[0] = spec.flags | (long_form ? 1 : 0) | sq.cq.id << 8;
  wqe.oob[1] = spec.transport_offset | (sq.wq.id & 0xFFFC00) | offset << 24;
  if (long_form) {
    if (spec.tci >= 0) {
      const uint32_t tci = static_cast<uint32_t>(spec.tci);
      wqe.oob[2] = 1u << 3 | (tci >> 13) << 16 | (tci >> 12 & 1) << 19 | (tci & 0xFFF) << 20;
    }
    uint32_t long_offset = port.vport_offset > 255 ? port.vport_offset : 0;
    if (spec.long_offset >= 0)
      long_offset = static_cast<uint32_t>(spec.long_offset);
    wqe.oob[3] = long_offset << 16;
  }
  std::vector<uint32_t> pieces = spec.pieces;
  if (spec.mss > 0) {
    wqe.oob_in_sgl = true;
    wqe.client_data_unit = spec.mss;
    wqe.last_vbytes = spec.header & 0xFF;
    pieces.insert(pieces.begin(), spec.header);
  }
  uint32_t done = 0;
  const uint32_t total = static_cast<uint32_t>(frame.size());
  for (const uint32_t piece : pieces) {
    wqe.sges.push_back({frame_buffer_ + done, mkey, piece});
    done += piece;
  }
  if (done < total)
    wqe.sges.push_back({frame_buffer_ + done, mkey, total - done});
  return wqe;
}

int ScriptedDriver::next_tx_type(Queue& sq) {
  const auto cqe = sq.cq.next();
  if (!cqe)
    return -1;
  EXPECT_TRUE(cqe->is_sq());
  EXPECT_EQ(cqe->wq_id(), sq.wq.id);
  EXPECT_EQ(wire::tx_cqe::ClientType::get(cqe->data[0]), 1u);
  return static_cast<int>(wire::tx_cqe::Type::get(cqe->data[0]));
}

int ScriptedDriver::send_wqe(Queue& sq, const Bytes& wqe) {
  sq.wq.post(wqe);
  ring_sq(sq.wq);
  run();
  return next_tx_type(sq);
}

int ScriptedDriver::send_frame(Port& port, const Bytes& frame, const SendSpec& spec,
                               uint32_t queue) {
  Queue& sq = port.sqs[queue];
  return send_wqe(sq, make_wqe(tx_wqe(port, sq, frame, spec)));
}

std::optional<Received> ScriptedDriver::next_received(Port& port, uint32_t queue) {
  Queue& rq = port.rqs[queue];
  const auto cqe = rq.cq.next();
  if (!cqe)
    return std::nullopt;
  EXPECT_FALSE(cqe->is_sq());
  EXPECT_EQ(cqe->wq_id(), rq.wq.id);
  Received received;
  std::memcpy(&received.cqe, &*cqe, sizeof(received.cqe));
  if (received.cqe.type() == wire::RxCqeType::kFence)
    return received;
  const uint64_t buffer = port.buffers[queue].at(port.consumed[queue]++);
  received.frame = host.bytes(buffer, received.cqe.packets[0].length);
  return received;
}

}  // namespace mana::test
