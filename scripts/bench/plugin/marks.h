/* SPDX-License-Identifier: GPL-2.0 */
/*
 * How a program in the guest talks to the counting plugin: by executing a no-operation instruction
 * with a displacement that no compiler would choose. On a machine without the plugin it is nothing.
 */
#ifndef BENCH_MARKS_H
#define BENCH_MARKS_H

#define MARK_FIRST 0x42454e00 /* the last byte says which */
#define MARK_ARM 0x42454e01   /* read the table of symbols, instrument everything from now on */
#define MARK_BEGIN 0x42454e02
#define MARK_END 0x42454e03
#define MARK_DISARM 0x42454e04 /* run at full speed again */

#define MARK_TEXT_(value) #value
#define MARK_TEXT(value) MARK_TEXT_(value)
#define MARK(which) __asm__ volatile("nopl " MARK_TEXT(which) "(%%rax)" ::: "memory")

#endif
