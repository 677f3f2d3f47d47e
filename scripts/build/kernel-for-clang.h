/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Included after linux/kconfig.h when the kernel was configured for gcc and this module is compiled
 * by clang. It takes back what the configuration says about the compiler, and nothing that changes
 * the layout of a structure.
 */

/* Per-CPU variables as gcc's named address spaces: clang warns at every use. Both spellings
 * generate the same instructions. */
#undef CONFIG_USE_X86_SEG_SUPPORT
#undef CONFIG_CC_HAS_NAMED_AS
