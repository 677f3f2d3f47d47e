/* SPDX-License-Identifier: GPL-2.0 */
/*
 * datagrams: prints what arrives at a UDP port, datagram after datagram, until it is told to end.
 *
 *     datagrams PORT UDP_PORT
 *
 * In the namespace of PORT. Its socket holds many datagrams unread while it is stopped (SIGSTOP).
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	static char datagram[65536], path[64];
	int file, socket_, size = 8 << 20;

	if (argc != 3)
		return 2;
	snprintf(path, sizeof(path), "/run/netns/p%s", argv[1]);
	file = open(path, O_RDONLY | O_CLOEXEC);
	if (file < 0 || setns(file, CLONE_NEWNET)) {
		perror(path);
		return 2;
	}
	address.sin_port = htons(atoi(argv[2]));
	socket_ = socket(AF_INET, SOCK_DGRAM, 0);
	setsockopt(socket_, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (bind(socket_, (void *)&address, sizeof(address))) {
		perror("bind");
		return 2;
	}
	for (;;) {
		ssize_t length = recv(socket_, datagram, sizeof(datagram), 0);

		if (length < 0 || write(STDOUT_FILENO, datagram, length) != length) {
			perror("datagrams");
			return 2;
		}
	}
}
