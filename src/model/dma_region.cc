// SPDX-License-Identifier: GPL-2.0
#include "model/dma_region.h"

namespace mana::model {

bool DmaRegion::Shape::of(const wire::CreateDmaRegionRequest& request, Shape& shape) {
  // V9, M-36
  if (request.length == 0 || request.page_type > kMaxPageType || request.page_count == 0)
    return false;
  const u32 shift = wire::kPageShift + request.page_type;
  if (request.first_page_offset >= 1ull << shift)
    return false;
  constexpr u64 kMaxLength = 1ull << 50;
  if (request.length > kMaxLength)
    return false;
  const u64 needed = (request.length + request.first_page_offset + (1ull << shift) - 1) >> shift;
  if (needed > request.page_count)
    return false;
  shape = {request.length, request.first_page_offset, shift, request.page_count};
  return true;
}

DmaRegion* DmaRegion::create(const Host& host, const Shape& shape) {
  return host.create<DmaRegion>(shape.page_count * sizeof(u64), shape);
}

bool DmaRegion::add(const Host& host, const u8* addresses, u32 count) {
  if (count > shape_.page_count - filled_)
    return false;
  const u64 page_size = 1ull << shape_.page_shift;
  bool contiguous = contiguous_;
  for (u32 i = 0; i < count; i++) {
    const u32 index = filled_ + i;
    u64 address;
    copy_bytes(&address, addresses + i * sizeof(u64), sizeof(address));
    // Any page type is made of 4 KiB frames; the first and last pages are used in part only.
    const u64 start = index == 0 ? shape_.first_page_offset : 0;
    const u64 bytes_before = page_size * index;
    const u64 bytes = shape_.length + shape_.first_page_offset;
    const u64 end = bytes > bytes_before ? min(bytes - bytes_before, page_size) : 0;
    if (address % wire::kPageSize != 0 || address + (page_size - 1) < address ||
        (end > start && !host.valid(address + start, end - start)))
      return false;
    if (index > 0 && address != pages()[index - 1] + page_size)
      contiguous = false;
    pages()[index] = address;
  }
  contiguous_ = contiguous;
  filled_ += count;
  return true;
}

bool DmaRegion::fits_ring(u32 bytes) const {
  // M-37, V8; a doorbell tail cannot address more than 2^31 bytes (5.1).
  return complete() && !consumed_ && shape_.first_page_offset == 0 && shape_.length == bytes &&
         bytes >= wire::kMinRingBytes && bytes <= 1u << 31 && is_power_of_two(bytes);
}

u64 DmaRegion::translate(u64 offset, u64& left) const {
  offset += shape_.first_page_offset;
  const u64 in_page = offset & ((1ull << shape_.page_shift) - 1);
  left = (1ull << shape_.page_shift) - in_page;
  return pages()[offset >> shape_.page_shift] + in_page;
}

}  // namespace mana::model
