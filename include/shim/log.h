/* SPDX-License-Identifier: GPL-2.0 */
/* Kernel log lines, prefixed with driver and device. Any context. */
#ifndef SHIM_LOG_H
#define SHIM_LOG_H

#include "shim/types.h"

SHIM_BEGIN

enum shim_log_level {
	SHIM_LOG_ERROR,
	SHIM_LOG_WARNING,
	SHIM_LOG_INFO,
	SHIM_LOG_DEBUG,
};

/* One line; `format` ends with "\n". */
void shim_log(struct device *dev, enum shim_log_level level, const char *format, ...)
	SHIM_PRINTF(3, 4);
void shim_log_netdev(struct net_device *netdev, enum shim_log_level level, const char *format, ...)
	SHIM_PRINTF(3, 4);

/* True if one more line may be written: at most 10 in 5 seconds, for the whole module. For
 * everything that a device or a packet can cause. */
bool shim_log_allowed(void);

/* snprintf: always terminated, returns nothing. */
void shim_format(char *text, size_t bytes, const char *format, ...) SHIM_PRINTF(3, 4);

SHIM_END

#endif
