// SPDX-License-Identifier: GPL-2.0
#include "port/rx_geometry.h"

namespace mana::port {

namespace {

// Ethernet header, and a VLAN tag that the device did not strip (the inner one of two).
constexpr u32 kFrameOverhead = 14 + 4;

// With this much headroom, and the stack's room behind it, a frame of the usual MTU is just half a
// page long. It is less than XDP's full headroom, and what other drivers give programs too.
constexpr u32 kSharedHeadroom = 192;

// The room that `stride` leaves for data.
u32 data_room(u32 stride, u32 headroom) { return stride - shim_skb_space(headroom, 0); }

RxGeometry of(u32 headroom, u32 stride, u32 order) {
  return {.headroom = headroom,
          .data = data_room(stride, headroom),
          .stride = stride,
          .page_order = order,
          .tails = 0};
}

}  // namespace

RxGeometry RxGeometry::for_mtu(u32 mtu, bool scatter) {
  const u32 page = shim_page_size();
  const u32 frame = mtu + kFrameOverhead;
  if (shim_skb_space(kSharedHeadroom, frame) <= page / 2)
    return of(kSharedHeadroom, page / 2, 0);
  if (mtu <= max_xdp_mtu())
    return of(shim_xdp_headroom(), page, 0);
  if (scatter) {
    RxGeometry pages = of(shim_xdp_headroom(), page, 0);
    pages.tails = divide_round_up(frame - pages.data, page);
    if (pages.tails <= kMaxTails)
      return pages;
  }
  // Without XDP there is no use for more headroom than the stack wants.
  const u32 headroom = shim_skb_headroom();
  u32 order = 0;
  while (shim_skb_space(headroom, frame) > page << order)
    order++;
  return of(headroom, page << order, order);
}

u32 RxGeometry::max_xdp_mtu() {
  return data_room(shim_page_size(), shim_xdp_headroom()) - kFrameOverhead;
}

}  // namespace mana::port
