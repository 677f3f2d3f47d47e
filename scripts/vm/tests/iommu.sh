# SPDX-License-Identifier: GPL-2.0
# The function behind an IOMMU in strict mode: what is not mapped, no longer mapped, or mapped in the
# other direction cannot be reached, and the kernel reports the attempt as an error.
# shellcheck shell=sh
# machine: ports=2 queues=2 append="intel_iommu=on iommu.strict=1" qemu="-device intel-iommu,intremap=off"
# tags: iommu

#: there is an IOMMU, and every access of the device is mapped: TCP, jumbo frames, XDP, unloading
test_traffic() {
	driver_and_ports_up
	expect_equal "type of the function's IOMMU domain" DMA "$(cat "$mana_pci/iommu_group/type")"
	echo "$(iperf 0 1) Mbit/s"
	set_mtu 0 9000
	set_mtu 1 9000
	wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1
	ping_port 0 1 -M "do" -s 8972
	set_mtu 0 1500
	set_mtu 1 1500
	xdp_attach 1 pass
	ping_port 0 1
	xdp_detach 1
	driver_unload
}

#: MTU, rings, channels, XDP programs and the link change under load: no page is reached that is not mapped
#: timeout=120
test_changes() {
	driver_and_ports_up
	payload -f 2 -s 20000 -d 1000 0 1 &
	stream=$!
	payload -u -l -f 2 -s 700 -d 1000 1 0 &
	datagrams=$!
	for change in "ip link set nic mtu 9000" "ethtool -G nic rx 1024 tx 128" "ip link set nic mtu 3000" \
		"ip link set dev nic xdpdrv obj $xdp_object sec xdp.pass" "ethtool -L nic combined 1" \
		"ip -force link set dev nic xdpdrv obj $xdp_object sec xdp.tx" "ip link set nic mtu 1500" \
		"ethtool -G nic rx 128 tx 512" "ip -force link set dev nic xdpdrv obj $xdp_object sec xdp.drop" \
		"ethtool -L nic combined 2" "ip link set nic down" "ip link set nic up" "ip link set dev nic xdpdrv off"; do
		for port in 1 0; do
			# shellcheck disable=SC2086
			at $port $change || fail "$change"
		done
		sleep 0.1
	done
	wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1
	kill $datagrams $stream
	wait $datagrams || fail "the datagrams"
	wait $stream || fail "the stream"
	payload -s 20000 -n 10 0 1
	expect_equal "faults" "" "$(dmesg | grep -i 'dmar.*fault' || true)"
}
