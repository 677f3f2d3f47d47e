# SPDX-License-Identifier: GPL-2.0
# Runs in the guest for scripts/vm/compare: our driver and the distribution's by turns.
# shellcheck shell=sh

rounds=$1
ours=$DRIVER_FILE
distribution=$(find /lib/modules -path '*microsoft/mana/mana.ko' | head -n1)
[ -n "$distribution" ] || fail "the guest has no driver of the distribution"

# rate_of MODULE: Mbit/s of one stream from port 0 to port 1.
rate_of() {
	DRIVER_FILE=$1
	driver_and_ports_up >&2
	iperf 0 1 -t 3 -O 1
	namespaces_down >&2
	driver_unload
}

median() { sort -n "$1" | awk '{ rate[NR] = $1 } END { print rate[int((NR + 1) / 2)] }'; }

: >/run/ours
: >/run/distribution
for round in $(seq "$rounds"); do
	rate_of "$ours" >>/run/ours
	rate_of "$distribution" >>/run/distribution
	echo "round $round: ours $(tail -n1 /run/ours), Debian's $(tail -n1 /run/distribution) Mbit/s"
done
echo "$(median /run/ours) $(median /run/distribution)" |
	awk '{ printf "median: ours %d, Debian'"'"'s %d Mbit/s, ratio %.2f\n", $1, $2, $1 / $2 }'
