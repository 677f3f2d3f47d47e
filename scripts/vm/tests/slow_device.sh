# SPDX-License-Identifier: GPL-2.0
# A device that takes 3 ms of the guest's time before it looks at a doorbell: rings fill up.
# shellcheck shell=sh
# machine: ports=2 queues=4 defer_ns=3000000
# tags: queues

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

#: with the smallest transmit ring and more packets than it takes, the queue stops and wakes
test_stop_and_wake() {
	driver_and_ports_up
	at 0 ethtool -G nic tx 128
	# Byte queue limits, where the driver has them, keep a ring from ever being full.
	for limit in $(at 0 sh -c 'echo /sys/class/net/nic/queues/tx-*/byte_queue_limits/limit_min'); do
		at 0 sh -c "echo 100000000 >$limit"
	done
	for _ in 1 2 3 4; do
		payload -u -l -d 1 -f 16 -s 200 0 1
		stops=$(counter 0 stop_queue)
		[ "$stops" -eq 0 ] || break
	done
	echo "stopped $stops times, woken $(counter 0 wake_queue) times"
	expect_at_least "times the queue stopped" 1 "$stops"
	expect_at_least "times the queue woke" 1 "$(counter 0 wake_queue)"
	expect_equal "transmit timeouts" 0 "$(counter 0 tx_timeouts)"
}

#: after traffic every stop has its wake, and no frame and no other counter of trouble is missing
test_stops_and_wakes() {
	driver_load
	ports_up
	at 0 ethtool -G nic tx 128
	no_queue_limits 0
	payload -u -l -d 1 -f 4 -s 200 0 1 # addresses are resolved
	snapshot_all
	payload -u -l -d 2 -f 16 -s 200 0 1
	sleep 1
	stops=$(moves 0 | awk '$1 == "stop_queue" { print $2 }')
	echo "stopped $stops times"
	expect_at_least "times the queue stopped" 1 "${stops:-0}"
	expect_moves "full rings" 0 "stop_queue:$stops" "tx_stop:$stops" "wake_queue:$stops" "tx_wake:$stops"
}
