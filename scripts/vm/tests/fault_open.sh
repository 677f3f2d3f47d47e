# SPDX-License-Identifier: GPL-2.0
# Devices that fail while a port is opened, closed or reconfigured.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: fault

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh

# CONFIG_VPORT_TX, CREATE_DMA_REGION, CREATE_QUEUE, CREATE_WQ_OBJ, CONFIG_VPORT_RX
commands='0x20003 0x19 0xc 0x20004 0x20007'

# Port 0 down and alone. The function has its event queues since the first open.
one_port_closed() {
	driver_load
	ports_up
	link_down 1
	link_down 0
	objects_mark
}

#: an error for any command of an open undoes the open, and the next one works (D-22, D-46)
#: timeout=120
test_refused() {
	one_port_closed
	for code in $(echo "$commands" | sed 's/0xc //'); do
		open_fails "\\($code\\): .*refused with status 0x1\\b" "hwc $code status 1"
		objects_same "status 1 for $code"
		open_fails "\\($code\\): .*refused with status 0x105" "hwc $code status 0x105"
		open_fails "\\($code\\): .*not supported" "hwc $code status 0xFFFFFFFF"
		open_fails "\\($code\\): .*not supported" "hwc $code status 0xC00000BB"
		objects_same "status 0xC00000BB for $code"
	done
	link_up 0
	link_up 1
	ping_port 0 1
}

#: the same for the event queues, which the first open of the function makes
#: timeout=120
test_refused_event_queue() {
	open_fails_alone '\(0xc\): .*refused with status 0x1\b' 'hwc 0xc status 1'
	open_fails_alone '\(0xc\): .*refused with status 0x105' 'hwc 0xc status 0x105'
	open_fails_alone '\(0xc\): .*not supported' 'hwc 0xc status 0xFFFFFFFF'
	open_fails_alone '\(0xc\): .*not supported' 'hwc 0xc status 0xC00000BB skip 1'
	works_again
}

#: the same for the second, third and later uses of a command, while the other port works
#: timeout=120
test_refused_later() {
	driver_and_ports_up
	link_down 0
	objects_mark
	# Two channels: four objects, each of two regions.
	for code in 0x19 0x20004; do
		for good in 1 2 3; do
			open_fails "\\($code\\): .*refused" "hwc $code status 1 skip $good"
			objects_same "$code refused after $good"
		done
	done
	link_up 0
	ping_port 0 1
}

#: handles and ids without sense: region 0, object ~0, a CQ out of range or in use (D-47), wide ids,
#: a vPort offset that no packet can carry (D-50)
#: timeout=120
test_ids() {
	driver_load
	ports_up
	link_down 0
	open_fails 'vPort offset does not fit' 'hwc 0x20003 patch 32 4096'
	open_fails 'vPort offset does not fit' 'hwc 0x20003 patch 32 0xFFFF'
	objects_mark
	open_fails 'queue id is out of range' 'wq cq-id'
	open_fails 'queue id is out of range' 'wq cq-id 0xFFFFFFFF'
	open_fails 'queue id is out of range' 'hwc 0x20004 patch 32 0x1000000'
	open_fails 'CQ id that is in use' 'wq cq-id 100'
	objects_same "bad ids"
	open_fails 'returned an invalid handle' 'hwc 0x19 patch 32 0' 'hwc 0x19 patch 36 0'
	rebind
	link_down 0
	open_fails 'returned an invalid handle' 'hwc 0x20004 patch 40 0xFFFFFFFF' 'hwc 0x20004 patch 44 0xFFFFFFFF'
	namespaces_down
	unbind
	open_fails_alone 'EQ id has more than 16 bits' 'hwc 0xc patch 32 0x10000'
	works_again
}

#: answers that break the protocol for any command of an open (D-19 to D-21)
#: timeout=180
test_malformed() {
	for code in $commands; do
		for answer in garbage 'message-id 3' 'patch 8 0' 'patch 16 7'; do
			open_fails_alone '' "hwc $code $answer"
		done
	done
	for answer in 'short 16' 'long 8192' 'patch 12 0x2000' owner; do
		open_fails_alone '' "hwc 0x20004 $answer skip 1"
	done
	works_again
}

#: commands that are never answered, or too late: bounded, and a new probe heals it (D-23)
#: timeout=120
test_silent() {
	for code in $commands; do
		open_fails_alone "\\($code\\): no answer, ms waited: 0x3e8" 'timeout 1000' "hwc $code silent"
		open_fails_alone "\\($code\\): no answer, ms waited: 0x3e8" 'timeout 1000' "hwc $code late 1500"
	done
	works_again
	# Nothing more is sent on such a channel, and nobody waits for it.
	link_down 0
	model fault timeout 1000
	open_fails 'no answer' 'hwc 0x20003 silent'
	_begin=$(milliseconds)
	at 0 ethtool -S nic >/dev/null
	expect_failure ip -n p0 link set nic up
	[ $(($(milliseconds) - _begin)) -le 1000 ] || fail "waits on a channel that failed"
	allow_errors failed
	rebind
	ping_port 0 1
}

#: answers that come twice, or late but in time, for all commands: nothing but a delay (D-23)
#: timeout=120
test_twice_and_late() {
	fault 'hwc any twice'
	driver_and_ports_up
	ping_port 0 1
	at 0 ethtool -L nic combined 1
	at 0 ethtool -G nic rx 512
	ping_port 0 1
	link_down 0
	fault 'hwc any late 30'
	link_up 0
	ping_port 0 1
	at 0 ethtool -L nic combined 2
	ping_port 0 1
	namespaces_down
	driver_unload
	works_again
}

#: a close goes all its way whatever the device says, and what the device kept is its own (D-63)
#: timeout=120
test_close_refused() {
	driver_and_ports_up
	for code in 0x20007 0x20006 0x20005 0xd; do
		fault "hwc $code status 1"
		link_down 0
		link_down 1
		rebind
	done
	ping_port 0 1
}

#: a close without an answer: bounded, and a new probe heals it (D-63, D-65)
#: timeout=120
test_close_silent() {
	driver_and_ports_up
	allow_errors 'failed'
	for code in 0x20007 0x20006 0x20005 0xd; do
		model fault timeout 1000
		fault "hwc $code silent"
		_begin=$(milliseconds)
		link_down 0
		link_down 1
		_took=$(($(milliseconds) - _begin))
		[ $_took -le 4000 ] || fail "the close took $_took ms without an answer to $code"
		rebind
	done
	ping_port 0 1
}

#: a reconfiguration that the device refuses leaves the port as it was, with traffic
#: timeout=120
test_reconfiguration_refused() {
	driver_and_ports_up
	allow_errors 'reconfiguration failed'
	allow_errors 'receive steering failed'
	objects_mark
	_rings=$(at 0 ethtool -g nic)
	# The EQs stay: port 1 uses them too.
	for code in 0x20003 0x19 0x20004 0x20007; do
		good=0
		[ $code != 0x20007 ] || good=1 # the first one takes the old queues down
		fault "hwc $code status 1 x1 skip $good"
		expect_failure at 0 ethtool -G nic rx 1024 tx 1024
		objects_same "$code refused"
		fault
		expect_equal "rings after $code" "$_rings" "$(at 0 ethtool -g nic)"
		answers 0 1
	done
	fault 'hwc 0x20007 status 1 x1'
	expect_failure at 0 ethtool -X nic equal 1
	fault
	ping_port 0 1
}

#: a reconfiguration that the device refuses for good: the port is without a link, until it is set up
#: again
test_reconfiguration_impossible() {
	driver_and_ports_up
	allow_errors 'failed'
	allow_errors 'giving up'
	fault 'hwc 0x20004 status 1'
	expect_failure at 0 ethtool -G nic rx 1024
	wait_until 5 carrier_is 0 0 || fail "carrier without queues"
	# It tries a few times by itself, and stops.
	sleep 2
	fault
	link_down 0
	link_up 0
	ping_port 0 1
	ping_port 1 0
}
