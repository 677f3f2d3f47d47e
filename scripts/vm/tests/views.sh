# SPDX-License-Identifier: GPL-2.0
# What the driver shows of its inside: debugfs and devlink.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: views

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh

views=/sys/kernel/debug/mana/$pci_name

# value FILE NAME [GROUP]: in the first line with that name, after the group's.
value() {
	awk -v name="$2:" -v group="${3:-}" '
		group != "" && $0 ~ "^ *" group "$" { group = "" }
		group == "" && $1 == name { print $2; exit }' "$views/$1"
}
expect_value() { expect_equal "$1 $2" "$3" "$(value "$1" "$2" "${4:-}")"; }

#: debugfs has the function, its channel, and for each port settings, queues and rings
test_debugfs() {
	[ ! -e /sys/kernel/debug/mana ] || fail "files without the driver"
	driver_and_ports_up
	ping_port 0 1
	cat "$views/function" "$views/port0/settings"
	expect_value function ports 2
	expect_value function state up channel
	expect_value port0/settings netdev nic
	expect_value port0/settings channels_live 2
	expect_value port0/queues units 512 rx
	head -n 45 "$views/port0/queues"
	grep -q 'around head' "$views/port0/rings" || fail "no rings: $(head "$views/port0/rings")"
	head -n 24 "$views/port0/rings"
	link_down 0
	expect_equal "queues of a port that is down" "" "$(cat "$views/port0/queues")"
	namespaces_down
	driver_unload
	[ ! -e /sys/kernel/debug/mana ] || fail "files are left"
}

#: files are read while queues are recreated and the driver goes: nothing hangs, nothing is left
#: timeout=120
test_debugfs_races() {
	driver_and_ports_up
	for file in function port0/settings port0/queues port1/rings; do
		while [ ! -e /run/stop ]; do cat "$views/$file" >/dev/null 2>&1 || sleep 0.01; done &
	done
	for count in 1 2 1 2; do
		at 1 ethtool -L nic combined $count
	done
	echo 1 >"$mana_pci/reset"
	for _ in 1 2 3; do
		namespaces_down
		unbind
		[ ! -e "$views" ] || fail "files are left"
		bind
		wait_until 20 has_port_count 2 || fail "no ports"
		ports_up
	done
	touch /run/stop
	wait
	rm /run/stop
	ping_port 0 1
}

reporter() { devlink health show "pci/$pci_name" reporter "$1"; }
reports() { reporter "$1" | grep -q "state $2 error $3 recover $4"; }

#: devlink knows the function, its versions and three healthy reporters
test_devlink() {
	driver_and_ports_up
	devlink dev info "pci/$pci_name"
	devlink dev info "pci/$pci_name" | grep -q 'driver mana' || fail "not ours"
	devlink dev info "pci/$pci_name" | grep -q 'fw.registers 1\.' || fail "no version"
	devlink health show
	for which in hwc tx rx; do
		reports $which healthy 0 0 || fail "$(reporter $which)"
		devlink health diagnose "pci/$pci_name" reporter $which >/run/diagnosis || fail "diagnose $which"
	done
	devlink health diagnose "pci/$pci_name" reporter hwc
	namespaces_down
	driver_unload
	expect_equal "devlink without the driver" "" "$(devlink dev show)"
}

#: a broken receive queue is reported, dumped, and recovered from
test_devlink_rx() {
	driver_and_ports_up
	fault 'rx wq x1'
	pings 0 1 12
	wait_until 10 reports rx healthy 1 1 || fail "$(reporter rx)"
	reports tx healthy 0 0 || fail "$(reporter tx)"
	devlink health dump show "pci/$pci_name" reporter rx >/run/dump
	grep -q 'at consumer' /run/dump || fail "no rings in the dump: $(head -n 20 /run/dump)"
	devlink health dump clear "pci/$pci_name" reporter rx
	answers 0 1
}

#: a broken transmit queue likewise; a healthy one may be recreated too
test_devlink_tx() {
	driver_and_ports_up
	fault 'tx disable x1'
	pings 0 1 12
	wait_until 10 reports tx healthy 1 1 || fail "$(reporter tx)"
	answers 0 1
	devlink health recover "pci/$pci_name" reporter tx
	answers 0 1
}

#: a failed channel is reported, cannot be recovered, and says so
test_devlink_hwc() {
	allow_errors 'open failed'
	driver_and_ports_up
	link_down 1
	model fault timeout 1000
	fault 'hwc 0x20003 silent x1'
	expect_failure ip -n p1 link set nic up
	wait_until 10 reports hwc error 1 0 || fail "$(reporter hwc)"
	devlink health dump show "pci/$pci_name" reporter hwc | tee /run/dump
	grep -q 'state: failed' /run/dump || fail "the dump says nothing"
	expect_failure devlink health recover "pci/$pci_name" reporter hwc 2>/run/refusal
	grep -q 'unbind and bind' /run/refusal || fail "$(cat /run/refusal)"
	namespaces_down
	works_again
	reports hwc healthy 0 0 || fail "$(reporter hwc)"
}

#: a packet that is not sent has a reason
test_drop_reason() {
	driver_and_ports_up
	echo 1 >/sys/kernel/tracing/events/skb/kfree_skb/enable
	echo >/sys/kernel/tracing/trace
	at 0 ethtool -G nic tx 128
	# The device may take offence at a packet of the stack's own, in a queue with nothing behind it.
	for _round in 1 2 3 4 5; do
		fault 'tx disable x1'
		at 0 ping -q -f -s 1400 -w 2 "$(address4 1)" >/dev/null 2>&1 || true
		fault
		answers 0 1
		! grep -q 'reason: DEV_READY' /sys/kernel/tracing/trace || break
	done
	echo 0 >/sys/kernel/tracing/events/skb/kfree_skb/enable
	grep 'reason: DEV_READY' /sys/kernel/tracing/trace | head -n 2
	grep -q 'reason: DEV_READY' /sys/kernel/tracing/trace || fail "no reason of ours"
}
