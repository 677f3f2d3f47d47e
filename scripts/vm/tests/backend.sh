# SPDX-License-Identifier: GPL-2.0
# Ports on network backends of QEMU instead of the device's own switch: two ports on one hub, so
# that every frame leaves the device and comes back into it.
# shellcheck shell=sh
# machine: ports=2 queues=2 netdev0=hub0 netdev1=hub1 qemu="-netdev hubport,id=hub0,hubid=0 -netdev hubport,id=hub1,hubid=0"
# tags: backend

#: ping and TCP through the hub
test_traffic() {
	driver_and_ports_up
	ping_port 0 1 -s 1400
	# A hub does not know what a frame of 60 KB is: the device must have cut it.
	echo "$(iperf 0 1) Mbit/s"
}

#: the backend's cable: pulled out, no carrier; plugged in, traffic
test_cable() {
	driver_and_ports_up
	host link 0 down
	wait_until 10 carrier_is 0 0 || fail "carrier without a cable"
	host link 0 up
	wait_until 10 carrier_is 0 1 || fail "no carrier with a cable"
	ping_port 0 1
}
