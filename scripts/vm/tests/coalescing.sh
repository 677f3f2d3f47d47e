# SPDX-License-Identifier: GPL-2.0
# Interrupt moderation and completions of several packets, on a device that offers both.
# shellcheck shell=sh
# machine: ports=2 queues=2 options=moderation=64;coalescing=8
# tags: control

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

device_number() { model stats | grep -o "\"$1\":[0-9]*" | head -n1 | cut -d: -f2; }

# coalesce N: what ethtool -c says, as "rx-usecs 10" and so on, of what this driver has.
coalesce() {
	at "$1" ethtool -c nic | sed -n 's/^\(Adaptive RX: .*\)$/\1/p; s/^\([rt]x-\(usecs\|frames\)\):[[:space:]]*\([0-9]*\)$/\1 \3/p'
}

no_trouble() {
	for port in 0 1; do
		expect_equal "queue recoveries of port $port" 0 "$(counter $port queue_recoveries)"
		expect_equal "transmit timeouts of port $port" 0 "$(counter $port tx_timeouts)"
	done
}

#: all is off at first; what is set is shown, done, and kept by new queues
test_moderation() {
	driver_and_ports_up
	expect_equal "at first" "Adaptive RX: off  TX: off
rx-usecs 0
rx-frames 0
tx-usecs 0
tx-frames 0" "$(coalesce 0)"
	ping_port 0 1
	expect_equal "moderated CQs" 0 "$(device_number moderated_cqs)"
	at 0 ethtool -C nic rx-usecs 300 rx-frames 32 tx-usecs 200 tx-frames 64
	set_to="Adaptive RX: off  TX: off
rx-usecs 300
rx-frames 32
tx-usecs 200
tx-frames 64"
	expect_equal "when set" "$set_to" "$(coalesce 0)"
	expect_equal "moderated CQs of two channels" 4 "$(device_number moderated_cqs)"
	held=$(device_number events_by_time)
	ping_port 0 1
	expect_at_least "events that waited" $((held + 5)) "$(device_number events_by_time)"
	iperf 0 1
	iperf 1 0
	at 0 ethtool -G nic rx 1024
	expect_equal "moderated CQs of new rings" 4 "$(device_number moderated_cqs)"
	link_down 0
	expect_equal "moderated CQs of a port that is down" 0 "$(device_number moderated_cqs)"
	link_up 0
	expect_equal "when up again" "$set_to" "$(coalesce 0)"
	ping_port 0 1
	at 0 ethtool -C nic rx-usecs 0 rx-frames 0 tx-usecs 0 tx-frames 0
	expect_equal "moderated CQs when switched off" 0 "$(device_number moderated_cqs)"
	no_trouble
}

#: adaptive moderation finds its values by itself
#: timeout=90
test_adaptive() {
	driver_and_ports_up
	at 0 ethtool -C nic adaptive-rx on adaptive-tx on
	at 1 ethtool -C nic adaptive-rx on adaptive-tx on
	coalesce 0 | grep -qx 'Adaptive RX: on  TX: on' || fail "it is not on: $(coalesce 0)"
	held=$(($(device_number events_by_time) + $(device_number events_by_count)))
	iperf 0 1 -t 4
	iperf 1 0 -t 4
	expect_at_least "events that waited" $((held + 100)) \
		$(($(device_number events_by_time) + $(device_number events_by_count)))
	link_down 1
	link_up 1
	iperf 0 1
	at 0 ethtool -C nic adaptive-rx off adaptive-tx off
	at 1 ethtool -C nic adaptive-rx off adaptive-tx off
	expect_equal "moderated CQs when switched off" 0 "$(device_number moderated_cqs)"
	no_trouble
}

#: values that cannot be are refused with a sentence, and change nothing
test_refused() {
	driver_and_ports_up
	at 0 ethtool -C nic rx-usecs 50 rx-frames 8
	before=$(coalesce 0)
	for words in "rx-usecs 1024" "tx-usecs 4294967295" "rx-frames 256" "tx-frames 2" "rx-usecs 0" \
		"rx-usecs 10 tx-usecs 2000" "adaptive-tx on rx-frames 1000"; do
		# shellcheck disable=SC2086 # words
		! at 0 ethtool -C nic $words 2>/run/message || fail "this succeeded: $words"
		grep -q 'wait for\|needs a number' /run/message || fail "no sentence for $words: $(cat /run/message)"
		expect_equal "after $words" "$before" "$(coalesce 0)"
	done
	expect_failure at 0 ethtool -C nic stats-block-usecs 10
	ping_port 0 1
}

#: settings change under traffic, and the queues go on
#: timeout=90
test_under_traffic() {
	driver_and_ports_up
	payload -u -l -d 1 -f 4 -s 200 0 1 # addresses are resolved
	snapshot_all
	payload -u -l -d 6 -f 4 -s 200 0 1 &
	traffic=$!
	while kill -0 $traffic 2>/dev/null; do
		at 1 ethtool -C nic rx-usecs 100 rx-frames 16
		at 0 ethtool -C nic tx-usecs 100 tx-frames 16
		at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-8 on
		at 1 ethtool -C nic adaptive-rx on
		at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-4 on
		at 1 ethtool -C nic rx-usecs 0 rx-frames 0 adaptive-rx off
		at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-4 off
		at 0 ethtool -C nic tx-usecs 0 tx-frames 0
	done
	wait $traffic
	no_trouble
	expect_equal "bad completions" 0 "$(counters 1 'rx_(coalesced_err|cqe_.*)|rx_[0-9]+_(bad_length|truncated)')"
}

#: several packets in a completion: off at first, then up to four, then up to eight
#: timeout=90
test_completions() {
	driver_and_ports_up
	expect_equal "flags at first" "rx-cqe-coalescing-4: off
rx-cqe-coalescing-8: off" "$(at 1 ethtool --show-priv-flags nic | grep rx-cqe)"
	first=$(model_port 1 rx_coalesced)
	iperf 0 1 -u -b 0 -l 200
	expect_equal "packets in shared completions" "$first" "$(model_port 1 rx_coalesced)"
	for packets in 4 8; do
		before=$(model_port 1 rx_coalesced)
		at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-$packets on
		at 1 ethtool --show-priv-flags nic | grep -q "rx-cqe-coalescing-$packets: on" || fail "it is not on"
		payload -u -l -d 2 -f 4 -s 200 0 1
		iperf 0 1
		ping_port 0 1
		shared=$(($(model_port 1 rx_coalesced) - before))
		echo "$shared packets shared completions"
		expect_at_least "packets that shared completions" 100 "$shared"
	done
	expect_equal "what the driver counts" $(($(model_port 1 rx_coalesced) - first)) "$(counters 1 'rx_[0-9]+_shared_cqe')"
	link_down 1
	link_up 1
	xdp_attach 1 pass
	payload -u -l -d 1 -f 4 -s 200 0 1
	xdp_detach 1
	expect_equal "when up again" $(($(model_port 1 rx_coalesced) - first)) "$(counters 1 'rx_[0-9]+_shared_cqe')"
	at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-8 off
	before=$(model_port 1 rx_coalesced)
	payload -u -l -d 1 -f 4 -s 200 0 1
	expect_equal "packets in shared completions when switched off" "$before" "$(model_port 1 rx_coalesced)"
	no_trouble
}

#: lengths that cannot be, while coalescing is on, cost their packet and nothing else
test_malformed() {
	driver_and_ports_up
	at 1 ethtool --set-priv-flags nic rx-cqe-coalescing-4 on
	for length in 0 60000; do
		bad=$(($(counters 0 'rx_[0-9]+_bad_length') + $(counters 1 'rx_[0-9]+_bad_length')))
		model fault rx length $length x1
		at 0 ping -q -n -c 3 -i 0.2 -W 2 "$(address4 1)" || true
		expect_equal "lengths of $length" $((bad + 1)) $(($(counters 0 'rx_[0-9]+_bad_length') + $(counters 1 'rx_[0-9]+_bad_length')))
	done
	ping_port 0 1
	payload -u -l -d 1 -f 4 -s 200 0 1
	no_trouble
}
