// SPDX-License-Identifier: GPL-2.0
/* Programs of user space: helper.h. */

#include <linux/kernel.h>
#include <linux/slab.h>
#include <linux/umh.h>

#include "kunit/shim/helper.h"

int kunit_helper(const char *line)
{
	static char *environment[] = {"PATH=/bin:/sbin:/usr/bin:/usr/sbin", "HOME=/", NULL};
	char *command = kasprintf(GFP_KERNEL, "{ %s\n} >/dev/kmsg 2>&1 </dev/null", line);
	char *arguments[] = {"/bin/busybox", "sh", "-c", command, NULL};
	int status;

	if (!command)
		return -ENOMEM;
	status = call_usermodehelper(arguments[0], arguments, environment, UMH_WAIT_PROC);
	kfree(command);
	/* As wait() has it. */
	return status > 0 && !(status & 0x7f) ? status >> 8 : status;
}
