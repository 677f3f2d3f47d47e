# SPDX-License-Identifier: GPL-2.0
# The guest's side of scripts/vm/compare: our driver and the oracle in turns, in the same machine.
# shellcheck shell=sh
#
#   compare.sh ROUNDS MTU

rounds=${1:-5}
mtu=${2:-1500}

# In turns, so that whatever slows the host down for a while slows both down.
for round in $(seq "$rounds"); do
	for which in oracle ours; do
		case $which in oracle) module=$oracle_file ;; *) module=$DRIVER_FILE ;; esac
		insmod "$module"
		wait_until 20 has_port_count "$PORTS" || fail "$which: no interfaces"
		ports_up
		for port in 0 1; do set_mtu $port "$mtu"; done
		wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1
		rate=$(iperf 0 1 -t 4 -O 1)
		echo "round $round: $which $rate Mbit/s"
		echo "$rate" >>/run/rates.$which
		namespaces_down
		driver_unload
	done
done

median() { sort -n "$1" | awk '{ v[NR] = $1 } END { print (NR % 2) ? v[(NR + 1) / 2] : (v[NR / 2] + v[NR / 2 + 1]) / 2 }'; }
ours=$(median /run/rates.ours)
oracle=$(median /run/rates.oracle)
echo "TCP, one stream, MTU $mtu, median of $rounds: ours $ours Mbit/s, oracle $oracle Mbit/s," \
	"ratio $(awk "BEGIN { printf \"%.2f\", $ours / $oracle }")"
