/* SPDX-License-Identifier: GPL-2.0 */
/* Contexts beside the case's own: interrupts, another thread, a NAPI. Process context. */
#ifndef KUNIT_CONTEXTS_H
#define KUNIT_CONTEXTS_H

#include "shim/types.h"

SHIM_BEGIN

/* Calls it in a hard interrupt, and returns when that is over. */
void kunit_call_in_interrupt(void (*call)(void *argument), void *argument);

/* Calls it with bottom halves off, as a NAPI poll runs. */
void kunit_call_in_softirq(void (*call)(void *argument), void *argument);

/* What the driver does in its poll may be done between the two. Any context. */
void kunit_softirqs_off(void);
void kunit_softirqs_on(void);

/* Any context. */
bool kunit_interrupts_off(void);
bool kunit_in_interrupt(void);

/* A thread of its own; NULL if there is none. join() waits for its end; false, and it stays, if it
 * does not come to one in a minute. */
struct kunit_thread *kunit_thread_start(void (*run)(void *argument), void *argument);
bool kunit_thread_join(struct kunit_thread *thread);

/* An enabled NAPI of a netdev that does nothing else; NULL without memory. */
struct kunit_napi *kunit_napi_create(void);
void kunit_napi_destroy(struct kunit_napi *napi);
struct napi_struct *kunit_napi_of(struct kunit_napi *napi);
/* How often it was polled; a poll that was asked for is waited for. */
u32 kunit_napi_polls(struct kunit_napi *napi);

SHIM_END

#endif
