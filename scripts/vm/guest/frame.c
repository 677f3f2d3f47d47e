/* SPDX-License-Identifier: GPL-2.0 */
/*
 * frame: sends a frame made to measure from one port to another, and says what arrived.
 *
 *     frame [OPTION...] FROM TO
 *
 *     -k KIND      udp4 (default), udp6, tcp4, tcp6, raw (an ethertype that nobody knows)
 *     -s BYTES     of the frame, without tag (200)     -n COUNT     of frames (1)
 *     -o CHECKSUM  good (default), bad, zero; partial: the stack is asked to finish it;
 *                  odd: the same for a field that is neither TCP's nor UDP's
 *     -g MSS       TCP: to be segmented                 -e BYTES     IPv6: of destination options
 *     -t TCI       a VLAN tag in the frame              -x TO_MAC    instead of the address of TO
 *     -M           joins no group, and is told all multicast frames anyway
 *
 * Prints: frames=N length=L vlan=TCI|none csum=valid|unknown l4=good|bad|none data=good|bad, of
 * what arrived; length is the largest, data the whole payload in order. "csum" is what the driver
 * told the stack (for all frames), "l4" the checksum that is in the frame. Status 0 if any arrived.
 *
 *     frame -L SECONDS PORT
 *
 * Listens to all that PORT sends and receives, as tcpdump does, until SIGTERM at the latest. Prints: out=N in=N bad=N; bad are
 * IP packets whose length is not what their header says.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kLargest = 1 << 17, kPorts = 9900, kEthernet = 14, kRawType = 0x88B5 };

static void die(const char *what)
{
	fprintf(stderr, "frame: %s: %s\n", what, strerror(errno));
	exit(2);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static int open_port(const char *port, uint8_t *mac, unsigned *flags)
{
	struct sockaddr_ll address = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq request = { .ifr_name = "nic" };
	char path[64];
	int size = 8 << 20, file, made;

	snprintf(path, sizeof(path), "/run/netns/p%s", port);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || setns(file, CLONE_NEWNET))
		die(path);
	close(file);
	made = socket(AF_PACKET, SOCK_RAW, 0);
	if (made < 0)
		die("socket");
	setsockopt(made, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (ioctl(made, SIOCGIFHWADDR, &request))
		die("SIOCGIFHWADDR");
	memcpy(mac, request.ifr_hwaddr.sa_data, 6);
	if (ioctl(made, SIOCGIFINDEX, &request))
		die("SIOCGIFINDEX");
	address.sll_ifindex = request.ifr_ifindex;
	if (flags) {
		struct packet_mreq all = { .mr_ifindex = request.ifr_ifindex, .mr_type = PACKET_MR_ALLMULTI };

		if (*flags && setsockopt(made, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &all, sizeof(all)))
			die("PACKET_MR_ALLMULTI");
	}
	if (bind(made, (void *)&address, sizeof(address)))
		die("bind");
	return made;
}

static unsigned get16(const uint8_t *at)
{
	return at[0] << 8 | at[1];
}

/* What is received may be padded. */
static int has_its_length(const uint8_t *frame, unsigned length, int received)
{
	unsigned wanted;

	switch (get16(frame + 12)) {
	case 0x0800: wanted = kEthernet + get16(frame + 16); break;
	case 0x86DD: wanted = kEthernet + 40 + get16(frame + 18); break;
	default: return 1;
	}
	return wanted == length || (received && wanted < length);
}

static volatile sig_atomic_t enough;

static void stop(int signal)
{
	(void)signal;
	enough = 1;
}

static int listen_only(double seconds, const char *port)
{
	static uint8_t frame[kLargest];
	uint8_t mac[6];
	int socket = open_port(port, mac, NULL);
	double end = now() + seconds;
	long in = 0, out = 0, bad = 0;

	signal(SIGTERM, stop);
	while (now() < end && !enough) {
		struct pollfd wait = { .fd = socket, .events = POLLIN };
		struct sockaddr_ll from;
		socklen_t length = sizeof(from);
		ssize_t bytes;

		if (poll(&wait, 1, 100) <= 0)
			continue;
		bytes = recvfrom(socket, frame, sizeof(frame), 0, (void *)&from, &length);
		if (bytes < 0)
			die("recvfrom");
		*(from.sll_pkttype == PACKET_OUTGOING ? &out : &in) += 1;
		bad += !has_its_length(frame, bytes, from.sll_pkttype != PACKET_OUTGOING);
	}
	printf("out=%ld in=%ld bad=%ld\n", out, in, bad);
	return 0;
}

/* ---- making ---- */

static void put16(uint8_t *at, unsigned value)
{
	at[0] = value >> 8;
	at[1] = value;
}

static uint32_t add(uint32_t sum, const uint8_t *bytes, unsigned length)
{
	for (unsigned i = 0; i < length; i++)
		sum += i & 1 ? bytes[i] : bytes[i] << 8;
	return sum;
}

static unsigned fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xFFFF) + (sum >> 16);
	return sum;
}

static uint8_t data_at(unsigned long place)
{
	return place * 167 + (place >> 8) * 13;
}

struct layout {
	int v6, protocol;
	unsigned l3, l4, headers; /* offsets; where the data begins */
};

static uint32_t pseudo(const uint8_t *frame, const struct layout *at, unsigned length)
{
	const uint8_t *ip = frame + at->l3;
	uint32_t sum = at->v6 ? add(0, ip + 8, 32) : add(0, ip + 12, 8);

	return sum + at->protocol + length;
}

struct wish {
	const char *kind, *checksum, *mac;
	unsigned size, count, mss, options;
	int tci;
};

static unsigned build(const struct wish *wish, const uint8_t *from, const uint8_t *to, int from_port,
		      int to_port, uint8_t *frame, struct layout *at, struct virtio_net_hdr *offload)
{
	unsigned length = wish->size, l4_length, field;
	uint8_t *ip, *l4;

	memset(offload, 0, sizeof(*offload));
	memset(at, 0, sizeof(*at));
	memset(frame, 0, wish->size);
	memcpy(frame, to, 6);
	memcpy(frame + 6, from, 6);
	at->l3 = kEthernet;
	ip = frame + kEthernet;
	if (!strcmp(wish->kind, "raw")) {
		put16(frame + 12, kRawType);
		at->headers = kEthernet;
	} else {
		at->v6 = wish->kind[3] == '6';
		at->protocol = wish->kind[0] == 't' ? IPPROTO_TCP : IPPROTO_UDP;
		at->l4 = kEthernet + (at->v6 ? 40 + wish->options : 20);
		at->headers = at->l4 + (at->protocol == IPPROTO_TCP ? 20 : 8);
		if (length < at->headers)
			length = at->headers;
	}
	for (unsigned i = at->headers; i < length; i++)
		frame[i] = data_at(i - at->headers);
	if (!at->protocol)
		return length;

	l4 = frame + at->l4;
	l4_length = length - at->l4;
	if (at->v6) {
		put16(frame + 12, 0x86DD);
		ip[0] = 0x60;
		put16(ip + 4, length - kEthernet - 40);
		ip[6] = wish->options ? IPPROTO_DSTOPTS : at->protocol;
		ip[7] = 64;
		ip[8] = ip[24] = 0xFD;
		ip[23] = from_port + 1;
		ip[39] = to_port + 1;
		if (wish->options) {
			uint8_t *option = ip + 42;
			unsigned left = wish->options - 2;

			ip[40] = at->protocol;
			ip[41] = wish->options / 8 - 1;
			while (left) { /* PadN */
				unsigned part = left > 257 ? 257 : left;

				if (left - part == 1)
					part--;
				option[0] = 1;
				option[1] = part - 2;
				option += part;
				left -= part;
			}
		}
	} else {
		put16(frame + 12, 0x0800);
		ip[0] = 0x45;
		put16(ip + 2, length - kEthernet);
		put16(ip + 4, 1);
		ip[8] = 64;
		ip[9] = at->protocol;
		ip[12] = ip[16] = 10;
		ip[15] = from_port + 1;
		ip[19] = to_port + 1;
		put16(ip + 10, ~fold(add(0, ip, 20)));
	}
	put16(l4, kPorts);
	put16(l4 + 2, kPorts + 1);
	if (at->protocol == IPPROTO_TCP) {
		l4[12] = 0x50;
		l4[13] = 0x10;
		put16(l4 + 14, 1000);
		field = 16;
	} else {
		put16(l4 + 4, l4_length);
		field = 6;
	}

	if (!strcmp(wish->checksum, "partial") || !strcmp(wish->checksum, "odd")) {
		int odd = *wish->checksum == 'o';

		offload->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		offload->csum_start = at->l4;
		/* "odd" wants the sum of header and data, and in a TCP header's urgent pointer. */
		offload->csum_offset = odd ? 18 : field;
		offload->hdr_len = at->headers;
		if (!odd)
			put16(l4 + field, fold(pseudo(frame, at, l4_length)));
		if (wish->mss) {
			offload->gso_type = at->v6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4;
			offload->gso_size = wish->mss;
		}
	} else if (strcmp(wish->checksum, "zero")) {
		unsigned sum = ~fold(pseudo(frame, at, l4_length) + add(0, l4, l4_length)) & 0xFFFF;

		if (!strcmp(wish->checksum, "bad"))
			sum ^= 0x1111;
		put16(l4 + field, sum ? sum : 0xFFFF);
	}
	return length;
}

/* ---- looking ---- */

struct seen {
	unsigned long frames, length, place;
	long tci;
	int valid, unknown, l4_good, l4_bad, l4_none, data_bad;
};

static void look(const uint8_t *frame, unsigned length, const struct layout *at, int odd,
		 struct seen *seen)
{
	unsigned l4_length = length - at->l4;

	if (at->protocol) {
		/* What lies behind the IP packet is padding. */
		unsigned end = at->v6 ? at->l3 + 40 + get16(frame + at->l3 + 4) :
					at->l3 + get16(frame + at->l3 + 2);

		if (end < at->headers || end > length) {
			seen->data_bad = 1;
			return;
		}
		length = end;
		l4_length = end - at->l4;
		if (at->protocol == IPPROTO_UDP && get16(frame + at->l4 + 6) == 0)
			seen->l4_none = 1;
		else if (fold((odd ? 0 : pseudo(frame, at, l4_length)) +
			      add(0, frame + at->l4, l4_length)) == 0xFFFF)
			seen->l4_good = 1;
		else
			seen->l4_bad = 1;
	} else {
		seen->l4_none = 1;
	}
	for (unsigned i = at->headers; i < length; i++)
		if (frame[i] != data_at(seen->place + i - at->headers))
			seen->data_bad = 1;
	seen->place += length - at->headers;
}

static int is_ours(const uint8_t *frame, ssize_t length, const struct layout *at)
{
	if (length < (ssize_t)at->headers)
		return 0;
	if (!at->protocol)
		return get16(frame + 12) == kRawType;
	if (get16(frame + 12) != (at->v6 ? 0x86DDu : 0x0800u))
		return 0;
	return get16(frame + at->l4) == kPorts && get16(frame + at->l4 + 2) == kPorts + 1;
}

static void receive(int socket, const struct wish *wish, const struct layout *at, unsigned total,
		    struct seen *seen)
{
	static uint8_t frame[kLargest];
	unsigned long expected = (unsigned long)wish->count * (total - at->headers);
	double end = now() + 1;
	unsigned long all = 0;

	seen->tci = -1;
	while (now() < end && (all < expected || seen->frames < wish->count)) {
		struct pollfd wait = { .fd = socket, .events = POLLIN };
		struct sockaddr_ll from;
		struct iovec part = { frame, sizeof(frame) };
		char control[256] __attribute__((aligned(8)));
		struct msghdr message = { .msg_name = &from, .msg_namelen = sizeof(from), .msg_iov = &part,
					  .msg_iovlen = 1, .msg_control = control,
					  .msg_controllen = sizeof(control) };
		ssize_t length;

		if (poll(&wait, 1, 50) <= 0)
			continue;
		length = recvmsg(socket, &message, 0);
		if (length < 0)
			die("recvmsg");
		if (from.sll_pkttype == PACKET_OUTGOING || !is_ours(frame, length, at))
			continue;
		for (struct cmsghdr *item = CMSG_FIRSTHDR(&message); item;
		     item = CMSG_NXTHDR(&message, item)) {
			struct tpacket_auxdata data;

			if (item->cmsg_level != SOL_PACKET || item->cmsg_type != PACKET_AUXDATA)
				continue;
			memcpy(&data, CMSG_DATA(item), sizeof(data));
			if (data.tp_status & TP_STATUS_VLAN_VALID)
				seen->tci = data.tp_vlan_tci;
			*(data.tp_status & TP_STATUS_CSUM_VALID ? &seen->valid : &seen->unknown) += 1;
		}
		/* Every frame begins anew, but the segments of one go on. */
		if (!wish->mss || seen->place >= total - at->headers)
			seen->place = 0;
		seen->frames++;
		if ((unsigned long)length > seen->length)
			seen->length = length;
		look(frame, length, at, *wish->checksum == 'o', seen);
		all += length - at->headers;
	}
	if (all < expected)
		seen->data_bad = 1;
}

int main(int argc, char **argv)
{
	struct wish wish = { .kind = "udp4", .checksum = "good", .size = 200, .count = 1, .tci = -1 };
	static struct {
		struct virtio_net_hdr offload;
		uint8_t frame[kLargest];
	} __attribute__((packed)) packet;
	static uint8_t frame[kLargest];
	uint8_t from_mac[6], to_mac[6];
	struct virtio_net_hdr offload;
	struct seen seen = { 0 };
	struct layout layout;
	double listen_seconds = 0;
	int option, out, in, on = 1;
	unsigned flags = 0, length, tagged;

	while ((option = getopt(argc, argv, "k:s:n:o:g:e:t:x:ML:")) >= 0) {
		switch (option) {
		case 'k': wish.kind = optarg; break;
		case 's': wish.size = strtoul(optarg, NULL, 0); break;
		case 'n': wish.count = strtoul(optarg, NULL, 0); break;
		case 'o': wish.checksum = optarg; break;
		case 'g': wish.mss = strtoul(optarg, NULL, 0); break;
		case 'e': wish.options = strtoul(optarg, NULL, 0); break;
		case 't': wish.tci = strtol(optarg, NULL, 0); break;
		case 'x': wish.mac = optarg; break;
		case 'M': flags = 1; break;
		case 'L': listen_seconds = strtod(optarg, NULL); break;
		default: return 2;
		}
	}
	if (listen_seconds > 0 && argc - optind == 1)
		return listen_only(listen_seconds, argv[optind]);
	if (argc - optind != 2 || wish.size > 65000 || wish.size < kEthernet || wish.options % 8) {
		fprintf(stderr, "usage: frame [OPTION...] FROM TO (see the source)\n");
		return 2;
	}
	out = open_port(argv[optind], from_mac, NULL);
	in = open_port(argv[optind + 1], to_mac, &flags);
	if (setsockopt(out, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)))
		die("PACKET_VNET_HDR");
	if (setsockopt(in, SOL_PACKET, PACKET_AUXDATA, &on, sizeof(on)))
		die("PACKET_AUXDATA");
	if (wish.mac) {
		unsigned m[6];

		if (sscanf(wish.mac, "%x:%x:%x:%x:%x:%x", m, m + 1, m + 2, m + 3, m + 4, m + 5) != 6)
			die("address");
		for (int i = 0; i < 6; i++)
			to_mac[i] = m[i];
	}

	length = build(&wish, from_mac, to_mac, atoi(argv[optind]), atoi(argv[optind + 1]), frame, &layout,
		       &offload);
	tagged = wish.tci >= 0 ? 4 : 0;
	memcpy(packet.frame, frame, 12);
	if (tagged) {
		put16(packet.frame + 12, 0x8100);
		put16(packet.frame + 14, wish.tci);
		if (offload.flags)
			offload.csum_start += 4;
		if (offload.hdr_len)
			offload.hdr_len += 4;
	}
	memcpy(packet.frame + 12 + tagged, frame + 12, length - 12);
	packet.offload = offload;
	for (unsigned i = 0; i < wish.count; i++) {
		if (send(out, &packet, sizeof(packet.offload) + length + tagged, 0) < 0)
			die("send");
		if (i % 16 == 15)
			usleep(2000);
	}

	receive(in, &wish, &layout, length, &seen);
	printf("frames=%lu length=%lu vlan=", seen.frames, seen.length);
	if (seen.tci >= 0)
		printf("%ld", seen.tci);
	else
		printf("none");
	printf(" csum=%s l4=%s data=%s\n", seen.valid && !seen.unknown ? "valid" : "unknown",
	       seen.l4_bad ? "bad" : seen.l4_good ? "good" : "none", seen.data_bad ? "bad" : "good");
	return seen.frames ? 0 : 1;
}
