# SPDX-License-Identifier: GPL-2.0
# The kernel's own tests of network drivers, and its netlink client, as they are in its source.
# shellcheck shell=sh
# machine: ports=2 queues=4 python=yes
# tags: kernel

# kernel_test NAME: its test of drivers, on port 0 with port 1 as the other end; the results, one per
# line, are in /run/ktap. Its commands have time limits of seconds, which a busy host can exceed: only
# then once more.
kernel_test() {
	for _attempt in 1 2 3; do
		_status=0
		(
			cd /kernel/tools/testing/selftests/drivers/net
			NETIF=nic LOCAL_V4=$(address4 0) LOCAL_V6=$(address6 0) REMOTE_V4=$(address4 1) \
				REMOTE_V6=$(address6 1) REMOTE_TYPE=netns REMOTE_ARGS=p1 \
				at 0 python3 -B "$1.py" >/run/ktap 2>&1
		) || _status=$?
		cat /run/ktap
		grep -q 'TimeoutExpired\|timed out' /run/ktap || break
	done
	[ "$_status" -eq 0 ] || fail "$1.py ended with status $_status"
	grep -q '^# Totals: pass:[1-9][0-9]* fail:0 ' /run/ktap || fail "$1.py did not get to its end"
}

# ran_all XFAIL...: nothing was skipped, and only these failed as expected: what NICs without autonegotiation lack.
ran_all() {
	! grep '^ok.*# SKIP' /run/ktap || fail "a case was skipped"
	_expected=$(printf '%s\n' "$@" | sort)
	expect_equal "cases that may fail" "$_expected" \
		"$(sed -n 's/^ok [0-9]* [a-z]*\.\([a-z_]*\) # XFAIL.*/\1/p' /run/ktap | sort)"
}

#: the kernel's ping.py: IPv4, IPv6 and TCP, both ways
#: timeout=180
test_ping() {
	driver_and_ports_up
	ping_port 0 1 >/dev/null # addresses are resolved: it allows half a second
	ping6_port 0 1 >/dev/null
	kernel_test ping
	ran_all ""
}

#: the kernel's queues.py: queues as netlink lists them, while channels come and go
#: timeout=180
test_queues() {
	driver_and_ports_up
	kernel_test queues
	ran_all ""
}

#: the kernel's stats.py: statistics per queue agree with those of the interface, and survive down and up
#: timeout=240
test_stats() {
	driver_and_ports_up
	ping_port 0 1 >/dev/null
	kernel_test stats
	ran_all check_fec
}

# ynl FAMILY OPERATION [JSON]: a dump, as JSON.
ynl() {
	at 0 python3 -B /kernel/tools/net/ynl/cli.py --spec "/kernel/Documentation/netlink/specs/$1.yaml" \
		--no-schema --output-json --dump "$2" ${3:+--json "$3"}
}

#: the kernel's netlink client: queues, their NAPIs, their interrupts, page pools
#: timeout=240
test_netlink() {
	driver_and_ports_up
	at 0 ethtool -L nic combined 2
	index=$(at 0 cat /sys/class/net/nic/ifindex)
	for what in queue napi page-pool; do
		ynl netdev $what-get >/run/$what.json || fail "$what-get: $(cat /run/$what.json)"
	done
	cat /run/queue.json /run/napi.json /run/page-pool.json
	at 0 cat /proc/interrupts >/run/interrupts
	python3 -B - "$index" 2 <<-'END' || fail "what the client says"
		import json, re, sys

		index, channels = int(sys.argv[1]), int(sys.argv[2])
		ours = lambda what: [entry for entry in json.load(open(f"/run/{what}.json"))
		                     if entry.get("ifindex") == index]
		queues, napis, pools = ours("queue"), ours("napi"), ours("page-pool")
		by_kind = {kind: {queue["id"]: queue["napi-id"] for queue in queues if queue["type"] == kind}
		           for kind in ("rx", "tx")}
		assert sorted(by_kind["rx"]) == sorted(by_kind["tx"]) == list(range(channels)), queues
		# Both queues of a channel are polled together, and channels apart.
		assert by_kind["rx"] == by_kind["tx"], queues
		assert len(set(by_kind["rx"].values())) == channels, queues
		interrupts = {int(line.split(":")[0]): line.split()[-1] for line in open("/run/interrupts")
		              if re.match(r"\s*\d+:", line)}
		lines = {napi["id"]: napi["irq"] for napi in napis}
		assert sorted(lines) == sorted(by_kind["rx"].values()), (napis, queues)
		assert len(set(lines.values())) == channels, napis
		for irq in lines.values():
		    assert "mana" in interrupts[irq], (irq, interrupts)
		assert sorted(pool["napi-id"] for pool in pools) == sorted(lines), (pools, napis)
		assert all(pool["inflight"] > 0 and pool["inflight-mem"] > 0 for pool in pools), pools
		assert not any("detach-time" in pool for pool in pools), pools
		for queue, napi in by_kind["rx"].items():
		    print(f"queue {queue}: NAPI {napi}, interrupt {lines[napi]} {interrupts[lines[napi]]}")
	END
	# Down: nothing is left of all that.
	link_down 0
	ynl netdev napi-get >/run/napi.json
	ynl netdev page-pool-get >/run/page-pool.json
	python3 -B - "$index" <<-'END' || fail "something is left of a port that is down"
		import json, sys
		for what in ("napi", "page-pool"):
		    left = [entry for entry in json.load(open(f"/run/{what}.json"))
		            if entry.get("ifindex") == int(sys.argv[1])]
		    assert not left, left
	END
}

#: the kernel's netlink client: statistics per queue are ethtool's, and add up to the interface's
#: timeout=240
test_queue_statistics() {
	driver_and_ports_up
	payload -s 30000 -n 20 0 1
	payload -6 -u -s 1000 -n 50 1 0
	index=$(at 1 cat /sys/class/net/nic/ifindex)
	agreed=no
	# The stack sends a packet of its own now and then: then it is looked at again.
	for _ in 1 2 3 4 5; do
		at 1 ethtool -S nic >/run/before
		at 1 python3 -B /kernel/tools/net/ynl/cli.py --no-schema --output-json \
			--spec /kernel/Documentation/netlink/specs/netdev.yaml --dump qstats-get \
			--json "{\"ifindex\": $index, \"scope\": \"queue\"}" >/run/qstats.json ||
			fail "qstats-get: $(cat /run/qstats.json)"
		at 1 ip -j -s link show dev nic >/run/link.json
		at 1 ethtool -S nic >/run/after
		! diff /run/before /run/after || { agreed=yes; break; }
	done
	[ $agreed = yes ] || fail "the counters never stand still"
	cat /run/qstats.json
	python3 -B - "$index" <<-'END' || fail "the counts do not agree"
		import json, re, sys

		queues = [entry for entry in json.load(open("/run/qstats.json")) if entry["ifindex"] == int(sys.argv[1])]
		ethtool = dict(re.findall(r"^\s*(\S+): (\d+)$", open("/run/after").read(), re.M))
		link = json.load(open("/run/link.json"))[0]["stats64"]
		assert len(queues) >= 2, queues
		for kind in ("rx", "tx"):
		    for what in ("packets", "bytes"):
		        total = 0
		        for queue in queues:
		            if queue["queue-type"] == kind:
		                got = queue[f"{kind}-{what}"]
		                wanted = int(ethtool[f"{kind}_{queue['queue-id']}_{what}"])
		                assert got == wanted, (queue, wanted)
		                total += got
		        assert total == link[kind][what] > 0, (kind, what, total, link)
	END
}
