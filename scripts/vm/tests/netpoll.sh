# SPDX-License-Identifier: GPL-2.0
# The kernel's log over a port: sent with interrupts off, from anywhere, and by polls without a budget.
# The device is slow, so that rings are full.
# shellcheck shell=sh
# machine: ports=2 queues=4 defer_ns=3000000
# tags: traffic

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

console_up() {
	at 0 modprobe netconsole \
		"netconsole=6665@$(address4 0)/nic,6666@$(address4 1)/$(at 1 cat /sys/class/net/nic/address)"
	trap 'rmmod netconsole' EXIT
	datagrams 1 6666 >/run/lines 2>&1 &
	listener=$!
}

# say N: a line of the log.
say() { echo "<6>line $1 of the test" >/dev/kmsg; }

said=0
says_again() {
	said=$((said + 1))
	say "extra $said"
	sleep 0.3
	grep -q "line extra $said of the test" /run/lines
}

# Polls without a budget since the trigger was set.
polls_without_budget() {
	sed -n 's/.*{ budget: *0 } hitcount: *\([0-9]*\).*/\1/p' /sys/kernel/tracing/events/napi/napi_poll/hist
}

#: netconsole while rings are full: polls without a budget make room, and traffic goes on undamaged
#: timeout=90
test_console() {
	driver_and_ports_up
	at 0 ethtool -G nic tx 128
	no_queue_limits 0
	console_up
	wait_until 10 says_again || fail "no line arrives"
	echo 'hist:keys=budget' >/sys/kernel/tracing/events/napi/napi_poll/trigger
	payload -u -l -d 1000 -f 16 -s 200 0 1 &
	load=$!
	payload -s 20000 -d 1000 1 0 &
	more=$!
	line=0
	while [ $line -lt 400 ] && [ "$(polls_without_budget)0" -lt 200 ]; do
		for _ in 1 2 3 4 5 6 7 8 9 10; do
			line=$((line + 1))
			say $line
		done
	done
	polls=$(polls_without_budget)
	echo '!hist:keys=budget' >/sys/kernel/tracing/events/napi/napi_poll/trigger
	kill $load $more
	wait $load || fail "the datagrams"
	wait $more || fail "the stream"
	wait_until 10 says_again || fail "no line arrives any more"
	echo "$line lines, $(grep -c 'line [0-9]* of the test' /run/lines) arrived, ${polls:-0} polls without a budget"
	expect_at_least "polls without a budget" 20 "${polls:-0}"
	kill $listener
	ping_port 0 1
}

#: netconsole while the port goes down and up, gets other queues, and is taken away
test_changes() {
	driver_and_ports_up
	console_up
	# With pauses: whoever prints holds the console, and everybody else up.
	(while [ ! -e /run/enough ]; do
		for _ in 1 2 3 4 5 6 7 8; do say x; done
		sleep 0.02
	done) &
	talker=$!
	for change in "ethtool -G nic rx 1024 tx 128" "ethtool -L nic combined 1" "ip link set nic mtu 9000" \
		"ip link set nic down" "ip link set nic up" "ethtool -L nic combined 2"; do
		# shellcheck disable=SC2086
		at 0 $change
		says_again >/dev/null || :
	done
	echo "$(wc -l </run/lines) lines"
	wait_until 10 carrier_is 0 1 || fail "no carrier"
	wait_until 10 says_again || fail "no line arrives after changes"
	driver_unload
	touch /run/enough
	wait $talker
	rm /run/enough
	kill $listener
}
