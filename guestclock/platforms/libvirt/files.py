"""Domain definitions in files and folders.

Files are read one after another and nothing is kept but names. They may come from strangers: each
is looked at before it is opened, its size is bounded, and its XML is parsed without entities,
document types or network. Whatever cannot be read is one `Unread`, and the next file follows.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Final

from lxml import etree

from guestclock.platforms.interface import Read, Unread
from guestclock.platforms.libvirt.domain import BadDomain, DomainReader
from guestclock.platforms.seen import Seen
from guestclock.platforms.surroundings import Surroundings
from guestclock.platforms.text import clean, shown

if TYPE_CHECKING:
    from guestclock.machine import Machine

LARGEST: Final = 16 * 2**20
"""Bytes: a file above it is not read. libvirt's own limit for one definition is 4 MiB."""

_MOST_TAGS = 500_000
# Below it no tree can take a lot of memory.
_LARGE = 2**20
_ENCODED = re.compile(rb"""encoding\s*=\s*["'](?!utf-8|us-ascii)""", re.IGNORECASE)
_NO_DOCTYPE = "it has a DOCTYPE, which no domain definition has"
_DOCTYPES = tuple("<!DOCTYPE".encode(code) for code in ("ascii", "utf-16-le", "utf-16-be"))
_FORMS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}
# Files that hold domains deeper in: lists of dumps, libvirt's state of a running domain, snapshots.
_WRAPPERS = ("domains", "domstatus", "domainsnapshot", "domaincheckpoint", "domainbackup")
# What libvirt keeps beside its domains: these roots are expected in folders of these names.
_LIBVIRTS_OWN = {
    "network": "networks",
    "pool": "storage",
    "filter": "nwfilter",
    "secret": "secrets",
}


class Refused(ValueError):
    """A file that is not read, or holds no domain; the message is one line."""


class DomainFiles:
    """All domains in files and in the `.xml` files of folders, sorted by path.

    A definition whose uuid was read before is not judged again but reported, as nobody can tell
    which of the two counts.
    """

    def __init__(self, paths: Iterable[str], surroundings: Surroundings) -> None:
        self._paths = tuple(paths)
        self._reader = FileReader(surroundings)

    def machines(self) -> Iterator[Read]:
        """Each machine as it is read."""
        seen = Seen()
        for path in walk(self._paths):
            if isinstance(path, Unread):
                yield path
                continue
            for one in self._reader.read(path):
                if isinstance(one, Unread):
                    yield one
                else:
                    again = repeated(one, seen)
                    yield again or one


def repeated(machine: Machine, seen: Seen) -> Unread | None:
    """An Unread for a machine whose uuid was read from another place, else None."""
    identity = machine.identity
    if identity.id == identity.name or identity.id == identity.source:
        return None
    first = seen.first(identity.id, identity.source)
    if first is None:
        return None
    where = "the same file" if first == identity.source else first
    return Unread(
        identity.source, f"the same uuid as in {where}, which is judged: keep one of them"
    )


def walk(paths: Iterable[str]) -> Iterator[str | Unread]:
    """The files to read: each file given, and all `.xml` in each folder given, sorted by path.

    Links to folders are not followed, and links to files only where they lead out of the folder
    that was given, as the walk meets the others by themselves (libvirt's autostart folder).
    """
    for path in sorted(set(paths)):
        if os.path.isdir(path):
            yield from _walk_folder(path.rstrip("/") or "/", os.path.realpath(path) + os.sep)
        else:
            yield path


def _walk_folder(folder: str, root: str) -> Iterator[str | Unread]:
    try:
        names = _names(folder, root)
    except OSError as problem:
        yield Unread(shown(folder), f"the folder cannot be listed: {problem.strerror}")
        return
    prefix = folder if folder.endswith("/") else folder + "/"
    # From the end, so that each name is let go as soon as it has been read.
    names.reverse()
    while names:
        name = names.pop()
        if name.endswith("/"):
            yield from _walk_folder(prefix + name[:-1], root)
        else:
            yield prefix + name


def _names(folder: str, root: str) -> list[str]:
    """What to read in a folder, sorted; a folder ends in a slash, which is also how it sorts."""
    names = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                names.append(entry.name + "/")
            elif entry.name[-4:].lower() == ".xml" and not (
                entry.is_symlink() and _met_anyway(entry.path, root)
            ):
                names.append(entry.name)
    names.sort()
    return names


def _met_anyway(link: str, root: str) -> bool:
    target = os.path.realpath(link)
    if not target.startswith(root) or target[-4:].lower() != ".xml":
        return os.path.isdir(target)
    return os.path.exists(target)


class FileReader:
    """Reads one file after another with one parser."""

    def __init__(self, surroundings: Surroundings) -> None:
        self._domains = DomainReader(surroundings)
        self._parser = safe_parser()

    def read(self, path: str) -> list[Read]:
        """All machines in a file, or why there are none. Never raises."""
        source = shown(path)
        try:
            root = load(path, self._parser)
            if root.tag == "domain":
                return [self._domains.machine(root, source)]
            return self._inner(root, source)
        except (Refused, BadDomain) as problem:
            return [Unread(source, str(problem))]
        except (ValueError, RecursionError) as problem:
            return [Unread(source, _unforeseen(problem))]

    def _inner(self, root: etree._Element, source: str) -> list[Read]:
        if root.tag not in _WRAPPERS:
            if _is_libvirts_own(str(root.tag), source):
                return []
            raise Refused(f"the root is <{clean(str(root.tag))}>, not <domain>")
        found: list[Read] = []
        for domain in root.iterchildren("domain"):
            try:
                found.append(self._domains.machine(domain, source))
            except BadDomain as problem:
                found.append(Unread(source, f"domain {len(found) + 1}: {problem}"))
            except (ValueError, RecursionError) as problem:
                reason = f"domain {len(found) + 1}: {_unforeseen(problem)}"
                found.append(Unread(source, reason))
        if not found:
            raise Refused(f"there is no <domain> in its <{root.tag}>")
        return found


def _unforeseen(problem: Exception) -> str:
    return f"it cannot be judged: {clean(str(problem))}"


def _is_libvirts_own(tag: str, source: str) -> bool:
    return _LIBVIRTS_OWN.get(tag, "/") in source.split("/")[:-1]


def safe_parser() -> etree.XMLParser:
    """A parser that expands no entity, loads nothing and keeps libxml2's limits."""
    return etree.XMLParser(
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        dtd_validation=False,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def load(path: str, parser: etree.XMLParser) -> etree._Element:
    """The root of a file's XML. Raises Refused, and nothing else."""
    try:
        return parse(_content(path), parser)
    except (OSError, ValueError) as problem:
        if isinstance(problem, Refused):
            raise
        # ValueError is Python's for a path with a null byte in it.
        raise Refused(getattr(problem, "strerror", None) or str(problem)) from None


def _content(path: str) -> bytes:
    status = os.stat(path)
    if not stat.S_ISREG(status.st_mode):
        raise Refused(f"{_FORMS.get(stat.S_IFMT(status.st_mode), 'no file')}, not a regular file")
    if status.st_size > LARGEST:
        raise Refused(f"{status.st_size} bytes: no definition has over {LARGEST >> 20} MiB")
    # Without O_NONBLOCK a pipe that has just taken the file's place would hold us for ever.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content = os.read(descriptor, status.st_size + 1)
    finally:
        os.close(descriptor)
    if not content:
        raise Refused("the file is empty")
    return content


def parse(content: bytes, parser: etree.XMLParser) -> etree._Element:
    """The root of an XML text. Raises Refused."""
    try:
        if len(content) > _LARGE:
            _check_large(content)
        root = etree.fromstring(content, parser)
    except etree.XMLSyntaxError as problem:
        if any(word in content for word in _DOCTYPES):
            raise Refused(_NO_DOCTYPE) from None
        raise Refused(f"not well-formed XML: {clean(problem.msg or 'no element')}") from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise Refused(_NO_DOCTYPE)
    return root


def _check_large(content: bytes) -> None:
    """Refuses a large text whose tree would take 100 times its size; no domain has so many tags.

    Counting is sure in UTF-8 alone, where each tag has its own `<`.
    """
    begin = content.removeprefix(b"\xef\xbb\xbf").lstrip()[:200]
    if begin[:1] != b"<" or _ENCODED.search(begin):
        raise Refused("over 1 MiB and not UTF-8: convert it")
    if content.count(b"<") > _MOST_TAGS:
        raise Refused(f"over {_MOST_TAGS} tags: no list of domains has so many, or split it")
