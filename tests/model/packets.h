// SPDX-License-Identifier: GPL-2.0
// Ethernet frames for tests, and plain computations to compare the model's with.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace mana::test {

using std::size_t;

using Bytes = std::vector<uint8_t>;

// The RFC 1071 checksum of a byte string, in host order.
uint16_t internet_checksum(const Bytes& bytes, uint32_t start = 0);

uint16_t get16(const Bytes& bytes, size_t at);
uint32_t get32(const Bytes& bytes, size_t at);
void put16(Bytes& bytes, size_t at, uint32_t value);
void put32(Bytes& bytes, size_t at, uint32_t value);

enum class Seed {
  kFinal,   // complete checksums
  kPseudo,  // the L4 field holds the pseudo header's sum
  kLso,     // the same, with length 0; IP lengths and header checksum are zero
};

struct PacketSpec {
  int family = 4;    // 4, 6, or 0: not IP
  int protocol = 6;  // 6 TCP, 17 UDP, others: raw payload
  uint32_t payload = 100;
  Seed seed = Seed::kFinal;
  uint8_t source = 1;       // last octet of MAC and address: port number + 1
  uint8_t destination = 2;  // 0xFF: broadcast
  uint16_t source_port = 2794;
  uint16_t destination_port = 1766;
  uint32_t sequence = 0x10000;
  uint8_t tcp_flags = 0x18;  // PSH, ACK
  uint32_t tcp_options = 12;
  uint32_t ip_options = 0;
  bool udp_no_checksum = false;
  bool fragment = false;
  int tag = -1;        // in band
  uint32_t padding = 0;  // behind the packet
};

Bytes make_packet(const PacketSpec& spec);

// Where things are in what make_packet() made.
uint32_t l3_offset(const PacketSpec& spec);
uint32_t l4_offset(const PacketSpec& spec);
uint32_t header_bytes(const PacketSpec& spec);

// True if the IP header (v4) and the L4 checksum of an untagged frame are right.
bool checksums_are_right(const Bytes& frame);

Bytes with_tag(const Bytes& frame, uint16_t tci);
Bytes slice(const Bytes& bytes, size_t from, size_t to);

}  // namespace mana::test
