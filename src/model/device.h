// SPDX-License-Identifier: GPL-2.0
// One MANA function: the parts put together, and what the host calls.
#pragma once

#include "model/hwc.h"
#include "model/mailbox.h"
#include "model/tx_engine.h"

namespace mana::model {

class Device : NonCopyable {
 public:
  // Null, with a sentence in `error`, if the configuration makes no sense or memory is short.
  static Device* create(const vnic_host& host, const vnic_config& config, TextWriter& error);
  static void destroy(Device* device);

  void reset();
  u64 read(u64 offset, u32 size);
  void write(u64 offset, u64 value, u32 size);
  void run();
  bool receive(u32 port, const void* frame, size_t length);
  void set_link(u32 port, bool up);
  bool control(const char* command, TextWriter& reply);

 private:
  friend class Host;
  explicit Device(const vnic_host& host) : context_{host} {}

  // device.cc
  bool configure(const vnic_config& config, TextWriter& error);
  bool read_options(const char* options, TextWriter& error);
  bool allocate_buffers();
  void tear_down();
  u64 patched_map(u32 offset, u32 size);
  void serve_mailbox();
  u32 execute_mailbox(u32 header);
  bool transmit();
  u64 ring_alarms();

  // doorbells.cc
  void ring(u64 offset, u64 value, u32 size);
  bool ring_work_queue(WorkQueue* wq, u32 page, u32 tail);
  bool moderate(u32 page, u64 value);

  // control.cc
  bool control_fault(TextReader& line, TextWriter& reply);
  bool control_event(Word name, TextReader& line);
  bool post_reconfiguration(u64 capability, wire::ReconfigurationItem item, u32 value);
  void write_objects(TextWriter& reply) const;
  void write_statistics(TextWriter& reply);
  void write_port_statistics(TextWriter& reply, const Vport& vport);
  void write_gf_statistics(TextWriter& reply) const;

  Context context_;
  Resources resources_{context_};
  Fabric fabric_{context_};
  TxSchedule schedule_;
  Commands commands_{context_, resources_, fabric_, schedule_};
  Hwc hwc_{context_, resources_, commands_};
  TxEngine tx_{context_, fabric_};
  Mailbox mailbox_;
  bool mailbox_stuck_ = false;  // by a fault: no answer until a reset
  bool busy_ = false;           // inside run(): the frame buffers are in use

  u8* tx_buffer_ = nullptr;
  u8* rx_buffer_ = nullptr;
};

}  // namespace mana::model
