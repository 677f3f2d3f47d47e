# SPDX-License-Identifier: GPL-2.0
# What people may ask for and must not get: an error, and no change.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: input

# State of port 0, and what was asked of the device.
state() {
	at 0 ethtool -g nic
	at 0 ethtool -l nic
	at 0 ethtool -x nic
	ip -n p0 -d link show dev nic | grep -o 'mtu [0-9]*\|prog/xdp id [0-9]*\|link/ether [0-9a-f:]*'
	model objects
	model stats | grep -o '"commands":[0-9]*'
}

# refused COMMAND...: on port 0.
refused() {
	state >/run/before
	! at 0 "$@" 2>/run/message || fail "this succeeded: $*"
	[ -s /run/message ] || fail "no message from: $*"
	state >/run/after
	diff /run/before /run/after || fail "changed by: $*"
}

#: ring sizes: none, too few, too many
test_rings() {
	driver_and_ports_up
	for size in 0 1 100 127; do
		refused ethtool -G nic rx $size
		refused ethtool -G nic tx $size
	done
	refused ethtool -G nic rx 1000000000
	refused ethtool -G nic tx 4294967295
	refused ethtool -G nic rx-mini 128
	refused ethtool -G nic rx-jumbo 128
	ping_port 0 1
}

#: channels: none, more than there are, or of kinds that there are not
test_channels() {
	driver_and_ports_up
	for count in 0 5 17 65 4294967295; do
		refused ethtool -L nic combined $count
	done
	refused ethtool -L nic rx 1
	refused ethtool -L nic tx 1
	refused ethtool -L nic other 1
	ping_port 0 1
}

#: steering: queues that do not exist, a key of another length, another hash function, no contexts
test_steering() {
	driver_and_ports_up
	refused ethtool -X nic equal 5
	refused ethtool -X nic weight 0 0 0 0 1
	refused ethtool -X nic start 4 equal 1
	refused ethtool -X nic hkey 01:02:03
	refused ethtool -X nic hkey "$(printf '01:%.0s' $(seq 41))02"
	refused ethtool -X nic hfunc xor
	refused ethtool -X nic hfunc crc32
	refused ethtool -X nic context new equal 2
	# What the table uses cannot be taken away.
	at 0 ethtool -L nic combined 4
	at 0 ethtool -X nic weight 0 0 0 1
	refused ethtool -L nic combined 2
	ping_port 0 1
}

#: what the driver does not offer: coalescing, setting pause or speed, flow rules, restarting a negotiation
test_not_offered() {
	driver_and_ports_up
	refused ethtool -C nic rx-usecs 10
	refused ethtool -C nic adaptive-rx on
	refused ethtool -A nic rx on
	refused ethtool -s nic speed 100
	refused ethtool -N nic flow-type tcp4 dst-port 1 action 0
	refused ethtool -r nic
	ping_port 0 1
}

#: MTU: below 68 and above the adapter's
test_mtu() {
	driver_and_ports_up
	for mtu in 0 67 9001 65536 2147483647; do
		refused ip link set nic mtu $mtu
	done
	ip -n p0 link set nic mtu 68
	ip -n p0 link set nic mtu 9000
}

#: MAC addresses: multicast, zero
test_mac() {
	driver_and_ports_up
	refused ip link set nic address 01:00:00:00:00:01
	refused ip link set nic address 00:00:00:00:00:00
	refused ip link set nic address ff:ff:ff:ff:ff:ff
	ping_port 0 1
}

#: XDP needs a buffer that is a page: not with a large MTU, and none while a program is attached
test_xdp() {
	driver_and_ports_up
	set_mtu 0 9000
	refused ip link set dev nic xdpdrv obj $xdp_object sec xdp.pass
	refused ip link set dev nic xdpoffload obj $xdp_object sec xdp.pass
	set_mtu 0 1500
	xdp_attach 0 pass
	refused ip link set nic mtu 9000
	refused ip link set nic mtu 4096
	ping_port 0 1
	xdp_detach 0
	set_mtu 0 9000
}

#: the module twice, and its end with the links up
test_module() {
	driver_and_ports_up
	expect_failure insmod "$DRIVER_FILE"
	ping_port 0 1
	driver_unload
	expect_equal interfaces "" "$(port_names)"
}

#: a second driver for the function, and a bind of what is bound
test_bind_twice() {
	driver_and_ports_up
	expect_failure sh -c "echo $pci_name >/sys/bus/pci/drivers/mana/bind"
	expect_failure sh -c "echo 0000:ff:1f.7 >/sys/bus/pci/drivers/mana/unbind"
	ping_port 0 1
}
