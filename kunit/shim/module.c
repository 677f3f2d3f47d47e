// SPDX-License-Identifier: GPL-2.0
/* mana_kunit.ko: the driver, the device model and the suites in one module. */

#include <kunit/test.h>
#include <linux/module.h>
#include <linux/pci.h>
#include <linux/stdarg.h>

/* MANA_SUITES(X), written by kunit/Kbuild: each suite is a file of kunit/suites. */
#include "kunit/suites.h"
#include "kunit/shim/cases.h"
#include "kunit/shim/helper.h"
#include "shim/pci_driver.h"

/* The module takes no device that is not its own, see function.c; no alias either. */
const struct pci_device_id mana_pci_ids[] = {{PCI_DEVICE(PCI_VENDOR_ID_MICROSOFT, 0x00ba)}, {}};

#define MAX_CASES 96

#define DECLARE_SUITE(id) extern const struct mana_suite mana_suite_##id;
MANA_SUITES(DECLARE_SUITE)

static struct kunit *running;

static int case_begin(struct kunit *test)
{
	WRITE_ONCE(running, test);
	return 0;
}

static void case_end(struct kunit *test)
{
	mana_kunit_audit();
	WRITE_ONCE(running, NULL);
}

void kunit_fail(const char *file, u32 line, const char *format, ...)
{
	struct kunit *test = READ_ONCE(running);
	struct va_format text;
	va_list arguments;

	va_start(arguments, format);
	text.fmt = format;
	text.va = &arguments;
	if (test) {
		kunit_set_failure(test);
		kunit_err(test, "%s:%u: %pV\n", file, line, &text);
	} else {
		pr_err("mana_kunit: outside of a case: %s:%u: %pV\n", file, line, &text);
	}
	va_end(arguments);
}

bool kunit_failed(void)
{
	struct kunit *test = READ_ONCE(running);

	return test && READ_ONCE(test->status) == KUNIT_FAILURE;
}

void kunit_note(const char *format, ...)
{
	struct va_format text;
	va_list arguments;

	va_start(arguments, format);
	text.fmt = format;
	text.va = &arguments;
	pr_info("mana_kunit: %pV\n", &text);
	va_end(arguments);
}

/*
 * The last case of a slow suite: what its cases allocated and nobody refers to any more. kmemleak
 * wants an object to be five seconds old, and to look unreferenced twice.
 */
static void no_unreferenced_memory(struct kunit *test)
{
	if (kunit_helper("cd /sys/kernel/debug || exit 1\n"
			 "for scan in 1 2; do sleep 6; echo scan >kmemleak || exit 1; done\n"
			 "while IFS= read -r line; do echo \"$line\"; done <kmemleak\n"
			 "[ -z \"$(cat kmemleak)\" ] || { echo clear >kmemleak; exit 1; }"))
		kunit_fail(__FILE__, __LINE__, "kmemleak has found something: see the lines above");
}

#define DEFINE_SUITE(id)                                                                           \
	static struct kunit_case cases_##id[MAX_CASES + 2];                                        \
	static struct kunit_suite suite_##id = {                                                   \
		.name = "mana_" #id,                                                               \
		.init = case_begin,                                                                \
		.exit = case_end,                                                                  \
		.test_cases = cases_##id,                                                          \
	};                                                                                         \
	kunit_test_suite(suite_##id);
MANA_SUITES(DEFINE_SUITE)

/* KUnit reads these after the module's init function, when the module is live. */
static int fill(struct kunit_suite *suite, const struct mana_suite *from)
{
	u32 i;

	if (from->count > MAX_CASES) {
		pr_err("mana_kunit: suite %s has more than %u cases; raise MAX_CASES\n",
		       suite->name, MAX_CASES);
		return -E2BIG;
	}
	if (from->slow)
		suite->attr.speed = KUNIT_SPEED_SLOW;
	for (i = 0; i < from->count; i++) {
		suite->test_cases[i].name = from->cases[i].name;
		suite->test_cases[i].run_case = from->cases[i].run;
		suite->test_cases[i].module_name = KBUILD_MODNAME;
	}
	/* A scan takes seconds; the others are looked at together, at the end of the run. */
	if (!from->slow)
		return 0;
	suite->test_cases[i].name = "no_unreferenced_memory";
	suite->test_cases[i].run_case = no_unreferenced_memory;
	suite->test_cases[i].module_name = KBUILD_MODNAME;
	return 0;
}

static int __init mana_kunit_init(void)
{
#define FILL(id)                                                                                   \
	{                                                                                          \
		int error = fill(&suite_##id, &mana_suite_##id);                                   \
		if (error)                                                                         \
			return error;                                                              \
	}
	MANA_SUITES(FILL)
	return pci_register_driver(&mana_pci_driver);
}

static void __exit mana_kunit_exit(void)
{
	pci_unregister_driver(&mana_pci_driver);
}

module_init(mana_kunit_init);
module_exit(mana_kunit_exit);

MODULE_AUTHOR("The mana.ko authors");
MODULE_DESCRIPTION("KUnit suites of the Microsoft Azure Network Adapter's driver");
MODULE_LICENSE("GPL");
