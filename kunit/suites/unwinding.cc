// SPDX-License-Identifier: GPL-2.0
// Everything that can fail fails once, each in its turn: allocations, mappings, commands.
// Afterwards nothing is left, or what was there before is still there and works.
#include "kunit/harness/nic.h"
#include "kunit/shim/faults.h"

namespace mana::kunit {
namespace {

constexpr int kNoMemory = -12;
constexpr int kBusy = -16;
constexpr int kInvalid = -22;
constexpr int kNoBuffers = -105;
constexpr u64 kSecond = 1'000'000'000;
// No failure of one command may take longer than the driver's own patience: a timeout, a reset, and
// a second attempt.
constexpr u64 kPatience = 120 * kSecond;

// One queue and the smallest rings: every buffer is an allocation. A command that gets no answer
// shall cost a second.
class SmallNic : public Nic {
 public:
  explicit SmallNic(u32 ports = 1) : Nic{{.ports = ports, .queues = 1, .vectors = 3}} {
    device().edit_response = impatient_;
  }
  bool probe_small() {
    if (!*this || probe() != 0)
      return false;
    for (u32 port = 0; netdev(port); port++)
      if (kunit_netdev_set_rings(netdev(port), 128, 128) != 0)
        return false;
    return true;
  }
  bool open_small() {
    if (!probe_small())
      return false;
    for (u32 port = 0; netdev(port); port++)
      if (open(port) != 0)
        return false;
    settle();
    return true;
  }

 private:
  struct Impatient {
    void operator()(wire::Command command, u8* message, u32 length) const {
      if (command == wire::Command::kQueryHwcTimeout &&
          length >= sizeof(wire::QueryHwcTimeoutResponse))
        reinterpret_cast<wire::QueryHwcTimeoutResponse*>(message)->timeout_ms = 1000;
    }
  };
  Impatient impatient_;
};

// Calls attempt(n) for n = 1, 2, 3 ... with the n-th allocation failing, until nothing was left to
// fail. The number of failures.
template <typename Attempt>
u32 each_allocation(u32 most, Attempt attempt) {
  for (u32 n = 1; n <= most; n++) {
    kunit_fail_allocation(n);
    attempt(n);
    if (kunit_fail_allocation_left() != 0) {
      kunit_fail_allocation(0);
      return n - 1;
    }
    if (kunit_failed())
      return n;
  }
  FAIL("there is no end after %u allocations", most);
  return most;
}

// What the kernel's own fallbacks survive is a success; anything else is an errno. The kernel does
// not always say -ENOMEM: a region of addresses that it cannot note down is busy, a netdev that it
// cannot describe in sysfs is invalid.
void expect_no_memory(int error, u32 n) {
  if (error != 0 && error != kNoMemory && error != kBusy && error != kInvalid &&
      error != kNoBuffers)
    FAIL("failure %u gives %d, which is not for want of memory", n, error);
}

// --- probe ---

CASE(every_allocation_of_probe) {
  SmallNic nic;
  ASSERT(nic);
  u32 refused = 0;
  const u32 failures = each_allocation(2000, [&](u32 n) {
    const int error = nic.probe();
    const u32 left = kunit_fail_allocation_left();
    kunit_fail_allocation(0);
    expect_no_memory(error, n);
    refused += error != 0;
    if (error == 0)
      nic.remove();
    EXPECT_EQ(nic.adapter(), nullptr);
    EXPECT_EQ(kunit_dma_coherent(nic.function().get()), 0u);
    EXPECT_EQ(kunit_dma_streaming(nic.function().get()), 0u);
    EXPECT(!nic.device().has_objects());
    EXPECT_EQ(nic.netdev(0), nullptr);
    kunit_fail_allocation(left);
  });
  kunit_note("probe: %u allocations failed, %u of them failed probe", failures, refused);
  EXPECT_GE(refused, 15u);
  EXPECT_EQ(nic.probe(), 0);
}

void each_command_of_probe(const char* how) {
  SmallNic nic;
  ASSERT(nic);
  u32 n = 1;
  for (; n < 60; n++) {
    nic.device().fault_nth(n, how);
    const u64 before = kunit_now_ns();
    const int error = nic.probe();
    const bool reached = !nic.device().fault_nth_left();
    nic.device().fault_nth(0, how);
    nic.device().fault("clear");
    // Optional commands may fail, and probe goes on without.
    if (error == 0)
      nic.remove();
    if (!reached) {
      EXPECT_EQ(error, 0);
      break;
    }
    EXPECT_LE(kunit_now_ns() - before, kPatience);
    EXPECT_EQ(kunit_dma_coherent(nic.function().get()), 0u);
    EXPECT(!nic.device().has_objects());
    if (kunit_failed()) {
      FAIL("with command %u", n);
      return;
    }
  }
  EXPECT_GE(n, 5u);
}

CASE(every_command_of_probe_is_refused) { each_command_of_probe("status"); }
CASE(every_command_of_probe_gets_no_answer) { each_command_of_probe("silent"); }
CASE(every_command_of_probe_gets_garbage) { each_command_of_probe("garbage"); }
CASE(every_command_of_probe_gets_too_little) { each_command_of_probe("short"); }

CASE(vectors_that_are_too_few) {
  Nic none{{.vectors = 1}};
  ASSERT(none);
  EXPECT_LE(none.probe(), -1);
  Nic two{{.vectors = 2}};
  ASSERT(two.up());
  EXPECT(two.traffic(1));
}

CASE(D9_a_silent_mailbox) {
  Nic nic;
  ASSERT(nic);
  nic.device().fault("mailbox silent x1");
  const u64 before = kunit_now_ns();
  EXPECT_EQ(nic.probe(), -110);
  EXPECT_LE(kunit_now_ns() - before, kPatience);
  nic.device().fault("clear");
  EXPECT_EQ(kunit_function_resets(nic.function().get()), 1u);
  EXPECT_EQ(nic.probe(), 0);
}

CASE(D2_a_device_that_is_gone) {
  Nic nic;
  ASSERT(nic);
  nic.device().fault("registers x1");
  EXPECT_EQ(nic.probe(), -19);
  nic.device().fault("removed");
  EXPECT_EQ(nic.probe(), -19);
  nic.device().fault("clear");
}

// --- open ---

CASE(every_allocation_of_open) {
  SmallNic nic;
  ASSERT(nic.probe_small());
  net_device* netdev = nic.netdev(0);
  const u32 coherent = kunit_dma_coherent(nic.function().get());
  u32 refused = 0;
  const u32 failures = each_allocation(4000, [&](u32 n) {
    const int error = kunit_netdev_open(netdev);
    const u32 left = kunit_fail_allocation_left();
    kunit_fail_allocation(0);
    expect_no_memory(error, n);
    refused += error != 0;
    if (error == 0 && left == 0)
      kunit_netdev_close(netdev);
    if (left == 0) {
      // The EQs that were created already stay.
      const u32 eqs = kunit_dma_coherent(nic.function().get()) - coherent;
      char objects[100];
      shim_format(objects, sizeof(objects),
                  R"({"hwc":1,"regions":%u,"eqs":%u,"cqs":0,"sqs":0,"rqs":0,"registered":1})", eqs,
                  eqs);
      EXPECT_LE(eqs, 2u);
      EXPECT_EQ(kunit_dma_streaming(nic.function().get()), 0u);
      EXPECT_TEXT(nic.device().control("objects"), objects);
    }
    kunit_fail_allocation(left);
  });
  kunit_note("open: %u allocations failed, %u of them failed open", failures, refused);
  EXPECT_GE(refused, 12u);
  EXPECT(kunit_netdev_running(netdev));
}

// The page pool does without a page that cannot be mapped, as long as it gets others.
CASE(every_mapping_of_open) {
  SmallNic nic;
  ASSERT(nic.probe_small());
  net_device* netdev = nic.netdev(0);
  u32 n = 1;
  for (; n < 2000; n++) {
    kunit_dma_fail_nth(nic.function().get(), n);
    const int error = kunit_netdev_open(netdev);
    const u32 left = kunit_dma_fail_nth_left(nic.function().get());
    kunit_dma_fail_nth(nic.function().get(), 0);
    expect_no_memory(error, n);
    if (error == 0)
      kunit_netdev_close(netdev);
    EXPECT_EQ(kunit_dma_streaming(nic.function().get()), 0u);
    if (left != 0 || kunit_failed())
      break;
  }
  EXPECT_GE(n, 64u);
  kunit_dma_fail_nth(nic.function().get(), KUNIT_ALL_MAPPINGS);
  EXPECT_EQ(kunit_netdev_open(netdev), kNoMemory);
  kunit_dma_fail_nth(nic.function().get(), 0);
  EXPECT_EQ(kunit_netdev_open(netdev), 0);
}

void each_command_of_open(const char* how) {
  u32 n = 1;
  for (bool reached = true; reached && n < 60; n++) {
    SmallNic nic;
    ASSERT(nic.probe_small());
    nic.device().fault_nth(n, how);
    const u64 before = kunit_now_ns();
    const int error = nic.open(0);
    reached = !nic.device().fault_nth_left();
    nic.device().fault_nth(0, how);
    EXPECT_LE(kunit_now_ns() - before, kPatience);
    if (!reached)
      EXPECT_EQ(error, 0);
    if (kunit_netdev_running(nic.netdev(0)))
      nic.close(0);
    nic.device().fault("clear");
    if (kunit_failed()) {
      FAIL("with command %u", n);
      return;
    }
  }
  EXPECT_GE(n, 12u);
}

CASE(every_command_of_open_is_refused) { each_command_of_open("status"); }
CASE(every_command_of_open_gets_no_answer) { each_command_of_open("silent"); }
CASE(every_command_of_open_gets_garbage) { each_command_of_open("garbage"); }
CASE(every_command_of_open_gets_a_wrong_id) { each_command_of_open("message-id"); }
CASE(every_command_of_open_is_answered_twice) { each_command_of_open("twice"); }
CASE(every_command_of_open_is_answered_too_late) { each_command_of_open("late 1500"); }

// --- changes of a running port ---

// What a failed change leaves: a port that works, with the old setting.
template <typename Change>
void each_allocation_of_a_change(Nic& nic, u32 least, Change change) {
  u32 refused = 0;
  const u32 failures = each_allocation(4000, [&](u32 n) {
    const int error = change();
    const u32 left = kunit_fail_allocation_left();
    kunit_fail_allocation(0);
    expect_no_memory(error, n);
    refused += error != 0;
    EXPECT(kunit_netdev_carrier(nic.netdev(0)));
    if (n % 64 == 1)
      EXPECT(nic.traffic(1));
    kunit_fail_allocation(left);
  });
  kunit_note("change: %u allocations failed, %u of them failed it", failures, refused);
  EXPECT_GE(refused, least);
  EXPECT(nic.traffic());
}

CASE(every_allocation_of_a_ring_change) {
  SmallNic nic{2};
  ASSERT(nic.open_small());
  u32 rx = 128;
  each_allocation_of_a_change(nic, 8, [&] {
    const u32 wanted = 384 - rx;
    const int error = kunit_netdev_set_rings(nic.netdev(0), wanted, 0);
    rx = error == 0 ? wanted : rx;
    return error;
  });
}

CASE(every_allocation_of_an_mtu_change) {
  SmallNic nic{2};
  ASSERT(nic.open_small());
  u32 mtu = 1500;
  each_allocation_of_a_change(nic, 8, [&] {
    const u32 wanted = mtu == 1500 ? 3000 : 1500;
    const int error = kunit_netdev_set_mtu(nic.netdev(0), wanted);
    mtu = error == 0 ? wanted : mtu;
    EXPECT_EQ(kunit_netdev_mtu(nic.netdev(0)), mtu);
    return error;
  });
}

bool open_both_small(Nic& nic) {
  if (!nic || nic.probe() != 0)
    return false;
  for (u32 port = 0; port < 2; port++)
    if (kunit_netdev_set_rings(nic.netdev(port), 128, 128) != 0 || nic.open(port) != 0)
      return false;
  nic.settle();
  return true;
}

CASE(every_allocation_of_a_channel_change) {
  Nic nic{{.queues = 2, .mtu = 1500, .vectors = 3}};
  ASSERT(open_both_small(nic));
  u32 channels = 2;
  each_allocation_of_a_change(nic, 8, [&] {
    const u32 wanted = 3 - channels;
    const int error = kunit_netdev_set_channels(nic.netdev(0), wanted);
    channels = error == 0 ? wanted : channels;
    EXPECT_EQ(kunit_netdev_queues(nic.netdev(0)), channels);
    return error;
  });
}

CASE(every_command_of_a_channel_change) {
  Nic nic{{.queues = 2, .mtu = 1500, .vectors = 3}};
  ASSERT(open_both_small(nic));
  u32 channels = 2;
  // A queue object that the device keeps is one less for the vPort: not that command.
  auto spare = [&](const ModelDevice::Request& request) {
    if (request.command == wire::Command::kDestroyWqObject)
      nic.device().postpone_fault();
  };
  nic.device().on_request = spare;
  u32 n = 1;
  for (; n < 60; n++) {
    nic.device().fault_nth(n, "status");
    const u32 wanted = 3 - channels;
    const int error = kunit_netdev_set_channels(nic.netdev(0), wanted);
    const bool reached = !nic.device().fault_nth_left();
    nic.device().fault_nth(0, "status");
    nic.device().fault("clear");
    channels = error == 0 ? wanted : channels;
    nic.function().settle(10'000);
    EXPECT_EQ(kunit_netdev_queues(nic.netdev(0)), channels);
    EXPECT(nic.traffic(1));
    if (kunit_failed()) {
      FAIL("with command %u", n);
      break;
    }
    if (!reached)
      break;
  }
  EXPECT_GE(n, 10u);
  nic.device().on_request = nullptr;
}

// --- resume ---

CASE(every_allocation_of_resume) {
  SmallNic nic{2};
  ASSERT(nic.open_small());
  const u32 failures = each_allocation(2000, [&](u32 n) {
    const u32 wanted = kunit_fail_allocation_left();
    kunit_fail_allocation(0);
    kunit_function_lock_driver(nic.function().get());
    mana_adapter_suspend(nic.adapter());
    kunit_fail_allocation(wanted);
    const int error = mana_adapter_resume(nic.adapter());
    const u32 left = kunit_fail_allocation_left();
    kunit_fail_allocation(0);
    if (error != 0) {
      expect_no_memory(error, n);
      EXPECT(!kunit_netdev_carrier(nic.netdev(0)) || !kunit_netdev_carrier(nic.netdev(1)));
      // The next attempt has what it needs.
      EXPECT_EQ(mana_adapter_resume(nic.adapter()), 0);
    }
    kunit_function_unlock_driver(nic.function().get());
    nic.settle();
    kunit_fail_allocation(left);
  });
  kunit_note("resume: %u allocations failed", failures);
  EXPECT_GE(failures, 15u);
  EXPECT(nic.traffic());
}

// --- the way down ---

void each_command_of_remove(const char* how) {
  u32 n = 1;
  for (bool reached = true; reached && n < 60; n++) {
    SmallNic nic;
    ASSERT(nic.open_small());
    nic.device().fault_nth(n, how);
    const u64 before = kunit_now_ns();
    nic.remove();
    reached = !nic.device().fault_nth_left();
    EXPECT_LE(kunit_now_ns() - before, kPatience);
    nic.device().fault_nth(0, how);
    nic.device().fault("clear");
    if (kunit_failed()) {
      FAIL("with command %u", n);
      return;
    }
  }
  EXPECT_GE(n, 6u);
}

CASE(every_command_of_remove_is_refused) { each_command_of_remove("status"); }
CASE(every_command_of_remove_gets_no_answer) { each_command_of_remove("silent"); }
CASE(every_command_of_remove_gets_garbage) { each_command_of_remove("garbage"); }

CASE(D65_a_device_that_died_is_left_quickly) {
  Nic nic;
  ASSERT(nic.up());
  nic.device().fault("removed");
  const u64 before = kunit_now_ns();
  nic.remove();
  EXPECT_LE(kunit_now_ns() - before, 10 * kSecond);
  nic.device().fault("clear");
  nic.expect_objects();  // it was not there to be told
}

CASE(D65_a_device_that_is_stalled_is_reset) {
  Nic nic;
  ASSERT(nic.up());
  nic.device().stalled = true;
  const u64 before = kunit_now_ns();
  nic.remove();
  EXPECT_LE(kunit_now_ns() - before, 2 * kPatience);
  EXPECT_GE(kunit_function_resets(nic.function().get()), 1u);
}

constexpr mana_case kCases[] = {
    LIST(every_allocation_of_probe),
    LIST(every_command_of_probe_is_refused),
    LIST(every_command_of_probe_gets_no_answer),
    LIST(every_command_of_probe_gets_garbage),
    LIST(every_command_of_probe_gets_too_little),
    LIST(vectors_that_are_too_few),
    LIST(D9_a_silent_mailbox),
    LIST(D2_a_device_that_is_gone),
    LIST(every_allocation_of_open),
    LIST(every_mapping_of_open),
    LIST(every_command_of_open_is_refused),
    LIST(every_command_of_open_gets_no_answer),
    LIST(every_command_of_open_gets_garbage),
    LIST(every_command_of_open_gets_a_wrong_id),
    LIST(every_command_of_open_is_answered_twice),
    LIST(every_command_of_open_is_answered_too_late),
    LIST(every_allocation_of_a_ring_change),
    LIST(every_allocation_of_an_mtu_change),
    LIST(every_allocation_of_a_channel_change),
    LIST(every_command_of_a_channel_change),
    LIST(every_allocation_of_resume),
    LIST(every_command_of_remove_is_refused),
    LIST(every_command_of_remove_gets_no_answer),
    LIST(every_command_of_remove_gets_garbage),
    LIST(D65_a_device_that_died_is_left_quickly),
    LIST(D65_a_device_that_is_stalled_is_reset),
};

}  // namespace

MANA_SLOW_SUITE(unwinding, kCases)

}  // namespace mana::kunit
