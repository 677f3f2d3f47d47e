# SPDX-License-Identifier: GPL-2.0
# Runs tests one after the other, each in a shell of its own, and an audit after each.
# shellcheck shell=sh
#
#   run-tests.sh NAME:SECONDS...      NAME is FILE.CASE, for test_CASE in /job/FILE.sh
#
# scripts/vm/vmtest reads the lines that begin with "@"; the others are what the tests say:
#
#   @begin NAME SECONDS     the time limit, audit included
#   @ok NAME MILLISECONDS
#   @failed NAME MILLISECONDS
#
# Time limits are for a host with nothing else to do. On a busy one the boot took longer, too, and
# all limits grow in proportion.
#
# Ends with status 1 after a failed audit: what is left would be blamed on the tests that follow.

milliseconds() { awk '{ print int($1 * 1000) }' /proc/uptime; }

usual_boot=3000
audit_seconds=60
patience=$(($(milliseconds) / usual_boot))
[ $patience -ge 1 ] || patience=1
[ $patience -le 10 ] || patience=10

for test in "$@"; do
	name=${test%:*}
	seconds=$((${test##*:} * patience))
	echo "@begin $name $((seconds + audit_seconds * patience))"
	begin=$(milliseconds)
	verdict=ok
	timeout -k 5 "$seconds" sh -c '. /job/lib.sh; . "/job/$1.sh"; "test_$2"' \
		test "${name%%.*}" "${name#*.}" </dev/null || {
		status=$?
		verdict=failed
		[ $status -ne 124 ] && [ $status -ne 137 ] || echo "FAILED: not finished after $seconds s"
	}
	timeout -k 5 $((audit_seconds * patience)) sh -c '. /job/lib.sh; audit' </dev/null && clean=yes || clean=no
	[ $clean = yes ] || { verdict=failed; echo "FAILED: the audit after the test"; }
	echo "@$verdict $name $(($(milliseconds) - begin))"
	[ $clean = yes ] || exit 1
done
