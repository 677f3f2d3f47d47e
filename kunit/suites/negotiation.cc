// SPDX-License-Identifier: GPL-2.0
// What the driver says about itself while it comes up (src/hwc/commands.cc), as the device hears
// it.
#include "kunit/harness/nic.h"
#include "wire/gdma_commands.h"

namespace mana::kunit {
namespace {

using wire::Command;

CASE(D42_only_capabilities_that_are_implemented) {
  Nic nic;
  ASSERT(nic);
  ASSERT_EQ(nic.probe(), 0);
  const auto* request = nic.device().last_of(Command::kVerifyVfDriverVersion);
  ASSERT(request);
  const auto message = request->as<wire::VerifyVersionRequest>();
  namespace cap = wire::driver_cap;
  EXPECT_EQ(message.driver_caps[0] & ~(cap::kSharedEq | cap::kHwcTimeoutReconfiguration |
                                       cap::kVariableIndirectionTable | cap::kVportLinkState |
                                       cap::kDeviceListHoles | cap::kCqModeration),
            0u);
  for (u32 i = 1; i < 4; i++)
    EXPECT_EQ(message.driver_caps[i], 0u);
  EXPECT_EQ(message.protocol_min, 1u);
  EXPECT_EQ(message.protocol_max, 1u);
  EXPECT_EQ(message.os_type, wire::OsType::kLinux);
}

CASE(D45_device_scoped_commands_carry_the_listed_id) {
  const wire::DeviceId listed{wire::DeviceType::kMana, 1};
  Nic nic;
  ASSERT(nic.up(1));
  nic.close(0);
  u32 scoped = 0;
  for (u32 n = 0; n < nic.device().request_count(); n++) {
    const auto& request = nic.device().request(n);
    const u32 code = static_cast<u32>(request.command);
    if (code < 0x20000 && request.command != Command::kRegisterDevice &&
        request.command != Command::kCreateQueue && request.command != Command::kDisableQueue)
      continue;
    scoped++;
    const auto device = request.as<wire::RequestHeader>().device;
    if (!(device == listed))
      FAIL("command %#x is for another device", code);
  }
  EXPECT_GE(scoped, 10u);
}

constexpr mana_case kCases[] = {
    LIST(D42_only_capabilities_that_are_implemented),
    LIST(D45_device_scoped_commands_carry_the_listed_id),
};

}  // namespace

MANA_SUITE(negotiation, kCases)

}  // namespace mana::kunit
