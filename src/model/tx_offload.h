// SPDX-License-Identifier: GPL-2.0
// Finishing a frame for the sender: checksums and TCP segmentation.
#pragma once

#include "model/frame.h"
#include "wire/tx.h"

namespace mana::model {

struct ChecksumRequest {
  bool ip = false;
  L4 l4 = L4::kOther;         // kOther: none
  u32 transport_offset = 0;   // 0: not told
};

// M-49: completes what is requested, from the seeded field. kInvalidOob if the request does not
// match the frame, which is then unchanged.
wire::TxCqeType fill_checksums(Frame& frame, const ChecksumRequest& request);

// M-50: cuts one TCP packet into frames. Each frame is built in place: its headers overwrite the
// end of the payload that went before.
class Segmenter {
 public:
  static constexpr u32 kMaxHeader = wire::kMaxLsoHeader;

  // `header` bytes of headers; the frame's layout was parsed with LengthSource::kFrame. False if
  // the headers are not Ethernet, IP and TCP, all of them and nothing else.
  bool begin(const Frame& frame, u32 header, u32 mss);

  u32 largest_frame() const { return header_ + min(mss_, payload_); }
  // False if there is none left.
  bool next(Frame& segment);

 private:
  void finish(Frame& segment, u32 payload, bool first, bool last) const;

  const Frame* frame_ = nullptr;
  u32 header_ = 0;
  u32 mss_ = 0;
  u32 payload_ = 0;
  u32 done_ = 0;
  u32 index_ = 0;
  u8 template_[kMaxHeader];
};

}  // namespace mana::model
