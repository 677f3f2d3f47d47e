# SPDX-License-Identifier: GPL-2.0
# Other ways to poll than from an interrupt: threads, timers, and sockets that poll themselves.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: queues

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

# interrupts: of the function's vectors, so far.
interrupts() { awk '/mana/ { for (i = 2; $i ~ /^[0-9]+$/; i++) n += $i } END { print n + 0 }' /proc/interrupts; }

# tune N FILE VALUE: in the interface's directory.
tune() { at "$1" sh -c "echo $3 >/sys/class/net/nic/$2"; }

# pings COUNT: that many echo requests one after the other, each answered.
pings() { ping_port 0 1 -c "$1" -i 0.01 >/dev/null; }

threads() { ps -o comm | grep -c '^napi/nic-'; }

#: NAPIs in threads of their own: traffic both ways, while queues are made anew, and back
#: timeout=90
test_threaded() {
	driver_and_ports_up
	for port in 0 1; do
		tune $port threaded 1
		expect_equal "threaded" 1 "$(at $port cat /sys/class/net/nic/threaded)"
	done
	expect_at_least "threads" 2 "$(threads)"
	payload -f 4 -s 20000 -d 1000 0 1 &
	stream=$!
	payload -u -l -f 4 -s 700 -d 1000 1 0 &
	datagrams=$!
	for change in "ethtool -G nic rx 1024 tx 128" "ethtool -L nic combined 1" "ip link set nic mtu 9000" \
		"ethtool -L nic combined 2" "ip link set nic mtu 1500"; do
		for port in 0 1; do
			# shellcheck disable=SC2086
			at $port $change
		done
		pings 5
	done
	echo "$(threads) threads"
	expect_at_least "threads of 4 queues" 4 "$(threads)"
	tune 0 threaded 0
	tune 1 threaded 0
	pings 5
	kill $datagrams $stream
	wait $datagrams || fail "the datagrams"
	wait $stream || fail "the stream"
	payload -s 30000 -n 10 1 0
	before=$(interrupts)
	pings 50
	expect_at_least "interrupts of 50 echoes" 50 $(($(interrupts) - before))
}

#: polled by a timer while interrupts are deferred: the same traffic without them, and with them again
test_deferred() {
	driver_and_ports_up
	# The kernel defers only for NAPIs that receive: one for both directions.
	at 0 ethtool -L nic combined 1
	at 1 ethtool -L nic combined 1
	reaches 0 1
	pings 5
	before=$(interrupts)
	pings 100
	usual=$(($(interrupts) - before))
	for port in 0 1; do
		tune $port napi_defer_hard_irqs 20000
		tune $port gro_flush_timeout 500000 # nanoseconds
	done
	pings 5
	before=$(interrupts)
	pings 100
	payload -s 20000 -n 20 0 1
	deferred=$(($(interrupts) - before))
	for port in 0 1; do
		tune $port napi_defer_hard_irqs 0
		tune $port gro_flush_timeout 0
	done
	# What is deferred now ends with the next packets.
	_armed() {
		before=$(interrupts)
		pings 20
		[ $(($(interrupts) - before)) -ge 20 ]
	}
	wait_until 20 _armed || fail "interrupts do not come back"
	echo "interrupts: $usual for 100 echoes, $deferred for more while deferred"
	expect_at_least "usual interrupts" 100 $usual
	[ $deferred -le 20 ] || fail "deferred, and still $deferred interrupts"
}

busy_packets() {
	at "$1" awk '$1 == "TcpExt:" && !column { for (i = 2; i <= NF; i++) if ($i == "BusyPollRxPackets") column = i; next }
		$1 == "TcpExt:" { print $column }' /proc/net/netstat
}

#: sockets that poll busily: they find packets themselves, every byte arrives, and interrupts work afterwards
test_busy_sockets() {
	driver_and_ports_up
	pings 5
	sysctl -q -w net.core.busy_read=20000 net.core.busy_poll=20000 # microseconds
	trap 'sysctl -q -w net.core.busy_read=0 net.core.busy_poll=0' EXIT
	before=$(busy_packets 1)
	for _ in 1 2 3 4 5; do
		payload -s 3000 -n 50 0 1
		payload -u -w 1 -s 700 -n 100 0 1
		[ "$(busy_packets 1)" -lt $((before + 50)) ] || break
	done
	found=$(($(busy_packets 1) - before))
	echo "$found packets were found by sockets"
	expect_at_least "packets found by sockets" 50 $found
	at 1 ethtool -L nic combined 1
	payload -s 3000 -n 50 0 1
	sysctl -q -w net.core.busy_read=0 net.core.busy_poll=0
	before=$(interrupts)
	pings 50
	expect_at_least "interrupts of 50 echoes" 50 $(($(interrupts) - before))
}
