# SPDX-License-Identifier: GPL-2.0
# Each command of ethtool that the driver answers: what it prints, and that the port goes on.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: ethtool

# field NAME COMMAND...: the value behind "NAME:" in what "ethtool COMMAND..." prints.
field() {
	_name=$1
	shift
	at 0 ethtool "$@" | sed -n "s/^[[:space:]]*$_name:[[:space:]]*//p"
}

#: -i: driver, version, what there is of a firmware version, and the function
test_identity() {
	driver_and_ports_up
	expect_equal driver mana "$(field driver -i nic)"
	expect_equal version "$(modinfo -F version "$DRIVER_FILE" 2>/dev/null || cat /sys/module/mana/version)" \
		"$(field version -i nic)"
	field firmware-version -i nic | grep -E '^registers [0-9]+\.[0-9]+\.[0-9]+, protocol 1$' ||
		fail "firmware: $(field firmware-version -i nic)"
	expect_equal bus-info "$pci_name" "$(field bus-info -i nic)"
	for what in statistics test register-dump; do
		expect_equal "supports-$what" yes "$(field supports-$what -i nic)"
	done
}

#: link settings: the adapter's speed, full duplex, a port of another kind; -a: no pause frames; -T: software
test_link() {
	driver_and_ports_up
	expect_equal speed 200000Mb/s "$(field Speed nic)"
	expect_equal duplex Full "$(field Duplex nic)"
	expect_equal port Other "$(field Port nic)"
	expect_equal link yes "$(field 'Link detected' nic)"
	expect_equal "pause" "off off" "$(echo "$(field RX -a nic) $(field TX -a nic)")"
	at 0 ethtool -T nic | grep -q software-transmit || fail "no software time stamps"
	link_down 0
	expect_equal "link of a port that is down" no "$(field 'Link detected' nic)"
	link_up 0
}

#: -k and -K: what can be switched is switched, and traffic goes on
test_features() {
	driver_and_ports_up
	for feature in tx-checksumming rx-checksumming generic-segmentation-offload tcp-segmentation-offload \
		receive-hashing tx-vlan-offload scatter-gather; do
		expect_equal "$feature" on "$(field $feature -k nic)"
	done
	at 0 ethtool -K nic rx off tso off rxhash off
	expect_equal "rx checksumming" off "$(field rx-checksumming -k nic)"
	payload -s 20000 -n 5 0 1
	payload -s 20000 -n 5 1 0
	at 0 ethtool -K nic rx on tso on rxhash on
}

#: -n rx-flow-hash: addresses and ports for TCP and UDP; -N is refused
test_flow_hash() {
	driver_and_ports_up
	for kind in tcp4 udp4 tcp6 udp6; do
		at 0 ethtool -n nic rx-flow-hash $kind >/run/hash
		expect_equal "fields of $kind" 4 "$(grep -cE 'IP SA|IP DA|L4 bytes 0 & 1|L4 bytes 2 & 3' /run/hash)"
	done
	expect_equal queues "$(field Combined -l nic | tail -n 1)" \
		"$(at 0 ethtool -x nic | sed -n 's/.* with \([0-9]*\) RX ring.*/\1/p')"
	# The program says so, and ends well.
	at 0 ethtool -N nic rx-flow-hash udp4 sd 2>/run/message || :
	grep -q 'Operation not supported' /run/message || fail "hash fields could be set: $(cat /run/message)"
}

#: --groups: frames and octets are those of the interface
test_standard_groups() {
	driver_and_ports_up
	payload -s 50000 -n 10 0 1
	wait_until 5 groups_agree || fail "$(at 1 ethtool -S nic --groups eth-mac rmon): $(packets 1 rx)"
	at 1 ethtool -S nic --groups eth-ctrl eth-phy
}
groups_agree() {
	at 1 ethtool -S nic --groups eth-mac rmon >/run/groups || return 1
	grep -q 'oversize_pkts\|etherStatsOversizePkts' /run/groups || return 1
	[ "$(awk -F': *' '/FramesReceivedOK/ { print $2; exit }' /run/groups)" = "$(packets 1 rx)" ] &&
		[ "$(awk -F': *' '/FramesTransmittedOK/ { print $2; exit }' /run/groups)" = "$(packets 1 tx)" ]
}

# word N: of the dump.
word() { od -A n -t u4 -j $(($1 * 4)) -N 4 /run/dump | tr -d ' '; }

#: -d: the register map and the port's state, at rest and under load, and no command for it
test_register_dump() {
	driver_and_ports_up
	at 0 ethtool -G nic rx 1024 tx 256
	commands=$(model stats | grep -o '"commands":[0-9]*')
	at 0 ethtool -d nic raw on >/run/dump
	expect_equal "commands for a dump" "$commands" "$(model stats | grep -o '"commands":[0-9]*')"
	expect_equal "bytes" $(((10 + 22 + 9 * QUEUES) * 4)) "$(wc -c </run/dump)"
	expect_equal "doorbell pages" 4096 "$(word 4)"
	expect_equal "mailbox" 32 "$(word 8)"
	expect_equal "flags" 7 "$(word 10)"
	expect_equal "rings" "1024 256" "$(word 20) $(word 21)"
	expect_equal "MTU" "1500 9000" "$(word 22) $(word 23)"
	expect_equal "channels" "$(word 18)" "$(word 31)"
	payload -s 50000 -n 50 0 1 &
	load=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		at 0 ethtool -d nic >/run/hex
	done
	wait $load
	link_down 0
	at 0 ethtool -d nic raw on >/run/dump
	expect_equal "flags of a port that is down" 4 "$(word 10)"
	expect_equal "channels of a port that is down" 0 "$(word 31)"
}

# result NAME: of the last self test.
result() { awk -v name="$1" '$1 == name { print $NF }' /run/selftest; }

#: -t: registers, channel, events and a frame through the switch, under load, within seconds
#: timeout=120
test_self_test() {
	driver_and_ports_up
	payload -s 50000 -n 200 0 1 &
	load=$!
	for mode in online offline; do
		at 0 ethtool -t nic $mode >/run/selftest || fail "$(cat /run/selftest)"
		cat /run/selftest
		grep -q 'The test result is PASS' /run/selftest || fail "no PASS"
		for what in registers hw events loopback; do
			expect_equal "$what" 0 "$(result $what)"
		done
	done
	wait $load
	link_down 1
	at 0 ethtool -t nic >/run/selftest
	expect_equal "loopback without another port" 2 "$(result loopback)"
	link_down 0
	at 0 ethtool -t nic >/run/selftest
	expect_equal "events of a port that is down" 2 "$(result events)"
}

#: -t on a device in trouble: it fails, and the log says which command
#: tags=faults
test_self_test_fails() {
	driver_and_ports_up
	allow_errors 'self test of the hardware channel failed: QUERY_MAX_RESOURCES'
	model fault hwc 2 status x1
	expect_failure at 0 ethtool -t nic >/run/selftest 2>&1
	expect_equal "channel" 1 "$(result hw)"
	expect_equal "registers" 0 "$(result registers)"
	at 0 ethtool -t nic >/run/selftest
	expect_equal "channel afterwards" 0 "$(result hw)"
	ping_port 0 1
}

# says PATTERN COMMAND...: refused on port 0, with that sentence.
says() {
	_pattern=$1
	shift
	! at 0 "$@" 2>/run/message || fail "this succeeded: $*"
	grep -q "$_pattern" /run/message || fail "$*: $(cat /run/message)"
}

#: what is refused is refused with a sentence, or a line in the log where ethtool has no room for one
test_sentences() {
	driver_and_ports_up
	says 'receive ring has a power of two' ethtool -G nic rx 1000
	says 'transmit ring has a power of two' ethtool -G nic tx 129
	says 'receive ring has a power of two' ethtool -G nic rx 64
	says 'exceeds maximum' ethtool -L nic combined 17
	says 'no RX or TX channel' ethtool -L nic combined 0
	xdp_attach 0 pass
	expect_failure ip -n p0 link set nic mtu 9000 2>/dev/null
	dmesg | grep -q 'refused: The MTU is too large for the attached XDP program' || fail "nothing in the log"
	xdp_detach 0
	set_mtu 0 9000
	! ip -n p0 link set dev nic xdpdrv obj "$xdp_object" sec xdp.pass 2>/run/message || fail "XDP with MTU 9000"
	grep -q 'MTU is too large for XDP' /run/message || fail "$(cat /run/message)"
}

#: one line in the log for each event of a life, with the function's name
test_log() {
	driver_and_ports_up
	dmesg >/run/log
	expect_equal "lines of the probe" 1 \
		"$(grep -cE "mana $pci_name: driver [0-9.]+, registers [0-9.]+, protocol 1: 2 ports of up to 4 queues, MTU up to 9000, [0-9]+ vectors" /run/log)"
	ping_port 0 1
	link_down 0
	link_up 0
	expect_equal "lines about up and down" "$(wc -l </run/log)" "$(dmesg | wc -l)"
	driver_unload
	expect_equal "lines of the removal" 1 "$(dmesg | grep -c "mana $pci_name: removed")"
}
