// SPDX-License-Identifier: GPL-2.0
// src/port/rx_geometry.cc, for every MTU.
#include "port/rx_geometry.h"

#include <initializer_list>

#include "kern/memory.h"
#include "kern/page_pool.h"
#include "kunit/harness/contexts.h"
#include "kunit/harness/nic.h"
#include "kunit/harness/register_file.h"
#include "shim/page_pool.h"
#include "shim/skb.h"

namespace mana::kunit {
namespace {

using port::RxGeometry;

constexpr u32 kLeast = 68;
constexpr u32 kMost = 9000;
constexpr u32 kEthernet = 14;
constexpr u32 kInnerTag = 4;
constexpr u32 kCacheLine = 64;

u32 page() { return shim_page_size(); }

// Calls check(mtu, geometry) for every MTU, until it fails.
template <typename Check>
void each(Check check) {
  for (u32 mtu = kLeast; mtu <= kMost; mtu++) {
    check(mtu, RxGeometry::for_mtu(mtu));
    if (kunit_failed()) {
      kunit_note("that was MTU %u", mtu);
      return;
    }
  }
}

CASE(D58_every_frame_of_the_mtu_fits) {
  each([](u32 mtu, const RxGeometry& geometry) {
    EXPECT_GE(geometry.data, mtu + kEthernet + kInnerTag);
  });
}

// What the device may write ends where the stack's part begins.
CASE(D58_the_data_leaves_room_for_the_stack) {
  each([](u32, const RxGeometry& geometry) {
    EXPECT_LE(shim_skb_space(geometry.headroom, geometry.data), geometry.stride);
    EXPECT_LE(geometry.headroom + geometry.data, geometry.stride);
  });
}

// No byte of a buffer is wasted that the device could have.
CASE(all_the_room_there_is_is_offered) {
  each([](u32, const RxGeometry& geometry) {
    EXPECT_GE(shim_skb_space(geometry.headroom, geometry.data + 1), geometry.stride + 1);
  });
}

// As much as there is place for, as long as there may be a program.
CASE(headroom_is_what_xdp_or_the_stack_wants) {
  each([](u32 mtu, const RxGeometry& geometry) {
    if (geometry.shares_pages())
      EXPECT_EQ(geometry.headroom, 192u);
    else if (mtu <= RxGeometry::max_xdp_mtu())
      EXPECT_EQ(geometry.headroom, shim_xdp_headroom());
    else
      EXPECT_EQ(geometry.headroom, shim_skb_headroom());
  });
  EXPECT_EQ(shim_xdp_headroom(), 256u);
}

// Half a page, or whole pages in powers of two; never a buffer that crosses into another page.
CASE(buffers_divide_pages) {
  each([](u32, const RxGeometry& geometry) {
    EXPECT(is_power_of_two(geometry.stride));
    EXPECT_GE(geometry.stride, page() / 2);
    EXPECT_EQ(page() << geometry.page_order, max(geometry.stride, page()));
    EXPECT_EQ(geometry.shares_pages(), geometry.stride < page());
  });
}

// The stack's part sits at the buffer's end, and the next buffer's data behind its headroom.
CASE(buffers_are_aligned_to_cache_lines) {
  each([](u32, const RxGeometry& geometry) {
    EXPECT_EQ(geometry.stride % kCacheLine, 0u);
    EXPECT_EQ((geometry.stride - shim_skb_space(0, 0)) % kCacheLine, 0u);
  });
}

CASE(half_of_the_buffer_would_not_do) {
  each([](u32 mtu, const RxGeometry& geometry) {
    if (!geometry.shares_pages())
      EXPECT_GE(shim_skb_space(geometry.stride == page() ? 192 : geometry.headroom,
                               mtu + kEthernet + kInnerTag),
                geometry.stride / 2 + 1);
  });
}

CASE(a_larger_mtu_has_no_smaller_buffer) {
  RxGeometry last{};
  u32 changes = 0;
  each([&](u32 mtu, const RxGeometry& geometry) {
    if (mtu == kLeast) {
      last = geometry;
      return;
    }
    EXPECT_GE(geometry.stride, last.stride);
    EXPECT_GE(geometry.data, last.data);
    changes += geometry != last;
    last = geometry;
  });
  EXPECT_EQ(changes, 4u);  // half a page, one with XDP's headroom and one without, 2 and 4 pages
}

// The figure of README.md.
CASE(two_buffers_share_a_page_up_to_mtu_1518) {
  EXPECT_EQ(RxGeometry::for_mtu(1500).stride, page() / 2);
  EXPECT_EQ(RxGeometry::for_mtu(1518).stride, page() / 2);
  EXPECT_EQ(RxGeometry::for_mtu(1519).stride, page());
}

CASE(xdp_frames_are_in_one_page) {
  const u32 most = RxGeometry::max_xdp_mtu();
  EXPECT_EQ(most, 3502u);
  for (u32 mtu = kLeast; mtu <= most; mtu++) {
    const RxGeometry geometry = RxGeometry::for_mtu(mtu);
    EXPECT_EQ(geometry.page_order, 0u);
    EXPECT_GE(geometry.headroom, 192u);
  }
  EXPECT_EQ(RxGeometry::for_mtu(most).data, most + kEthernet + kInnerTag);
}

// Adapter MTUs have 16 bits.
CASE(D68_the_largest_adapter_mtu) {
  for (const u32 mtu : {9001u, 16'000u, 16'366u, 0xFFFFu - kEthernet, 0xFFFFu}) {
    const RxGeometry geometry = RxGeometry::for_mtu(mtu);
    EXPECT_GE(geometry.data, mtu + kEthernet + kInnerTag);
    EXPECT_LE(shim_skb_space(geometry.headroom, geometry.data), geometry.stride);
    EXPECT_EQ(page() << geometry.page_order, geometry.stride);
  }
}

// An skb over a real buffer of the pool, filled to the last byte; and over its neighbour.
CASE(P3_a_full_buffer_becomes_an_skb) {
  RegisterFile registers;
  Function function{registers};
  ASSERT(function);
  // One MTU of each size of buffer.
  for (const u32 mtu : {1500u, 3000u, 3600u, 5000u, 9000u}) {
    const RxGeometry geometry = RxGeometry::for_mtu(mtu);
    auto pool = kern::PagePool::create({.dev = function.dev(),
                                        .netdev = nullptr,
                                        .napi = nullptr,
                                        .order = geometry.page_order,
                                        .size = 4,
                                        .node = kern::kAnyNode,
                                        .sync_offset = 0,
                                        .sync_length = page() << geometry.page_order,
                                        .bidirectional = false});
    ASSERT(pool);
    Skb skbs[2];
    ::page* page = nullptr;
    for (u32 n = 0; n < 2; n++) {
      const bool second = geometry.shares_pages() && n == 1;
      if (!second) {
        page = pool->allocate();
        ASSERT(page);
        if (geometry.shares_pages())
          shim_page_pool_split(page, 2);
      }
      u8* const memory = static_cast<u8*>(shim_page_address(page)) + (second ? geometry.stride : 0);
      __builtin_memset(memory + geometry.headroom, 0x10 + static_cast<int>(n), geometry.data);
      sk_buff* skb = nullptr;
      in_softirq(
          [&] { skb = shim_skb_build(memory, geometry.stride, geometry.headroom, geometry.data); });
      if (!skb) {
        FAIL("no skb");
        shim_page_pool_put(pool->get(), page);
        return;
      }
      ::new (static_cast<void*>(&skbs[n])) Skb{skb};
    }
    for (u32 n = 0; n < 2; n++) {
      // Not yet a received frame, for which look() is meant.
      EXPECT_EQ(shim_skb_length(skbs[n].get()), geometry.data);
      EXPECT_EQ(shim_skb_head_length(skbs[n].get()), geometry.data);
      const u32 truesize = skbs[n].look().truesize;
      EXPECT_GE(truesize, geometry.stride);
      EXPECT_LE(truesize, geometry.stride + 512);  // and the sk_buff itself
      EXPECT(skbs[n].look().recycles);
      const u8* const data = static_cast<const u8*>(shim_skb_data(skbs[n].get()));
      u32 wrong = 0;
      for (u32 at = 0; at < geometry.data; at++)
        wrong += data[at] != 0x10 + n;
      EXPECT_EQ(wrong, 0u);
    }
  }
}

constexpr mana_case kCases[] = {
    LIST(D58_every_frame_of_the_mtu_fits),
    LIST(D58_the_data_leaves_room_for_the_stack),
    LIST(all_the_room_there_is_is_offered),
    LIST(headroom_is_what_xdp_or_the_stack_wants),
    LIST(buffers_divide_pages),
    LIST(buffers_are_aligned_to_cache_lines),
    LIST(half_of_the_buffer_would_not_do),
    LIST(a_larger_mtu_has_no_smaller_buffer),
    LIST(two_buffers_share_a_page_up_to_mtu_1518),
    LIST(xdp_frames_are_in_one_page),
    LIST(D68_the_largest_adapter_mtu),
    LIST(P3_a_full_buffer_becomes_an_skb),
};

}  // namespace

MANA_SUITE(rx_geometry, kCases)

}  // namespace mana::kunit
