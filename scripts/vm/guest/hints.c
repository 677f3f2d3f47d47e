/* SPDX-License-Identifier: GPL-2.0 */
/*
 * hints: what an XDP program that is bound to a port is told of the frames while a command runs.
 *
 *     hints PORT COMMAND...
 *
 * Prints: frames=N hashes=N l4=N tags=N hash=LAST tag=LAST. Status: the command's.
 *
 * The program calls functions of the kernel by their numbers in its type information, which no
 * loader in the guest is young enough for; so it is put together here.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <linux/btf.h>
#include <net/if.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* Younger than the C library's headers. */
enum { kBoundToDevice = 1 << 6 };

struct seen {
	uint64_t frames, hashes, l4, tags;
	uint32_t hash, tag;
};

static void die(const char *what)
{
	fprintf(stderr, "hints: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int bpf(int command, union bpf_attr *attributes)
{
	return syscall(SYS_bpf, command, attributes, sizeof(*attributes));
}

/* The number of a function of the kernel. */
static int function(const char *name)
{
	static const unsigned extra[][2] = { /* bytes behind a type: always, for each member */
		[BTF_KIND_INT] = { 4, 0 },	 [BTF_KIND_ARRAY] = { 12, 0 },
		[BTF_KIND_STRUCT] = { 0, 12 },	 [BTF_KIND_UNION] = { 0, 12 },
		[BTF_KIND_ENUM] = { 0, 8 },	 [BTF_KIND_FUNC_PROTO] = { 0, 8 },
		[BTF_KIND_VAR] = { 4, 0 },	 [BTF_KIND_DATASEC] = { 0, 12 },
		[BTF_KIND_DECL_TAG] = { 4, 0 },	 [BTF_KIND_ENUM64] = { 0, 12 },
	};
	static char *all;
	const struct btf_header *header;
	const char *strings, *at, *end;

	if (!all) {
		int file = open("/sys/kernel/btf/vmlinux", O_RDONLY);
		struct stat stat;
		ssize_t done = 0, got = 1;

		if (file < 0 || fstat(file, &stat) || !(all = malloc(stat.st_size)))
			die("/sys/kernel/btf/vmlinux");
		while (got > 0 && done < stat.st_size) {
			got = read(file, all + done, stat.st_size - done);
			done += got;
		}
		if (done != stat.st_size)
			die("/sys/kernel/btf/vmlinux");
		close(file);
	}
	header = (const struct btf_header *)all;
	strings = all + header->hdr_len + header->str_off;
	at = all + header->hdr_len + header->type_off;
	end = at + header->type_len;
	for (int id = 1; at < end; id++) {
		const struct btf_type *type = (const struct btf_type *)at;
		unsigned kind = BTF_INFO_KIND(type->info);

		if (kind >= sizeof(extra) / sizeof(extra[0]))
			break;
		if (kind == BTF_KIND_FUNC && strcmp(strings + type->name_off, name) == 0)
			return id;
		at += sizeof(*type) + extra[kind][0] + extra[kind][1] * BTF_INFO_VLEN(type->info);
	}
	errno = ENOENT;
	die(name);
	return 0;
}

#define INSN(c, d, s, o, i) { .code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i) }
#define MOV(d, s)	    INSN(BPF_ALU64 | BPF_MOV | BPF_X, d, s, 0, 0)
#define SET(d, i)	    INSN(BPF_ALU64 | BPF_MOV | BPF_K, d, 0, 0, i)
#define ADD(d, i)	    INSN(BPF_ALU64 | BPF_ADD | BPF_K, d, 0, 0, i)
#define AND(d, i)	    INSN(BPF_ALU64 | BPF_AND | BPF_K, d, 0, 0, i)
#define LOAD(size, d, s, o) INSN(BPF_LDX | BPF_MEM | (size), d, s, o, 0)
#define STORE(size, d, o, s) INSN(BPF_STX | BPF_MEM | (size), d, s, o, 0)
#define ZERO(o)		    INSN(BPF_ST | BPF_MEM | BPF_W, 10, 0, o, 0)
#define JUMP(op, d, i, to)  INSN(BPF_JMP | (op) | BPF_K, d, 0, to, i)
#define HELPER(i)	    INSN(BPF_JMP | BPF_CALL, 0, 0, 0, i)
#define KERNEL(i)	    INSN(BPF_JMP | BPF_CALL, 0, BPF_PSEUDO_KFUNC_CALL, 0, i)
#define COUNT(member)                                                                              \
	LOAD(BPF_DW, 1, 7, offsetof(struct seen, member)), ADD(1, 1),                              \
		STORE(BPF_DW, 7, offsetof(struct seen, member), 1)

static int load(int map, unsigned interface)
{
	static char log[1 << 16];
	enum { kHash = -4, kKinds = -8, kProtocol = -12, kTag = -16, kKey = -20, kL4 = 1 << 3 };
	const struct bpf_insn code[] = {
		MOV(6, 1),
		ZERO(kHash),
		ZERO(kKinds),
		ZERO(kProtocol),
		ZERO(kTag),
		ZERO(kKey),
		INSN(BPF_LD | BPF_DW | BPF_IMM, 1, BPF_PSEUDO_MAP_FD, 0, map),
		INSN(0, 0, 0, 0, 0),
		MOV(2, 10),
		ADD(2, kKey),
		HELPER(BPF_FUNC_map_lookup_elem),
		JUMP(BPF_JEQ, 0, 0, 34), /* to the end */
		MOV(7, 0),
		COUNT(frames),
		MOV(1, 6),
		MOV(2, 10),
		ADD(2, kHash),
		MOV(3, 10),
		ADD(3, kKinds),
		KERNEL(function("bpf_xdp_metadata_rx_hash")),
		JUMP(BPF_JNE, 0, 0, 11), /* to the tag */
		COUNT(hashes),
		LOAD(BPF_W, 1, 10, kHash),
		STORE(BPF_W, 7, offsetof(struct seen, hash), 1),
		LOAD(BPF_W, 1, 10, kKinds),
		AND(1, kL4),
		JUMP(BPF_JEQ, 1, 0, 3),
		COUNT(l4),
		MOV(1, 6),
		MOV(2, 10),
		ADD(2, kProtocol),
		MOV(3, 10),
		ADD(3, kTag),
		KERNEL(function("bpf_xdp_metadata_rx_vlan_tag")),
		JUMP(BPF_JNE, 0, 0, 5),
		COUNT(tags),
		LOAD(BPF_H, 1, 10, kTag),
		STORE(BPF_W, 7, offsetof(struct seen, tag), 1),
		SET(0, XDP_PASS),
		INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0),
	};
	union bpf_attr attributes = {
		.prog_type = BPF_PROG_TYPE_XDP,
		.expected_attach_type = BPF_XDP,
		.insn_cnt = sizeof(code) / sizeof(code[0]),
		.insns = (uintptr_t)code,
		.license = (uintptr_t) "GPL",
		.log_level = 1,
		.log_size = sizeof(log),
		.log_buf = (uintptr_t)log,
		.prog_flags = kBoundToDevice,
		.prog_ifindex = interface,
	};
	int program = bpf(BPF_PROG_LOAD, &attributes);

	if (program < 0) {
		fputs(log, stderr);
		die("the kernel refuses the program");
	}
	return program;
}

int main(int count, char **words)
{
	union bpf_attr map_attributes = {
		.map_type = BPF_MAP_TYPE_ARRAY,
		.key_size = sizeof(uint32_t),
		.value_size = sizeof(struct seen),
		.max_entries = 1,
	};
	union bpf_attr link_attributes = { .link_create = { .attach_type = BPF_XDP } };
	union bpf_attr look_attributes = {};
	struct seen seen = {};
	uint32_t key = 0;
	char path[64];
	int home, there, map, link, status;
	pid_t child;

	if (count < 3) {
		fprintf(stderr, "usage: hints PORT COMMAND...\n");
		return 2;
	}
	home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	snprintf(path, sizeof(path), "/run/netns/p%s", words[1]);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (home < 0 || there < 0 || setns(there, CLONE_NEWNET))
		die(path);
	map = bpf(BPF_MAP_CREATE, &map_attributes);
	if (map < 0)
		die("no map");
	link_attributes.link_create.target_ifindex = if_nametoindex("nic");
	link_attributes.link_create.prog_fd = load(map, link_attributes.link_create.target_ifindex);
	link = bpf(BPF_LINK_CREATE, &link_attributes);
	if (link < 0)
		die("the port refuses the program");
	if (setns(home, CLONE_NEWNET))
		die("setns");

	child = fork();
	if (child == 0) {
		execvp(words[2], words + 2);
		die(words[2]);
	}
	if (child < 0 || waitpid(child, &status, 0) != child)
		die(words[2]);
	look_attributes.map_fd = map;
	look_attributes.key = (uintptr_t)&key;
	look_attributes.value = (uintptr_t)&seen;
	if (bpf(BPF_MAP_LOOKUP_ELEM, &look_attributes))
		die("the map");
	printf("frames=%llu hashes=%llu l4=%llu tags=%llu hash=%u tag=%u\n",
	       (unsigned long long)seen.frames, (unsigned long long)seen.hashes,
	       (unsigned long long)seen.l4, (unsigned long long)seen.tags, seen.hash, seen.tag);
	close(link);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
