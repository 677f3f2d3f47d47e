// SPDX-License-Identifier: GPL-2.0
// src/hwc/commands.cc: what each command says, byte by byte as the data sheet has it, and what the
// driver takes for an answer.
#include "hwc/commands.h"

#include <initializer_list>

#include "kunit/harness/scripted_channel.h"

namespace mana::kunit {
namespace {

using wire::Command;

using Request = ScriptedDevice::Request;

constexpr u32 kPdid = 0x51, kMkey = 0x99, kPage = 1;
constexpr wire::DeviceId kMana{wire::DeviceType::kMana, 0xBEEF};  // D-45: any instance
constexpr u64 kVport = 0x7000000070, kObject = 0x6300000063;
constexpr u32 kEqId = ScriptedDevice::kFirstEqId + 1;

// A channel, and a device that was registered on it.
class Desk : NonCopyable {
 public:
  Desk() {
    ASSERT(rig_);
    mana_.channel = &rig_.channel();
    mana_.doorbell = *rig_.map().doorbell_page(kPage);
    first_ = scripted().request_count;
  }

  ScriptedChannel& rig() { return rig_; }
  ScriptedDevice& scripted() const { return rig_.device(); }
  hwc::HardwareChannel& channel() const { return rig_.channel(); }
  const hwc::Device& mana() const { return mana_; }
  const char* why() {
    text_ = rig_.diagnosis().text();
    return text_.bytes;
  }

  // Requests since the last look.
  u32 sent() const { return scripted().request_count - first_; }
  void look_away() { first_ = scripted().request_count; }
  const Request& nth(u32 n) const { return scripted().request(first_ + n); }
  u32 count_of(Command command) const { return scripted().count_of(command, first_); }

  Result<kern::DmaCoherent> ring(u32 bytes = 4096) const {
    return kern::DmaCoherent::allocate(rig_.pci().device(), bytes);
  }

 private:
  ScriptedChannel rig_{{.pace = KUNIT_PACE_AT_ONCE}};
  hwc::Device mana_{.channel = nullptr, .id = kMana, .pdid = kPdid, .mkey = kMkey, .doorbell = {}};
  u32 first_ = 0;
  hwc::Diagnosis::Text text_{};
};

template <typename T>
Errno error_of(const Result<T>& result) {
  return result ? Errno{0} : result.error();
}

// Changes the good answers to a command while it lives.
template <typename Message, typename F>
class Edit : NonCopyable {
 public:
  Edit(Desk& desk, Command command, F change) : desk_{desk}, command_{command}, change_{change} {
    desk.scripted().edit_answer = *this;
  }
  ~Edit() { desk_.scripted().edit_answer = nullptr; }
  void operator()(Command command, u8* message, u32& length) const {
    if (command != command_)
      return;
    if constexpr (std::is_invocable_v<F, Message&, u32&>)
      change_(*reinterpret_cast<Message*>(message), length);
    else
      change_(*reinterpret_cast<Message*>(message));
  }

 private:
  Desk& desk_;
  Command command_;
  F change_;
};
template <typename Message, typename F>
Edit<Message, F> edit(Desk& desk, Command command, F change) {
  return {desk, command, change};
}

// A field of a request.
struct Field {
  u32 offset;
  u32 bytes;
  u64 value;
};

// Command, sizes and device id are these; these fields have these values, and all other bytes of
// the body are zero.
void expect_message(const Request& request, Command command, u32 bytes, u32 response_bytes,
                    bool of_device, std::initializer_list<Field> fields) {
  EXPECT_EQ(request.at<u32>(0), 0u);
  EXPECT_EQ(request.at<u32>(4), static_cast<u32>(command));
  EXPECT_EQ(request.at<u32>(12), bytes);
  EXPECT_EQ(request.bytes, bytes);
  EXPECT_EQ(request.at<u32>(16), 0u);
  EXPECT_EQ(request.at<u32>(20), static_cast<u32>(command));
  EXPECT_EQ(request.at<u32>(28), response_bytes);
  if (of_device)
    EXPECT_EQ(request.at<u32>(32), 0xBEEF0002u);
  else  // C9: none, or the channel's
    EXPECT(request.at<u32>(32) == 0 || request.at<u32>(32) == 1);
  for (const Field& field : fields) {
    u64 value = 0;
    copy_bytes(&value, request.message + field.offset, field.bytes);
    EXPECT_EQ(value, field.value);
  }
  for (u32 at = 40; at < bytes; at++) {
    bool named = false;
    for (const Field& field : fields)
      named |= at >= field.offset && at < field.offset + field.bytes;
    if (!named)
      EXPECT_EQ(request.message[at], 0u);
  }
  if (kunit_failed())
    FAIL("%s", hwc::command_name(command));
}

// --- function ---------------------------------------------------------------------------------

CASE(D41_verify_version) {
  Desk desk;
  const auto edited = edit<wire::VerifyVersionResponse>(
      desk, Command::kVerifyVfDriverVersion, [](auto& answer) { answer.pf_caps[0] = 0x8088; });
  const auto caps = hwc::verify_version(desk.channel());
  ASSERT(caps);
  EXPECT_EQ(caps.value(), 0x8088u);
  const Request& request = desk.nth(0);
  EXPECT_EQ(request.bytes, 640u);
  EXPECT_EQ(request.at<u32>(12), 640u);
  EXPECT_EQ(request.at<u32>(28), 72u);
  EXPECT_EQ(request.at<u64>(40), 1u);
  EXPECT_EQ(request.at<u64>(48), 1u);
  EXPECT_EQ(request.at<u32>(96), 0x10u);
  EXPECT_EQ(request.at<u32>(100), 0u);
  EXPECT_EQ(request.at<u32>(104) << 16 | request.at<u32>(108) << 8 | request.at<u32>(112),
            shim_kernel_version_code());
  EXPECT_EQ(request.at<u64>(120), 0u);
  EXPECT_TEXT(reinterpret_cast<const char*>(request.message + 128), "Linux");
  EXPECT_TEXT(reinterpret_cast<const char*>(request.message + 256), shim_kernel_release());
  for (u32 text = 0; text < 4; text++)
    EXPECT_EQ(request.message[128 * (text + 2) - 1], 0u);
}

CASE(D42_only_capabilities_that_are_implemented) {
  Desk desk;
  ASSERT(hwc::verify_version(desk.channel()));
  // Shared EQs, timeout events, table sizes, link events, holes in the device list, moderation.
  constexpr u64 kImplemented = 1 << 0 | 1 << 3 | 1 << 5 | 1 << 6 | 1 << 11 | 1ull << 28;
  EXPECT_EQ(desk.nth(0).at<u64>(56) & ~kImplemented, 0u);
  for (u32 at = 64; at < 88; at += 8)
    EXPECT_EQ(desk.nth(0).at<u64>(at), 0u);
}

CASE(an_unknown_protocol) {
  Desk desk;
  for (u64 protocol : {0ull, 2ull, 1ull << 32 | 1, ~0ull}) {
    const auto edited = edit<wire::VerifyVersionResponse>(
        desk, Command::kVerifyVfDriverVersion, [=](auto& answer) { answer.protocol = protocol; });
    EXPECT_EQ(error_of(hwc::verify_version(desk.channel())), Errno::kProtocol);
  }
}

CASE(D24_the_timeout_that_the_device_wants) {
  Desk desk;
  struct {
    u32 answer, low, high;
  } const rounds[] = {{3'000, 3'000, 4'000}, {0, 3'000, 4'000}};
  for (const auto& round : rounds) {
    const auto edited = edit<wire::QueryHwcTimeoutResponse>(
        desk, Command::kQueryHwcTimeout, [=](auto& answer) { answer.timeout_ms = round.answer; });
    ASSERT(hwc::query_timeout(desk.channel()));
    EXPECT_EQ(desk.nth(desk.sent() - 1).bytes, 48u);
    EXPECT_EQ(desk.nth(desk.sent() - 1).at<u32>(44), 0u);
  }
  const Stopwatch watch;
  EXPECT_EQ(desk.rig().ask_in_vain(), Errno::kTimedOut);
  EXPECT_GE(watch.ms(), 3'000u);
  EXPECT_LE(watch.ms(), 4'000u);
}

CASE(D44_resource_limits) {
  Desk desk;
  using Limits = wire::QueryMaxResourcesResponse;
  {
    const auto edited = edit<Limits>(desk, Command::kQueryMaxResources, [](Limits& limits) {
      u32* words = &limits.max_sq;
      for (u32 n = 0; n < 9; n++)
        words[n] = 100 + n;
    });
    const auto got = hwc::query_max_resources(desk.channel());
    ASSERT(got);
    EXPECT_EQ(got.value().sqs, 100u);
    EXPECT_EQ(got.value().rqs, 101u);
    EXPECT_EQ(got.value().cqs, 102u);
    EXPECT_EQ(got.value().eqs, 103u);
    EXPECT_EQ(got.value().msix, 108u);
  }
  expect_message(desk.nth(0), Command::kQueryMaxResources, 40, 72, false, {});

  struct {
    u32 Limits::* field;
    u32 least;
  } const needs[] = {{&Limits::max_sq, 1},
                     {&Limits::max_rq, 1},
                     {&Limits::max_cq, 2},
                     {&Limits::max_eq, 1},
                     {&Limits::max_msix, 2}};
  for (const auto& need : needs)
    for (u32 value = 0; value <= need.least; value++) {
      const auto edited = edit<Limits>(desk, Command::kQueryMaxResources,
                                       [=](Limits& limits) { limits.*need.field = value; });
      EXPECT_EQ(error_of(hwc::query_max_resources(desk.channel())),
                value < need.least ? Errno::kNoSpace : Errno{0});
    }
}

using List = wire::ListDevicesResponse;

// The MANA device's instance, or an errno as a negative number.
template <typename F>
s32 listed(Desk& desk, F change) {
  const auto edited = edit<List>(desk, Command::kListDevices, [=](List& list) {
    for (auto& id : list.devices)
      id = {wire::DeviceType::kNone, 0};
    change(list);
  });
  const auto found = hwc::find_mana_device(desk.channel());
  return found ? found.value().instance : -static_cast<s32>(found.error());
}

CASE(D43_the_device_list) {
  Desk desk;
  const auto found = hwc::find_mana_device(desk.channel());
  ASSERT(found);
  EXPECT(found.value() == (wire::DeviceId{wire::DeviceType::kMana, 1}));
  expect_message(desk.nth(0), Command::kListDevices, 40, 296, false, {});

  constexpr wire::DeviceId kFirst{wire::DeviceType::kMana, 7}, kSecond{wire::DeviceType::kMana, 8};
  constexpr wire::DeviceId kRdma{wire::DeviceType::kManaIb, 4};
  // Each slot, empty ones before it, with an honest count and one that promises too much.
  for (u32 slot = 0; slot < 64; slot++)
    for (u32 count : {1u, 65u, 0xFFFFFFFFu})
      EXPECT_EQ(listed(desk,
                       [=](List& list) {
                         list.devices[slot] = kFirst;
                         list.count = count;
                       }),
                7);
  EXPECT_EQ(listed(desk,
                   [=](List& list) {
                     list.devices[3] = kRdma;
                     list.devices[9] = kFirst;
                     list.devices[10] = kSecond;
                     list.count = 3;
                   }),
            7);
}

CASE(D43_no_mana_device) {
  Desk desk;
  constexpr s32 kNoDevice = -static_cast<s32>(Errno::kNoDevice);
  for (u32 count : {0u, 1u, 64u, 0xFFFFFFFFu}) {
    EXPECT_EQ(listed(desk, [=](List& list) { list.count = count; }), kNoDevice);
    EXPECT_EQ(listed(desk,
                     [=](List& list) {
                       for (auto& id : list.devices)
                         id = {wire::DeviceType::kManaIb, 4};
                       list.count = count;
                     }),
              kNoDevice);
  }
  // Behind the end of the list.
  EXPECT_EQ(listed(desk,
                   [=](List& list) {
                     list.devices[0] = {wire::DeviceType::kHwc, 0};
                     list.devices[1] = {wire::DeviceType::kMana, 9};
                     list.count = 1;
                   }),
            kNoDevice);
}

CASE(D45_register_and_deregister) {
  Desk desk;
  const auto device = hwc::register_device(desk.channel(), desk.rig().map(), kMana);
  ASSERT(device);
  EXPECT_EQ(device.value().pdid, kPdid);
  EXPECT_EQ(device.value().mkey, kMkey);
  EXPECT_EQ(device.value().doorbell.id(), kPage);
  EXPECT(device.value().id == kMana);
  EXPECT(hwc::deregister_device(device.value()));
  expect_message(desk.nth(0), Command::kRegisterDevice, 40, 44, true, {});
  expect_message(desk.nth(1), Command::kDeregisterDevice, 40, 32, true, {});
}

CASE(D4_the_doorbell_page_of_the_device) {
  Desk desk;
  for (u32 page : {0u, 2u, 3u, 0xFFFFu, 0x10000u, 0xFFFFFFFFu}) {
    desk.look_away();
    const auto edited = edit<wire::RegisterDeviceResponse>(
        desk, Command::kRegisterDevice, [=](auto& answer) { answer.doorbell_id = page; });
    const bool inside = page < ScriptedDevice::kDoorbellPages;
    EXPECT_EQ(error_of(hwc::register_device(desk.channel(), desk.rig().map(), kMana)),
              inside ? Errno{0} : Errno::kProtocol);
    EXPECT_EQ(desk.count_of(Command::kDeregisterDevice), inside ? 0u : 1u);
  }
}

// --- queues -----------------------------------------------------------------------------------

CASE(D41_create_eq) {
  Desk desk;
  const auto ring = desk.ring(4 * 4096);
  ASSERT(ring);
  const auto id = hwc::create_eq(desk.mana(), ring.value(), 3);
  ASSERT(id);
  EXPECT_EQ(id.value(), kEqId);
  ASSERT_EQ(desk.sent(), 2u);
  const u64 address = ring.value().address();
  expect_message(desk.nth(0), Command::kCreateDmaRegion, 64 + 4 * 8, 40, false,
                 {{40, 8, 4 * 4096},
                  {56, 4, 4},
                  {60, 4, 4},
                  {64, 8, address},
                  {72, 8, address + 4096},
                  {80, 8, address + 2 * 4096},
                  {88, 8, address + 3 * 4096}});
  expect_message(desk.nth(1), Command::kCreateQueue, 96, 36, true,
                 {{40, 4, 4},
                  {48, 4, kPdid},
                  {52, 4, kPage},
                  {56, 8, ScriptedDevice::kFirstRegion},
                  {68, 4, 4 * 4096},
                  {72, 4, desk.nth(1).at<u32>(72)},
                  {76, 4, 3}});
  EXPECT_LE(desk.nth(1).at<u32>(72), 10u);  // log2 of the entries
  desk.look_away();
  EXPECT(hwc::disable_eq(desk.mana(), id.value()));
  expect_message(desk.nth(0), Command::kDisableQueue, 52, 32, true,
                 {{40, 4, 4}, {44, 4, kEqId}, {48, 4, 1}});
  EXPECT_EQ(desk.scripted().live_queues, 0u);
  EXPECT_EQ(desk.scripted().live_regions, 0u);
}

CASE(D46_the_region_of_an_eq) {
  Desk desk;
  const auto ring = desk.ring();
  ASSERT(ring);
  // Consumed.
  ASSERT(hwc::create_eq(desk.mana(), ring.value(), 1));
  EXPECT_EQ(desk.count_of(Command::kDestroyDmaRegion), 0u);
  // Refused, with or without words.
  for (u32 status : {1u, 0xFFFFFFFFu}) {
    desk.look_away();
    const auto refuse = [&](const Request& request) {
      if (request.command == Command::kCreateQueue)
        desk.scripted().respond(desk.scripted().answer(request.header(), status));
      else
        desk.scripted().succeed(request);
    };
    desk.scripted().on_request = refuse;
    EXPECT_EQ(error_of(hwc::create_eq(desk.mana(), ring.value(), 1)),
              status == 1 ? Errno::kIo : Errno::kNotSupported);
    desk.scripted().on_request = nullptr;
    ASSERT_EQ(desk.sent(), 3u);
    expect_message(desk.nth(2), Command::kDestroyDmaRegion, 48, 32, false,
                   {{40, 8, desk.nth(1).at<u64>(56)}});
    EXPECT_EQ(desk.scripted().live_regions, 0u);
    EXPECT(__builtin_strstr(desk.why(), "CREATE_QUEUE") != nullptr);  // not the cleaning up
  }
}

CASE(D47_region_0) {
  Desk desk;
  const auto ring = desk.ring();
  ASSERT(ring);
  const auto edited = edit<wire::CreateDmaRegionResponse>(desk, Command::kCreateDmaRegion,
                                                          [](auto& answer) { answer.region = 0; });
  EXPECT_EQ(error_of(hwc::create_eq(desk.mana(), ring.value(), 1)), Errno::kProtocol);
  EXPECT_EQ(error_of(hwc::create_wq_object(desk.mana(), kVport, wire::WqType::kSq, ring.value(),
                                           ring.value(), 9)),
            Errno::kProtocol);
  EXPECT_EQ(desk.count_of(Command::kCreateDmaRegion), 2u);
  EXPECT_EQ(desk.sent(), 2u);
}

// Its doorbell has 16 bits for it. What was created is destroyed, or else may exist.
CASE(D47_an_eq_id_that_no_doorbell_can_name) {
  Desk desk;
  const auto ring = desk.ring();
  ASSERT(ring);
  for (u32 id : {0x10000u, 0xFFFFFFu, 0xFFFFFFFFu}) {
    for (bool destroyed : {true, false}) {
      desk.look_away();
      const auto answer = [&](const Request& request) {
        auto& message = desk.scripted().answer(request.header(), 0, request.at<u32>(28));
        if (request.command == Command::kCreateDmaRegion)
          message.as<wire::CreateDmaRegionResponse>().region = 5;
        else if (request.command == Command::kCreateQueue)
          message.as<wire::CreateQueueResponse>().queue_id = id;
        else if (request.command == Command::kDisableQueue && !destroyed)
          message.header().status = 1;
        desk.scripted().respond(message);
      };
      desk.scripted().on_request = answer;
      const Errno error = error_of(hwc::create_eq(desk.mana(), ring.value(), 1));
      desk.scripted().on_request = nullptr;
      EXPECT_NE(error, Errno{0});
      EXPECT_EQ(hwc::leaves_doubt(error), !destroyed);
      ASSERT_EQ(desk.count_of(Command::kDisableQueue), 1u);
      EXPECT_EQ(desk.nth(2).at<u32>(44), id);
      EXPECT_EQ(desk.count_of(Command::kDestroyDmaRegion), 0u);
    }
  }
}

CASE(rings_as_long_as_a_message_can_say) {
  Desk desk;
  const auto longest = desk.ring(504 * 4096);
  ASSERT(longest);
  ASSERT(hwc::create_eq(desk.mana(), longest.value(), 1));
  const Request& region = desk.nth(0);
  EXPECT_EQ(region.bytes, 4096u);
  EXPECT_EQ(region.at<u32>(56), 504u);
  EXPECT_EQ(region.at<u32>(60), 504u);
  for (u32 n = 0; n < 504; n++)
    EXPECT_EQ(region.at<u64>(64 + 8 * n), longest.value().address() + n * 4096ull);
  desk.look_away();
  const auto longer = desk.ring(505 * 4096);
  ASSERT(longer);
  EXPECT_EQ(error_of(hwc::create_eq(desk.mana(), longer.value(), 1)), Errno::kRange);
  EXPECT_EQ(desk.sent(), 0u);
}

Result<hwc::WqObject> create_object(Desk& desk, wire::WqType type = wire::WqType::kRq) {
  const auto wq = TRY(desk.ring(2 * 4096));
  const auto cq = TRY(desk.ring(4096));
  return hwc::create_wq_object(desk.mana(), kVport, type, wq, cq, kEqId);
}

CASE(D41_create_and_destroy_wq_objects) {
  Desk desk;
  for (wire::WqType type : {wire::WqType::kSq, wire::WqType::kRq}) {
    desk.look_away();
    const auto object = create_object(desk, type);
    ASSERT(object);
    EXPECT_EQ(object.value().handle, kObject);
    EXPECT_EQ(object.value().wq_id, 0x61u);
    EXPECT_EQ(object.value().cq_id, 0x62u);
    EXPECT(object.value().exists());
    ASSERT_EQ(desk.sent(), 3u);
    EXPECT_EQ(desk.nth(0).at<u64>(40), 2 * 4096u);
    EXPECT_EQ(desk.nth(1).at<u64>(40), 4096u);
    const u64 region = desk.nth(2).at<u64>(56);
    expect_message(desk.nth(2), Command::kCreateWqObject, 88, 48, true,
                   {{40, 8, kVport},
                    {48, 4, static_cast<u32>(type)},
                    {56, 8, region},
                    {64, 8, region + 1},
                    {72, 4, 2 * 4096},
                    {76, 4, 4096},
                    {84, 4, kEqId}});
    EXPECT_EQ(desk.nth(2).at<u16>(8), 1u);  // version 1 has 88 bytes
    desk.look_away();
    EXPECT(hwc::destroy_wq_object(desk.mana(), type, object.value().handle));
    expect_message(desk.nth(0), Command::kDestroyWqObject, 56, 32, true,
                   {{40, 4, static_cast<u32>(type)}, {48, 8, kObject}});
    EXPECT_EQ(desk.sent(), 1u);  // D-46: the regions went with the object
  }
  EXPECT_EQ(desk.scripted().live_regions, 0u);
}

// The n-th command of a creation is refused, for each n.
CASE(D46_the_regions_of_a_wq_object) {
  Desk desk;
  for (u32 refused = 0; refused < 3; refused++) {
    desk.look_away();
    const auto answer = [&](const Request& request) {
      if (desk.sent() == refused + 1)
        desk.scripted().respond(desk.scripted().answer(request.header(), 1));
      else
        desk.scripted().succeed(request);
    };
    desk.scripted().on_request = answer;
    EXPECT_EQ(error_of(create_object(desk)), Errno::kIo);
    desk.scripted().on_request = nullptr;
    EXPECT_EQ(desk.count_of(Command::kDestroyDmaRegion), refused);
    EXPECT_EQ(desk.scripted().live_regions, 0u);
  }
}

CASE(D47_invalid_object_handles) {
  Desk desk;
  const auto edited = edit<wire::CreateWqObjectResponse>(
      desk, Command::kCreateWqObject, [](auto& answer) { answer.object = ~0ull; });
  const auto object = create_object(desk);
  EXPECT_EQ(error_of(object), Errno::kProtocol);
  EXPECT(hwc::leaves_doubt(object.error()));
  EXPECT_EQ(desk.count_of(Command::kDestroyWqObject), 0u);
}

CASE(D47_queue_ids_out_of_range) {
  Desk desk;
  using Created = wire::CreateWqObjectResponse;
  struct {
    u32 wq_id, cq_id;
    bool good;
  } const rounds[] = {
      {0x61, 127, true},         {0, 0, true},
      {0xFFFFFF, 5, true},       {0x1000000, 5, false},
      {0xFFFFFFFF, 5, false},    {0x61, 128, false},
      {0x61, 0xFFFFFF, false},   {0x61, 0x1000005, false},
      {0x61, 0xFFFFFFFF, false}, {0x61, ScriptedDevice::kCq, false},  // the channel's own
  };
  for (const auto& round : rounds) {
    desk.look_away();
    const auto edited = edit<Created>(desk, Command::kCreateWqObject, [=](Created& answer) {
      answer.wq_id = round.wq_id;
      answer.cq_id = round.cq_id;
    });
    const auto object = create_object(desk);
    EXPECT_EQ(error_of(object), round.good ? Errno{0} : Errno::kRange);
    EXPECT_EQ(desk.count_of(Command::kDestroyWqObject), round.good ? 0u : 1u);
    if (!round.good)
      EXPECT(!hwc::leaves_doubt(object.error()));
    else
      EXPECT(hwc::destroy_wq_object(desk.mana(), wire::WqType::kRq, object.value().handle));
  }
  EXPECT_EQ(desk.scripted().live_queues, 0u);
}

CASE(D47_an_object_that_cannot_be_destroyed_again) {
  Desk desk;
  const auto answer = [&](const Request& request) {
    if (request.command == Command::kDestroyWqObject)
      desk.scripted().respond(desk.scripted().answer(request.header(), 1));
    else
      desk.scripted().succeed(request);
  };
  desk.scripted().on_request = answer;
  const auto edited = edit<wire::CreateWqObjectResponse>(
      desk, Command::kCreateWqObject, [](auto& created) { created.cq_id = 128; });
  const auto object = create_object(desk);
  EXPECT_EQ(error_of(object), Errno::kProtocol);
  EXPECT(hwc::leaves_doubt(object.error()));
  desk.scripted().on_request = nullptr;
}

// Only what the device said no to, or took back, is certainly not there.
CASE(D11_which_errors_leave_a_doubt) {
  using hwc::leaves_doubt;
  for (Errno certain : {Errno::kIo, Errno::kNotSupported, Errno::kRange})
    EXPECT(!leaves_doubt(certain));
  for (Errno doubtful : {Errno::kTimedOut, Errno::kNoDevice, Errno::kProtocol})
    EXPECT(leaves_doubt(doubtful));
}

// --- vPorts -----------------------------------------------------------------------------------

using Configuration = wire::QueryDevConfigResponse;

template <typename F>
Result<hwc::DeviceConfig> configuration(Desk& desk, F change) {
  const auto edited = edit<Configuration>(desk, Command::kQueryDevConfig, change);
  return hwc::query_device_config(desk.mana());
}

CASE(D41_query_device_config) {
  Desk desk;
  const auto config = hwc::query_device_config(desk.mana());
  ASSERT(config);
  EXPECT_EQ(config.value().vports, 2u);
  EXPECT_EQ(config.value().max_frame, 9014u);
  EXPECT_EQ(config.value().link_speed, 100'000u);
  expect_message(desk.nth(0), Command::kQueryDevConfig, 88, 80, true, {{76, 4, 1}, {80, 4, 1}});
  EXPECT_GE(desk.nth(0).at<u16>(24), 2u);
}

CASE(D48_adapter_mtu) {
  Desk desk;
  for (u32 version = 1; version <= 4; version++)
    for (u32 mtu : {0u, 14u, 81u, 82u, 1514u, 0xFFFFu}) {
      const auto config = configuration(desk, [=](Configuration& answer) {
        answer.header.response.version = static_cast<u16>(version);
        answer.adapter_mtu = static_cast<u16>(mtu);
      });
      const bool good = version == 1 || mtu >= 82;
      EXPECT_EQ(error_of(config), good ? Errno{0} : Errno::kProtocol);
      if (config) {
        EXPECT_EQ(config.value().max_frame, version == 1 ? 1514 : mtu);
        EXPECT_EQ(config.value().link_speed, version == 4 ? 100'000u : 0);
      }
    }
}

// Version 1 answers end before the MTU; what a later one leaves out is zero, and zero is refused.
CASE(D48_short_device_configurations) {
  Desk desk;
  for (u32 bytes = 64; bytes <= 80; bytes++)
    for (u16 version : {1, 2, 4}) {
      const auto edited = edit<Configuration>(desk, Command::kQueryDevConfig,
                                              [=](Configuration& answer, u32& length) {
                                                answer.header.response.version = version;
                                                answer.header.response.size = length = bytes;
                                              });
      const auto config = hwc::query_device_config(desk.mana());
      const bool enough = bytes >= 72 && (version == 1 || bytes >= 74);
      EXPECT_EQ(error_of(config), enough ? Errno{0} : Errno::kProtocol);
    }
}

CASE(D49_the_number_of_vports) {
  Desk desk;
  for (u32 count : {0u, 1u, 256u, 257u, 0xFFFFu}) {
    const auto config = configuration(
        desk, [=](Configuration& answer) { answer.vport_count = static_cast<u16>(count); });
    EXPECT_EQ(error_of(config), count ? Errno{0} : Errno::kProtocol);
    if (config)
      EXPECT_EQ(config.value().vports, min(count, 256u));
  }
}

using Vport = wire::QueryVportConfigResponse;

template <typename F>
Result<hwc::VportConfig> vport(Desk& desk, F change) {
  const auto edited = edit<Vport>(desk, Command::kQueryVportConfig, change);
  return hwc::query_vport_config(desk.mana(), 1);
}

CASE(D49_vport_configurations) {
  Desk desk;
  const auto config = hwc::query_vport_config(desk.mana(), 1);
  ASSERT(config);
  EXPECT_EQ(config.value().handle, kVport + 1);
  EXPECT_EQ(config.value().max_sqs, 8u);
  EXPECT_EQ(config.value().indirection_entries, 128u);
  EXPECT_EQ(config.value().mac[5], 2u);
  expect_message(desk.nth(0), Command::kQueryVportConfig, 44, 64, true, {{40, 4, 1}});

  EXPECT_EQ(error_of(vport(desk, [](Vport& answer) { answer.max_sq = 0; })), Errno::kProtocol);
  EXPECT_EQ(error_of(vport(desk, [](Vport& answer) { answer.max_rq = 0; })), Errno::kProtocol);
  EXPECT_EQ(error_of(vport(desk, [](Vport& answer) { answer.vport = ~0ull; })), Errno::kProtocol);
  // Power of two up to 512, else 64.
  for (u32 n = 0; n <= 1025; n++) {
    const auto sized = vport(desk, [=](Vport& answer) { answer.indirection_entries = n; });
    ASSERT(sized);
    ASSERT_EQ(sized.value().indirection_entries, n != 0 && (n & (n - 1)) == 0 && n <= 512 ? n : 64);
  }
  for (u32 n : {0x80000000u, 0xFFFFFFFFu})
    EXPECT_EQ(vport(desk, [=](Vport& answer) { answer.indirection_entries = n; })
                  .value()
                  .indirection_entries,
              64u);
}

CASE(D49_mac_addresses) {
  Desk desk;
  struct {
    u8 mac[6];
    bool good;
  } const rounds[] = {
      {{0, 0, 0, 0, 0, 0}, false},       {{0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF}, false},
      {{0x01, 0, 0x5E, 0, 0, 1}, false}, {{0x33, 0x33, 0, 0, 0, 1}, false},
      {{0, 0, 0, 0, 0, 1}, true},        {{0xFE, 0, 0, 0, 0, 0}, true},
  };
  for (const auto& round : rounds) {
    const auto config = vport(desk, [&](Vport& answer) { copy_bytes(answer.mac, round.mac, 6); });
    EXPECT_EQ(error_of(config), round.good ? Errno{0} : Errno::kProtocol);
    if (config)
      EXPECT(__builtin_memcmp(config.value().mac, round.mac, 6) == 0);
  }
}

CASE(D50_vport_offsets) {
  Desk desk;
  for (u32 offset : {0u, 255u, 4095u, 4096u, 0xFFFFu}) {
    desk.look_away();
    const auto edited = edit<wire::ConfigVportTxResponse>(
        desk, Command::kConfigVportTx,
        [=](auto& answer) { answer.vport_offset = static_cast<u16>(offset); });
    const auto got = hwc::configure_vport_tx(desk.mana(), kVport);
    EXPECT_EQ(error_of(got), offset <= 4095 ? Errno{0} : Errno::kProtocol);
    if (got)
      EXPECT_EQ(got.value(), offset);
    expect_message(desk.nth(0), Command::kConfigVportTx, 56, 36, true,
                   {{40, 8, kVport}, {48, 4, kPdid}, {52, 4, kPage}});
  }
}

CASE(D41_steering_that_changes_nothing) {
  Desk desk;
  EXPECT(hwc::configure_vport_rx(desk.mana(), kVport,
                                 {.rx = wire::TriState::kOff, .table_entries = 64}));
  const u64 offset = desk.nth(0).at<u16>(50);
  expect_message(desk.nth(0), Command::kConfigVportRx, 120 + 64 * 8, 32, true,
                 {{40, 8, kVport},
                  {48, 2, 64},
                  {50, 2, offset},
                  {52, 4, 0},
                  {56, 4, 0xFFFFFFFF},
                  {64, 8, desk.nth(0).at<u64>(64)}});  // ignored
  EXPECT_EQ(offset, 120u);
  EXPECT_EQ(desk.nth(0).at<u16>(8), 2u);
}

CASE(D41_steering_that_changes_everything) {
  Desk desk;
  u8 key[40];
  u64 table[128];
  for (u32 n = 0; n < 40; n++)
    key[n] = static_cast<u8>(0x40 + n);
  for (u32 n = 0; n < 128; n++)
    table[n] = 0x8100000000 + n;
  EXPECT(hwc::configure_vport_rx(desk.mana(), kVport,
                                 {.rx = wire::TriState::kOn,
                                  .rss = wire::TriState::kOn,
                                  .default_rq = kObject,
                                  .key = key,
                                  .table = table,
                                  .table_entries = 128}));
  const Request& request = desk.nth(0);
  EXPECT_EQ(request.bytes, 120u + 128 * 8);
  EXPECT_EQ(request.at<u16>(48), 128u);
  EXPECT_EQ(request.at<u16>(50), 120u);
  EXPECT_EQ(request.at<u32>(52), 1u);
  EXPECT_EQ(request.at<u32>(56), 1u);
  EXPECT_EQ(request.at<u32>(60), 0x00010101u);
  EXPECT_EQ(request.at<u64>(64), kObject);
  EXPECT(__builtin_memcmp(request.message + 72, key, 40) == 0);
  EXPECT_EQ(request.at<u64>(112), 0u);  // no coalescing, no hash types
  for (u32 n = 0; n < 128; n++)
    EXPECT_EQ(request.at<u64>(120 + 8 * n), table[n]);
}

// Each update flag with its field only.
CASE(D41_steering_bit_by_bit) {
  Desk desk;
  u8 key[40] = {1};
  u64 table[1] = {kObject};
  for (u32 which = 0; which < 8; which++) {
    desk.look_away();
    hwc::Steering steering{.table_entries = 1};
    if (which & 1)
      steering.default_rq = kObject;
    if (which & 2)
      steering.key = key;
    if (which & 4)
      steering.table = table;
    EXPECT(hwc::configure_vport_rx(desk.mana(), kVport, steering));
    EXPECT_EQ(desk.nth(0).message[60], which & 1);
    EXPECT_EQ(desk.nth(0).message[61], which >> 1 & 1);
    EXPECT_EQ(desk.nth(0).message[62], which >> 2);
    EXPECT_EQ(desk.nth(0).at<u64>(120), which & 4 ? kObject : 0);
  }
}

// 512 entries are allowed, and do not fit a message of 4096 bytes.
CASE(D18_a_table_that_fits_no_message) {
  Desk desk;
  EXPECT_EQ(error_of(hwc::configure_vport_rx(desk.mana(), kVport, {.table_entries = 512})),
            Errno::kMessageSize);
  EXPECT_EQ(desk.sent(), 0u);
  EXPECT(hwc::configure_vport_rx(desk.mana(), kVport, {.table_entries = 256}));
  EXPECT(!desk.channel().failed());
}

CASE(D41_fence) {
  Desk desk;
  EXPECT(hwc::fence_rq(desk.mana(), kObject));
  expect_message(desk.nth(0), Command::kFenceRq, 48, 32, true, {{40, 8, kObject}});
}

CASE(D41_counters) {
  Desk desk;
  using Counters = wire::QueryGfStatResponse;
  {
    const auto edited = edit<Counters>(desk, Command::kQueryGfStat, [](Counters& answer) {
      answer.header.response.version = 2;
      for (u32 n = 0; n < 27; n++)
        reinterpret_cast<u64*>(&answer)[5 + n] = 1000 + n;
    });
    const auto counters = hwc::query_gf_counters(desk.mana());
    ASSERT(counters);
    EXPECT_EQ(counters.value().rx_discards_no_wqe, 1000u);
    EXPECT_EQ(counters.value().rx_broadcast_packets, 1005u);  // at 80
    EXPECT_EQ(counters.value().rx_multicast_packets, 1007u);  // at 96
    EXPECT_EQ(counters.value().tx_bytes, 1019u);              // at 192
    EXPECT_EQ(counters.value().tx_errors_gdma, 1026u);        // at 248
  }
  expect_message(desk.nth(0), Command::kQueryGfStat, 48, 256, true, {{40, 8, (1 << 27) - 1}});
  // Version 1 lacks the last.
  for (u32 bytes : {240u, 247u, 248u, 255u}) {
    const auto edited =
        edit<Counters>(desk, Command::kQueryGfStat, [=](Counters& answer, u32& length) {
          answer.counters.tx_errors_gdma = ~0ull;
          answer.header.response.size = length = bytes;
        });
    const auto counters = hwc::query_gf_counters(desk.mana());
    EXPECT_EQ(error_of(counters), bytes >= 248 ? Errno{0} : Errno::kProtocol);
    if (counters && bytes == 248)
      EXPECT_EQ(counters.value().tx_errors_gdma, 0u);
  }
}

// --- all of them ------------------------------------------------------------------------------

struct Ordered {
  Command command;
  u32 response_bytes;
  Errno (*order)(Desk&);
};

constexpr Ordered kAll[] = {
    {Command::kVerifyVfDriverVersion, 72,
     [](Desk& desk) { return error_of(hwc::verify_version(desk.channel())); }},
    {Command::kQueryHwcTimeout, 40,
     [](Desk& desk) { return hwc::query_timeout(desk.channel()).error(); }},
    {Command::kQueryMaxResources, 72,
     [](Desk& desk) { return error_of(hwc::query_max_resources(desk.channel())); }},
    {Command::kListDevices, 296,
     [](Desk& desk) { return error_of(hwc::find_mana_device(desk.channel())); }},
    {Command::kRegisterDevice, 44,
     [](Desk& desk) {
       return error_of(hwc::register_device(desk.channel(), desk.rig().map(), kMana));
     }},
    {Command::kDeregisterDevice, 32,
     [](Desk& desk) { return hwc::deregister_device(desk.mana()).error(); }},
    {Command::kCreateDmaRegion, 40,
     [](Desk& desk) {
       const auto ring = desk.ring();
       return ring ? error_of(hwc::create_eq(desk.mana(), ring.value(), 1)) : ring.error();
     }},
    {Command::kCreateQueue, 36,
     [](Desk& desk) {
       const auto ring = desk.ring();
       return ring ? error_of(hwc::create_eq(desk.mana(), ring.value(), 1)) : ring.error();
     }},
    {Command::kDisableQueue, 32,
     [](Desk& desk) { return hwc::disable_eq(desk.mana(), kEqId).error(); }},
    {Command::kCreateWqObject, 48, [](Desk& desk) { return error_of(create_object(desk)); }},
    {Command::kDestroyWqObject, 32,
     [](Desk& desk) {
       return hwc::destroy_wq_object(desk.mana(), wire::WqType::kSq, kObject).error();
     }},
    {Command::kQueryDevConfig, 80,
     [](Desk& desk) { return error_of(hwc::query_device_config(desk.mana())); }},
    {Command::kQueryVportConfig, 64,
     [](Desk& desk) { return error_of(hwc::query_vport_config(desk.mana(), 0)); }},
    {Command::kConfigVportTx, 36,
     [](Desk& desk) { return error_of(hwc::configure_vport_tx(desk.mana(), kVport)); }},
    {Command::kConfigVportRx, 32,
     [](Desk& desk) {
       return hwc::configure_vport_rx(desk.mana(), kVport, {.table_entries = 4}).error();
     }},
    {Command::kFenceRq, 32, [](Desk& desk) { return hwc::fence_rq(desk.mana(), kObject).error(); }},
    {Command::kQueryGfStat, 256,
     [](Desk& desk) { return error_of(hwc::query_gf_counters(desk.mana())); }},
};

// Orders each command, its answer changed, and nothing else changed.
template <typename F>
void each_command(Desk& desk, Errno expected, F change) {
  for (const Ordered& one : kAll) {
    const auto edited = edit<wire::ResponseHeader>(
        desk, one.command, [&](wire::ResponseHeader& header, u32& length) {
          header.status = 0;  // also of what does not exist
          change(header, length);
        });
    const Errno error = one.order(desk);
    if (error != expected)
      FAIL("%s: %d, not %d", hwc::command_name(one.command), static_cast<s32>(error),
           static_cast<s32>(expected));
    EXPECT(!desk.channel().failed());
  }
}

CASE(D22_each_command_refused) {
  Desk desk;
  each_command(desk, Errno::kIo, [](auto& header, u32&) { header.status = 1; });
  each_command(desk, Errno::kNotSupported, [](auto& header, u32&) { header.status = 0xFFFFFFFF; });
}

// No command here leaves pages of a region to a later one: "more entries" is never a success.
CASE(D22_more_entries) {
  Desk desk;
  each_command(desk, Errno::kIo, [](auto& header, u32&) { header.status = 0x105; });
}

CASE(D21_each_commands_header) {
  Desk desk;
  each_command(desk, Errno::kProtocol,
               [](auto& header, u32&) { header.response.message_type ^= 8; });
  each_command(desk, Errno::kProtocol, [](auto& header, u32&) { header.response.version = 0; });
  each_command(desk, Errno::kProtocol, [](auto& header, u32&) { header.response.version = 5; });
  each_command(desk, Errno::kProtocol, [](auto& header, u32&) { header.device.instance ^= 1; });
  each_command(desk, Errno::kProtocol,
               [](auto& header, u32& length) { header.response.size = length + 1; });
}

CASE(D20_each_command_with_a_short_answer) {
  Desk desk;
  for (const Ordered& one : kAll) {
    u32 asked = 0;
    for (u32 bytes = 32; bytes <= one.response_bytes; bytes += bytes < 40 ? 1 : 4) {
      desk.look_away();
      const auto edited = edit<wire::ResponseHeader>(
          desk, one.command, [=](wire::ResponseHeader& header, u32& length) {
            header.status = 0;
            header.response.size = length = bytes;
          });
      const Errno error = one.order(desk);
      const bool optional = (one.command == Command::kQueryGfStat && bytes >= 248) ||
                            (one.command == Command::kQueryDevConfig && bytes >= 74);
      if (bytes < one.response_bytes && !optional && error != Errno::kProtocol)
        FAIL("%s: %u bytes give %d", hwc::command_name(one.command), bytes,
             static_cast<s32>(error));
      for (u32 n = 0; n < desk.sent(); n++)
        if (desk.nth(n).command == one.command)
          asked = desk.nth(n).at<u32>(28);
      EXPECT(!desk.channel().failed());
    }
    EXPECT_EQ(asked, one.response_bytes);
  }
}

// After the first one that was never answered, no other is sent.
CASE(D65_no_command_after_a_failure) {
  Desk desk;
  EXPECT_EQ(desk.rig().ask_in_vain(), Errno::kTimedOut);
  desk.look_away();
  const Stopwatch watch;
  for (const Ordered& one : kAll)
    EXPECT_EQ(one.order(desk), Errno::kNoDevice);
  EXPECT_EQ(desk.sent(), 0u);
  EXPECT_LE(watch.ms(), 50u);
}

// Each in turn is never answered: one timeout, however many commands would have cleaned up.
CASE(D23_each_command_without_an_answer) {
  for (const Ordered& one : kAll) {
    Desk desk;
    desk.channel().set_timeout(2'000);
    const auto silence = [&](const Request& request) {
      if (request.command != one.command)
        desk.scripted().succeed(request);
    };
    desk.scripted().on_request = silence;
    const Stopwatch watch;
    EXPECT_EQ(one.order(desk), Errno::kTimedOut);
    EXPECT_LE(watch.ms(), 3'000u);
    EXPECT_EQ(desk.nth(desk.sent() - 1).command, one.command);
    EXPECT(hwc::leaves_doubt(Errno::kTimedOut));
  }
}

constexpr mana_case kCases[] = {
    LIST(D41_verify_version),
    LIST(D42_only_capabilities_that_are_implemented),
    LIST(an_unknown_protocol),
    LIST(D24_the_timeout_that_the_device_wants),
    LIST(D44_resource_limits),
    LIST(D43_the_device_list),
    LIST(D43_no_mana_device),
    LIST(D45_register_and_deregister),
    LIST(D4_the_doorbell_page_of_the_device),
    LIST(D41_create_eq),
    LIST(D46_the_region_of_an_eq),
    LIST(D47_region_0),
    LIST(D47_an_eq_id_that_no_doorbell_can_name),
    LIST(rings_as_long_as_a_message_can_say),
    LIST(D41_create_and_destroy_wq_objects),
    LIST(D46_the_regions_of_a_wq_object),
    LIST(D47_invalid_object_handles),
    LIST(D47_queue_ids_out_of_range),
    LIST(D47_an_object_that_cannot_be_destroyed_again),
    LIST(D11_which_errors_leave_a_doubt),
    LIST(D41_query_device_config),
    LIST(D48_adapter_mtu),
    LIST(D48_short_device_configurations),
    LIST(D49_the_number_of_vports),
    LIST(D49_vport_configurations),
    LIST(D49_mac_addresses),
    LIST(D50_vport_offsets),
    LIST(D41_steering_that_changes_nothing),
    LIST(D41_steering_that_changes_everything),
    LIST(D41_steering_bit_by_bit),
    LIST(D18_a_table_that_fits_no_message),
    LIST(D41_fence),
    LIST(D41_counters),
    LIST(D22_each_command_refused),
    LIST(D22_more_entries),
    LIST(D21_each_commands_header),
    LIST(D20_each_command_with_a_short_answer),
    LIST(D65_no_command_after_a_failure),
    LIST(D23_each_command_without_an_answer),
};

}  // namespace

MANA_SUITE(commands, kCases)

}  // namespace mana::kunit
