# SPDX-License-Identifier: GPL-2.0
# All DMA through bounce buffers (swiotlb=force), as in a confidential VM: what is not synced for the
# CPU is read as it was before, what is not synced for the device is sent as it was before.
# shellcheck shell=sh
# machine: ports=2 queues=2 append="swiotlb=force"
# tags: swiotlb

#: the kernel really bounces: mapping and traffic use its slots
test_bounce_buffers_are_used() {
	before=$(cat /sys/kernel/debug/swiotlb/io_tlb_used)
	driver_and_ports_up
	during=$(cat /sys/kernel/debug/swiotlb/io_tlb_used)
	echo "slots in use: $before without the driver, $during with open ports"
	[ "$during" -gt "$before" ]
	ping_port 0 1
}

#: TCP and UDP, every byte looked at, both directions
test_payload() {
	driver_and_ports_up
	payload -s 1460 -n 500 0 1
	payload -s 65536 -n 50 1 0
	for size in 1 18 64 1023 1452 3000; do
		payload -u -s $size -n 60 0 1
		payload -6 -u -s $size -n 60 1 0
	done
}

#: the same with jumbo frames
test_jumbo_payload() {
	driver_and_ports_up
	set_mtu 0 9000
	set_mtu 1 9000
	wait_until 10 carrier_is 0 1 && wait_until 10 carrier_is 1 1
	payload -s 65536 -n 50 0 1
	payload -u -D -s 8972 -n 60 1 0
}

#: XDP: what passes is whole, and so is what comes back (XDP_TX reads what it was sent)
test_xdp() {
	driver_and_ports_up
	xdp_attach 1 pass
	payload -u -D -s 1400 -n 60 0 1
	payload -s 1460 -n 200 1 0
	xdp_detach 1
	payload -u -D -s 1400 -n 60 0 1
}
