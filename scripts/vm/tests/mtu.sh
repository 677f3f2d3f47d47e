# SPDX-License-Identifier: GPL-2.0
# The largest frame, and what happens at its edge.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: mtu

both_mtu() {
	set_mtu 0 "$1"
	set_mtu 1 "$1"
}

# fits BYTES: UDP datagrams that exactly fill an IPv4 packet of that size, not to be fragmented, pass
# in both directions, and those one byte larger do not leave.
fits() {
	payload -u -D -s $(($1 - 28)) -n 25 0 1
	payload -u -D -s $(($1 - 28)) -n 25 1 0
	if payload -u -D -s $(($1 - 27)) -n 1 0 1 >/dev/null 2>&1; then
		fail "a packet of $(($1 + 1)) bytes passed at MTU $1"
	fi
}

#: every MTU from 68 to 9000 and back: exact frames pass, larger do not leave; TCP uses the room
#: timeout=150
test_sweep() {
	driver_and_ports_up
	for mtu in 68 69 576 1280 1499 1500 1501 1514 1664 1665 1666 3000 3700 3800 4000 4096 8000 8999 9000 \
		4096 1500 68 9000 1500; do
		echo "MTU $mtu"
		both_mtu $mtu
		fits $mtu
		if [ $mtu -ge 576 ]; then
			payload -s 30000 -n 6 0 1
		fi
	done
	# IPv6 addresses went with the small MTU.
	for port in 0 1; do
		ip -n p$port addr replace "$(address6 $port)/64" dev nic nodad
	done
	for mtu in 1280 9000; do
		both_mtu $mtu
		payload -6 -s 30000 -n 6 0 1
		payload -6 -u -D -s $((mtu - 48)) -n 25 1 0
	done
}

#: the largest MTU is what the device allows, and neither more nor less than 68 is taken
test_limits() {
	driver_load
	name=$(port_names | head -n1)
	expect_equal "smallest MTU" 68 "$(ip -d link show "$name" | grep -o 'minmtu [0-9]*' | cut -d' ' -f2)"
	expect_equal "largest MTU" "$DEVICE_MTU" "$(ip -d link show "$name" | grep -o 'maxmtu [0-9]*' | cut -d' ' -f2)"
	expect_failure ip link set "$name" mtu 67 2>/dev/null
	expect_failure ip link set "$name" mtu $((DEVICE_MTU + 1)) 2>/dev/null
	ports_up
	both_mtu "$DEVICE_MTU"
	fits "$DEVICE_MTU"
}

#: changed while down: it counts when the port comes up
test_while_down() {
	driver_and_ports_up
	for mtu in 9000 68 1500; do
		link_down 0
		link_down 1
		both_mtu $mtu
		link_up 0
		link_up 1
		fits $mtu
	done
}

#: D-58: a thousand frames larger than a receive buffer are dropped, and the queue goes on
test_larger_than_buffer() {
	driver_and_ports_up
	set_mtu 0 9000
	before=$(model_port 1 rx_truncated)
	if frame -k raw -s 9000 -n 1000 0 1; then
		fail "a frame of 9000 bytes arrived at MTU 1500"
	fi
	truncated=$(($(model_port 1 rx_truncated) - before))
	echo "truncated by the device: $truncated"
	expect_at_least "frames that were truncated" 600 "$truncated"
	if [ "$DRIVER" != oracle ]; then
		expect_equal "what the driver counted" "$truncated" "$(counters 1 'rx_[0-9]+_truncated')"
		expect_equal "length errors of the interface" "$truncated" \
			"$(at 1 cat /sys/class/net/nic/statistics/rx_length_errors)"
	fi
	both_mtu 1500
	fits 1500
	payload -s 30000 -n 20 0 1
}

#: changed again and again under load: TCP goes on, nothing is damaged
test_changes_under_load() {
	driver_and_ports_up
	payload -u -l -d 8 -f 4 -s 1000 0 1 &
	one=$!
	payload -f 4 -s 20000 -d 6 1 0 &
	two=$!
	for mtu in 9000 1500 4000 576 3000 9000 1400 1500; do
		both_mtu $mtu
		sleep 0.3
	done
	wait $one
	wait $two
	fits 1500
}
