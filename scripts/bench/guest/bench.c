/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the bench runs in the guest: one workload, in windows of so many packets each.
 *
 *   bench mark arm|disarm
 *   bench WORKLOAD [ARGUMENT...] -- PACKETS...
 *
 * Each window is announced on standard output ("@window PACKETS"), with the device's counters before
 * and after, and lies between two marks that the counting plugin knows. The first number of packets
 * is a warm-up: it is neither announced nor measured.
 *
 * Workloads that the device's load generator drives (it starts when we say so, see src/model/load.h):
 *
 *   sleep NANOSECONDS               waits so long for each packet
 *   drop NANOSECONDS                the same, with a UDP socket that refuses all packets
 *   receive                         a UDP socket that reads them
 *   tcp-receive BYTES               segments of so many bytes, of a connection
 *
 * Workloads of ours:
 *
 *   send BYTES                      UDP payload, many for each system call
 *   tcp-send BYTES                  packets of so many bytes, of a connection
 *   ping-pong BYTES                 UDP request and response
 *   pktgen INTERFACE LINE...        pktgen's own settings, "=" for a blank
 *
 * Single operations, one window each, without a warm-up (packets do not matter):
 *
 *   write FILE TEXT                 into a file of the kernel
 *   up|down|mtu|ring|channels INTERFACE [NUMBER]
 *   xdp INTERFACE PINNED-PROGRAM
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "marks.h"

enum {
	kUdpPort = 9000,
	kTcpPort = 5001,
	kTriggerPage = 0x3000, /* Load::kTrigger */
	kTriggerOffset = 0xff8,
	kBurst = 64,
};

static volatile uint64_t *trigger;
static char **arguments;
static int argument_count;
static int sock = -1;
static char buffer[1 << 20];

static void die(const char *what)
{
	fprintf(stderr, "bench: %s: %s\n", what, strerror(errno));
	exit(1);
}

static long number(int index)
{
	if (index >= argument_count) {
		fprintf(stderr, "bench: too few arguments\n");
		exit(2);
	}
	return strtol(arguments[index], NULL, 0);
}

static const char *word(int index)
{
	number(index);
	return arguments[index];
}

static void wait_ns(uint64_t nanoseconds)
{
	struct timespec time = { nanoseconds / 1000000000, nanoseconds % 1000000000 };

	while (nanosleep(&time, &time))
		;
}

/* So that as many clock ticks fall into one window as into the next of its length. */
static void wait_for_tick(void)
{
	const long tick = 4000000; /* HZ=250 */
	struct timespec time;
	uint64_t now;

	clock_gettime(CLOCK_MONOTONIC, &time);
	now = time.tv_sec * 1000000000ull + time.tv_nsec;
	now = (now / tick + 2) * tick + tick / 4;
	time = (struct timespec){ now / 1000000000, now % 1000000000 };
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &time, NULL))
		;
}

/* The register is the device's, and outside of what drivers use; needs iomem=relaxed. */
static void map_trigger(void)
{
	char path[512];
	DIR *devices = opendir("/sys/bus/pci/devices");
	struct dirent *entry;

	while (devices && (entry = readdir(devices))) {
		char id[16] = "";
		FILE *file;
		void *page;
		int resource;

		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/device", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (!fgets(id, sizeof(id), file) || strtol(id, NULL, 16) != 0x00ba) {
			fclose(file);
			continue;
		}
		fclose(file);
		snprintf(path, sizeof(path), "/sys/bus/pci/devices/%s/resource0", entry->d_name);
		resource = open(path, O_RDWR | O_SYNC);
		if (resource < 0)
			die(path);
		page = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, resource, kTriggerPage);
		if (page == MAP_FAILED)
			die("mmap of the load generator's register (kernel without iomem=relaxed?)");
		trigger = (volatile uint64_t *)((char *)page + kTriggerOffset);
		return;
	}
	fprintf(stderr, "bench: no load generator\n");
	exit(1);
}

static struct sockaddr_in peer(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons(port) };

	address.sin_addr.s_addr = inet_addr("198.18.0.2");
	return address;
}

static void set(int level, int option, int value)
{
	if (setsockopt(sock, level, option, &value, sizeof(value)))
		die("setsockopt");
}

/* A packet that is lost is an error, and not the end of everything. */
static void limit_patience(void)
{
	struct timeval time = { .tv_sec = 5 };

	if (setsockopt(sock, SOL_SOCKET, SO_RCVTIMEO, &time, sizeof(time)) ||
	    setsockopt(sock, SOL_SOCKET, SO_SNDTIMEO, &time, sizeof(time)))
		die("timeouts");
}

static void open_udp(bool connected)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(kUdpPort) };
	struct sockaddr_in to = peer(7);

	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (sock < 0 || bind(sock, (struct sockaddr *)&any, sizeof(any)) ||
	    (connected && connect(sock, (struct sockaddr *)&to, sizeof(to))))
		die("UDP socket");
	set(SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20);
	limit_patience();
}

static void refuse_everything(void)
{
	struct sock_filter nothing[] = { { BPF_RET | BPF_K, 0, 0, 0 } };
	struct sock_fprog program = { 1, nothing };

	if (setsockopt(sock, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program)))
		die("SO_ATTACH_FILTER");
}

static void open_tcp(void)
{
	struct sockaddr_in to = peer(kTcpPort);

	sock = socket(AF_INET, SOCK_STREAM, 0);
	if (sock < 0)
		die("TCP socket");
	/* Before the connection: this decides how far the window can be scaled. */
	set(SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20);
	set(SOL_SOCKET, SO_SNDBUFFORCE, 4 << 20);
	limit_patience();
	if (connect(sock, (struct sockaddr *)&to, sizeof(to)))
		die("connect");
}

static void wait_until_sent(void)
{
	int left = 1;

	while (!ioctl(sock, SIOCOUTQ, &left) && left > 0)
		wait_ns(50000);
}

/* ---- workloads: a window of so many packets ---- */

static void run_sleep(long packets)
{
	*trigger = packets;
	wait_ns((uint64_t)packets * number(0) + 2000000);
}

static void run_receive(long packets)
{
	*trigger = packets;
	for (long i = 0; i < packets; i++) {
		if (recv(sock, buffer, 2048, 0) < 0)
			die("recv");
	}
}

static void run_tcp_receive(long packets)
{
	uint64_t left = (uint64_t)packets * number(0);

	*trigger = packets;
	while (left > 0) {
		ssize_t got = recv(sock, buffer, 65536, 0);

		if (got <= 0)
			die("recv");
		left -= got;
	}
}

static void run_send(long packets)
{
	static struct mmsghdr messages[kBurst];
	struct iovec piece = { buffer, number(0) };

	for (int i = 0; i < kBurst; i++) {
		messages[i].msg_hdr.msg_iov = &piece;
		messages[i].msg_hdr.msg_iovlen = 1;
	}
	while (packets > 0) {
		int sent = sendmmsg(sock, messages, packets < kBurst ? packets : kBurst, 0);

		if (sent <= 0)
			die("sendmmsg");
		packets -= sent;
	}
	wait_until_sent();
}

static void run_tcp_send(long packets)
{
	uint64_t left = (uint64_t)packets * number(0);

	while (left > 0) {
		ssize_t sent = send(sock, buffer, left < 262144 ? left : 262144, 0);

		if (sent <= 0)
			die("send");
		left -= sent;
	}
	wait_until_sent();
}

static void run_ping_pong(long packets)
{
	for (long i = 0; i < packets; i++) {
		if (send(sock, buffer, number(0), 0) < 0 || recv(sock, buffer, 2048, 0) < 0)
			die("ping-pong");
	}
}

static void write_file(const char *path, const char *text)
{
	int file = open(path, O_WRONLY);

	if (file < 0 || write(file, text, strlen(text)) < 0) {
		fprintf(stderr, "bench: %s into ", text);
		die(path);
	}
	close(file);
}

static void pktgen_setting(const char *setting)
{
	char path[128], text[256];

	snprintf(path, sizeof(path), "/proc/net/pktgen/%s", word(0));
	snprintf(text, sizeof(text), "%s\n", setting);
	for (char *at = text; *at; at++) {
		if (*at == '=')
			*at = ' ';
	}
	write_file(path, text);
}

static void prepare_pktgen(long packets)
{
	char text[64];

	snprintf(text, sizeof(text), "count %ld", packets);
	pktgen_setting(text);
}

static void run_pktgen(long packets)
{
	(void)packets;
	write_file("/proc/net/pktgen/pgctrl", "start\n");
}

static void open_pktgen(void)
{
	char text[128];

	write_file("/proc/net/pktgen/pgctrl", "reset\n");
	snprintf(text, sizeof(text), "add_device %s\n", word(0));
	write_file("/proc/net/pktgen/kpktgend_0", text);
	for (int i = 1; i < argument_count; i++)
		pktgen_setting(arguments[i]);
}

/* ---- single operations ---- */

static struct ifreq request;

static void open_interface(void)
{
	sock = socket(AF_INET, SOCK_DGRAM, 0);
	if (sock < 0)
		die("socket");
	strncpy(request.ifr_name, word(0), IFNAMSIZ - 1);
}

static void set_flags(bool up)
{
	if (ioctl(sock, SIOCGIFFLAGS, &request))
		die("SIOCGIFFLAGS");
	if (up)
		request.ifr_flags |= IFF_UP;
	else
		request.ifr_flags &= ~IFF_UP;
	if (ioctl(sock, SIOCSIFFLAGS, &request))
		die("SIOCSIFFLAGS");
}

static void run_up(long packets)
{
	(void)packets;
	set_flags(true);
}

static void run_down(long packets)
{
	(void)packets;
	set_flags(false);
}

static void run_mtu(long packets)
{
	(void)packets;
	request.ifr_mtu = number(1);
	if (ioctl(sock, SIOCSIFMTU, &request))
		die("SIOCSIFMTU");
}

static void ethtool(void *command)
{
	request.ifr_data = command;
	if (ioctl(sock, SIOCETHTOOL, &request))
		die("SIOCETHTOOL");
}

static struct ethtool_ringparam ring = { .cmd = ETHTOOL_GRINGPARAM };
static struct ethtool_channels channels = { .cmd = ETHTOOL_GCHANNELS };

static void open_ring(void)
{
	open_interface();
	ethtool(&ring);
	ring.cmd = ETHTOOL_SRINGPARAM;
	ring.rx_pending = number(1);
}

static void run_ring(long packets)
{
	(void)packets;
	ethtool(&ring);
}

static void open_channels(void)
{
	open_interface();
	ethtool(&channels);
	channels.cmd = ETHTOOL_SCHANNELS;
	channels.combined_count = number(1);
}

static void run_channels(long packets)
{
	(void)packets;
	ethtool(&channels);
}

static void run_write(long packets)
{
	(void)packets;
	write_file(word(0), word(1));
}

static union bpf_attr attachment;

static void open_xdp(void)
{
	union bpf_attr attribute = { .pathname = (uintptr_t)word(1) };

	attachment.link_create.prog_fd = syscall(SYS_bpf, BPF_OBJ_GET, &attribute, sizeof(attribute));
	if ((int)attachment.link_create.prog_fd < 0)
		die(word(1));
	attachment.link_create.target_ifindex = if_nametoindex(word(0));
	attachment.link_create.attach_type = BPF_XDP;
	attachment.link_create.flags = 1 << 2; /* by the driver */
}

/* Comes off when this program ends. */
static void run_xdp(long packets)
{
	(void)packets;
	if (syscall(SYS_bpf, BPF_LINK_CREATE, &attachment, sizeof(attachment)) < 0)
		die("attaching the XDP program");
}

/* ---- windows ---- */

static void open_drop(void)
{
	map_trigger();
	open_udp(false);
	refuse_everything();
}

static void open_receive(void)
{
	map_trigger();
	open_udp(false);
}

static void open_tcp_receive(void)
{
	map_trigger();
	open_tcp();
}

static void open_connected(void)
{
	open_udp(true);
}

static void nothing(void)
{
}

static const struct workload {
	const char *name;
	void (*open)(void);
	void (*prepare)(long packets);
	void (*run)(long packets);
} workloads[] = {
	{ "sleep", map_trigger, NULL, run_sleep },
	{ "drop", open_drop, NULL, run_sleep },
	{ "receive", open_receive, NULL, run_receive },
	{ "tcp-receive", open_tcp_receive, NULL, run_tcp_receive },
	{ "send", open_connected, NULL, run_send },
	{ "tcp-send", open_tcp, NULL, run_tcp_send },
	{ "ping-pong", open_connected, NULL, run_ping_pong },
	{ "pktgen", open_pktgen, prepare_pktgen, run_pktgen },
	{ "write", nothing, NULL, run_write },
	{ "up", open_interface, NULL, run_up },
	{ "down", open_interface, NULL, run_down },
	{ "mtu", open_interface, NULL, run_mtu },
	{ "ring", open_ring, NULL, run_ring },
	{ "channels", open_channels, NULL, run_channels },
	{ "xdp", open_xdp, NULL, run_xdp },
};

static void counters(const char *when)
{
	printf("@%s ", when);
	fflush(stdout);
	if (system("model stats"))
		exit(1);
}

static void window(const struct workload *workload, long packets)
{
	printf("@window %ld\n", packets);
	counters("before");
	if (workload->prepare)
		workload->prepare(packets);
	wait_for_tick();
	MARK(MARK_BEGIN);
	workload->run(packets);
	MARK(MARK_END);
	counters("after");
}

int main(int argc, char **argv)
{
	const struct workload *workload = NULL;
	int at = 2;

	if (argc == 3 && strcmp(argv[1], "mark") == 0) {
		if (strcmp(argv[2], "arm") == 0)
			MARK(MARK_ARM);
		else
			MARK(MARK_DISARM);
		return 0;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof(workloads) / sizeof(*workloads); i++) {
		if (strcmp(argv[1], workloads[i].name) == 0)
			workload = &workloads[i];
	}
	if (!workload) {
		fprintf(stderr, "usage: bench WORKLOAD [ARGUMENT...] [-- PACKETS...]\n");
		return 2;
	}
	while (at < argc && strcmp(argv[at], "--") != 0)
		at++;
	arguments = argv + 2;
	argument_count = at - 2;
	workload->open();
	if (at == argc) {
		window(workload, 1);
		return 0;
	}
	at++;
	if (at < argc) {
		long packets = strtol(argv[at++], NULL, 0);

		if (workload->prepare)
			workload->prepare(packets);
		workload->run(packets);
	}
	for (; at < argc; at++)
		window(workload, strtol(argv[at], NULL, 0));
	return 0;
}
