# SPDX-License-Identifier: GPL-2.0
# A large function: 16 ports of 16 queues.
# shellcheck shell=sh
# machine: ports=16 queues=16
# tags: ports

#: 16 ports come up, each reaches its neighbour, and the last reaches the first with TCP
#: timeout=120
test_sixteen() {
	driver_and_ports_up
	expect_equal "ports" 16 "$PORTS"
	for port in $(seq 0 15); do
		at $port ping -q -n -c 1 -W 5 "$(address4 $(((port + 1) % 16)))" >/dev/null ||
			fail "ping from port $port to port $(((port + 1) % 16))"
	done
	payload -s 40000 -n 20 0 15
	payload -6 -s 40000 -n 20 15 0
	payload -u -s 1400 -n 100 7 8
}

#: all 16 ports send and receive at a time
#: timeout=120
test_all_at_once() {
	driver_and_ports_up
	loads=""
	for port in $(seq 0 15); do
		payload -s 20000 -n 10 "$port" $(((port + 5) % 16)) &
		loads="$loads $!"
	done
	for load in $loads; do
		wait "$load"
	done
}

#: every port has an address of its own, and its number
test_addresses() {
	driver_load
	expect_equal "different addresses" 16 \
		"$(for name in $(port_names); do cat "/sys/class/net/$name/address"; done | sort -u | wc -l)"
	expect_equal "numbers" "$(seq -s' ' 0 15)" \
		"$(for name in $(port_names); do cat "/sys/class/net/$name/dev_port"; done | tr '\n' ' ' | sed 's/ $//')"
}

# sixteen_channels PORT: and what receives then.
sixteen_channels() {
	at "$1" ethtool -L nic combined 16
	expect_equal "channels" 16 "$(at "$1" ethtool -l nic | awk '/^Combined:/ { n = $2 } END { print n }')"
}

#: 16 channels on two processors; flows reach each of the 16 queues
test_sixteen_channels() {
	driver_and_ports_up 2
	sixteen_channels 0
	sixteen_channels 1
	for _ in 1 2 3 4; do
		payload -u -f 64 -s 300 -n 20 -w 2 0 1
	done
	payload -f 32 -s 20000 -n 3 0 1
	for queue in $(seq 0 15); do
		count=$(counter 1 "rx_${queue}_packets")
		[ "$count" -gt 0 ] || fail "queue $queue received nothing"
	done
	for count in 1 16 7 16; do
		at 1 ethtool -L nic combined $count
		payload -f 16 -s 20000 -n 3 1 0
		payload -f 16 -s 20000 -n 3 0 1
	done
	# One queue of the sixteen, by the table.
	at 1 ethtool -L nic combined 16
	at 1 ethtool -X nic weight 0 0 0 0 0 0 0 0 0 0 0 0 0 1 0 0
	before=$(counter 1 rx_13_packets)
	payload -u -f 16 -s 300 -n 20 -w 2 0 1
	expect_at_least "packets of queue 13" 320 $(($(counter 1 rx_13_packets) - before))
}

# Port 1 and 2 are in the same namespace, which forwards.
router() {
	ip -n p2 link set nic down
	ip -n p2 link set nic name nic2
	ip -n p2 link set nic2 netns p1
	ip -n p1 addr flush dev nic
	ip -n p1 addr add 10.1.0.1/24 dev nic
	ip -n p1 addr add 10.2.0.1/24 dev nic2
	ip -n p1 link set nic2 up
	echo 1 | at 1 tee /proc/sys/net/ipv4/ip_forward >/dev/null
	for port in 0 3; do
		ip -n p$port addr flush dev nic
	done
	ip -n p0 addr add 10.1.0.2/24 dev nic
	ip -n p0 route add 10.2.0.0/24 via 10.1.0.1
	ip -n p3 addr add 10.2.0.2/24 dev nic
	ip -n p3 route add 10.1.0.0/24 via 10.2.0.1
	wait_until 10 at 1 grep -q 1 /sys/class/net/nic2/carrier || fail "no carrier of nic2"
}

#: forwarding from port to port: received packets, merged by GRO, are sent again; page pool buffers in TX
test_forwarding() {
	driver_and_ports_up 4
	router
	payload -s 60000 -n 60 -a 10.2.0.2 0 3
	payload -f 8 -s 60000 -n 10 -a 10.1.0.2 3 0
	payload -u -s 1400 -n 100 -a 10.2.0.2 0 3
	at 1 ethtool -K nic2 tso off
	payload -s 60000 -n 20 -a 10.2.0.2 0 3
	at 1 ethtool -K nic gro off
	payload -s 60000 -n 20 -a 10.2.0.2 0 3
}

# route FROM TO MAC: frames that interface FROM of port 1's namespace receives leave from TO, for MAC.
route() {
	ip -n p1 link set dev "$1" xdpdrv obj /usr/lib/bpf/xdp_route.bpf.o sec xdp
	_program=$(ip -n p1 -d link show dev "$1" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n1)
	for _map in $(bpftool prog show id "$_program" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		case $(bpftool map show id "$_map") in
		*"name ports"*) _value=$(interface_bytes 1 "$2") ;;
		*"name addresses"*)
			_value="hex $(echo "$3$(at 1 cat "/sys/class/net/$2/address")" | sed 's/:/ /g; s/ *\([0-9a-f][0-9a-f]\)/ \1/g')"
			;;
		*) continue ;;
		esac
		# shellcheck disable=SC2086
		at 1 bpftool map update id "$_map" key 0 0 0 0 value $_value || fail "map of the program on $1"
	done
}

#: XDP_REDIRECT from port to port, both ways: TCP and UDP pass through, no byte is damaged
test_redirect_between_ports() {
	driver_and_ports_up 4
	router
	echo 0 | at 1 tee /proc/sys/net/ipv4/ip_forward >/dev/null
	route nic nic2 "$(at 3 cat /sys/class/net/nic/address)"
	route nic2 nic "$(at 0 cat /sys/class/net/nic/address)"
	# Without the stack of the router nobody answers for its addresses.
	ip -n p0 neigh replace 10.1.0.1 lladdr "$(at 1 cat /sys/class/net/nic/address)" dev nic
	ip -n p3 neigh replace 10.2.0.1 lladdr "$(at 1 cat /sys/class/net/nic2/address)" dev nic
	payload -u -s 1400 -n 300 -a 10.2.0.2 0 3
	payload -u -f 16 -s 700 -n 50 -w 2 -a 10.1.0.2 3 0
	payload -s 40000 -n 20 -a 10.2.0.2 0 3
	payload -f 8 -s 20000 -n 5 -a 10.1.0.2 3 0
	redirected=$(counters 1 'rx_[0-9]+_xdp_redirect')
	sent=$(at 1 ethtool -S nic2 | awk '/tx_[0-9]+_xdp_xmit:/ { n += $2 } END { print n + 0 }')
	echo "redirected $redirected, sent on by the other port $sent"
	expect_at_least "frames redirected" 800 "$redirected"
	expect_at_least "frames that the other port sent on" "$redirected" "$sent"
	# The other port goes down in the middle: no frame gets through, no buffer is lost.
	payload -u -l -d 3 -s 700 -a 10.2.0.2 0 3 &
	load=$!
	sleep 0.5
	ip -n p1 link set nic2 down
	sleep 0.5
	ip -n p1 link set nic2 up
	wait $load
	payload -u -s 1400 -n 100 -a 10.2.0.2 0 3
	ip -n p1 link set dev nic xdpdrv off
	ip -n p1 link set dev nic2 xdpdrv off
}
