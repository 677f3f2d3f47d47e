// SPDX-License-Identifier: GPL-2.0
#include "port/rx_geometry.h"

#include "shim/skb.h"

namespace mana::port {

namespace {

// Ethernet header, and a VLAN tag that the device did not strip (the inner one of two).
constexpr u32 kFrameOverhead = 14 + 4;

// The room that `stride` leaves for data.
u32 data_room(u32 stride, u32 headroom) { return stride - shim_skb_space(headroom, 0); }

}  // namespace

RxGeometry RxGeometry::for_mtu(u32 mtu, bool xdp) {
  const u32 page = shim_page_size();
  // XDP wants its headroom, and page-sized frames: a program may grow them.
  const u32 headroom = xdp ? shim_xdp_headroom() : shim_skb_headroom();
  u32 stride = xdp ? page : page / 2;
  u32 order = 0;
  while (shim_skb_space(headroom, mtu + kFrameOverhead) > stride) {
    stride *= 2;
    if (stride > page)
      order++;
  }
  return {.headroom = headroom,
          .data = data_room(stride, headroom),
          .stride = stride,
          .page_order = order};
}

u32 RxGeometry::max_xdp_mtu() {
  return data_room(shim_page_size(), shim_xdp_headroom()) - kFrameOverhead;
}

}  // namespace mana::port
