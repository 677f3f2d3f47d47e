/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The interface between a host (QEMU, a KUnit kernel, a unit test) and a device model of the
 * Microsoft Azure Network Adapter.
 *
 * A host owns the PCI function, guest memory, interrupts, time and network backends. A model owns
 * everything the function does: registers, mailbox, hardware channel, queues and frames. Either
 * side can be replaced without rebuilding the other; this header is the whole contract, and
 * Documentation/virtual-nic.md explains it with an example.
 *
 * Threads:   the host serialises every call into one model instance. A model calls its host only
 *            from inside such a call, on the same thread. A host callback may not re-enter the
 *            model; requests for later work go through schedule() and run_at().
 * Memory:    all addresses are DMA addresses as the guest programs them. A model must treat guest
 *            memory as hostile: it may change between two reads.
 * Versions:  VNIC_ABI_VERSION changes when an existing member changes meaning. Structures carry
 *            their size, so that members can be added at the end: a reader must not touch a member
 *            that lies beyond the size it was given.
 *
 * Compiles as C11 and as C++20, freestanding.
 */
#ifndef VNIC_DEVICE_MODEL_H
#define VNIC_DEVICE_MODEL_H

#ifndef __KERNEL__
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#endif

#ifdef __cplusplus
extern "C" {
#endif

#define VNIC_ABI_VERSION 1u
#define VNIC_MAX_PORTS 16u
#define VNIC_MAX_QUEUES 16u

struct vnic_model; /* one device instance, opaque to the host */

enum vnic_log_level {
	VNIC_LOG_ERROR = 0,   /* the model itself is in trouble */
	VNIC_LOG_GUEST = 1,   /* the guest broke a rule; at most a few lines per second */
	VNIC_LOG_TRACE = 2,   /* commands and lifecycle, for people */
};

/* What a host provides. Valid from create() until destroy() returned. */
struct vnic_host {
	uint32_t size; /* sizeof(struct vnic_host) */
	void *opaque;  /* first argument of every callback */

	/* Copies guest memory. False, with nothing transferred that matters, if any byte of
	 * [address, address + length) is not ordinary guest memory. length may be 0. */
	bool (*dma_read)(void *opaque, uint64_t address, void *to, size_t length);
	bool (*dma_write)(void *opaque, uint64_t address, const void *from, size_t length);

	/* True if the range is ordinary guest memory now. Transfers nothing. */
	bool (*dma_valid)(void *opaque, uint64_t address, uint64_t length);

	/* Sends the MSI-X message of a vector. Ignored by the host when masked or disabled. */
	void (*raise_msix)(void *opaque, uint32_t vector);

	/* Guest-visible time in nanoseconds, monotonic. */
	uint64_t (*now)(void *opaque);

	/* Asks for one run() as soon as the host is idle. Several requests may be merged. */
	void (*schedule)(void *opaque);

	/* Asks for one run() at or after `deadline` (clock of now()). Replaces an earlier request;
	 * UINT64_MAX cancels it. */
	void (*run_at)(void *opaque, uint64_t deadline);

	/* Hands a frame (no FCS) to the backend of an external port. The host copies it. */
	void (*transmit)(void *opaque, uint32_t port, const void *frame, size_t length);

	/* Zeroed memory, or NULL. Alignment 64. */
	void *(*allocate)(void *opaque, size_t length);
	void (*release)(void *opaque, void *memory);

	/* One line of text without a newline. */
	void (*log)(void *opaque, enum vnic_log_level level, const char *text);
};

/* What a person configured. */
struct vnic_config {
	uint32_t size; /* sizeof(struct vnic_config) */
	uint32_t ports; /* vPorts, 1..VNIC_MAX_PORTS */
	uint32_t queues; /* queue pairs of each vPort, 1..VNIC_MAX_QUEUES */
	uint32_t mtu; /* largest interface MTU (frame length - 14), 1500..9216 */
	uint32_t
		external_ports; /* bit n: port n has a backend, and is not on the internal switch */
	uint8_t mac[6]; /* of port 0; port n adds n to the last three octets */
	uint8_t reserved[2];
	const char *options; /* model-specific "key=value,..." text; NULL or "" for none */
};

/* What a model needs from PCI; the model fills it in during create(). */
struct vnic_geometry {
	uint32_t size; /* sizeof(struct vnic_geometry), set by the host */
	uint32_t msix_vectors;
	uint64_t bar0_size; /* bytes, a power of two >= 4096 */
};

/* What a model provides. */
struct vnic_model_ops {
	uint32_t abi_version; /* VNIC_ABI_VERSION the model was built for */
	uint32_t size; /* sizeof(struct vnic_model_ops) */
	const char *name; /* for messages, e.g. "mana reference model" */

	/* NULL on failure, with a sentence for the person in `error` (always terminated). Host and
	 * config may be copied: they need not outlive the call, but the callbacks' opaque must. */
	struct vnic_model *(*create)(const struct vnic_host *host, const struct vnic_config *config,
				     struct vnic_geometry *geometry, char *error,
				     size_t error_size);
	void (*destroy)(struct vnic_model *model);

	/* Function level reset: back to the state after create(), configuration kept. */
	void (*reset)(struct vnic_model *model);

	/* BAR0 accesses; size is 1, 2, 4 or 8, offset naturally aligned. Values are little-endian
	 * numbers. Reads of nothing answer all ones. Writes return quickly: work is deferred to
	 * run() with schedule(). */
	uint64_t (*read)(struct vnic_model *model, uint64_t offset, uint32_t size);
	void (*write)(struct vnic_model *model, uint64_t offset, uint64_t value, uint32_t size);

	/* Deferred work. Does a bounded amount and calls schedule() if something is left. */
	void (*run)(struct vnic_model *model);

	/* A frame (no FCS) from the backend of an external port; the model copies what it needs.
	 * False if it was dropped (counted by the model). */
	bool (*receive)(struct vnic_model *model, uint32_t port, const void *frame, size_t length);

	/* The wire of a port went up or down. */
	void (*set_link)(struct vnic_model *model, uint32_t port, bool up);

	/* A line of text in, a line of text out (terminated, cut to reply_size). "objects" must be
	 * understood by every model and answers a JSON object with the number of live guest-created
	 * objects by kind: {"hwc":0,"regions":0,"eqs":0,"cqs":0,"sqs":0,"rqs":0,"registered":0}.
	 * "help" lists what else there is. False if the command is unknown or malformed. */
	bool (*control)(struct vnic_model *model, const char *command, char *reply,
			size_t reply_size);
};

/* The one symbol a model exports. NULL if it cannot serve the host's ABI version. */
const struct vnic_model_ops *vnic_model_get(uint32_t host_abi_version);

#ifdef __cplusplus
}
#endif

#endif /* VNIC_DEVICE_MODEL_H */
