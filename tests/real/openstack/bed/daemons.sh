# shellcheck shell=bash disable=SC2034
# The bed's folder, and its daemons: how each is started, waited for and ended.
# Sourced by up.sh and down.sh.

BED_DIR=$(realpath -m -- "${BED_DIR:-/var/tmp/guestclock-bed}")
ETC=$BED_DIR/etc
LOG=$BED_DIR/log
RUN=$BED_DIR/run
DONE=$BED_DIR/done

# The daemons by name: each has RUN/NAME.pid and LOG/NAME.log. SERVICES end first, for they
# use BASIS.
SERVICES=(nova-compute nova-scheduler nova-conductor nova-api neutron glance placement keystone)
BASIS=(libvirtd rabbitmq mariadb epmd)

# In every daemon's environment: by it down.sh finds one whose pid file was never written.
MARK=GUESTCLOCK_BED_DAEMON=$BED_DIR

say() { printf '[%4d s] %s\n' "$SECONDS" "$*" >&2; }

# die MESSAGE [LOG NAME...]: say why, show the end of those logs, and give up.
die() {
	say "FAILED: $1"
	local name
	for name in "${@:2}"; do
		printf -- '--- the end of %s\n' "$LOG/$name.log" >&2
		tail -n 40 "$LOG/$name.log" >&2 2>/dev/null || true
	done
	exit 1
}

# When a process was started, in ticks since boot. A pid is used again; with this beside it, it
# names one process for good.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20; }

# The pid of a daemon, if it runs.
pid_of() {
	local pid at state
	read -r pid at 2>/dev/null <"$RUN/$1.pid" || return 1
	[ -n "$at" ] && [ "$(started_at "$pid")" = "$at" ] || return 1
	state=$(sed 's/.*) //' "/proc/$pid/stat" 2>/dev/null | cut -c 1)
	[ "$state" != Z ] && echo "$pid"
}

alive() { pid_of "$1" >/dev/null; }

# start NAME COMMAND...: run a daemon in a session of its own, unless it runs.
start() {
	local name=$1 pid
	shift
	if alive "$name"; then return 0; fi
	rm -f "$RUN/$name.pid"
	env "$MARK" setsid "$@" >>"$LOG/$name.log" 2>&1 </dev/null 9>&- &
	pid=$!
	echo "$pid $(started_at "$pid")" >"$RUN/$name.pid"
}

# await NAME SECONDS COMMAND...: ask again and again until COMMAND succeeds;
# give up at once when the daemon is dead.
await() {
	local name=$1 end=$((SECONDS + $2))
	shift 2
	until "$@" >/dev/null 2>&1; do
		alive "$name" || die "$name died" "$name"
		[ "$SECONDS" -lt "$end" ] || die "$name does not answer" "$name"
		sleep 0.2
	done
}

# gone PID SECONDS: wait until a process has ended.
gone() {
	local end=$((SECONDS + $2 + 1))
	while [ -e "/proc/$1" ] && [ "$(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -c 1)" != Z ]; do
		[ "$SECONDS" -lt "$end" ] || return 1
		sleep 0.1
	done
}

# stop NAME...: ask daemons to end, insist after 20 s, and take their children along.
stop() {
	local name pid
	local -A asked=()
	for name in "$@"; do
		if pid=$(pid_of "$name"); then
			asked[$name]=$pid
			kill -TERM "$pid" 2>/dev/null || true
		fi
	done
	for name in "${!asked[@]}"; do
		pid=${asked[$name]}
		gone "$pid" 20 || say "$name (pid $pid) does not end: killed"
		kill -KILL -- "-$pid" 2>/dev/null || true
	done
	for name in "$@"; do rm -f "$RUN/$name.pid"; done
}

# The pids of whatever carries the bed's mark.
marked() {
	local dir
	for dir in /proc/[0-9]*; do
		if tr '\0' '\n' 2>/dev/null <"$dir/environ" | grep -qxF -- "$MARK"; then
			echo "${dir#/proc/}"
		fi
	done
}

# The pids of the bed's QEMU processes (libvirt clears their environment).
emulators() {
	local dir
	for dir in /proc/[0-9]*; do
		case $(readlink "$dir/exe" 2>/dev/null) in
		*/qemu-system-*)
			if tr '\0' '\n' 2>/dev/null <"$dir/cmdline" | grep -qF -- "$BED_DIR/nova/instances/"; then
				echo "${dir#/proc/}"
			fi
			;;
		esac
	done
}
