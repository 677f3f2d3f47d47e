# SPDX-License-Identifier: GPL-2.0
# The driver's life: loading, unloading, binding.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: driver

#: loading it creates an interface for each port, unloading removes them (D-1)
test_load() {
	driver_load
	expect_equal "driver of the function" mana "$(basename "$(readlink "$mana_pci/driver")")"
	expect_equal "driver in ethtool -i" mana "$(ethtool -i "$(port_names | head -n1)" | awk '/^driver:/ { print $2 }')"
	driver_unload
	expect_equal "interfaces after rmmod" "" "$(port_names)"
}

#: 100 times insmod and rmmod
#: timeout=240 tags=slow
test_load_100_times() {
	for _ in $(seq 100); do
		driver_load
		driver_unload
	done
}
