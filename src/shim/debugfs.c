// SPDX-License-Identifier: GPL-2.0
/* Files in debugfs: include/shim/debugfs.h. */

#include <linux/debugfs.h>
#include <linux/module.h>
#include <linux/mutex.h>
#include <linux/seq_file.h>

#include "shim/debugfs.h"
#include "text_sink.h"

/* The directory "mana" is there while a function has one in it. */
static DEFINE_MUTEX(root_lock);
static struct dentry *root;
static unsigned int root_users;

static int mana_view_show(struct seq_file *file, void *unused)
{
	const struct shim_view *view = file->private;
	struct shim_text text = {.file = file};

	return view->show(view->context, &text);
}
DEFINE_SHOW_ATTRIBUTE(mana_view);

static struct dentry *root_get(void)
{
	mutex_lock(&root_lock);
	if (root_users++ == 0)
		root = debugfs_create_dir("mana", NULL);
	mutex_unlock(&root_lock);
	return root;
}

static void root_put(void)
{
	mutex_lock(&root_lock);
	if (--root_users == 0)
		debugfs_remove(root);
	mutex_unlock(&root_lock);
}

struct dentry *shim_debugfs_directory(struct dentry *parent, const char *name)
{
	return debugfs_create_dir(name, parent ? parent : root_get());
}

void shim_debugfs_file(struct dentry *directory, const struct shim_view *view)
{
	debugfs_create_file(view->name, 0400, directory, (void *)view, &mana_view_fops);
}

void shim_debugfs_remove(struct dentry *directory)
{
	debugfs_remove(directory);
	root_put();
}
