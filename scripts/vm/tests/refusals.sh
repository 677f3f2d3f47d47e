# SPDX-License-Identifier: GPL-2.0
# What people may ask for and must not get: an error, and no change.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: input

# All that can be set on port 0, and what was asked of the device.
state() {
	# One shell, because each entry into a namespace takes its time.
	at 0 sh -c 'for what in g l x c k a; do
			ethtool -$what nic 2>&1 || echo "no -$what"
		done
		ip -d link show dev nic'
	model objects
	model stats | grep -o '"commands":[0-9]*'
}

# refused SENTENCE COMMAND...: on port 0. The pattern is in the message, or in the log where the kernel's
# interface has no place for a sentence (MTU, channels, steering). Nothing has changed since "state".
refused() {
	_sentence=$1
	shift
	dmesg >/run/log
	! at 0 "$@" >/run/message 2>&1 || fail "this succeeded: $*"
	dmesg | tail -n +$(($(wc -l </run/log) + 1)) >>/run/message
	grep -q -e "$_sentence" /run/message || fail "$*: $(cat /run/message)"
	state >/run/after
	diff /run/before /run/after || fail "changed by: $*"
}

refusals_begin() {
	driver_and_ports_up
	state >/run/before
}

# A refusal may be noticed late: traffic goes on, and everything can still be changed.
refusals_end() {
	ping_port 0 1
	at 0 ethtool -G nic rx 256 tx 256
	at 0 ethtool -L nic combined 3
	ping_port 0 1
}

#: ring sizes: none, not a power of two, too few, too many, of kinds that there are not
#: timeout=90
test_rings() {
	refusals_begin
	for size in 0 1 64 127 129 1000; do
		refused 'The receive ring has a power of two of entries, 128 to 8192' ethtool -G nic rx $size
		refused 'The transmit ring has a power of two of entries, 128 to 16384' ethtool -G nic tx $size
	done
	# One of two is wrong: the other one does not change either.
	refused 'The transmit ring' ethtool -G nic rx 1024 tx 1000
	refused 'The receive ring' ethtool -G nic rx 1000 tx 1024
	refused 'ring size exceeds maximum' ethtool -G nic rx 16384
	refused 'ring size exceeds maximum' ethtool -G nic tx 32768
	refused 'ring size exceeds maximum' ethtool -G nic rx-mini 128
	refused 'ring size exceeds maximum' ethtool -G nic rx-jumbo 128
	refused 'setting rx buf len not supported' ethtool -G nic rx-buf-len 4096
	refused 'setting cqe size not supported' ethtool -G nic cqe-size 128
	refused 'setting tx push not supported' ethtool -G nic tx-push on
	refusals_end
}

#: channels: none, more than there are, or of kinds that there are not
test_channels() {
	refusals_begin
	refused 'no RX or TX channel' ethtool -L nic combined 0
	for count in 5 17 65 4294967295; do
		refused 'channel count exceeds maximum' ethtool -L nic combined $count
	done
	for kind in rx tx other "rx 1 tx"; do
		# shellcheck disable=SC2086
		refused 'channel count exceeds maximum' ethtool -L nic $kind 1
	done
	refused 'channel count exceeds maximum' ethtool -L nic combined 2 rx 1 tx 1
	refusals_end
}

#: steering: queues that do not exist, a key of another length, another hash function, no contexts
test_steering() {
	driver_and_ports_up
	at 0 ethtool -L nic combined 4
	state >/run/before
	# The kernel looks at the table before the driver does, and has no words for it.
	for words in "equal 5" "weight 0 0 0 0 1" "start 4 equal 1" "start 2 equal 3"; do
		# shellcheck disable=SC2086
		refused 'Invalid argument' ethtool -X nic $words
	done
	refused 'Key is too short' ethtool -X nic hkey 01:02:03
	refused 'Key is too long' ethtool -X nic hkey "$(printf '01:%.0s' $(seq 41))02"
	refused 'refused: The device hashes with Toeplitz' ethtool -X nic hfunc xor
	refused 'refused: The device hashes with Toeplitz' ethtool -X nic hfunc crc32
	refused 'Operation not supported' ethtool -X nic context new equal 2
	# What the table uses cannot be taken away.
	at 0 ethtool -X nic weight 0 0 0 1
	state >/run/before
	refused 'too low for existing indirection table' ethtool -L nic combined 2
	at 0 ethtool -X nic default
	refusals_end
}

#: what the driver does not offer: setting pause or speed, flow rules, restarting a negotiation
test_not_offered() {
	refusals_begin
	for words in "-A nic rx on" "-A nic autoneg on" "-s nic speed 100" "-s nic wol g" "-s nic msglvl 1" "-r nic" \
		"-p nic 1" "-e nic" "-m nic" "--set-eee nic eee on" "--set-fec nic encoding rs" "--reset nic all"; do
		# shellcheck disable=SC2086
		refused 'Operation not supported' ethtool $words
	done
	refused 'Cannot insert classification rule' ethtool -N nic flow-type tcp4 dst-port 1 action 0
	ping_port 0 1
}

#: coalescing on a device that does not offer it (coalescing.sh has one that does), and kinds that there are not
test_coalescing() {
	refusals_begin
	for words in "rx-usecs 10" "tx-frames 1" "adaptive-rx on" "adaptive-tx on"; do
		# shellcheck disable=SC2086
		refused 'does not offer interrupt moderation' ethtool -C nic $words
	done
	refused 'cannot modify an unsupported parameter' ethtool -C nic stats-block-usecs 1
	refused 'cannot modify an unsupported parameter' ethtool -C nic rx-usecs-irq 1
	# The device is asked, by commands that change nothing.
	for packets in 4 8; do
		expect_failure at 0 ethtool --set-priv-flags nic rx-cqe-coalescing-$packets on
		expect_equal "flags" 0 "$(at 0 ethtool --show-priv-flags nic | grep -c 'rx-cqe.*: on')"
	done
	dmesg | grep -q 'refused: The device does not coalesce received packets' || fail "nothing in the log"
	ping_port 0 1
}

#: features that are always on, or that there are not
test_features() {
	refusals_begin
	for feature in rx-ntuple-filter rx-lro rx-vlan-filter loopback hw-tc-offload rx-fcs rx-gro-hw; do
		refused 'Could not change any device features' ethtool -K nic $feature on
	done
	refused 'Could not change any device features' ethtool -K nic rx-vlan-hw-parse off
	refused 'Could not change any device features' ethtool -K nic highdma off
	ping_port 0 1
}

#: MTU: below 68 and above the adapter's
test_mtu() {
	refusals_begin
	for mtu in 0 67; do
		refused 'mtu less than device minimum' ip link set nic mtu $mtu
	done
	for mtu in 9001 65536 2147483647; do
		refused 'mtu greater than device maximum' ip link set nic mtu $mtu
	done
	ip -n p0 link set nic mtu 68
	ip -n p0 link set nic mtu 9000
}

#: addresses: the MAC address is the device's, there are no VFs, and the kernel has no words for either
test_mac() {
	refusals_begin
	for address in 01:00:00:00:00:01 00:00:00:00:00:00 ff:ff:ff:ff:ff:ff 02:00:00:00:00:01; do
		refused 'Operation not supported' ip link set nic address $address
	done
	refused 'Operation not supported' ip link set nic vf 0 mac 02:00:00:00:00:01
	ping_port 0 1
}

#: XDP: not in the device, not two ways at once, not with a large MTU, nor that while a program is attached
test_xdp() {
	refusals_begin
	# A program that is loaded: that of the other port.
	xdp_attach 1 pass
	program=$(ip -n p1 -d link show dev nic | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n 1)
	state >/run/before
	refused 'The device runs no XDP programs' bpftool net attach xdpoffload id "$program" dev nic
	xdp_detach 1
	set_mtu 0 9000
	state >/run/before
	refused 'The MTU is too large for XDP' ip link set dev nic xdpdrv obj $xdp_object sec xdp.pass
	set_mtu 0 1500
	xdp_attach 0 pass
	state >/run/before
	for mtu in 9000 4096 3600; do
		refused 'refused: The MTU is too large for the attached XDP program' ip link set nic mtu $mtu
	done
	refused 'Native and generic XDP' ip link set dev nic xdpgeneric obj $xdp_object sec xdp.pass
	refused 'XDP program already attached' ip link set dev nic xdpdrv obj $xdp_object sec xdp.drop
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
