// SPDX-License-Identifier: GPL-2.0
#include "model_device.h"

#include <cstdlib>

#include "wire/registers.h"

namespace mana::test {

namespace {

constexpr u32 kMailbox = 0x28;
constexpr u32 kDoorbells = 0x1000;
constexpr u64 kNsPerMs = 1'000'000;

}  // namespace

ModelDevice::ModelDevice(FakeKernel& kernel, const Config& config)
    : kernel_{kernel}, ops_{vnic_model_get(VNIC_ABI_VERSION)} {
  vnic_host host{};
  host.size = sizeof(host);
  host.opaque = this;
  host.dma_read = [](void* self, uint64_t address, void* to, size_t length) {
    return static_cast<ModelDevice*>(self)->kernel_.dma_read(address, to, length);
  };
  host.dma_write = [](void* opaque, uint64_t address, const void* from, size_t length) {
    auto& self = *static_cast<ModelDevice*>(opaque);
    Bytes bytes(length);
    std::memcpy(bytes.data(), from, length);
    if (self.edit_response && self.rings_.rq_frame != 0 && length >= sizeof(wire::ResponseHeader)) {
      // The response buffer is what the first WQE of the channel's RQ says.
      const u8* rq = self.kernel_.coherent(self.rings_.rq_frame << wire::kPageShift, 32);
      if (rq && std::memcmp(rq + 16, &address, sizeof(address)) == 0)
        self.edit_response(self.requests.back().command, bytes.data(), static_cast<u32>(length));
    }
    if (self.edit_write)
      self.edit_write(address, bytes.data(), static_cast<u32>(length));
    return self.kernel_.dma_write(address, bytes.data(), length);
  };
  host.dma_valid = [](void* self, uint64_t address, uint64_t length) {
    return static_cast<ModelDevice*>(self)->kernel_.dma_valid(address, length);
  };
  host.raise_msix = [](void* self, uint32_t vector) {
    static_cast<ModelDevice*>(self)->kernel_.raise_msix(vector);
  };
  host.now = [](void* self) -> uint64_t {
    return static_cast<ModelDevice*>(self)->kernel_.now_ms * kNsPerMs;
  };
  host.schedule = [](void* self) { static_cast<ModelDevice*>(self)->scheduled_ = true; };
  host.run_at = [](void* self, uint64_t deadline) {
    static_cast<ModelDevice*>(self)->deadline_ = deadline;
  };
  host.transmit = [](void*, uint32_t, const void*, size_t) {};
  host.allocate = [](void*, size_t length) -> void* {
    void* memory = nullptr;
    if (posix_memalign(&memory, 64, length) != 0)
      return nullptr;
    std::memset(memory, 0, length);
    return memory;
  };
  host.release = [](void*, void* memory) { std::free(memory); };
  host.log = [](void*, vnic_log_level, const char*) {};

  vnic_config model{};
  model.size = sizeof(model);
  model.ports = config.ports;
  model.queues = config.queues;
  model.mtu = config.mtu;
  const u8 mac[6] = {0x02, 0, 0, 0, 0, 0x01};
  std::memcpy(model.mac, mac, sizeof(mac));
  model.options = config.options.c_str();
  geometry_.size = sizeof(geometry_);
  char error[160] = "";
  model_ = ops_->create(&host, &model, &geometry_, error, sizeof(error));
  EXPECT_NE(model_, nullptr) << error;
}

ModelDevice::~ModelDevice() {
  if (model_)
    ops_->destroy(model_);
}

void ModelDevice::write(u64 offset, u64 value, u32 size) {
  if (offset >= kMailbox && offset < kMailbox + wire::smc::kBytes) {
    words_[(offset - kMailbox) / 4] = static_cast<u32>(value);
    const u32 header = words_[wire::smc::kHeaderWord];
    if (offset == kMailbox + 4 * wire::smc::kHeaderWord &&
        wire::smc::MessageType::get(header) == static_cast<u32>(wire::smc::Type::kEstablishHwc)) {
      rings_ = wire::EstablishHwc::decode(words_);
      requests_seen_ = 0;
    }
  }
  if (offset == kDoorbells + wire::doorbell::kSq)
    note_request();
  ops_->write(model_, offset, value, size);
}

void ModelDevice::note_request() {
  const u32 position = requests_seen_ * wire::kBasicUnit % 4096;
  requests_seen_ += wire::kHwcRequestWqeBytes / wire::kBasicUnit;
  const u8* wqe = kernel_.coherent((rings_.sq_frame << wire::kPageShift) + position, 64);
  if (!wqe)
    return;
  wire::Sge sge;
  std::memcpy(&sge, wqe + 32, sizeof(sge));
  const u8* message = kernel_.coherent(sge.address, sge.size);
  if (!message || sge.size < sizeof(wire::RequestHeader))
    return;
  wire::MessageHeader header;
  std::memcpy(&header, message, sizeof(header));
  requests.push_back({static_cast<wire::Command>(header.message_type), kernel_.now_ms,
                      Bytes(message, message + sge.size)});
  if (on_request)
    on_request(requests.back());
}

bool ModelDevice::run() {
  if (stalled)
    return false;
  const bool due = deadline_ != ~0ull && deadline_ <= kernel_.now_ms * kNsPerMs;
  if (!scheduled_ && !due)
    return false;
  scheduled_ = false;
  if (due)
    deadline_ = ~0ull;
  ops_->run(model_);
  return true;
}

u64 ModelDevice::deadline_ms() {
  return deadline_ == ~0ull ? ~0ull : (deadline_ + kNsPerMs - 1) / kNsPerMs;
}

std::string ModelDevice::control(const std::string& line) {
  char reply[16384] = "";
  if (!ops_->control(model_, line.c_str(), reply, sizeof(reply)))
    return "<failed>";
  return reply;
}

u64 ModelDevice::port_statistic(u32 port, const std::string& name) {
  const std::string text = control("stats");
  size_t at = text.find("{\"port\":" + std::to_string(port));
  at = at == std::string::npos ? at : text.find("\"" + name + "\":", at);
  if (at == std::string::npos) {
    ADD_FAILURE() << "no statistic " << name;
    return 0;
  }
  return std::strtoull(text.c_str() + at + name.size() + 3, nullptr, 10);
}

std::vector<wire::Command> ModelDevice::commands() const {
  std::vector<wire::Command> all;
  for (const Request& request : requests)
    all.push_back(request.command);
  return all;
}

std::vector<ModelDevice::Request> ModelDevice::requests_of(wire::Command command) const {
  std::vector<Request> found;
  for (const Request& request : requests)
    if (request.command == command)
      found.push_back(request);
  return found;
}

}  // namespace mana::test
