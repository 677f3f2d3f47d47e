// SPDX-License-Identifier: GPL-2.0
// The driver under the kernel's own protocols: two ports are two hosts, and sockets talk.
#include <initializer_list>

#include "base/new.h"
#include "kunit/harness/nic.h"
#include "kunit/shim/sockets.h"
#include "kunit/shim/view.h"
#include "shim/memory.h"
#include "shim/sync.h"

namespace mana::kunit {
namespace {

constexpr int kAgain = -11;

class Socket : NonCopyable {
 public:
  Socket() = default;
  explicit Socket(kunit_socket* socket) : socket_{socket} {}
  Socket(Socket&& other) : socket_{exchange(other.socket_, nullptr)} {}
  ~Socket() { close(); }

  explicit operator bool() const { return socket_ != nullptr; }
  void close() {
    if (socket_)
      kunit_socket_close(exchange(socket_, nullptr));
  }
  int send(const void* bytes, u32 length) const {
    return kunit_socket_send(socket_, bytes, length);
  }
  int receive(void* bytes, u32 length, u32 milliseconds = 3000) const {
    return kunit_socket_receive(socket_, bytes, length, milliseconds);
  }

 private:
  kunit_socket* socket_ = nullptr;
};

// A buffer as large as the largest message.
class Buffer : NonCopyable {
 public:
  static constexpr u32 kBytes = 65'536;
  Buffer() : bytes{static_cast<u8*>(shim_alloc(kBytes, -1))} {
    if (!bytes)
      FAIL("no memory for a buffer");
  }
  ~Buffer() { shim_free(bytes); }
  u8* const bytes;
};

// The byte at this place of a stream, or of a datagram that starts there. Its period is no power of
// two, so that a segment in the wrong place is noticed.
u8 byte_at(u64 place) { return static_cast<u8>(place % 251 + place / 65'521); }

void fill(u8* to, u32 length, u64 place) {
  for (u32 i = 0; i < length; i++)
    to[i] = byte_at(place + i);
}

bool is_filled(const u8* bytes, u32 length, u64 place) {
  for (u32 i = 0; i < length; i++)
    if (bytes[i] != byte_at(place + i)) {
      FAIL("byte %llu is wrong", place + i);
      return false;
    }
  return true;
}

// Ports 0 and 1 as hosts.
class Hosts : NonCopyable {
 public:
  explicit Hosts(u32 queues = 2) : nic{{.ports = 2, .queues = queues}} {}
  ~Hosts() {
    if (hosts_ && !kunit_hosts_destroy(hosts_))
      FAIL("the far netdev does not come back");
  }

  bool up(u32 mtu = 1500) {
    if (!nic || nic.probe() != 0)
      return false;
    for (u32 port = 0; port < 2; port++) {
      netdev[port] = nic.netdev(port);
      if (kunit_netdev_set_rings(netdev[port], 256, 128) != 0 ||
          kunit_netdev_set_mtu(netdev[port], mtu) != 0)
        return false;
    }
    hosts_ = kunit_hosts_create(netdev[0], netdev[1]);
    if (!hosts_)
      FAIL("no two hosts");
    return hosts_ != nullptr;
  }
  int shell(bool far, const char* line) const { return kunit_hosts_shell(hosts_, far, line); }

  Socket udp(bool far, bool ipv6, u16 port, u16 to, u32 subnet = 0) const {
    Socket socket{kunit_udp_open(hosts_, far, ipv6, subnet, port, to)};
    if (!socket)
      FAIL("no UDP socket");
    return socket;
  }
  bool tcp(bool ipv6, u16 port, Socket& near, Socket& far, u32 subnet = 0) const {
    kunit_socket *near_socket, *far_socket;
    const bool good = kunit_tcp_open(hosts_, ipv6, subnet, port, &near_socket, &far_socket);
    new (&near) Socket{near_socket};
    new (&far) Socket{far_socket};
    if (!good)
      FAIL("no TCP connection");
    return good;
  }
  u64 stat(u32 port, const char* name) const {
    bool known = false;
    const u64 value = kunit_netdev_statistic(netdev[port], name, &known);
    EXPECT(known);
    return value;
  }
  // Over all queues.
  u64 sum(u32 port, const char* direction, const char* name) const {
    u64 total = 0;
    for (u32 queue = 0; queue < kunit_netdev_queues(netdev[port]); queue++) {
      char key[40];
      shim_format(key, sizeof(key), "%s_%u_%s", direction, queue, name);
      total += stat(port, key);
    }
    return total;
  }
  // Nothing that the device or the driver complained of.
  void expect_no_trouble() const {
    for (u32 port = 0; port < 2; port++) {
      EXPECT_EQ(stat(port, "queue_recoveries"), 0u);
      EXPECT_EQ(stat(port, "tx_cq_err"), 0u);
      EXPECT_EQ(sum(port, "tx", "dropped"), 0u);
      EXPECT_EQ(sum(port, "rx", "truncated"), 0u);
    }
    EXPECT_EQ(stat(0, "hc_tx_err_inval_oob"), 0u);
  }

  Nic nic;
  net_device* netdev[2] = {};

 private:
  kunit_hosts* hosts_ = nullptr;
};

// Datagrams of these sizes there and back.
void ping_pong(const Hosts& hosts, bool ipv6, u32 most, u32 subnet = 0) {
  const Socket near = hosts.udp(false, ipv6, 4000, 5000, subnet);
  const Socket far = hosts.udp(true, ipv6, 5000, 4000, subnet);
  const Buffer out, in;
  ASSERT(near && far && out.bytes && in.bytes);
  u64 place = 7;
  for (const u32 wanted : {1u, 17u, 18u, 100u, 999u, 1472u, most}) {
    const u32 length = min(wanted, most);
    fill(out.bytes, length, place);
    ASSERT_EQ(near.send(out.bytes, length), length);
    ASSERT_EQ(far.receive(in.bytes, Buffer::kBytes), length);
    ASSERT(is_filled(in.bytes, length, place));
    ASSERT_EQ(far.send(in.bytes, length), length);
    clear_bytes(in.bytes, length);
    ASSERT_EQ(near.receive(in.bytes, Buffer::kBytes), length);
    ASSERT(is_filled(in.bytes, length, place));
    place += length;
  }
  EXPECT_EQ(near.receive(in.bytes, 1, 0), kAgain);
  EXPECT_EQ(far.receive(in.bytes, 1, 0), kAgain);
}

// One way: `bytes` bytes, all of them right and in order.
bool stream(const Socket& from, const Socket& to, u32 bytes, u64 first = 0) {
  const Buffer out, in;
  u32 sent = 0, received = 0;
  while (out.bytes && in.bytes && received < bytes) {
    while (sent < bytes) {
      const u32 part = min(bytes - sent, 32'768u);
      fill(out.bytes, part, first + sent);
      const int taken = from.send(out.bytes, part);
      if (taken <= 0)
        break;
      sent += static_cast<u32>(taken);
    }
    const int got = to.receive(in.bytes, Buffer::kBytes);
    if (got <= 0 || !is_filled(in.bytes, static_cast<u32>(got), first + received)) {
      FAIL("after %u of %u bytes: %d", received, bytes, got);
      return false;
    }
    received += static_cast<u32>(got);
  }
  return received == bytes;
}

CASE(UDP_over_IPv4) {
  Hosts hosts;
  ASSERT(hosts.up());
  ping_pong(hosts, false, 1472);
  EXPECT_GE(hosts.sum(0, "tx", "csum_partial"), 7u);
  EXPECT_GE(hosts.sum(1, "tx", "csum_partial"), 7u);
  hosts.expect_no_trouble();
}

CASE(UDP_over_IPv6) {
  Hosts hosts;
  ASSERT(hosts.up());
  ping_pong(hosts, true, 1452);
  EXPECT_GE(hosts.sum(0, "tx", "csum_partial"), 7u);
  hosts.expect_no_trouble();
}

// IP cuts them; neither the device nor the driver may sum what is only a part.
CASE(datagrams_larger_than_the_MTU) {
  Hosts hosts;
  ASSERT(hosts.up());
  ping_pong(hosts, false, 12'000);
  ping_pong(hosts, true, 12'000);
  hosts.expect_no_trouble();
}

void expect_stream(bool ipv6, u32 mtu) {
  Hosts hosts;
  ASSERT(hosts.up(mtu));
  Socket near, far;
  ASSERT(hosts.tcp(ipv6, 80, near, far));
  EXPECT(stream(near, far, 400'000));
  EXPECT(stream(far, near, 100'000, 5));
  // The device cut it.
  EXPECT_GE(hosts.sum(0, "tx", "tso_packets"), 3u);
  EXPECT_GE(hosts.sum(0, "tx", "tso_bytes"), 100'000u);
  EXPECT_GE(hosts.sum(0, "tx", "packets"), 400'000u / mtu);
  EXPECT_EQ(hosts.nic.device().port_statistic(1, "rx_checksum_bad"), 0u);
  near.close();
  far.close();
  hosts.expect_no_trouble();
}

CASE(TCP_over_IPv4) { expect_stream(false, 1500); }
CASE(TCP_over_IPv6) { expect_stream(true, 1500); }
CASE(TCP_with_jumbo_frames) { expect_stream(false, 9000); }

CASE(TCP_without_the_devices_help) {
  Hosts hosts;
  ASSERT(hosts.up());
  for (u32 port = 0; port < 2; port++) {
    kunit_set_offload(hosts.netdev[port], KUNIT_TSO4, false);
    kunit_set_offload(hosts.netdev[port], KUNIT_IPV4_CHECKSUM, false);
    kunit_set_offload(hosts.netdev[port], KUNIT_RX_CHECKSUM, false);
    kunit_netdev_set_feature(hosts.netdev[port], KUNIT_FEATURE_GRO, false);
  }
  Socket near, far;
  ASSERT(hosts.tcp(false, 80, near, far));
  EXPECT(stream(near, far, 200'000));
  EXPECT_EQ(hosts.sum(0, "tx", "tso_packets"), 0u);
  EXPECT_EQ(hosts.sum(0, "tx", "csum_partial"), 0u);
  hosts.expect_no_trouble();
}

// Without a single copy too many: the two directions at once, in many small pieces.
CASE(TCP_in_small_pieces) {
  Hosts hosts;
  ASSERT(hosts.up());
  Socket near, far;
  ASSERT(hosts.tcp(false, 80, near, far));
  const Buffer in;
  u64 place = 0;
  for (u32 n = 1; n <= 40; n++) {
    u8 piece[64];
    fill(piece, n, place);
    ASSERT_EQ(near.send(piece, n), n);
    ASSERT_EQ(far.send(piece, n), n);
    u32 received[2] = {};
    for (u32 end = 0; end < 2; end++)
      while (received[end] < n) {
        const int got = (end ? far : near).receive(in.bytes, n - received[end]);
        ASSERT(got > 0 && is_filled(in.bytes, static_cast<u32>(got), place + received[end]));
        received[end] += static_cast<u32>(got);
      }
    place += n;
  }
  hosts.expect_no_trouble();
}

CASE(a_VLAN_interface) {
  Hosts hosts;
  ASSERT(hosts.up());
  for (u32 far = 0; far < 2; far++)
    ASSERT_EQ(hosts.shell(far, far ? "busybox ip link add link $DEV name v type vlan id 100\n"
                                     "busybox ip addr add 10.77.100.2/24 dev v\n"
                                     "busybox ip link set v up"
                                   : "busybox ip link add link $DEV name v type vlan id 100\n"
                                     "busybox ip addr add 10.77.100.1/24 dev v\n"
                                     "busybox ip link set v up"),
              0);
  ping_pong(hosts, false, 1472, 100);
  {
    Socket near, far;
    ASSERT(hosts.tcp(false, 80, near, far, 100));
    EXPECT(stream(near, far, 200'000));
  }
  EXPECT_GE(hosts.sum(0, "tx", "tso_packets"), 1u);
  EXPECT_GE(hosts.sum(0, "tx", "long_pkt_fmt"), 20u);
  EXPECT_GE(hosts.nic.device().port_statistic(1, "rx_vlan_stripped"), 20u);
  // Insertion is switched off: the tag is in the frame, and offloads go on behind it.
  const u64 inserted = hosts.nic.device().port_statistic(0, "tx_vlan_inserted");
  EXPECT_GE(inserted, 20u);
  kunit_set_offload(hosts.netdev[0], KUNIT_VLAN_TX, false);
  ping_pong(hosts, false, 1472, 100);
  {
    Socket near, far;
    ASSERT(hosts.tcp(false, 81, near, far, 100));
    EXPECT(stream(near, far, 100'000));
  }
  EXPECT_EQ(hosts.nic.device().port_statistic(0, "tx_vlan_inserted"), inserted);
  hosts.expect_no_trouble();
  for (u32 far = 0; far < 2; far++)
    EXPECT_EQ(hosts.shell(far, "busybox ip link del v"), 0);
}

// Flows spread over all queues of the receiver, and each comes through.
CASE(many_flows_over_many_queues) {
  Hosts hosts{4};
  ASSERT(hosts.up());
  for (u32 port = 0; port < 2; port++)
    ASSERT_EQ(kunit_netdev_set_channels(hosts.netdev[port], 4), 0);
  const Buffer in;
  ASSERT(in.bytes);
  u8 out[100];
  for (u16 flow = 0; flow < 32; flow++) {
    const Socket near = hosts.udp(false, flow % 2, static_cast<u16>(4000 + flow), 5000);
    const Socket far = hosts.udp(true, flow % 2, 5000, static_cast<u16>(4000 + flow));
    ASSERT(near && far);
    fill(out, sizeof(out), flow);
    for (u32 n = 0; n < 3; n++)
      ASSERT_EQ(near.send(out, sizeof(out)), sizeof(out));
    for (u32 n = 0; n < 3; n++) {
      ASSERT_EQ(far.receive(in.bytes, Buffer::kBytes), sizeof(out));
      ASSERT(is_filled(in.bytes, sizeof(out), flow));
    }
  }
  for (u32 queue = 0; queue < 4; queue++) {
    char key[24];
    shim_format(key, sizeof(key), "rx_%u_packets", queue);
    EXPECT_GE(hosts.stat(1, key), 3u);
  }
  hosts.expect_no_trouble();
}

// A connection outlives whatever happens to the rings below it.
CASE(a_connection_while_the_port_changes) {
  Hosts hosts;
  ASSERT(hosts.up());
  Socket near, far;
  ASSERT(hosts.tcp(false, 80, near, far));
  EXPECT(stream(near, far, 50'000));
  ASSERT_EQ(kunit_netdev_set_rings(hosts.netdev[1], 128, 256), 0);
  EXPECT(stream(near, far, 50'000));
  ASSERT_EQ(kunit_netdev_set_channels(hosts.netdev[0], 1), 0);
  EXPECT(stream(near, far, 50'000));
  ASSERT_EQ(kunit_netdev_set_mtu(hosts.netdev[1], 3000), 0);
  EXPECT(stream(far, near, 50'000));
  mana_port_tx_timeout(kunit_netdev_port(hosts.netdev[0]), 0);
  for (u32 i = 0; i < 100 && hosts.stat(0, "queue_recoveries") == 0; i++)
    shim_sleep_ms(20);
  EXPECT_EQ(hosts.stat(0, "queue_recoveries"), 1u);
  EXPECT(stream(near, far, 50'000));
}

// The device loses every fifth frame: TCP repairs that, and nothing of the driver's is confused.
CASE(a_connection_that_loses_frames) {
  Hosts hosts;
  ASSERT(hosts.up());
  Socket near, far;
  ASSERT(hosts.tcp(false, 80, near, far));
  hosts.nic.device().fault("frame drop 25");
  EXPECT(stream(near, far, 150'000));
  hosts.nic.device().fault("clear");
  EXPECT(stream(far, near, 50'000));
  hosts.expect_no_trouble();
}

// Nobody reads them: they hold pages of the port's buffers, past its end.
CASE(unread_datagrams_outlive_the_port) {
  Hosts hosts;
  ASSERT(hosts.up());
  const Socket near = hosts.udp(false, false, 4000, 5000);
  const Socket far = hosts.udp(true, false, 5000, 4000);
  ASSERT(near && far);
  const Buffer buffer;
  ASSERT(buffer.bytes);
  for (u32 n = 0; n < 40; n++) {
    fill(buffer.bytes, 500, n);
    ASSERT_EQ(near.send(buffer.bytes, 500), 500);
  }
  for (u32 i = 0; i < 200 && hosts.sum(1, "rx", "packets") < 40; i++)
    shim_sleep_ms(50);
  shim_sleep_ms(200);
  kunit_netdev_close(hosts.netdev[1]);
  EXPECT(!kunit_netdev_running(hosts.netdev[1]));
  for (u32 n = 0; n < 40; n++) {
    ASSERT_EQ(far.receive(buffer.bytes, Buffer::kBytes), 500);
    ASSERT(is_filled(buffer.bytes, 500, n));
  }
}

constexpr mana_case kCases[] = {
    LIST(UDP_over_IPv4),
    LIST(UDP_over_IPv6),
    LIST(datagrams_larger_than_the_MTU),
    LIST(TCP_over_IPv4),
    LIST(TCP_over_IPv6),
    LIST(TCP_with_jumbo_frames),
    LIST(TCP_without_the_devices_help),
    LIST(TCP_in_small_pieces),
    LIST(a_VLAN_interface),
    LIST(many_flows_over_many_queues),
    LIST(a_connection_while_the_port_changes),
    LIST(a_connection_that_loses_frames),
    LIST(unread_datagrams_outlive_the_port),
};

}  // namespace

MANA_SUITE(stack, kCases)

}  // namespace mana::kunit
