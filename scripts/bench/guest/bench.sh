# SPDX-License-Identifier: GPL-2.0
# Runs in the guest for scripts/bench/run: brings the driver up, then one workload after the other.
# shellcheck shell=sh disable=SC2086,SC2154
# (the numbers of packets are several words)
#
#   bench.sh symbols                     the kernel's functions, packed
#   bench.sh rows WORKLOAD...            of scripts/bench/workloads.table
#   bench.sh growth queues|ports|depth...
#   bench.sh control
#   bench.sh memory queues|ports
#
# Lines that begin with "@" are for scripts/bench/vm.py. The driver is the one of the machine (DRIVER),
# or virtio_net if that has none. pci_name and the like come from scripts/vm/guest/lib.sh.

program=/job/bench
bpf=/job/bench.bpf.o

if [ "$1" = symbols ]; then
	echo @symbols
	grep -v '\[' /proc/kallsyms | awk '$2 ~ /^[tTwW]$/ && $3 !~ /^__(pfx|cfi)_/ { print $1, $3 }' |
		gzip -9 | base64
	echo @end
	exit
fi

# bench is not in the path; what it calls is.
bench() { $program "$@"; }

# Nothing of ours that the measurement does not need: no addresses of its own, no helpers.
quiet() {
	echo 0 >/proc/sys/kernel/randomize_va_space
	echo 1 >/proc/sys/net/ipv6/conf/all/disable_ipv6
	echo 1 >/proc/sys/net/ipv6/conf/default/disable_ipv6
	echo 0 >/proc/sys/net/ipv4/conf/all/rp_filter
	echo 0 >/proc/sys/net/ipv4/conf/default/rp_filter
	echo 1 >/proc/sys/net/core/bpf_jit_enable
	dmesg -n 1
}

is_virtio() { [ "$DRIVER" = none ]; }

# The interfaces become nic0, nic1 ...
load_driver() {
	if is_virtio; then
		modprobe virtio_net
		wait_until 10 ls /sys/class/net/eth0 >/dev/null || fail "no virtio-net interface"
		_names=$(cd /sys/class/net && echo eth*)
	else
		driver_load
		_names=$(port_names)
	fi
	_index=0
	for _name in $_names; do
		ip link set "$_name" name nic$_index
		_index=$((_index + 1))
	done
}

nic_up() {
	ip link set "nic$1" up
	ip addr replace "198.18.$1.1/24" dev "nic$1"
	wait_until 10 grep -q 1 "/sys/class/net/nic$1/carrier" || fail "nic$1: no carrier"
	ip neigh replace "198.18.$1.2" lladdr 02:00:5e:12:00:00 dev "nic$1" nud permanent
}

nics_up() {
	_nic=0
	while [ -d "/sys/class/net/nic$_nic" ]; do
		nic_up $_nic
		_nic=$((_nic + 1))
	done
}

# arm KIND: with the stack's functions for rows with skbs, or for XDP (stack.table). The plugin needs
# to know where the modules are; the reply comes when its table is written.
arm() {
	$program mark disarm
	sleep 0.2
	echo @modules
	grep '\[' /proc/kallsyms |
		awk '$2 ~ /^[tT]$/ && $3 !~ /^__(pfx|cfi)_/ && $4 ~ /mana|virtio|pktgen/ { print "@function", $1, $3, $4 }'
	host bench table "$1"
	$program mark arm
	# The plugin takes over when all processors have stopped.
	sleep 0.2
}

xdp_on() { ip link set dev "nic$1" xdpdrv obj $bpf sec "xdp.$2"; }
xdp_off() { ip link set dev "nic$1" xdpdrv off; }

# ---- rows ----
#
# Windows: the warm-up, two small ones for cache lines (they fit into the shortest ring, so that no
# line comes twice), two for everything else. Bursts come far enough apart for any of the drivers to
# be done with one before the next.
windows="2048 32 128 512 8192"

row_rx_xdp_drop() {
	model load 0 udp 64 burst 32 interval 60000 &&
		xdp_on 0 drop && bench sleep 1900 -- $windows && xdp_off 0
}

row_xdp_tx() {
	model load 0 udp 64 burst 32 interval 300000 &&
		xdp_on 0 tx && bench sleep 9400 -- $windows && xdp_off 0
}

# The target has a program, too: some drivers make their queues for it only then.
row_xdp_redirect() {
	model load 0 udp 64 burst 32 interval 300000 && model load 1 sink &&
		xdp_on 1 pass && xdp_on 0 redirect &&
		_index=$(cat /sys/class/net/nic1/ifindex) &&
		bpftool map update name ports key 0 0 0 0 value "$_index" 0 0 0 &&
		bench sleep 9400 -- $windows && xdp_off 0 && xdp_off 1
}

row_rx_xdp_pass() {
	model load 0 udp 64 burst 32 interval 200000 &&
		xdp_on 0 pass && bench drop 6300 -- $windows && xdp_off 0
}

row_rx_udp_64() { model load 0 udp 64 burst 32 interval 300000 && bench receive -- $windows; }

# The reader takes all the time that is left; --functions tells its instructions from the packets'.
row_rx_udp_64_read() {
	(while :; do nice -n 19 ethtool -S nic0 >/dev/null; done) &
	_reader=$!
	_status=0
	row_rx_udp_64 || _status=1
	kill $_reader
	return $_status
}

row_rx_tcp_1500() {
	model load 0 tcp 1448 timestamps burst 32 interval 200000 && bench tcp-receive 1448 -- $windows
}

row_rx_tcp_9000() {
	ip link set nic0 mtu 9000 &&
		model load 0 tcp 8948 timestamps burst 32 interval 300000 &&
		bench tcp-receive 8948 -- $windows && ip link set nic0 mtu 1500
}

pktgen() { bench pktgen nic0 pkt_size=60 "$@" dst=198.18.0.2 dst_mac=02:00:5e:12:00:00 -- $windows; }
row_tx_64() { model load 0 sink && pktgen clone_skb=0 burst=1; }

row_tx_64_burst() {
	if [ "$DRIVER" = oracle ]; then
		echo "pktgen hands the same skb over several times; this driver says that it may, but keeps skbs in a list, which corrupts it"
		return 1
	fi
	model load 0 sink && pktgen clone_skb=0 burst=32
}

row_tx_qdisc() { model load 0 sink && bench send 22 -- $windows; }
# One packet is the largest that the stack makes at MTU 1500: 44 segments of 1460 bytes.
row_tx_tso() { model load 0 tcp 1460 && bench tcp-send 64240 -- 512 16 48 64 1024; }
row_udp_rr() { model load 0 echo && bench ping-pong 22 -- 1024 32 128 256 2048; }

row_forward() {
	echo 1 >/proc/sys/net/ipv4/ip_forward &&
		model load 0 udp 64 burst 32 interval 200000 to 1 && model load 1 sink &&
		bench sleep 6300 -- $windows && echo 0 >/proc/sys/net/ipv4/ip_forward
}

armed=
row_kind() {
	case $1 in
	rx_xdp_drop | xdp_tx | xdp_redirect) echo xdp ;;
	*) echo skb ;;
	esac
}

# row NAME [KEY VALUE COMMAND...]: the name, the key and the value are for whoever reads the results;
# the command is row_NAME unless given.
row() {
	_row=$1
	if [ "$armed" != "$(row_kind "$1")" ]; then
		armed=$(row_kind "$1")
		arm "$armed"
	fi
	if [ $# -gt 3 ]; then
		echo "@row $1 $2 $3"
		shift 3
	else
		echo "@row $1"
		set -- "row_$1"
	fi
	if "$@" >/run/row.log 2>&1; then
		grep '^@' /run/row.log
	else
		echo "@failed $(grep -v '^@\|^ok$' /run/row.log | tail -n 3 | tr '\n' ' ')"
		xdp_off 0 2>/dev/null || true
	fi
	model load 0 off >/dev/null
	[ "$PORTS" -eq 1 ] || model load 1 off >/dev/null
}

# ---- growth ----
#
# The same cost per packet, whatever there is of everything. A long warm-up: the first lap of a ring
# is not like the others. Each port and each queue gets bursts of 32.
grown_windows="20000 1024 5120"

# grown VERDICT QUEUES PORTS
grown() {
	_nic=0
	while [ $_nic -lt "$3" ]; do
		model load $_nic udp 64 burst $((32 * $2)) interval $((300000 * $2 * $3)) flows 256 &&
			xdp_on $_nic "$1" || return 1
		_nic=$((_nic + 1))
	done
	_status=0
	bench sleep $((300000 * $3 / 32)) -- $grown_windows || _status=1
	_nic=0
	while [ $_nic -lt "$3" ]; do
		model load $_nic off && xdp_off $_nic || _status=1
		_nic=$((_nic + 1))
	done
	return $_status
}

grow() {
	case $1 in
	queues)
		for _number in 1 4 16; do
			ethtool -L nic0 combined $_number || true
			row rx_xdp_drop "$1" $_number grown drop $_number 1
			row xdp_tx "$1" $_number grown tx $_number 1
		done
		;;
	ports)
		for _number in 1 4 16; do
			row rx_xdp_drop "$1" $_number grown drop 1 $_number
		done
		;;
	depth)
		for _number in 256 1024 4096 8192; do
			ethtool -G nic0 rx $_number || true
			row rx_xdp_drop "$1" $_number grown drop 1 1
		done
		;;
	esac
}

# ---- control path ----

pinned=/sys/fs/bpf/bench

# operation NAME QUEUES COMMAND...
operation() {
	_name=$1 _queues=$2
	shift 2
	row "$_name" queues "$_queues" bench "$@"
}

rename_all() {
	_index=0
	for _name in $(port_names); do
		ip link set "$_name" down
		ip link set "$_name" name nic$_index
		_index=$((_index + 1))
	done
}

# control QUEUES [MOST]: each operation, from the same state: up, MTU 1500, 512 buffers, no program.
control() {
	[ "$1" = "${2:-}" ] || ethtool -L nic0 combined "$1"
	operation close "$1" down nic0
	operation open "$1" up nic0
	operation mtu_1400 "$1" mtu nic0 1400
	ip link set nic0 mtu 1500
	operation mtu_9000 "$1" mtu nic0 9000
	ip link set nic0 mtu 1500
	operation ring_1024 "$1" ring nic0 1024
	ethtool -G nic0 rx 512
	if [ "$1" -eq 1 ]; then _other=2; else _other=$(($1 / 2)); fi
	if [ $_other -le "$QUEUES" ]; then
		operation channels "$1" channels nic0 $_other
		ethtool -L nic0 combined "$1"
	fi
	operation xdp_attach "$1" xdp nic0 $pinned/xdp_drop
}

# probe QUEUES: of as many queues as there are processors.
probe() {
	operation remove "$1" write /sys/bus/pci/drivers/mana/unbind "$pci_name"
	operation probe "$1" write /sys/bus/pci/drivers/mana/bind "$pci_name"
	rename_all
	nics_up
}

# ---- memory ----

free_pages() { awk '/pages free/ { n += $3 } $1 == "count:" { n += $2 } END { print n }' /proc/zoneinfo; }

allocations=/sys/kernel/tracing/events/kmem/mm_page_alloc

# What happens with that many ports of one MTU: nic0 is the first.
set_ports() { # up|down PORTS
	_nic=0
	while [ $_nic -lt "$2" ]; do
		ip link set nic$_nic "$1"
		_nic=$((_nic + 1))
	done
}

# memory WHAT NUMBER PORTS MTU: what interfaces need when they are up.
memory() {
	set_ports down "$3"
	ip link set nic0 mtu "$4"
	# Once for what is allocated only once.
	set_ports up "$3"
	set_ports down "$3"
	sleep 0.3
	echo 'hist:keys=order' >$allocations/trigger
	_before=$(free_pages)
	set_ports up "$3"
	sleep 0.1
	_after=$(free_pages)
	_order=$(sed -n 's/.*order: *\([0-9]*\) .*/\1/p' $allocations/hist | sort -n | tail -n 1)
	echo '!hist:keys=order' >$allocations/trigger
	set_ports down "$3"
	echo "@memory $1 $2 $4 $(((_before - _after) * 4096)) $_order"
}

# The counts of queues up to the machine's.
counts() { for _count in 1 4 16; do [ $_count -gt "$QUEUES" ] || echo $_count; done; }

quiet
modprobe pktgen
case $1 in
rows)
	shift
	load_driver
	nics_up
	for workload in "$@"; do
		row "$workload"
	done
	;;
growth)
	shift
	load_driver
	nics_up
	for what in "$@"; do
		grow "$what"
	done
	;;
control)
	load_driver
	bpftool prog loadall $bpf $pinned type xdp
	nic_up 0
	for count in $(counts); do
		control "$count"
	done
	probe "$QUEUES"
	;;
memory)
	load_driver
	if [ "$2" = ports ]; then
		for count in 1 4 16; do
			memory ports "$count" "$count" 1500
		done
	else
		for count in $(counts); do
			ethtool -L nic0 combined "$count" || true
			memory queues "$count" 1 1500
			memory queues "$count" 1 9000
		done
	fi
	;;
esac
