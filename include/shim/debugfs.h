/* SPDX-License-Identifier: GPL-2.0 */
/* Files in debugfs. Process context. A kernel without debugfs has none, which is no error. */
#ifndef SHIM_DEBUGFS_H
#define SHIM_DEBUGFS_H

#include "shim/text.h"
#include "shim/types.h"

SHIM_BEGIN

/* A file that is read as text: show() is called at each reading, perhaps more than once, and
 * returns 0 or a negative errno. Lives until its directory is removed. */
struct shim_view {
	const char *name;
	int (*show)(void *context, struct shim_text *text);
	void *context;
};

/* A directory below "mana", or below `parent` if that is not NULL. The result is to be passed on
 * and removed, whatever it is. */
struct dentry *shim_debugfs_directory(struct dentry *parent, const char *name);
void shim_debugfs_file(struct dentry *directory, const struct shim_view *view);

/* Removes a directory that was made without a parent, with all in it, and waits for those who read:
 * the caller must hold nothing that a show() waits for, RTNL above all. */
void shim_debugfs_remove(struct dentry *directory);

SHIM_END

#endif
