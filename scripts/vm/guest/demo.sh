# SPDX-License-Identifier: GPL-2.0
# The guest's side of "make demo": what a person would try first, each step with what it shows.
# shellcheck shell=sh

step() { printf '\n== %s\n   %s\n' "$1" "$2"; }
show() { sed 's/^/   /'; }

# Where our driver counts pages that its pools took from the page allocator, and pages that came
# back from packets to be used again. The only place that knows these names.
pool_counters='rx_[0-9]+_pool_[a-z_]+'

# pool_evidence PORT COMMAND...: what the pools did while it ran.
pool_evidence() {
	_port=$1
	shift
	_before=$(packets "$_port" rx)
	pool_watch
	"$@"
	_received=$(($(packets "$_port" rx) - _before))
	_taken=$(pool_pages hold)
	_given=$(pool_pages release)
	pool_unwatch
}

step "Load the driver" "It finds the function on the PCI bus and makes a network interface for each port."
driver_load
dmesg | grep -i mana | tail -n 8 | show || true
ethtool -i "$(port_names | head -n1)" | grep -E '^(driver|version|bus-info)' | show
expect_equal "driver of the interface" mana "$(ethtool -i "$(port_names | head -n1)" | awk '/^driver:/ { print $2 }')"

step "Two namespaces" "Each port gets a network stack of its own: what passes between them passes through the NIC."
ports_up
for port in 0 1; do
	echo "p$port: $(ip -n p$port -br link show nic) $(address4 $port)" | show
done

step "Ping" "Small frames, both ways, IPv4 and IPv6."
ping_port 0 1 | grep -E 'packets|rtt' | show
ping6_port 1 0 | grep -E 'packets|rtt' | show

step "TCP at MTU 1500" "One stream: segmentation and checksums by the device, receive buffers from page pools."
pool_evidence 1 iperf 0 1 >/run/rate
echo "$(cat /run/rate) Mbit/s" | show

step "Page pools" "The kernel's own count: pages that the pools took from the page allocator for these packets."
at 1 pools | show
echo "$_received packets received, $_taken pages taken, $_given given back" | show
[ -n "$(at 1 pools)" ] || fail "the receiving port has no page pool"
expect_at_least "packets received for each page taken" 4 $((_received / (_taken + 1)))
if at 1 ethtool -S nic | grep -Eq "$pool_counters"; then
	at 1 ethtool -S nic | grep -E "$pool_counters" | grep -vE ': 0$' | show
else
	echo "(the driver \"$DRIVER\" exports no pool counters of its own)" | show
fi

step "MTU 9000" "Jumbo frames: the change re-makes the queues, and keeps the link."
set_mtu 0 9000
set_mtu 1 9000
wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1 || fail "no carrier after the change"
ping_port 0 1 -M "do" -s 8972 | grep packets | show

step "TCP at MTU 9000" "The same stream again."
echo "$(iperf 0 1) Mbit/s" | show
set_mtu 0 1500
set_mtu 1 1500

step "XDP" "A program in the driver's receive path counts frames, then drops them."
xdp_attach 1 pass
ping_port 0 1 >/dev/null
passed=$(xdp_seen 1)
xdp_detach 1
xdp_attach 1 drop
at 0 ping -q -n -c 5 -i 0.1 -W 1 "$(address4 1)" >/dev/null && fail "a ping came through" || true
dropped=$(xdp_seen 1)
xdp_detach 1
echo "XDP_PASS saw $passed frames and all echoes were answered; XDP_DROP saw $dropped and none was" | show
expect_at_least "frames that XDP_PASS saw" 5 "$passed"
expect_at_least "frames that XDP_DROP saw" 5 "$dropped"
ping_port 0 1 >/dev/null

step "ethtool" "Channels, rings, and the counters that are not zero."
at 0 ethtool -l nic | sed -n '/Current/,$p' | grep -v n/a | show
at 0 ethtool -g nic 2>/dev/null | sed -n '/Current/,$p' | grep -v n/a | show ||
	echo "(the driver \"$DRIVER\" has no ethtool -g)" | show
at 0 ethtool -S nic | awk '$2 != 0 && NR > 1' | head -n 30 | show

step "Unload the driver" "With both interfaces still up."
driver_unload
echo "rmmod mana: done" | show

step "Audit" "Nothing may be left: interfaces, interrupts, regions, page pools, device objects, warnings."
echo "device objects: $(model objects)" | show
audit
echo "clean" | show
