// SPDX-License-Identifier: GPL-2.0
/* Log lines: include/shim/log.h. */

#include <linux/device.h>
#include <linux/netdevice.h>
#include <linux/ratelimit.h>
#include <linux/sprintf.h>
#include <linux/stdarg.h>

#include "shim/log.h"

void shim_log(struct device *dev, enum shim_log_level level, const char *format, ...)
{
	struct va_format line;
	va_list arguments;

	va_start(arguments, format);
	line.fmt = format;
	line.va = &arguments;
	switch (level) {
	case SHIM_LOG_ERROR:
		dev_err(dev, "%pV", &line);
		break;
	case SHIM_LOG_WARNING:
		dev_warn(dev, "%pV", &line);
		break;
	case SHIM_LOG_INFO:
		dev_info(dev, "%pV", &line);
		break;
	case SHIM_LOG_DEBUG:
		dev_dbg(dev, "%pV", &line);
		break;
	}
	va_end(arguments);
}

void shim_log_netdev(struct net_device *netdev, enum shim_log_level level, const char *format, ...)
{
	struct va_format line;
	va_list arguments;

	va_start(arguments, format);
	line.fmt = format;
	line.va = &arguments;
	switch (level) {
	case SHIM_LOG_ERROR:
		netdev_err(netdev, "%pV", &line);
		break;
	case SHIM_LOG_WARNING:
		netdev_warn(netdev, "%pV", &line);
		break;
	case SHIM_LOG_INFO:
		netdev_info(netdev, "%pV", &line);
		break;
	case SHIM_LOG_DEBUG:
		netdev_dbg(netdev, "%pV", &line);
		break;
	}
	va_end(arguments);
}

bool shim_log_allowed(void)
{
	/* The flag keeps the limiter from writing lines of its own. */
	static struct ratelimit_state limit =
		RATELIMIT_STATE_INIT_FLAGS(limit, DEFAULT_RATELIMIT_INTERVAL,
					   DEFAULT_RATELIMIT_BURST, RATELIMIT_MSG_ON_RELEASE);

	return __ratelimit(&limit);
}

void shim_format(char *text, size_t bytes, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(text, bytes, format, arguments);
	va_end(arguments);
}
