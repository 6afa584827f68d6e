"""The driver's step: the domain definition of a server, its clock by Nova's rule."""

from __future__ import annotations

from datetime import UTC
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from guestclock.lab.cloud.records import Server
from guestclock.lab.errors import LabError
from guestclock.platforms.libvirt.dialect import format_clock
from guestclock.platforms.openstack.rule import nova_clock

VIRT_TYPE = "qemu"
"""[libvirt]virt_type of the lab's hosts: machines are emulated, as in any container."""

_LEAST_MIB = 16

# Nova's own namespace, so that whoever reads Nova's domains reads these.
_NOVA = "http://openstack.org/xmlns/libvirt/nova/1.1"


def definition(server: Server, disk: Path, serial: Path) -> str:
    """Return the XML Nova would define, with one IDE disk and a serial port on a unix socket."""
    clock = format_clock(nova_clock(server.os_type, VIRT_TYPE)).replace("\n", "\n  ")
    memory = _memory(server)
    return f"""<domain type='{VIRT_TYPE}'>
  <name>{server.domain}</name>
  <uuid>{server.uuid}</uuid>
  <metadata>
    <nova:instance xmlns:nova="{_NOVA}">
      <nova:name>{escape(server.name)}</nova:name>
      <nova:creationTime>{server.created.astimezone(UTC):%Y-%m-%d %H:%M:%S}</nova:creationTime>
      <nova:flavor name="lab.tiny">
        <nova:memory>{memory}</nova:memory>
        <nova:disk>0</nova:disk>
        <nova:swap>0</nova:swap>
        <nova:ephemeral>0</nova:ephemeral>
        <nova:vcpus>1</nova:vcpus>
      </nova:flavor>
      <nova:root type="image" uuid="{server.image_uuid}"/>
    </nova:instance>
  </metadata>
  <memory unit='MiB'>{memory}</memory>
  <vcpu>1</vcpu>
  <os>
    <type arch='x86_64' machine='pc'>hvm</type>
    <boot dev='hd'/>
  </os>
  <features>
    <acpi/>
  </features>
  {clock}
  <on_poweroff>destroy</on_poweroff>
  <on_reboot>restart</on_reboot>
  <on_crash>destroy</on_crash>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file={quoteattr(str(disk))}/>
      <target dev='hda' bus='ide'/>
    </disk>
    <controller type='usb' model='none'/>
    <serial type='unix'>
      <source mode='bind' path={quoteattr(str(serial))}/>
      <target port='0'/>
    </serial>
    <memballoon model='none'/>
  </devices>
</domain>
"""


def _memory(server: Server) -> int:
    """Return the MiB a server gets: what its image asks for by min_ram, as a flavor would."""
    asked = server.image_properties.get("min_ram", "0")
    if not (asked.isascii() and asked.isdigit()):
        raise LabError(
            f"the image property min_ram of {server.name} is no number of MiB: {asked!r}"
        )
    return max(_LEAST_MIB, int(asked))
