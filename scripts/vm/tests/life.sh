# SPDX-License-Identifier: GPL-2.0
# Ports and the driver come and go under load.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: life

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

# load_starts: both ways, TCP and UDP, until load_stops. What arrives must be undamaged.
load_starts() {
	payload -u -l -d 1000 -w 8 -s 1200 0 1 >/run/load.1 2>&1 &
	_load_udp=$!
	payload -u -6 -l -d 1000 -w 8 -s 300 1 0 >/run/load.2 2>&1 &
	_load_udp6=$!
	at 1 iperf3 -s >/run/iperf.server 2>&1 &
	_load_server=$!
	wait_until 10 _listens 1 5201
	at 0 iperf3 -c "$(address4 1)" -t 1000 -b 100M >/run/iperf.client 2>&1 &
	_load_client=$!
	sleep 0.3
}

load_stops() {
	kill $_load_client $_load_server 2>/dev/null || true
	kill $_load_udp $_load_udp6 || fail "the load ended early: $(cat /run/load.1 /run/load.2)"
	wait $_load_client $_load_server || true
	wait $_load_udp || fail "$(cat /run/load.1)"
	wait $_load_udp6 || fail "$(cat /run/load.2)"
}

readdress() {
	ip -n p"$1" addr replace "$(address6 "$1")/64" dev nic nodad
}

#: 200 times down and up under load
#: timeout=240 tags=slow
test_up_down_200_times() {
	driver_and_ports_up
	load_starts
	# Ten times in one process: starting "ip" takes longer than what it does.
	for round in $(seq 20); do
		port=$((round % 2))
		for _ in $(seq 10); do
			echo "link set nic down"
			echo "link set nic up"
		done | ip -n p$port -batch - || fail "down and up of port $port"
		readdress $port
	done
	for port in 0 1; do
		link_up $port
		readdress $port
	done
	load_stops
	ping_port 0 1
	payload -s 30000 -n 30 0 1
}

#: rmmod under load, five times
#: timeout=120
test_unload_under_load() {
	for _ in $(seq 5); do
		driver_and_ports_up
		load_starts
		driver_unload
		expect_equal "interfaces after rmmod" "" "$(port_names)"
		audit_objects
		kill $_load_client $_load_server $_load_udp $_load_udp6 2>/dev/null || true
		wait
		namespaces_down
	done
}

#: unbinding under load, and binding again
#: timeout=120
test_unbind_under_load() {
	driver_and_ports_up
	for _ in $(seq 4); do
		load_starts
		echo "$pci_name" >/sys/bus/pci/drivers/mana/unbind
		expect_equal "interfaces after unbinding" "" "$(port_names)"
		audit_objects
		kill $_load_client $_load_server $_load_udp $_load_udp6 2>/dev/null || true
		wait
		namespaces_down
		echo "$pci_name" >/sys/bus/pci/drivers/mana/bind
		wait_until 20 has_port_count "$PORTS" || fail "no interfaces after binding"
		ports_up
		payload -s 20000 -n 5 0 1
	done
}

#: the function is removed from the bus under load, and found again
test_remove_under_load() {
	driver_and_ports_up
	for _ in 1 2; do
		load_starts
		echo 1 >"$mana_pci/remove"
		kill $_load_client $_load_server $_load_udp $_load_udp6 2>/dev/null || true
		wait
		namespaces_down
		echo 1 >/sys/bus/pci/rescan
		wait_until 20 has_port_count "$PORTS" || fail "no interfaces after the rescan"
		ports_up
		payload -s 20000 -n 5 0 1
	done
}

# datagrams_read COUNT: the listener has printed as many as the first one, COUNT times.
datagrams_read() { [ "$(wc -c </run/read)" -eq $(($1 * $(wc -c </run/first))) ]; }

#: 200 datagrams lie in a socket while the port gets other queues, goes down, and the driver is unloaded
test_unread_datagrams() {
	for mtu in 1500 9000; do
		driver_and_ports_up
		set_mtu 0 $mtu
		set_mtu 1 $mtu
		reaches 0 1
		datagrams 1 9901 >/run/read &
		listener=$!
		wait_until 10 datagrams_listen || fail "nobody listens"
		frame -s $((mtu / 2)) 0 1 >/dev/null
		wait_until 10 test -s /run/read || fail "the first datagram does not arrive"
		cp /run/read /run/first
		kill -STOP $listener
		frame -s $((mtu / 2)) -n 100 0 1 | grep -q '^frames=100 .*data=good' || fail "100 frames"
		at 1 ethtool -G nic rx 256
		reaches 0 1
		frame -s $((mtu / 2)) -n 100 0 1 | grep -q '^frames=100 .*data=good' || fail "100 more frames"
		link_down 1
		driver_unload
		expect_equal "interfaces" "" "$(port_names)"
		# The oracle's pools have no interface, and are not listed.
		[ "$DRIVER" = oracle ] || [ -n "$(at 1 pools)" ] || fail "the pages are not out any more"
		cp /run/read /run/before
		cmp /run/first /run/before || fail "they were read already"
		kill -CONT $listener
		wait_until 10 datagrams_read 201 || fail "$(wc -c </run/read) bytes were read"
		for _ in $(seq 201); do cat /run/first; done | cmp - /run/read || fail "damaged"
		kill $listener
		wait $listener || true
		wait_until 10 no_pools || fail "pages are still out: $(at 1 pools)"
		namespaces_down
	done
}
datagrams_listen() { at 1 ss -Hlun "sport = :9901" | grep -q 9901; }
no_pools() { [ -z "$(at 1 pools)" ]; }

# change PORT KIND: some are refused, in some states of the port, and rightly so.
change() {
	case $2 in
	0) ip -n "p$1" link set nic mtu 9000 ;;
	1) at "$1" ethtool -G nic rx 1024 tx 128 ;;
	2) at "$1" ethtool -L nic combined 1 ;;
	3) at "$1" ethtool -L nic combined 2 ;;
	4) xdp_attach "$1" pass ;;
	5) xdp_detach "$1" ;;
	6) ip -n "p$1" link set nic mtu 1500 ;;
	7) link_down "$1" && link_up "$1" && readdress "$1" ;;
	8) at "$1" ethtool -G nic rx 128 tx 512 ;;
	9) at "$1" ethtool -X nic default ;;
	10) at "$1" ethtool -K nic tso off && at "$1" ethtool -K nic tso on ;;
	11) ip -n "p$1" link set nic mtu 3000 ;;
	esac
}

#: MTU, rings, channels, XDP and steering change in many orders under load; then everything works
#: timeout=90
test_changes_in_many_orders() {
	driver_and_ports_up
	load_starts
	refused=""
	for round in $(seq 24); do
		kind=$((round * 7 % 12))
		change $((round / 3 % 2)) $kind >/run/change 2>&1 || refused="$refused $kind"
	done
	echo "refused:$refused"
	load_stops
	for port in 0 1; do
		xdp_detach $port
		set_mtu $port 1500
		readdress $port
		wait_until 10 carrier_is $port 1 || fail "port $port: no carrier"
	done
	payload -s 30000 -n 20 0 1
	payload -6 -s 30000 -n 20 1 0
	payload -u -s 1400 -n 100 1 0
}

#: carrier follows the link event of the device, and traffic with it
test_link_events() {
	driver_and_ports_up
	ping_port 0 1 >/dev/null
	# The device outlives this test.
	trap 'model fault link 0 up; model fault link 1 up' EXIT
	model fault link 0 down
	wait_until 5 carrier_is 0 0 || fail "carrier without a link"
	expect_equal "link of port 0" no "$(at 0 ethtool nic | awk '/Link detected/ { print $3 }')"
	carrier_is 1 1 || fail "the other port lost its carrier too"
	model fault link 0 up
	wait_until 5 carrier_is 0 1 || fail "no carrier with a link"
	ping_port 0 1
	# Gone while the port is down, seen when it comes up.
	ip -n p1 link set nic down
	model fault link 1 down
	ip -n p1 link set nic up
	sleep 0.5
	carrier_is 1 0 || fail "carrier without a link, after up"
	model fault link 1 up
	wait_until 5 carrier_is 1 1 || fail "no carrier with a link"
	ping_port 1 0
}
