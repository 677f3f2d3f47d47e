// SPDX-License-Identifier: GPL-2.0
// What XDP programs are told of a frame beside its bytes: hash and VLAN tag of its completion.
#include <initializer_list>

#include "kunit/harness/receive_bench.h"

namespace mana::kunit {
namespace {

using wire::RxCqe;
namespace hash = wire::hash;

constexpr u32 kVlanProtocol = 0x8100;

struct Program {
  u32 action = SHIM_XDP_PASS;
  u32 runs = 0;
  kunit_xdp seen{};

  static shim_xdp_action run(void* self, const kunit_xdp* xdp, int*, int*, u32*, int*) {
    auto* program = static_cast<Program*>(self);
    program->runs++;
    program->seen = *xdp;
    return static_cast<shim_xdp_action>(program->action);
  }
  int attach(net_device* netdev, u32 how) { return kunit_xdp_attach_as(netdev, how, run, this); }
};

CASE(D61_a_program_is_told_the_hash_and_what_it_is_of) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev(), KUNIT_XDP_BOUND), 0);
  constexpr u32 kL4 = SHIM_HASH_L4;
  constexpr u32 kV6Ex = SHIM_HASH_IPV6 | SHIM_HASH_EXTENSIONS;
  const struct {
    u32 type, kinds;
  } kTable[] = {{0, 0},
                {hash::kIpv4, SHIM_HASH_IPV4},
                {hash::kTcpIpv4, SHIM_HASH_IPV4 | kL4 | SHIM_HASH_TCP},
                {hash::kUdpIpv4, SHIM_HASH_IPV4 | kL4 | SHIM_HASH_UDP},
                {hash::kIpv6, SHIM_HASH_IPV6},
                {hash::kTcpIpv6, SHIM_HASH_IPV6 | kL4 | SHIM_HASH_TCP},
                {hash::kUdpIpv6, SHIM_HASH_IPV6 | kL4 | SHIM_HASH_UDP},
                {hash::kIpv6Ex, kV6Ex},
                {hash::kTcpIpv6Ex, kV6Ex | kL4 | SHIM_HASH_TCP},
                {hash::kUdpIpv6Ex, kV6Ex | kL4 | SHIM_HASH_UDP}};
  u32 value = 0xC0FFEE01;
  for (const auto& row : kTable) {
    auto edit = [&](RxCqe& cqe) {
      cqe.flags = RxCqe::HashType::put(row.type);
      cqe.packets[0].hash = value;
    };
    bench.on_completion = edit;
    EXPECT(bench.pass(1));
    bench.on_completion = nullptr;
    EXPECT_EQ(program.seen.has_hash, row.type != 0);
    EXPECT_EQ(program.seen.hash_kinds, row.kinds);
    if (row.type != 0)
      EXPECT_EQ(program.seen.hash, value);
    EXPECT(!program.seen.has_vlan);
    value += 0x01010101;
  }
  EXPECT_EQ(program.runs, static_cast<u32>(sizeof(kTable) / sizeof(kTable[0])));
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_program_is_told_the_tag_that_the_device_took_off) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev(), KUNIT_XDP_BOUND), 0);
  for (const u32 id : {1u, 100u, 0u, 4095u}) {
    auto edit = [&](RxCqe& cqe) { cqe.flags = RxCqe::VlanPresent::kMask | RxCqe::VlanId::put(id); };
    bench.on_completion = edit;
    EXPECT_EQ(bench.inject(1), 1u);
    bench.on_completion = nullptr;
    EXPECT(program.seen.has_vlan);
    EXPECT_EQ(program.seen.vlan, id);
    EXPECT_EQ(program.seen.vlan_protocol, kVlanProtocol);
    EXPECT(!program.seen.has_hash);
    // And nothing of it when the next frame has none.
    EXPECT_EQ(bench.inject(1), 1u);
    EXPECT(!program.seen.has_vlan);
  }
  bench.clear_arrived();
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_hash_that_is_switched_off_is_no_hint) {
  ReceiveBench bench;
  ASSERT(bench.up());
  Program program;
  ASSERT_EQ(program.attach(bench.netdev(), KUNIT_XDP_BOUND), 0);
  constexpr u32 kHash = 0xBADDCAFE;
  auto edit = [&](RxCqe& cqe) {
    cqe.flags = RxCqe::HashType::put(hash::kUdpIpv4);
    cqe.packets[0].hash = kHash;
  };
  bench.on_completion = edit;
  for (const bool on : {true, false, true}) {
    kunit_netdev_set_feature(bench.netdev(), KUNIT_FEATURE_RX_HASH, on);
    EXPECT_EQ(bench.inject(1), 1u);
    EXPECT_EQ(program.seen.has_hash, on);
    // The stack is told the same.
    const kunit_received skb = bench.take().look();
    EXPECT_EQ(skb.has_hash, on);
    if (on) {
      EXPECT_EQ(program.seen.hash, kHash);
      EXPECT_EQ(skb.hash, kHash);
    }
  }
  bench.on_completion = nullptr;
  bench.clear_arrived();
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

CASE(a_bound_program_decides_as_any_other) {
  ReceiveBench bench{{.ports = 2}};
  ASSERT(bench.up());
  Tap other{bench.other()};
  Program bound, plain;
  ASSERT_EQ(bound.attach(bench.netdev(), KUNIT_XDP_BOUND), 0);
  EXPECT(bench.pass(100));
  bound.action = SHIM_XDP_DROP;
  EXPECT_EQ(bench.inject(60), 60u);
  EXPECT_EQ(bench.queue_stat("xdp_drop"), 60u);
  bound.action = SHIM_XDP_TX;
  EXPECT_EQ(bench.inject(60), 60u);
  EXPECT_EQ(other.count(), 60u);
  EXPECT_EQ(bound.runs, 220u);
  // One replaces the other.
  ASSERT_EQ(plain.attach(bench.netdev(), 0), 0);
  EXPECT(bench.pass(10));
  EXPECT(!plain.seen.has_hash);
  bound.action = SHIM_XDP_PASS;
  ASSERT_EQ(bound.attach(bench.netdev(), KUNIT_XDP_BOUND), 0);
  EXPECT(bench.pass(10));
  EXPECT_EQ(bound.runs, 230u);
  EXPECT_EQ(plain.runs, 10u);
  ASSERT_EQ(kunit_xdp_detach(bench.netdev()), 0);
}

constexpr mana_case kCases[] = {
    LIST(D61_a_program_is_told_the_hash_and_what_it_is_of),
    LIST(a_program_is_told_the_tag_that_the_device_took_off),
    LIST(a_hash_that_is_switched_off_is_no_hint),
    LIST(a_bound_program_decides_as_any_other),
};

}  // namespace

MANA_SUITE(xdp_hints, kCases)

}  // namespace mana::kunit
