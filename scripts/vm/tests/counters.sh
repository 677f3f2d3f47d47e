# SPDX-License-Identifier: GPL-2.0
# Each event moves its counter by exactly the number of events, and no other that tells of trouble.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: statistics

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh
# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

# meets FRAMES FAULT: port 0 sends to port 1, and the device misbehaves meanwhile.
meets() {
	snapshot_all
	fault "$2"
	frames "$1" 0 1
	fault
}

#: traffic without trouble: packets and bytes, and nothing else
test_nothing_wrong() {
	quiet_ports_up
	frames 100 0 1 -s 300
	expect_moves "100 frames" 0
	expect_moves "100 frames" 1
	for name in tx_packets link_tx_packets; do
		expect_move "100 frames" 0 $name 100
	done
	for name in rx_packets link_rx_packets rx_pool_buffers; do
		expect_move "100 frames" 1 $name 100
	done
	for name in tx_bytes link_tx_bytes; do
		expect_move "100 frames" 0 $name 30000
	done
	for name in rx_bytes link_rx_bytes; do
		expect_move "100 frames" 1 $name 30000
	done
	expect_move "100 frames" 0 hc_rx_ucast_pkts 100
	expect_move "100 frames" 0 hc_tx_ucast_bytes 30000
}

#: drops by length: none, beyond the buffer, truncated
test_length() {
	quiet_ports_up
	for length in 0 2048 0xFFFF; do
		meets 20 "rx length $length x7"
		expect_moves "length $length" 1 rx_bad_length:7 link_rx_errors:7 link_rx_length_errors:7
		expect_moves "length $length" 0
		expect_move "length $length" 1 rx_packets 13
		expect_move "length $length" 1 link_rx_packets 13
	done
	meets 20 "rx type 4 x6"
	expect_moves truncated 1 rx_truncated:6 link_rx_errors:6 link_rx_length_errors:6
	expect_moves truncated 0
	expect_move truncated 1 rx_packets 14
}

#: transmit completions with an error, each with the device's own counter for it, or of no known type
test_transmit_errors() {
	quiet_ports_up
	for pair in 33:sa_enforcement 34:mtu_violation 36:eth_type_enforcement 38:gf_disabled \
		39:inval_vportoffset_pkt 40:vport_disabled 41:vlan_enforcement; do
		meets 8 "tx type ${pair%:*} x5"
		expect_moves "type ${pair%:*}" 0 tx_cq_err:5 tx_cqe_err:5 link_tx_errors:5 "hc_tx_err_${pair#*:}:5"
		expect_moves "type ${pair%:*}" 1 "hc_tx_err_${pair#*:}:5"
	done
	# The device counts all others as faults of the descriptor.
	meets 8 "tx type 31 x4"
	expect_moves "type 31" 0 tx_cqe_unknown_type:4 link_tx_errors:4 hc_tx_err_inval_oob:4
	expect_moves "type 31" 1 hc_tx_err_inval_oob:4
	expect_move "type 31" 0 tx_packets 8
}

recovered() { [ "$(moves "$1" | grep -c '^queue_recoveries ')" -eq 1 ]; }

# repaired WHAT N FRAMES FAULT NAME...: one event of each name, and one repair, of port N. What begins
# with hc_ belongs to the whole function.
repaired() {
	meets "$3" "$4"
	wait_until 10 recovered "$2" || fail "$1: no recovery: $(moves "$2")"
	wait_until 10 carrier_is "$2" 1 || fail "$1: no carrier"
	_event=$1 _broken=$2
	shift 4
	_here="" _there=""
	for _name in "$@" queue_recoveries; do
		_here="$_here$_name:1 "
		[ "${_name#hc_}" = "$_name" ] || _there="$_there$_name:1 "
	done
	expect_moves "$_event" "$_broken" "$_here"
	expect_moves "$_event" $((1 - _broken)) "$_there"
}

#: completions of another queue, of no packet, of unknown types, a disabled queue: one repair each
test_recoveries() {
	quiet_ports_up
	repaired "misdirected receive completion" 1 1 "rx wq x1" rx_cqe_misdirected
	repaired "unknown receive completion" 1 1 "rx type 63 x1" rx_cqe_unknown_type
	repaired "receive queue overrun" 1 1 "rx owner x1"
	repaired "one transmit completion too many" 0 1 "tx extra x1" tx_cqe_misdirected
	repaired "transmit queue disabled" 0 1 "tx disable x1" tx_cq_err tx_cqe_err link_tx_errors hc_tx_err_gdma
	snapshot_all
	frames 50 0 1
	frames 50 1 0
	for port in 0 1; do
		expect_moves "after all repairs" $port
		expect_move "after all repairs" $port rx_packets 50
	done
}

#: the device finds no receive buffer: all that the ring held arrived, the others are hc_rx_discards_no_wqe
test_no_buffer_in_the_device() {
	quiet_ports_up
	at 1 ethtool -L nic combined 1
	at 1 ethtool -G nic rx 128
	at 0 ethtool -G nic tx 1024
	no_queue_limits 0
	reaches 0 1
	reaches 1 0
	arrived=$(model_port 1 rx_packets)
	snapshot_all
	# Nobody polls port 1, so its ring runs empty. Not more than what a socket may have under way.
	fault 'interrupt drop'
	frames 160 0 1
	fault
	found=$(($(model_port 1 rx_packets) - arrived))
	echo "$found of 160 frames found a buffer"
	# A few entries of a ring may be free.
	[ $found -ge 120 ] && [ $found -le 128 ] || fail "a ring of 128 has $found buffers"
	expect_moves "an empty ring" 1 "hc_rx_discards_no_wqe:$((160 - found))"
	# An interrupt that was lost is lost, and ports share event queues.
	link_down 0
	link_down 1
	link_up 0
	link_up 1
	reaches 0 1
	snapshot_all
	frames 160 0 1
	expect_moves "when it is polled again" 1
	expect_move "when it is polled again" 1 rx_packets 160
}

in_snmp() { at 1 awk -v family="$1:" -v name="$2" '
	$1 == family && !column { for (i = 2; i <= NF; i++) if ($i == name) column = i; next }
	$1 == family { print $column }' /proc/net/snmp; }

#: bad checksums: the frame goes to the stack without a word for it, and the stack counts it
test_bad_checksum() {
	quiet_ports_up
	ip -n p1 addr add "$(address4 1)/24" dev nic
	snapshot_all
	for kind in udp4:Udp tcp4:Tcp; do
		before=$(in_snmp ${kind#*:} InCsumErrors)
		frame -k ${kind%:*} -o bad -n 9 0 1 | tee /run/frame
		grep -q 'frames=9 .*csum=unknown l4=bad' /run/frame || fail "$kind: not as they were sent"
		expect_equal "$kind: InCsumErrors" $((before + 9)) "$(in_snmp ${kind#*:} InCsumErrors)"
	done
	expect_moves "bad checksums" 1 rx_csum_bad:18
	expect_move "bad checksums" 1 rx_packets 18
}

# The programs' counts come from the programs themselves (xdp_seen).

#: XDP: each verdict of the program is counted as often as the program ran
test_xdp() {
	quiet_ports_up
	for verdict in pass drop aborted tx; do
		xdp_attach 1 $verdict
		snapshot_all
		frames 200 0 1
		expect_equal "$verdict: frames that the program saw" 200 "$(xdp_seen 1)"
		expect_move $verdict 1 rx_packets 200
		case $verdict in
		pass) set -- ;;
		drop | aborted) set -- rx_xdp_drop:200 ;;
		tx) set -- ;;
		esac
		expect_moves $verdict 1 "$@"
		expect_moves $verdict 0
		sent=$([ $verdict = tx ] && echo 200 || echo 0)
		expect_move $verdict 1 rx_xdp_tx "$sent"
		expect_move $verdict 1 tx_packets "$sent"
		expect_move $verdict 0 rx_packets "$sent"
		xdp_detach 1
	done
}

# A third namespace with one end of a veth pair: frame(1) sends to it like to a port.
veth_up() {
	ip netns add p2
	at 2 sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
	ip -n p1 link add veth1 type veth peer name nic netns p2
	at 2 ethtool -K nic gro on # without it a veth takes no XDP frames
	ip -n p1 link set veth1 up
	ip -n p2 link set nic up
}

mac() { at "$1" cat /sys/class/net/nic/address; }

#: XDP: frames redirected to another interface, and frames that another one redirects to the port
test_redirect() {
	quiet_ports_up
	veth_up
	xdp_attach 1 redirect
	xdp_target 1 nic veth1
	snapshot_all
	frames 200 0 2 -x "$(mac 1)"
	grep -q '^frames=200 ' /run/frames || fail "at the other end: $(cat /run/frames)"
	expect_moves "redirected away" 1
	expect_move "redirected away" 1 rx_xdp_redirect 200
	expect_move "redirected away" 1 rx_packets 200
	# To nowhere: the frame is dropped, and the program is to blame.
	xdp_detach 1
	xdp_attach 1 redirect
	snapshot_all
	frames 100 0 1
	expect_moves "redirected to nowhere" 1 rx_xdp_drop:100
	expect_move "redirected to nowhere" 1 rx_xdp_redirect 0
	xdp_detach 1

	ip -n p1 link set dev veth1 xdpdrv obj $xdp_object sec xdp.redirect
	xdp_target 1 veth1 nic
	snapshot_all
	frames 200 2 0
	grep -q '^frames=200 ' /run/frames || fail "at port 0: $(cat /run/frames)"
	for port in 0 1; do
		expect_moves "redirected to the port" $port
	done
	expect_move "redirected to the port" 1 tx_xdp_xmit 200
	expect_move "redirected to the port" 1 tx_packets 200
	expect_move "redirected to the port" 0 rx_packets 200
	ip -n p1 link set dev veth1 xdpdrv off
}

#: page pools: pages taken and released are the kernel's own counts, also when readers are slow
test_pages() {
	quiet_ports_up
	snapshot_all
	pool_watch
	# Every buffer lies in a socket's queue until all have been sent.
	frames 3000 0 1 -s 1000
	expect_moves "slow reader" 1
	taken=$(pool_pages hold) released=$(pool_pages release)
	echo "taken $taken, released $released"
	expect_at_least "pages taken" 1000 "$taken"
	moved=$(for port in 0 1; do moves $port all; done)
	for pair in pool_pages_taken:$taken pool_pages_released:$released; do
		expect_equal "${pair%:*}" "${pair#*:}" \
			"$(echo "$moved" | awk -v name="rx_${pair%:*}" '$1 == name { n += $2 } END { print n + 0 }')"
	done
	pool_unwatch
}

#: a transmit queue that hangs: one timeout, one repair
#: timeout=90
test_timeout() {
	quiet_ports_up
	link_down 1 # event queues are shared: the repair of one port makes none anew that another one uses
	allow_errors 'NETDEV WATCHDOG' # the kernel's own line
	snapshot_all
	fault 'interrupt drop'
	timeout 40 frame -k raw -n 1000 0 1 >/dev/null &
	_seen_timeout() { dmesg | grep -q 'transmit queue [0-9]* hangs'; }
	wait_until 40 _seen_timeout || fail "no timeout: $(moves 0)"
	fault
	wait_until 10 recovered 0 || fail "no recovery: $(moves 0)"
	wait $! || true
	expect_move timeout 0 tx_timeouts 1
	expect_move timeout 0 queue_recoveries 1
	link_up 1
	reaches 0 1
	snapshot_all
	frames 50 0 1
	expect_moves "afterwards" 0
	expect_move "afterwards" 0 tx_packets 50
}

#: a command that the device refuses: an error, and nothing is counted or changed
test_refused_command() {
	quiet_ports_up
	allow_errors ' failed: '
	at 0 ethtool -x nic >/run/table
	snapshot_all
	fault 'hwc 0x20007 status 0x12 x1'
	expect_failure at 0 ethtool -X nic equal 1 2>/run/message
	fault
	cat /run/message
	[ -s /run/message ] || fail "no message"
	for port in 0 1; do
		expect_moves "refused steering" $port
	done
	at 0 ethtool -x nic | diff /run/table - || fail "the table has changed"
}
