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
