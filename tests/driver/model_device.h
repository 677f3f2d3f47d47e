// SPDX-License-Identifier: GPL-2.0
// The device model behind the fake kernel's BAR 0. Looks over its shoulder: knows each request that
// the driver sends and can change each answer.
#pragma once

#include "fake_kernel.h"
#include "vnic/device_model.h"
#include "wire/bnic_commands.h"
#include "wire/mailbox.h"

namespace mana::test {

class ModelDevice : public BusDevice {
 public:
  struct Config {
    u32 ports = 2;
    u32 queues = 2;
    u32 mtu = 9000;
    std::string options;
  };
  ModelDevice(FakeKernel& kernel, const Config& config);
  ~ModelDevice() override;

  u64 bar_size() const override { return geometry_.bar0_size; }
  u64 read(u64 offset, u32 size) override { return ops_->read(model_, offset, size); }
  void write(u64 offset, u64 value, u32 size) override;
  bool run() override;
  u64 deadline_ms() override;
  void reset() override { ops_->reset(model_); }

  std::string control(const std::string& line);
  void fault(const std::string& line) { EXPECT_EQ(control("fault " + line), "ok") << line; }
  u64 port_statistic(u32 port, const std::string& name);
  void set_link(u32 port, bool up) { ops_->set_link(model_, port, up); }
  bool has_no_objects() {
    return control("objects") ==
           R"({"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0})";
  }

  struct Request {
    wire::Command command;
    u64 at_ms;
    Bytes bytes;

    template <typename Message>
    Message as() const {
      Message message{};
      std::memcpy(static_cast<void*>(&message), bytes.data(),
                  std::min(sizeof(message), bytes.size()));
      return message;
    }
  };
  std::vector<Request> requests;
  std::vector<wire::Command> commands() const;
  std::vector<Request> requests_of(wire::Command command) const;

  // Before the device gets it.
  std::function<void(const Request&)> on_request;
  // The n-th request from now on meets a fault of the model: "status", "silent", ...
  void fault_nth(size_t n, const std::string& what) {
    on_request = [this, wanted = requests.size() + n, what](const Request&) {
      if (requests.size() == wanted)
        fault("hwc any " + what + " x1");
    };
  }

  // Changes an answer before the driver can see it.
  std::function<void(wire::Command, u8* message, u32 length)> edit_response;
  template <typename Message>
  void edit(wire::Command command, std::function<void(Message&)> change) {
    edit_response = [=](wire::Command which, u8* bytes, u32 length) {
      if (which == command && length >= sizeof(Message))
        change(*reinterpret_cast<Message*>(bytes));
    };
  }
  // Changes whatever the device writes.
  std::function<void(u64 address, u8* bytes, u32 length)> edit_write;
  bool stalled = false;  // does nothing

 private:
  void note_request();

  FakeKernel& kernel_;
  const vnic_model_ops* ops_;
  vnic_model* model_ = nullptr;
  vnic_geometry geometry_{};
  bool scheduled_ = false;
  u64 deadline_ = ~0ull;
  u32 words_[wire::smc::kWords] = {};
  wire::EstablishHwc rings_{};
  u32 requests_seen_ = 0;  // BU of the HWC's SQ
};

}  // namespace mana::test
