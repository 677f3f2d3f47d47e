// SPDX-License-Identifier: GPL-2.0
/* Texts for debugfs and devlink: include/shim/text.h. */

#include <linux/seq_file.h>
#include <linux/sprintf.h>
#include <net/devlink.h>

#include "shim/text.h"
#include "text_sink.h"

#define NAME_BYTES 40
#define VALUE_BYTES 80

#if IS_ENABLED(CONFIG_NET_DEVLINK)
static void message_begin(struct devlink_fmsg *message, const char *name)
{
	devlink_fmsg_pair_nest_start(message, name);
	devlink_fmsg_obj_nest_start(message);
}

static void message_end(struct devlink_fmsg *message)
{
	devlink_fmsg_obj_nest_end(message);
	devlink_fmsg_pair_nest_end(message);
}

static void message_number(struct devlink_fmsg *message, const char *name, u64 value)
{
	devlink_fmsg_u64_pair_put(message, name, value);
}

static void message_word(struct devlink_fmsg *message, const char *name, const char *value)
{
	devlink_fmsg_string_pair_put(message, name, value);
}
#else
static void message_begin(struct devlink_fmsg *message, const char *name)
{
}

static void message_end(struct devlink_fmsg *message)
{
}

static void message_number(struct devlink_fmsg *message, const char *name, u64 value)
{
}

static void message_word(struct devlink_fmsg *message, const char *name, const char *value)
{
}
#endif

void shim_text_begin(struct shim_text *text, const char *name)
{
	if (text->message)
		message_begin(text->message, name);
	else
		seq_printf(text->file, "%*s%s\n", text->indent, "", name);
	text->indent += 2;
}

void shim_text_begin_number(struct shim_text *text, const char *name, u32 index)
{
	char full[NAME_BYTES];

	snprintf(full, sizeof(full), "%s %u", name, index);
	shim_text_begin(text, full);
}

void shim_text_end(struct shim_text *text)
{
	text->indent -= 2;
	if (text->message)
		message_end(text->message);
}

void shim_text_number(struct shim_text *text, const char *name, u64 value)
{
	if (text->message)
		message_number(text->message, name, value);
	else
		seq_printf(text->file, "%*s%s: %llu\n", text->indent, "", name, value);
}

void shim_text_word(struct shim_text *text, const char *name, const char *value)
{
	if (text->message)
		message_word(text->message, name, value);
	else
		seq_printf(text->file, "%*s%s: %s\n", text->indent, "", name, value);
}

void shim_text_hex(struct shim_text *text, const char *name, u64 value)
{
	char digits[20];

	snprintf(digits, sizeof(digits), "0x%llx", value);
	shim_text_word(text, name, digits);
}

void shim_text_dwords(struct shim_text *text, u32 index, const u32 *dwords, u32 count)
{
	char name[NAME_BYTES];
	char value[VALUE_BYTES];
	int length = 0;
	u32 i;

	snprintf(name, sizeof(name), "[%u]", index);
	for (i = 0; i < count && i < 8; i++)
		length += scnprintf(value + length, sizeof(value) - length, i ? " %08x" : "%08x",
				    dwords[i]);
	shim_text_word(text, name, value);
}
