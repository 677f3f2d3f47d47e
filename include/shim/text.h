/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Names and values for a person: as lines of a file in debugfs, or as the answer of devlink. Only
 * inside the callback that was given the text. Process context; may sleep.
 */
#ifndef SHIM_TEXT_H
#define SHIM_TEXT_H

#include "shim/types.h"

SHIM_BEGIN

struct shim_text;

/* A group, "name" or "name index"; they nest. */
void shim_text_begin(struct shim_text *text, const char *name);
void shim_text_begin_number(struct shim_text *text, const char *name, u32 index);
void shim_text_end(struct shim_text *text);

void shim_text_number(struct shim_text *text, const char *name, u64 value);
void shim_text_hex(struct shim_text *text, const char *name, u64 value);
void shim_text_word(struct shim_text *text, const char *name, const char *value);

/* Up to 8 dwords, copied by the caller, under the name "[index]". */
void shim_text_dwords(struct shim_text *text, u32 index, const u32 *dwords, u32 count);

SHIM_END

#endif
