// SPDX-License-Identifier: GPL-2.0
// The GDMA and BNIC commands (data sheet 6 and 7).
#pragma once

#include "model/fabric.h"
#include "model/message.h"
#include "model/resources.h"
#include "model/tx_schedule.h"

namespace mana::model {

class Commands : NonCopyable {
 public:
  Commands(Context& context, Resources& resources, Fabric& fabric, TxSchedule& schedule)
      : context_{context}, resources_{resources}, fabric_{fabric}, schedule_{schedule} {}

  // Executes a request and returns its status. A reply with a status other than success or "more
  // entries" is its header alone.
  u32 execute(const Request& request, Reply& reply);

  // Destroys the queues that the BNIC's driver left behind (M-7); returns their number.
  u32 reclaim();

 private:
  // commands_gdma.cc
  u32 verify_version(const Request& request, Reply& reply);
  u32 query_max_resources(const Request& request, Reply& reply);
  u32 list_devices(const Request& request, Reply& reply);
  u32 register_device(const Request& request, Reply& reply);
  u32 deregister_device(const Request& request, Reply& reply);
  u32 generate_test_eqe(const Request& request, Reply& reply);
  u32 generate_reset_request_eqe(const Request& request, Reply& reply);
  u32 create_queue(const Request& request, Reply& reply);
  u32 disable_queue(const Request& request, Reply& reply);
  u32 create_dma_region(const Request& request, Reply& reply);
  u32 add_pages(const Request& request, Reply& reply);
  u32 destroy_dma_region(const Request& request, Reply& reply);
  u32 change_msix(const Request& request, Reply& reply);
  u32 query_hwc_timeout(const Request& request, Reply& reply);

  // commands_bnic.cc
  u32 query_dev_config(const Request& request, Reply& reply);
  u32 query_gf_stat(const Request& request, Reply& reply);
  u32 config_vport_tx(const Request& request, Reply& reply);
  u32 create_wq_object(const Request& request, Reply& reply);
  u32 destroy_wq_object(const Request& request, Reply& reply);
  u32 fence_rq(const Request& request, Reply& reply);
  u32 config_vport_rx(const Request& request, Reply& reply);
  u32 query_vport_config(const Request& request, Reply& reply);
  u32 query_link_config(const Request& request, Reply& reply);
  u32 set_bw_clamp(const Request& request, Reply& reply);
  u32 query_phy_stat(const Request& request, Reply& reply);

  using Handler = u32 (Commands::*)(const Request&, Reply&);
  enum class Scope : u8 {
    kGeneric,     // any device the list names, or none (M-18)
    kListed,      // the BNIC, registered or not
    kRegistered,  // the BNIC, registered (M-35)
  };
  struct Entry {
    wire::Command command;
    Scope scope;
    Handler handler;
  };
  static const Entry* find(wire::Command command);
  bool in_scope(Scope scope, wire::DeviceId device) const;

  void destroy_wq(WorkQueue* wq);
  Moderation moderation_of(const Request& request) const;
  u32 coalescing_of(const Request& request, bool eight) const;
  bool read_table(const Request& request, const Vport& vport, u32 offset, u32 count,
                  WorkQueue** table) const;

  Context& context_;
  Resources& resources_;
  Fabric& fabric_;
  TxSchedule& schedule_;
};

}  // namespace mana::model
