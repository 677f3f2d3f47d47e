// SPDX-License-Identifier: GPL-2.0
// What ethtool and netdev-genl show and ask for, through the op tables of a real netdev. Changes of
// rings, channels and steering are in netdev.cc.
#include <initializer_list>

#include "kunit/harness/nic.h"
#include "kunit/shim/ethtool.h"
#include "kunit/shim/pools.h"
#include "shim/ethtool.h"
#include "shim/version.h"

namespace mana::kunit {
namespace {

using wire::Command;

constexpr u64 kUnknown = ~0ull;
constexpr int kInvalid = -22;
constexpr int kNotSupported = -95;

bool up_small(Nic& nic, u32 ports, u32 channels) {
  if (!nic || nic.probe() != 0)
    return false;
  for (u32 port = 0; port < ports; port++)
    if (kunit_netdev_set_channels(nic.netdev(port), channels) != 0 ||
        kunit_netdev_set_rings(nic.netdev(port), 128, 128) != 0 || nic.open(port) != 0)
      return false;
  nic.settle();
  return true;
}

bool starts_with(const char* text, const char* with) {
  while (*with)
    if (*text++ != *with++)
      return false;
  return true;
}

CASE(identity_and_link) {
  Nic nic{{.ports = 1, .queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  kunit_identity identity{};
  kunit_ethtool_identity(nic.netdev(0), &identity);
  EXPECT_TEXT(identity.version, MANA_VERSION);
  EXPECT(starts_with(identity.firmware, "registers "));
  kunit_link_settings link{};
  kunit_ethtool_link(nic.netdev(0), &link);
  EXPECT_EQ(link.speed, 200'000u);
  EXPECT(link.full_duplex);
  EXPECT(link.other_port);
  EXPECT(!link.pause);
}

CASE(flows_are_hashed_by_address_and_port) {
  Nic nic{{.ports = 1, .queues = 1}};
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  bool addresses = false, ports = false;
  for (const kunit_flow flow : {KUNIT_FLOW_TCP4, KUNIT_FLOW_UDP6}) {
    EXPECT_EQ(kunit_ethtool_flow_hash(nic.netdev(0), flow, &addresses, &ports), 0);
    EXPECT(addresses);
    EXPECT(ports);
  }
  EXPECT_EQ(kunit_ethtool_flow_hash(nic.netdev(0), KUNIT_FLOW_IPV4, &addresses, &ports), 0);
  EXPECT(addresses);
  EXPECT(!ports);
  EXPECT_EQ(kunit_ethtool_flow_hash(nic.netdev(0), KUNIT_FLOW_ETHER, &addresses, &ports),
            kNotSupported);
}

CASE(refusals_have_a_sentence_and_change_nothing) {
  Nic nic{{.ports = 1}};
  ASSERT(up_small(nic, 1, 2));
  const u32 before = nic.device().request_count();
  const char* sentence = nullptr;
  const struct {
    u32 rx, tx;
    const char* says;
  } rings[] = {{1000, 128, "The receive ring"},
               {64, 128, "The receive ring"},
               {128, 1000, "The transmit ring"},
               {128, 0, "The transmit ring"}};
  for (const auto& wish : rings) {
    EXPECT_EQ(kunit_ethtool_rings(nic.netdev(0), wish.rx, wish.tx, &sentence), kInvalid);
    ASSERT(sentence);
    EXPECT(starts_with(sentence, wish.says));
  }
  EXPECT_EQ(kunit_ethtool_hash_function(nic.netdev(0), false, &sentence), kNotSupported);
  ASSERT(sentence);
  EXPECT(starts_with(sentence, "The device hashes with Toeplitz"));
  EXPECT_EQ(nic.device().request_count(), before);
  EXPECT_EQ(kunit_ethtool_hash_function(nic.netdev(0), true, &sentence), 0);
  EXPECT_EQ(sentence, nullptr);
}

CASE(the_dump_shows_registers_and_queues_and_asks_for_nothing) {
  Nic nic;
  ASSERT(up_small(nic, 2, 2));
  EXPECT(nic.traffic(2));
  u32 words[50] = {};
  u32 version = 0;
  const u32 before = nic.device().request_count();
  ASSERT_EQ(kunit_ethtool_dump(nic.netdev(1), words, 50, &version), 50u);
  EXPECT_EQ(nic.device().request_count(), before);
  EXPECT_EQ(version, 1u);
  EXPECT_EQ(words[4], 4096u);  // of a doorbell page
  EXPECT_EQ(words[8], 32u);  // of the mailbox
  EXPECT_EQ(words[10], 7u);
  EXPECT_EQ(words[11], 1u);
  EXPECT_EQ(words[31], 2u);
  EXPECT_EQ(words[32 + 3] + words[41 + 3], words[32 + 4] + words[41 + 4]);
  EXPECT_EQ(words[32 + 8] + words[41 + 8], 2u);  // received
  nic.close(1);
  __builtin_memset(words, 0xFF, sizeof(words));
  ASSERT_EQ(kunit_ethtool_dump(nic.netdev(1), words, 50, &version), 50u);
  EXPECT_EQ(words[10], 4u);
  EXPECT_EQ(words[31], 0u);
  for (u32 n = 32; n < 50; n++)
    EXPECT_EQ(words[n], 0u);
}

CASE(the_self_test_passes_and_disturbs_nothing) {
  Nic nic;
  ASSERT(up_small(nic, 2, 2));
  u64 results[SHIM_SELF_TESTS];
  u32 count = 0;
  for (u32 round = 0; round < 3; round++) {
    EXPECT(kunit_ethtool_self_test(nic.netdev(0), results, SHIM_SELF_TESTS, &count));
    EXPECT_EQ(count, u32{SHIM_SELF_TESTS});
    for (const u64 result : results)
      EXPECT_EQ(result, u64{SHIM_TEST_PASSED});
    EXPECT(nic.traffic(1));
  }
  EXPECT_EQ(nic.device().count_of(Command::kGenerateTestEqe, 0), 1 + 3 * 2u);  // one at probe
  char name[32];
  ASSERT(kunit_ethtool_test_name(nic.netdev(0), SHIM_TEST_LOOPBACK, name));
  EXPECT(starts_with(name, "loopback"));
}

CASE(the_self_test_says_what_it_could_not_try) {
  Nic nic;
  ASSERT(up_small(nic, 1, 1));
  u64 results[SHIM_SELF_TESTS];
  u32 count = 0;
  EXPECT(kunit_ethtool_self_test(nic.netdev(0), results, SHIM_SELF_TESTS, &count));
  EXPECT_EQ(results[SHIM_TEST_INTERRUPTS], u64{SHIM_TEST_PASSED});
  EXPECT_EQ(results[SHIM_TEST_LOOPBACK], u64{SHIM_TEST_SKIPPED});
  EXPECT(kunit_ethtool_self_test(nic.netdev(1), results, SHIM_SELF_TESTS, &count));
  EXPECT_EQ(results[SHIM_TEST_CHANNEL], u64{SHIM_TEST_PASSED});
  EXPECT_EQ(results[SHIM_TEST_LOOPBACK], u64{SHIM_TEST_SKIPPED});
}

CASE(the_self_test_fails_with_a_device_that_refuses) {
  Nic nic;
  ASSERT(up_small(nic, 2, 1));
  u64 results[SHIM_SELF_TESTS];
  u32 count = 0;
  nic.device().fault("hwc 10 status x1");
  EXPECT(!kunit_ethtool_self_test(nic.netdev(0), results, SHIM_SELF_TESTS, &count));
  EXPECT_EQ(results[SHIM_TEST_CHANNEL], u64{SHIM_TEST_PASSED});
  EXPECT_EQ(results[SHIM_TEST_INTERRUPTS], u64{SHIM_TEST_FAILED});
  EXPECT_EQ(results[SHIM_TEST_LOOPBACK], u64{SHIM_TEST_PASSED});
  EXPECT(kunit_ethtool_self_test(nic.netdev(0), results, SHIM_SELF_TESTS, &count));
  EXPECT(nic.traffic(1));
}

CASE(standard_statistics) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2, 1));
  EXPECT(nic.traffic(3));
  kunit_mac_counts mac{};
  kunit_ethtool_mac(nic.netdev(0), &mac);
  EXPECT_EQ(mac.rx_frames, nic.link_stats(0).rx_packets);
  EXPECT_EQ(mac.tx_frames, nic.link_stats(0).tx_packets);
  EXPECT_GE(mac.rx_frames, 3u);
  EXPECT_EQ(mac.rx_too_long, 0u);
  EXPECT_EQ(mac.oversize, 0u);
  EXPECT_EQ(mac.rx_multicast, kUnknown);  // of two ports nobody knows whose it is
  EXPECT_EQ(mac.alignment_errors, kUnknown);
  nic.device().fault("rx type 4 x2");
  const Frame frame{{.payload = 100}};
  for (u32 n = 0; n < 2; n++)
    EXPECT(nic.send(0, frame));
  kunit_ethtool_mac(nic.netdev(1), &mac);
  EXPECT_EQ(mac.rx_too_long, 2u);
  EXPECT_EQ(mac.oversize, 2u);
}

CASE(queues_and_base_add_up) {
  Nic nic;
  ASSERT(up_small(nic, 2, 2));
  EXPECT(nic.traffic(4));
  for (const u32 channels : {2u, 1u, 2u}) {
    ASSERT_EQ(kunit_netdev_set_channels(nic.netdev(1), channels), 0);
    EXPECT(nic.traffic(1));
    kunit_counts sum{};
    kunit_base_counts(nic.netdev(1), &sum);
    EXPECT_EQ(sum.rx_hw_gro_packets, kUnknown);
    for (u32 queue = 0; queue < channels; queue++) {
      kunit_counts counts{};
      kunit_queue_counts(nic.netdev(1), queue, &counts);
      sum.rx_packets += counts.rx_packets;
      sum.rx_bytes += counts.rx_bytes;
      sum.tx_packets += counts.tx_packets;
      sum.tx_bytes += counts.tx_bytes;
    }
    const shim_link_stats link = nic.link_stats(1);
    EXPECT_EQ(sum.rx_packets, link.rx_packets);
    EXPECT_EQ(sum.rx_bytes, link.rx_bytes);
    EXPECT_EQ(sum.tx_packets, link.tx_packets);
    EXPECT_EQ(sum.tx_bytes, link.tx_bytes);
  }
}

// The kernel's own counts of the pools, which outlive them here.
CASE(pool_counts_are_the_kernels) {
  Nic nic{{.queues = 1}};
  ASSERT(up_small(nic, 2, 1));
  EXPECT(nic.traffic(4));
  u64 slow = 0;
  for (u32 round = 0; round < 3; round++) {
    kunit_pool pool{};
    const u32 pools = kunit_pools(nic.netdev(1));
    ASSERT(kunit_pool_look(nic.netdev(1), pools - 1, &pool));
    EXPECT_EQ(nic.stat(1, "rx_pp_alloc_slow"), slow + pool.slow);
    EXPECT_EQ(nic.stat(1, "rx_0_pool_pages"), pool.taken - pool.released);
    slow += pool.slow;
    nic.close(1);
    EXPECT_EQ(nic.stat(1, "rx_pp_alloc_slow"), slow);
    EXPECT_EQ(nic.stat(1, "rx_0_pool_pages"), 0u);
    EXPECT_EQ(nic.stat(1, "rx_0_pool_pages_taken"), nic.stat(1, "rx_0_pool_pages_released"));
    ASSERT_EQ(nic.open(1), 0);
    EXPECT(nic.traffic(4));
  }
}

CASE(queues_name_their_napi_and_interrupt) {
  Nic nic;
  ASSERT(up_small(nic, 2, 2));
  net_device* netdev = nic.netdev(0);
  const auto expect_linked = [&](u32 channels) {
    u32 ids[2] = {};
    int irqs[2] = {};
    for (u32 queue = 0; queue < channels; queue++) {
      EXPECT(kunit_queue_napi(netdev, queue, &ids[queue], &irqs[queue]));
      EXPECT_NE(ids[queue], 0u);
      EXPECT_GE(irqs[queue], 1);
      // The newest pools are those of the queues, and say the same.
      kunit_pool pool{};
      ASSERT(kunit_pool_look(netdev, kunit_pools(netdev) - channels + queue, &pool));
      EXPECT_EQ(pool.napi_id, ids[queue]);
    }
    EXPECT(channels < 2 || (ids[0] != ids[1] && irqs[0] != irqs[1]));
  };
  expect_linked(2);
  ASSERT_EQ(kunit_netdev_set_rings(netdev, 256, 256), 0);
  expect_linked(2);
  ASSERT_EQ(kunit_netdev_set_channels(netdev, 1), 0);
  expect_linked(1);
  ASSERT_EQ(kunit_netdev_set_channels(netdev, 2), 0);
  expect_linked(2);
  ASSERT_EQ(kunit_netdev_set_mtu(netdev, 4000), 0);
  expect_linked(2);
  nic.close(0);
  for (u32 queue = 0; queue < 2; queue++) {
    u32 id = 1;
    int irq = 0;
    EXPECT(kunit_queue_napi(netdev, queue, &id, &irq));
    EXPECT_EQ(id, 0u);
  }
  ASSERT_EQ(nic.open(0), 0);
  expect_linked(2);
}

constexpr mana_case kCases[] = {
    LIST(identity_and_link),
    LIST(flows_are_hashed_by_address_and_port),
    LIST(refusals_have_a_sentence_and_change_nothing),
    LIST(the_dump_shows_registers_and_queues_and_asks_for_nothing),
    LIST(the_self_test_passes_and_disturbs_nothing),
    LIST(the_self_test_says_what_it_could_not_try),
    LIST(the_self_test_fails_with_a_device_that_refuses),
    LIST(standard_statistics),
    LIST(queues_and_base_add_up),
    LIST(pool_counts_are_the_kernels),
    LIST(queues_name_their_napi_and_interrupt),
};

}  // namespace

MANA_SUITE(ethtool, kCases)

}  // namespace mana::kunit
