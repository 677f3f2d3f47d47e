/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The IOMMU of a function in software. Stricter than any real one: streaming mappings are copies,
 * so that a forgotten sync shows; no address is ever used twice; each 64 bytes of a mapping belong
 * to the CPU or to the device.
 */
#ifndef KUNIT_IOMMU_H
#define KUNIT_IOMMU_H

#include "kunit/shim/function.h"

SHIM_BEGIN

struct kunit_iommu;

struct kunit_iommu *kunit_iommu_create(void);
/* Reports mappings that are left. Nothing may be in flight. */
void kunit_iommu_destroy(struct kunit_iommu *iommu);
/* From now on `dev` maps through it. */
void kunit_iommu_attach(struct kunit_iommu *iommu, struct device *dev);

/* --- for devices --- */

/* Copies, or says whether it could. False, and counted as an error of the driver's unless allowed,
 * if any byte is not mapped for that direction, or is the CPU's now. */
bool kunit_dma_read(struct kunit_function *function, u64 address, void *to, size_t bytes);
bool kunit_dma_write(struct kunit_function *function, u64 address, const void *from, size_t bytes);
bool kunit_dma_valid(struct kunit_function *function, u64 address, u64 bytes);

/* --- for cases --- */

/* A case whose device uses addresses that it must not: no error; kunit_dma_faults() counts them. */
void kunit_dma_allow_faults(struct kunit_function *function);
u64 kunit_dma_faults(const struct kunit_function *function);

/* Live mappings: of coherent memory, and streaming ones. */
u32 kunit_dma_coherent(const struct kunit_function *function);
u32 kunit_dma_streaming(const struct kunit_function *function);
/* Memory behind a coherent address, while it lives; NULL if there is none. */
void *kunit_dma_memory(struct kunit_function *function, u64 address);

/* Streaming mappings and unmappings since the function exists, and calls of sync. */
struct kunit_dma_calls {
	u64 maps;
	u64 unmaps;
	u64 syncs_for_cpu;
	u64 syncs_for_device;
};
void kunit_dma_get_calls(const struct kunit_function *function, struct kunit_dma_calls *calls);

/* The n-th streaming mapping from now on fails, 1 is the next; 0: none. */
#define KUNIT_ALL_MAPPINGS (~0u)
void kunit_dma_fail_nth(struct kunit_function *function, u32 n);
/* Coherent memory of more bytes is not to be had in one piece; 0: it is. */
void kunit_dma_limit_coherent(struct kunit_function *function, size_t bytes);
/* All of them do. */
void kunit_dma_fail_all(struct kunit_function *function, bool on);
/* How many more would have to come; 0: it has failed. */
u32 kunit_dma_fail_nth_left(const struct kunit_function *function);

SHIM_END

#endif
