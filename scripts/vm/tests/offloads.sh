# SPDX-License-Identifier: GPL-2.0
# What the adapter does for the stack: checksums, segmentation, scatter-gather.
# shellcheck shell=sh
# machine: ports=2 queues=4
# tags: offload

# features WORD...: ethtool -K on both ports.
features() {
	for _p in 0 1; do
		at $_p ethtool -K nic "$@" || fail "ethtool -K nic $*"
	done
}

# feature N NAME: on or off.
feature() { at "$1" ethtool -k nic | awk -v name="$2:" '$1 == name { print $2 }'; }

tso_packets() { counters "$1" 'tx_[0-9]+_tso_packets'; }
partial_checksums() { counters "$1" 'tx_[0-9]+_csum_partial'; }

exchange() {
	payload -s 40000 -n 20 0 1
	payload -6 -s 40000 -n 20 1 0
	payload -u -s 1300 -n 40 0 1
	payload -6 -u -s 1300 -n 40 1 0
	payload -u -s 5000 -n 10 -w 4 1 0
}

#: offers checksums, segmentation, scatter-gather, VLAN and hashing, switched on
test_offered() {
	driver_and_ports_up
	for name in rx-checksumming tx-checksumming scatter-gather tcp-segmentation-offload \
		tx-tcp6-segmentation generic-receive-offload rx-vlan-offload tx-vlan-offload receive-hashing; do
		expect_equal "$name" on "$(feature 0 $name)"
	done
	expect_equal "UDP segmentation" off "$(feature 0 tx-udp-segmentation)"
}

#: every combination of offloads that makes sense carries data unharmed
#: timeout=120
test_combinations() {
	driver_and_ports_up
	all="rx on tx on sg on tso on gso on gro on"
	while read -r words; do
		# shellcheck disable=SC2086
		features $all
		# shellcheck disable=SC2086
		features $words
		echo "$words"
		exchange
	done <<-END
		rx on
		rx off
		tx off
		tso off
		tso off gso off
		sg off
		gro off
		tx off rx off
		sg off gro off tx off rx off gso off
		gso off gro off
	END
	# shellcheck disable=SC2086
	features $all
	exchange
}

#: segmentation is the adapter's when on, and the stack's when off
test_segmentation_happens() {
	driver_and_ports_up
	for family in "" -6; do
		features tso on
		before=$(tso_packets 0) model_before=$(model_port 0 tx_lso_packets)
		payload $family -s 65536 -n 40 0 1
		count=$(($(tso_packets 0) - before))
		expect_at_least "TSO packets" 20 $count
		expect_equal "LSO packets of the device" $count $(($(model_port 0 tx_lso_packets) - model_before))
		features tso off
		before=$(tso_packets 0)
		payload $family -s 65536 -n 10 0 1
		expect_equal "TSO packets with TSO off" "$before" "$(tso_packets 0)"
	done
}

#: D-53: checksums of TCP and UDP are the adapter's, with and without a VLAN tag in the frame
test_checksum_offload() {
	driver_and_ports_up
	errors=$(model_port 0 tx_errors)
	for kind in udp4 udp6 tcp4 tcp6; do
		for tag in "" "-t 77"; do
			before=$(model_port 0 tx_checksums)
			# shellcheck disable=SC2086
			got=$(frame -k $kind -o partial -s 301 $tag 0 1)
			vlan=${tag:+77}
			expect_equal "$kind $tag" "frames=1 length=301 vlan=${vlan:-none} csum=valid l4=good data=good" "$got"
			# The oracle leaves those behind a tag in the frame to the stack.
			[ "$DRIVER$tag" = "oracle-t 77" ] ||
				expect_equal "checksums by the device, $kind $tag" $((before + 1)) "$(model_port 0 tx_checksums)"
		done
	done
	expect_at_least "partial checksums that the driver counted" 4 "$(partial_checksums 0)"
	expect_equal "errors of the device" "$errors" "$(model_port 0 tx_errors)"
}

#: D-53: a transport header beyond byte 1023 gets its checksum from the stack
test_checksum_far_header() {
	driver_and_ports_up
	errors=$(model_port 0 tx_errors) bad=$(model_port 1 rx_checksum_bad)
	for bytes in 960 968 976 1040; do
		got=$(frame -k udp6 -e $bytes -o partial -s 1300 0 1)
		expect_equal "offset $((54 + bytes))" "l4=good data=good" "$(echo "$got" | cut -d' ' -f5-)"
	done
	expect_equal "errors of the device" "$errors" "$(model_port 0 tx_errors)"
	expect_equal "bad checksums at the receiver" "$bad" "$(model_port 1 rx_checksum_bad)"
}

#: D-53: a checksum that is neither TCP's nor UDP's is the stack's
test_checksum_other_protocol() {
	driver_and_ports_up
	errors=$(model_port 0 tx_errors) sums=$(model_port 0 tx_checksums)
	# The sum goes into the urgent pointer. As TCP the frame is bad, and so no listener matters.
	got=$(frame -k tcp4 -o odd -s 300 0 1)
	expect_equal "the sum" "l4=good data=good" "$(echo "$got" | cut -d' ' -f5-)"
	expect_equal "checksums by the device" "$sums" "$(model_port 0 tx_checksums)"
	expect_equal "errors of the device" "$errors" "$(model_port 0 tx_errors)"
}

#: D-61: the stack hears "checksum good" for good TCP and UDP checksums only, and only with rx on
test_checksum_verdict() {
	driver_and_ports_up
	features gro off # it would look for itself
	for kind in udp4 udp6 tcp4 tcp6; do
		expect_equal "good $kind" csum=valid "$(frame -k $kind 0 1 | cut -d' ' -f4)"
		expect_equal "bad $kind" csum=unknown "$(frame -k $kind -o bad 0 1 | cut -d' ' -f4)"
	done
	expect_equal "raw frame" csum=unknown "$(frame -k raw 0 1 | cut -d' ' -f4)"
	features rx off
	expect_equal "good tcp4 with rx off" csum=unknown "$(frame -k tcp4 0 1 | cut -d' ' -f4)"
	exchange
}

#: D-54: packets to be segmented arrive as segments: MSS from 1 byte up, headers up to 255 bytes
test_segmentation_limits() {
	driver_and_ports_up
	features gro off
	errors=$(model_port 0 tx_errors) before=$(model_port 0 tx_lso_packets)
	for kind in tcp4 tcp6; do
		for mss in 1 8 100 536 1400; do
			size=$((mss * 7 + 90))
			got=$(frame -k $kind -o partial -g $mss -s $size 0 1)
			expect_equal "$kind, MSS $mss" "vlan=none csum=valid l4=good data=good" "$(echo "$got" | cut -d' ' -f3-)"
		done
	done
	expect_at_least "LSO packets of the device" 8 $(($(model_port 0 tx_lso_packets) - before))
	before=$(model_port 0 tx_lso_packets)
	for bytes in 160 176 184 192 400; do
		got=$(frame -k tcp6 -e $bytes -o partial -g 500 -s 4000 0 1)
		expect_equal "headers of $((74 + bytes)) bytes" "l4=good data=good" "$(echo "$got" | cut -d' ' -f5-)"
	done
	echo "of 5 packets with long headers the device segmented $(($(model_port 0 tx_lso_packets) - before))"
	expect_equal "errors of the device" "$errors" "$(model_port 0 tx_errors)"
}

#: as many fragments as this kernel's skb can have (17): zero-copy messages, TCP (with TSO) and UDP
#: timeout=90
test_scatter_gather() {
	driver_and_ports_up
	errors=$(model_port 0 tx_errors)
	for family in "" -6; do
		for pieces in 2 16 17 18 64; do
			payload $family -z $pieces -s 4000 -n 30 0 1
			payload $family -z $pieces -s 65536 -n 10 0 1
		done
		for pieces in 1 7 13; do
			payload $family -u -z $pieces -s 1400 -n 30 0 1
			payload $family -u -z $pieces -s 20000 -n 10 -w 4 0 1
		done
	done
	features tso off
	payload -z 64 -s 8000 -n 40 0 1
	features sg off
	payload -z 64 -s 8000 -n 40 0 1
	expect_equal "errors of the device" "$errors" "$(model_port 0 tx_errors)"
}

#: sendfile: fragments are whole pages of a file
test_sendfile() {
	driver_and_ports_up
	payload -F -s 65536 -n 60 0 1
	payload -6 -F -s 50001 -n 60 1 0
	features tso off
	payload -F -s 65536 -n 20 0 1
}

#: offloads are switched under load, and no byte is damaged
test_switched_under_load() {
	driver_and_ports_up
	payload -f 4 -s 30000 -d 6 0 1 &
	load=$!
	for _ in 1 2 3; do
		for words in "tso off" "tx off" "tx on tso on" "rx off" "gro off" "sg off" "rx on gro on sg on tso on"; do
			# shellcheck disable=SC2086
			features $words
			sleep 0.1
		done
	done
	wait $load
	exchange
}
