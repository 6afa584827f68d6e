#!/bin/bash
# host-view.sh ETC COMMAND...: run a command that sees ETC, the bed's copy of /etc, as its /etc.
#
# The command gets a mount namespace of its own, which what it starts inherits. So libvirtd and
# every QEMU are on a host in the bed's zone, while the machine's /etc stays as it is.
# Emulators of processors other than x86 are hidden as well: Nova asks what each can do, and to
# answer libvirtd would run some thirty.
set -euo pipefail

# shellcheck disable=SC2016  # the inner shell expands it
exec unshare --mount --propagation private -- /bin/bash -euc '
	mount --bind "$0" /etc
	for emulator in /usr/bin/qemu-system-*; do
		case $emulator in
		*/qemu-system-x86_64 | */qemu-system-i386) ;;
		*) mount --bind /dev/null "$emulator" ;;
		esac
	done
	exec "$@"
' "$@"
