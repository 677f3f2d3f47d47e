# SPDX-License-Identifier: GPL-2.0
# The PCI function as a whole: reset, removal, hot plug.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: driver pci

#: a function level reset leaves a device that a driver can use
test_reset() {
	grep -qw flr "$mana_pci/reset_method" || fail "no FLR: $(cat "$mana_pci/reset_method")"
	echo 1 >"$mana_pci/reset"
	driver_and_ports_up
	ping_port 0 1
}

#: unbinding through sysfs removes the interfaces, binding brings them back
test_rebind() {
	driver_load
	for _ in 1 2 3; do
		echo "$pci_name" >/sys/bus/pci/drivers/mana/unbind
		expect_equal "interfaces after unbind" "" "$(port_names)"
		audit_objects
		echo "$pci_name" >/sys/bus/pci/drivers/mana/bind
		wait_until 10 has_port_count "$PORTS" || fail "no interfaces after bind"
	done
	ports_up
	ping_port 0 1
}

#: removal from the PCI bus with the links up, and rediscovery
test_remove_and_rescan() {
	driver_and_ports_up
	echo 1 >"$mana_pci/remove"
	echo 1 >/sys/bus/pci/rescan
	namespaces_down
	wait_until 10 has_port_count "$PORTS" || fail "no interfaces after the rescan"
	ports_up
	ping_port 0 1
}

#: the slot is told to unplug the device under traffic, and to plug it in again
test_hot_plug() {
	driver_and_ports_up
	at 0 ping -q -f -w 20 "$(address4 1)" >/dev/null 2>&1 &
	host unplug
	# The slot's attention button gives a person five seconds to change their mind.
	wait_until 20 test ! -e "$mana_pci" || fail "the device is still there"
	namespaces_down
	host plug
	wait_until 20 has_port_count "$PORTS" || fail "no interfaces after plugging in"
	ports_up
	ping_port 0 1
}
