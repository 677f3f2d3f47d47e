// SPDX-License-Identifier: GPL-2.0
// A kernel for one test: implements the driver's seam (include/shim) in plain C++.
//
// There is one thread. Whatever the driver waits for, it waits in pass(): the clock jumps, the
// device runs, interrupts and polls happen, so that a timeout of 30 seconds costs nothing. Every
// object that the driver takes is counted; audit() tells what was not given back. Everything that
// may fail asks fails() first.
#pragma once

#include <gtest/gtest.h>

#include <cstring>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "packets.h"
#include "shim/debugfs.h"
#include "shim/devlink.h"
#include "shim/dma.h"
#include "shim/entry.h"
#include "shim/irq.h"
#include "shim/log.h"
#include "shim/memory.h"
#include "shim/mmio.h"
#include "shim/napi.h"
#include "shim/netdev.h"
#include "shim/page_pool.h"
#include "shim/pci.h"
#include "shim/skb.h"
#include "shim/sync.h"
#include "shim/types.h"
#include "shim/vectors.h"
#include "shim/xdp.h"

// --- what the seam leaves opaque ---

struct device {};
struct dentry {
  std::string path;
};
struct shim_devlink {
  bool registered = false;
};
struct shim_text {
  std::string lines;
  size_t indent = 0;
};
struct pci_dev {
  device dev;
};
struct netlink_ext_ack {
  const char* sentence = nullptr;
};

struct page {
  page_pool* pool = nullptr;
  u8* memory = nullptr;
  u32 bytes = 0;
  u32 users = 0;  // shares that are not back in the pool
  u64 dma = 0;
  // What the stack or XDP holds: the device must not write there. Offset, length.
  std::vector<std::pair<u32, u32>> held;
};

struct page_pool {
  shim_page_pool_config config;
  u32 references = 1;  // owner, and XDP's registration
  u32 taken = 0;
  u32 released = 0;
  u32 allocations = 0;  // pages handed out
  std::vector<page*> pages;   // all
  std::deque<page*> cache;    // unused ones
};

struct napi_struct {
  net_device* netdev = nullptr;
  mana_channel* channel = nullptr;
  bool enabled = false;
  bool scheduled = false;
  bool missed = false;
  bool polling = false;
  bool completed = false;  // in this poll
  int queue = -1;
  u64 polls = 0;
};

struct netdev_queue {
  net_device* netdev = nullptr;
  bool stopped = true;
  bool locked = false;
  u64 outstanding = 0;  // bytes, of byte queue limits
  u32 packets = 0;
  u32 resets = 0;
  u32 wakes = 0;
};

struct net_device {
  shim_netdev_config config;
  std::string name;
  u32 mtu = 1500;
  bool registered = false;
  bool running = false;
  bool attached = true;
  bool carrier = true;
  bool redirect_target = false;
  bool rx_frags = false;
  bool rx_checksum = true;
  bool rx_hash = true;
  u32 queues = 0;
  std::vector<netdev_queue> txqs;
};

struct sk_buff {
  // To be sent.
  std::vector<u8> linear;
  std::vector<std::vector<u8>> frags;
  bool frag_list = false;
  bool checksum = false;
  u32 checksum_start = 0;
  u32 checksum_offset = 0;
  u32 gso_size = 0;
  u32 gso_segments = 0;
  u32 tcp_headers = 0;
  int family = 0;
  int tci = -1;
  bool prepared = false;
  // Received: in a page of a pool.
  page* pg = nullptr;
  u32 offset = 0;  // of the buffer in the page
  u32 truesize = 0;
  u32 headroom = 0;
  u32 length = 0;
  std::vector<std::pair<page*, u32>> pages;  // behind it, with the bytes in each
  u32 metadata = 0;
  bool checksum_good = false;
  bool has_hash = false;
  bool hash_l4 = false;
  u32 hash = 0;
  int rx_tci = -1;
  u32 rx_queue = ~0u;
  net_device* netdev = nullptr;

  std::vector<u8> bytes() const;  // received
};

struct xdp_rxq_info {
  net_device* netdev;
  u32 queue;
  page_pool* pool;
  u32 frag_size;
};

struct xdp_frame {
  const u8* data = nullptr;
  u32 length = 0;
  page* pg = nullptr;     // null: `memory`
  u32 offset = 0;         // of the data in the page
  std::vector<u8> memory;
  // Behind it: pages with bytes at their start, or memory.
  std::vector<std::pair<page*, u32>> pages;
  std::vector<std::vector<u8>> more;
};

// Where a program finds its frame.
struct FakeXdp {
  u8* memory;
  u32 frame_size;
  u32 headroom;
  u32 length;
  u32 metadata;
  xdp_rxq_info* rxq;
  const mana_rx_completion* completion;  // for hints
  page* pages[2];  // behind it, with the bytes in each
  u32 bytes[2];
  u32 frags;

  u32 total() const { return length + (frags > 0 ? bytes[0] : 0) + (frags > 1 ? bytes[1] : 0); }
};
static_assert(sizeof(FakeXdp) <= sizeof(shim_xdp_buff));

struct bpf_prog {
  std::function<shim_xdp_action(FakeXdp&)> run;
  int references = 1;
  bool hints = false;  // it was loaded for this netdev alone
  bool takes_frags = false;
};

namespace mana::test {

// What is behind BAR 0.
class BusDevice {
 public:
  virtual ~BusDevice() = default;
  virtual u64 bar_size() const = 0;
  virtual u64 read(u64 offset, u32 size) = 0;
  virtual void write(u64 offset, u64 value, u32 size) = 0;
  virtual bool run() { return false; }  // true if there was something to do
  virtual u64 deadline_ms() { return ~0ull; }
  virtual void reset() {}  // function level
};

struct Mmio {
  bool is_write;
  u32 size;
  u64 offset;
  u64 value;
};

enum class Failing {
  kMemory,
  kDma,
  kMap,
  kWork,
  kPci,
  kVectors,
  kIrq,
  kNetdev,
  kRegister,
  kQueues,
  kNapi,
  kPool,
  kPage,
  kRxq,
  kSkb,
  kSkbChange,
  kFrame,
  kReset,
  kCount,
};

class FakeKernel {
 public:
  FakeKernel();
  ~FakeKernel();
  static FakeKernel& current();

  void attach(BusDevice* device) { device_ = device; }

  int budget = 64;  // of each poll

  // Dynamic interrupt moderation, as it was started; it decides nothing by itself.
  struct Dim {
    mana_moderator* moderator;
    bool tx;
    u32 samples = 0;
    u64 packets = 0;
    u64 bytes = 0;
    bool cancelled = false;
  };
  std::map<shim_dim*, Dim> dims;
  pci_dev* pdev() { return &pdev_; }

  // --- time ---
  u64 now_ms = 5'000;
  // Lets time pass; ends early when `done` says so. Process context.
  void pass(u64 milliseconds, const std::function<bool()>& done = {});
  // Until nothing happens any more, deferred work included.
  void settle();
  void after(u64 milliseconds, std::function<void()> what) {
    timers_.emplace(now_ms + milliseconds, std::move(what));
  }
  // After the device ran and before interrupts are delivered.
  std::function<void()> before_interrupts;
  u64 rounds = 0;  // of the whole test
  bool livelock = false;
  // A device that insists on being looked at, at once and in vain, is a storm of interrupts: the
  // test fails, or, if it says so, goes on when time has passed.
  bool storms_allowed = false;
  u64 storms = 0;

  // --- things that fail ---
  // The n-th of what can fail fails, from now on counted from 1; 0: nothing.
  u64 fail_nth = 0;
  u64 fallible = 0;  // counted so far
  u64 fail_kind[static_cast<int>(Failing::kCount)] = {};  // the n-th of a kind, 0: none
  bool fail_always[static_cast<int>(Failing::kCount)] = {};
  bool fails(Failing kind);

  // --- registers ---
  std::vector<Mmio> mmio;
  bool record_mmio = true;
  std::function<void(const Mmio&)> on_mmio;  // before the device gets it
  std::function<bool(Mmio&)> fake_mmio;      // true: the device does not get it
  u64 resets = 0;

  // --- the bus, for devices ---
  bool dma_read(u64 address, void* to, u64 length);
  bool dma_write(u64 address, const void* from, u64 length);
  bool dma_valid(u64 address, u64 length) const;
  void raise_msix(u32 vector) { pending_.insert(vector); }
  bool allow_bad_dma = false;
  u64 bad_dma = 0;
  // The live coherent allocation that holds an address; null if none.
  u8* coherent(u64 address, u64 length = 1);
  size_t coherent_count() const;

  // --- stack ---
  struct Received {
    net_device* netdev;
    sk_buff* skb;
  };
  std::vector<net_device*> netdevs;  // in order of creation
  std::deque<Received> received;
  std::vector<xdp_frame*> redirected;
  u64 redirect_flushes = 0;
  u64 exceptions = 0;
  bool will_sync = true;  // what shim_dma_will_sync() says; data bounces in any case
  bool redirect_fails = false;
  u64 consumed = 0;
  u64 dropped = 0;
  std::vector<shim_drop> drop_reasons;
  bool xmit_more = false;
  u64 bql_limit = ~0ull;
  u32 cpu = 0;
  u32 online_cpus = 2;
  u32 vectors_available = 64;
  std::vector<std::string> log;
  bool logged(const std::string& part) const;

  std::vector<std::unique_ptr<dentry>> directories;
  std::map<std::string, const shim_view*> views;  // by path
  std::string read(const std::string& path);      // of a view; empty if there is none
  std::vector<std::unique_ptr<shim_devlink>> devlink;
  std::vector<std::string> health;  // reports, "<reporter> <sentence>"

  int open(net_device* netdev);
  int stop(net_device* netdev);
  sk_buff* make_skb();
  void free_skb(sk_buff* skb);
  void free_received();
  xdp_frame* make_frame(const std::vector<u8>& bytes);
  void return_frame(xdp_frame* frame);

  // A test's body is over, and what its hooks refer to.
  void clear_hooks() {
    on_mmio = nullptr;
    fake_mmio = nullptr;
    before_interrupts = nullptr;
    timers_.clear();
    for (bool& always : fail_always)
      always = false;
    for (u64& kind : fail_kind)
      kind = 0;
    fail_nth = 0;
  }

  // --- what there is ---
  std::string leftovers() const;  // empty: nothing
  void audit() { EXPECT_EQ(leftovers(), ""); }
  size_t allocations() const { return allocations_.size(); }
  size_t works() const { return works_.size(); }
  void forget_everything();  // after leaks that a test wants

  void error(const std::string& text);
  void process_context(const char* what);

  // Coherent memory in one piece is not to be had of more than so many bytes.
  u64 largest_coherent = 64u << 20;
  u32 ring_pages = 0;  // that rings are made of now

  // --- for the seam's functions ---
  struct Region {
    enum Kind { kCoherent, kMap, kPage } kind;
    u8* memory;
    u64 bytes;
    std::vector<u8> bounce;  // what the device sees, unless coherent
    bool to_device;
    bool from_device;
    page* pg;
  };
  struct Handler {
    mana_hwc* hwc = nullptr;
    mana_eq* eq = nullptr;
    const char* name = nullptr;
  };
  struct Work {
    void (*function)(void*);
    void* argument;
    bool queued;
    bool running;
  };

  u64 add_region(Region region);
  void remove_region(u64 address, Region::Kind kind, u64 bytes);
  Region* region_of(u64 address, u64 length, u64* start = nullptr);
  u64 access(u64 offset, u32 size, bool is_write, u64 value);
  u64 bar_offset(const void* address, u32 size);
  page* page_at(const void* address) const;
  void put_page(page* pg);
  void hold(page* pg, u32 offset, u32 length);
  void release(page* pg, u32 offset);
  void drop_pool(page_pool* pool);
  void poll(napi_struct* napi);

  BusDevice* device_ = nullptr;
  std::map<void*, size_t> allocations_;
  std::map<u64, Region> regions_;
  u64 next_dma_ = 0x7'1234'5000'0000;
  std::set<u32> pending_;
  std::map<u32, Handler> handlers_;
  u32 vectors_ = 0;
  bool enabled_ = false;
  u8* bar_ = nullptr;
  u64 bar_bytes_ = 0;
  std::set<page_pool*> pools_;
  std::map<const u8*, page*> pages_;
  std::set<napi_struct*> napis_;
  std::set<sk_buff*> skbs_;
  std::set<xdp_frame*> frames_;
  std::set<xdp_rxq_info*> rxqs_;
  std::set<Work*> works_;
  std::multimap<u64, std::function<void()>> timers_;
  bool rtnl_ = false;
  std::vector<u32> mutexes_;  // classes held
  u32 spinlocks_ = 0;
  u32 txq_locks_ = 0;
  bool in_irq_ = false;
  bool in_softirq_ = false;
  bool in_work_ = false;
  bool pumping_ = false;
  std::deque<u64> log_times_;

 private:
  void pump();
  bool run_interrupts();
  bool run_polls();
  bool run_timers();
  bool run_work();

  pci_dev pdev_;
};

// What a test sends.
sk_buff* skb_of(FakeKernel& kernel, const PacketSpec& spec, std::vector<u32> pieces = {});

}  // namespace mana::test
