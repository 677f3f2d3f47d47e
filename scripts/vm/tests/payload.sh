# SPDX-License-Identifier: GPL-2.0
# Every byte of what is sent is looked at where it arrives (guest/payload.c).
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: traffic

#: TCP, IPv4 and IPv6, written byte by byte and in large pieces: no byte is damaged
test_tcp() {
	driver_and_ports_up
	for family in "" -6; do
		payload $family -s 1 -n 300 0 1
		payload $family -s 1460 -n 1000 0 1
		payload $family -s 65536 -n 100 1 0
	done
}

#: UDP, IPv4 and IPv6, from 1 byte to a full frame: nothing is lost, reordered or damaged
test_udp() {
	driver_and_ports_up
	for size in 1 2 3 17 18 19 63 64 65 512 1023 1400 1452; do
		payload -u -D -s $size -n 60 0 1
		payload -6 -u -D -s $size -n 60 1 0
	done
	payload -u -D -s 1472 -n 300 0 1
}

#: UDP datagrams that take many fragments, IPv4 and IPv6
test_udp_fragments() {
	driver_and_ports_up
	for size in 1473 3000 9000 65000; do
		payload -u -s $size -n 30 -w 4 0 1
		payload -6 -u -s $size -n 30 -w 4 1 0
	done
}

#: UDP over IPv4 without a checksum
test_udp_checksum_zero() {
	driver_and_ports_up
	payload -u -C -s 700 -n 100 0 1
	# And that a frame of that kind is what travels.
	set -- $(frame -k udp4 -o zero 0 1)
	expect_equal "L4 checksum of the frame" l4=none "$5"
}

#: 32 TCP flows at a time in each direction
test_many_flows() {
	driver_and_ports_up
	payload -f 32 -s 20000 -n 15 1 0 &
	payload -f 32 -6 -s 20000 -n 15 0 1
	wait $!
}

#: TCP segments that are small, and of odd length
test_small_segments() {
	driver_and_ports_up
	for mss in 88 333 536 1001; do
		payload -m $mss -s 30000 -n 4 0 1
		payload -6 -m $mss -s 30000 -n 4 0 1
	done
}

#: frames of other protocols, from 14 bytes (no data) to the largest
test_raw_frames() {
	driver_and_ports_up
	for size in 14 15 42 59 60 61 64 100 1513 1514; do
		got=$(frame -k raw -s $size 0 1)
		expect_equal "frame of $size bytes" "frames=1 length=$size vlan=none csum=unknown l4=none data=good" "$got"
	done
}

#: all multicast, broadcast and unknown addresses reach a port; IPv6 multicast groups work
test_multicast() {
	driver_and_ports_up
	for to in ff:ff:ff:ff:ff:ff 33:33:00:00:00:55 01:00:5e:01:02:03; do
		expect_equal "frame to $to" "frames=3" "$(frame -M -k raw -n 3 -x $to 0 1 | cut -d' ' -f1)"
	done
	ip -n p1 link set nic promisc on
	expect_equal "frame to nobody" "frames=3" "$(frame -k raw -n 3 -x 02:00:00:00:77:77 0 1 | cut -d' ' -f1)"
	ip -n p1 link set nic promisc off
	at 0 ping -6 -q -n -c 3 -i 0.1 -W 5 ff02::1%nic
	at 0 ping -q -n -b -c 2 -i 0.1 -W 1 10.0.0.255 || true
	ping_port 0 1
}

#: a listener that copies all frames (tcpdump) changes nothing: cloned TSO packets
test_listener() {
	driver_and_ports_up
	frame -L 3 0 >/run/listener &
	sleep 0.3
	payload -s 65536 -n 60 0 1
	payload -6 -s 65536 -n 60 0 1
	wait $!
	cat /run/listener
	expect_at_least "frames that the listener saw" 100 "$(sed 's/out=\([0-9]*\).*/\1/' /run/listener)"
}

#: the helpers can fail: lost frames are noticed
test_loss_is_noticed() {
	driver_and_ports_up
	ping_port 0 1 >/dev/null
	model fault frame drop 20
	expect_failure payload -u -n 200 0 1
	model fault clear
	payload -u -n 200 0 1
	expect_equal "bad checksum" "l4=bad" "$(frame -k udp4 -o bad 0 1 | cut -d' ' -f5)"
}
