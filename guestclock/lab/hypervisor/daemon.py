"""A host's private libvirtd: started when first needed, found again by every later command."""

from __future__ import annotations

import json
import os
import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from guestclock.lab import faketime
from guestclock.lab.errors import LabError, MissingToolError
from guestclock.lab.hypervisor import processes
from guestclock.lab.hypervisor.launch import launch, recorded_answer, search_path
from guestclock.platforms.libvirt import events

if TYPE_CHECKING:
    import libvirt

    from guestclock.lab.hypervisor.folder import HostFolder, Settings
    from guestclock.lab.hypervisor.supervisor import Answer

# Distributions that split libvirt up have virtqemud alone; either serves qemu:///session.
_DAEMONS = (("libvirtd", "libvirt-sock"), ("virtqemud", "virtqemud-sock"))
_STOP_SECONDS = 10.0


@dataclass(slots=True)
class Daemon:
    """The daemon of one host: a handle on what is on disk and running, nothing more."""

    host: HostFolder
    time_file: Path | None
    _connection: libvirt.virConnect | None = field(default=None, init=False)

    def connection(self) -> libvirt.virConnect:
        """Return a connection to the daemon, which is started or put right where needed."""
        if self._connection is not None and _serves(self._connection):
            return self._connection
        self._connection = self._connect() or self._connect_started()
        return self._connection

    def fresh_connection(self) -> libvirt.virConnect:
        """Return another connection of the caller's own, to a daemon that surely runs."""
        self.connection()
        return _open(self.uri)

    @property
    def uri(self) -> str:
        """How libvirt reaches it; always by its own socket, never a user's or the system's."""
        return f"qemu+unix:///session?socket={self._socket}"

    @property
    def runtime(self) -> Path:
        """The short folder of the host's sockets."""
        return Path(self._settings.runtime)

    @property
    def own_etc(self) -> bool:
        """Whether the running daemon sees the host's zone as its own /etc/localtime."""
        answer = self._answer()
        return answer is not None and answer.no_namespace is None

    def restart(self) -> None:
        """Let the daemon start anew where it runs; its machines run on."""
        with self.host.locked():
            self._stop()

    def close(self) -> None:
        """Forget the connection; the daemon runs on."""
        if self._connection is not None:
            with suppress(Exception):
                self._connection.close()
            self._connection = None

    def _connect(self) -> libvirt.virConnect | None:
        """Connect to the daemon if it runs as it should, else None."""
        import libvirt

        answer = self._answer()
        if answer is None or answer.setup != self._setup() or not self._socket.is_socket():
            return None
        if answer.no_namespace is not None and answer.zone != self._settings.zone:
            return None
        with suppress(libvirt.libvirtError):
            return _open(self.uri)
        return None

    def _connect_started(self) -> libvirt.virConnect:
        import libvirt

        # Whoever holds the lock is starting it: after that it serves, or its start has failed.
        with self.host.locked() as lock:
            connection = self._connect()
            if connection is not None:
                return connection
            self._stop()
            self._start(lock)
            try:
                connection = _open(self.uri)
                self._end_strays(connection)
            except libvirt.libvirtError as problem:
                raise LabError(
                    f"the libvirt daemon of host {self.host.name} does not serve: {problem}",
                    f"see {self.host.path / 'libvirtd.log'}",
                ) from None
            return connection

    def _stop(self) -> None:
        """End a daemon that is not as it should be: half started, deaf, or set up otherwise."""
        self.close()
        # Its pid file may be from before it was ready, or missing: all of that name go.
        names = {name for name, _ in _DAEMONS}
        running = (
            pid for pid in processes.living_in(self.host.path) if processes.name_of(pid) in names
        )
        processes.end(running, self.host.path, _STOP_SECONDS)
        self._record.unlink(missing_ok=True)

    def _start(self, lock: int) -> None:
        self._prepare()
        launch(
            self.host,
            (
                *(find_daemon(), "--daemon"),
                *("--config", str(self.host.path / "libvirtd.conf")),
                *("--pid-file", str(self._pid_file)),
            ),
            self._environment(),
            zone=self._settings.zone,
            record=self._record,
            setup=self._setup(),
            lock=lock,
            root_needs_namespace=True,
        )

    def _prepare(self) -> None:
        """Write the daemon's settings and make its folders."""
        path, runtime = self.host.path, self.host.runtime(self._settings)
        config, cache = path / "config", path / "cache" / "libvirt" / "qemu"
        for folder in (config / "libvirt", cache, path / "data"):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Sockets of machines lie below the config folder, so it needs a short name as well.
        _link(runtime / "c", config)
        # Asking QEMU what it can do takes up to 3.5 s; one answer does for all labs.
        shared = _cache_home() / "guestclock" / "libvirt"
        shared.mkdir(mode=0o700, parents=True, exist_ok=True)
        _link(cache / "cache", shared)
        (config / "libvirt" / "qemu.conf").write_text(
            # No virtlogd, which would be one more process to watch.
            'stdio_handler = "file"\nsecurity_driver = "none"\n'
        )
        (path / "libvirtd.conf").write_text(
            # Hosts of one machine must differ, or libvirt refuses to migrate between them.
            f'host_uuid = "{self._settings.uuid}"\nlog_outputs = "3:file:{path / "libvirtd.log"}"\n'
        )

    def _environment(self) -> dict[str, str]:
        runtime = self.runtime
        environment = {
            **search_path(),
            "HOME": str(self.host.path),
            "LANG": "C.UTF-8",
            "LIBVIRT_AUTOSTART": "0",
            "XDG_RUNTIME_DIR": str(runtime),
            "XDG_CONFIG_HOME": str(runtime / "c"),
            "XDG_CACHE_HOME": str(self.host.path / "cache"),
            "XDG_DATA_HOME": str(self.host.path / "data"),
        }
        if self.time_file is not None:
            environment |= faketime.stepped_env(self.time_file)
            # A file's dates moved along would make libvirt ask QEMU anew at every step.
            environment["NO_FAKE_STAT"] = "1"
        return environment

    def _setup(self) -> str:
        """What the daemon must have been started with to be the right one."""
        environment = self._environment()
        del environment["PATH"]  # It differs from shell to shell, and that does not matter.
        return json.dumps(environment, sort_keys=True)

    def _end_strays(self, connection: libvirt.virConnect) -> None:
        """End QEMUs that the new daemon does not know: a start that was cut off in the middle."""
        known = {
            processes.recorded(self.machine_pid_file(domain.name()), self.host.path)
            for domain in connection.listAllDomains()
            if domain.isActive()
        }
        strays = {
            pid
            for pid in processes.living_in(self.host.path)
            if processes.name_of(pid).startswith("qemu-") and pid not in known
        }
        processes.end(strays, self.host.path, _STOP_SECONDS)

    def machine_pid_file(self, name: str) -> Path:
        """Where libvirt keeps the pid of a running machine's QEMU."""
        return self.runtime / "libvirt" / "qemu" / "run" / f"{name}.pid"

    def _answer(self) -> Answer | None:
        return recorded_answer(self._record)

    @property
    def _settings(self) -> Settings:
        return self.host.known_settings()

    @property
    def _record(self) -> Path:
        return self.host.path / "daemon.json"

    @property
    def _pid_file(self) -> Path:
        return self.runtime / "daemon.pid"

    @property
    def _socket(self) -> Path:
        name = Path(find_daemon()).name
        return self.runtime / "libvirt" / dict(_DAEMONS)[name]


def find_daemon() -> str:
    """Find libvirt's daemon. Raises MissingToolError where there is none."""
    for name, _ in _DAEMONS:
        if found := shutil.which(name, path=search_path()["PATH"]):
            return found
    raise MissingToolError(
        "libvirt's daemon is not installed",
        "install libvirt-daemon and libvirt-daemon-driver-qemu, or use plain QEMU",
    )


def _open(uri: str) -> libvirt.virConnect:
    import libvirt

    events.start()
    # Else an ordinary user's client would start the user's own session daemon instead.
    os.environ["LIBVIRT_AUTOSTART"] = "0"
    return libvirt.open(uri)


def _serves(connection: libvirt.virConnect) -> bool:
    """Say whether the daemon answers; what the connection itself believes may be old."""
    import libvirt

    try:
        connection.getLibVersion()
    except libvirt.libvirtError:
        return False
    return True


def _cache_home() -> Path:
    given = os.environ.get("XDG_CACHE_HOME", "")
    return Path(given) if given.startswith("/") else Path.home() / ".cache"


def _link(link: Path, target: Path) -> None:
    if link.is_symlink() and link.readlink() == target:
        return
    link.unlink(missing_ok=True)
    link.symlink_to(target)
