# SPDX-License-Identifier: GPL-2.0
# Jumbo frames in single pages (rx-scatter), and XDP on frames of several buffers.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: mtu xdp

frags_object=/usr/lib/bpf/xdp_frags.bpf.o

# Both ports with the flag, and the largest MTU.
scatter_up() {
	driver_and_ports_up
	for port in 0 1; do
		at $port ethtool --set-priv-flags nic rx-scatter on
		set_mtu $port 9000
	done
}

# frags_map N DEVICE NAME: the map of the attached program.
frags_map() {
	_program=$(ip -n "p$1" -d link show dev "$2" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n1)
	[ -n "$_program" ] || fail "$2 of port $1 has no XDP program"
	for _map in $(bpftool prog show id "$_program" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		if bpftool map show id "$_map" | grep -q "name $3"; then
			echo "$_map"
		fi
	done
}

# frags_order N DEVICE VERDICT [BYTES]: what becomes of frames in several buffers, and how much of them is
# kept.
frags_order() {
	_keep=${4:-0}
	case $3 in
	aborted) _verdict=0 ;; drop) _verdict=1 ;; pass) _verdict=2 ;; tx) _verdict=3 ;; redirect) _verdict=4 ;;
	esac
	_orders=$(frags_map "$1" "$2" orders)
	bpftool map update id "$_orders" key 0 0 0 0 value $_verdict 0 0 0
	bpftool map update id "$_orders" key 1 0 0 0 value $((_keep & 255)) $((_keep >> 8)) 0 0
}

frags_attach() {
	ip -n "p$1" link set dev nic xdpdrv obj $frags_object sec xdp.frags
	frags_order "$1" nic pass
}

# frags_seen N: frames in several buffers that the program has counted.
frags_seen() {
	bpftool -j map dump id "$(frags_map "$1" nic seen)" |
		sed 's/.*"key":\["0x01"//' | grep -o '"formatted":.*' | grep -o '"key":1,.*' |
		grep -o '"value":[0-9]*' | awk -F: '{ n += $2 } END { print n + 0 }'
}

# whole FROM TO: data of every kind arrives as it was sent.
whole() {
	payload -s 60000 -n 30 "$1" "$2"
	payload -6 -s 60000 -n 10 "$1" "$2"
	# IPv4 and UDP headers are 28 bytes; the first page has room for 3520 with Ethernet's 14.
	for _size in 8972 8971 7574 7573 3478 3477 3479 1472 100; do
		payload -u -D -s $_size -n 20 "$1" "$2"
	done
	payload -u -s 30000 -n 10 -w 2 "$1" "$2"
}

#: payload in both directions at MTU 9000, with the flag; it is off at first
test_payload() {
	driver_and_ports_up
	at 0 ethtool --show-priv-flags nic | grep -q 'rx-scatter *: off' || fail "the flag is on"
	for port in 0 1; do
		at $port ethtool --set-priv-flags nic rx-scatter on
		set_mtu $port 9000
	done
	at 1 ethtool --show-priv-flags nic | grep -q 'rx-scatter *: on' || fail "the flag is off"
	whole 0 1
	whole 1 0
	iperf 0 1
	expect_equal "packets without a buffer" 0 "$(counters 1 'rx_[0-9]+_no_buffer')"
}

#: no pages of a higher order, and none at all when the pool is warm
test_pages() {
	scatter_up
	payload -u -D -s 8972 -n 2000 0 1
	pool_watch
	payload -u -D -s 8972 -n 2000 0 1
	held=$(pool_pages hold)
	pool_unwatch
	echo "pages taken for 2000 packets: ${held:-0}"
	# 6000 without recycling; a queue that had nothing to do before takes 64.
	[ "${held:-0}" -le 256 ] || fail "pages are not recycled"
	expect_equal "allocations of large pages" 0 "$(counters 1 'rx_[0-9]+_pp_alloc_slow_ho')"
}

#: MTU and flag change again and again under load: TCP goes on, nothing is damaged
test_changes_under_load() {
	scatter_up
	payload -u -l -d 8 -f 4 -s 1000 0 1 &
	one=$!
	payload -f 4 -s 20000 -d 6 1 0 &
	two=$!
	for mtu in 1500 9000 5000 9000; do
		for flag in off on; do
			at 0 ethtool --set-priv-flags nic rx-scatter $flag
			at 1 ethtool --set-priv-flags nic rx-scatter $flag
			set_mtu 0 $mtu
			set_mtu 1 $mtu
			sleep 0.2
		done
	done
	wait $one
	wait $two
	whole 0 1
}

#: a program that takes frags: data passes whole, and the program sees all of it
#: timeout=120
test_xdp_pass() {
	scatter_up
	frags_attach 1
	whole 0 1
	whole 1 0
	expect_at_least "frames in several buffers" 100 "$(frags_seen 1)"
	frags_attach 0
	whole 0 1
	xdp_detach 0
	xdp_detach 1
	whole 1 0
}

#: what a program drops, cuts or sends back; and nothing is lost of the ring
test_xdp_verdicts() {
	scatter_up
	frags_attach 1
	for verdict in drop aborted; do
		frags_order 1 nic $verdict
		before=$(counters 1 'rx_[0-9]+_xdp_drop')
		if frame -k raw -s 9000 -n 700 0 1; then
			fail "a frame came through"
		fi
		expect_equal "$verdict" 700 $(($(counters 1 'rx_[0-9]+_xdp_drop') - before))
		ping_port 0 1
	done
	# Cut to the first page, to the second, and within the third; 700 are more than the ring has.
	for keep in 1000 3520 3521 7000 7616 7617 8900; do
		frags_order 1 nic pass $keep
		cut=$(frame -k raw -s 9000 -n 100 0 1 || true)
		echo "cut to $keep: $cut"
		case $cut in
		*"length=$keep "*) ;;
		*) fail "not cut to $keep" ;;
		esac
	done
	frags_order 1 nic tx
	before=$(packets 0 rx)
	frame -k raw -s 9000 -n 500 0 1 || true
	expect_at_least "frames sent back" 490 "$(counters 1 'rx_[0-9]+_xdp_tx')"
	expect_at_least "frames that came back" 490 $(($(packets 0 rx) - before))
	xdp_detach 1
	whole 0 1
	expect_equal "packets without a buffer" 0 "$(counters 1 'rx_[0-9]+_no_buffer')"
}

#: REDIRECT of frames in several buffers into a veth pair
test_xdp_redirect() {
	scatter_up
	ip -n p1 link add veth0 mtu 9000 type veth peer name veth1 mtu 9000
	at 1 ethtool -K veth1 gro on # without it a veth takes no XDP frames
	ip -n p1 link set veth0 up
	ip -n p1 link set veth1 up
	frags_attach 1
	frags_order 1 nic redirect
	xdp_target 1 nic veth0
	before=$(at 1 cat /sys/class/net/veth1/statistics/rx_bytes)
	frame -k raw -s 9000 -n 500 0 1 || true
	expect_at_least "frames redirected" 490 "$(counters 1 'rx_[0-9]+_xdp_redirect')"
	expect_at_least "bytes that the veth received" $((490 * 8986)) \
		$(($(at 1 cat /sys/class/net/veth1/statistics/rx_bytes) - before))
	xdp_detach 1
	whole 0 1
}

#: frames in several buffers that a veth redirects into a port leave it whole
test_xdp_transmit() {
	scatter_up
	ip netns add p9
	ip -n p0 link add veth1 mtu 9000 type veth peer name veth0 mtu 9000 netns p9
	ip -n p9 addr add 10.0.0.9/24 dev veth0
	ip -n p9 link set veth0 up
	ip -n p0 link set veth1 up
	mac=$(at 1 cat /sys/class/net/nic/address)
	ip -n p9 neigh add 10.0.0.2 lladdr "$mac" dev veth0
	ip -n p1 neigh add 10.0.0.9 lladdr "$(at 0 cat /sys/class/net/nic/address)" dev nic
	ip -n p0 link set dev veth1 xdpdrv obj $frags_object sec xdp.frags
	frags_order 0 veth1 redirect
	xdp_target 0 veth1 nic
	echoes() { at 1 awk '$1 == "Icmp:" && $2 ~ /[0-9]/ { print $10 }' /proc/net/snmp; }
	before=$(echoes)
	ip netns exec p9 ping -q -n -c 50 -i 0.02 -W 0.1 -M do -s 8972 10.0.0.2 >/dev/null || true
	sent=$(counters 0 'tx_[0-9]+_xdp_xmit')
	echo "frames sent: $sent, echo requests with a good checksum: $(($(echoes) - before))"
	expect_at_least "frames sent" 50 "$sent"
	expect_at_least "echo requests that arrived whole" 50 $(($(echoes) - before))
}

#: who does not take frags, is refused at such an MTU, and is told why
test_refused() {
	scatter_up
	if xdp_attach 1 pass 2>/run/message; then
		fail "a program that takes no frags was attached"
	fi
	grep -q 'must take frags' /run/message || fail "$(cat /run/message)"
	frags_attach 1
	expect_failure at 1 ethtool --set-priv-flags nic rx-scatter off 2>/dev/null
	at 1 ethtool --show-priv-flags nic | grep -q 'rx-scatter *: on' || fail "the flag is off"
	dmesg | grep -q 'refused: At this MTU the XDP program needs rx-scatter' || fail "nothing in the log"
	set_mtu 1 1500
	at 1 ethtool --set-priv-flags nic rx-scatter off
	expect_failure ip -n p1 link set nic mtu 9000 2>/dev/null
	xdp_detach 1
	set_mtu 1 9000
	payload -s 60000 -n 10 0 1
}
