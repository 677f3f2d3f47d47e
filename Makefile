# SPDX-License-Identifier: GPL-2.0
#
# The front door. Each goal is a script under scripts/ that can also be run by itself; "make help"
# lists them. Kbuild, beside this file, is what the kernel's build system reads.

KDIR ?=
MANA_LLVM ?=
DEBUG ?=
WERROR ?=
FILTER ?=
WORKLOAD ?=
DRIVER ?=
BASE ?=
export KDIR MANA_LLVM DEBUG WERROR

.PHONY: module demo vm test vmtest kunit mutants bench check conformance model driver-test install clean help
.DEFAULT_GOAL := module

# The leading + hands down the job server.
module:
	+@scripts/build/module

demo:
	@scripts/deps/install build model vm
	+@scripts/vm/demo

vm:
	@scripts/deps/install build model vm
	+@scripts/vm/shell

vmtest:
	@scripts/deps/install build model vm
	+@scripts/vm/vmtest

kunit:
	@scripts/deps/install build vm kunit
	+@scripts/kunit/test $(if $(FILTER),--filter '$(FILTER)')

mutants:
	@scripts/deps/install build vm kunit
	+@scripts/kunit/mutants

bench:
	@scripts/deps/install build model vm bench
	+@scripts/bench/run $(if $(WORKLOAD),--workload '$(WORKLOAD)') $(if $(DRIVER),--driver '$(DRIVER)') \
		$(if $(BASE),--base '$(BASE)')

test:
	+@scripts/test

check:
	@scripts/deps/install build
	+@scripts/check/all

conformance:
	@scripts/check/conformance

model:
	@scripts/deps/install model
	+@scripts/model/build
	+@scripts/model/test

driver-test:
	@scripts/driver-test

install: module
	@scripts/build/install

# What was downloaded and built outside this tree (QEMU) stays in the cache.
clean:
	rm -rf build mana.ko

help:
	@echo 'make            build mana.ko for one kernel (KDIR=, default: running or newest headers)'
	@echo 'make demo       boot a stock Debian kernel with a virtual NIC and show the driver at work'
	@echo 'make vm         the same machine, with a shell'
	@echo 'make test       everything below that proves something, with a summary'
	@echo 'make vmtest     only the VM tests'
	@echo 'make kunit      the KUnit suites, in a kernel with sanitizers (FILTER=mana_SUITE.CASE)'
	@echo 'make mutants    break the driver on purpose, and see which KUnit case says so'
	@echo 'make bench      what a packet costs, beside Debian'"'"'s driver (WORKLOAD= DRIVER= BASE=)'
	@echo 'make conformance  each duty of the data sheet, and the tests that decide it'
	@echo 'make check      format, include walls, audit of mana.ko, conformance list'
	@echo 'make model      build the device model for this machine and run its unit tests'
	@echo 'make driver-test  build the driver as a program on a fake kernel and run its unit tests'
	@echo 'make install    install mana.ko for KDIR'"'"'s kernel (root)'
	@echo 'make clean      remove everything built in this tree'
	@echo
	@echo 'KDIR=DIR        kernel build directory       MANA_LLVM=DIR   directory of clang 19'
	@echo 'DEBUG=1         keep debug information       WERROR=1        warnings are errors'
	@echo 'V=1             show commands'
