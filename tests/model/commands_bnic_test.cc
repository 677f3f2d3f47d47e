// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

namespace mana::test {
namespace {

using wire::Command;
using wire::TriState;
using wire::WqType;

class BnicCommands : public ScriptedDriver {
 protected:
  void SetUp() override { bring_up(); }

  // CONFIG_VPORT_RX, any layout.
  Response steer_raw(const wire::ConfigVportRxRequest& message, const std::vector<uint64_t>& table,
                     uint32_t bytes = sizeof(wire::ConfigVportRxRequest), uint16_t version = 2,
                     uint16_t response_version = 1) {
    Bytes raw(bytes + table.size() * 8);
    std::memcpy(raw.data(), static_cast<const void*>(&message), bytes);
    if (!table.empty())
      std::memcpy(&raw[bytes], table.data(), table.size() * 8);
    fill_header(raw, Command::kConfigVportRx, 4096, response_version, version);
    return exchange(raw);
  }
  // True if port b gets what port a sends.
  bool delivers(uint32_t queue = 0) {
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
    const auto received = next_received(b, queue);
    return received && received->frame == make_packet({});
  }
  static wire::ConfigVportRxRequest nothing(const Port& port) {
    wire::ConfigVportRxRequest message = {};
    message.vport = port.handle;
    message.rx_enable = TriState::kUnchanged;
    message.rss_enable = TriState::kUnchanged;
    message.table_offset = sizeof(message);
    message.default_object = 0x1234567890;  // stale, and not to be looked at
    return message;
  }
};

TEST_F(BnicCommands, M40_DeviceConfigByVersion) {
  for (uint16_t asked = 1; asked <= 6; asked++) {
    const Response response =
        command(Command::kQueryDevConfig, wire::QueryDevConfigRequest{}, asked);
    const auto answer = response.as<wire::QueryDevConfigResponse>();
    EXPECT_EQ(response.header.response.version, std::min<int>(asked, 4));
    EXPECT_EQ(answer.vport_count, 2);
    EXPECT_EQ(answer.max_eq, 64u);
    EXPECT_EQ(answer.adapter_mtu, asked >= 2 ? 1514 : 0);
    EXPECT_EQ(answer.bare_metal_host, 0);
    EXPECT_EQ(answer.link_speed != 0, asked >= 4);
  }
}

TEST_F(BnicCommands, M41_VportConfig) {
  std::vector<uint64_t> handles;
  for (uint32_t i = 0; i < 2; i++) {
    wire::QueryVportConfigRequest query = {};
    query.index = i;
    const auto answer =
        command(Command::kQueryVportConfig, query).as<wire::QueryVportConfigResponse>();
    EXPECT_EQ(answer.max_sq, 4u);
    EXPECT_EQ(answer.max_rq, 4u);
    EXPECT_LE(answer.indirection_entries, 128u);
    EXPECT_EQ(answer.indirection_entries & (answer.indirection_entries - 1), 0u);
    EXPECT_EQ(answer.mac[0], 2);
    EXPECT_EQ(answer.mac[5], 1 + i);
    EXPECT_NE(answer.vport, ~0ull);
    handles.push_back(answer.vport);
  }
  EXPECT_NE(handles[0], handles[1]);
  for (const uint32_t bad : {2u, 16u, 0xFFFFFFFFu}) {
    wire::QueryVportConfigRequest query = {};
    query.index = bad;
    EXPECT_FALSE(command(Command::kQueryVportConfig, query).ok());
  }
}

TEST_F(BnicCommands, M42_TxConfigurationComesFirst) {
  wire::QueryVportConfigRequest query = {};
  const uint64_t handle =
      command(Command::kQueryVportConfig, query).as<wire::QueryVportConfigResponse>().vport;
  const uint64_t wq = create_region(host.take_pages(4096), 4096);
  const uint64_t cq = create_region(host.take_pages(4096), 4096);
  EXPECT_FALSE(create_wq(WqType::kSq, handle, wq, cq, 4096, 4096, eq.id).ok());

  wire::ConfigVportTxRequest message = {};
  message.vport = handle;
  message.pdid = pdid + 1;
  message.doorbell_id = page_;
  EXPECT_FALSE(command(Command::kConfigVportTx, message).ok());
  message.pdid = pdid;
  message.doorbell_id = page_ + 1;
  EXPECT_FALSE(command(Command::kConfigVportTx, message).ok());
  message.doorbell_id = page_;
  message.vport = ~0ull;
  EXPECT_FALSE(command(Command::kConfigVportTx, message).ok());
  EXPECT_FALSE(create_wq(WqType::kSq, handle, wq, cq, 4096, 4096, eq.id).ok());

  message.vport = handle;
  const Response response = command(Command::kConfigVportTx, message);
  ASSERT_TRUE(response.ok());
  EXPECT_LE(response.as<wire::ConfigVportTxResponse>().vport_offset, 255);
  EXPECT_EQ(response.as<wire::ConfigVportTxResponse>().short_form_allowed, 1);
  EXPECT_TRUE(create_wq(WqType::kSq, handle, wq, cq, 4096, 4096, eq.id).ok());
}

TEST_F(BnicCommands, M43_CreateWqObjectChecksWhatItIsTold) {
  Port port = configure_port(0);
  const uint64_t wq = create_region(host.take_pages(4096), 4096);
  const uint64_t cq = create_region(host.take_pages(4096), 4096);
  const std::string before = control("objects");
  const auto refused = [&](WqType type, uint64_t vport, uint64_t wq_region, uint64_t cq_region,
                           uint32_t wq_bytes, uint32_t cq_bytes, uint32_t parent) {
    const bool no = !create_wq(type, vport, wq_region, cq_region, wq_bytes, cq_bytes, parent).ok();
    EXPECT_EQ(control("objects"), before);
    return no;
  };
  EXPECT_TRUE(refused(static_cast<WqType>(3), port.handle, wq, cq, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(static_cast<WqType>(0), port.handle, wq, cq, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle + 1, wq, cq, 4096, 4096, eq.id)) << "not configured";
  EXPECT_TRUE(refused(WqType::kSq, 0, wq, cq, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, 0, cq, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, ~0ull, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, wq, 4096, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, cq, 8192, 4096, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, cq, 4096, 2048, eq.id));
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, cq, 4096, 4096, eq.id + 500)) << "V12";
  EXPECT_TRUE(refused(WqType::kSq, port.handle, wq, cq, 4096, 4096, hwc_eq.id));
  const Response response = create_wq(WqType::kRq, port.handle, wq, cq, 4096, 4096, eq.id);
  EXPECT_TRUE(response.ok());
  EXPECT_NE(response.as<wire::CreateWqObjectResponse>().object, ~0ull);
}

TEST_F(BnicCommands, M43_LimitsAndUniqueIds) {
  Port port = configure_port(0);
  std::vector<uint32_t> wq_ids, cq_ids;
  std::vector<uint64_t> objects;
  for (int i = 0; i < 4; i++) {
    for (const WqType type : {WqType::kSq, WqType::kRq}) {
      const auto queue = create_queue(type, port);
      ASSERT_TRUE(queue);
      wq_ids.push_back(queue->wq.id);
      cq_ids.push_back(queue->cq.id);
      objects.push_back(queue->object);
    }
  }
  EXPECT_FALSE(create_queue(WqType::kSq, port)) << "four are configured";
  EXPECT_FALSE(create_queue(WqType::kRq, port));
  for (auto* list : {&wq_ids, &cq_ids}) {
    std::sort(list->begin(), list->end());
    EXPECT_EQ(std::unique(list->begin(), list->end()), list->end());
  }
  std::sort(objects.begin(), objects.end());
  EXPECT_EQ(std::unique(objects.begin(), objects.end()), objects.end());
}

TEST_F(BnicCommands, M43_CreationFailsWithoutMemory) {
  Port port = configure_port(0);
  const uint64_t wq = create_region(host.take_pages(4096), 4096);
  const uint64_t cq = create_region(host.take_pages(4096), 4096);
  for (size_t n = 1; n <= 2; n++) {
    host.fail_allocation = n;
    EXPECT_FALSE(create_wq(WqType::kSq, port.handle, wq, cq, 4096, 4096, eq.id).ok());
  }
  EXPECT_TRUE(create_wq(WqType::kSq, port.handle, wq, cq, 4096, 4096, eq.id).ok())
      << "the regions were still the driver's";
}

TEST_F(BnicCommands, M43_Version2Answer) {
  Port port = configure_port(0);
  wire::CreateWqObjectRequest message = {};
  message.vport = port.handle;
  message.wq_type = WqType::kSq;
  message.wq_region = create_region(host.take_pages(4096), 4096);
  message.cq_region = create_region(host.take_pages(4096), 4096);
  message.wq_bytes = message.cq_bytes = 4096;
  message.parent_eq = eq.id;
  Bytes raw = request(Command::kCreateWqObject, message, 4096, 2, 2);
  raw.resize(96);
  raw[12] = 96;
  const Response response = exchange(raw);
  ASSERT_TRUE(response.ok());
  EXPECT_EQ(response.cqe.length, 56u);
  EXPECT_EQ(response.header.response.version, 2);
  EXPECT_EQ(slice(response.bytes, 48, 56), Bytes(8));
}

TEST_F(BnicCommands, M44_V10_DestroyWqObject) {
  a = open_port(0);
  b = open_port(1);
  ASSERT_TRUE(delivers());
  EXPECT_FALSE(destroy_queue(WqType::kRq, a.sqs[0]).ok()) << "wrong type";
  Queue wrong = a.sqs[0];
  wrong.object ^= 1ull << 33;
  EXPECT_FALSE(destroy_queue(WqType::kSq, wrong).ok());
  wrong.object = ~0ull;
  EXPECT_FALSE(destroy_queue(WqType::kSq, wrong).ok());

  // The RQ of an enabled port: it leaves the steering.
  EXPECT_TRUE(destroy_queue(WqType::kRq, b.rqs[0]).ok());
  EXPECT_FALSE(destroy_queue(WqType::kRq, b.rqs[0]).ok()) << "twice";
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_EQ(port_statistic(1, "rx_dropped_no_wqe"), 1u);

  // An SQ with work that was not done yet: no DMA afterwards.
  Queue& sq = a.sqs[0];
  sq.wq.post(make_wqe(tx_wqe(a, sq, make_packet({}), {})));
  ring_sq(sq.wq);
  EXPECT_TRUE(destroy_queue(WqType::kSq, sq).ok());
  const auto before = host.bytes(sq.cq.address(), 4096);
  run();
  EXPECT_EQ(host.bytes(sq.cq.address(), 4096), before);
}

TEST_F(BnicCommands, M45_TriStatesAndUpdateFlags) {
  a = open_port(0);
  b = open_port(1);
  ASSERT_TRUE(delivers());
  // Nothing changes, though the fields hold rubbish.
  auto message = nothing(b);
  std::memset(message.hash_key, 0x55, sizeof(message.hash_key));
  message.entry_count = 128;
  EXPECT_TRUE(steer_raw(message, {}).ok());
  EXPECT_TRUE(delivers());
  message.rx_enable = TriState::kOff;
  EXPECT_TRUE(steer_raw(message, {}).ok());
  EXPECT_FALSE(delivers());
  message.rx_enable = TriState::kUnchanged;
  EXPECT_TRUE(steer_raw(message, {}).ok());
  EXPECT_FALSE(delivers());
  message.rx_enable = TriState::kOn;
  EXPECT_TRUE(steer_raw(message, {}).ok());
  EXPECT_TRUE(delivers());
  message.rx_enable = static_cast<TriState>(2);
  EXPECT_FALSE(steer_raw(message, {}).ok());
  message.rx_enable = TriState::kUnchanged;
  message.rss_enable = static_cast<TriState>(77);
  EXPECT_FALSE(steer_raw(message, {}).ok());
}

TEST_F(BnicCommands, M45_V11_BadTablesLeaveTheOldSteering) {
  a = open_port(0);
  b = open_port(1, 2, 64);
  std::vector<uint64_t> table(128, b.rqs[0].object);
  ASSERT_TRUE(steer(b, TriState::kOn, TriState::kOn, table).ok());
  ASSERT_TRUE(delivers());

  auto message = nothing(b);
  message.rx_enable = TriState::kOff;  // must not happen
  message.update_table = 1;
  message.entry_count = 128;
  const auto refused = [&](const std::vector<uint64_t>& entries) {
    const bool no = !steer_raw(message, entries).ok();
    EXPECT_TRUE(delivers());
    return no;
  };
  auto foreign = table;
  foreign[127] = a.rqs[0].object;
  EXPECT_TRUE(refused(foreign)) << "another vPort's";
  foreign[127] = b.sqs[0].object;
  EXPECT_TRUE(refused(foreign)) << "an SQ";
  foreign[127] = ~0ull;
  EXPECT_TRUE(refused(foreign));
  message.entry_count = 127;
  EXPECT_TRUE(refused(table));
  message.entry_count = 512;
  EXPECT_TRUE(refused(table)) << "outside the message";
  message.entry_count = 0;
  EXPECT_TRUE(refused(table));
  message.entry_count = 128;
  EXPECT_TRUE(refused({table.begin(), table.end() - 1}));
  for (const uint16_t offset : {0, 64, 111, 128, 4095, 65535}) {
    message.table_offset = offset;
    EXPECT_TRUE(refused(table)) << offset;
  }
  message.table_offset = 120;
  message.update_default_object = 1;
  EXPECT_TRUE(refused(table)) << "a stale default";
  message.default_object = a.rqs[0].object;
  EXPECT_TRUE(refused(table));
  message.vport = 0;
  EXPECT_TRUE(refused(table));
}

TEST_F(BnicCommands, M45_V11_ATableOnTopOfTheFields) {
  a = open_port(0);
  b = open_port(1);
  auto message = nothing(b);
  message.update_table = 1;
  message.entry_count = 64;
  message.default_object = b.rqs[0].object;
  for (size_t i = 0; i < 5; i++)
    std::memcpy(message.hash_key + i * 8, &b.rqs[0].object, 8);
  const std::vector<uint64_t> rest(64, b.rqs[0].object);
  message.table_offset = 64;
  EXPECT_FALSE(steer_raw(message, rest, 112).ok());
  message.table_offset = 112;
  EXPECT_TRUE(steer_raw(message, rest, 112).ok());
}

TEST_F(BnicCommands, M45_BothLayouts) {
  a = open_port(0);
  b = open_port(1, 2);
  auto message = nothing(b);
  message.update_table = 1;
  message.rss_enable = TriState::kOn;
  for (const bool old : {true, false}) {
    const uint32_t bytes = old ? 112 : 120;
    message.table_offset = static_cast<uint16_t>(bytes);
    for (const uint32_t entries : {128u, 64u}) {
      message.entry_count = static_cast<uint16_t>(entries);
      const uint32_t target = entries == 64;
      const Response response =
          steer_raw(message, std::vector<uint64_t>(entries, b.rqs[target].object), bytes,
                    old ? 1 : 2, old ? 1 : 2);
      ASSERT_TRUE(response.ok());
      EXPECT_EQ(response.cqe.length, 32u) << "coalescing is not offered";
      EXPECT_TRUE(delivers(target));
    }
  }
}

TEST_F(BnicCommands, M46_FenceIsBehindThePackets) {
  a = open_port(0);
  b = open_port(1);
  for (int i = 0; i < 3; i++)
    EXPECT_EQ(send_frame(a, make_packet({})), 32);
  EXPECT_TRUE(fence(b.rqs[0]).ok());
  EXPECT_EQ(send_frame(a, make_packet({})), 32);
  for (const int type : {1, 1, 1, 3, 1}) {
    const auto received = next_received(b);
    ASSERT_TRUE(received);
    EXPECT_EQ(static_cast<int>(received->cqe.type()), type);
    if (type == 3) {
      // Nothing but type and WQ id.
      EXPECT_EQ(received->cqe.dw0, 3u);
      EXPECT_EQ(received->cqe.flags | received->cqe.wqe_offset, 0u);
    } else {
      EXPECT_EQ(received->frame, make_packet({})) << "no buffer went to the fence";
    }
  }
  // With RX disabled, and without any buffer.
  ASSERT_TRUE(steer(b, TriState::kOff).ok());
  EXPECT_TRUE(fence(b.rqs[0]).ok());
  EXPECT_TRUE(next_received(b));
  EXPECT_FALSE(fence(b.sqs[0]).ok());
  Queue none;
  EXPECT_FALSE(fence(none).ok());
}

TEST_F(BnicCommands, M47_GfStatistics) {
  a = open_port(0);
  b = open_port(1);
  EXPECT_TRUE(delivers());
  EXPECT_EQ(send_frame(a, make_packet({.destination = 0xFF})), 32);
  Bytes multicast = make_packet({});
  multicast[0] = 0x33;
  EXPECT_EQ(send_frame(a, multicast), 32);
  EXPECT_EQ(send_frame(a, multicast), 32);

  const uint64_t bytes = make_packet({}).size();
  wire::QueryGfStatRequest query = {};
  query.requested = ~0ull;
  Response response = command(Command::kQueryGfStat, query, 2);
  auto answer = response.as<wire::QueryGfStatResponse>();
  EXPECT_EQ(response.cqe.length, 256u);
  EXPECT_EQ(response.header.response.version, 2);
  EXPECT_EQ(answer.reported, wire::kAllGfCounters);
  EXPECT_EQ(answer.counters.rx_unicast_packets, 1u);
  EXPECT_EQ(answer.counters.rx_unicast_bytes, bytes);
  EXPECT_EQ(answer.counters.rx_broadcast_packets, 1u);
  EXPECT_EQ(answer.counters.rx_multicast_packets, 2u);
  EXPECT_EQ(answer.counters.rx_multicast_bytes, 2 * bytes);
  EXPECT_EQ(answer.counters.tx_bytes, 4 * bytes);
  EXPECT_EQ(answer.counters.tx_broadcast_bytes, bytes);
  EXPECT_EQ(answer.counters.tx_multicast_packets, 2u);

  // Bits 5 and 6 are the multicast pair, which lies behind the broadcast pair.
  query.requested = 1ull << 5 | 1ull << 25 | 1ull << 40;
  answer = command(Command::kQueryGfStat, query, 2).as<wire::QueryGfStatResponse>();
  EXPECT_EQ(answer.reported, 1ull << 5 | 1ull << 25);
  EXPECT_EQ(answer.counters.rx_multicast_packets, 2u);
  EXPECT_EQ(answer.counters.tx_broadcast_bytes, bytes);
  EXPECT_EQ(answer.counters.rx_multicast_bytes, 0u);
  EXPECT_EQ(answer.counters.rx_unicast_packets, 0u);
  EXPECT_EQ(answer.counters.tx_multicast_packets, 0u);

  query.requested = ~0ull;
  response = command(Command::kQueryGfStat, query, 1);
  EXPECT_EQ(response.cqe.length, 248u);
  EXPECT_EQ(response.as<wire::QueryGfStatResponse>().reported, (1ull << 26) - 1);
}

TEST_F(BnicCommands, M32_LinkConfigAndClamp) {
  Port port = configure_port(0);
  wire::QueryLinkConfigRequest query = {};
  query.vport = port.handle;
  Response response = command(Command::kQueryLinkConfig, query, 2);
  auto link = response.as<wire::QueryLinkConfigResponse>();
  EXPECT_EQ(response.cqe.length, 48u);
  EXPECT_EQ(response.header.response.version, 2);
  EXPECT_EQ(link.qos_unconfigured, 1);
  EXPECT_EQ(link.link_speed, 200000u);

  wire::SetBwClampRequest clamp = {};
  clamp.vport = port.handle;
  clamp.enable = TriState::kOn;
  clamp.speed = 1000;
  response = command(Command::kSetBwClamp, clamp);
  EXPECT_EQ(response.cqe.length, 40u);
  EXPECT_EQ(response.as<wire::SetBwClampResponse>().qos_unconfigured, 0);
  link = command(Command::kQueryLinkConfig, query, 2).as<wire::QueryLinkConfigResponse>();
  EXPECT_EQ(link.qos_speed, 1000u);
  EXPECT_EQ(link.qos_unconfigured, 0);
  clamp.enable = TriState::kOff;
  EXPECT_EQ(command(Command::kSetBwClamp, clamp).as<wire::SetBwClampResponse>().qos_unconfigured,
            1);
  clamp.vport = query.vport = 99;
  EXPECT_FALSE(command(Command::kSetBwClamp, clamp).ok());
  EXPECT_FALSE(command(Command::kQueryLinkConfig, query).ok());
}

TEST_F(BnicCommands, M32_PhysicalStatistics) {
  a = open_port(0);
  b = open_port(1);
  EXPECT_TRUE(delivers());
  const Response response = command(Command::kQueryPhyStat, wire::QueryPhyStatRequest{});
  EXPECT_EQ(response.cqe.length, 440u);
  const auto answer = response.as<wire::QueryPhyStatResponse>();
  EXPECT_EQ(answer.packets[0].rx, 1u);
  EXPECT_EQ(answer.packets[0].tx, 1u);
  EXPECT_EQ(answer.bytes[0].rx, make_packet({}).size());
}

TEST_F(BnicCommands, SixteenPortsWithSixteenQueuePairs) {
  stop();
  config.ports = 16;
  config.queues = 16;
  device_id = {};
  bring_up();
  for (uint32_t i = 0; i < 16; i++) {
    Port port = configure_port(i);
    for (int q = 0; q < 16; q++) {
      // Memory of the test is short: all rings share their pages, nothing is sent.
      const uint64_t page = frame_buffer_;
      for (const WqType type : {WqType::kSq, WqType::kRq}) {
        const Response response = create_wq(type, port.handle, create_region(page, 4096),
                                            create_region(page + 4096, 4096), 4096, 4096, eq.id);
        ASSERT_TRUE(response.ok()) << i << " " << q;
        ASSERT_LT(response.as<wire::CreateWqObjectResponse>().cq_id, max_cqs);
      }
    }
  }
  EXPECT_NE(control("objects").find("\"cqs\":512,\"sqs\":256,\"rqs\":256"), std::string::npos);
}

}  // namespace
}  // namespace mana::test
