// SPDX-License-Identifier: GPL-2.0
#include "kunit/harness/model_device.h"

#include "shim/memory.h"

namespace mana::kunit {

namespace {

constexpr u32 kMailbox = 0x28;
constexpr u32 kDoorbells = 0x1000;
constexpr u32 kPage = 0x1000;

ModelDevice& self_of(void* opaque) { return *static_cast<ModelDevice*>(opaque); }

}  // namespace

ModelDevice::ModelDevice(const Config& config) : ops_{vnic_model_get(VNIC_ABI_VERSION)} {
  requests_ = static_cast<Request*>(shim_alloc(kMaxRequests * sizeof(Request), -1));
  scratch_ = static_cast<u8*>(shim_alloc(kScratch, -1));
  reply_ = static_cast<char*>(shim_alloc(kReply, -1));
  if (!requests_ || !scratch_ || !reply_) {
    FAIL("no memory for the device");
    return;
  }

  vnic_host host{};
  host.size = sizeof(host);
  host.opaque = this;
  host.dma_read = [](void* self, uint64_t address, void* to, size_t length) {
    return kunit_dma_read(self_of(self).function, address, to, length);
  };
  host.dma_write = [](void* self, uint64_t address, const void* from, size_t length) {
    return self_of(self).dma_write(address, from, length);
  };
  host.dma_valid = [](void* self, uint64_t address, uint64_t length) {
    return kunit_dma_valid(self_of(self).function, address, length);
  };
  host.raise_msix = [](void* self, uint32_t vector) {
    kunit_raise(self_of(self).function, vector);
  };
  host.now = [](void*) -> uint64_t { return kunit_now_ns(); };
  host.schedule = [](void* self) { kunit_schedule(self_of(self).function); };
  host.run_at = [](void* self, uint64_t deadline) {
    kunit_run_at(self_of(self).function, deadline);
  };
  host.transmit = [](void*, uint32_t, const void*, size_t) {};
  host.allocate = [](void*, size_t length) { return kunit_device_alloc(length); };
  host.release = [](void*, void* memory) { kunit_device_free(memory); };
  // What the guest does wrong is for the case to notice; the model's own trouble is a failure.
  host.log = [](void*, vnic_log_level level, const char* text) {
    if (level == VNIC_LOG_ERROR)
      FAIL("the device model: %s", text);
  };

  vnic_config model{};
  model.size = sizeof(model);
  model.ports = config.ports;
  model.queues = config.queues;
  model.mtu = config.mtu;
  model.mac[0] = 0x02;
  model.mac[5] = 0x01;
  model.options = config.options;
  geometry_.size = sizeof(geometry_);
  char error[160] = "";
  model_ = ops_->create(&host, &model, &geometry_, error, sizeof(error));
  if (!model_)
    FAIL("no device model: %s", error);
}

ModelDevice::~ModelDevice() {
  if (model_)
    ops_->destroy(model_);
  shim_free(requests_);
  shim_free(scratch_);
  shim_free(reply_);
}

void ModelDevice::write(u64 offset, u64 value, u32 size) {
  if (eat_write && eat_write(offset, value, size))
    return;
  if (offset < kDoorbells) {
    note_mailbox(offset, static_cast<u32>(value));
  } else {
    const u32 reg = offset % kPage;
    Doorbell doorbell{.page = static_cast<u32>((offset - kDoorbells) / kPage),
                      .reg = reg,
                      .id = static_cast<u32>(value & 0xFFFFFF),
                      .value = static_cast<u32>(value >> 32),
                      .arm = false};
    if (reg >= wire::doorbell::kCq) {
      doorbell.arm = doorbell.value >> 31;
      doorbell.value &= 0x7FFFFFFF;
    }
    doorbells_[reg / 0x400 & 3]++;
    if (doorbell.page == 0 && reg == wire::doorbell::kSq)
      note_request();
    if (on_doorbell)
      on_doorbell(doorbell);
  }
  ops_->write(model_, offset, value, size);
}

void ModelDevice::run() {
  if (!stalled)
    ops_->run(model_);
}

void ModelDevice::reset() {
  rings_ = {};
  ops_->reset(model_);
}

void ModelDevice::note_mailbox(u64 offset, u32 value) {
  if (offset < kMailbox || offset >= kMailbox + wire::smc::kBytes)
    return;
  words_[(offset - kMailbox) / 4] = value;
  const u32 header = words_[wire::smc::kHeaderWord];
  if (offset == kMailbox + 4 * wire::smc::kHeaderWord &&
      wire::smc::MessageType::get(header) == static_cast<u32>(wire::smc::Type::kEstablishHwc)) {
    rings_ = wire::EstablishHwc::decode(words_);
    position_ = 0;
  }
}

// The SQ of the channel has one WQE for each request, and its message in one SGE.
void ModelDevice::note_request() {
  const u32 at = position_ * wire::kBasicUnit % kPage;
  position_ += wire::kHwcRequestWqeBytes / wire::kBasicUnit;
  const auto* wqe = static_cast<const u8*>(
      kunit_dma_memory(function, (rings_.sq_frame << wire::kPageShift) + at));
  if (!wqe)
    return;
  wire::Sge sge;
  __builtin_memcpy(&sge, wqe + 32, sizeof(sge));
  const void* message = kunit_dma_memory(function, sge.address);
  if (!message || sge.size < sizeof(wire::RequestHeader))
    return;
  Request& request = requests_[request_count_ % kMaxRequests];
  clear_bytes(&request, sizeof(request));
  request.bytes = sge.size;
  request.at_ns = kunit_now_ns();
  __builtin_memcpy(request.message, message, min(sge.size, kMaxRequestBytes));
  request.command = static_cast<wire::Command>(request.as<wire::MessageHeader>().message_type);
  request_count_++;
  counter_requests_ += request.command == wire::Command::kQueryGfStat;
  if (on_request)
    on_request(request);
  if (request_count_ == fault_at_) {
    char line[64], reply[64] = "";
    shim_format(line, sizeof(line), "fault hwc any %s x1", fault_what_);
    if (!ops_->control(model_, line, reply, sizeof(reply)))
      FAIL("the device model does not know \"%s\"", line);
  }
}

bool ModelDevice::dma_write(u64 address, const void* from, size_t length) {
  const bool edits = (edit_response || edit_write) && length <= kScratch;
  if (!edits)
    return kunit_dma_write(function, address, from, length);
  __builtin_memcpy(scratch_, from, length);
  if (edit_response && rings_.rq_frame != 0 && request_count_ != 0 &&
      length >= sizeof(wire::ResponseHeader)) {
    // The response buffer is what the first WQE of the channel's RQ says.
    const auto* rq =
        static_cast<const u8*>(kunit_dma_memory(function, rings_.rq_frame << wire::kPageShift));
    if (rq && __builtin_memcmp(rq + 16, &address, sizeof(address)) == 0)
      edit_response(request(request_count_ - 1).command, scratch_, static_cast<u32>(length));
  }
  if (edit_write)
    edit_write(address, scratch_, static_cast<u32>(length));
  return kunit_dma_write(function, address, scratch_, length);
}

const char* ModelDevice::control(const char* line) {
  const unsigned long flags = kunit_function_lock(function);
  reply_[0] = '\0';
  if (!ops_->control(model_, line, reply_, kReply))
    reply_[0] = '\0';
  kunit_function_unlock(function, flags);
  return reply_;
}

void ModelDevice::fault(const char* line) {
  char command[160];
  shim_format(command, sizeof(command), "fault %s", line);
  if (__builtin_strcmp(control(command), "ok") != 0)
    FAIL("the device model does not know the fault \"%s\"", line);
}

void ModelDevice::fault_nth(u32 n, const char* what) {
  const unsigned long flags = kunit_function_lock(function);
  fault_at_ = n == 0 ? 0 : request_count_ + n;
  fault_what_ = what;
  kunit_function_unlock(function, flags);
}

namespace {

const char* find(const char* in, const char* what) {
  const size_t length = __builtin_strlen(what);
  for (; *in; in++)
    if (__builtin_strncmp(in, what, length) == 0)
      return in;
  return nullptr;
}

}  // namespace

u64 ModelDevice::port_statistic(u32 port, const char* name) {
  char key[64];
  shim_format(key, sizeof(key), "{\"port\":%u", port);
  const char* at = find(control("stats"), key);
  shim_format(key, sizeof(key), "\"%s\":", name);
  at = at ? find(at, key) : nullptr;
  if (!at) {
    FAIL("the device model has no statistic \"%s\" of port %u", name, port);
    return 0;
  }
  u64 value = 0;
  for (at += __builtin_strlen(key); *at >= '0' && *at <= '9'; at++)
    value = value * 10 + (*at - '0');
  return value;
}

void ModelDevice::set_link(u32 port, bool up) {
  const unsigned long flags = kunit_function_lock(function);
  ops_->set_link(model_, port, up);
  kunit_function_unlock(function, flags);
}

bool ModelDevice::has_objects() {
  return __builtin_strcmp(
             control("objects"),
             R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})") != 0;
}

u32 ModelDevice::count_of(wire::Command command, u32 from) const {
  u32 count = 0;
  for (u32 n = from; n < request_count_; n++)
    count += request(n).command == command;
  return count;
}

const ModelDevice::Request* ModelDevice::last_of(wire::Command command) const {
  for (u32 n = request_count_; n-- > 0 && request_count_ - n <= kMaxRequests;)
    if (request(n).command == command)
      return &request(n);
  return nullptr;
}

}  // namespace mana::kunit
