# SPDX-License-Identifier: GPL-2.0
# Traffic between two ports of one device.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: traffic

#: echo requests from one byte to fragments, IPv4 and IPv6
test_ping() {
	driver_and_ports_up
	for size in 1 18 56 512 1472 1473 8000; do
		ping_port 0 1 -s $size
		ping6_port 1 0 -s $size
	done
}

#: one TCP stream with iperf3, in both directions
test_tcp() {
	driver_and_ports_up
	echo "0 -> 1: $(iperf 0 1) Mbit/s"
	echo "1 -> 0: $(iperf 1 0) Mbit/s"
}

#: one TCP stream over IPv6
test_tcp_v6() {
	driver_and_ports_up
	echo "0 -> 1: $(iperf 0 1 -6) Mbit/s"
}
