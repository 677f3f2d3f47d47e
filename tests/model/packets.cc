// SPDX-License-Identifier: GPL-2.0
#include "packets.h"

namespace mana::test {

uint16_t internet_checksum(const Bytes& bytes, uint32_t start) {
  uint32_t sum = start;
  for (size_t i = 0; i < bytes.size(); i++)
    sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
  while (sum > 0xFFFF)
    sum = (sum & 0xFFFF) + (sum >> 16);
  return static_cast<uint16_t>(~sum);
}

uint16_t get16(const Bytes& bytes, size_t at) {
  return static_cast<uint16_t>(bytes.at(at) << 8 | bytes.at(at + 1));
}
uint32_t get32(const Bytes& bytes, size_t at) {
  return static_cast<uint32_t>(get16(bytes, at)) << 16 | get16(bytes, at + 2);
}
void put16(Bytes& bytes, size_t at, uint32_t value) {
  bytes.at(at) = static_cast<uint8_t>(value >> 8);
  bytes.at(at + 1) = static_cast<uint8_t>(value);
}
void put32(Bytes& bytes, size_t at, uint32_t value) {
  put16(bytes, at, value >> 16);
  put16(bytes, at + 2, value & 0xFFFF);
}

Bytes slice(const Bytes& bytes, size_t from, size_t to) {
  return {bytes.begin() + static_cast<long>(from), bytes.begin() + static_cast<long>(to)};
}

Bytes with_tag(const Bytes& frame, uint16_t tci) {
  Bytes tagged = slice(frame, 0, 12);
  tagged.insert(tagged.end(),
                {0x81, 0x00, static_cast<uint8_t>(tci >> 8), static_cast<uint8_t>(tci)});
  tagged.insert(tagged.end(), frame.begin() + 12, frame.end());
  return tagged;
}

namespace {

uint32_t ip_header(const PacketSpec& spec) {
  return spec.family == 4 ? 20 + spec.ip_options : spec.family == 6 ? 40 : 0;
}
uint32_t l4_header(const PacketSpec& spec) {
  return spec.protocol == 6 ? 20 + spec.tcp_options : spec.protocol == 17 ? 8 : 0;
}
size_t checksum_field(const PacketSpec& spec, size_t l4) {
  return l4 + (spec.protocol == 6 ? 16 : 6);
}

Bytes pseudo_header(const Bytes& frame, int family, int protocol, size_t l3, uint32_t length) {
  Bytes pseudo = family == 4 ? slice(frame, l3 + 12, l3 + 20) : slice(frame, l3 + 8, l3 + 40);
  pseudo.insert(pseudo.end(),
                {static_cast<uint8_t>(length >> 24), static_cast<uint8_t>(length >> 16),
                 static_cast<uint8_t>(length >> 8), static_cast<uint8_t>(length), 0, 0, 0,
                 static_cast<uint8_t>(protocol)});
  return pseudo;
}

}  // namespace

uint32_t l3_offset(const PacketSpec& spec) { return spec.tag >= 0 ? 18 : 14; }
uint32_t l4_offset(const PacketSpec& spec) { return l3_offset(spec) + ip_header(spec); }
uint32_t header_bytes(const PacketSpec& spec) { return l4_offset(spec) + l4_header(spec); }

Bytes make_packet(const PacketSpec& spec) {
  const bool lso = spec.seed == Seed::kLso;
  const size_t l3 = 14;
  const size_t l4 = l3 + ip_header(spec);
  const uint32_t l4_length = l4_header(spec) + spec.payload;
  Bytes frame(l4 + l4_length);
  const auto mac = [&](size_t at, uint8_t last) {
    for (size_t i = 0; i < 6; i++)
      frame[at + i] = last == 0xFF ? 0xFF : i == 0 ? 0x02 : i == 5 ? last : 0;
  };
  mac(0, spec.destination);
  mac(6, spec.source);
  put16(frame, 12, spec.family == 4 ? 0x0800 : spec.family == 6 ? 0x86DD : 0x88B5);
  for (size_t i = l4 + l4_header(spec); i < frame.size(); i++)
    frame[i] = static_cast<uint8_t>(i * 7 + (i >> 8));

  if (spec.family == 4) {
    frame[l3] = static_cast<uint8_t>(0x40 | ip_header(spec) / 4);
    put16(frame, l3 + 2, lso ? 0 : static_cast<uint32_t>(frame.size() - l3));
    put16(frame, l3 + 4, 0xFFFE);  // identification, about to wrap
    put16(frame, l3 + 6, spec.fragment ? 0x2000 : 0x4000);
    frame[l3 + 8] = 64;
    frame[l3 + 9] = static_cast<uint8_t>(spec.protocol);
    put32(frame, l3 + 12, 0xC0A80000u + spec.source);
    put32(frame, l3 + 16, 0xC0A80000u + spec.destination);
    if (!lso)
      put16(frame, l3 + 10, internet_checksum(slice(frame, l3, l4)));
  } else if (spec.family == 6) {
    frame[l3] = 0x60;
    put16(frame, l3 + 4, lso ? 0 : l4_length);
    frame[l3 + 6] = static_cast<uint8_t>(spec.protocol);
    frame[l3 + 7] = 64;
    frame[l3 + 8] = frame[l3 + 24] = 0xFD;
    frame[l3 + 23] = spec.source;
    frame[l3 + 39] = spec.destination;
  }
  if (spec.family != 0 && (spec.protocol == 6 || spec.protocol == 17)) {
    put16(frame, l4, spec.source_port);
    put16(frame, l4 + 2, spec.destination_port);
    if (spec.protocol == 6) {
      put32(frame, l4 + 4, spec.sequence);
      frame[l4 + 12] = static_cast<uint8_t>(l4_header(spec) / 4 << 4);
      frame[l4 + 13] = spec.tcp_flags;
      for (uint32_t i = 0; i < spec.tcp_options; i++)
        frame[l4 + 20 + i] = 1;
    } else {
      put16(frame, l4 + 4, l4_length);
    }
    const Bytes pseudo = pseudo_header(frame, spec.family, spec.protocol, l3, lso ? 0 : l4_length);
    const uint16_t seed = static_cast<uint16_t>(~internet_checksum(pseudo));
    uint16_t value = seed;
    if (spec.seed == Seed::kFinal) {
      value = internet_checksum(slice(frame, l4, frame.size()), seed);
      if (spec.protocol == 17 && value == 0)
        value = 0xFFFF;
    }
    if (!(spec.protocol == 17 && spec.udp_no_checksum))
      put16(frame, checksum_field(spec, l4), value);
  }
  frame.resize(frame.size() + spec.padding);
  return spec.tag >= 0 ? with_tag(frame, static_cast<uint16_t>(spec.tag)) : frame;
}

bool checksums_are_right(const Bytes& frame) {
  const size_t l3 = 14;
  const int family = frame.at(l3) >> 4;
  size_t l4 = l3 + 40;
  size_t end = l4 + get16(frame, l3 + 4);
  int protocol = frame.at(l3 + 6);
  if (family == 4) {
    l4 = l3 + (frame.at(l3) & 0xF) * 4;
    end = l3 + get16(frame, l3 + 2);
    protocol = frame.at(l3 + 9);
    if (internet_checksum(slice(frame, l3, l4)) != 0)
      return false;
  }
  Bytes all = pseudo_header(frame, family, protocol, l3, static_cast<uint32_t>(end - l4));
  all.insert(all.end(), frame.begin() + static_cast<long>(l4),
             frame.begin() + static_cast<long>(end));
  return internet_checksum(all) == 0;
}

}  // namespace mana::test
