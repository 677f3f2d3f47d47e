# SPDX-License-Identifier: GPL-2.0
# Frames that XDP hands over to other interfaces and processors while everything about the port changes:
# they outlive the queue, the ring and the page pool that they came from.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: xdp

# attach N OBJECT SECTION: in place of any other program.
attach() { ip -n "p$1" -force link set dev nic xdpdrv obj "/usr/lib/bpf/$2.bpf.o" sec "$3"; }

# map_of N INTERFACE NAME: of the attached program.
map_of() {
	_program=$(ip -n "p$1" -d link show dev "$2" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n1)
	for _map in $(bpftool prog show id "$_program" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		! bpftool map show id "$_map" | grep -q "name $3" || echo "$_map"
	done
}

# bytes MAC: of both addresses, as a map's value.
bytes() { echo "$1 $2" | tr ': ' '\n\n' | sed 's/^/0x/' | tr '\n' ' '; }

# Each gives port 1 a program, and says where its frames go.
to_processor() {
	attach 1 xdp_cpu xdp.cpu
	bpftool map update id "$(map_of 1 nic processors)" key 0 0 0 0 value 64 0 0 0
}
to_veth() {
	attach 1 xdp_count xdp.redirect
	xdp_target 1 nic veth1
}
to_sender() {
	attach 1 xdp_route xdp
	# shellcheck disable=SC2046
	bpftool map update id "$(map_of 1 nic addresses)" key 0 0 0 0 value \
		$(bytes "$(at 0 cat /sys/class/net/nic/address)" "$(at 1 cat /sys/class/net/nic/address)")
	xdp_target 1 nic nic
}

changes() {
	for _ in 1 2; do
		for change in "ip link set nic mtu 3000" "ethtool -G nic rx 1024 tx 128" "ethtool -L nic combined 1" "$1" \
			"ip link set nic mtu 1500" "ethtool -L nic combined 2" "ip link set nic down" "ip link set nic up" \
			"ip link set dev nic xdpdrv off" "ip link set nic mtu 9000" "ethtool -G nic rx 128 tx 512" \
			"ip link set nic mtu 1500" "$1"; do
			case $change in
			to_*) $change ;;
			# shellcheck disable=SC2086
			*) at 1 $change || fail "$change" ;;
			esac
			sleep 0.05
		done
	done
	wait_until 10 carrier_is 1 1 || fail "no carrier"
}

redirected() { counters 1 'rx_[0-9]+_xdp_redirect'; }

#: to a processor: TCP and UDP go through it, undamaged, while MTU, rings, channels and programs change
#: timeout=90
test_to_processor() {
	driver_and_ports_up
	to_processor
	payload -f 2 -s 20000 -n 20 0 1
	before=$(redirected)
	expect_at_least "frames redirected" 100 "$before"
	payload -f 4 -s 20000 -d 1000 0 1 &
	stream=$!
	payload -u -l -f 4 -s 700 -d 1000 0 1 &
	datagrams=$!
	changes to_processor
	kill $datagrams $stream
	wait $datagrams || fail "the datagrams"
	wait $stream || fail "the streams"
	echo "$(($(redirected) - before)) frames redirected meanwhile"
	before=$(redirected)
	payload -f 2 -s 20000 -n 20 0 1
	expect_at_least "frames redirected in the end" $((before + 100)) "$(redirected)"
}

# A third namespace with one end of a veth pair.
veth_up() {
	ip netns add p2
	ip -n p1 link add veth1 type veth peer name nic netns p2
	at 2 ethtool -K nic gro on # without it a veth takes no XDP frames
	ip -n p1 link set veth1 up
	ip -n p2 link set nic up
}

mac() { at "$1" cat /sys/class/net/nic/address; }

# all_come TO [OPTION...]: of 100 frames from port 0, once the changes are over.
all_come() { timeout 20 frame -k raw -n 100 "$@" | grep -q '^frames=100 .*data=good'; }

# flood: frames to port 1 without end.
flood() {
	while [ ! -e /run/enough ]; do
		timeout 20 frame -k raw -s 600 -n 1000 "$@" >/dev/null 2>&1 || true
	done
}

# changing PROGRAM, with frames as in flood.
changing() {
	_redirect=$1
	shift
	rm -f /run/enough
	before=$(redirected)
	flood "$@" &
	_flood=$!
	changes "$_redirect"
	touch /run/enough
	wait $_flood
	echo "$(($(redirected) - before)) frames redirected"
	expect_at_least "frames redirected" $((before + 500)) "$(redirected)"
}

#: to another interface: frames arrive while MTU, rings, channels and programs change, and whole
#: timeout=90
test_to_interface() {
	driver_and_ports_up
	veth_up
	to_veth
	all_come -x "$(mac 1)" 0 2 || fail "not all frames arrive"
	changing to_veth -x "$(mac 1)" 0 2
	wait_until 10 all_come -x "$(mac 1)" 0 2 || fail "not all frames arrive afterwards"
}

#: to the port itself, whose transmit queues change too while they hold frames of old receive queues
#: timeout=90
test_to_itself() {
	driver_and_ports_up
	to_sender
	came=$(packets 0 rx)
	changing to_sender 0 1
	redirects=$(redirected)
	echo "$(($(packets 0 rx) - came)) came back"
	came=$(packets 0 rx)
	sent=$(counters 1 'tx_[0-9]+_xdp_xmit')
	timeout 20 frame -k raw -n 100 0 1 >/dev/null 2>&1 || true
	expect_at_least "frames redirected" $((redirects + 100)) "$(redirected)"
	expect_at_least "frames that left" $((sent + 100)) "$(counters 1 'tx_[0-9]+_xdp_xmit')"
	expect_at_least "frames that came back" $((came + 100)) "$(packets 0 rx)"
}
