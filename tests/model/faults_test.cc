// SPDX-License-Identifier: GPL-2.0
#include "scripted_driver.h"

#include "model/faults.h"

namespace mana::test {
namespace {

using wire::Command;

class Faults : public ScriptedDriver {
 protected:
  Response list() { return command(Command::kListDevices); }
  int send() { return send_frame(a, make_packet({})); }
};

TEST_F(Faults, RegistersReadAllOnes) {
  options = "fault=registers";
  start();
  EXPECT_EQ(read32(0), 0xFFFFFFFFu);
  EXPECT_EQ(read(8, 8), ~0ull);
  EXPECT_EQ(control("fault clear"), "ok");
  EXPECT_NE(read32(0), 0xFFFFFFFFu);
  EXPECT_EQ(control("fault registers x2"), "ok");
  EXPECT_EQ(read32(0), 0xFFFFFFFFu);
  EXPECT_EQ(read32(0), 0xFFFFFFFFu);
  EXPECT_NE(read32(0), 0xFFFFFFFFu);
}

TEST_F(Faults, MailboxNeverAnswers) {
  start();
  control("fault mailbox silent x1");
  EXPECT_EQ(mailbox(establish_words(hwc_frames())) >> 31, 1u);
  host.scheduled = true;
  run();
  EXPECT_EQ(mailbox_word(7) >> 31, 1u) << "for good";
  ops_->reset(model_);
  EXPECT_TRUE(establish());
}

TEST_F(Faults, MailboxStatusAndGarbage) {
  start();
  control("fault mailbox status 7 x1");
  EXPECT_EQ(mailbox(establish_words(hwc_frames())), 0x781u);
  EXPECT_NE(control("objects").find("\"hwc\":0"), std::string::npos);
  control("fault mailbox garbage x1");
  const uint32_t answer = mailbox(establish_words(hwc_frames()));
  EXPECT_NE(answer, 0x81u);
  EXPECT_EQ(answer >> 31, 0u);
  destroy();
  EXPECT_TRUE(establish());
}

TEST_F(Faults, HwcCommands) {
  start();
  ASSERT_TRUE(establish());

  control("fault hwc 3 silent x1");
  EXPECT_FALSE(list().arrived);
  EXPECT_TRUE(verify()) << "only that command";

  control("fault hwc 3 status 0xC00000BB x1");
  EXPECT_EQ(list().status, 0xC00000BBu);
  EXPECT_TRUE(list().ok());

  control("fault hwc any status x2");
  EXPECT_EQ(list().status, 1u);
  EXPECT_FALSE(verify());
  EXPECT_TRUE(list().ok());

  control("fault hwc 3 short x1");
  EXPECT_EQ(list().cqe.length, 16u);
  control("fault hwc 3 long 5000 x1");
  Response response = list();
  EXPECT_EQ(response.cqe.length, 5000u);
  EXPECT_EQ(*host.at(response_buffers_.back() + 296), 0xEE) << "only said, not written";

  control("fault hwc 3 message-id 99 x1");
  EXPECT_EQ(list().header.response.message_id, 99);
  control("fault hwc 3 activity-id x1");
  response = list();
  EXPECT_NE(response.header.activity_id, activity_id - 1);

  control("fault hwc 3 garbage x1");
  response = list();
  EXPECT_TRUE(response.arrived);
  EXPECT_NE(response.header.response.message_type, 3u);
  EXPECT_TRUE(list().ok());
  EXPECT_EQ(control("fault list"), "none");
}

TEST_F(Faults, HwcAnswersTwice) {
  start();
  ASSERT_TRUE(establish());
  post_response_buffer();
  control("fault hwc 3 twice x1");
  EXPECT_TRUE(list().ok());
  EXPECT_TRUE(collect().ok()) << "the second, in the other buffer";
  EXPECT_FALSE(collect().arrived);
}

TEST_F(Faults, HwcAnswersLate) {
  start();
  ASSERT_TRUE(establish());
  control("fault hwc 3 late 250 x1");
  const uint16_t late_id = message_id = 5;
  EXPECT_FALSE(list().arrived);
  message_id = 6;
  pass_time(200'000'000);
  EXPECT_FALSE(collect().arrived);
  EXPECT_TRUE(verify()) << "others pass";
  pass_time(60'000'000);
  const Response response = collect();
  EXPECT_TRUE(response.ok());
  EXPECT_EQ(response.header.response.message_id, late_id);
}

TEST_F(Faults, LateAnswersDieWithTheChannel) {
  start();
  ASSERT_TRUE(establish());
  control("fault hwc 3 late 250 x1");
  EXPECT_FALSE(list().arrived);
  EXPECT_EQ(destroy(), 0x82u);
  host.record = true;
  pass_time(1'000'000'000);
  EXPECT_TRUE(host.accesses.empty());
}

TEST_F(Faults, InitEvents) {
  start();
  control("fault init no-done x1");
  ASSERT_TRUE(establish());
  EXPECT_EQ(init_events.size(), 10u);
  destroy();
  for (uint32_t item = 1; item <= 9; item++) {
    control("fault init missing " + std::to_string(item) + " x1");
    ASSERT_TRUE(establish());
    EXPECT_EQ(init_events.size(), 10u);
    for (const auto& eqe : init_events)
      EXPECT_FALSE(static_cast<int>(eqe.type()) == 130 && eqe.data[0] >> 24 == item);
    destroy();
  }
  control("fault init missing 0 x1");
  ASSERT_TRUE(establish());
  EXPECT_EQ(static_cast<int>(init_events[0].type()), 130);
  destroy();
  control("fault init eq-id x1");
  ASSERT_TRUE(establish());
  EXPECT_EQ(init_events[0].data[0] & 0xFFFF, 0xFFFFu);
  destroy();
  control("fault init item 7 3 x1");
  ASSERT_TRUE(establish());
  EXPECT_EQ(init_events[7].data[0], 7u << 24 | 3);
  destroy();
  ASSERT_TRUE(establish());
  EXPECT_EQ(init_events.size(), 11u);
}

TEST_F(Faults, BadCqIdInCreateWqObject) {
  bring_up();
  a = configure_port(0);
  control("fault wq cq-id 0x500 x1");
  EXPECT_EQ(create_queue(wire::WqType::kSq, a)->cq.id, 0x500u);
  EXPECT_NE(create_queue(wire::WqType::kSq, a)->cq.id, 0x500u);
}

TEST_F(Faults, ReceiveCompletions) {
  open_two_ports();
  const auto faulty = [&](const std::string& fault) {
    EXPECT_EQ(control("fault " + fault + " x1"), "ok");
    EXPECT_EQ(send(), 32);
    const auto raw = host.load<wire::RxCqe>(b.rqs[0].cq.slot());
    b.rqs[0].cq.next();
    return raw;
  };
  EXPECT_EQ(faulty("rx length 0").packets[0].length, 0);
  EXPECT_EQ(faulty("rx length 65535").packets[0].length, 65535);
  EXPECT_EQ(static_cast<int>(faulty("rx type 13").type()), 13);
  EXPECT_NE(wire::Cqe::WqId::get(faulty("rx wq").trailer), b.rqs[0].wq.id);
  EXPECT_EQ(wire::OwnerBits::get(faulty("rx owner").trailer), 3u);
}

TEST_F(Faults, TransmitCompletions) {
  open_two_ports();
  control("fault tx type 40 x1");
  EXPECT_EQ(send(), 40);
  control("fault tx extra x1");
  EXPECT_EQ(send(), 32);
  EXPECT_EQ(next_tx_type(a.sqs[0]), 32);
  EXPECT_EQ(next_tx_type(a.sqs[0]), -1);
  control("fault tx disable x1");
  EXPECT_EQ(send(), 42);
  EXPECT_EQ(send(), -1);
}

TEST_F(Faults, EveryNth) {
  open_two_ports();
  control("fault frame drop 3");
  for (int i = 0; i < 9; i++)
    EXPECT_EQ(send(), 32);
  EXPECT_EQ(port_statistic(1, "rx_packets"), 6u);
  EXPECT_EQ(statistic("frames_dropped"), 3u);
  control("fault clear");
  control("fault interrupt drop 2 x1");
  host.interrupts.clear();
  for (int i = 0; i < 4; i++) {
    ring(hwc_page, wire::doorbell::kEq,
         wire::doorbell::event_queue(hwc_eq.id, hwc_eq.index(), true));
    list();
  }
  EXPECT_EQ(statistic("interrupts_lost"), 1u);
}

TEST_F(Faults, SurpriseRemoval) {
  open_two_ports();
  Queue& sq = a.sqs[0];
  sq.wq.post(make_wqe(tx_wqe(a, sq, make_packet({}), {})));
  ring_sq(sq.wq);
  EXPECT_EQ(control("fault removed"), "ok");
  host.record = true;
  run();
  EXPECT_EQ(read32(0), 0xFFFFFFFFu);
  EXPECT_EQ(mailbox_word(7), 0xFFFFFFFFu);
  mailbox_word(7, 2);
  arm(eq);
  EXPECT_FALSE(receive(0, make_packet({})));
  host.scheduled = true;
  run();
  EXPECT_TRUE(host.accesses.empty());
}

TEST_F(Faults, GrammarOfOptions) {
  for (const char* good :
       {"", ";", "fault=registers", "fault=hwc:0x20004:late:5:x2;fault=tx:type:33",
        "fault=hwc any silent,fault=init no-done", "indirection=64", "vport-offset=0"}) {
    options = good;
    start();
    EXPECT_NE(model_, nullptr) << good << ": " << error;
    stop();
  }
  for (const char* bad :
       {"fault", "fault=", "fault=nonsense", "fault=hwc", "fault=hwc:silent", "fault=hwc:3",
        "fault=rx:type", "fault=rx:type:x2", "fault=registers:x0", "fault=registers:3",
        "fault=mailbox:silent:x1:x2", "fault=init:item:300:1", "indirection=96",
        "vport-offset=4090", "what=1"}) {
    options = bad;
    start();
    EXPECT_EQ(model_, nullptr) << bad;
    EXPECT_NE(error, "") << bad;
    if (model_)
      stop();
  }
}

TEST_F(Faults, TooManyAreRefused) {
  start();
  for (u32 i = 0; i < model::Faults::kMaxRules; i++)
    EXPECT_EQ(control("fault hwc 3 status x1"), "ok");
  EXPECT_EQ(control("fault hwc 3 status x1"), "<failed>");
  EXPECT_EQ(control("fault clear"), "ok");
  EXPECT_EQ(control("fault hwc 0x3 status 9 x7"), "ok");
  EXPECT_EQ(control("fault init item 7 300"), "ok");
  EXPECT_EQ(control("fault list"), "hwc 0x3 status 9 x7; init item 7 300");
}

}  // namespace
}  // namespace mana::test
