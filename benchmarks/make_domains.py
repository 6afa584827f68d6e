"""Writes a folder of varied domain definitions, as the common managers write them.

    python benchmarks/make_domains.py FOLDER --count 20000 --seed 1

The same seed gives the same files. Each is of 3 to 6 KB; there are Nova's, virt-install's,
oVirt's and KubeVirt's, running and not, with clocks right and wrong.
"""

from __future__ import annotations

import argparse
import random
import uuid
from collections.abc import Callable
from pathlib import Path

ZONES = (
    "Europe/Berlin",
    "Asia/Shanghai",
    "America/New_York",
    "Asia/Kolkata",
    "Australia/Lord_Howe",
)
OSINFO = (
    ("http://microsoft.com/win/10", "localtime"),
    ("http://microsoft.com/win/2k22", "localtime"),
    ("http://microsoft.com/win/2k19", "utc"),
    ("http://debian.org/debian/12", "utc"),
    ("http://ubuntu.com/ubuntu/24.04", "utc"),
    ("http://redhat.com/rhel/9.4", "localtime"),
    ("http://freebsd.org/freebsd/14.0", "utc"),
    ("http://openbsd.org/openbsd/7.5", "utc"),
    ("http://libosinfo.org/linux/2022", "utc"),
)
HYPERV = """    <hyperv mode='custom'>
      <relaxed state='on'/>
      <vapic state='on'/>
      <spinlocks state='on' retries='8191'/>
      <vpindex state='on'/>
      <synic state='on'/>
    </hyperv>
"""


def identity(rng: random.Random) -> str:
    return str(uuid.UUID(int=rng.getrandbits(128), version=4))


def mac(rng: random.Random) -> str:
    return "52:54:00:" + ":".join(f"{rng.randrange(256):02x}" for _ in range(3))


def timers(*names: str) -> str:
    known = {
        "pit": "<timer name='pit' tickpolicy='delay'/>",
        "rtc": "<timer name='rtc' tickpolicy='catchup'/>",
        "hpet": "<timer name='hpet' present='no'/>",
        "hypervclock": "<timer name='hypervclock' present='yes'/>",
    }
    return "".join(f"    {known[name]}\n" for name in names)


def clock(attributes: str, *names: str) -> str:
    return f"  <clock {attributes}>\n{timers(*names)}  </clock>\n"


def devices(rng: random.Random, path: str, pcie: bool) -> str:
    """Controllers, disks, networks and consoles: most of the text, and nothing for the clock."""
    ports = "".join(
        f"    <controller type='pci' index='{index + 1}' model='pcie-root-port'>\n"
        f"      <model name='pcie-root-port'/>\n"
        f"      <target chassis='{index + 1}' port='0x{index + 16:x}'/>\n"
        f"      <address type='pci' domain='0x0000' bus='0x00' slot='0x02' "
        f"function='0x{index % 8}'/>\n    </controller>\n"
        for index in range(rng.randrange(6, 12) if pcie else rng.randrange(2, 5))
    )
    disks = "".join(
        f"    <disk type='file' device='disk'>\n"
        f"      <driver name='qemu' type='qcow2' cache='none' discard='unmap'/>\n"
        f"      <source file='{path}/disk{index}'/>\n"
        f"      <target dev='vd{'abc'[index]}' bus='virtio'/>\n    </disk>\n"
        for index in range(rng.randrange(1, 3))
    )
    others = (
        f"    <interface type='bridge'>\n      <mac address='{mac(rng)}'/>\n"
        f"      <source bridge='br-int'/>\n      <target dev='tap{rng.getrandbits(44):011x}'/>\n"
        f"      <model type='virtio'/>\n      <mtu size='1450'/>\n    </interface>\n"
        "    <serial type='pty'>\n      <target type='isa-serial' port='0'>\n"
        "        <model name='isa-serial'/>\n      </target>\n    </serial>\n"
        "    <channel type='unix'>\n"
        "      <target type='virtio' name='org.qemu.guest_agent.0'/>\n    </channel>\n"
        "    <graphics type='vnc' port='-1' autoport='yes' listen='127.0.0.1'/>\n"
        "    <video>\n      <model type='virtio' heads='1' primary='yes'/>\n    </video>\n"
        "    <memballoon model='virtio'>\n      <stats period='10'/>\n    </memballoon>\n"
        "    <rng model='virtio'>\n      <backend model='random'>/dev/urandom</backend>\n"
        "    </rng>\n"
    )
    emulator = "<emulator>/usr/bin/qemu-system-x86_64</emulator>"
    return f"  <devices>\n    {emulator}\n{ports}{disks}{others}  </devices>\n"


def domain(
    rng: random.Random,
    *,
    name: str,
    unique: str,
    metadata: str,
    clock: str,
    features: str = "",
    virt: str = "kvm",
    machine: str = "pc-q35-7.2",
    running: bool = False,
) -> str:
    live = f" id='{rng.randrange(1, 500)}'" if running else ""
    memory = rng.choice((1, 2, 4, 8)) * 2**20
    path = f"/var/lib/libvirt/images/{unique}"
    return (
        f"<domain type='{virt}'{live}>\n  <name>{name}</name>\n  <uuid>{unique}</uuid>\n"
        f"  <metadata>\n{metadata}  </metadata>\n  <memory unit='KiB'>{memory}</memory>\n"
        f"  <currentMemory unit='KiB'>{memory}</currentMemory>\n"
        f"  <vcpu placement='static'>{rng.choice((1, 2, 4))}</vcpu>\n"
        f"  <os>\n    <type arch='x86_64' machine='{machine}'>hvm</type>\n    <boot dev='hd'/>\n"
        f"  </os>\n  <features>\n    <acpi/>\n    <apic/>\n{features}  </features>\n"
        "  <cpu mode='host-model' check='partial'/>\n"
        f"{clock}  <on_poweroff>destroy</on_poweroff>\n  <on_reboot>restart</on_reboot>\n"
        f"  <on_crash>destroy</on_crash>\n{devices(rng, path, 'q35' in machine)}</domain>\n"
    )


def nova(rng: random.Random, number: int) -> str:
    windows = rng.random() < 0.3
    unique, image = identity(rng), identity(rng)
    old = rng.random() < 0.7
    kind = rng.choice(("windows", "Windows", None)) if windows else rng.choice(("linux", None))
    right = kind == "windows"
    properties = "" if kind is None else f'<nova:property name="os_type">{kind}</nova:property>'
    source = (
        f'      <nova:root type="image" uuid="{image}"/>\n'
        if old
        else f'      <nova:image uuid="{image}"><nova:properties>{properties}'
        '<nova:property name="hw_machine_type">q35</nova:property></nova:properties></nova:image>\n'
    )
    metadata = (
        '    <nova:instance xmlns:nova="http://openstack.org/xmlns/libvirt/nova/1.1">\n'
        f'      <nova:package version="{"27.1.0" if old else "33.1.0"}"/>\n'
        f"      <nova:name>server-{number}</nova:name>\n"
        "      <nova:creationTime>2026-03-01 10:00:00</nova:creationTime>\n"
        '      <nova:flavor name="m1.small">\n        <nova:memory>2048</nova:memory>\n'
        "        <nova:disk>20</nova:disk>\n        <nova:vcpus>1</nova:vcpus>\n"
        f'      </nova:flavor>\n      <nova:owner>\n        <nova:user uuid="{identity(rng)}">admin'
        f"</nova:user>\n      </nova:owner>\n{source}    </nova:instance>\n"
    )
    names = ("pit", "rtc", "hpet", *(("hypervclock",) if right else ()))
    return domain(
        rng,
        name=f"instance-{number:08x}",
        unique=unique,
        metadata=metadata,
        features=HYPERV if right else "",
        clock=clock(f"offset='{'localtime' if right else 'utc'}'", *names),
        machine=rng.choice(("pc-q35-7.2", "pc-i440fx-6.2")),
        running=rng.random() < 0.2,
    )


def virt_install(rng: random.Random, number: int) -> str:
    osinfo, offset = rng.choice(OSINFO)
    windows = "microsoft" in osinfo
    metadata = (
        '    <libosinfo:libosinfo xmlns:libosinfo="http://libosinfo.org/xmlns/libvirt/domain/1.0">\n'
        f'      <libosinfo:os id="{osinfo}"/>\n    </libosinfo:libosinfo>\n'
    )
    if rng.random() < 0.1:
        attributes = f"offset='timezone' timezone='{rng.choice((*ZONES, 'Europe/Berlim'))}'"
    else:
        attributes = f"offset='{offset}'"
    names = ("rtc", "pit", "hpet", *(("hypervclock",) if windows else ()))
    return domain(
        rng,
        name=f"{osinfo.rpartition('/')[2]}-{number}",
        unique=identity(rng),
        metadata=metadata,
        features=HYPERV if windows else "",
        clock=clock(attributes, *names),
        virt=rng.choice(("kvm", "kvm", "kvm", "qemu")),
    )


def ovirt(rng: random.Random, number: int) -> str:
    windows = rng.random() < 0.4
    adjustment = rng.choice((-18000, 0, 3600, 19800, 28800, 28801)) if windows else 0
    unique = identity(rng)
    metadata = (
        '    <ovirt-vm:vm xmlns:ovirt-vm="http://ovirt.org/vm/1.0">\n'
        f"      <ovirt-vm:clusterVersion>4.7</ovirt-vm:clusterVersion>\n"
        f'      <ovirt-vm:startTime type="float">1{rng.randrange(10**9)}.1</ovirt-vm:startTime>\n'
        "      <ovirt-vm:launchPaused>false</ovirt-vm:launchPaused>\n    </ovirt-vm:vm>\n"
    )
    names = ("rtc", "pit", "hpet", *(("hypervclock",) if windows else ()))
    return domain(
        rng,
        name=f"ovirt-{number}",
        unique=unique,
        metadata=metadata,
        features=HYPERV if windows else "",
        clock=clock(f"offset='variable' adjustment='{adjustment}' basis='utc'", *names),
        running=rng.random() < 0.5,
    )


def kubevirt(rng: random.Random, number: int) -> str:
    windows = rng.random() < 0.3
    metadata = (
        '    <kubevirt xmlns="http://kubevirt.io">\n'
        f"      <uid>{identity(rng)}</uid>\n      <graceperiod>\n"
        "        <deletionGracePeriodSeconds>180</deletionGracePeriodSeconds>\n"
        "      </graceperiod>\n    </kubevirt>\n"
    )
    attributes = rng.choice(
        ("offset='utc' adjustment='reset'", f"offset='timezone' timezone='{rng.choice(ZONES)}'")
    )
    return domain(
        rng,
        name=f"default_vm-{number}",
        unique=identity(rng),
        metadata=metadata,
        features=HYPERV if windows else "",
        clock=clock(attributes, "rtc", "pit", "hpet", *(("hypervclock",) if windows else ())),
        machine="pc-q35-rhel9.4.0",
        running=True,
    )


WRITERS: tuple[Callable[[random.Random, int], str], ...] = (
    nova,
    nova,
    virt_install,
    virt_install,
    ovirt,
    kubevirt,
)


def make(folder: Path, count: int, seed: int) -> None:
    """Writes `count` definitions into a folder, which is made if it is not there."""
    rng = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    for number in range(count):
        text = rng.choice(WRITERS)(rng, number)
        (folder / f"domain-{number:06d}.xml").write_text(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--count", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    make(options.folder, options.count, options.seed)
    print(f"{options.count} definitions in {options.folder}")


if __name__ == "__main__":
    main()
