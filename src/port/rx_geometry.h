// SPDX-License-Identifier: GPL-2.0
#pragma once

#include "base/result.h"
#include "base/utility.h"
#include "shim/skb.h"

namespace mana::port {

// How receive buffers lie in pages, for an MTU.
//
// A buffer is headroom, data, and the room that the stack needs behind the data. Where two fit into
// a page, they share it; otherwise a buffer takes whole pages. The device is offered all the data
// room there is, so that an MTU change within it leaves posted buffers valid. And buffers are the
// same with XDP and without, so that a program comes and goes without their notice.
struct RxGeometry {
  u32 headroom;  // bytes before the data
  u32 data;  // bytes offered to the device
  u32 stride;  // bytes of a buffer, all included: the skb's truesize
  u32 page_order;  // pages are 4 KiB << page_order

  bool shares_pages() const { return stride < shim_page_size(); }

  static RxGeometry for_mtu(u32 mtu);

  // The largest MTU that XDP can have: its frames are linear and in one page.
  static u32 max_xdp_mtu();

  bool operator==(const RxGeometry&) const = default;
};

}  // namespace mana::port
