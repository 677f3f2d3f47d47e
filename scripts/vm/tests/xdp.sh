# SPDX-License-Identifier: GPL-2.0
# XDP programs in the driver's receive path, and frames sent by them.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: xdp

# xdp_verdicts N: the driver's own counts: drop, tx, redirect.
xdp_verdicts() {
	echo "$(counters "$1" 'rx_[0-9]+_xdp_drop') $(counters "$1" 'rx_[0-9]+_xdp_tx') $(counters "$1" 'rx_[0-9]+_xdp_redirect')"
}

no_ping() {
	if at "$1" ping -q -n -c 3 -i 0.1 -W 0.5 "$(address4 "$2")" >/dev/null; then
		fail "a ping came through"
	fi
}

#: PASS: everything works, and the program sees each frame
test_pass() {
	driver_and_ports_up
	xdp_attach 1 pass
	payload -u -s 1000 -n 200 0 1
	payload -s 30000 -n 30 0 1
	payload -6 -s 30000 -n 30 1 0
	expect_at_least "frames that the program saw" 300 "$(xdp_seen 1)"
	expect_equal "verdicts of the driver" "0 0 0" "$(xdp_verdicts 1)"
	xdp_detach 1
	payload -s 30000 -n 30 0 1
}

#: DROP and ABORTED: nothing comes through, each frame is counted, and buffers go on forever
test_drop() {
	driver_and_ports_up
	for verdict in drop aborted; do
		ping_port 0 1 -c 1 >/dev/null
		xdp_attach 1 $verdict
		no_ping 0 1
		before=$(counters 1 'rx_[0-9]+_xdp_drop')
		if frame -k raw -n 1500 0 1; then
			fail "a frame came through"
		fi
		if [ "$DRIVER" != oracle ]; then
			expect_at_least "$verdict" $((before + 1500)) "$(counters 1 'rx_[0-9]+_xdp_drop')"
		fi
		expect_at_least "frames that the program saw" 1500 "$(xdp_seen 1)"
		xdp_detach 1
		ping_port 0 1 -c 1 >/dev/null
	done
}

#: TX: frames go back to the sender
test_tx() {
	driver_and_ports_up
	xdp_attach 1 tx
	before=$(packets 0 rx)
	if frame -k raw -n 1000 0 1; then
		fail "a frame came through"
	fi
	sent=$(counters 1 'rx_[0-9]+_xdp_tx')
	came=$(($(packets 0 rx) - before))
	echo "XDP_TX $sent, received back $came, dropped $(counters 1 'rx_[0-9]+_xdp_drop')"
	expect_at_least "frames sent back" 990 "$sent"
	expect_at_least "frames that came back" 990 "$came"
	xdp_detach 1
	payload -s 30000 -n 10 0 1
}

#: REDIRECT into a veth pair: frames arrive whole
test_redirect_to_veth() {
	driver_and_ports_up
	ip -n p1 link add veth0 type veth peer name veth1
	at 1 ethtool -K veth1 gro on # without it a veth takes no XDP frames
	ip -n p1 link set veth0 up
	ip -n p1 link set veth1 up
	xdp_attach 1 redirect
	xdp_target 1 nic veth0
	before=$(at 1 cat /sys/class/net/veth1/statistics/rx_packets)
	if frame -k raw -n 500 0 1; then
		fail "a frame came to the port itself"
	fi
	expect_at_least "frames redirected" 500 "$(counters 1 'rx_[0-9]+_xdp_redirect')"
	expect_at_least "frames that the veth received" 500 \
		$(($(at 1 cat /sys/class/net/veth1/statistics/rx_packets) - before))
	xdp_detach 1
	ping_port 0 1
}

#: without a target a redirect drops, and no buffer is lost
test_redirect_to_nowhere() {
	driver_and_ports_up
	xdp_attach 1 redirect
	if frame -k raw -n 1500 0 1; then
		fail "a frame came through"
	fi
	xdp_detach 1
	ping_port 0 1
}

#: a program is attached, replaced and removed under load: TCP goes on, nothing is damaged
test_replaced_under_load() {
	driver_and_ports_up
	payload -f 4 -s 30000 -d 5 0 1 &
	load=$!
	payload -u -l -d 5 -f 2 -s 700 1 0 &
	for _ in 1 2 3 4; do
		xdp_attach 1 pass
		ip -n p1 -force link set dev nic xdpdrv obj $xdp_object sec xdp.drop
		sleep 0.1
		ip -n p1 -force link set dev nic xdpdrv obj $xdp_object sec xdp.pass
		sleep 0.2
		xdp_detach 1
		xdp_attach 0 pass
		sleep 0.1
		xdp_detach 0
	done
	wait $load
	wait
	payload -s 30000 -n 10 1 0
}

#: attached while the port is down, it works when the port comes up, and survives down and up
test_attached_while_down() {
	driver_and_ports_up
	link_down 1
	xdp_attach 1 drop
	link_up 1
	no_ping 0 1
	link_down 1
	link_up 1
	no_ping 0 1
	expect_at_least "frames that the program saw" 3 "$(xdp_seen 1)"
	link_down 1
	xdp_detach 1
	link_up 1
	ip -n p0 neigh flush all # it gave up asking for the address while everything was dropped
	ping_port 0 1
}

#: channels and rings change with a program attached
test_changes_with_program() {
	driver_and_ports_up
	xdp_attach 1 pass
	for count in 1 2; do
		at 1 ethtool -L nic combined $count
		payload -s 30000 -n 10 0 1
	done
	if [ "$DRIVER" != oracle ]; then
		at 1 ethtool -G nic rx 1024
		payload -s 30000 -n 10 0 1
	fi
	expect_at_least "frames that the program saw" 100 "$(xdp_seen 1)"
}

#: a large MTU and XDP exclude each other, whichever comes first
test_mtu() {
	allow_errors 'XDP: mtu:9000 too large' # so the oracle refuses
	driver_and_ports_up
	set_mtu 1 9000
	expect_failure xdp_attach 1 pass 2>/dev/null
	set_mtu 1 1500
	xdp_attach 1 pass
	expect_failure ip -n p1 link set nic mtu 9000 2>/dev/null
	ping_port 0 1
	# The largest that goes, found by trying.
	for mtu in 3800 3600 3506 3500 3400 3000; do
		if ip -n p1 link set nic mtu $mtu 2>/dev/null; then
			break
		fi
	done
	echo "MTU $mtu with XDP"
	expect_at_least "the MTU with XDP" 3000 $mtu
	set_mtu 0 $mtu
	payload -u -D -s $((mtu - 28)) -n 30 0 1
	payload -s 60000 -n 10 0 1
	xdp_detach 1
	set_mtu 1 9000
}

#: PASS on both ports, with offloads switched off one after the other
test_with_offloads_off() {
	driver_and_ports_up
	xdp_attach 0 pass
	xdp_attach 1 pass
	for words in "gro off" "rx off" "tso off" "tx off"; do
		for port in 0 1; do
			# shellcheck disable=SC2086
			at $port ethtool -K nic $words
		done
		payload -s 30000 -n 10 0 1
		payload -6 -u -s 1200 -n 20 1 0
	done
}

#: a program that is bound to the port is told the hash and the VLAN tag of each frame
test_hints() {
	modprobe 8021q
	driver_and_ports_up
	seen=$(hints 1 payload -u -s 500 -n 200 0 1 | tail -n 1)
	echo "UDP: $seen"
	number() { echo "$seen" | sed "s/.*\b$1=\([0-9]*\).*/\1/"; }
	expect_at_least "frames with an L4 hash" 200 "$(number l4)"
	expect_equal "tags" 0 "$(number tags)"
	for port in 0 1; do
		ip -n p$port link add link nic name v100 type vlan id 100
		ip -n p$port addr add 10.100.0.$((port + 1))/24 dev v100
		ip -n p$port link set v100 up
	done
	seen=$(hints 1 payload -s 20000 -n 50 -a 10.100.0.2 0 1 | tail -n 1)
	echo "TCP in a VLAN: $seen"
	expect_at_least "frames with a tag" 100 "$(number tags)"
	expect_equal "the last one's tag" 100 "$(number tag)"
	at 1 ethtool -K nic rxhash off
	seen=$(hints 1 payload -u -s 500 -n 200 0 1 | tail -n 1)
	echo "without rxhash: $seen"
	expect_at_least "frames" 200 "$(number frames)"
	expect_equal "hashes" 0 "$(number hashes)"
}
