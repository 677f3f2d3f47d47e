# SPDX-License-Identifier: GPL-2.0
# VLAN tags, inserted and stripped by the device.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: vlan

# vlan_up ID [OPTION...]: the VLAN on both ports: 10.ID%256.0.N/24 and fd01:ID::N/64.
vlan_up() {
	_id=$1
	shift
	for _p in 0 1; do
		ip -n p$_p link add link nic name "v$_id" type vlan id "$_id" "$@"
		ip -n p$_p addr add "10.$((_id % 200 + 20)).0.$((_p + 1))/24" dev "v$_id"
		ip -n p$_p addr add "fd01:$_id::$((_p + 1))/64" dev "v$_id" nodad
		ip -n p$_p link set "v$_id" up
	done
}

vlan4() { echo "10.$(($1 % 200 + 20)).0.2"; }
vlan6() { echo "fd01:$1::2"; }

vlan_exchange() {
	payload -s 40000 -n 20 -a "$(vlan4 "$1")" 0 1
	payload -6 -s 40000 -n 20 -a "$(vlan6 "$1")" 0 1
	payload -u -D -s 1472 -n 40 -a "$(vlan4 "$1")" 0 1
	payload -6 -u -D -s 1452 -n 40 -a "$(vlan6 "$1")" 0 1
	payload -u -s 6000 -n 10 -w 4 -a "$(vlan4 "$1")" 0 1
}

#: TCP and UDP, IPv4 and IPv6, full frames, over several VLANs; the device inserts and strips
test_traffic() {
	modprobe 8021q
	driver_and_ports_up
	inserted=$(model_port 0 tx_vlan_inserted) stripped=$(model_port 1 rx_vlan_stripped)
	long=$(counters 0 'tx_[0-9]+_long_pkt_fmt')
	for id in 1 100 4094; do
		vlan_up $id
		vlan_exchange $id
	done
	expect_at_least "tags that the device inserted" 300 $(($(model_port 0 tx_vlan_inserted) - inserted))
	expect_at_least "tags that the device stripped" 300 $(($(model_port 1 rx_vlan_stripped) - stripped))
	expect_at_least "packets in the long form" 300 $(($(counters 0 'tx_[0-9]+_long_pkt_fmt') - long))
	expect_at_least "TSO packets" 1 "$(counters 0 'tx_[0-9]+_tso_packets')"
	ping_port 0 1
}

#: the tag in the frame instead: insertion off; checksums and segmentation with a tag inside
test_insertion_off() {
	modprobe 8021q
	driver_and_ports_up
	for port in 0 1; do
		at $port ethtool -K nic tx-vlan-offload off
	done
	inserted=$(model_port 0 tx_vlan_inserted)
	vlan_up 77
	vlan_exchange 77
	expect_equal "tags that the device inserted" "$inserted" "$(model_port 0 tx_vlan_inserted)"
	for words in "tso off" "tx off" "rx off" "sg off" "tx-vlan-offload on"; do
		for port in 0 1; do
			# shellcheck disable=SC2086
			at $port ethtool -K nic $words
		done
		vlan_exchange 77
	done
	# A tag on top of the largest frame.
	for port in 0 1; do
		at $port ethtool -K nic tx-vlan-offload off
		set_mtu $port "$DEVICE_MTU"
		ip -n p$port link set v77 mtu "$DEVICE_MTU"
	done
	payload -u -D -s $((DEVICE_MTU - 28)) -n 30 -a "$(vlan4 77)" 0 1
}

#: every VLAN id that there is, and id 0, arrives as it was sent
test_ids() {
	driver_and_ports_up
	for id in 0 1 2 255 256 1023 2048 4094 4095; do
		expect_equal "VLAN $id" "vlan=$id" "$(frame -t $id 0 1 | cut -d' ' -f3)"
	done
	expect_equal "no VLAN" "vlan=none" "$(frame 0 1 | cut -d' ' -f3)"
	# Priority-tagged traffic is for the port itself.
	modprobe 8021q
	vlan_up 0
	payload -u -s 500 -n 20 -a "$(vlan4 0)" 0 1
}

#: priority bits are inserted into the tag
test_priority() {
	modprobe 8021q
	driver_and_ports_up
	vlan_up 9 egress 0:0 1:1 2:2 3:3 4:4 5:5 6:6 7:7
	inserted=$(model_port 0 tx_vlan_inserted)
	for priority in 1 5 6; do
		payload -p $priority -u -s 100 -n 20 -a "$(vlan4 9)" 0 1
		payload -p $priority -s 20000 -n 5 -a "$(vlan4 9)" 0 1
	done
	expect_at_least "tags that the device inserted" 60 $(($(model_port 0 tx_vlan_inserted) - inserted))
	expect_equal "errors of the device" 0 "$(counters 0 'tx_cq_err')"
}

#: a tag within a tag: one is the device's, one stays in the frame
test_two_tags() {
	modprobe 8021q
	driver_and_ports_up
	for port in 0 1; do
		ip -n p$port link add link nic name outer type vlan id 500
		ip -n p$port link set outer up
		ip -n p$port link add link outer name inner type vlan id 600
		ip -n p$port addr add 10.9.0.$((port + 1))/24 dev inner
		ip -n p$port link set inner mtu 1496 up
	done
	payload -s 20000 -n 20 -a 10.9.0.2 0 1
	payload -u -D -s 1468 -n 30 -a 10.9.0.2 0 1
}

#: VLANs at the largest MTU
test_jumbo() {
	modprobe 8021q
	driver_and_ports_up
	set_mtu 0 "$DEVICE_MTU"
	set_mtu 1 "$DEVICE_MTU"
	vlan_up 300
	payload -u -D -s $((DEVICE_MTU - 28)) -n 30 -a "$(vlan4 300)" 0 1
	payload -s 60000 -n 20 -a "$(vlan4 300)" 0 1
}

#: a VLAN that the receiver does not have is not delivered
test_other_vlan() {
	modprobe 8021q
	driver_and_ports_up
	vlan_up 10
	ip -n p1 link del v10
	ip -n p1 link add link nic name v11 type vlan id 11
	ip -n p1 addr add 10.30.0.2/24 dev v11
	ip -n p1 link set v11 up
	if at 0 ping -q -n -c 3 -i 0.1 -W 1 10.30.0.2; then
		fail "a packet changed its VLAN"
	fi
}
