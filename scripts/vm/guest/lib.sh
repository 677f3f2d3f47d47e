# SPDX-License-Identifier: GPL-2.0
# What scripts in the guest build on: the driver, ports in network namespaces, traffic, audits.
# shellcheck shell=sh
#
# Given by the machine: DRIVER (ours, oracle, none, or a file), DRIVER_FILE (its module here),
# PORTS, QUEUES, DEVICE_MTU.
#
# Port n (from 0) lives in the network namespace pn as the interface "nic", with the addresses
# 10.0.0.(n+1)/24 and fd00::(n+1)/64. All ports are on one switch inside the device.

set -eu

fail() {
	echo "FAILED: $*" >&2
	exit 1
}

# ---- assertions ----

# expect_equal WHAT WANTED GOT
expect_equal() { [ "$2" = "$3" ] || fail "$1: expected '$2', got '$3'"; }

# expect_at_least WHAT MINIMUM GOT
expect_at_least() { [ "$3" -ge "$2" ] || fail "$1: expected at least $2, got $3"; }

# expect_failure COMMAND...: it must fail, and not by a signal.
expect_failure() {
	_status=0
	"$@" || _status=$?
	[ $_status -ne 0 ] || fail "this succeeded: $*"
	[ $_status -lt 126 ] || fail "this died with status $_status: $*"
}

# wait_until SECONDS COMMAND...: tries ten times a second.
wait_until() {
	_tries=$(($1 * 10))
	shift
	while ! "$@" >/dev/null 2>&1; do
		_tries=$((_tries - 1))
		[ $_tries -gt 0 ] || return 1
		sleep 0.1
	done
}

# ---- the device and its driver ----

oracle_file=/lib/modules/$(uname -r)/kernel/drivers/net/ethernet/microsoft/mana/mana.ko

mana_pci=$(grep -il 0x00ba /sys/bus/pci/devices/*/device 2>/dev/null | head -n1) || true
mana_pci=${mana_pci%/device} # /sys/bus/pci/devices/...
pci_name=${mana_pci##*/}

# The interfaces of the function in this namespace, in the order of its ports.
port_names() {
	for _net in "$mana_pci"/net/*; do
		[ ! -e "$_net" ] || echo "$(cat "$_net/dev_port") ${_net##*/}"
	done | sort -n | cut -d' ' -f2
}

has_port_count() { [ "$(port_names | wc -l)" -eq "$1" ]; }

# driver_load [PARAMETER...]: returns when all ports have an interface.
driver_load() {
	insmod "$DRIVER_FILE" "$@" || fail "insmod $DRIVER_FILE $*"
	[ -e "$mana_pci/driver" ] || fail "probe: $(dmesg | grep -i mana | tail -n 5)"
	wait_until 20 has_port_count "$PORTS" ||
		fail "expected $PORTS interfaces, got $(port_names | wc -l): $(dmesg | grep -i mana | tail -n 5)"
}

driver_unload() { rmmod mana; }

driver_loaded() { [ -d /sys/module/mana ]; }

# ---- ports ----

# at N COMMAND...: in the namespace of port N.
at() {
	_ns=p$1
	shift
	ip netns exec "$_ns" "$@"
}

address4() { echo "10.0.0.$(($1 + 1))"; }
address6() { printf 'fd00::%x\n' $(($1 + 1)); }

# carrier_is N 0|1
carrier_is() { [ "$(at "$1" cat /sys/class/net/nic/carrier 2>/dev/null)" = "$2" ]; }

link_up() {
	ip -n "p$1" link set nic up
	wait_until 10 carrier_is "$1" 1 || fail "port $1: no carrier"
}

link_down() { ip -n "p$1" link set nic down; }

# ports_up [COUNT]: the first ports (default: all) in their namespaces, with addresses and a link.
ports_up() {
	_port=0
	for _name in $(port_names | head -n "${1:-$PORTS}"); do
		ip netns add p$_port
		ip -n p$_port link set lo up
		ip link set "$_name" netns p$_port name nic
		ip -n p$_port addr add "$(address4 $_port)/24" dev nic
		ip -n p$_port addr add "$(address6 $_port)/64" dev nic nodad
		link_up $_port
		_port=$((_port + 1))
	done
}

# Namespaces go; interfaces that are in them come home to the initial namespace.
namespaces_down() {
	for _ns in $(ip netns list | cut -d' ' -f1); do
		ip netns pids "$_ns" 2>/dev/null | xargs -r kill -9 2>/dev/null || true
		ip -n "$_ns" link set nic down 2>/dev/null || true
		ip -n "$_ns" link set nic netns 1 name "home${_ns#p}" 2>/dev/null || true
		ip netns del "$_ns"
	done
}

# The usual beginning of a test.
driver_and_ports_up() {
	driver_load
	ports_up "$@"
}

set_mtu() { ip -n "p$1" link set nic mtu "$2" || fail "port $1: cannot set MTU $2"; }

# counter N NAME: of ethtool -S; 0 if there is none of that name.
counter() { at "$1" ethtool -S nic | awk -v name="$2:" '$1 == name { n += $2 } END { print n + 0 }'; }

# counters N PATTERN: the sum of those whose whole name matches the extended regular expression.
counters() {
	at "$1" ethtool -S nic |
		awk -v pattern="^($2):\$" '$1 ~ pattern { n += $2 } END { printf "%d\n", n }'
}

# interface_bytes N NAME: the index of an interface in the namespace of port N, as bpftool takes values. It
# is larger than a byte when many interfaces have come and gone.
interface_bytes() {
	_index=$(at "$1" cat "/sys/class/net/$2/ifindex")
	echo $((_index & 255)) $((_index >> 8)) 0 0
}

# packets N rx|tx: what the interface has counted.
packets() { at "$1" cat "/sys/class/net/nic/statistics/$2_packets"; }

# model_port N NAME: a counter of port N in the device model; it counts from the machine's start.
model_port() {
	model stats | grep -o "{\"port\":$1,[^}]*}" | grep -o "\"$2\":[0-9]*" | cut -d: -f2
}

# ---- traffic ----

# ping_port FROM TO [OPTION...]: every echo must be answered.
ping_port() {
	_from=$1 _to=$2
	shift 2
	at "$_from" ping -q -n -c 5 -i 0.1 -W 5 "$@" "$(address4 "$_to")" ||
		fail "ping $* from port $_from to port $_to"
}

ping6_port() {
	_from=$1 _to=$2
	shift 2
	at "$_from" ping -6 -q -n -c 5 -i 0.1 -W 5 "$@" "$(address6 "$_to")" ||
		fail "ping -6 $* from port $_from to port $_to"
}

_listens() { at "$1" ss -Hltn "sport = :$2" | grep -q LISTEN; }

# iperf FROM TO [OPTION...]: prints the receiver's Mbit/s. IPv6 with -6 as the first option.
iperf() {
	_from=$1 _to=$2
	shift 2
	_address=$(address4 "$_to")
	[ "${1:-}" != -6 ] || _address=$(address6 "$_to")
	at "$_to" iperf3 -s -1 >/run/iperf.server 2>&1 &
	wait_until 10 _listens "$_to" 5201 || fail "iperf3 -s does not listen on port $_to"
	at "$_from" iperf3 -c "$_address" -f m -t 2 "$@" >/run/iperf.client 2>&1 ||
		fail "iperf3 $* from port $_from to port $_to: $(tail -n 3 /run/iperf.client)"
	wait $!
	_rate=$(awk '/receiver/ { for (i = 2; i <= NF; i++) if ($i == "Mbits/sec") rate = $(i - 1) } END { print rate }' /run/iperf.client)
	[ -n "$_rate" ] && [ "${_rate%.*}" -gt 0 ] || fail "iperf3 $*: nothing was received"
	echo "$_rate"
}

# ---- XDP ----

xdp_object=/usr/lib/bpf/xdp_count.bpf.o

# xdp_attach N VERDICT: pass, drop, aborted, tx or redirect, by the driver and not by the stack.
xdp_attach() { ip -n "p$1" link set dev nic xdpdrv obj $xdp_object sec "xdp.$2"; }
xdp_detach() { ip -n "p$1" link set dev nic xdpdrv off; }

# xdp_seen N: frames that the attached program has counted.
xdp_seen() {
	_program=$(ip -n "p$1" -d link show dev nic | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n1)
	[ -n "$_program" ] || fail "port $1 has no XDP program"
	for _map in $(bpftool prog show id "$_program" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$_map" | grep -q 'name seen' || continue
		bpftool -j map dump id "$_map" | grep -o '"value":[0-9]\+' | awk -F: '{ n += $2 } END { print n + 0 }'
	done
}

# xdp_target N FROM TO: the program of FROM redirects to TO; both are interfaces in the namespace of port N.
xdp_target() {
	_program=$(ip -n "p$1" -d link show dev "$2" | sed -n 's/.*prog\/xdp id \([0-9]*\).*/\1/p' | head -n1)
	for _map in $(bpftool prog show id "$_program" | sed -n 's/.*map_ids \([0-9,]*\).*/\1/p' | tr , ' '); do
		bpftool map show id "$_map" | grep -q 'name ports' || continue
		# shellcheck disable=SC2046 # four words
		at "$1" bpftool map update id "$_map" key 0 0 0 0 value $(interface_bytes "$1" "$3") ||
			fail "cannot redirect to $3"
	done
}

# ---- page pools ----

_pool_events=/sys/kernel/tracing/events/page_pool

# The kernel's own count of pages that pools took from, and gave back to, the page allocator. A page
# that is recycled is in neither.
pool_watch() {
	for _event in hold release; do
		echo 'hist:keys=common_pid' >$_pool_events/page_pool_state_$_event/trigger
	done
}

# pool_pages hold|release: since pool_watch.
pool_pages() { awk '/Hits:/ { print $2 }' "$_pool_events/page_pool_state_$1/hist"; }

pool_unwatch() {
	for _event in hold release; do
		echo '!hist:keys=common_pid' >$_pool_events/page_pool_state_$_event/trigger
	done
}

# ---- audits: what must be true after the driver is gone ----

# Taken from the kernel's log by earlier audits, which empty it.
_old_log=/run/kernel.log

# What an out-of-tree module without a signature may leave: taint bits 12 and 13.
_harmless_taint=$((1 << 12 | 1 << 13))

_trouble='WARNING:|BUG:|Oops|Call Trace|UBSAN|KASAN|general protection|deadlock|hung_task|blocked for more than|soft lockup|stall|bad page|refcount|leak|unregister_netdevice: waiting|DMA-API|Tainted:'

# The lines of errors and worse, unless a test announced them with allow_errors.
_errors() {
	dmesg -r | sed -n 's/^<[0-9]*[0-3]>//p' |
		if [ -s /run/allowed_errors ]; then grep -Evf /run/allowed_errors; else cat; fi
}

# allow_errors PATTERN: this test makes the driver complain like that.
allow_errors() { echo "$1" >>/run/allowed_errors; }

audit_log() {
	_bad=$(dmesg | grep -E "$_trouble" || true)
	_bad=${_bad:-$(_errors || true)}
	_taint=$(($(cat /proc/sys/kernel/tainted) & ~_harmless_taint))
	dmesg -c >>$_old_log
	rm -f /run/allowed_errors
	[ -z "$_bad" ] || fail "the kernel's log has: $(echo "$_bad" | head -n 5)"
	[ $_taint -eq 0 ] || fail "the kernel is tainted ($_taint)"
}

audit_interrupts() {
	! grep -i mana /proc/interrupts || fail "interrupts are left"
	[ -z "$mana_pci" ] || [ ! -d "$mana_pci/msi_irqs" ] || fail "MSI-X is still enabled"
}

audit_regions() { ! grep -w mana /proc/iomem || fail "a register region is still claimed"; }

audit_objects() {
	_objects=$(model objects) || fail "the model does not answer"
	! echo "$_objects" | grep -q ':[1-9]' || fail "objects are left in the device: $_objects"
}

_no_pools() { [ -z "$(pools)" ]; }

audit_pools() { wait_until 5 _no_pools || fail "page pools are left: $(pools)"; }

audit_interfaces() { [ -z "$(port_names)" ] || fail "interfaces are left: $(port_names)"; }

# Whatever a test left is removed first: a leak is what cannot be removed.
audit() {
	pkill -9 iperf3 2>/dev/null || true
	model fault clear >/dev/null 2>&1 || true
	namespaces_down
	if driver_loaded; then driver_unload || fail "rmmod"; fi
	if [ -n "$mana_pci" ]; then
		audit_interfaces
		audit_interrupts
		audit_regions
		audit_objects
	fi
	audit_pools
	audit_log
}
