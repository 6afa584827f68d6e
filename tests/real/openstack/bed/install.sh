#!/bin/bash
# Install the packages of Debian 12 that the bed needs, without starting any of their services.
# Where none is missing this does nothing, and does it at once.
set -euo pipefail

say() { echo "install: $*" >&2; }

PACKAGES=(
	mariadb-server rabbitmq-server
	keystone glance-api placement-api
	neutron-server
	nova-api nova-conductor nova-scheduler nova-compute nova-compute-qemu
	libvirt-daemon-system libvirt-clients
	qemu-system-x86 qemu-utils
	gunicorn python3-openstackclient python3-pymysql
	curl tzdata
)

# Which of them are not installed, one a line.
missing() {
	comm -23 <(printf '%s\n' "${PACKAGES[@]}" | sort) \
		<(dpkg-query -W -f '${Package} ${db:Status-Status}\n' "${PACKAGES[@]}" 2>/dev/null |
			sed -n 's/ installed$//p' | sort -u)
}

mapfile -t need < <(missing)
if [ "${#need[@]}" -eq 0 ]; then
	say "every package is there"
	exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
	say "needs root to install ${need[*]}"
	exit 1
fi
# shellcheck source=/dev/null
if ! (. /etc/os-release && [ "$ID-$VERSION_ID" = debian-12 ]); then
	say "the bed is made of Debian 12's packages, and this is another system; missing: ${need[*]}"
	exit 1
fi
say "${need[*]}"

# invoke-rc.d asks this file whether a service may start, and 101 is no.
policy=/usr/sbin/policy-rc.d
saved=
restore() {
	if [ -n "$saved" ]; then
		mv -f "$saved" "$policy"
	else
		rm -f "$policy"
	fi
}
if [ -e "$policy" ]; then
	saved="$policy.before-bed"
	cp -a "$policy" "$saved"
fi
trap restore EXIT
printf '#!/bin/sh\nexit 101\n' >"$policy.new"
chmod 755 "$policy.new"
mv -f "$policy.new" "$policy"

export DEBIAN_FRONTEND=noninteractive
apt=(apt-get -o DPkg::Lock::Timeout=900 -o Dpkg::Options::=--force-confold -o Dpkg::Use-Pty=0)
"${apt[@]}" -q update >&2
"${apt[@]}" -q -y --no-install-recommends install "${need[@]}" >&2

mapfile -t need < <(missing)
if [ "${#need[@]}" -ne 0 ]; then
	say "still missing: ${need[*]}"
	exit 1
fi
say "done in ${SECONDS} s"
