# SPDX-License-Identifier: GPL-2.0
# Sourced by the scripts beside it.

repository=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)

stop() {
	printf '*** %s\n' "$1" >&2
	exit 1
}

install_packages() {
	if [ -x "$repository/scripts/deps/install" ]; then
		"$repository/scripts/deps/install" model >&2
	fi
	command -v clang++-19 >/dev/null || stop "clang++-19 is missing: apt-get install clang-19"
	command -v ninja >/dev/null || stop "ninja is missing: apt-get install ninja-build"
}

# configure DIRECTORY OPTION...: only when there is no such build yet, or its options changed.
configure() {
	local directory=$1 wanted
	shift
	wanted="$repository $*"
	if [ -f "$directory/build.ninja" ] && [ "$(cat "$directory/.configured" 2>/dev/null)" = "$wanted" ]; then
		return
	fi
	rm -rf "$directory"
	mkdir -p "$directory"
	cmake -S "$repository/scripts/model" -B "$directory" -G Ninja \
		-DCMAKE_CXX_COMPILER=clang++-19 "$@" >&2 || stop "cmake failed in $directory"
	printf '%s' "$wanted" >"$directory/.configured"
}
