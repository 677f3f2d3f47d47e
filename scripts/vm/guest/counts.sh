# SPDX-License-Identifier: GPL-2.0
# What the tests of exact counts share. Read by their files: . /job/counts.sh
# shellcheck shell=sh
# shellcheck disable=SC2154 # of lib.sh
#
# Nothing but the test sends: IPv6 is off, and ports have no addresses. A snapshot has every counter
# of a port, those of ethtool -S summed over queues ("rx_0_no_buffer" is "rx_no_buffer"), and those
# of "ip -s link" with "link_" in front.

# quiet_ports_up: like driver_and_ports_up.
quiet_ports_up() {
	driver_load
	_port=0
	for _name in $(port_names); do
		ip netns add p$_port
		at $_port sh -c 'echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6'
		ip link set "$_name" netns p$_port name nic
		link_up $_port
		_port=$((_port + 1))
	done
	snapshot_all
}

# snapshot N: "name value" lines, sorted.
snapshot() {
	{
		at "$1" ethtool -S nic | sed -n 's/^ *\([^ ].*\): \([0-9]*\)$/\1 \2/p' | sed 's/^\([rt]x\)_[0-9]*_/\1_/'
		at "$1" sh -c 'cd /sys/class/net/nic/statistics && grep "" *' | sed 's/^\(.*\):/link_\1 /'
	} | awk '{ n[$1] += $2 } END { for (name in n) printf "%s %d\n", name, n[name] }' | sort
}

# still_snapshot N FILE: one in which nothing moved while it was taken, where the stack may send of its own.
still_snapshot() {
	for _try in 1 2 3 4 5 6 7 8 9 10; do
		snapshot "$1" >"$2"
		[ "$(cat "$2")" != "$(snapshot "$1")" ] || return 0
	done
	fail "port $1 is never quiet"
}

snapshot_all() {
	for _port in $(seq 0 $((PORTS - 1))); do
		snapshot $_port >/run/counts.$_port
	done
}

# Counters that must not move unless something is wrong or a test wants it to. Names that are not
# known today are judged by their words.
_trouble_names='drop|err|discard|miss|bad|trunc|no_|unknown|coalesced|misdirected|recover|timeout|stop|wake|disabled|inval|linear|over|fail|lost|abort|alloc|crc|fifo|frame_|carrier|collision'

# moves N [all]: "name difference" lines, since the last snapshot_all, of trouble or of all counters.
moves() {
	snapshot "$1" |
		awk 'NR == FNR { old[$1] = $2; next } $2 != old[$1] { printf "%s %d\n", $1, $2 - old[$1] }' \
			/run/counts."$1" - |
		if [ "${2:-}" = all ]; then cat; else grep -E "^[a-z_]*($_trouble_names)" || true; fi
}

# expect_moves WHAT N NAME:DIFFERENCE...: of all counters of port N that tell of trouble exactly these
# have moved since the last snapshot_all, and exactly so much.
expect_moves() {
	_what=$1 _n=$2
	shift 2
	# shellcheck disable=SC2048,SC2086 # one word may have several, or none
	_wanted=$(printf '%s\n' $* | tr : ' ' | sed '/^$/d' | sort)
	expect_equal "$_what, port $_n" "$_wanted" "$(moves "$_n")"
}

# expect_move WHAT N NAME DIFFERENCE: of one counter, trouble or not.
expect_move() {
	_moves=$(moves "$2" all | awk -v name="$3" '$1 == name { print $2 }')
	expect_equal "$1, port $2: $3" "$4" "${_moves:-0}"
}

# reaches FROM TO: a port that has new queues needs a moment before frames leave again.
reaches() {
	for _try in 1 2 3 4 5 6; do
		! timeout 5 frame -k raw "$1" "$2" >/dev/null 2>&1 || return 0
	done
	fail "no frame from port $1 reaches port $2"
}

# no_queue_limits N: byte queue limits keep a ring from ever being full.
no_queue_limits() {
	at "$1" sh -c 'for file in /sys/class/net/nic/queues/tx-*/byte_queue_limits/limit_min; do
		echo 100000000 >"$file"
	done'
}

# frames COUNT FROM TO [OPTION...]: nobody asks how many arrive. Returns when they have.
frames() {
	_count=$1 _from=$2 _to=$3
	shift 3
	timeout 20 frame -k raw -n "$_count" "$@" "$_from" "$_to" >/run/frames || {
		[ $? -ne 124 ] || fail "port $_from does not get rid of $_count frames"
	}
}
