# SPDX-License-Identifier: GPL-2.0
# What the tests of misbehaving devices share. Read by their files: . /job/faults.sh
# shellcheck shell=sh
# shellcheck disable=SC2154 # of lib.sh

# fault LINE...: the device misbehaves so from now on, and in no other way.
fault() {
	model fault clear >/dev/null || fail "model fault clear"
	for _line in "$@"; do
		# shellcheck disable=SC2086 # the words of a line
		model fault $_line >/dev/null || fail "the model does not know the fault '$_line'"
	done
}

# What an earlier test left when it failed.
model fault clear >/dev/null

milliseconds() { awk '{ print int($1 * 1000) }' /proc/uptime; }

# log_mark, then log_since: what the driver has logged in between as a warning or worse.
log_mark() { dmesg -r | wc -l >/run/log_mark; }
log_since() {
	dmesg -r | tail -n "+$(($(cat /run/log_mark) + 1))" |
		sed -n 's/^<[0-9]*[0-4]>\(.*\bmana [0-9a-f]*:.*\)/\1/p' | grep -v 'probe with driver mana failed' || true
}

# expect_one_line PATTERN WHAT: since log_mark one line, and it says so.
expect_one_line() {
	_lines=$(log_since)
	[ -n "$_lines" ] || fail "$2: nothing was logged"
	[ "$(echo "$_lines" | wc -l)" -eq 1 ] || fail "$2: more than one line: $_lines"
	echo "$_lines" | grep -Eq "$1" || fail "$2: expected '$1', got: $_lines"
}

# Binds the driver, loaded or not yet.
bind() {
	if driver_loaded; then
		echo "$pci_name" >/sys/bus/pci/drivers/mana/bind 2>/dev/null || true
	else
		insmod "$DRIVER_FILE" || fail "insmod"
	fi
}

unbind() { echo "$pci_name" >/sys/bus/pci/drivers/mana/unbind; }

nothing_left() {
	[ ! -e "$mana_pci/driver" ] || fail "the driver is bound"
	audit_interfaces
	audit_interrupts
	audit_regions
	audit_objects
}

# probe_fails LIMIT STEP REASON FAULT...: in that many milliseconds at most, with one line that names
# the step and the reason (an extended regular expression), and with nothing left.
probe_fails() {
	_limit=$1 _step=$2 _reason=$3
	shift 3
	allow_errors 'probe failed while'
	allow_errors 'probe with driver mana failed'
	fault "$@"
	log_mark
	_begin=$(milliseconds)
	bind
	_took=$(($(milliseconds) - _begin))
	[ ! -e "$mana_pci/driver" ] || fail "probe succeeded with $*"
	[ $_took -le "$_limit" ] || fail "probe took $_took ms with $*"
	expect_one_line "probe failed while $_step: .*$_reason" "$*"
	model fault clear >/dev/null
	nothing_left
}

# probe_succeeds FAULT...: nevertheless; unbound again afterwards.
probe_succeeds() {
	fault "$@"
	log_mark
	bind
	[ -e "$mana_pci/driver" ] || fail "probe failed with $*: $(log_since)"
	wait_until 10 has_port_count "$PORTS" || fail "no ports with $*"
	model fault clear >/dev/null
	unbind
	nothing_left
}

# After all that: a fresh driver, and traffic.
works_again() {
	fault
	! driver_loaded || driver_unload
	driver_and_ports_up
	ping_port 0 1
	ping_port 1 0
}

# ---- ports ----

# The cause is gone; the driver is bound anew, and the ports are up.
rebind() {
	fault
	namespaces_down
	[ ! -e "$mana_pci/driver" ] || unbind
	nothing_left
	bind
	wait_until 10 has_port_count "$PORTS" || fail "no ports after binding again"
	ports_up
}

# open_fails REASON FAULT...: port 0, which is down, does not come up; one line says why. Port 1 is
# not concerned.
open_fails() {
	_reason=$1
	shift
	fault "$@"
	_open_fails - p0 nic "$*"
	fault
}

# open_fails_alone REASON FAULT...: the same for a port of a driver that is bound for that and then
# unbound, as after an answer that makes the channel useless.
open_fails_alone() {
	_reason=$1
	shift
	fault
	bind
	wait_until 10 has_port_count "$PORTS" || fail "no ports"
	for _line in "$@"; do
		# shellcheck disable=SC2086 # the words of a line
		model fault $_line >/dev/null || fail "the model does not know the fault '$_line'"
	done
	_open_fails - "" "$(port_names | head -n1)" "$*"
	fault
	unbind
	nothing_left
}

# The driver limits its lines to ten in five seconds: without one, once more.
_open_fails() {
	allow_errors ' failed: '
	for _attempt in 1 2; do
		log_mark
		_begin=$(milliseconds)
		# shellcheck disable=SC2086 # a namespace, or none
		expect_failure ip ${2:+-n $2} link set "$3" up
		_took=$(($(milliseconds) - _begin))
		[ $_took -le 5000 ] || fail "open took $_took ms with $4"
		[ -z "$(log_since)" ] || break
		sleep 5
	done
	expect_one_line "open failed: .*$_reason" "$4"
}

# The device has nothing more and nothing less than it had when objects_mark was called.
objects_mark() { model objects >/run/objects; }
objects_same() { expect_equal "objects after $1" "$(cat /run/objects)" "$(model objects)"; }

# moved N PATTERN BEFORE: counters that have grown.
moved() { [ "$(counters "$1" "$2")" -gt "$3" ]; }

# pings FROM TO: some may be lost.
pings() { at "$1" ping -q -n -c "${3:-10}" -i 0.05 -W 1 "$(address4 "$2")" >/dev/null 2>&1 || true; }

# answers FROM TO: traffic, maybe after a while.
_one_ping() { at "$1" ping -q -n -c 1 -W 1 "$(address4 "$2")"; }
answers() {
	for _try in 1 2 3 4 5 6 7 8; do
		! _one_ping "$1" "$2" >/dev/null 2>&1 || return 0
	done
	fail "no answer to port $1 from port $2"
}
