/* SPDX-License-Identifier: GPL-2.0 */
/* The driver's version: in modinfo, ethtool -i and the line that a probe logs. */
#ifndef SHIM_VERSION_H
#define SHIM_VERSION_H

#define MANA_VERSION "0.6.0"

#endif
