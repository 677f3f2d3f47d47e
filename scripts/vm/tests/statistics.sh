# SPDX-License-Identifier: GPL-2.0
# What is counted, and that the counts agree with each other.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: statistics

interface() { at "$1" cat "/sys/class/net/nic/statistics/$2"; }

# Traffic has ended when the counts stand still.
settle() {
	_last=""
	while :; do
		_now="$(interface 0 rx_packets) $(interface 1 rx_packets) $(model_port 0 tx_packets) $(model_port 1 tx_packets)"
		[ "$_now" != "$_last" ] || return 0
		_last=$_now
		sleep 0.3
	done
}

traffic() {
	payload -s 50000 -n 30 0 1
	payload -6 -s 50000 -n 20 1 0
	payload -u -s 1400 -n 200 0 1
	payload -u -f 8 -s 3000 -n 20 -w 2 1 0
}

# The stack sends a packet of its own now and then: what must agree is looked at again.
sums_agree() {
	for _what in rx_packets rx_bytes tx_packets tx_bytes; do
		_pattern=$(echo "$_what" | sed 's/_/_[0-9]+_/')
		[ "$(interface "$1" $_what)" = "$(counters "$1" "$_pattern")" ] || return 1
	done
}

#: the interface's counts are the sums over queues
test_queues_add_up() {
	driver_and_ports_up
	traffic
	settle
	for port in 0 1; do
		wait_until 5 sums_agree $port || fail "port $port: $(interface $port rx_packets) packets and \
$(interface $port rx_bytes) bytes received: $(counters $port 'rx_[0-9]+_packets') $(counters $port 'rx_[0-9]+_bytes')"
	done
}

# sent FROM: packets, bytes. received FROM: of the other port, and what the device dropped on the way.
sent() { echo "$(interface "$1" tx_packets) $(interface "$1" tx_bytes)"; }
received() {
	_to=$((1 - $1))
	_lost=$(($(model_port $_to rx_dropped_no_wqe) + $(model_port $_to rx_dropped_disabled)))
	echo "$(($(interface $_to rx_packets) + _lost)) $(interface $_to rx_bytes)"
}

#: what one port sent, the other received or the device dropped, to the byte
test_both_ends_agree() {
	driver_and_ports_up
	for port in 0 1; do
		agreed=no
		for _ in 1 2 3 4 5; do
			settle
			before=$(sent $port) before_there=$(received $port)
			payload -s 50000 -n 20 $port $((1 - port))
			payload -6 -u -s 1400 -n 100 $port $((1 - port))
			settle
			# shellcheck disable=SC2046,SC2086
			set -- $(sent $port) $before $(received $port) $before_there
			echo "from port $port: $(($1 - $3)) packets, $(($2 - $4)) bytes; there: $(($5 - $7)), $(($6 - $8))"
			if [ $(($1 - $3)) -eq $(($5 - $7)) ] && [ $(($2 - $4)) -eq $(($6 - $8)) ]; then
				agreed=yes
				break
			fi
		done
		[ $agreed = yes ] || fail "port $port and the other never agree"
	done
}

device_says() { model stats | sed 's/.*"gf"://' | grep -o "\"$1\":[0-9]*" | cut -d: -f2; }
same_count() { [ "$(counter 0 "$1")" = "$(device_says "$2")" ]; }

#: the device's own counters are shown, and agree with what it says to a person
test_device_counters() {
	driver_and_ports_up
	traffic
	for pair in hc_tx_ucast_pkts:tx_unicast_packets hc_rx_bytes:rx_bytes hc_tx_bytes:tx_bytes \
		hc_tx_err_inval_oob:tx_errors_invalid_oob; do
		# The oracle reads them every two seconds, we when asked.
		wait_until 6 same_count "${pair%:*}" "${pair#*:}" ||
			fail "${pair%:*}: $(counter 0 "${pair%:*}"), and the device says $(device_says "${pair#*:}")"
	done
}

#: nothing is counted as an error, and counts survive down, up and reconfiguration
test_counts_survive() {
	driver_and_ports_up
	traffic
	settle
	received=$(interface 1 rx_packets) sent=$(interface 1 tx_packets)
	link_down 1
	link_up 1
	at 1 ethtool -L nic combined 1
	set_mtu 1 9000
	set_mtu 1 1500
	at 1 ethtool -L nic combined 2
	expect_at_least "packets received" "$received" "$(interface 1 rx_packets)"
	expect_at_least "packets sent" "$sent" "$(interface 1 tx_packets)"
	for what in rx_errors tx_errors rx_dropped tx_dropped rx_length_errors; do
		expect_equal "$what" 0 "$(interface 1 $what)"
	done
}

#: receive buffers are recycled: pages that the pools take from the allocator do not grow with traffic
test_pages_are_recycled() {
	driver_and_ports_up
	payload -s 50000 -n 20 0 1
	pool_watch
	before=$(packets 1 rx)
	payload -s 65536 -n 200 0 1
	count=$(($(packets 1 rx) - before))
	taken=$(pool_pages hold)
	pool_unwatch
	echo "$count packets, $taken pages taken"
	expect_at_least "packets received" 1000 $count
	expect_at_least "packets for each page taken" 4 $((count / (taken + 1)))
}
