# SPDX-License-Identifier: GPL-2.0
# Tracepoints: each is switched on, made to happen, and read.
# shellcheck shell=sh
# machine: ports=2 queues=4 defer_ns=3000000
# tags: trace

tracing=/sys/kernel/tracing

# trace_on EVENT...: from now on, and none but these.
trace_on() {
	echo 0 >$tracing/events/enable
	echo >$tracing/trace
	for _event in "$@"; do
		echo 1 >"$tracing/events/mana/$_event/enable" || fail "there is no event $_event"
	done
}

# traced PATTERN: lines so far that match it; "EVENT: TEXT" is what they look like.
traced() { grep -c "mana_.*$1" $tracing/trace || true; }
has_traced() { [ "$(traced "$1")" -gt 0 ]; }

# expect_traced PATTERN
expect_traced() {
	wait_until 5 has_traced "$1" || fail "no event '$1': $(tail -n 20 $tracing/trace)"
}

#: all events are there, off, and cost the driver nothing until somebody listens
test_listed() {
	[ ! -e $tracing/events/mana ] || fail "events without the driver"
	driver_and_ports_up
	for event in hwc_request hwc_response event rx_refill tx_stop tx_wake recovery_request \
		recovery_done function; do
		expect_equal "mana_$event" 0 "$(cat $tracing/events/mana/mana_$event/enable)"
	done
	expect_equal "events" 9 "$(find $tracing/events/mana -name id | wc -l)"
	echo >$tracing/trace
	ping_port 0 1
	expect_equal "recorded without being asked" 0 "$(traced .)"
}

#: each command is recorded as it is sent and as it is answered, with status and duration
test_commands() {
	driver_and_ports_up
	trace_on mana_hwc_request mana_hwc_response
	link_down 1
	link_up 1
	grep mana_hwc $tracing/trace | tail -n 6
	expect_traced "hwc_request: $pci_name command=FENCE_RQ (0x20006) activity=[0-9]* bytes=[0-9]*$"
	expect_traced "hwc_response: $pci_name command=FENCE_RQ (0x20006) activity=[0-9]* error=0 status=0x0 us=[0-9]*$"
	expect_equal "answers" "$(traced hwc_request:)" "$(traced hwc_response:)"
	# One that the device refuses.
	allow_errors 'open failed'
	link_down 1
	echo >$tracing/trace
	model fault hwc 0x20004 status 0x80000000 x1 >/dev/null || fail "no such fault"
	expect_failure ip -n p1 link set nic up
	expect_traced 'hwc_response: .*command=CREATE_WQ_OBJ (0x20004) .*error=-5 status=0x80000000'
}

#: events of the device, of the channel's queue and of the data queues
test_events() {
	driver_and_ports_up
	trace_on mana_event
	ping_port 0 1
	expect_traced "event: $pci_name eq=[0-9]* type=completion (3) value=0x[0-9a-f]*$"
	model fault link 1 down
	expect_traced 'event: .*type=reconfiguration_data (133) value=0x3000001$'
	model fault link 1 up
	expect_traced 'event: .*type=reconfiguration_data (133) value=0x2000001$'
	namespaces_down
	echo "$pci_name" >/sys/bus/pci/drivers/mana/unbind
	trace_on mana_event
	echo "$pci_name" >/sys/bus/pci/drivers/mana/bind
	for type in 'hwc_eq_id_doorbell (129)' 'hwc_init_data (130)' 'hwc_init_done (131)' 'test (64)'; do
		expect_traced "event: .*type=$type"
	done
}

#: receive buffers are announced with the doorbell, none is announced twice
test_rx_refill() {
	driver_and_ports_up
	trace_on mana_rx_refill
	# Buffers are announced some at a time. Frames go one way, so that port 1 announces and port 0 does not.
	frame -k raw -n 200 0 1
	sleep 0.3
	expect_traced 'rx_refill: nic queue=[0-3] posted=[0-9]* producer=[0-9]* consumer=[0-9]*$'
	cat $tracing/trace >/run/trace
	posted=$(sed -n 's/.*rx_refill: .*posted=\([0-9]*\).*/\1/p' /run/trace | awk '{ n += $1 } END { print n + 0 }')
	received=$(($(counters 0 'rx_[0-9]+_packets') + $(counters 1 'rx_[0-9]+_packets')))
	echo "$posted buffers posted, $received packets received"
	# Each announcement begins where the one before it in its queue ended.
	sed -n 's/.*rx_refill: nic queue=\([0-3]\) posted=\([0-9]*\) producer=\([0-9]*\) .*/\1 \2 \3/p' /run/trace |
		awk '($1 in end) && $3 - $2 != end[$1] { bad = 1 } { end[$1] = $3 } END { exit bad }' ||
		fail "announced twice, or not at all"
	expect_at_least "buffers posted" 64 "$posted"
	expect_at_least "packets since the ports came up" "$posted" "$received"
	# A new ring is filled at once.
	trace_on mana_rx_refill
	at 1 ethtool -L nic combined 1
	expect_traced 'rx_refill: nic queue=0 posted=511 producer=511 consumer=0'
}

#: a full transmit ring: the stop and the wake
test_tx_stop_and_wake() {
	driver_and_ports_up
	at 0 ethtool -G nic tx 128
	for limit in $(at 0 sh -c 'echo /sys/class/net/nic/queues/tx-*/byte_queue_limits/limit_min'); do
		at 0 sh -c "echo 100000000 >$limit"
	done
	trace_on mana_tx_stop mana_tx_wake
	for _ in 1 2 3 4; do
		payload -u -l -d 1 -f 16 -s 200 0 1
		! has_traced tx_stop: || break
	done
	expect_traced 'tx_stop: nic queue=[0-3] available=[0-9]*$'
	expect_traced 'tx_wake: nic queue=[0-3] available=[0-9]*$'
	echo "$(traced tx_stop:) stops, $(traced tx_wake:) wakes"
	expect_equal "stops" "$(counter 0 stop_queue)" "$(traced tx_stop:)"
	expect_equal "wakes" "$(counter 0 wake_queue)" "$(traced tx_wake:)"
}

#: the recreation of queues, and what became of it
test_recovery() {
	driver_and_ports_up
	trace_on mana_recovery_request mana_recovery_done
	model fault rx wq x1 >/dev/null || fail "no such fault"
	at 0 ping -q -c 3 -i 0.2 -W 1 "$(address4 1)" >/dev/null 2>&1 || true
	expect_traced 'recovery_request: nic'
	expect_traced 'recovery_done: nic attempt=1 error=0'
}

#: a reset by somebody else, and removal
test_function() {
	driver_and_ports_up
	trace_on mana_function
	echo 1 >"$mana_pci/reset"
	expect_traced "function: $pci_name step=suspend error=0"
	expect_traced "function: $pci_name step=resume error=0"
	namespaces_down
	echo "$pci_name" >/sys/bus/pci/drivers/mana/unbind
	expect_traced "function: $pci_name step=remove error=0"
	echo "$pci_name" >/sys/bus/pci/drivers/mana/bind
	expect_traced "function: $pci_name step=probe error=0"
}
