# SPDX-License-Identifier: GPL-2.0
# Channels, rings, and how receive side scaling spreads flows over queues.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: queues

# channels N COUNT
channels() { at "$1" ethtool -L nic combined "$2"; }
channels_of() { at "$1" ethtool -l nic | awk '/^Combined:/ { n = $2 } END { print n }'; }
max_channels() { at "$1" ethtool -l nic | awk '/^Combined:/ { print $2; exit }'; }

# ring N rx|tx: its size now; largest_ring the same for what is possible.
ring() { at "$1" ethtool -g nic | awk -v name="$(echo "$2" | tr a-z A-Z):" '$1 == name { n = $2 } END { print n }'; }
largest_ring() { at "$1" ethtool -g nic | awk -v name="$(echo "$2" | tr a-z A-Z):" '$1 == name { print $2; exit }'; }

# received N QUEUE: packets of that queue.
received() { counter "$1" "rx_$2_packets"; }

# queues_hit N COMMAND...: which queues received more than 20 packets while it ran.
queues_hit() {
	_port=$1
	shift
	_all=$(channels_of "$_port")
	_earlier=$(for _q in $(seq 0 $((_all - 1))); do received "$_port" "$_q"; done)
	"$@" || fail "$*"
	_q=0 _hit=""
	for _old in $_earlier; do
		[ $(($(received "$_port" $_q) - _old)) -le 20 ] || _hit="$_hit $_q"
		_q=$((_q + 1))
	done
	echo "${_hit# }"
}

many_udp_flows() { payload -u -f 48 -s 400 -n 30 -w 2 0 1; }
many_tcp_flows() { payload -f 48 -s 20000 -n 3 0 1; }

#: 1, 2 and as many channels as there are (the oracle: not more than processors), and back, with traffic
test_channels() {
	driver_and_ports_up
	most=$(max_channels 0)
	if [ "$DRIVER" = oracle ]; then
		expect_at_least "channels" 2 "$most"
	else
		expect_equal "channels" "$QUEUES" "$most"
	fi
	for count in 1 2 3 4 2 1 4; do
		[ $count -le "$most" ] || continue
		channels 0 $count
		channels 1 $count
		expect_equal "channels of port 0" $count "$(channels_of 0)"
		wait_until 5 carrier_is 1 1 || fail "no carrier with $count channels"
		hit=$(queues_hit 1 many_udp_flows)
		echo "$count channels: queues hit: $hit"
		expect_equal "queues that received" $count "$(echo "$hit" | wc -w)"
		many_tcp_flows
	done
	expect_failure channels 0 0 2>/dev/null
	expect_failure channels 0 $((most + 1)) 2>/dev/null
}

#: channels change under load: TCP goes on, nothing is damaged
test_channels_under_load() {
	driver_and_ports_up
	payload -u -l -d 5 -f 4 -s 1000 0 1 &
	one=$!
	payload -f 4 -s 20000 -d 4 1 0 &
	two=$!
	for count in 1 2 1 2 1 2; do
		channels 0 $count
		channels 1 $count
		sleep 0.3
	done
	wait $one
	wait $two
	many_tcp_flows
}

#: channels set while down count when the port comes up
test_channels_while_down() {
	driver_and_ports_up
	link_down 1
	channels 1 1
	link_up 1
	expect_equal "channels" 1 "$(channels_of 1)"
	many_tcp_flows
	link_down 1
	channels 1 2
	link_up 1
	hit=$(queues_hit 1 many_udp_flows)
	expect_equal "queues that received" 2 "$(echo "$hit" | wc -w)"
}

#: ring sizes from 128 to the largest, others refused; the smallest does not overflow
test_rings() {
	driver_and_ports_up
	largest_rx=$(largest_ring 1 rx) largest_tx=$(largest_ring 1 tx)
	expect_at_least "largest receive ring" 1024 "$largest_rx"
	expect_at_least "largest transmit ring" 1024 "$largest_tx"
	lost=$(model stats | grep -o '"entries_lost":[0-9]*')
	for size in 128 256 1024 4096 "$largest_rx" 128; do
		for port in 0 1; do
			at $port ethtool -G nic rx "$size" tx "$size"
			expect_at_least "receive ring" "$size" "$(ring $port rx)"
			expect_at_least "transmit ring" "$size" "$(ring $port tx)"
		done
		echo "asked for $size: rx $(ring 1 rx), tx $(ring 1 tx)"
		payload -u -s 1400 -n 600 -w 32 0 1
		many_tcp_flows
	done
	at 0 ethtool -G nic tx "$largest_tx"
	payload -u -s 1400 -n 300 0 1
	expect_failure at 0 ethtool -G nic rx $((largest_rx + 1)) 2>/dev/null
	expect_failure at 0 ethtool -G nic tx $((largest_tx + 1)) 2>/dev/null
	expect_failure at 0 ethtool -G nic rx 64 2>/dev/null
	expect_equal "entries that found no room" "$lost" "$(model stats | grep -o '"entries_lost":[0-9]*')"
}

#: ring sizes change under load: TCP goes on, nothing is damaged
test_rings_under_load() {
	driver_and_ports_up
	payload -u -l -d 5 -f 4 -s 1000 0 1 &
	one=$!
	payload -f 4 -s 20000 -d 4 1 0 &
	two=$!
	for size in 128 2048 128 1024 256 512; do
		at 0 ethtool -G nic rx $size tx $size
		at 1 ethtool -G nic rx $size tx $size
		sleep 0.3
	done
	wait $one
	wait $two
	many_tcp_flows
}

#: the indirection table decides the queue: equal, one queue only, weights; the table is read back
test_indirection() {
	driver_and_ports_up
	expect_equal "queues, equal" "0 1" "$(queues_hit 1 many_udp_flows)"
	for queue in 0 1; do
		if [ $queue = 0 ]; then weights="1 0"; else weights="0 1"; fi
		# shellcheck disable=SC2086
		at 1 ethtool -X nic weight $weights
		expect_equal "entries of the table" $queue \
			"$(at 1 ethtool -x nic | awk '/^ *[0-9]+: / { for (i = 2; i <= NF; i++) print $i }' | sort -u)"
		expect_equal "queues, weight $weights" $queue "$(queues_hit 1 many_udp_flows)"
		expect_equal "queues, weight $weights, TCP" $queue "$(queues_hit 1 many_tcp_flows)"
	done
	at 1 ethtool -X nic equal 2
	expect_equal "queues, equal again" "0 1" "$(queues_hit 1 many_tcp_flows)"
	expect_failure at 1 ethtool -X nic weight 0 0 1 2>/dev/null
}

#: the indirection table survives the port's going down and up
test_indirection_survives() {
	driver_and_ports_up
	at 1 ethtool -X nic weight 0 1
	link_down 1
	link_up 1
	expect_equal "queues after down and up" 1 "$(queues_hit 1 many_udp_flows)"
}

#: the hash key is read back and used: one flow under two keys, and the queues that its hashes choose
test_hash_key() {
	driver_and_ports_up
	expect_equal "hash function" on "$(at 1 ethtool -x nic | awk '$1 == "toeplitz:" { print $2 }')"
	# All zero: every hash is 0, and so the first entry of the table gets it all.
	zero=$(seq -s: 40 | sed 's/[0-9]\+/00/g')
	at 1 ethtool -X nic hkey "$zero"
	expect_equal "key" "$zero" "$(at 1 ethtool -x nic | awk '/RSS hash key/ { getline; print $1 }')"
	expect_equal "queues with the key 0" 0 "$(queues_hit 1 many_udp_flows)"
	at 1 ethtool -X nic weight 0 1
	expect_equal "queues with the key 0, other table" 1 "$(queues_hit 1 many_udp_flows)"
	at 1 ethtool -X nic equal 2
	# The verification key that everybody uses: 48 flows are spread again.
	usual=6d:5a:56:da:25:5b:0e:c2:41:67:25:3d:43:a3:8f:b0:d0:ca:2b:cb:ae:7b:30:b4:77:cb:2d:a3:80:30:f2:0c:6a:42:b7:3b:be:ac:01:fa
	at 1 ethtool -X nic hkey $usual
	expect_equal "queues with the usual key" "0 1" "$(queues_hit 1 many_udp_flows)"
	link_down 1
	link_up 1
	expect_equal "key after down and up" $usual "$(at 1 ethtool -x nic | awk '/RSS hash key/ { getline; print $1 }')"
}

#: key and table change under load: nothing is damaged
test_rehash_under_load() {
	driver_and_ports_up
	payload -f 8 -s 20000 -d 5 0 1 &
	load=$!
	for round in 1 2 3 4 5 6 7 8; do
		at 1 ethtool -X nic weight $((round % 2)) 1
		at 1 ethtool -X nic hkey "$(od -An -tx1 -N40 -v /dev/urandom | tr -s ' \n' ' ' | sed 's/^ //; s/ $//; s/ /:/g')"
		sleep 0.1
	done
	at 1 ethtool -X nic equal 2
	wait $load
	many_tcp_flows
}
