#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# End the bed: its domains, its daemons, and what a crash left of either.
#   down.sh          keep the data, with which up.sh goes on
#   down.sh --wipe   remove BED_DIR too, with databases, images, servers and logs
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
# shellcheck source=daemons.sh
. "$HERE/daemons.sh"

wipe=
case ${1-} in
'') ;;
--wipe) wipe=yes ;;
*) sed -n '3,5p' "$0" >&2 && exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || die "needs root"
if [ ! -e "$BED_DIR/.bed" ] && [ -z "$(marked)$(emulators)" ]; then
	say "no bed in $BED_DIR"
	exit 0
fi
mkdir -p "$RUN"
touch "$BED_DIR/.bed"
exec 9>"$BED_DIR/.lock"
if ! flock -w 3 9; then
	if alive up; then die "up.sh is at work on $BED_DIR (pid $(pid_of up))"; fi
	# An up.sh that was killed left its helpers behind, and they hold the lock.
	marked | xargs -r kill -TERM 2>/dev/null || true
	flock -w 30 9 || die "another down.sh is at work on $BED_DIR"
fi
rm -f "$RUN/ready"

stop "${SERVICES[@]}"
if alive libvirtd; then
	virsh=(timeout 30 virsh -q -c qemu:///system)
	while read -r domain; do
		[ -n "$domain" ] || continue
		if "${virsh[@]}" dumpxml "$domain" 2>/dev/null | grep -qF "$BED_DIR/nova/instances/"; then
			"${virsh[@]}" destroy "$domain" >/dev/null 2>&1 || true
			"${virsh[@]}" undefine --managed-save --snapshots-metadata --checkpoints-metadata --nvram "$domain" \
				>/dev/null 2>&1 || say "$domain could not be undefined"
		fi
	done < <("${virsh[@]}" list --all --name 2>/dev/null || true)
fi
stop "${BASIS[@]}"

# What a crash left: QEMU without libvirtd, daemons without a pid file.
for pid in $(emulators) $(marked); do
	say "left over: pid $pid ($(tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | cut -c 1-60))"
	kill -TERM "$pid" 2>/dev/null || true
	gone "$pid" 5 || kill -KILL "$pid" 2>/dev/null || true
done
for status in /run/libvirt/qemu/*.xml; do
	if grep -qsF "$BED_DIR/nova/instances/" "$status"; then
		rm -f "$status" "${status%.xml}.pid"
		rm -rf /var/lib/libvirt/qemu/domain-*-"$(basename "$status" .xml)"
	fi
done
rm -f "$BED_DIR"/host/etc/libvirt/qemu/*.xml
say "the bed is down"

if [ -n "$wipe" ]; then
	rm -rf -- "$BED_DIR"
	say "$BED_DIR is removed"
fi
