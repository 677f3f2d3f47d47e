// SPDX-License-Identifier: GPL-2.0
#include "model/work_queue.h"

namespace mana::model {

bool WorkQueue::doorbell(u32 tail) {
  if (tail % wire::kBasicUnit != 0)
    return false;
  if (tail == producer_)
    return true;
  const u32 length = tail - consumer_;
  if (length <= producer_ - consumer_ || length > memory_.bytes())
    return false;
  producer_ = tail;
  return true;
}

const u8* WorkQueue::look(const Host& host, u32 length) {
  const u32 skip = consumer_ - window_position_;
  if (skip < window_length_ && window_length_ - skip >= length)
    return window_ + skip;
  // V15: one copy; what the driver does to the ring from here on does not matter.
  const u32 available = min(outstanding_bytes(), kWindowBytes);
  window_length_ = 0;
  if (available < length || !memory_.read(host, consumer_, window_, available))
    return nullptr;
  window_position_ = consumer_;
  window_length_ = available;
  return window_;
}

FetchResult WorkQueue::fetch(const Host& host, Wqe& wqe) {
  if (!has_work())
    return FetchResult::kEmpty;
  const u8* bytes = look(host, wire::kBasicUnit);
  if (!bytes)
    return FetchResult::kMalformed;

  // V4: the size follows from the header and must fit the limit and what is posted.
  copy_bytes(&wqe.header, bytes, sizeof(wqe.header));
  const u32 code = wire::WqeHeader::OobSizeCode::get(wqe.header.dw1);
  const bool is_sq = type_ == wire::WqType::kSq;
  if (wire::WqeHeader::DirectSgl::get(wqe.header.dw1) != 0)
    return FetchResult::kMalformed;
  if (code != static_cast<u32>(wire::OobSize::k8) &&
      (!is_sq || (code != static_cast<u32>(wire::OobSize::k24) &&
                  code != static_cast<u32>(wire::OobSize::k32))))
    return FetchResult::kMalformed;
  const wire::OobSize oob = static_cast<wire::OobSize>(code);
  wqe.sge_count = wire::WqeHeader::SgeCount::get(wqe.header.dw1);
  const u32 limit = is_sq ? wire::kMaxSqWqeBytes : wire::kMaxRqWqeBytes;
  if (wqe.sge_count == 0 || wqe.sge_count > wire::max_sges(limit, oob))
    return FetchResult::kMalformed;
  wqe.bytes = wire::wqe_bytes(oob, wqe.sge_count);
  if (wqe.bytes > outstanding_bytes())
    return FetchResult::kMalformed;
  bytes = look(host, wqe.bytes);
  if (!bytes)
    return FetchResult::kMalformed;
  // look() may have copied again: the header that counts is the one with these bytes.
  if (__builtin_memcmp(&wqe.header, bytes, sizeof(wqe.header)) != 0)
    return FetchResult::kMalformed;

  wqe.position = consumer_;
  wqe.oob_bytes = wire::oob_bytes(oob);
  for (u32& word : wqe.oob)
    word = 0;
  copy_bytes(wqe.oob, bytes + sizeof(wqe.header), wqe.oob_bytes);
  copy_bytes(wqe.sges, bytes + wire::sgl_offset(oob), wqe.sge_count * sizeof(wire::Sge));
  // V5: 64 bits do not overflow.
  wqe.total = 0;
  for (u32 i = 0; i < wqe.sge_count; i++)
    wqe.total += wqe.sges[i].size;
  return FetchResult::kOk;
}

}  // namespace mana::model
