# SPDX-License-Identifier: GPL-2.0
# Counts that must agree: of queues, of ports, of both ends; under load and through every change.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: statistics

# shellcheck source=scripts/vm/guest/faults.sh
. /job/faults.sh
# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

# Both directions, both protocols, many flows.
load() {
	payload -l -u -f 6 -s 700 -d "$1" 0 1 &
	_load=$!
	payload -f 4 -s 20000 -d "$1" 1 0
	payload -6 -f 4 -s 20000 -n 10 0 1
	wait $_load
}

link_count() { at "$1" cat "/sys/class/net/nic/statistics/$2"; }

# Traffic has ended when the counts stand still.
settle() {
	_last=""
	while :; do
		_now="$(link_count 0 rx_packets) $(link_count 1 rx_packets) $(link_count 0 tx_packets) $(link_count 1 tx_packets)"
		[ "$_now" != "$_last" ] || return 0
		_last=$_now
		sleep 0.3
	done
}

# of FILE NAME: a number of a snapshot.
of() { awk -v name="$2" '$1 == name { print $2; found = 1 } END { if (!found) print 0 }' "$1"; }

# grown FROM TO NAME: between two snapshots.
grown() { echo $(($(of "$2" "$3") - $(of "$1" "$3"))); }

# queues_add_up N FROM TO: what the queues counted between two snapshots of port N, taken when nothing
# moved and with the same channels, the port counted.
queues_add_up() {
	for _what in rx_packets rx_bytes tx_packets tx_bytes; do
		expect_equal "port $1: $_what of the queues" "$(grown "$2" "$3" link_$_what)" "$(grown "$2" "$3" $_what)"
	done
	expect_equal "port $1: rx_dropped" $(($(grown "$2" "$3" rx_no_buffer) + $(grown "$2" "$3" rx_no_skb))) \
		"$(grown "$2" "$3" link_rx_dropped)"
	expect_equal "port $1: rx_errors" $(($(grown "$2" "$3" rx_truncated) + $(grown "$2" "$3" rx_bad_length))) \
		"$(grown "$2" "$3" link_rx_errors)"
}

# lost N: what the device did not give to port N, since the machine's start.
lost() { echo $(($(model_port "$1" rx_dropped_no_wqe) + $(model_port "$1" rx_dropped_disabled))); }

# agree WHAT: since ends_mark, all that one port sent arrived at the other, or was dropped and counted;
# and the queues add up.
ends_mark() {
	settle
	snapshot_all
	lost 0 >/run/lost.0
	lost 1 >/run/lost.1
}
agree() {
	settle
	for _port in 0 1; do
		snapshot $_port >/run/now.$_port
		queues_add_up $_port /run/counts.$_port /run/now.$_port
	done
	for _from in 0 1; do
		_to=$((1 - _from))
		_sent=$(grown /run/counts.$_from /run/now.$_from tx_packets)
		_dropped=$(($(lost $_to) - $(cat /run/lost.$_to)))
		_arrived=$(grown /run/counts.$_to /run/now.$_to rx_packets)
		echo "$1: port $_from sent $_sent, $_arrived arrived, $_dropped found no buffer"
		expect_equal "$1: packets from port $_from" $_sent $((_arrived + _dropped))
		[ $_dropped -ne 0 ] || expect_equal "$1: bytes from port $_from" \
			"$(grown /run/counts.$_from /run/now.$_from tx_bytes)" "$(grown /run/counts.$_to /run/now.$_to rx_bytes)"
	done
}

# quiet_ports_up, and addresses with all neighbours known: the stack has nothing to send of its own.
addressed_ports_up() {
	quiet_ports_up
	for _port in 0 1; do
		at $_port sh -c 'echo 0 >/proc/sys/net/ipv6/conf/nic/disable_ipv6'
		at $_port sh -c 'echo 0 >/proc/sys/net/ipv6/conf/nic/router_solicitations'
		ip -n p$_port addr add "$(address4 $_port)/24" dev nic
		ip -n p$_port addr add "$(address6 $_port)/64" dev nic nodad
		_mac=$(at $((1 - _port)) cat /sys/class/net/nic/address)
		for _address in "$(address4 $((1 - _port)))" "$(address6 $((1 - _port)))"; do
			ip -n p$_port neigh replace "$_address" lladdr "$_mac" dev nic nud permanent
		done
	done
}

# Queues of their own for flows, and small rings that overflow.
spread() {
	for _port in 0 1; do
		at $_port ethtool -X nic default
		at $_port ethtool -L nic combined "$1"
		at $_port ethtool -G nic rx "$2"
		at $_port ethtool -X nic equal "$1"
	done
	wait_until 10 ping_port 0 1 || fail "no traffic"
}

#: under load over four queues, what one port sent the other received or the device dropped, to the packet
#: timeout=120
test_both_ends() {
	addressed_ports_up
	spread 4 1024
	ends_mark
	load 3
	agree "large rings"
	spread 2 128
	ends_mark
	load 3
	agree "small rings"
	for port in 0 1; do
		for kind in rx tx; do
			[ "$(counters $port "${kind}_0_packets")" -gt 0 ] && [ "$(counters $port "${kind}_1_packets")" -gt 0 ] ||
				fail "port $port: one queue had all the traffic"
		done
	done
}

#: the same with XDP: programs that pass, drop, and send back
#: timeout=120
test_both_ends_with_xdp() {
	addressed_ports_up
	spread 2 512
	xdp_attach 0 pass
	xdp_attach 1 pass
	wait_until 10 ping_port 0 1 || fail "no traffic"
	ends_mark
	load 3
	agree pass
	# The last part counts what port 1 sends: without IPv6 its stack has nothing to say about groups.
	for port in 0 1; do
		at $port sh -c 'echo 1 >/proc/sys/net/ipv6/conf/nic/disable_ipv6'
	done
	xdp_attach_over() { ip -n p1 -force link set dev nic xdpdrv obj $xdp_object sec "xdp.$1"; }
	for verdict in drop tx; do
		xdp_attach_over $verdict
		ends_mark
		frame -k raw -n 2000 0 1 || true
		payload -l -u -f 4 -s 700 -d 1 0 1 || true
		agree $verdict
		moves 1 all | grep -q "^rx_xdp_$verdict [1-9]" || fail "$verdict: not counted"
	done
	# What the program sent is counted as sent, what it dropped as received.
	_sent=$(moves 1 all | awk '$1 == "tx_packets" { print $2 }')
	expect_equal "frames that the program sent back" "$(moves 1 all | awk '$1 == "rx_xdp_tx" { print $2 }')" "$_sent"
}

# watch N: reads all counters of port N in a loop; none may go backwards, and the sum of the queues is
# never before an earlier or after a later count of the port. Ends when /run/watching is gone.
watch() {
	# shellcheck disable=SC2016
	at "$1" sh -c '
		cd /sys/class/net/nic/statistics
		while [ -e /run/watching ]; do
			read -r count <rx_packets; echo "@ before"; echo $count
			echo "@ all"; ethtool -S nic
			read -r count <rx_packets; echo "@ after"; echo $count
			for name in *; do read -r count <$name; echo "link_$name: $count"; done
		done' >/run/watched 2>&1
}

# judge [sums]: what watch saw; prints how often it looked.
judge() {
	awk -v sums="${1:-}" '
		/^@ before/ { round++; getline; before = $1; sum = 0; next }
		/^@ all/ { next }
		/^@ after/ {
			getline
			if (sums && !(before <= sum && sum <= $1)) { print "round " round ": " before, sum, $1; bad = 1 }
			next
		}
		{ sub(/^ */, ""); split($0, part, / *: */); name = part[1]; value = part[2] }
		value !~ /^[0-9]+$/ || name ~ /pool_pages$/ { next }
		name ~ /^rx_[0-9]+_packets$/ { sum += value }
		value + 0 < last[name] + 0 { print "round " round ": " name " from " last[name] " to " value; bad = 1 }
		{ last[name] = value }
		END { print round " rounds"; exit bad || round < 3 }' /run/watched
}

#: counters that are read in a loop while traffic flows are never before, behind or backwards
test_read_under_load() {
	driver_and_ports_up
	: >/run/watching
	watch 1 &
	watcher=$!
	load 10
	rm /run/watching
	wait $watcher
	judge sums || fail "what was read under load"
}

#: nothing goes backwards while ports go down and up, change rings, MTU and channels, and are repaired
#: timeout=120
test_monotonic() {
	driver_and_ports_up
	: >/run/watching
	watch 1 &
	watcher=$!
	payload -l -u -f 4 -s 700 -d 100 0 1 >/dev/null 2>&1 &
	traffic=$!
	for _ in 1 2; do
		link_down 1
		sleep 0.3
		link_up 1
		at 1 ethtool -G nic rx 256 tx 256
		at 1 ethtool -L nic combined 1
		set_mtu 1 4000
		at 1 ethtool -L nic combined 3
		set_mtu 1 1500
		at 1 ethtool -G nic rx 1024 tx 1024
		xdp_attach 1 pass
		at 1 ethtool -L nic combined 4
		xdp_detach 1
		before=$(counter 1 queue_recoveries)
		fault 'rx wq x1'
		_repaired() { [ "$(counter 1 queue_recoveries)" -gt "$before" ]; }
		pings 0 1 5
		wait_until 10 _repaired || fail "no recovery"
		fault
	done
	kill $traffic
	wait $traffic || true
	sleep 0.5
	rm /run/watching
	wait $watcher
	judge || fail "counters went backwards"
	settle
	still_snapshot 1 /run/now.1
	# All queues are shown now, so that is all that the port ever counted.
	queues_add_up 1 /dev/null /run/now.1
}

#: the device answers late for its statistics, or not at all: who reads them waits, the traffic does not
#: timeout=120
test_reading_blocks_nobody() {
	driver_and_ports_up
	ping_port 0 1 >/dev/null
	for delay in 1000 2000; do
		fault "hwc 0x20002 late $delay"
		(while [ ! -e /run/enough ]; do at 1 ethtool -S nic >/dev/null || true; done) &
		reader=$!
		sleep 0.3
		# An echo takes a millisecond; a reader that stops transmission for 900 ms makes it 130 and more.
		for direction in '0 1' '1 0'; do
			# shellcheck disable=SC2086 # two words
			ping_port $direction -c 30 >/run/echoes
			average=$(sed -n 's|^r[ot].* = [0-9.]*/\([0-9]*\)[./].*|\1|p' /run/echoes)
			echo "answers $delay ms late, from port to port ($direction): $average ms on average"
			expect_at_least "ms that echoes may take" "${average:-99999}" 100
		done
		touch /run/enough
		wait $reader
		rm /run/enough
		fault
	done
}
