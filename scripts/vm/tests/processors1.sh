# SPDX-License-Identifier: GPL-2.0
# The same with one processor.
# shellcheck shell=sh
# machine: smp=1 ports=2 queues=4
# tags: smp

#: traffic, changes and unloading with one processor
#: timeout=90
test_everything() {
	driver_and_ports_up
	expect_equal "processors" 1 "$(grep -c ^processor /proc/cpuinfo)"
	expect_equal "channels" 1 "$(at 0 ethtool -l nic | awk '/^Combined:/ { n = $2 } END { print n }')"
	payload -f 8 -s 40000 -n 10 0 1
	payload -6 -f 8 -s 40000 -n 10 1 0
	payload -u -f 8 -s 1400 -n 50 -w 2 0 1
	payload -f 4 -s 20000 -d 4 0 1 &
	load=$!
	for mtu in 9000 1500; do
		set_mtu 0 $mtu
		set_mtu 1 $mtu
		link_down 1
		link_up 1
	done
	xdp_attach 1 pass
	wait $load
	payload -s 40000 -n 10 0 1
	xdp_detach 1
	driver_unload
}
