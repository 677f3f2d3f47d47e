// SPDX-License-Identifier: GPL-2.0
// A port's life: netdev, open and stop, and how channels come and go on the device.
#include "port/port.h"

#include "base/scope_exit.h"
#include "shim/dma.h"
#include "shim/log.h"
#include "shim/trace.h"

namespace mana::port {

namespace {

// Bounds of a close (D-63): what is not sent or fenced by then is given up.
constexpr u32 kDrainMs = 5'000;
constexpr u32 kFenceMs = 1'000;
constexpr u32 kLookMs = 10;  // for a fence whose event was lost
constexpr u32 kUnfencedMs = 100;  // what a fence that failed is replaced by

// A device that breaks its queues again and again is left alone after a few repairs in a row.
constexpr u32 kRecoveryPauseMs = 100;
constexpr u32 kMaxFailedRecoveries = 5;

}  // namespace

Port::Port(const PortContext& context, u32 index) : context_{context}, index_{index} {}

Result<kern::Box<Port>> Port::create(const PortContext& context, u32 index) {
  auto port = TRY(kern::Box<Port>::create(context.function.node(), context, index));
  TRY(port->query());
  TRY(port->init());
  return port;
}

// What the device says about the vPort, and what is sized by it.
Result<void> Port::query() {
  const int node = context_.function.node();
  vport_ = TRY(hwc::query_vport_config(context_.device, index_));
  if (indirection_.size() == vport_.indirection_entries)
    return {};
  indirection_ = TRY(kern::Array<u32>::create(vport_.indirection_entries, node));
  handles_ = TRY(kern::Array<u64>::create(vport_.indirection_entries, node));
  return {};
}

u32 Port::max_mtu() const {
  constexpr u32 kEthernetHeader = 14;
  return context_.config.max_frame - kEthernetHeader;
}

Result<void> Port::init() {
  const int node = context_.function.node();
  const u32 queues = max_channels();
  rx_statistics_ = TRY(kern::Array<RxStatistics>::create(queues, node));
  tx_statistics_ = TRY(kern::Array<TxStatistics>::create(queues, node));
  TRY(recovery_.init(*this));
  TRY(device_counters_work_.init(*this));
  shim_rss_default_key(hash_key_, sizeof(hash_key_));

  constexpr u32 kMinMtu = 68;
  constexpr u32 kUsualMtu = 1500;
  settings_ = {.channels = default_channels(),
               .rx_ring = kDefaultRxRing,
               .tx_ring = kDefaultTxRing,
               .mtu = min(max_mtu(), kUsualMtu),
               .program = nullptr,
               .two_way = false,
               .scatter = false};
  spread_indirection(settings_.channels);

  shim_netdev_config config{.pdev = context_.function.get(),
                            .port = reinterpret_cast<mana_port*>(this),
                            .index = index_,
                            .max_queues = queues,
                            .min_mtu = kMinMtu,
                            .max_mtu = max_mtu(),
                            .mac = {}};
  copy_bytes(config.mac, vport_.mac, sizeof(config.mac));
  netdev_ = shim_netdev_create(&config);
  if (!netdev_)
    return Errno::kNoMemory;
  shim_netdev_set_mtu(netdev_, settings_.mtu);
  shim_netdev_carrier_off(netdev_);
  shim_rtnl_lock();
  const s32 queues_set = shim_netdev_set_queues(netdev_, settings_.channels);
  shim_rtnl_unlock();
  TRY(Result<>::from_errno(queues_set));

  const s32 code = shim_netdev_register(netdev_);
  registered_ = code == 0;
  return Result<>::from_errno(code);
}

Port::~Port() {
  if (registered_)
    shim_netdev_unregister(netdev_);  // stops the port if it is up
  recovery_.cancel();
  device_counters_work_.cancel();
  if (netdev_)
    shim_netdev_destroy(netdev_);
}

u32 Port::max_channels() const {
  const hwc::MaxResources& limits = context_.limits;
  u32 channels = min(vport_.max_sqs, vport_.max_rqs);
  channels = min(channels, min(limits.sqs, limits.rqs));
  channels = min(channels, limits.cqs / 2);
  return min(channels, min(context_.eqs.count(), kMaxChannels));
}

u32 Port::default_channels() const { return min(max_channels(), shim_online_cpus()); }

void Port::log_failure(const char* what, Errno error) const {
  if (!shim_log_allowed())
    return;
  const auto reason = channel().diagnosis().text();
  shim_log_netdev(netdev_, SHIM_LOG_ERROR, "%s failed: %s (error %d)\n", what, reason.bytes,
                  -static_cast<s32>(error));
}

// --- open and stop ----------------------------------------------------------------------------

Result<void> Port::open() {
  if (lost_.load())
    return Errno::kNetworkDown;
  channel().diagnosis().clear();
  settings_.two_way = buffers_go_both_ways(settings_.program);
  auto set = prepare(settings_);
  if (!set) {
    log_failure("preparing queues", set.error());
    return set.error();
  }
  if (auto up = activate(mana::move(*set), settings_); !up) {
    log_failure("open", up.error());
    return up;
  }
  failed_recoveries_ = 0;
  shim_netdev_set_redirect_target(netdev_, true);
  shim_log_netdev(netdev_, SHIM_LOG_DEBUG, "open: %u queues, rings of %u and %u, MTU %u\n",
                  settings_.channels, settings_.rx_ring, settings_.tx_ring, settings_.mtu);
  return {};
}

void Port::stop() {
  shim_netdev_set_redirect_target(netdev_, false);
  deactivate();
  shim_log_netdev(netdev_, SHIM_LOG_DEBUG, "closed\n");
}

// The device forgets this port: for shutdown, and for reset.
void Port::quiesce() {
  lost_.store(true);
  deactivate();
}

void Port::suspend() {
  shim_netdev_detach(netdev_);
  quiesce();
  // A device that starts anew has its links up, and tells if not (data sheet 9.2).
  link_up_.store(true);
}

// D-66: nothing that was true before a reset is taken for granted.
Result<void> Port::resume() {
  TRY(query());
  if (settings_.channels > max_channels() || settings_.mtu > max_mtu()) {
    channel().diagnosis().set("the vPort came back too small for the port's settings, index",
                              index_);
    return Errno::kNoSpace;
  }
  if (!context_.moderation)
    settings_.coalesce = {};
  spread_indirection(settings_.channels);
  shim_netdev_set_limits(netdev_, max_mtu(), vport_.mac);
  lost_.store(false);
  failed_recoveries_ = 0;
  // Attaching lets the stack transmit at once, so there must be something to transmit to.
  if (shim_netdev_running(netdev_))
    TRY(open());
  shim_netdev_attach(netdev_);
  return {};
}

Result<Port::ChannelSet> Port::prepare(const Settings& settings) {
  const Channel::Owner owner{
      .dev = context_.function.device(),
      .node = context_.function.node(),
      .netdev = netdev_,
      .broken = [](void* port) { static_cast<Port*>(port)->request_recovery(); },
      .context = this};
  const ChannelConfig config{.rx_depth = settings.rx_ring,
                             .tx_units = settings.tx_ring,
                             .geometry = settings.geometry(),
                             .two_way = settings.two_way};
  auto set = TRY(ChannelSet::create(settings.channels, kern::kAnyNode));
  for (u32 i = 0; i < set.size(); i++)
    set[i] = TRY(Channel::prepare(owner, i, rx_statistics_[i], tx_statistics_[i], config));
  return set;
}

// Makes a prepared set the running one. On failure there is none.
Result<void> Port::activate(ChannelSet set, const Settings& settings) {
  settings_ = settings;
  for (u32 queue : indirection_)
    if (queue >= settings.channels) {
      spread_indirection(settings.channels);
      break;
    }
  TRY(Result<>::from_errno(shim_netdev_set_queues(netdev_, settings.channels)));
  active_ = mana::move(set);
  auto up = bring_up();
  if (!up) {
    const hwc::Diagnosis cause = channel().diagnosis();
    deactivate();
    channel().diagnosis() = cause;
  }
  return up;
}

void Port::deactivate() {
  if (!running())
    return;
  take_down();
  active_ = {};
}

// Data sheet 10.2.
Result<void> Port::bring_up() {
  vport_offset_ = TRY(hwc::configure_vport_tx(context_.device, vport_.handle));
  const ChannelTarget target{.device = context_.device,
                             .cqs = context_.cqs,
                             .eqs = context_.eqs,
                             .vport = vport_.handle,
                             .vport_offset = vport_offset_,
                             .moderation = context_.moderation ? &settings_.coalesce : nullptr};
  for (auto& channel : active_)
    TRY(channel->attach(target));
  for (auto& channel : active_) {
    channel->rx().set_program(settings_.program);
    channel->rx().accept_coalesced(settings_.rx_coalescing);
    channel->start();
  }
  const u32 window =
      TRY(steer({.rx = wire::TriState::kOn,
                 .rss = active_.size() > 1 ? wire::TriState::kOn : wire::TriState::kOff,
                 .default_rq = active_[0]->rx().handle(),
                 .key = {hash_key_, sizeof(hash_key_)},
                 .table = {handles_.data(), handles_.size()}}));
  if (settings_.rx_coalescing > 0 && window == 0) {  // D-66: it could, before a reset
    settings_.rx_coalescing = 0;
    accept_coalesced(0);
    shim_log_netdev(netdev_, SHIM_LOG_WARNING, "the device does not coalesce packets any more\n");
  }

  for (auto& channel : active_)
    channel->tx().set_open(true);
  live_channels_.store_release(active_.size());
  shim_netdev_tx_start(netdev_);
  update_carrier();
  return {};
}

// Data sheet 10.3 and D-63: every step is taken whatever became of the one before. Channels that
// the device did not let go of end up in the quarantine, and their places in the set are empty.
void Port::take_down() {
  live_channels_.store(0);
  for (auto& channel : active_)
    channel->tx().set_open(false);
  shim_netdev_carrier_off(netdev_);
  shim_netdev_tx_disable(netdev_);
  if (!channel().failed()) {
    drain_tx();
    stop_rx();
  }
  for (auto& channel : active_)
    channel->stop();
  // A completion may have woken a queue just before set_open(false) was seen.
  shim_netdev_tx_disable(netdev_);

  for (auto& channel : active_) {
    if (channel->detach())
      continue;
    channel->unlink();
    context_.quarantine.hold(mana::move(channel));
  }
}

void Port::drain_tx() {
  const u64 deadline = shim_now_ms() + kDrainMs;
  for (auto& channel : active_)
    // A disabled SQ completes nothing any more; waiting for it would only prolong its repair.
    while (!channel->tx().idle() && !channel->tx().broken() && shim_now_ms() < deadline) {
      shim_sleep_ms(1);
      channel->kick();
    }
}

void Port::stop_rx() {
  if (!steer({.rx = wire::TriState::kOff, .key = {}, .table = {}}) || !fence_rx())
    shim_sleep_ms(kUnfencedMs);
}

// Waits until what the device began to receive was polled. False if it does not say so.
bool Port::fence_rx() {
  bool fenced = true;
  // All fences are on their way before the first is waited for.
  for (auto& channel : active_)
    if (fenced && channel->rx().handle() != wire::kInvalidHandle) {
      channel->rx().expect_fence();
      fenced = hwc::fence_rq(context_.device, channel->rx().handle()).ok();
    }
  for (auto& channel : active_)
    if (channel->rx().handle() != wire::kInvalidHandle)
      fenced = fenced && await_fence(*channel);
  return fenced;
}

// Waits until the device has used up what it began to receive into the channel's RQ.
bool Port::await_fence(Channel& channel) {
  RxQueue& rx = channel.rx();
  for (u32 waited = 0; waited < kFenceMs; waited += kLookMs) {
    if (rx.wait_fence(kLookMs))
      return true;
    channel.kick();
  }
  return rx.wait_fence(kLookMs);
}

Result<u32> Port::steer(const hwc::Steering& what) {
  hwc::Steering steering = what;
  steering.coalescing = settings_.rx_coalescing;
  steering.table_entries = handles_.size();
  for (u32 i = 0; i < handles_.size() && !what.table.empty(); i++)
    handles_[i] = active_[indirection_[i]]->rx().handle();
  return hwc::configure_vport_rx(context_.device, vport_.handle, steering);
}

void Port::spread_indirection(u32 channels) {
  for (u32 i = 0; i < indirection_.size(); i++)
    indirection_[i] = i % channels;
}

// --- reconfiguration --------------------------------------------------------------------------

Result<void> Port::refuse(netlink_ext_ack* ack, const char* sentence, Errno error) const {
  shim_refuse(ack, sentence);
  // Some of the kernel's callbacks have no place for a sentence (MTU, channels, RSS).
  if (!ack && shim_log_allowed())
    shim_log_netdev(netdev_, SHIM_LOG_INFO, "refused: %s\n", sentence);
  return error;
}

Result<void> Port::reconfigure(const Settings& next, netlink_ext_ack* ack) {
  if (!running()) {
    if (next.channels != settings_.channels) {
      TRY(Result<>::from_errno(shim_netdev_set_queues(netdev_, next.channels)));
      spread_indirection(next.channels);
    }
    settings_ = next;
    return {};
  }

  channel().diagnosis().clear();
  auto fresh = prepare(next);
  if (!fresh)
    return refuse(ack, "Not enough memory for the new queues; nothing was changed.", fresh.error());

  const Settings before = settings_;
  take_down();
  ChannelSet previous = mana::move(active_);
  if (next.channels != before.channels)
    spread_indirection(next.channels);
  auto up = activate(mana::move(*fresh), next);
  if (up)
    return {};

  log_failure("reconfiguration", up.error());
  bool complete = true;
  for (auto& channel : previous)
    complete = complete && channel;
  if (next.channels != before.channels)
    spread_indirection(before.channels);
  if (complete && activate(mana::move(previous), before))
    return refuse(ack, "The device refused the new queues; the old ones are back.", up.error());
  settings_ = before;
  request_recovery();
  return refuse(ack, "The device refused the new queues and the old ones; the port has no link.",
                up.error());
}

// Where nothing has to be synced, it costs nothing that the device might read a buffer. Where data
// bounces, each buffer that is given back would be copied; then it waits for a program.
bool Port::buffers_go_both_ways(const bpf_prog* program) const {
  return program || !shim_dma_will_sync(context_.function.device());
}

// Whether the program, if there is one, can be given the frames. `sentence`: why not, if they would
// be in a large page.
Result<void> Port::check_program(const Settings& next, netlink_ext_ack* ack,
                                 const char* sentence) const {
  if (!next.program || next.mtu <= RxGeometry::max_xdp_mtu())
    return {};
  if (!next.geometry().scattered())
    return refuse(ack, sentence, Errno::kInvalid);
  if (!shim_bpf_takes_frags(next.program))
    return refuse(ack,
                  "Frames of this MTU are in several buffers; the XDP program must take frags.",
                  Errno::kInvalid);
  return {};
}

Result<void> Port::set_mtu(u32 mtu, netlink_ext_ack* ack) {
  Settings next = settings_;
  next.mtu = mtu;
  TRY(check_program(next, ack, "The MTU is too large for the attached XDP program."));
  next.two_way = buffers_go_both_ways(next.program);
  // The device knows no MTU, only buffers: within their room there is nothing to tell it.
  if (next.geometry() == settings_.geometry())
    settings_.mtu = mtu;
  else
    TRY(reconfigure(next, ack));
  shim_netdev_set_mtu(netdev_, mtu);
  return {};
}

Result<void> Port::set_xdp(bpf_prog* program, netlink_ext_ack* ack) {
  bpf_prog* const old = settings_.program;
  Settings next = settings_;
  next.program = program;
  TRY(check_program(next, ack, "The MTU is too large for XDP; lower it first."));
  next.two_way |= program != nullptr;
  // Buffers that the device may read are good without a program too: a removal changes nothing
  // else, and so cannot fail.
  if (next.two_way == settings_.two_way)
    settings_ = next;
  else
    TRY(reconfigure(next, ack));
  for (auto& channel : active_)
    channel->rx().set_program(program);
  // A poll that loaded the old program finishes with it. Whoever removed it may rely on it being at
  // rest now.
  if (old && running())
    shim_synchronize_net();
  shim_bpf_put(old);
  return {};
}

// --- trouble ----------------------------------------------------------------------------------

void Port::request_recovery() {
  shim_trace_recovery_request(netdev_);
  recovery_wanted_.store(true);
  recovery_.queue();
}

void Port::tx_timeout(u32 queue) {
  tx_timeouts_.increment();
  hung_.store(true);
  if (shim_log_allowed())
    shim_log_netdev(netdev_, SHIM_LOG_WARNING, "transmit queue %u hangs, recreating the queues\n",
                    queue);
  request_recovery();
}

// D-39, D-57: recreates all queues of the port.
void Port::recover() {
  shim_sleep_ms(kRecoveryPauseMs);
  report_trouble();
  Result<void> up;
  {
    shim_rtnl_lock();
    const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
    if (!wants_recovery())
      return;
    up = recreate();
    if (!up) {
      log_failure("recreating the queues", up.error());
      if (++failed_recoveries_ < kMaxFailedRecoveries)
        request_recovery();
      else
        shim_log_netdev(netdev_, SHIM_LOG_ERROR,
                        "giving up; set the port down and up to try again\n");
      return;
    }
  }
  // Without RTNL, which devlink's callbacks take.
  if (mana::exchange(reported_rx_, false))
    shim_devlink_recovered(context_.devlink, SHIM_REPORTER_RX);
  if (mana::exchange(reported_tx_, false))
    shim_devlink_recovered(context_.devlink, SHIM_REPORTER_TX);
}

bool Port::wants_recovery() const {
  return recovery_wanted_.load() && shim_netdev_running(netdev_) && !lost_.load() &&
         !channel().failed() && failed_recoveries_ < kMaxFailedRecoveries;
}

Result<void> Port::recreate() {
  channel().diagnosis().clear();
  take_down();
  recovery_wanted_.store(false);  // whoever asked until now, meant the queues that are gone
  hung_.store(false);
  ChannelSet previous = mana::move(active_);
  auto fresh = prepare(settings_);  // nothing of the broken queues is trusted
  previous = {};
  const Result<void> up =
      fresh ? activate(mana::move(*fresh), settings_) : Result<void>{fresh.error()};
  shim_trace_recovery_done(netdev_, failed_recoveries_ + 1, up.to_errno());
  if (!up)
    return up;
  recoveries_.increment();
  failed_recoveries_ = 0;
  if (shim_log_allowed())
    shim_log_netdev(netdev_, SHIM_LOG_WARNING, "queues recreated\n");
  return {};
}

// Tells devlink while the broken queues are still there to be dumped. Once for each trouble,
// however many attempts it takes.
void Port::report_trouble() {
  bool rx = false;
  bool tx = hung_.load();
  {
    shim_rtnl_lock();
    const ScopeExit unlock{[] { shim_rtnl_unlock(); }};
    if (!wants_recovery())
      return;
    for (auto& channel : active_) {
      rx = rx || (channel && channel->rx().broken());
      tx = tx || (channel && channel->tx().broken());
    }
  }
  if (rx && !mana::exchange(reported_rx_, true))
    shim_devlink_report(context_.devlink, SHIM_REPORTER_RX, "a receive queue is broken");
  if (tx && !mana::exchange(reported_tx_, true))
    shim_devlink_report(context_.devlink, SHIM_REPORTER_TX,
                        hung_.load() ? "a transmit queue hangs" : "a transmit queue is broken");
}

Result<void> Port::repair() {
  if (!shim_netdev_running(netdev_) || lost_.load() || channel().failed())
    return {};
  failed_recoveries_ = 0;
  auto up = recreate();
  if (!up)
    log_failure("recreating the queues", up.error());
  return up;
}

void Port::set_link(bool up) {
  const bool was_up = link_up_.exchange(up);
  update_carrier();
  if (was_up == up || !shim_log_allowed())
    return;
  if (up)
    shim_log_netdev(netdev_, SHIM_LOG_INFO, "link up, %u Mb/s\n", link_speed());
  else
    shim_log_netdev(netdev_, SHIM_LOG_INFO, "link down\n");
}

void Port::device_lost() {
  lost_.store(true);
  update_carrier();
}

void Port::update_carrier() {
  if (live_channels_.load() != 0 && link_up_.load() && !lost_.load())
    shim_netdev_carrier_on(netdev_);
  else
    shim_netdev_carrier_off(netdev_);
}

}  // namespace mana::port
