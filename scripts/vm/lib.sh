# SPDX-License-Identifier: GPL-2.0
# What the host-side scripts of the virtual machine share. Sourced, never run.
# shellcheck shell=bash

vm_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root_dir=$(cd "$vm_dir/../.." && pwd)
cache_dir=${XDG_CACHE_HOME:-$HOME/.cache}/mana
build_dir=$root_dir/build/vm

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
	say "$*"
	exit 1
}

# need_space DIRECTORY MEGABYTES WHAT: fail early, not in the middle of a build.
need_space() {
	local free
	mkdir -p "$1"
	free=$(df --output=avail -BM "$1" | tail -n1 | tr -dc 0-9)
	((free >= $2)) || die "$3 needs $2 MB in $1, and only $free MB are free"
}

# need_packages LIST-NAME: every package of scripts/deps/LIST-NAME.list, installed now if missing.
# scripts/deps/install says what it installs and why, and needs root only if something is missing.
need_packages() {
	local install=$root_dir/scripts/deps/install
	[[ -x $install ]] || return 0
	"$install" "$1" >&2 || die "the packages of scripts/deps/$1.list are needed"
}

# hash_of FILE...: one short key for the contents of some files.
hash_of() { cat "$@" | sha256sum | cut -c1-12; }

# with_lock NAME: one of us at a time in a part of the cache, until the script ends.
with_lock() {
	mkdir -p "$cache_dir"
	exec 9>"$cache_dir/$1.lock"
	if ! flock --nonblock 9; then
		say "waiting for another run that is using $cache_dir/$1.lock"
		flock 9
	fi
}

# build_driver: our module for the kernel that the guest runs; prints its path.
build_driver() {
	local release
	release=$(<"$("$vm_dir/image")/release")
	make -C "$root_dir" --no-print-directory "KDIR=/usr/src/linux-headers-$release" >&2 || return 1
	echo "$root_dir/build/$release/mana.ko"
}

# build_model: the device model; prints its path. MANA_MODEL names another one.
build_model() {
	local log=$root_dir/build/model.log
	if [[ -n ${MANA_MODEL:-} ]]; then
		echo "$MANA_MODEL"
		return
	fi
	mkdir -p "${log%/*}"
	"$root_dir/scripts/model/build" 2>"$log" || { cat "$log" >&2; return 1; }
}
