// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/skb.h"

namespace mana::port {

// How receive buffers lie in pages, for an MTU.
//
// A buffer is headroom, data, and the room that the stack needs behind the data. Where two fit into
// a page, they share it; otherwise a buffer takes whole pages: a large one, or, if it may be
// scattered, one after the other, with headroom and the stack's room in the first. The device is
// offered all the data room there is, so that an MTU change within it leaves posted buffers valid.
// And buffers are the same with XDP and without, so that a program comes and goes without their
// notice.
struct RxGeometry {
  u32 headroom;  // bytes before the data
  u32 data;  // bytes offered to the device, in the first page
  u32 stride;  // bytes of a buffer, all included but the tails: the skb's truesize
  u32 page_order;  // pages are 4 KiB << page_order
  u32 tails = 0;  // pages behind the first, all of them the device's

  // Few enough for a WQE of two BU, so that WQEs have fixed places in the ring.
  static constexpr u32 kMaxTails = 2;

  bool shares_pages() const { return stride < shim_page_size(); }
  bool scattered() const { return tails != 0; }
  u32 room() const { return data + tails * shim_page_size(); }

  // `scatter`: rather several pages than a large one, where that is possible.
  static RxGeometry for_mtu(u32 mtu, bool scatter = false);

  // The largest MTU whose frames are in one page, with XDP's headroom. Beyond it, a program has to
  // take fragments.
  static u32 max_xdp_mtu();

  bool operator==(const RxGeometry&) const = default;
};

}  // namespace mana::port
