# SPDX-License-Identifier: GPL-2.0
# A private view of the machine's own Debian archive. Sourced after lib.sh.
#
# We need source packages, and packages that are unpacked but not installed. Neither may change the
# system: its lists may lack deb-src lines, may be empty, and are not ours to write. So apt gets its
# own list directory and state in the cache. Where the archive is comes from the machine's sources,
# whatever their format, because apt itself is asked for them.
# shellcheck shell=bash

apt_state=$cache_dir/apt

apt_private_options=(
	-o "Dir::State=$apt_state/state"
	-o "Dir::State::status=/var/lib/dpkg/status"
	-o "Dir::Cache=$apt_state/cache"
	-o "Dir::Cache::pkgcache="
	-o "Dir::Cache::srcpkgcache="
	-o "Dir::Log=$apt_state/log"
	-o "APT::Sandbox::User="
	-o "APT::Get::Assume-Yes=true"
	-o "Acquire::Languages=none"
	-o "Acquire::Retries=2"
	-o "Debug::NoLocking=true"
	# Otherwise a list that cannot be fetched is only a warning.
	-o "APT::Update::Error-Mode=any"
	# Hooks of the system's configuration are for the system's lists.
	-o "APT::Update::Post-Invoke-Success::="
)

# apt_private TOOL ARGUMENT...: apt-get or apt-cache on the private lists.
apt_private() {
	local tool=$1
	shift
	"$tool" "${apt_private_options[@]}" \
		-o "Dir::Etc::sourcelist=$apt_state/sources.list" \
		-o "Dir::Etc::sourceparts=/dev/null" \
		-o "Dir::Etc::preferences=/dev/null" \
		-o "Dir::Etc::preferencesparts=/dev/null" "$@"
}

# The Debian entries among the machine's sources, one "uri suite component" per line. The origin is
# known once apt has read a Release file, so a third party's repository never gets in.
apt_debian_entries() {
	apt-get indextargets "$@" \
		--format '$(ORIGIN) $(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk '$1 == "Debian" && $2 !~ /^(cdrom|file|copy):/ && NF == 4 { print $2, $3, $4 }' | sort -u
}

# Writes the private sources.list and fetches the lists.
apt_private_update() {
	local entries keyring=/usr/share/keyrings/debian-archive-keyring.gpg signed=

	mkdir -p "$apt_state"/{state/lists/partial,cache/archives/partial,log}
	entries=$(apt_debian_entries)
	if [[ -z $entries ]]; then
		# A machine whose lists were removed to save space: fetch them, but not into the system.
		say "this machine has no package lists; fetching them into $apt_state"
		# A third party's repository may fail here; only Debian's matters.
		apt-get "${apt_private_options[@]}" -qq -o APT::Update::Error-Mode=persistent-failure update >&2 || true
		entries=$(apt_debian_entries "${apt_private_options[@]}")
	fi
	[[ -n $entries ]] || die "no Debian archive among the sources in /etc/apt that can be reached; is there a network?"

	[[ ! -r $keyring ]] || signed="[signed-by=$keyring] "
	while read -r uri suite component; do
		printf 'deb %s%s %s %s\n' "$signed" "$uri" "$suite" "$component"
		printf 'deb-src %s%s %s %s\n' "$signed" "$uri" "$suite" "$component"
	done <<<"$entries" >"$apt_state/sources.list"

	say "fetching the lists of source and binary packages"
	apt_private apt-get -qq update >&2 ||
		die "the Debian archive cannot be reached (apt's messages are above); is there a network? Only the first build needs it"
	touch "$apt_state/updated"
}

# Lists younger than a day will do; older ones name versions that may be gone from the archive.
apt_private_ready() {
	local lists
	mkdir -p "$apt_state"
	exec {lists}>"$apt_state/lock"
	flock "$lists"
	[[ -n $(find "$apt_state/updated" -mtime -1 2>/dev/null) ]] || apt_private_update
	exec {lists}>&-
}
