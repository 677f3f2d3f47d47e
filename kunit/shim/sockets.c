// SPDX-License-Identifier: GPL-2.0
/* Two hosts on two netdevs: sockets.h. */

#include <linux/delay.h>
#include <linux/in.h>
#include <linux/in6.h>
#include <linux/inet.h>
#include <linux/net.h>
#include <linux/netdevice.h>
#include <linux/rtnetlink.h>
#include <linux/slab.h>
#include <linux/socket.h>
#include <net/ipv6.h>
#include <net/net_namespace.h>
#include <net/sock.h>

#include "kunit/shim/helper.h"
#include "kunit/shim/sockets.h"

#define PATIENCE_MS 5000

struct kunit_hosts {
	struct net_device *netdev[2];
};

struct kunit_socket {
	struct socket *socket;
};

int kunit_hosts_shell(struct kunit_hosts *hosts, bool far, const char *line)
{
	char *whole = kasprintf(GFP_KERNEL, "%s busybox sh -ec 'DEV=%s\n%s'",
				far ? "busybox nsenter -t $(busybox cat /run/kunit-far) -n" : "",
				netdev_name(hosts->netdev[far]), line);
	int status = whole ? kunit_helper(whole) : -ENOMEM;

	kfree(whole);
	return status;
}

static bool in_init_net(struct net_device *netdev)
{
	bool in;

	rtnl_lock();
	in = net_eq(dev_net(netdev), &init_net);
	rtnl_unlock();
	return in;
}

/* A namespace lives as long as its process. */
static bool leave(struct kunit_hosts *hosts)
{
	char line[160];
	int status;

	snprintf(line, sizeof(line),
		 "busybox unshare -n busybox sleep 3600 & echo $! >/run/kunit-far\n"
		 "busybox sleep 1\n"
		 "busybox ip link set %s netns $(busybox cat /run/kunit-far)",
		 netdev_name(hosts->netdev[1]));
	status = kunit_helper(line);
	return !status && !in_init_net(hosts->netdev[1]);
}

/* No frames but those of the case: IPv6 would announce itself, and look for others. */
static int configure(struct kunit_hosts *hosts, bool far)
{
	char line[400];

	snprintf(line, sizeof(line),
		 "cd /proc/sys/net/ipv6/conf/$DEV\n"
		 "echo 0 >accept_dad; echo 0 >router_solicitations; echo 0 >accept_ra\n"
		 "echo 1 >addr_gen_mode\n"
		 "busybox ip link set lo up; busybox ip link set $DEV up\n"
		 "busybox ip addr add 10.77.0.%u/24 dev $DEV\n"
		 "busybox ip -6 addr add fd77::%u/64 dev $DEV",
		 far + 1, far + 1);
	return kunit_hosts_shell(hosts, far, line);
}

struct kunit_hosts *kunit_hosts_create(struct net_device *near, struct net_device *far)
{
	struct kunit_hosts *hosts = kzalloc(sizeof(*hosts), GFP_KERNEL);

	if (!hosts)
		return NULL;
	hosts->netdev[0] = near;
	hosts->netdev[1] = far;
	if (leave(hosts) && !configure(hosts, false) && !configure(hosts, true))
		return hosts;
	kunit_hosts_destroy(hosts);
	return NULL;
}

bool kunit_hosts_destroy(struct kunit_hosts *hosts)
{
	struct net_device *far = hosts->netdev[1];
	u32 waited = 0;
	char line[96];
	bool back;

	kunit_helper("busybox kill $(busybox cat /run/kunit-far); busybox rm /run/kunit-far");
	/* A namespace that ends gives its devices back, some time later. */
	while (!in_init_net(far) && waited++ < PATIENCE_MS / 10)
		msleep(10);
	back = in_init_net(far);
	snprintf(line, sizeof(line), "busybox ip addr flush dev %s; busybox ip link set %s down",
		 netdev_name(hosts->netdev[0]), netdev_name(hosts->netdev[0]));
	kunit_helper(line);
	kfree(hosts);
	return back;
}

/* --- sockets --- */

struct address {
	struct sockaddr_storage storage;
	int length;
};

static struct address address_of(bool far, bool ipv6, u32 subnet, u16 port)
{
	struct address address = {};

	if (ipv6) {
		struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&address.storage;

		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		in6->sin6_addr.s6_addr[0] = 0xfd;
		in6->sin6_addr.s6_addr[1] = 0x77;
		in6->sin6_addr.s6_addr[15] = far + 1;
		address.length = sizeof(*in6);
	} else {
		struct sockaddr_in *in = (struct sockaddr_in *)&address.storage;

		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		in->sin_addr.s_addr = htonl(10 << 24 | 77 << 16 | subnet << 8 | (far + 1));
		address.length = sizeof(*in);
	}
	return address;
}

static struct kunit_socket *adopt(struct socket *socket)
{
	struct kunit_socket *mine = kzalloc(sizeof(*mine), GFP_KERNEL);

	if (!mine) {
		sock_release(socket);
		return NULL;
	}
	mine->socket = socket;
	socket->sk->sk_rcvtimeo = msecs_to_jiffies(PATIENCE_MS);
	socket->sk->sk_sndtimeo = msecs_to_jiffies(PATIENCE_MS);
	return mine;
}

static struct socket *bound(struct kunit_hosts *hosts, bool far, bool ipv6, int type, u32 subnet,
			    u16 port)
{
	struct address address = address_of(far, ipv6, subnet, port);
	struct socket *socket;

	if (sock_create_kern(dev_net(hosts->netdev[far]), ipv6 ? AF_INET6 : AF_INET, type, 0,
			     &socket))
		return NULL;
	sock_set_reuseaddr(socket->sk);
	socket->sk->sk_sndtimeo = msecs_to_jiffies(PATIENCE_MS);
	socket->sk->sk_rcvtimeo = msecs_to_jiffies(PATIENCE_MS);
	if (!kernel_bind(socket, (struct sockaddr *)&address.storage, address.length))
		return socket;
	sock_release(socket);
	return NULL;
}

static int join(struct socket *socket, bool far, bool ipv6, u32 subnet, u16 port)
{
	struct address address = address_of(far, ipv6, subnet, port);

	return kernel_connect(socket, (struct sockaddr *)&address.storage, address.length, 0);
}

struct kunit_socket *kunit_udp_open(struct kunit_hosts *hosts, bool far, bool ipv6, u32 subnet,
				    u16 port, u16 to_port)
{
	struct socket *socket = bound(hosts, far, ipv6, SOCK_DGRAM, subnet, port);

	if (!socket)
		return NULL;
	if (!join(socket, !far, ipv6, subnet, to_port))
		return adopt(socket);
	sock_release(socket);
	return NULL;
}

bool kunit_tcp_open(struct kunit_hosts *hosts, bool ipv6, u32 subnet, u16 port,
		    struct kunit_socket **near, struct kunit_socket **far)
{
	struct socket *listener = bound(hosts, true, ipv6, SOCK_STREAM, subnet, port);
	struct socket *client = bound(hosts, false, ipv6, SOCK_STREAM, subnet, 0);
	struct socket *server = NULL;
	bool good = listener && client && !kernel_listen(listener, 1) &&
		    !join(client, true, ipv6, subnet, port) && !kernel_accept(listener, &server, 0);

	*near = *far = NULL;
	if (listener)
		sock_release(listener);
	if (good) {
		*near = adopt(client);
		*far = adopt(server);
		return *near && *far;
	}
	if (client)
		sock_release(client);
	return false;
}

void kunit_socket_close(struct kunit_socket *socket)
{
	sock_release(socket->socket);
	kfree(socket);
}

int kunit_socket_send(struct kunit_socket *socket, const void *bytes, u32 length)
{
	struct kvec part = {.iov_base = (void *)bytes, .iov_len = length};
	struct msghdr message = {.msg_flags = MSG_DONTWAIT | MSG_NOSIGNAL};

	return kernel_sendmsg(socket->socket, &message, &part, 1, length);
}

int kunit_socket_receive(struct kunit_socket *socket, void *bytes, u32 length, u32 milliseconds)
{
	struct kvec part = {.iov_base = bytes, .iov_len = length};
	struct msghdr message = {};

	if (!milliseconds)
		return kernel_recvmsg(socket->socket, &message, &part, 1, length, MSG_DONTWAIT);
	socket->socket->sk->sk_rcvtimeo = max(msecs_to_jiffies(milliseconds), 1ul);
	return kernel_recvmsg(socket->socket, &message, &part, 1, length, 0);
}
