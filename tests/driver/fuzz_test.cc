// SPDX-License-Identifier: GPL-2.0
// D-68: whatever the device says, the driver stays inside its memory, ends in bounded time and
// leaves nothing. The sanitizers and the fake kernel are the judges.
#include "scripted_device.h"

#include "hwc/channel.h"

namespace mana::test {
namespace {

class Random {
 public:
  explicit Random(u64 seed) : state_{seed * 2654435761 + 12345} {}
  u32 next() {
    state_ = state_ * 6364136223846793005ull + 1442695040888963407ull;
    return static_cast<u32>(state_ >> 33);
  }
  bool one_in(u32 n) { return next() % n == 0; }
  // Values where things break.
  u32 nasty() {
    constexpr u32 kValues[] = {0,      1,       2,        0x7F,       0xFF,       0x100,
                               0xFFFF, 0x10000, 0xFFFFFF, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF};
    return one_in(2) ? next() << 1 ^ next() : kValues[next() % 12];
  }

 private:
  u64 state_;
};

class FuzzTest : public DriverTest {
 protected:
  void SetUp() override {
    config = {.ports = 2, .queues = 2, .mtu = 1500, .options = ""};
    kernel.allow_bad_dma = true;  // a device that lies about queues being gone
  }
  // Probe, open, traffic, changes, close, remove: none of it need succeed.
  void whole_life(Random& random) {
    if (probe() != 0)
      return;
    for (u32 i = 0; i < kernel.netdevs.size(); i++) {
      (void)under_rtnl([&] { return mana_port_set_rings(port(i), 128, 128, nullptr); });
      (void)open(i);
    }
    for (u32 n = 0; n < 40 && !kernel.livelock; n++) {
      const u32 from = random.next() % static_cast<u32>(kernel.netdevs.size());
      sk_buff* skb = skb_of(kernel, {.payload = 30 + random.next() % 1'300}, {20});
      if (!transmit(from, skb, random.next() % std::max(1u, netdev(from)->queues)))
        kernel.free_skb(skb);
      kernel.settle();
      kernel.free_received();
      if (random.one_in(20) && netdev(from)->running)
        (void)under_rtnl(
            [&] { return mana_port_set_channels(port(from), 1 + random.next() % 2, nullptr); });
      if (random.one_in(10))
        device->set_link(from, random.one_in(2));
    }
    kernel.pass(1'000);
    for (net_device* netdev : kernel.netdevs)
      if (netdev->running)
        (void)kernel.stop(netdev);
    remove();
  }
  void check(u64 seed) {
    kernel.free_received();
    kernel.settle();
    EXPECT_EQ(kernel.leftovers(), "") << "seed " << seed;
    EXPECT_FALSE(kernel.livelock) << "seed " << seed;
  }
};

TEST_F(FuzzTest, D68_Registers) {
  start();
  for (u64 seed = 1; seed <= 300; seed++) {
    Random random{seed};
    const u64 before = kernel.now_ms;
    kernel.fake_mmio = [&](Mmio& access) {
      if (access.is_write || access.offset >= 0x28 || !random.one_in(2))
        return false;
      access.value = random.nasty() | static_cast<u64>(random.one_in(2) ? random.nasty() : 0) << 32;
      if (access.size == 4)
        access.value &= 0xFFFFFFFF;
      return true;
    };
    whole_life(random);
    kernel.fake_mmio = nullptr;
    device->reset();
    EXPECT_LE(kernel.now_ms - before, 600'000u) << seed;
    check(seed);
    if (HasFailure())
      return;
  }
}

TEST_F(FuzzTest, D68_Mailbox) {
  start();
  for (u64 seed = 1; seed <= 40; seed++) {
    Random random{seed};
    kernel.fake_mmio = [&](Mmio& access) {
      if (access.is_write || access.offset < 0x28 || access.offset >= 0x48 || !random.one_in(4))
        return false;
      access.value = random.nasty();
      return true;
    };
    kernel.record_mmio = false;
    if (probe() == 0)
      remove();
    kernel.fake_mmio = nullptr;
    device->reset();
    check(seed);
    if (HasFailure())
      return;
  }
}

TEST_F(FuzzTest, D68_Responses) {
  start();
  for (u64 seed = 1; seed <= 250; seed++) {
    Random random{seed};
    const u32 odds = 1 + random.next() % 40;
    device->edit_response = [&](wire::Command, u8* bytes, u32 length) {
      if (!random.one_in(odds))
        return;
      // Mostly behind the header, where the values are.
      const u32 words = length / 4;
      const u32 first = random.one_in(4) || words <= 8 ? 0 : 8;
      const u32 at = first + random.next() % (words - first);
      const u32 value = random.nasty();
      std::memcpy(bytes + 4 * at, &value, sizeof(value));
    };
    kernel.record_mmio = false;
    whole_life(random);
    device->edit_response = nullptr;
    check(seed);
    device->reset();
    device->requests.clear();
    if (HasFailure())
      return;
  }
}

// Events and completions, of the channel too; also owner bits.
TEST_F(FuzzTest, D68_EventsAndCompletions) {
  kernel.storms_allowed = true;  // an entry that looks empty and is announced for ever
  start();
  for (u64 seed = 1; seed <= 150; seed++) {
    Random random{seed};
    const u32 odds = 2 + random.next() % 150;
    device->edit_write = [&](u64, u8* bytes, u32 length) {
      if ((length != 63 && length != 15 && length != 1) || !random.one_in(odds))
        return;
      if (length == 1) {
        bytes[0] = static_cast<u8>(random.next());
        return;
      }
      const u32 value = random.nasty();
      const u32 at = random.next() % (length / 4) * 4;
      std::memcpy(bytes + at, &value, random.one_in(3) ? 1 : sizeof(value));
    };
    kernel.record_mmio = false;
    whole_life(random);
    device->edit_write = nullptr;
    check(seed);
    device->reset();
    device->requests.clear();
    if (HasFailure())
      return;
  }
}

// Rings that are nothing but noise, looked at again and again.
TEST_F(FuzzTest, D68_RingsOfNoise) {
  for (u64 seed = 1; seed <= 60; seed++) {
    Random random{seed};
    start();
    objects.clear();
    ASSERT_EQ(probe(), 0);
    watch();
    ASSERT_EQ(under_rtnl([&] { return mana_port_set_rings(port(0), 128, 128, nullptr); }), 0);
    ASSERT_EQ(open(0), 0);
    const std::vector<Object> opened = objects;
    device->stalled = true;
    (void)transmit(0, skb_of(kernel, {}));
    for (int pass = 0; pass < 30; pass++) {
      for (const Object& object : opened) {
        u8* ring = kernel.coherent(object.cq_address, object.request.cq_bytes);
        if (!ring)
          continue;
        for (u32 i = 0; i < object.request.cq_bytes / 64; i++) {
          wire::Cqe cqe;
          for (u32& word : cqe.data)
            word = random.nasty();
          if (random.one_in(2))
            cqe.data[0] = 0x41 | (object.request.wq_type == wire::WqType::kSq ? 0x60 : 0);
          cqe.trailer = random.one_in(2)
                            ? object.wq_id | (object.request.wq_type == wire::WqType::kSq) << 24
                            : random.nasty();
          cqe.trailer =
              wire::OwnerBits::replace(cqe.trailer, random.one_in(8) ? random.next() : 1 + pass);
          std::memcpy(ring + size_t{64} * i, &cqe, sizeof(cqe));
        }
      }
      for (napi_struct* napi : kernel.napis_)
        shim_napi_schedule(napi);
      kernel.settle();
      kernel.free_received();
    }
    device->stalled = false;
    kernel.pass(1'000);
    (void)kernel.stop(netdev(0));
    remove();
    check(seed);
    kernel.attach(nullptr);
    device.reset();
    if (HasFailure())
      return;
  }
  expect_objects = true;
}

// The channel alone, with a device that says anything at any time.
TEST(FuzzChannelTest, D68_AnyEventAnyCompletion) {
  for (u64 seed = 1; seed <= 400; seed++) {
    Random random{seed};
    FakeKernel kernel;
    ScriptedHwc device{kernel};
    kernel.attach(&device);
    kernel.record_mmio = false;
    kernel.allow_bad_dma = true;  // an answer to buffers that nobody posted
    const auto babble = [&](const Bytes& request) {
      for (u32 n = random.next() % 6; n > 0; n--)
        switch (random.next() % 4) {
          case 0:
            device.push_event(static_cast<wire::EqeType>(random.next()), random.nasty());
            break;
          case 1:
            device.push_cqe(random.one_in(2), random.one_in(2) ? ScriptedHwc::kRq : random.nasty(),
                            random.one_in(2) ? device.next_offset() : random.nasty(),
                            random.nasty());
            break;
          case 2: {
            Bytes message = ScriptedHwc::answer(request, 0, 64);
            for (int i = 0; i < 3; i++)
              message[random.next() % 64] = static_cast<u8>(random.next());
            device.put(message);
            break;
          }
          case 3: device.test_event_and_answer(request); break;
        }
    };
    device.on_request = babble;
    if (random.one_in(3))
      for (auto& event : device.init_events)
        if (random.one_in(10))
          event.second = random.nasty();
    {
      auto function = kern::PciFunction::enable(kernel.pdev());
      auto bar = kern::Bar::map(*function);
      const char* reason = nullptr;
      auto map = gdma::RegisterMap::read(*bar, &reason);
      auto vectors = kern::MsixVectors::allocate(*function, 2, 4);
      hwc::Diagnosis diagnosis;
      hwc::Quarantine quarantine;
      auto channel = hwc::HardwareChannel::create(*function, *bar, *map, diagnosis, quarantine, {});
      if (channel) {
        for (int i = 0; i < 10; i++) {
          wire::HeaderOnlyRequest request{};
          (void)channel.value()->call<wire::ListDevicesResponse>(
              {.command = wire::Command::kListDevices}, request);
        }
        EXPECT_TRUE(channel.value()->stop());
      }
      quarantine.release_all();
    }
    EXPECT_LE(kernel.now_ms, 2'000'000u);
    EXPECT_FALSE(kernel.livelock);
    EXPECT_EQ(kernel.leftovers(), "") << seed;
    if (::testing::Test::HasFailure())
      return;
  }
}

}  // namespace
}  // namespace mana::test
