/* SPDX-License-Identifier: GPL-2.0 */
/*
 * payload: sends pseudo-random data from one port to another and looks at every byte that arrives.
 *
 *     payload [OPTION...] FROM TO
 *
 * FROM and TO are port numbers; their namespaces are pFROM and pTO, their addresses those of lib.sh.
 *
 *     -u           UDP instead of TCP             -6           IPv6
 *     -s BYTES     of each message (1000)         -n MESSAGES  of each flow (100)
 *     -d SECONDS   instead of -n                  -f FLOWS     at the same time (1)
 *     -z PIECES    each message by MSG_ZEROCOPY from so many places: fragments of the skb
 *     -F           TCP: sendfile                  -m MSS       TCP: the largest segment
 *     -w MESSAGES  UDP: so many may be under way at most (16)
 *     -C           UDP: checksum 0                -D           UDP: never fragment
 *     -l           UDP: may lose and reorder messages, but not damage them
 *     -p PRIORITY  of the sockets                 -a ADDRESS   of TO, instead of the usual one
 *     -S           says what was sent and received after the end in any case
 *
 * One process has the sockets of both sides. SIGTERM ends the sending, not the verdict.
 * Status: 0 all arrived (with -l: nothing was damaged); 1 not so; 2 cannot.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/errqueue.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum { kPattern = 1 << 20, kLargest = 65536, kMaxFlows = 64, kMaxPieces = 64, kPort = 7000 };

static struct {
	int udp, v6, sendfile, no_checksum, dont_fragment, lossy, priority, mss, loud;
	unsigned size, pieces, flows, window;
	long messages;
	double seconds;
	const char *address;
} options = { .size = 1000, .flows = 1, .window = 16, .messages = 100 };

struct flow {
	unsigned index;
	int out, in;
	pthread_t sender, receiver;
	_Atomic uint64_t sent, received; /* messages of UDP, bytes of TCP */
	_Atomic uint64_t damaged, reordered, refused;
	_Atomic int all_sent;
	uint64_t sequences[4096]; /* of zero-copy messages under way */
};

/* The same data twice: neighbouring pieces come from different pages. */
static uint8_t *pattern[2];
static int pattern_file;
static struct flow flows[kMaxFlows];
static volatile sig_atomic_t stop;

static void die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	fprintf(stderr, "payload: ");
	vfprintf(stderr, format, arguments);
	fprintf(stderr, ": %s\n", strerror(errno));
	va_end(arguments);
	exit(2);
}

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec + time.tv_nsec * 1e-9;
}

static void make_pattern(void)
{
	uint64_t state = 88172645463325252ull;

	pattern_file = memfd_create("pattern", 0);
	if (pattern_file < 0 || ftruncate(pattern_file, kPattern + kLargest))
		die("memfd");
	pattern[0] = mmap(NULL, kPattern + kLargest, PROT_READ | PROT_WRITE, MAP_SHARED, pattern_file, 0);
	pattern[1] = mmap(NULL, kPattern + kLargest, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (pattern[0] == MAP_FAILED || pattern[1] == MAP_FAILED)
		die("mmap");
	for (unsigned i = 0; i < kPattern; i += 8) {
		state ^= state << 13;
		state ^= state >> 7;
		state ^= state << 17;
		memcpy(pattern[0] + i, &state, 8);
	}
	/* A message that begins before the end goes on behind it. */
	memcpy(pattern[0] + kPattern, pattern[0], kLargest);
	memcpy(pattern[1], pattern[0], kPattern + kLargest);
}

/* ---- sockets ---- */

static void enter(int port)
{
	char path[64];
	int file;

	snprintf(path, sizeof(path), "/run/netns/p%d", port);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || setns(file, CLONE_NEWNET))
		die("%s", path);
	close(file);
}

static socklen_t address_of(int port, unsigned flow, struct sockaddr_storage *storage)
{
	char text[64];

	memset(storage, 0, sizeof(*storage));
	if (options.address)
		snprintf(text, sizeof(text), "%s", options.address);
	else if (options.v6)
		snprintf(text, sizeof(text), "fd00::%x", port + 1);
	else
		snprintf(text, sizeof(text), "10.0.0.%d", port + 1);
	if (options.v6) {
		struct sockaddr_in6 *address = (void *)storage;

		address->sin6_family = AF_INET6;
		address->sin6_port = htons(kPort + flow);
		if (inet_pton(AF_INET6, text, &address->sin6_addr) != 1)
			die("address %s", text);
		return sizeof(*address);
	} else {
		struct sockaddr_in *address = (void *)storage;

		address->sin_family = AF_INET;
		address->sin_port = htons(kPort + flow);
		if (inet_pton(AF_INET, text, &address->sin_addr) != 1)
			die("address %s", text);
		return sizeof(*address);
	}
}

static void set(int socket, int level, int option, int value, const char *name)
{
	if (setsockopt(socket, level, option, &value, sizeof(value)))
		die("%s", name);
}

static int new_socket(void)
{
	int type = options.udp ? SOCK_DGRAM : SOCK_STREAM;
	int made = socket(options.v6 ? AF_INET6 : AF_INET, type | SOCK_CLOEXEC, 0);

	if (made < 0)
		die("socket");
	set(made, SOL_SOCKET, SO_REUSEADDR, 1, "SO_REUSEADDR");
	if (options.udp)
		set(made, SOL_SOCKET, SO_RCVBUFFORCE, 8 << 20, "SO_RCVBUFFORCE");
	if (options.priority)
		set(made, SOL_SOCKET, SO_PRIORITY, options.priority, "SO_PRIORITY");
	if (options.mss)
		set(made, IPPROTO_TCP, TCP_MAXSEG, options.mss, "TCP_MAXSEG");
	if (options.no_checksum)
		set(made, SOL_SOCKET, SO_NO_CHECK, 1, "SO_NO_CHECK");
	if (options.dont_fragment && options.v6)
		set(made, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO, "IPV6_MTU_DISCOVER");
	else if (options.dont_fragment)
		set(made, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO, "IP_MTU_DISCOVER");
	if (options.pieces)
		set(made, SOL_SOCKET, SO_ZEROCOPY, 1, "SO_ZEROCOPY");
	return made;
}

static void connect_flow(struct flow *flow, int from, int to)
{
	struct sockaddr_storage address;
	socklen_t length = address_of(to, flow->index, &address);
	struct timeval patience = { .tv_usec = 100000 };
	int listener;

	enter(to);
	listener = new_socket();
	if (bind(listener, (void *)&address, length))
		die("bind");
	if (!options.udp && listen(listener, 1))
		die("listen");
	enter(from);
	flow->out = new_socket();
	if (connect(flow->out, (void *)&address, length))
		die("connect");
	flow->in = listener;
	if (!options.udp) {
		flow->in = accept(listener, NULL, NULL);
		if (flow->in < 0)
			die("accept");
		close(listener);
	} else if (setsockopt(flow->in, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience))) {
		die("SO_RCVTIMEO");
	}
}

/* ---- sending ---- */

static void forget_zerocopy(int socket)
{
	char control[256];
	struct msghdr message = { .msg_control = control };

	do
		message.msg_controllen = sizeof(control);
	while (recvmsg(socket, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0);
}

/* Where the bytes of a message lie: `count` pieces, from the two copies in turn. */
static unsigned cut(struct iovec *pieces, uint64_t offset, unsigned length, unsigned count)
{
	unsigned used = 0, done = 0;

	if (count > length)
		count = length ? length : 1;
	for (unsigned i = 0; i < count; i++) {
		unsigned part = length / count + (i < length % count);

		pieces[used++] = (struct iovec){ pattern[i & 1] + offset % kPattern + done, part };
		done += part;
	}
	return used;
}

static ssize_t transmit(int socket, struct iovec *pieces, unsigned count)
{
	struct msghdr message = { .msg_iov = pieces, .msg_iovlen = count };
	int flags = MSG_NOSIGNAL | (options.pieces ? MSG_ZEROCOPY : 0);

	for (;;) {
		ssize_t done = sendmsg(socket, &message, flags);
		int error = errno;

		if (options.pieces)
			forget_zerocopy(socket);
		errno = error;
		if (done >= 0 || error != ENOBUFS || !options.pieces)
			return done;
		usleep(1000);
	}
}

static int more(long messages, double end)
{
	return !stop && (options.seconds > 0 ? now() < end : messages < options.messages);
}

static void send_tcp(struct flow *flow)
{
	double end = now() + options.seconds;
	uint64_t offset = flow->index * 7919;

	for (long messages = 0; more(messages, end); messages++) {
		unsigned left = options.size;

		while (left) {
			struct iovec pieces[kMaxPieces];
			ssize_t done;

			if (options.sendfile) {
				off_t place = offset % kPattern;

				done = sendfile(flow->out, pattern_file, &place, left);
			} else {
				done = transmit(flow->out, pieces,
						cut(pieces, offset, left, options.pieces ?: 1));
			}
			if (done <= 0) {
				/* After SIGTERM that is the end that was asked for. */
				if (!stop) {
					perror("payload: send");
					flow->refused++;
				}
				return;
			}
			left -= done;
			offset += done;
			flow->sent += done;
		}
	}
	shutdown(flow->out, SHUT_WR);
}

static void send_udp(struct flow *flow)
{
	double end = now() + options.seconds, progress = now();
	uint64_t given_up = 0, seen = 0;

	for (uint64_t sequence = 0; more(sequence, end); sequence++) {
		uint64_t *header = &flow->sequences[sequence % 4096];
		struct iovec pieces[1 + kMaxPieces];
		unsigned head = options.size < 8 ? options.size : 8;
		unsigned count = 1;

		/* The first goes alone: those that wait for the neighbour's address may be overtaken. */
		while (!stop && flow->sent - given_up >=
		       flow->received + (flow->received ? options.window : 1)) {
			if (flow->received != seen) {
				seen = flow->received;
				progress = now();
			} else if (now() - progress > (options.lossy ? 0.2 : 3)) {
				if (!options.lossy)
					return;
				given_up = flow->sent - flow->received;
				progress = now();
			}
			usleep(50);
		}
		*header = sequence;
		pieces[0] = (struct iovec){ header, head };
		if (options.size > head)
			count += cut(pieces + 1, sequence * 131, options.size - head, options.pieces ?: 1);
		if (transmit(flow->out, pieces, count) < 0) {
			if (!flow->refused++ && !options.lossy)
				perror("payload: send");
			if (!options.lossy)
				return;
			usleep(1000);
			continue;
		}
		flow->sent++;
		progress = flow->sent == 1 ? now() : progress;
	}
}

static void *sender(void *argument)
{
	struct flow *flow = argument;

	if (options.udp)
		send_udp(flow);
	else
		send_tcp(flow);
	flow->all_sent = 1;
	return NULL;
}

/* ---- receiving ---- */

static void damage(struct flow *flow, uint64_t where, unsigned length)
{
	if (!flow->damaged++)
		fprintf(stderr, "payload: flow %u: damaged at %llu, %u bytes\n", flow->index,
			(unsigned long long)where, length);
}

static void receive_tcp(struct flow *flow)
{
	uint64_t offset = flow->index * 7919;
	static __thread uint8_t buffer[kLargest];

	for (;;) {
		ssize_t got = recv(flow->in, buffer, sizeof(buffer), 0);

		if (got <= 0) {
			if (got < 0)
				perror("payload: recv");
			return;
		}
		if (memcmp(buffer, pattern[1] + offset % kPattern, got))
			damage(flow, flow->received, got);
		offset += got;
		flow->received += got;
	}
}

static void receive_udp(struct flow *flow)
{
	uint64_t expected = 0;
	double end = 0;
	static __thread uint8_t buffer[kLargest];

	while (!flow->all_sent || flow->received < flow->sent) {
		ssize_t got = recv(flow->in, buffer, sizeof(buffer), 0);
		uint64_t sequence = expected;
		unsigned head = options.size < 8 ? options.size : 8;

		if (got < 0) {
			if (!flow->all_sent)
				continue;
			if (end == 0)
				end = now() + (options.lossy ? 0.5 : 2);
			if (now() > end)
				return;
			continue;
		}
		if (head == 8)
			memcpy(&sequence, buffer, 8);
		if ((size_t)got != options.size || memcmp(buffer, &sequence, head) ||
		    memcmp(buffer + head, pattern[1] + sequence * 131 % kPattern, options.size - head))
			damage(flow, sequence, got);
		if (sequence < expected)
			flow->reordered++;
		expected = sequence + 1;
		flow->received++;
	}
}

static void *receiver(void *argument)
{
	struct flow *flow = argument;

	if (options.udp)
		receive_udp(flow);
	else
		receive_tcp(flow);
	return NULL;
}

/* ---- verdict ---- */

static int judge(const char *how)
{
	unsigned long long sent = 0, received = 0, damaged = 0, reordered = 0, refused = 0, silent = 0;
	int bad;

	for (unsigned i = 0; i < options.flows; i++) {
		sent += flows[i].sent;
		received += flows[i].received;
		damaged += flows[i].damaged;
		reordered += flows[i].reordered;
		refused += flows[i].refused;
		silent += flows[i].received == 0;
	}
	bad = damaged || *how;
	if (!options.lossy)
		bad = bad || sent != received || reordered || refused || silent;
	if (bad || options.loud)
		printf("payload: %llu %s sent, %llu received, %llu damaged, %llu reordered, %llu refused, "
		       "%llu of %u flows silent%s\n", sent, options.udp ? "messages" : "bytes", received,
		       damaged, reordered, refused, silent, options.flows, how);
	return bad;
}

static void on_term(int number)
{
	(void)number;
	stop = 1;
	for (unsigned i = 0; i < options.flows; i++)
		if (!options.udp)
			shutdown(flows[i].out, SHUT_WR);
}

static void *guard(void *argument)
{
	double end = now() + *(double *)argument;

	while (now() < end)
		usleep(100000);
	_exit(judge(", not finished in time"));
}

int main(int argc, char **argv)
{
	pthread_t watch;
	double limit;
	int option, from, to;

	while ((option = getopt(argc, argv, "u6s:n:d:f:z:Fm:w:CDlp:a:S")) >= 0) {
		switch (option) {
		case 'u': options.udp = 1; break;
		case '6': options.v6 = 1; break;
		case 's': options.size = strtoul(optarg, NULL, 0); break;
		case 'n': options.messages = strtol(optarg, NULL, 0); break;
		case 'd': options.seconds = strtod(optarg, NULL); break;
		case 'f': options.flows = strtoul(optarg, NULL, 0); break;
		case 'z': options.pieces = strtoul(optarg, NULL, 0); break;
		case 'F': options.sendfile = 1; break;
		case 'm': options.mss = atoi(optarg); break;
		case 'w': options.window = strtoul(optarg, NULL, 0); break;
		case 'C': options.no_checksum = 1; break;
		case 'D': options.dont_fragment = 1; break;
		case 'l': options.lossy = 1; break;
		case 'p': options.priority = atoi(optarg); break;
		case 'a': options.address = optarg; break;
		case 'S': options.loud = 1; break;
		default: return 2;
		}
	}
	if (argc - optind != 2 || !options.size || options.size > kLargest || !options.flows ||
	    options.flows > kMaxFlows || options.pieces > kMaxPieces || options.window > 4096) {
		fprintf(stderr, "usage: payload [OPTION...] FROM TO (see the source)\n");
		return 2;
	}
	if (options.size < 8)
		options.window = 1; /* no room for a number: one after the other */
	from = atoi(argv[optind]);
	to = atoi(argv[optind + 1]);

	make_pattern();
	limit = options.seconds + 25;
	for (unsigned i = 0; i < options.flows; i++) {
		flows[i].index = i;
		connect_flow(&flows[i], from, to);
	}
	signal(SIGTERM, on_term);
	pthread_create(&watch, NULL, guard, &limit);
	for (unsigned i = 0; i < options.flows; i++) {
		pthread_create(&flows[i].receiver, NULL, receiver, &flows[i]);
		pthread_create(&flows[i].sender, NULL, sender, &flows[i]);
	}
	for (unsigned i = 0; i < options.flows; i++) {
		pthread_join(flows[i].sender, NULL);
		pthread_join(flows[i].receiver, NULL);
	}
	return judge("");
}
