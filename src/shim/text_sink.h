/* SPDX-License-Identifier: GPL-2.0 */
/* Where a text goes: one of the two is set. */
#ifndef SHIM_TEXT_SINK_H
#define SHIM_TEXT_SINK_H

struct seq_file;
struct devlink_fmsg;

struct shim_text {
	struct seq_file *file;
	struct devlink_fmsg *message;
	int indent;
};

#endif
