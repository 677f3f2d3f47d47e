# SPDX-License-Identifier: GPL-2.0
# What scripts/manatop says about real ports.
# shellcheck shell=sh
# machine: ports=2 queues=4 python=yes
# tags: statistics

# shellcheck source=scripts/vm/guest/counts.sh
. /job/counts.sh

manatop() { at 1 python3 -B /job/manatop "$@"; }

# look: one look of manatop at port 1, and in place of its pause 200 frames that arrive and 100 that are sent.
look() {
	at 1 python3 -B - <<-'END' >/run/view
		import importlib.machinery, subprocess, sys

		manatop = importlib.machinery.SourceFileLoader("manatop", "/job/manatop").load_module()
		manatop.time.sleep = lambda seconds: subprocess.run(["sh", "-c", """
		    . /job/lib.sh
		    . /job/counts.sh
		    received=$(packets 1 rx) sent=$(packets 1 tx)
		    all_over() { [ "$(packets 1 rx) $(packets 1 tx)" = "$((received + 200)) $((sent + 100))" ]; }
		    frames 200 0 1
		    frames 100 1 0
		    wait_until 20 all_over"""], check=True)
		sys.argv = ["manatop", "--once", "--json"]
		manatop.main()
	END
	at 1 ethtool -S nic >/run/ethtool
}

#: --once --json: rates, queues, interrupts and drops are those of ethtool -S, and of what was sent
#: timeout=120
test_json() {
	quiet_ports_up
	xdp_attach 1 drop
	look || fail "manatop: $(cat /run/view)"
	cat /run/view
	python3 -B - "$pci_name" <<-'END' || fail "what manatop says"
		import json, re, sys

		view = json.load(open("/run/view"))
		ethtool = {name: int(value) for name, value in re.findall(r"^\s*(\S+): (\d+)$", open("/run/ethtool").read(), re.M)}
		total = lambda pattern: sum(value for name, value in ethtool.items() if re.fullmatch(pattern, name))
		assert list(view["ports"]) == ["nic"], view["ports"].keys()
		port, seconds = view["ports"]["nic"], view["seconds"]
		assert (port["pci"], port["state"], port["mtu"]) == (sys.argv[1], "up", 1500), port
		# How many in the interval: exactly, but for the rounding of its length.
		many = lambda rate, wanted: abs(rate * seconds - wanted) < wanted / 500
		assert many(port["rates"]["rx_packets"], 200), port["rates"]
		assert many(port["rates"]["rx_bytes"], 200 * 200), port["rates"]
		assert many(port["rates"]["tx_packets"], 100), port["rates"]
		for what in ("rx_packets", "tx_packets"):
		    assert round(sum(queue[what] for queue in port["queues"].values()), 3) == round(port["rates"][what], 3)
		assert sorted(map(int, port["queues"])) == sorted(
		    int(match[1]) for name in ethtool if (match := re.fullmatch(r"rx_(\d+)_packets", name)))
		# All that it calls a drop, in words, against the counters.
		words = {"rx no buffer": r"rx_\d+_no_buffer", "rx no skb": r"rx_\d+_no_skb",
		         "rx bad length": r"rx_\d+_bad_length", "rx truncated": r"rx_\d+_truncated",
		         "rx dropped by XDP": r"rx_\d+_xdp_drop", "rx ring empty (device)": "hc_rx_discards_no_wqe",
		         "rx port disabled (device)": "hc_rx_err_vport_disabled",
		         "tx dropped": r"tx_\d+_dropped", "tx refused (device)": "tx_cq_err"}
		assert {name: drop["total"] for name, drop in port["drops"].items()} == {
		    name: total(pattern) for name, pattern in words.items()}, (port["drops"], ethtool)
		assert many(port["drops"]["rx dropped by XDP"]["rate"], 200), port["drops"]
		assert port["trouble"] == {name: ethtool[name] for name in ("queue_recoveries", "tx_timeouts", "stop_queue")}
		assert sum(view["interrupts"].values()) > 0 and all(name.startswith("mana_") for name in view["interrupts"])
	END
	xdp_detach 1
}

#: --once for people, and what it says to wrong use
#: timeout=120
test_text() {
	driver_and_ports_up
	payload -s 20000 -n 10 0 1
	manatop --once --interval 0.1 nic >/run/text
	cat /run/text
	grep -q "^nic  $pci_name  up  mtu 1500 " /run/text || fail "no line for the port"
	expect_equal "queues" "$(at 1 ethtool -l nic | awk '/^Combined:/ { n = $2 } END { print n }')" \
		"$(grep -cE '^ +[0-9]+( +[0-9.]+[kMG]?){5}$' /run/text)"
	expect_failure manatop --once eth7 2>/run/text
	grep -q 'not a port of the mana driver: eth7' /run/text || fail "$(cat /run/text)"
	ip netns add p9
	expect_failure at 9 python3 -B /job/manatop --once 2>/run/text
	grep -q 'has no port of the mana driver' /run/text || fail "$(cat /run/text)"
}
