#!/bin/bash
# shellcheck source-path=SCRIPTDIR
# Bring up a real OpenStack of one node, on 127.0.0.1 only. See README.md.
#   up.sh             install what is missing and start what does not run
#   up.sh --install   only install
set -euo pipefail
HERE=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)
PYTHON=/usr/bin/python3
export PATH=/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8
umask 077
# What the caller has set for clouds or for Python is not for the services.
unset "${!OS_@}" PYTHONPATH PYTHONHOME
export no_proxy=127.0.0.1,localhost NO_PROXY=127.0.0.1,localhost
ASKED_ZONE=${BED_ZONE-unset} ASKED_BASE=${BED_PORT_BASE-}
# shellcheck source=daemons.sh
. "$HERE/daemons.sh"

case ${1-} in
'') ;;
--install) exec "$HERE/install.sh" ;;
*) sed -n '3,5p' "$0" >&2 && exit 2 ;;
esac
[ "$(id -u)" -eq 0 ] || die "needs root"
# With the mark from here on, so that down.sh also finds what a killed up.sh leaves.
[ "${GUESTCLOCK_BED_DAEMON-}" = "$BED_DIR" ] || exec env "$MARK" "$HERE/up.sh" "$@"

how_to_use() {
	echo "export OS_CLIENT_CONFIG_FILE=$BED_DIR/clouds.yaml; export OS_CLOUD=bed  # or: . $BED_DIR/openrc"
}

# ---- one bed, one zone, one range of ports -----------------------------------
[[ $BED_DIR =~ ^[A-Za-z0-9/._+-]+$ ]] || die "BED_DIR must be of letters, digits and /._+- only: $BED_DIR"
if [ -e "$BED_DIR" ] && [ ! -e "$BED_DIR/.bed" ] && [ -n "$(ls -A "$BED_DIR")" ]; then
	die "$BED_DIR is not empty and no bed"
fi
mkdir -p "$ETC" "$LOG" "$RUN" "$DONE"
chmod 755 "$BED_DIR"
touch "$BED_DIR/.bed"
exec 9>"$BED_DIR/.lock"
flock -n 9 || { say "waiting for another up.sh or down.sh" && flock -w 300 9; } ||
	die "another up.sh or down.sh is at work on $BED_DIR"
echo "$$ $(started_at $$)" >"$RUN/up.pid"

BED_ZONE='' BED_PORT_BASE=21000
if [ -e "$BED_DIR/settings" ]; then
	# shellcheck source=/dev/null
	. "$BED_DIR/settings"
	if [ -n "$ASKED_BASE" ] && [ "$ASKED_BASE" != "$BED_PORT_BASE" ]; then
		die "this bed has BED_PORT_BASE=$BED_PORT_BASE: down.sh --wipe first"
	fi
elif [ -n "$ASKED_BASE" ]; then
	BED_PORT_BASE=$ASKED_BASE
fi
if [ "$ASKED_ZONE" != unset ] && [ "$ASKED_ZONE" != "$BED_ZONE" ]; then
	if alive libvirtd || [ -n "$(emulators)" ]; then
		die "this bed runs with BED_ZONE='$BED_ZONE': down.sh first"
	fi
	[ -z "$ASKED_ZONE" ] || [ -f "/usr/share/zoneinfo/$ASKED_ZONE" ] || die "no zone $ASKED_ZONE here"
	BED_ZONE=$ASKED_ZONE
fi
printf 'BED_ZONE=%s\nBED_PORT_BASE=%s\n' "$BED_ZONE" "$BED_PORT_BASE" >"$BED_DIR/settings"
# shellcheck source=configuration.sh
. "$HERE/configuration.sh"

answers() { curl -sf -o /dev/null --max-time 10 "http://127.0.0.1:$1/${2-}"; }
all_up() {
	local name
	[ -e "$RUN/ready" ] || return 1
	for name in "${SERVICES[@]}" "${BASIS[@]}"; do alive "$name" || return 1; done
	answers "$PORT_KEYSTONE" v3 && answers "$PORT_NOVA" && answers "$PORT_GLANCE" versions &&
		answers "$PORT_PLACEMENT" && answers "$PORT_NEUTRON"
}
if all_up; then
	say "is up already (zone ${BED_ZONE:-of the machine})"
	how_to_use
	exit 0
fi
rm -f "$RUN/ready"

"$HERE/install.sh"

# ---- nothing in the way ------------------------------------------------------
# Others may run a libvirtd on a socket of their own; this one has to be the system's.
if ! alive libvirtd && timeout 30 virsh -q -c qemu:///system uri >/dev/null 2>&1; then
	die "another libvirtd serves qemu:///system, and there can be only one: stop it first"
fi
if ! alive mariadb; then
	for port in $(seq "$BED_PORT_BASE" "$PORT_EPMD"); do
		if (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then
			die "port $port is taken: choose another BED_PORT_BASE (now $BED_PORT_BASE)"
		fi
	done
fi

# ---- configuration -----------------------------------------------------------
secrets
mkdir -p "$BED_DIR"/{mariadb,rabbitmq,neutron,lock,nova/instances,keystone/{fernet,credential},glance/{images,staging,cache}}
mkdir -p /run/libvirt
configure
"$PYTHON" "$HERE/guest.py" "$BED_DIR/guest.img"
say "configured in $BED_DIR, zone ${BED_ZONE:-of the machine}, ports $BED_PORT_BASE-$PORT_EPMD"

# once NAME COMMAND...: do what a bed whose data were kept has done already only once.
once() {
	[ -e "$DONE/$1" ] || { "${@:2}" && touch "$DONE/$1"; }
}

# ---- libvirt, database, broker -----------------------------------------------
start libvirtd "$PYTHON" "$HERE/reaper.py" "$HERE/host-view.sh" "$BED_DIR/host/etc" \
	/usr/sbin/libvirtd --config "$ETC/libvirtd.conf" --pid-file "$RUN/libvirtd.own.pid"

install_mariadb() {
	rm -rf -- "$BED_DIR/mariadb"
	mariadb-install-db --no-defaults --user=root --datadir="$BED_DIR/mariadb" --tmpdir="$RUN" \
		--auth-root-authentication-method=socket --auth-root-socket-user=root --skip-test-db
}
once mariadb install_mariadb >>"$LOG/mariadb.log" 2>&1 || die "mariadb-install-db failed" mariadb
start mariadb /usr/sbin/mariadbd --defaults-file="$ETC/my.cnf"

start epmd epmd -address 127.0.0.1 -port "$PORT_EPMD"
start rabbitmq env -i "$MARK" PATH="$PATH" HOME="$BED_DIR/rabbitmq" LANG=C.UTF-8 \
	RABBITMQ_CONF_ENV_FILE=/dev/null RABBITMQ_CONFIG_FILE="$ETC/rabbitmq.conf" \
	RABBITMQ_ENABLED_PLUGINS_FILE="$ETC/rabbitmq-plugins" \
	RABBITMQ_NODENAME=guestclock-bed@localhost RABBITMQ_MNESIA_BASE="$BED_DIR/rabbitmq" \
	RABBITMQ_LOG_BASE="$LOG" RABBITMQ_DIST_PORT="$PORT_ERLANG" \
	ERL_EPMD_PORT="$PORT_EPMD" ERL_EPMD_ADDRESS=127.0.0.1 \
	RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS='-kernel inet_dist_use_interface {127,0,0,1} +sbwt none +sbwtdcpu none +sbwtdio none' \
	/usr/lib/rabbitmq/bin/rabbitmq-server

sql() { mariadb --no-defaults --socket="$RUN/mariadb.sock" -N -B -e "$1"; }
await mariadb 60 sql 'SELECT 1'
once users sql "
	CREATE OR REPLACE USER bed@'127.0.0.1' IDENTIFIED BY '$DB_PASSWORD';
	GRANT ALL ON *.* TO bed@'127.0.0.1';
	CREATE OR REPLACE USER reader@'127.0.0.1' IDENTIFIED BY '$DB_READER_PASSWORD';
	GRANT SELECT ON nova.* TO reader@'127.0.0.1';"
# fresh 'DATABASE...' COMMAND...: fill databases, beginning with empty ones, because half a
# schema from a run that was cut off cannot be gone on with (MariaDB does not roll it back).
fresh() {
	local name
	for name in $1; do
		sql "DROP DATABASE IF EXISTS $name; CREATE DATABASE $name CHARACTER SET utf8mb3" || return
	done
	"${@:2}"
}
say "mariadb is up"

# ---- schemas, in parallel ----------------------------------------------------
export OS_KEYSTONE_CONFIG_FILES=$ETC/keystone.conf OS_PLACEMENT_CONFIG_DIR=$ETC
export OS_CLIENT_CONFIG_FILE=$BED_DIR/clouds.yaml OS_CLOUD=bed
contents() { "$PYTHON" "$HERE/contents.py" "$@"; }

# wsgi NAME PORT APPLICATION: a service under gunicorn. The options are in a file, because the
# application reads the command line too and would take them for its own.
wsgi() {
	cat >"$ETC/$1-gunicorn.py" <<-END
		wsgi_app = "$3"
		bind = "127.0.0.1:$2"
		workers = 2
		worker_class = "gthread"
		threads = 4
		timeout = 120
		worker_tmp_dir = "/dev/shm"
	END
	start "$1" env GUNICORN_CMD_ARGS="--config $ETC/$1-gunicorn.py" "$PYTHON" /usr/bin/gunicorn
}
prepare_keystone() {
	local manage=(keystone-manage --config-file "$ETC/keystone.conf")
	once keystone-db fresh keystone "${manage[@]}" db_sync
	once keystone-fernet "${manage[@]}" fernet_setup --keystone-user root --keystone-group root
	once keystone-credential "${manage[@]}" credential_setup --keystone-user root --keystone-group root
	once keystone-bootstrap "${manage[@]}" bootstrap --bootstrap-password "$ADMIN_PASSWORD" \
		--bootstrap-region-id RegionOne --bootstrap-admin-url "$AUTH_URL" \
		--bootstrap-internal-url "$AUTH_URL" --bootstrap-public-url "$AUTH_URL"
	wsgi keystone "$PORT_KEYSTONE" 'keystone.server.wsgi:initialize_public_application()'
	await keystone 60 answers "$PORT_KEYSTONE" v3
	SERVICE_PASSWORD=$SERVICE_PASSWORD once identity contents identity \
		"compute=http://127.0.0.1:$PORT_NOVA/v2.1" "image=http://127.0.0.1:$PORT_GLANCE" \
		"placement=http://127.0.0.1:$PORT_PLACEMENT" "network=http://127.0.0.1:$PORT_NEUTRON"
}
create_cell() {
	if [ "$(sql "SELECT COUNT(*) FROM nova_api.cell_mappings WHERE name = 'bed'")" = 0 ]; then
		nova-manage --config-file "$ETC/nova.conf" cell_v2 create_cell --name bed
	fi
}
prepare_nova() {
	local manage=(nova-manage --config-file "$ETC/nova.conf")
	once nova-api-db fresh nova_api "${manage[@]}" api_db sync
	once nova-cell0 "${manage[@]}" cell_v2 map_cell0 --database_connection "$(db_url nova_cell0)"
	once nova-db fresh 'nova_cell0 nova' "${manage[@]}" db sync
	once nova-cell create_cell
}
prepare_neutron() { once neutron-db fresh neutron neutron-db-manage --config-file "$ETC/neutron.conf" upgrade heads; }
prepare_others() {
	once glance-db fresh glance glance-manage --config-file "$ETC/glance-api.conf" db_sync
	once placement-db fresh placement placement-manage --config-file "$ETC/placement.conf" db sync
}
tracks=(keystone nova neutron others)
pids=()
for track in "${tracks[@]}"; do
	(
		set -e
		"prepare_$track"
	) >>"$LOG/prepare-$track.log" 2>&1 &
	pids+=($!)
done
await libvirtd 60 virsh -c qemu:///system version
say "libvirtd is up"
virsh -c qemu:///system capabilities >/dev/null
amqp_answers() {
	"$PYTHON" - "$PORT_AMQP" 3<<<"$AMQP_PASSWORD" <<-'END'
		import os, sys, amqp
		with os.fdopen(3) as file:
		    password = file.read().strip()
		amqp.Connection(f"127.0.0.1:{sys.argv[1]}", "bed", password, connect_timeout=5).connect()
	END
}
await rabbitmq 120 amqp_answers
say "rabbitmq is up"
failed=()
for i in "${!tracks[@]}"; do
	if wait "${pids[$i]}"; then say "${tracks[$i]}: prepared"; else failed+=("prepare-${tracks[$i]}"); fi
done
[ "${#failed[@]}" -eq 0 ] || die "failed: ${failed[*]}" "${failed[@]}"

# ---- the services ------------------------------------------------------------
begun=$(date +%s)
start neutron neutron-server --config-file "$ETC/neutron.conf"
start nova-conductor nova-conductor --config-file "$ETC/nova.conf"
wsgi placement "$PORT_PLACEMENT" 'placement.wsgi:init_application()'
await neutron 90 answers "$PORT_NEUTRON"
contents network >>"$LOG/contents.log" 2>&1 || die "Neutron does not answer" contents neutron
start glance glance-api --config-file "$ETC/glance-api.conf"
start nova-compute "$HERE/host-view.sh" "$BED_DIR/host/etc" \
	"$PYTHON" "$HERE/nova_compute.py" --config-file "$ETC/nova.conf"
start nova-api nova-api --config-file "$ETC/nova.conf"
start nova-scheduler nova-scheduler --config-file "$ETC/nova.conf"
await placement 90 answers "$PORT_PLACEMENT"
await glance 90 answers "$PORT_GLANCE" versions
await nova-api 90 answers "$PORT_NOVA"
say "placement, glance, neutron and nova answer"

compute_known() { [ "$(sql 'SELECT COUNT(*) FROM nova.compute_nodes WHERE deleted = 0')" != 0 ]; }
discover() {
	await nova-compute 120 compute_known
	nova-manage --config-file "$ETC/nova.conf" cell_v2 discover_hosts
}
once host discover >>"$LOG/prepare-nova.log" 2>&1 || die "the compute host was not found" prepare-nova nova-compute
contents images "$BED_DIR/guest.img" >>"$LOG/contents.log" 2>&1 || die "flavor and images could not be made" contents glance nova-api
contents ready "$begun" >>"$LOG/contents.log" 2>&1 || die "Nova's services are not all up" contents nova-compute nova-scheduler nova-conductor
for name in "${SERVICES[@]}" "${BASIS[@]}"; do alive "$name" || die "$name died" "$name"; done
touch "$RUN/ready"
say "the bed is up"
how_to_use
