# SPDX-License-Identifier: GPL-2.0
# Devices that misbehave under traffic.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: fault

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh

# Which port meets the fault first is the frames' business: all counts are sums over both.
total() { echo $(($(counters 0 "$1") + $(counters 1 "$1"))); }
more_than() { [ "$(total "$1")" -gt "$2" ]; }

# counted COUNTERS FAULT: under pings the counters move, and the ports stay as they are.
counted() {
	_before=$(total "$1")
	_repairs=$(total queue_recoveries)
	fault "$2"
	pings 0 1 12
	fault
	more_than "$1" "$_before" || fail "$2: $1 did not move"
	expect_equal "$2: queue_recoveries" "$_repairs" "$(total queue_recoveries)"
	answers 0 1
}

# repaired COUNTERS FAULT: the counters move, and a port recreates its queues.
repaired() {
	_before=$(total "$1")
	_repairs=$(total queue_recoveries)
	fault "$2"
	pings 0 1 12
	fault
	[ "$1" = none ] || more_than "$1" "$_before" || fail "$2: $1 did not move"
	wait_until 10 more_than queue_recoveries "$_repairs" || fail "$2: no recovery"
	wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1 || fail "$2: no carrier"
	answers 0 1
	answers 1 0
}

#: receive completions with a length of 0 or beyond the buffer (D-58, D-60): counted, one buffer each
test_rx_length() {
	driver_and_ports_up
	for length in 0 2048 0xFFFF; do
		counted 'rx_[0-9]+_bad_length' "rx length $length x3"
	done
	# Truncated: the packet is lost, its buffer is not.
	counted 'rx_[0-9]+_truncated' 'rx type 4 x3'
	# As many as there are buffers, and more: none of them may be lost.
	at 1 ethtool -G nic rx 128
	fault 'rx length 0'
	at 0 ping -q -f -c 300 -w 5 "$(address4 1)" >/dev/null 2>&1 || true
	fault
	answers 0 1
	ping_port 0 1
	expect_equal "buffers were missing" 0 "$(counters 1 'rx_[0-9]+_no_buffer')"
}

#: receive completions of unknown and of coalesced types (D-59)
test_rx_type() {
	driver_and_ports_up
	for type in 2 7; do
		repaired rx_coalesced_err "rx type $type x1"
	done
	for type in 0 5 8 63; do
		repaired rx_cqe_unknown_type "rx type $type x1"
	done
}

#: fences that nobody asked for, and that took buffers with them: no crash, good after down and up
test_rx_fence() {
	driver_and_ports_up
	fault 'rx type 3 x3'
	pings 0 1 10
	fault
	for port in 0 1; do
		link_down $port
		link_up $port
	done
	ping_port 0 1
}

#: receive completions of another queue
test_rx_misdirected() {
	driver_and_ports_up
	repaired rx_cqe_misdirected 'rx wq x1'
}

#: owner bits of a CQ out of order (D-39)
test_cq_overrun() {
	driver_and_ports_up
	repaired none 'rx owner x1'
	expect_equal "repairs of both ports" 1 "$(total queue_recoveries)"
}

#: owner bits of an EQ out of order (D-39)
test_eq_overrun() {
	driver_and_ports_up
	for _ in 1 2 3; do
		fault 'eq owner x1'
		pings 0 1 12
		fault
		answers 0 1
		answers 1 0
	done
	echo "iperf: $(iperf 0 1) Mbit/s"
}

#: events of CQs that do not exist (D-38)
test_eq_unknown_cq() {
	driver_and_ports_up
	for id in 0 0xFFF 0xFFFFFF; do
		fault "eq cq-id $id x1"
		pings 0 1 6
		fault
		link_down 1
		link_up 1
		link_down 0
		link_up 0
		answers 0 1
	done
}

#: more transmit completions than packets (D-56)
test_tx_extra() {
	driver_and_ports_up
	repaired tx_cqe_misdirected 'tx extra x1'
	fault 'tx extra'
	at 0 ping -q -f -c 500 -w 5 "$(address4 1)" >/dev/null 2>&1 || true
	fault
	sleep 0.5
	answers 0 1
}

#: transmit completions with every error, and with types that are none
#: timeout=120
test_tx_errors() {
	driver_and_ports_up
	for type in 33 34 35 36 37 38 39 40 41; do
		counted tx_cq_err "tx type $type x1"
	done
	for type in 0 31 63; do
		counted tx_cqe_unknown_type "tx type $type x1"
	done
	echo "iperf: $(iperf 0 1) Mbit/s"
}

#: a transmit queue that the device disables is recreated (D-57), with packets in it
test_tx_disabled() {
	driver_and_ports_up
	repaired tx_cq_err 'tx disable x1'
	at 0 ping -q -f -w 8 "$(address4 1)" >/dev/null 2>&1 &
	for _ in 1 2 3; do
		fault 'tx disable x1'
		sleep 1
	done
	wait $! || true
	fault
	wait_until 20 at 0 ping -q -c 1 -W 1 "$(address4 1)" || fail "no traffic after the repairs"
	ping_port 0 1
}

#: a device that disables every queue that it is given is left alone after a while
#: timeout=90
test_tx_disabled_always() {
	driver_and_ports_up
	allow_errors 'giving up'
	fault 'tx disable'
	pings 0 1 40
	pings 1 0 40
	fault
	link_down 0
	link_down 1
	link_up 0
	link_up 1
	ping_port 0 1
}

#: lost interrupts: a port that hangs can be set down and up
#: timeout=90
test_interrupts_lost() {
	driver_and_ports_up
	fault 'interrupt drop'
	pings 0 1 10
	# The channel looks by itself.
	at 0 ethtool -S nic >/dev/null
	link_down 0
	link_down 1
	fault
	link_up 0
	link_up 1
	ping_port 0 1
	echo "iperf: $(iperf 0 1) Mbit/s"
}

#: every tenth frame is lost: slower, not worse
test_frames_lost() {
	driver_and_ports_up
	fault 'frame drop 10'
	echo "iperf: $(iperf 0 1) Mbit/s"
	fault
	ping_port 0 1
}

#: the device takes a port's link away and gives it back (D-67)
test_link() {
	driver_and_ports_up
	model fault link 0 down
	wait_until 5 carrier_is 0 0 || fail "carrier of port 0"
	carrier_is 1 1 || fail "port 1 lost its carrier too"
	# A port that is set down and up meanwhile does not forget.
	link_down 0
	ip -n p0 link set nic up
	sleep 0.3
	carrier_is 0 0 || fail "a carrier without a link"
	model fault link 0 up
	wait_until 5 carrier_is 0 1 || fail "no carrier of port 0"
	ping_port 0 1
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		model fault link 1 down
		model fault link 1 up
	done
	wait_until 5 carrier_is 1 1 || fail "no carrier after a lot of changes"
	ping_port 1 0
}

#: a request to reset, which was not asked for: out of service at once (D-65), good after a new probe
test_reset_request() {
	driver_and_ports_up
	log_mark
	at 0 ping -q -f -w 3 "$(address4 1)" >/dev/null 2>&1 &
	model fault event 135 1
	wait_until 5 carrier_is 0 0 || fail "carrier of port 0"
	wait_until 5 carrier_is 1 0 || fail "carrier of port 1"
	expect_one_line 'asks for a reset' 'reset request'
	wait $! || true
	_begin=$(milliseconds)
	at 0 ethtool -S nic >/dev/null
	link_down 0
	expect_failure ip -n p0 link set nic up
	model fault event 135
	namespaces_down
	driver_unload
	[ $(($(milliseconds) - _begin)) -le 10000 ] || fail "it took $(($(milliseconds) - _begin)) ms"
	audit_objects
	works_again
}

#: an answer that comes after its request was given up: the data path goes on, a new probe heals the
#: rest (D-23)
test_late_answer() {
	driver_and_ports_up
	model fault timeout 1000
	fault 'hwc 0x20002 late 2500'
	at 0 ethtool -S nic >/dev/null
	fault
	ping_port 0 1
	sleep 2
	ping_port 0 1
	namespaces_down
	driver_unload
	audit_objects
	works_again
}

#: the function disappears under traffic: everything ends in bounded time (D-8, D-65)
test_surprise_removal() {
	driver_and_ports_up
	allow_errors 'did not confirm that it stopped'
	at 0 ping -q -f -w 5 "$(address4 1)" >/dev/null 2>&1 &
	sleep 0.5
	model fault removed
	_begin=$(milliseconds)
	at 0 ethtool -S nic >/dev/null
	expect_failure at 0 ethtool -L nic combined 1
	allow_errors 'failed'
	link_down 1
	namespaces_down
	driver_unload
	_took=$(($(milliseconds) - _begin))
	[ $_took -le 20000 ] || fail "it took $_took ms"
	fault
	nothing_left
	works_again
}

#: the same, and the driver is unbound at once, with the links up
test_surprise_unbind() {
	driver_and_ports_up
	allow_errors 'did not confirm that it stopped'
	model fault removed
	unbind
	namespaces_down
	fault
	nothing_left
	works_again
}

#: somebody resets the function behind the driver's back
#: timeout=90
test_reset_behind() {
	driver_and_ports_up
	model fault timeout 1000
	sleep 0.2
	echo 1 >"$mana_pci/reset"
	allow_errors 'failed'
	pings 0 1 5
	_begin=$(milliseconds)
	link_down 0
	namespaces_down
	driver_unload
	_took=$(($(milliseconds) - _begin))
	[ $_took -le 20000 ] || fail "it took $_took ms"
	works_again
}

#: owner bits of the channel's CQ out of order: no crash; the channel is given up (D-39)
test_channel_overrun() {
	driver_and_ports_up
	fault 'hwc 0x20002 owner x1'
	at 0 ethtool -S nic >/dev/null
	fault
	ping_port 0 1
	namespaces_down
	driver_unload
	works_again
}
