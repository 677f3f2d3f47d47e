# SPDX-License-Identifier: GPL-2.0
# Packets that others hold while they are sent: taps, as tcpdump has them, and the kernel's generator.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: traffic

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

# tapped COMMAND...: with a tap on both ends, which must see both directions, and each packet with the
# length that its header names. A driver that writes headers for the device into a shared packet shows here.
tapped() {
	for _port in 0 1; do
		frame -L 1000 $_port >/run/tap.$_port 2>&1 &
		eval "_tap_$_port=$!"
	done
	"$@"
	# shellcheck disable=SC2154 # from eval
	kill $_tap_0 $_tap_1
	wait $_tap_0 && wait $_tap_1 || fail "the taps: $(cat /run/tap.0 /run/tap.1)"
	for _port in 0 1; do
		_line=$(cat /run/tap.$_port)
		echo "port $_port: $_line"
		for _what in out in; do
			expect_at_least "port $_port, $_what" 50 "$(echo "$_line" | sed "s/.*$_what=\([0-9]*\).*/\1/")"
		done
		expect_equal "damaged packets at port $_port" 0 "${_line##*bad=}"
	done
}

traffic() {
	payload -f 2 -s 60000 -n 20 0 1
	payload -6 -f 2 -s 60000 -n 20 1 0
	payload -z 9 -s 40000 -n 20 0 1
	payload -F -s 40000 -n 20 1 0
	payload -u -s 8000 -n 50 0 1
	payload -6 -u -s 700 -n 50 1 0
}

#: taps on both ends see each packet as the stack made it, and every byte arrives
test_both_ends() {
	driver_and_ports_up
	tapped traffic
}

# generate COUNT WORD=VALUE...: by the kernel's generator, from port 0 to port 1.
generate() {
	_count=$1
	shift
	{
		echo "count $_count"
		echo "dst_mac $(at 1 cat /sys/class/net/nic/address)"
		echo "dst $(address4 1)"
		printf '%s\n' "$@" | tr = ' '
	} >/run/generator
	at 0 sh -c 'while read -r line; do
			echo "$line" >/proc/net/pktgen/nic || { echo "pktgen: $line: $(cat /proc/net/pktgen/nic)"; exit 1; }
		done </run/generator
		echo start >/proc/net/pktgen/pgctrl
		tail -n 3 /proc/net/pktgen/nic' >/run/generated 2>&1 || fail "$(cat /run/generated)"
	# With bursts a few more than were asked for.
	generated=$(sed -n 's/.*Result: OK: .* usec, \([0-9]*\) (.*/\1/p' /run/generated)
	expect_at_least "frames of the generator" "$_count" "${generated:-0}"
}

# arrived: at port 1 since the last snapshot_all, or dropped by the device on the way.
lost() { echo $(($(model_port 1 rx_dropped_no_wqe) + $(model_port 1 rx_dropped_disabled))); }
all_arrived() {
	_moved=$(moves 1 all | awk '$1 == "rx_packets" { print $2 }')
	[ $((${_moved:-0} + $(lost) - before)) -eq "$1" ]
}

#: one packet sent many times at once, whole and in fragments: as many frames as the generator counted
#: timeout=90
test_generator() {
	modprobe pktgen
	trap 'rmmod pktgen' EXIT
	quiet_ports_up
	at 0 sh -c 'echo "add_device nic" >/proc/net/pktgen/kpktgend_0'
	for words in "clone_skb=0 pkt_size=60" "clone_skb=100 pkt_size=60" "clone_skb=100 burst=16 pkt_size=1400 frags=5"; do
		before=$(lost)
		snapshot_all
		# shellcheck disable=SC2086
		generate 1000 $words
		wait_until 10 all_arrived "$generated" || fail "$words: $(moves 1 all) and $(($(lost) - before)) lost"
		expect_move "$words" 0 tx_packets "$generated"
		expect_move "$words" 0 tx_dropped 0
	done
	at 0 sh -c 'echo "rem_device_all" >/proc/net/pktgen/kpktgend_0'
}
