# SPDX-License-Identifier: GPL-2.0
# Devices that are broken, hostile or dead while the driver is loaded: a failed probe, one line that
# says which step and why, nothing left, and a good device works afterwards.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: fault

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh

registers='reading the registers'
channel='establishing the hardware channel'

#: registers that read all ones (D-2), and register maps that lie (D-3)
test_registers() {
	probe_fails 2000 "$registers" 'all ones' registers
	for size in 0 0x800 0x1001 0x3000 0xFFFF; do
		probe_fails 2000 "$registers" 'doorbell page size' "register 0x10 $size"
	done
	probe_fails 2000 "$registers" 'doorbell pages are not inside' 'register 0x08 0xFFFFF000'
	probe_fails 2000 "$registers" 'doorbell pages are not inside' 'register 0x0C 0x1'
	probe_fails 2000 "$registers" 'doorbell pages are not inside' 'register 0x0C 0xFFFFFFFF'
	for size in 0 31 33 0xFFFF; do
		probe_fails 2000 "$registers" 'mailbox is not 32 bytes' "register 0x20 $size"
	done
	probe_fails 2000 "$registers" 'mailbox is misaligned or not inside' 'register 0x18 0x2A'
	probe_fails 2000 "$registers" 'mailbox is misaligned or not inside' 'register 0x18 0xFFFFFFF0'
	probe_fails 2000 "$registers" 'mailbox is misaligned or not inside' 'register 0x1C 0xFFFFFFFF'
	works_again
}

#: a mailbox that refuses, answers with garbage or reads all ones (D-8)
test_mailbox() {
	probe_fails 2000 "$channel" 'refused with status 0x1' 'mailbox status 1 x1'
	probe_fails 2000 "$channel" 'refused with status 0xff' 'mailbox status 0xFF x1'
	probe_fails 2000 "$channel" 'unexpected header' 'mailbox garbage x1'
	works_again
}

#: a mailbox that never answers: given up in bounded time (D-9), memory is kept until a reset (D-11)
#: timeout=90 tags=slow
test_mailbox_silent() {
	allow_errors 'did not confirm that it stopped'
	probe_fails 40000 "$channel" 'mailbox never answered' 'mailbox silent'
	works_again
}

#: init events that never end: given up in bounded time (D-13)
#: timeout=60 tags=slow
test_init_silent() {
	probe_fails 15000 "$channel" 'never finished' 'init no-done'
	works_again
}

#: missing init events: 129, CQ, RQ, SQ, maximum of CQs, PDID, memory key (D-12)
test_init_missing() {
	for item in 0 1 2 3 7 8 9; do
		probe_fails 5000 "$channel" 'lack items' "init missing $item"
	done
	works_again
}

#: a channel CQ beyond the announced maximum, no CQs at all, no room for a request (D-13, D-18)
test_init_limits() {
	probe_fails 5000 "$channel" 'CQ id is not below' 'init item 1 0xFFFFFF'
	probe_fails 5000 "$channel" 'CQ id is not below' 'init item 7 0'
	probe_fails 5000 "$channel" 'request size is too small' 'init item 5 32'
	probe_fails 5000 "$channel" 'request size is too small' 'init item 5 0'
	works_again
}

# command_fails CODE STEP: every answer that a device can give to it, except none.
command_fails() {
	code=$1 name="\\($1\\)" step=$2
	probe_fails 5000 "$step" "$name: .*refused with status 0x1\\b" "hwc $code status 1"
	probe_fails 5000 "$step" "$name: .*refused with status 0x105" "hwc $code status 0x105" # D-22
	probe_fails 5000 "$step" "$name: .*not supported.* 0xffffffff" "hwc $code status 0xFFFFFFFF"
	probe_fails 5000 "$step" "$name: .*not supported.* 0xc00000bb" "hwc $code status 0xC00000BB"
	# Lengths that no answer has, and an id of no request.
	probe_fails 5000 "$step" "$name: .*impossible length or message id" "hwc $code short 0x1F"
	probe_fails 5000 "$step" "$name: .*impossible length or message id" "hwc $code long 4097"
	probe_fails 5000 "$step" "$name: .*impossible length or message id" "hwc $code long 0xFFFFFFFF"
	probe_fails 5000 "$step" "$name: .*impossible length or message id" "hwc $code message-id 1"
	probe_fails 5000 "$step" "$name: .*impossible length or message id" "hwc $code message-id 0xFFFF"
	# In the answer's header: type, version and id, size, device.
	probe_fails 5000 "$step" "$name: .*another command" "hwc $code patch 4 0x1234"
	probe_fails 5000 "$step" "$name: .*unexpected version" "hwc $code patch 8 0"
	probe_fails 5000 "$step" "$name: .*unexpected version" "hwc $code patch 8 9"
	probe_fails 5000 "$step" "$name: .*wrong size" "hwc $code patch 12 0x1000"
	probe_fails 5000 "$step" "$name: .*wrong size" "hwc $code patch 12 31"
	probe_fails 5000 "$step" "$name: .*another device" "hwc $code patch 16 0x70009"
	probe_fails 5000 "$step" "$name: " "hwc $code garbage"
	probe_fails 5000 "$step" '' "hwc $code owner"
	probe_succeeds "hwc $code twice"
	probe_succeeds "hwc $code late 300"
}

# An answer with the right header that is cut off (D-20).
command_cut() { probe_fails 5000 "$2" "\\($1\\): .*too short" "hwc $1 short 34" "hwc $1 patch 12 34"; }

#: every bad answer to GENERATE_TEST_EQE (D-19, D-21, D-22)
#: timeout=120
test_answer_test_eqe() {
	command_fails 0xa "$channel"
	works_again
}

#: every bad answer to VERIFY_VF_DRIVER_VERSION (D-19 to D-22)
#: timeout=120
test_answer_version() {
	command_fails 0x1 'negotiating the protocol'
	command_cut 0x1 'negotiating the protocol'
	probe_fails 5000 'negotiating the protocol' 'unknown protocol' 'hwc 1 patch 32 2'
	probe_fails 5000 'negotiating the protocol' 'unknown protocol' 'hwc 1 patch 36 1'
	works_again
}

#: every bad answer to QUERY_MAX_RESOURCES and LIST_DEVICES (D-19 to D-22)
#: timeout=180
test_answer_resources() {
	for code in 0x2 0x3; do
		command_fails $code 'querying resources'
		command_cut $code 'querying resources'
	done
	works_again
}

#: every bad answer to REGISTER_DEVICE, and a doorbell page outside the BAR (D-4, D-19 to D-22)
#: timeout=120
test_answer_register() {
	command_fails 0x4 'registering the MANA device'
	command_cut 0x4 'registering the MANA device'
	for page in 0x100 0xFFFFF 0xFFFFFFFF; do
		probe_fails 5000 'registering the MANA device' 'outside BAR' "hwc 4 patch 40 $page"
	done
	works_again
}

#: every bad answer to QUERY_DEV_CONFIG and QUERY_VPORT_CONFIG (D-19 to D-22)
#: timeout=180
test_answer_config() {
	command_fails 0x20001 'querying the device configuration'
	command_cut 0x20001 'querying the device configuration'
	command_fails 0x20008 'creating the ports'
	command_cut 0x20008 'creating the ports'
	works_again
}

#: limits of zero and too few vectors (D-44); no MANA device in the list, a count that lies (D-43)
test_resources() {
	step='querying resources'
	for offset in 36 40 44 48; do
		probe_fails 5000 "$step" 'offers no queues' "hwc 2 patch $offset 0"
	done
	for vectors in 0 1; do
		probe_fails 5000 "$step" 'at least 2 MSI-X' "hwc 2 patch 68 $vectors"
	done
	probe_fails 5000 "$step" 'no MANA device' 'hwc 3 patch 32 0'
	probe_fails 5000 "$step" 'no MANA device' 'hwc 3 patch 44 0x10003'
	probe_succeeds 'hwc 3 patch 32 0xFFFFFFFF'
	# A hole before the device, and one vector for all queues.
	probe_succeeds 'hwc 3 patch 40 0'
	probe_succeeds 'hwc 2 patch 68 2'
	probe_succeeds 'hwc 2 patch 36 0xFFFFFFFF' 'hwc 2 patch 40 0xFFFFFFFF' \
		'hwc 2 patch 44 0xFFFFFFFF' 'hwc 2 patch 48 0xFFFFFFFF' 'hwc 2 patch 68 0xFFFFFFFF'
	works_again
}

#: configurations without sense: vPorts, MTU (D-48), queues, MAC and handle of a vPort (D-49)
test_config() {
	step='querying the device configuration'
	probe_fails 5000 "$step" 'no vPorts' 'hwc 0x20001 patch 64 0'
	for mtu in 0 81; do
		probe_fails 5000 "$step" 'adapter MTU is too small' "hwc 0x20001 patch 72 $mtu"
	done
	# More vPorts than there are: the device refuses the third.
	probe_fails 5000 'creating the ports' '0x20008.*refused' 'hwc 0x20001 patch 64 0xFFFF'
	step='creating the ports'
	probe_fails 5000 "$step" 'no queues' 'hwc 0x20008 patch 32 0'
	probe_fails 5000 "$step" 'no queues' 'hwc 0x20008 patch 36 0'
	probe_fails 5000 "$step" 'handle is invalid' \
		'hwc 0x20008 patch 56 0xFFFFFFFF' 'hwc 0x20008 patch 60 0xFFFFFFFF'
	probe_fails 5000 "$step" 'MAC address is not unicast' 'hwc 0x20008 patch 48 0' 'hwc 0x20008 patch 52 0'
	probe_fails 5000 "$step" 'MAC address is not unicast' 'hwc 0x20008 patch 48 0x01'
	works_again
}

#: an indirection table of no sensible size is taken as one of 64 entries (D-49)
test_indirection_size() {
	for size in 0 3 100 1024 0xFFFFFFFF; do
		fault "hwc 0x20008 patch 40 $size"
		bind
		wait_until 10 has_port_count "$PORTS" || fail "no ports with $size entries"
		expect_equal "entries instead of $size" 64 \
			"$(ethtool -x "$(port_names | head -n1)" | awk '/^ *[0-9]+:/ { n += NF - 1 } END { print n + 0 }')"
		fault
		unbind
	done
	works_again
}

#: what is optional may fail in any way by status: QUERY_HWC_TIMEOUT, QUERY_GF_STAT, link, DEREGISTER
test_optional() {
	for status in 1 0xFFFFFFFF 0xC00000BB; do
		fault "hwc 84 status $status" "hwc 0x20002 status $status" "hwc 0x2000A status $status" \
			"hwc 0x2000B status $status" "hwc 0x2000C status $status" "hwc 5 status $status" \
			"hwc 0x20006 status $status"
		log_mark
		driver_and_ports_up
		ping_port 0 1
		at 0 ethtool -S nic >/dev/null
		at 0 ethtool nic >/dev/null
		namespaces_down
		driver_unload
		expect_equal "log with status $status" "" "$(log_since)"
		fault
		audit_objects
	done
	works_again
}

#: timeouts that a device announces: 0 is ignored, others are clamped (D-24)
test_timeout_values() {
	for value in 0 1 0xFFFFFFFF; do
		fault "hwc 84 patch 32 $value" 'hwc 0x20001 late 500'
		bind
		wait_until 10 has_port_count "$PORTS" || fail "no ports with a timeout of $value"
		fault
		unbind
	done
	works_again
}

#: events that come at the wrong time or have no meaning are ignored (D-14, D-15, D-67)
test_events() {
	driver_and_ports_up
	log_mark
	model fault event 129 0x00FF1234 # another EQ id and doorbell
	for item in 0x01000001 0x02000001 0x03000001 0x07000000 0x08000000 0x09000000 0xFF000000; do
		model fault event 130 $item
	done
	model fault event 131
	for type in 0 1 2 3 4 63 64 65 132 134 136 200 255; do
		model fault event $type 0xFFFFFF
	done
	# Link events and other news about vPorts that do not exist; the value has 24 bits.
	for port in 2 63 64 255 256 0xFFFF 0xFFFFFF; do
		model fault event 133 $((0x02000000 | port))
		model fault event 133 $((0x03000000 | port))
	done
	model fault event 133 0xFF000000
	ping_port 0 1
	link_down 0
	link_up 0
	ping_port 1 0
	expect_equal log "" "$(log_since)"
}

#: a flood of events without meaning, under traffic (D-40)
test_event_flood() {
	driver_and_ports_up
	at 0 ping -q -f -w 20 "$(address4 1)" >/dev/null 2>&1 &
	for n in $(seq 300); do
		model fault event $((n % 120 + 136)) "$n" >/dev/null
	done
	kill $!
	ping_port 0 1
}

#: a command that is never answered while loading: given up after 30 s, and the reason is that
#: timeout=120 tags=slow
test_command_silent() {
	probe_fails 35000 'negotiating the protocol' 'no answer, ms waited' 'hwc 1 silent'
	# The same after the device asked for patience of one second only. Neither the wrong activity id
	# nor a late answer is the answer (D-21, D-23, D-41).
	short='hwc 84 patch 32 1000'
	probe_fails 5000 'querying resources' '0x2\): no answer, ms waited' 'hwc 2 activity-id' "$short"
	probe_fails 5000 'querying resources' '0x3\): no answer, ms waited' 'hwc 3 late 3000' "$short"
	probe_fails 5000 'registering the MANA device' '0x4\): no answer' 'hwc 4 silent' "$short"
	probe_fails 5000 'creating the ports' '0x20008\): no answer' 'hwc 0x20008 silent' "$short"
	works_again
}

#: lost interrupts while loading cost time and not the device
test_interrupts_lost() {
	fault 'interrupt drop'
	bind
	wait_until 20 has_port_count "$PORTS" || fail "no ports without interrupts"
	fault
	unbind
	works_again
}

#: the function disappears while the driver is being loaded
test_disappears() {
	allow_errors 'probe with driver mana failed'
	for command in 1 4 0x20008; do
		fault "hwc $command late 2000"
		log_mark
		(sleep 0.7; model fault removed) >/dev/null &
		allow_errors 'probe failed while'
		allow_errors 'did not confirm that it stopped'
		_begin=$(milliseconds)
		bind
		_took=$(($(milliseconds) - _begin))
		wait $!
		[ ! -e "$mana_pci/driver" ] || fail "probe succeeded without a device (command $command)"
		[ $_took -le 5000 ] || fail "probe took $_took ms after the device was gone"
		log_since | grep -q 'probe failed while.*the device is gone' || fail "no reason: $(log_since)"
		fault
		echo 1 >"$mana_pci/reset"
		nothing_left
	done
	works_again
}
