"""A large cloud, made up: images and the servers of them, right and wrong.

The same seed gives the same cloud. A third of the servers are Windows, one in ten was booted from a
volume, one in twenty is deleted, and one in fifty has one of the defects below.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BEGIN = datetime(2024, 1, 1, tzinfo=UTC)
DAY = timedelta(days=1)
DAYS = 800
"""How long the cloud is there: its images were made in the first half, the servers in all of it."""

WINDOWS = (("Windows Server 2022", "win2k22"), ("Windows Server 2019", "win2k19"))
OTHERS = (
    ("Ubuntu 24.04", "ubuntu"),
    ("Ubuntu 22.04", "ubuntu"),
    ("Debian 12", "debian"),
    ("Rocky 9", "rocky"),
    ("AlmaLinux 9", "almalinux"),
)
DEFECTS_OF_IMAGES = (
    "missing",  # Windows without os_type
    "case",  # os_type=Windows
    "late",  # corrected after the server was made
    "spread",  # a snapshot, made of one that was missing it
    "lost",  # a snapshot of a Windows image, and os_type was not inherited
    "utc guest",  # os_type=windows on a Linux
)
DEFECTS = (
    *DEFECTS_OF_IMAGES,
    "column",  # the metadata were corrected, the server was not
    "metadata",  # the server was corrected in the database, its metadata were not
    "volume",  # booted from a volume whose metadata have no os_type
    "rescue",  # Windows, and rescued
)
_SERVERS_A_DEFECT = 50
_OF_DEFECTIVE_IMAGES = 0.05
_HARDWARE = {
    "hw_cdrom_bus": "sata",
    "hw_disk_bus": "virtio",
    "hw_machine_type": "q35",
    "hw_video_model": "virtio",
    "hw_vif_model": "virtio",
}


@dataclass(frozen=True, slots=True)
class Image:
    """An image of Glance; `set_at` is when its properties were last set."""

    id: str
    name: str
    owner: str
    properties: Mapping[str, str]
    made: datetime
    set_at: datetime

    @property
    def windows(self) -> bool:
        return self.properties["os_distro"].startswith("win")


@dataclass(frozen=True, slots=True)
class Server:
    """A server of Nova; `metadata` are the properties that it copied of its image."""

    number: int
    id: str
    name: str
    project: str
    user: str
    host: str
    image: Image
    volume: str
    os_type: str | None
    metadata: Mapping[str, str]
    vm_state: str
    made: datetime
    actions: Sequence[tuple[str, datetime]]
    deleted: bool


class Cloud:
    """The images at once, the servers as they are asked for, by their numbers from 1 on."""

    def __init__(self, servers: int, images: int, hosts: int, seed: int = 1) -> None:
        rng = random.Random(seed)
        self._seed = seed
        self._count = servers
        self.hosts = tuple(f"compute-{number:03d}" for number in range(hosts))
        self._projects = tuple(self._id("project", n) for n in range(1 + servers // 50))
        self.images: list[Image] = []
        self._good = [self._made_image(rng, windows) for windows in (True, False)]
        self._bad = {kind: [self._defective(kind, rng)] for kind in DEFECTS_OF_IMAGES}
        while len(self.images) < images:
            if rng.random() < _OF_DEFECTIVE_IMAGES:
                kind = rng.choice(DEFECTS_OF_IMAGES)
                self._bad[kind].append(self._defective(kind, rng))
            elif rng.random() < 0.4:
                self._good.append(self._snapshot(rng, rng.choice(self._good)))
            else:
                self._good.append(self._made_image(rng, rng.random() < 0.3))
        self._good_windows = [one for one in self._good if one.windows]

    def servers(self, first: int, last: int) -> Iterator[Server]:
        """The servers of these numbers, both included."""
        for number in range(first, last + 1):
            yield self._server(number)

    def _made_image(
        self, rng: random.Random, windows: bool, os_type: str | None = "", late: bool = False
    ) -> Image:
        """An image with the right os_type, where none other is given."""
        name, distro = rng.choice(WINDOWS if windows else OTHERS)
        if os_type == "":
            os_type = "windows" if windows else rng.choice(("linux", None))
        properties = {"os_distro": distro, **_HARDWARE}
        if os_type is not None:
            properties["os_type"] = os_type
        made = BEGIN + rng.random() * DAYS / 2 * DAY
        return self._add(rng, name, properties, made, BEGIN + DAYS * DAY if late else made)

    def _snapshot(self, rng: random.Random, of: Image, os_type: str | None = "") -> Image:
        """A snapshot of some server of an image, with its os_type or another one."""
        properties = {
            **of.properties,
            "image_type": "snapshot",
            "base_image_ref": of.properties.get("base_image_ref", of.id),
            "instance_uuid": self._id("server", rng.randrange(1, self._count + 1)),
            "user_id": self._id("user", rng.randrange(self._count)),
        }
        if os_type is None:
            properties.pop("os_type", None)
        made = of.made + rng.random() * 30 * DAY
        return self._add(rng, f"snapshot of {of.name}", properties, made, made)

    def _add(
        self,
        rng: random.Random,
        name: str,
        properties: Mapping[str, str],
        made: datetime,
        set_at: datetime,
    ) -> Image:
        number = len(self.images)
        owner = rng.choice(self._projects)
        image = Image(self._id("image", number), name, owner, properties, made, set_at)
        self.images.append(image)
        return image

    def _defective(self, kind: str, rng: random.Random) -> Image:
        match kind:
            case "missing":
                return self._made_image(rng, True, None)
            case "case":
                return self._made_image(rng, True, "Windows")
            case "late":
                return self._made_image(rng, True, "windows", late=True)
            case "spread":
                return self._snapshot(rng, self._made_image(rng, True, None), None)
            case "lost":
                of = rng.choice([one for one in self._good if one.windows])
                return self._snapshot(rng, of, None)
            case _:
                return self._made_image(rng, False, "windows")

    def _server(self, number: int) -> Server:
        rng = random.Random(self._seed << 32 | number)
        defect = ""
        if number % _SERVERS_A_DEFECT == 0:
            defect = DEFECTS[number // _SERVERS_A_DEFECT % len(DEFECTS)]
        if defect in self._bad:
            image = rng.choice(self._bad[defect])
        elif defect:
            image = rng.choice(self._good_windows)
        else:
            # Some images have many servers, most have few.
            image = self._good[int(len(self._good) * rng.random() ** 3)]
        properties = dict(image.properties)
        if defect in ("late", "volume"):
            del properties["os_type"]
        os_type = properties.get("os_type")
        if defect == "column":
            os_type = None
        elif defect == "metadata":
            properties["os_type"] = "linux"
        properties.setdefault("base_image_ref", image.id)
        made = image.made + rng.random() * DAYS / 2 * DAY
        identity = self._id("server", number)
        return Server(
            number=number,
            id=identity,
            name=f"{image.properties['os_distro']}-{number}",
            project=rng.choice(self._projects),
            user=self._id("user", number % 5000),
            host=rng.choice(self.hosts),
            image=image,
            volume=self._id("volume", number) if defect == "volume" or rng.random() < 0.1 else "",
            os_type=os_type,
            metadata=properties,
            vm_state="rescued"
            if defect == "rescue"
            else rng.choice(("active",) * 9 + ("stopped",)),
            made=made,
            actions=tuple(_actions(rng, made)),
            deleted=not defect and rng.random() < 0.05,
        )

    def _id(self, kind: str, number: int) -> str:
        """A uuid that anyone who knows the number can make again."""
        text = hashlib.blake2b(f"{self._seed} {kind} {number}".encode(), digest_size=16).hexdigest()
        return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def _actions(rng: random.Random, made: datetime) -> Iterator[tuple[str, datetime]]:
    """A creation, reboots and stops, at times a rebuild (of the same image)."""
    yield "create", made
    at = made
    for _ in range(rng.randrange(4)):
        at += rng.random() * 30 * DAY
        yield rng.choice(("reboot", "reboot", "stop", "start", "rebuild")), at
