/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Two hosts on two netdevs: one in the network namespace of the case, the other in one of its own,
 * so that what they send each other really leaves. Sockets of the kernel. Process context.
 */
#ifndef KUNIT_SOCKETS_H
#define KUNIT_SOCKETS_H

#include "shim/types.h"

SHIM_BEGIN

struct kunit_hosts;

/*
 * Moves `far` to another namespace, opens both netdevs and gives them 10.77.0.1 and .2, and
 * fd77::1 and ::2 (in /64 and /24). NULL if that fails. destroy() closes them and brings `far`
 * back; false if it does not come.
 */
struct kunit_hosts *kunit_hosts_create(struct net_device *near, struct net_device *far);
bool kunit_hosts_destroy(struct kunit_hosts *hosts);
/* A line of shell at one of the hosts; see kunit_helper(). $DEV is the name of its netdev. */
int kunit_hosts_shell(struct kunit_hosts *hosts, bool far, const char *line);

struct kunit_socket;

/* Datagrams between two ports: connected both ways. `subnet` 0: the netdevs' own addresses; n: of
 * 10.77.n.0/24. Each wait is bounded by some seconds. */
struct kunit_socket *kunit_udp_open(struct kunit_hosts *hosts, bool far, bool ipv6, u32 subnet,
				    u16 port, u16 to_port);
/* A connection from near to far, both ends of it. False if there is none. */
bool kunit_tcp_open(struct kunit_hosts *hosts, bool ipv6, u32 subnet, u16 port,
		    struct kunit_socket **near, struct kunit_socket **far);
void kunit_socket_close(struct kunit_socket *socket);

/* The number of bytes, or a negative errno: -EAGAIN if there is no room, or nothing came. */
int kunit_socket_send(struct kunit_socket *socket, const void *bytes, u32 length);
int kunit_socket_receive(struct kunit_socket *socket, void *bytes, u32 length, u32 milliseconds);

SHIM_END

#endif
