#!/usr/bin/env bash
# Installs what building and testing need and this machine lacks: Debian packages
# (tools/packages.txt) and the npm packages of web/.  Fast and silent about the network when
# nothing is missing.  With --quiet it speaks only when there is something to do; with --bench it
# also installs what parts of `./dev bench` need (tools/packages-bench.txt).
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
quiet='' lists=(tools/packages.txt)
for word; do
	case $word in
	--quiet) quiet=yes ;;
	--bench) lists+=(tools/packages-bench.txt) ;;
	*) printf 'setup: it knows --quiet and --bench, not %s\n' "$word" >&2 && exit 1 ;;
	esac
done

say() { printf '%s\n' "$*" >&2; }
die() { say "setup: $*"; exit 1; }

as_root() {
	if [ "$(id -u)" = 0 ]; then "$@"; else sudo "$@"; fi
}

# The names among the arguments that are not installed.
missing_packages() {
	local have
	have=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null |
		sed -n 's/^ii  *//p') || true
	comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$have" | sort -u)
}

# Packages start their services when installed.  The demo brings its own, on its own ports, so
# a service that only came with this installation is stopped and stays so.
quiet_service() {
	if [ -d /run/systemd/system ]; then
		as_root systemctl disable --now --quiet "$1" || true
	elif [ -x "/etc/init.d/$1" ]; then
		as_root "/etc/init.d/$1" stop >/dev/null 2>&1 || true
		as_root update-rc.d "$1" disable >/dev/null 2>&1 || true
	fi
}

install_packages() {
	local log=$1 service
	shift
	[ "$(id -u)" = 0 ] || command -v sudo >/dev/null ||
		die "installing $* needs root or sudo."
	say "installing $# Debian packages: $*"
	say "  apt-get update …"
	as_root apt-get update >"$log" 2>&1 ||
		{ tail -n 5 "$log" >&2; die "apt-get update failed; is the network up?"; }
	say "  apt-get install … (minutes on a fresh machine)"
	as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" \
		>"$log" 2>&1 || { tail -n 15 "$log" >&2; die "apt-get install failed."; }
	for service; do
		case $service in
		apache2) quiet_service apache2 ;;
		exim4-daemon-light) quiet_service exim4 ;;
		haproxy) quiet_service haproxy ;;
		libapache2-mod-shib) quiet_service shibd ;;
		nginx-light) quiet_service nginx ;;
		php-fpm) quiet_service "$(basename /etc/init.d/php*-fpm)" ;;
		postgresql) quiet_service postgresql ;;
		esac
	done
}

setup_packages() {
	local wanted missing
	command -v apt-get >/dev/null || die "this is not Debian: install what tools/packages.txt names."
	mapfile -t wanted < <(grep -Ehv '^(#|$)' "${lists[@]}")
	# One mail server pushes another out: a machine that has one keeps it (operate/test_mail).
	if { dpkg-query -W -f '${db:Status-Abbrev} ${Provides}\n' 2>/dev/null || true; } |
		grep '^ii.*mail-transport-agent' >/dev/null; then
		mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | grep -v '^exim4-daemon-light$')
	fi
	# Any npm will do to fetch packages; they then run on the Node that is one of them.
	command -v npm >/dev/null || wanted+=(npm)
	mapfile -t missing < <(missing_packages "${wanted[@]}")
	[ ${#missing[@]} -gt 0 ] || return 0
	new_log
	install_packages "$log" "${missing[@]}"
}

# Where a long step's output goes until it is known whether somebody must read it.
new_log() {
	log=$(mktemp)
	trap 'rm -f "$log"' EXIT
}

# npm packages, again only when the lock file has changed.
setup_npm() {
	local mark=web/node_modules/.installed-lock
	[ -e web/package-lock.json ] || return 0
	cmp -s web/package-lock.json "$mark" && return 0
	say "installing npm packages in web/ …"
	new_log
	(cd web && npm ci --no-audit --no-fund) >"$log" 2>&1 ||
		{ tail -n 15 "$log" >&2; die "npm ci failed in web/."; }
	cp web/package-lock.json "$mark"
}

setup_packages
setup_npm
[ -n "$quiet" ] || say "setup: everything is there."
