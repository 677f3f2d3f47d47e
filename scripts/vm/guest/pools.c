/* SPDX-License-Identifier: GPL-2.0 */
/*
 * pools: the page pools of this network namespace's devices, one per line:
 *
 *     id=3 ifindex=4 napi=513 inflight=256 memory=1048576 detached=no
 *
 * A pool whose device is gone is listed in the namespace of the loopback device until its last page
 * came back ("detached=yes"); its interface index is then the loopback's.
 */
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* From the kernel's "netdev" family, which is younger than the C library's headers. */
enum { kPagePoolGet = 5 };
enum { kId = 1, kInterface, kNapi, kInflight, kMemory, kDetached, kAttributes };

static int socket_;
static char buffer_[65536] __attribute__((aligned(8)));

static int request(uint16_t type, uint16_t flags, uint8_t command, const char *family)
{
	struct {
		struct nlmsghdr header;
		struct genlmsghdr generic;
		struct nlattr attribute;
		char name[GENL_NAMSIZ];
	} message = {
		.header = { .nlmsg_type = type, .nlmsg_flags = NLM_F_REQUEST | flags },
		.generic = { .cmd = command, .version = 1 },
	};
	size_t length = NLMSG_LENGTH(GENL_HDRLEN);

	if (family) {
		message.attribute.nla_type = CTRL_ATTR_FAMILY_NAME;
		message.attribute.nla_len = NLA_HDRLEN + strlen(family) + 1;
		strcpy(message.name, family);
		length += NLA_ALIGN(message.attribute.nla_len);
	}
	message.header.nlmsg_len = length;
	return send(socket_, &message, length, 0) == (ssize_t)length ? 0 : -1;
}

/* The attributes of one answer as numbers, by type. */
static void parse(const struct nlmsghdr *header, uint64_t *values, uint32_t *present, int count)
{
	const char *at = (const char *)NLMSG_DATA(header) + GENL_HDRLEN;
	const char *end = (const char *)header + header->nlmsg_len;

	*present = 0;
	while (at + NLA_HDRLEN <= end) {
		const struct nlattr *attribute = (const void *)at;
		int type = attribute->nla_type & NLA_TYPE_MASK;
		size_t size = attribute->nla_len - NLA_HDRLEN;

		if (attribute->nla_len < NLA_HDRLEN || at + attribute->nla_len > end)
			break;
		if (type < count && size <= sizeof(values[0])) {
			values[type] = 0;
			memcpy(&values[type], at + NLA_HDRLEN, size);
			*present |= 1u << type;
		}
		at += NLA_ALIGN(attribute->nla_len);
	}
}

static int find_family(void)
{
	uint64_t values[CTRL_ATTR_MAX + 1];
	uint32_t present;
	ssize_t length;

	if (request(GENL_ID_CTRL, 0, CTRL_CMD_GETFAMILY, "netdev"))
		return -1;
	length = recv(socket_, buffer_, sizeof(buffer_), 0);
	if (length <= 0 || ((struct nlmsghdr *)buffer_)->nlmsg_type == NLMSG_ERROR)
		return -1;
	parse((struct nlmsghdr *)buffer_, values, &present, CTRL_ATTR_MAX + 1);
	return present & 1u << CTRL_ATTR_FAMILY_ID ? (int)values[CTRL_ATTR_FAMILY_ID] : -1;
}

static void print_pool(const struct nlmsghdr *header)
{
	uint64_t values[kAttributes] = { 0 };
	uint32_t present;

	parse(header, values, &present, kAttributes);
	printf("id=%llu ifindex=%llu napi=%llu inflight=%llu memory=%llu detached=%s\n",
	       (unsigned long long)values[kId], (unsigned long long)values[kInterface],
	       (unsigned long long)values[kNapi], (unsigned long long)values[kInflight],
	       (unsigned long long)values[kMemory], present & 1u << kDetached ? "yes" : "no");
}

int main(void)
{
	int family;

	socket_ = socket(AF_NETLINK, SOCK_RAW, NETLINK_GENERIC);
	family = socket_ < 0 ? -1 : find_family();
	if (family < 0 || request(family, NLM_F_DUMP, kPagePoolGet, NULL)) {
		fprintf(stderr, "pools: this kernel does not list page pools\n");
		return 1;
	}
	for (;;) {
		ssize_t length = recv(socket_, buffer_, sizeof(buffer_), 0);
		const struct nlmsghdr *header = (const void *)buffer_;

		if (length <= 0)
			return 1;
		for (; NLMSG_OK(header, length); header = NLMSG_NEXT(header, length)) {
			if (header->nlmsg_type == NLMSG_DONE)
				return 0;
			if (header->nlmsg_type == NLMSG_ERROR)
				return 1;
			print_pool(header);
		}
	}
}
