// SPDX-License-Identifier: GPL-2.0
// The network stack: netdevs, transmit queues, NAPI, page pools, skbs and XDP.
#include <algorithm>
#include <cstdlib>

#include "fake_kernel.h"

namespace mana::test {

int FakeKernel::open(net_device* netdev) {
  shim_rtnl_lock();
  netdev->running = true;
  const int code = mana_port_open(netdev->config.port);
  if (code != 0)
    netdev->running = false;
  shim_rtnl_unlock();
  return code;
}

int FakeKernel::stop(net_device* netdev) {
  shim_rtnl_lock();
  netdev->running = false;
  const int code = mana_port_stop(netdev->config.port);
  shim_rtnl_unlock();
  return code;
}

// --- pages ---

page* FakeKernel::page_at(const void* address) const {
  auto found = pages_.upper_bound(static_cast<const u8*>(address));
  if (found == pages_.begin())
    return nullptr;
  page* pg = std::prev(found)->second;
  return static_cast<const u8*>(address) < pg->memory + pg->bytes ? pg : nullptr;
}

void FakeKernel::hold(page* pg, u32 offset, u32 length) { pg->held.emplace_back(offset, length); }

void FakeKernel::release(page* pg, u32 offset) {
  for (auto held = pg->held.begin(); held != pg->held.end(); ++held)
    if (held->first == offset) {
      pg->held.erase(held);
      return;
    }
}

void FakeKernel::put_page(page* pg) {
  page_pool* pool = pg->pool;
  if (pg->users == 0)
    return error("a page goes back to its pool twice");
  if (--pg->users != 0)
    return;
  if (!pg->held.empty())
    error("a page goes back to its pool, and somebody looks at it");
  std::memset(pg->memory, 0xD5, pg->bytes);
  pool->cache.push_back(pg);
  if (pool->references == 0)
    drop_pool(pool);
}

// Without owners a pool goes when its last page is back.
void FakeKernel::drop_pool(page_pool* pool) {
  if (pool->references != 0)
    return;
  for (page* pg : pool->cache) {
    remove_region(pg->dma, Region::kPage, pg->bytes);
    pages_.erase(pg->memory);
    std::erase(pool->pages, pg);
    std::free(pg->memory);
    delete pg;
    pool->released++;
  }
  pool->cache.clear();
  if (pool->pages.empty()) {
    pools_.erase(pool);
    delete pool;
  }
}

// --- skbs and frames ---

sk_buff* FakeKernel::make_skb() {
  auto* skb = new sk_buff;
  skbs_.insert(skb);
  return skb;
}

void FakeKernel::free_skb(sk_buff* skb) {
  if (skbs_.erase(skb) == 0)
    return error("an skb is freed twice");
  if (skb->pg) {
    release(skb->pg, skb->offset);
    put_page(skb->pg);
  }
  for (auto& [pg, bytes] : skb->pages) {
    release(pg, 0);
    put_page(pg);
  }
  delete skb;
}

void FakeKernel::free_received() {
  while (!received.empty()) {
    free_skb(received.front().skb);
    received.pop_front();
  }
  for (xdp_frame* frame : redirected)
    return_frame(frame);
  redirected.clear();
}

xdp_frame* FakeKernel::make_frame(const std::vector<u8>& bytes) {
  auto* frame = new xdp_frame;
  frame->memory = bytes;
  frame->data = frame->memory.data();
  frame->length = static_cast<u32>(bytes.size());
  frames_.insert(frame);
  return frame;
}

void FakeKernel::return_frame(xdp_frame* frame) {
  if (frames_.erase(frame) == 0)
    return error("an XDP frame is returned twice");
  if (frame->pg) {
    release(frame->pg, frame->offset);
    put_page(frame->pg);
  }
  for (auto& [pg, bytes] : frame->pages) {
    release(pg, 0);
    put_page(pg);
  }
  delete frame;
}

sk_buff* skb_of(FakeKernel& kernel, const PacketSpec& spec, std::vector<u32> pieces) {
  const Bytes bytes = make_packet(spec);
  sk_buff* skb = kernel.make_skb();
  size_t linear = bytes.size();
  for (u32 piece : pieces)
    linear -= piece;
  skb->linear.assign(bytes.begin(), bytes.begin() + static_cast<long>(linear));
  for (u32 piece : pieces) {
    skb->frags.emplace_back(bytes.begin() + static_cast<long>(linear),
                            bytes.begin() + static_cast<long>(linear + piece));
    linear += piece;
  }
  skb->family = spec.family;
  if (spec.seed != Seed::kFinal) {
    skb->checksum = true;
    skb->checksum_start = l4_offset(spec);
    skb->checksum_offset = spec.protocol == 17 ? 6 : 16;
  }
  skb->tcp_headers = header_bytes(spec);
  return skb;
}

}  // namespace mana::test

using mana::test::Failing;
using mana::test::FakeKernel;

namespace {

FakeKernel& kernel() { return FakeKernel::current(); }

void want_rtnl(const char* what) {
  if (!kernel().rtnl_)
    kernel().error(std::string{what} + " needs RTNL");
}

FakeXdp& fake(shim_xdp_buff* xdp) { return *reinterpret_cast<FakeXdp*>(xdp->storage); }

}  // namespace

std::vector<u8> sk_buff::bytes() const {
  if (!pg) {
    std::vector<u8> all = linear;
    for (const auto& frag : frags)
      all.insert(all.end(), frag.begin(), frag.end());
    return all;
  }
  const u8* data = pg->memory + offset + headroom;
  std::vector<u8> all{data, data + length};
  for (const auto& [page, bytes] : pages)
    all.insert(all.end(), page->memory, page->memory + bytes);
  return all;
}

// --- netdev.h ---

net_device* shim_netdev_create(const shim_netdev_config* config) {
  kernel().process_context("shim_netdev_create");
  if (kernel().fails(Failing::kNetdev))
    return nullptr;
  auto* netdev = new net_device;
  netdev->config = *config;
  netdev->name = "eth" + std::to_string(config->index);
  netdev->txqs.resize(config->max_queues);
  for (netdev_queue& txq : netdev->txqs)
    txq.netdev = netdev;
  kernel().netdevs.push_back(netdev);
  return netdev;
}

void shim_netdev_destroy(net_device* netdev) {
  kernel().process_context("shim_netdev_destroy");
  if (netdev->registered)
    kernel().error("a netdev is destroyed while registered");
  for (napi_struct* napi : kernel().napis_)
    if (napi->netdev == netdev)
      kernel().error("a netdev goes before its NAPI");
  for (xdp_rxq_info* rxq : kernel().rxqs_)
    if (rxq->netdev == netdev)
      kernel().error("a netdev goes before its XDP registration");
  for (auto& received : kernel().received)
    if (received.netdev == netdev)
      received.netdev = nullptr;
  std::erase(kernel().netdevs, netdev);
  delete netdev;
}

int shim_netdev_register(net_device* netdev) {
  if (kernel().fails(Failing::kRegister))
    return -17;
  if (kernel().rtnl_)
    kernel().error("registering a netdev under RTNL");
  netdev->registered = true;
  return 0;
}

void shim_netdev_unregister(net_device* netdev) {
  if (!netdev->registered)
    kernel().error("a netdev is unregistered that is not registered");
  if (netdev->running)
    kernel().stop(netdev);
  netdev->registered = false;
}

const char* shim_netdev_name(const net_device* netdev) { return netdev->name.c_str(); }
bool shim_netdev_running(const net_device* netdev) { return netdev->running; }
void shim_netdev_set_mtu(net_device* netdev, u32 mtu) { netdev->mtu = mtu; }

int shim_netdev_set_queues(net_device* netdev, u32 count) {
  want_rtnl("shim_netdev_set_queues");
  if (count == 0 || count > netdev->txqs.size())
    kernel().error("more queues than the netdev was made with");
  if (kernel().fails(Failing::kQueues))
    return -12;
  netdev->queues = count;
  return 0;
}

void shim_netdev_set_redirect_target(net_device* netdev, bool on) { netdev->redirect_target = on; }
void shim_netdev_set_rx_frags(net_device* netdev, bool on) {
  want_rtnl("shim_netdev_set_rx_frags");
  netdev->rx_frags = on;
}
void shim_netdev_detach(net_device* netdev) {
  want_rtnl("shim_netdev_detach");
  netdev->attached = false;
}
void shim_netdev_attach(net_device* netdev) {
  want_rtnl("shim_netdev_attach");
  netdev->attached = true;
}
void shim_netdev_set_limits(net_device* netdev, u32 max_mtu, const u8 mac[6]) {
  want_rtnl("shim_netdev_set_limits");
  netdev->config.max_mtu = max_mtu;
  std::memcpy(netdev->config.mac, mac, 6);
}
void shim_netdev_carrier_on(net_device* netdev) { netdev->carrier = true; }
void shim_netdev_carrier_off(net_device* netdev) { netdev->carrier = false; }

void shim_rtnl_lock(void) {
  kernel().process_context("RTNL");
  if (std::exchange(kernel().rtnl_, true))
    kernel().error("RTNL is locked twice");
}
bool shim_rtnl_lock_killable(void) {
  shim_rtnl_lock();
  return true;
}
void shim_rtnl_unlock(void) {
  if (!std::exchange(kernel().rtnl_, false))
    kernel().error("RTNL is unlocked twice");
}
void shim_synchronize_net(void) { kernel().process_context("synchronize_net"); }

bool shim_netdev_rx_checksum(const net_device* netdev) { return netdev->rx_checksum; }
bool shim_netdev_rx_hash(const net_device* netdev) { return netdev->rx_hash; }

netdev_queue* shim_txq(net_device* netdev, u32 index) {
  if (index >= netdev->txqs.size())
    kernel().error("a transmit queue that there is not");
  return &netdev->txqs.at(index);
}

void shim_netdev_tx_start(net_device* netdev) {
  for (u32 i = 0; i < netdev->queues; i++)
    netdev->txqs[i].stopped = false;
}

void shim_netdev_tx_disable(net_device* netdev) {
  for (u32 i = 0; i < netdev->queues; i++) {
    if (netdev->txqs[i].locked)
      kernel().error("waiting for a transmit lock that this thread holds");
    netdev->txqs[i].stopped = true;
  }
}

bool shim_txq_sent(netdev_queue* txq, u32 bytes, bool more) {
  txq->outstanding += bytes;
  txq->packets++;
  return !more || txq->stopped || txq->outstanding >= kernel().bql_limit;
}

void shim_txq_completed(netdev_queue* txq, u32 packets, u32 bytes) {
  if (bytes > txq->outstanding || packets > txq->packets)
    return kernel().error("byte queue limits: more is completed than was sent");
  txq->outstanding -= bytes;
  txq->packets -= packets;
}

void shim_txq_reset(netdev_queue* txq) {
  txq->outstanding = 0;
  txq->packets = 0;
  txq->resets++;
}

bool shim_xmit_more(void) { return kernel().xmit_more; }
void shim_txq_stop(netdev_queue* txq) { txq->stopped = true; }
void shim_txq_start(netdev_queue* txq) { txq->stopped = false; }
bool shim_txq_wake_if_stopped(netdev_queue* txq) {
  if (!txq->stopped)
    return false;
  txq->stopped = false;
  txq->wakes++;
  return true;
}
bool shim_txq_stopped(const netdev_queue* txq) { return txq->stopped; }

void shim_txq_lock(netdev_queue* txq) {
  if (std::exchange(txq->locked, true))
    kernel().error("a transmit queue is locked twice");
  kernel().txq_locks_++;
}
void shim_txq_unlock(netdev_queue* txq) {
  if (!std::exchange(txq->locked, false))
    kernel().error("a transmit queue is unlocked twice");
  kernel().txq_locks_--;
}
void shim_txq_touch(netdev_queue*) {}
u32 shim_this_cpu(void) { return kernel().cpu; }
void shim_refuse(netlink_ext_ack* ack, const char* sentence) {
  if (ack)
    ack->sentence = sentence;
}

void shim_dim_start(shim_dim* dim, mana_moderator* moderator, bool tx) {
  kernel().process_context("shim_dim_start");
  const auto known = kernel().dims.find(dim);
  if (known != kernel().dims.end() && !known->second.cancelled)
    kernel().error("moderation is started twice");
  kernel().dims[dim] = {.moderator = moderator, .tx = tx};
}
void shim_dim_first(bool tx, shim_wait* wait) { *wait = {.usecs = 1, .frames = tx ? 128u : 256u}; }
void shim_dim_sample(shim_dim* dim, u64 packets, u64 bytes) {
  FakeKernel::Dim& state = kernel().dims.at(dim);
  if (state.cancelled)
    kernel().error("a sample for moderation that was cancelled");
  state.samples++;
  state.packets = packets;
  state.bytes = bytes;
}
void shim_dim_cancel(shim_dim* dim) {
  kernel().process_context("shim_dim_cancel");
  kernel().dims.at(dim).cancelled = true;
}

void shim_rss_default_key(u8* key, u32 bytes) {
  for (u32 i = 0; i < bytes; i++)
    key[i] = static_cast<u8>(0x6D + 7 * i);
}

// --- napi.h ---

napi_struct* shim_napi_create(net_device* netdev, mana_channel* channel) {
  kernel().process_context("shim_napi_create");
  if (kernel().fails(Failing::kNapi))
    return nullptr;
  auto* napi = new napi_struct;
  napi->netdev = netdev;
  napi->channel = channel;
  kernel().napis_.insert(napi);
  return napi;
}

void shim_napi_destroy(napi_struct* napi) {
  kernel().process_context("shim_napi_destroy");
  if (napi->enabled || napi->queue >= 0)
    kernel().error("a NAPI is destroyed that is enabled or linked");
  for (page_pool* pool : kernel().pools_)
    if (pool->config.napi == napi)
      kernel().error("a NAPI goes before its page pool");
  if (kernel().napis_.erase(napi) == 0)
    return kernel().error("a NAPI is destroyed twice");
  delete napi;
}

void shim_napi_link(napi_struct* napi, u32 queue, int) {
  want_rtnl("shim_napi_link");
  napi->queue = static_cast<int>(queue);
}
void shim_napi_unlink(napi_struct* napi, u32) {
  want_rtnl("shim_napi_unlink");
  napi->queue = -1;
}

void shim_napi_enable(napi_struct* napi) {
  if (std::exchange(napi->enabled, true))
    kernel().error("a NAPI is enabled twice");
}
void shim_napi_disable(napi_struct* napi) {
  kernel().process_context("shim_napi_disable");
  if (!std::exchange(napi->enabled, false))
    kernel().error("a NAPI is disabled twice");
  napi->scheduled = false;
}

void shim_napi_schedule_irq(napi_struct* napi) {
  if (!kernel().napis_.contains(napi))
    return kernel().error("a NAPI is scheduled that is gone");
  if (!napi->enabled)
    return;
  if (napi->polling)
    napi->missed = true;
  napi->scheduled = true;
}
void shim_napi_schedule(napi_struct* napi) { shim_napi_schedule_irq(napi); }

bool shim_napi_complete(napi_struct* napi, int) {
  if (!napi->polling || napi->completed)
    kernel().error("a NAPI completes outside its poll, or twice");
  napi->completed = true;
  napi->scheduled = std::exchange(napi->missed, false);
  return !napi->scheduled;
}

void shim_napi_receive(napi_struct* napi, sk_buff* skb) {
  if (!napi->polling)
    kernel().error("a packet comes from outside a poll");
  if (!skb->netdev || skb->rx_queue != static_cast<u32>(napi->queue))
    kernel().error("a packet without its netdev or its queue");
  kernel().received.push_back({napi->netdev, skb});
}

// --- ethtool.h ---

int shim_loopback(net_device* from, net_device* to, u32 milliseconds) {
  kernel().process_context("shim_loopback");
  if (kernel().fails(Failing::kSkb))
    return -12;
  sk_buff* skb = skb_of(kernel(), {.family = 0, .payload = 64});
  std::memcpy(skb->linear.data(), to->config.mac, 6);
  const std::vector<u8> sent = skb->linear;
  shim_txq_lock(&from->txqs[0]);
  const bool taken = mana_port_transmit(from->config.port, skb, 0);
  shim_txq_unlock(&from->txqs[0]);
  if (!taken) {
    kernel().free_skb(skb);
    return -105;
  }
  kernel().pass(milliseconds);
  auto& received = kernel().received;
  for (auto it = received.begin(); it != received.end(); ++it)
    if (it->netdev == to && it->skb->bytes() == sent) {
      kernel().free_skb(it->skb);
      received.erase(it);
      return 0;
    }
  return -110;
}

// --- page_pool.h ---

int shim_page_pool_create(const shim_page_pool_config* config, page_pool** pool) {
  kernel().process_context("shim_page_pool_create");
  if (kernel().fails(Failing::kPool))
    return -12;
  *pool = new page_pool;
  (*pool)->config = *config;
  kernel().pools_.insert(*pool);
  return 0;
}

void shim_page_pool_destroy(page_pool* pool) {
  kernel().process_context("shim_page_pool_destroy");
  if (pool->references == 0)
    return kernel().error("a page pool is destroyed twice");
  pool->config.napi = nullptr;
  if (--pool->references == 0)
    kernel().drop_pool(pool);
}

void shim_page_pool_unlink_napi(page_pool* pool) { pool->config.napi = nullptr; }

namespace {

void want_pool_context(page_pool* pool, const char* what) {
  const napi_struct* napi = pool->config.napi;
  if (napi && !napi->polling && napi->enabled)
    kernel().error(std::string{what} + " outside the pool's NAPI");
}

}  // namespace

page* shim_page_pool_alloc(page_pool* pool) {
  want_pool_context(pool, "shim_page_pool_alloc");
  if (kernel().fails(Failing::kPage))
    return nullptr;
  page* pg = nullptr;
  if (!pool->cache.empty()) {
    pg = pool->cache.front();
    pool->cache.pop_front();
  } else {
    pg = new page;
    pg->pool = pool;
    pg->bytes = 4096u << pool->config.order;
    void* memory = nullptr;
    if (posix_memalign(&memory, 4096, pg->bytes) != 0)
      std::abort();
    pg->memory = static_cast<u8*>(memory);
    std::memset(pg->memory, 0xD5, pg->bytes);
    pg->dma = kernel().add_region({.kind = FakeKernel::Region::kPage,
                                   .memory = pg->memory,
                                   .bytes = pg->bytes,
                                   .bounce = {},
                                   .to_device = pool->config.bidirectional,
                                   .from_device = true,
                                   .pg = pg});
    kernel().pages_[pg->memory] = pg;
    pool->pages.push_back(pg);
    pool->taken++;
  }
  pg->users = 1;
  pool->allocations++;
  return pg;
}

void shim_page_pool_split(page* pg, u32 shares) {
  if (pg->users != 1)
    kernel().error("a page is split that is in use");
  pg->users = shares;
}

void shim_page_pool_put(page_pool* pool, page* pg) {
  if (pg->pool != pool)
    kernel().error("a page goes to another pool than it came from");
  // A frame that was made in it and not sent lives in the page itself, and ends with it.
  for (xdp_frame* frame : std::set<xdp_frame*>{kernel().frames_})
    if (frame->pg == pg && std::find(kernel().redirected.begin(), kernel().redirected.end(),
                                     frame) == kernel().redirected.end()) {
      kernel().release(pg, frame->offset);
      kernel().frames_.erase(frame);
      delete frame;
    }
  kernel().put_page(pg);
}

void shim_page_pool_recycle_direct(page_pool* pool, page* pg) {
  want_pool_context(pool, "shim_page_pool_recycle_direct");
  shim_page_pool_put(pool, pg);
}

void shim_page_pool_return(page* pg, bool direct) {
  if (direct)
    want_pool_context(pg->pool, "shim_page_pool_return");
  kernel().put_page(pg);
}

void* shim_page_address(page* pg) { return pg->memory; }
page* shim_page_of(const void* address) { return kernel().page_at(address); }
u64 shim_page_pool_dma(page* pg) { return pg->dma; }

bool shim_page_pool_counts(void) { return true; }
void shim_page_pool_add_stats(const page_pool* pool, shim_page_pool_stats* stats) {
  kernel().process_context("shim_page_pool_add_stats");
  stats->alloc_fast += pool->allocations;
  stats->alloc_slow += pool->taken;
}
u32 shim_page_pool_taken(const page_pool* pool) { return pool->taken; }
u32 shim_page_pool_released(const page_pool* pool) { return pool->released; }

// --- skb.h ---

u32 shim_skb_headroom(void) { return 64; }
u32 shim_xdp_headroom(void) { return 256; }
u32 shim_skb_space(u32 headroom, u32 bytes) { return (headroom + bytes + 63) / 64 * 64 + 320; }
u32 shim_page_size(void) { return 4096; }

sk_buff* shim_skb_build(void* memory, u32 truesize, u32 headroom, u32 length) {
  if (kernel().fails(Failing::kSkb))
    return nullptr;
  page* pg = kernel().page_at(memory);
  if (!pg || shim_skb_space(headroom, length) > truesize) {
    kernel().error("an skb that does not fit its buffer, or over no buffer");
    return nullptr;
  }
  sk_buff* skb = kernel().make_skb();
  skb->pg = pg;
  skb->offset = static_cast<u32>(static_cast<u8*>(memory) - pg->memory);
  skb->truesize = truesize;
  skb->headroom = headroom;
  skb->length = length;
  kernel().hold(pg, skb->offset, truesize);
  return skb;
}

void shim_skb_add_page(sk_buff* skb, page* pg, u32 length, u32 truesize) {
  if (length == 0 || length > pg->bytes || truesize != pg->bytes)
    kernel().error("a fragment that does not fit its page");
  skb->pages.emplace_back(pg, length);
  skb->truesize += truesize;
  kernel().hold(pg, 0, pg->bytes);
}

void shim_skb_set_metadata(sk_buff* skb, u32 bytes) { skb->metadata = bytes; }
void shim_skb_set_protocol(sk_buff* skb, net_device* netdev) { skb->netdev = netdev; }
void shim_skb_set_checksum_good(sk_buff* skb) { skb->checksum_good = true; }
void shim_skb_set_hash(sk_buff* skb, u32 hash, bool l4) {
  skb->has_hash = true;
  skb->hash = hash;
  skb->hash_l4 = l4;
}
void shim_skb_set_vlan(sk_buff* skb, u16 tci) { skb->rx_tci = tci; }
void shim_skb_set_rx_queue(sk_buff* skb, u32 queue) { skb->rx_queue = queue; }

u32 shim_skb_length(const sk_buff* skb) {
  size_t length = skb->linear.size();
  for (const auto& frag : skb->frags)
    length += frag.size();
  return static_cast<u32>(length);
}
bool shim_skb_is_plain(const sk_buff* skb) {
  return skb->frags.empty() && !skb->frag_list && skb->tci < 0 && skb->gso_size == 0;
}
u32 shim_skb_head_length(const sk_buff* skb) { return static_cast<u32>(skb->linear.size()); }
const void* shim_skb_data(const sk_buff* skb) { return skb->linear.data(); }
u32 shim_skb_frags(const sk_buff* skb) { return static_cast<u32>(skb->frags.size()); }
u32 shim_skb_frag_length(const sk_buff* skb, u32 index) {
  return static_cast<u32>(skb->frags.at(index).size());
}
bool shim_skb_has_frag_list(const sk_buff* skb) { return skb->frag_list; }
bool shim_skb_wants_checksum(const sk_buff* skb) { return skb->checksum; }
u32 shim_skb_checksum_start(const sk_buff* skb) { return skb->checksum_start; }
u32 shim_skb_checksum_offset(const sk_buff* skb) { return skb->checksum_offset; }
bool shim_skb_is_ipv6(const sk_buff* skb) { return skb->family == 6; }
bool shim_skb_is_ip(const sk_buff* skb) { return skb->family == 4 || skb->family == 6; }
bool shim_skb_is_gso(const sk_buff* skb) { return skb->gso_size != 0; }
u32 shim_skb_gso_size(const sk_buff* skb) { return skb->gso_size; }
u32 shim_skb_gso_segments(const sk_buff* skb) { return skb->gso_segments; }
u32 shim_skb_tcp_headers(const sk_buff* skb) { return skb->tcp_headers; }
bool shim_skb_has_vlan(const sk_buff* skb) { return skb->tci >= 0; }
u16 shim_skb_vlan_tci(const sk_buff* skb) { return static_cast<u16>(skb->tci); }

int shim_skb_linearize(sk_buff* skb) {
  if (kernel().fails(Failing::kSkbChange))
    return -12;
  skb->linear = skb->bytes();
  skb->frags.clear();
  skb->frag_list = false;
  return 0;
}

// Recomputed from the headers: lengths are zero, and so is the one in the pseudo header.
int shim_skb_prepare_lso(sk_buff* skb) {
  if (kernel().fails(Failing::kSkbChange))
    return -12;
  if (skb->linear.size() < skb->tcp_headers)
    kernel().error("headers are rewritten that are not in the linear part");
  auto& bytes = skb->linear;
  const u32 l4 = skb->checksum_start;
  u32 sum = 6;
  const auto add = [&](u32 from, u32 to) {
    for (u32 at = from; at < to; at += 2)
      sum += mana::test::get16(bytes, at);
  };
  if (skb->family == 4) {
    mana::test::put16(bytes, 16, 0);
    mana::test::put16(bytes, 24, 0);
    add(26, 34);
  } else {
    mana::test::put16(bytes, 18, 0);
    add(22, 54);
  }
  while (sum >> 16)
    sum = (sum & 0xFFFF) + (sum >> 16);
  mana::test::put16(bytes, l4 + 16, sum);
  skb->prepared = true;
  return 0;
}

bool shim_skb_is_gso_ipv6(const sk_buff* skb) { return skb->family == 6; }
void shim_skb_tx_timestamp(sk_buff*) {}
void shim_skb_consume(sk_buff* skb, int) {
  kernel().consumed++;
  kernel().free_skb(skb);
}
void shim_skb_drop(sk_buff* skb, shim_drop reason) {
  kernel().dropped++;
  kernel().drop_reasons.push_back(reason);
  kernel().free_skb(skb);
}

// --- xdp.h ---

xdp_rxq_info* shim_xdp_rxq_create(net_device* netdev, u32 queue, napi_struct*, page_pool* pool,
                                  u32 frag_size, int* error) {
  kernel().process_context("shim_xdp_rxq_create");
  if (kernel().fails(Failing::kRxq)) {
    *error = -12;
    return nullptr;
  }
  pool->references++;
  auto* rxq = new xdp_rxq_info{netdev, queue, pool, frag_size};
  kernel().rxqs_.insert(rxq);
  return rxq;
}

void shim_xdp_rxq_destroy(xdp_rxq_info* rxq) {
  kernel().process_context("shim_xdp_rxq_destroy");
  if (kernel().rxqs_.erase(rxq) == 0)
    return kernel().error("an XDP registration is destroyed twice");
  if (rxq->pool->references == 0)
    kernel().error("a page pool went before its XDP registration");
  else if (--rxq->pool->references == 0)
    kernel().drop_pool(rxq->pool);
  delete rxq;
}

void shim_xdp_init(shim_xdp_buff* xdp, xdp_rxq_info* rxq, u32 frame_size) {
  fake(xdp) = {nullptr, frame_size, 0, 0, 0, rxq, nullptr, {}, {}, 0};
}

void shim_xdp_prepare(shim_xdp_buff* xdp, void* memory, u32 headroom, u32 length) {
  FakeXdp& buff = fake(xdp);
  buff.memory = static_cast<u8*>(memory);
  buff.headroom = headroom;
  buff.length = length;
  buff.metadata = 0;
}

void shim_xdp_clear_frags(shim_xdp_buff* xdp) { fake(xdp).frags = 0; }
void shim_xdp_add_frag(shim_xdp_buff* xdp, page* pg, u32 length) {
  FakeXdp& buff = fake(xdp);
  buff.pages[buff.frags] = pg;
  buff.bytes[buff.frags++] = length;
}
u32 shim_xdp_frags(const shim_xdp_buff* xdp) {
  return reinterpret_cast<const FakeXdp*>(xdp->storage)->frags;
}
void shim_xdp_give_frags(const shim_xdp_buff* xdp, sk_buff* skb, u32 frags) {
  const auto& buff = *reinterpret_cast<const FakeXdp*>(xdp->storage);
  for (u32 i = 0; i < frags; i++)
    shim_skb_add_page(skb, buff.pages[i], buff.bytes[i], buff.pages[i]->bytes);
}
void shim_xdp_return(shim_xdp_buff* xdp) {
  FakeXdp& buff = fake(xdp);
  for (u32 i = 0; i < buff.frags; i++)
    kernel().put_page(buff.pages[i]);
  kernel().put_page(kernel().page_at(buff.memory));
}
bool shim_bpf_takes_frags(const bpf_prog* program) { return program->takes_frags; }

bool shim_bpf_reads_hints(const bpf_prog* program) { return program->hints; }
void shim_xdp_set_hints(shim_xdp_buff* xdp, const mana_rx_completion* completion) {
  fake(xdp).completion = completion;
}

shim_xdp_action shim_xdp_run(bpf_prog* program, shim_xdp_buff* xdp, net_device*) {
  if (program->references <= 0)
    kernel().error("a program runs that is gone");
  return program->run(fake(xdp));
}

void shim_xdp_result(const shim_xdp_buff* xdp, u32* headroom, u32* length, u32* metadata) {
  const auto& buff = *reinterpret_cast<const FakeXdp*>(xdp->storage);
  *headroom = buff.headroom;
  *length = buff.length;
  *metadata = buff.metadata;
}

// A redirected frame lives in its buffer's own memory.
static xdp_frame* frame_of(shim_xdp_buff* xdp) {
  if (kernel().fails(Failing::kFrame))
    return nullptr;
  FakeXdp& buff = fake(xdp);
  auto* frame = new xdp_frame;
  frame->pg = kernel().page_at(buff.memory);
  frame->offset = static_cast<u32>(buff.memory - frame->pg->memory);
  frame->data = buff.memory + buff.headroom;
  frame->length = buff.length;
  kernel().frames_.insert(frame);
  kernel().hold(frame->pg, frame->offset, buff.frame_size);
  for (u32 i = 0; i < buff.frags; i++) {
    frame->pages.emplace_back(buff.pages[i], buff.bytes[i]);
    kernel().hold(buff.pages[i], 0, buff.pages[i]->bytes);
  }
  return frame;
}

xdp_frame* shim_xdp_to_frame(shim_xdp_buff* xdp) { return frame_of(xdp); }

int shim_xdp_redirect(net_device*, shim_xdp_buff* xdp, bpf_prog*) {
  if (kernel().redirect_fails)
    return -22;
  xdp_frame* frame = frame_of(xdp);
  if (!frame)
    return -12;
  kernel().redirected.push_back(frame);
  return 0;
}

void shim_xdp_flush(void) { kernel().redirect_flushes++; }
void shim_xdp_exception(net_device*, bpf_prog*, shim_xdp_action) { kernel().exceptions++; }

const void* shim_xdp_frame_data(const xdp_frame* frame) { return frame->data; }
u32 shim_xdp_frame_length(const xdp_frame* frame) { return frame->length; }
bool shim_xdp_frame_has_frags(const xdp_frame* frame) { return shim_xdp_frame_frags(frame) != 0; }
u32 shim_xdp_frame_frags(const xdp_frame* frame) {
  return static_cast<u32>(frame->pages.size() + frame->more.size());
}
const void* shim_xdp_frame_frag(const xdp_frame* frame, u32 index, u32* length) {
  if (index < frame->pages.size()) {
    *length = frame->pages[index].second;
    return frame->pages[index].first->memory;
  }
  const auto& memory = frame->more.at(index - frame->pages.size());
  *length = static_cast<u32>(memory.size());
  return memory.data();
}
void shim_xdp_frame_return(xdp_frame* frame) { kernel().return_frame(frame); }
void shim_xdp_bulk_begin(shim_xdp_bulk* bulk) { bulk->storage[0] = 1; }
void shim_xdp_bulk_return(shim_xdp_bulk* bulk, xdp_frame* frame) {
  if (bulk->storage[0] != 1)
    kernel().error("a frame is returned in bulk before or after the bulk");
  kernel().return_frame(frame);
}
void shim_xdp_bulk_end(shim_xdp_bulk* bulk) {
  if (std::exchange(bulk->storage[0], 0ul) != 1)
    kernel().error("a bulk of frames ends twice");
}
void shim_bpf_put(bpf_prog* program) {
  want_rtnl("shim_bpf_put");
  if (program && --program->references < 0)
    kernel().error("a program loses more references than it has");
}
