"""Names of keys and values: how they are stored, and when two are the same to Windows."""

from __future__ import annotations

from guestclock.disks.problem import Damaged


def stored_name(data: bytes, narrow: bool) -> str:
    """A name as it is stored: a byte a character where that suffices, else UTF-16.

    Half surrogates stay what they are, so that a name is the same only if its bytes are. Raises
    Damaged for an odd length.
    """
    if narrow:
        return data.decode("latin-1")
    if len(data) % 2:
        raise Damaged(f"a name in UTF-16 cannot have {len(data)} bytes")
    return data.decode("utf-16-le", "surrogatepass")


def folded(name: str) -> str:
    """A name in upper case, as Windows compares it: character by character, within 16 bits.

    No other letter becomes an ASCII one (the long s, the dotless i), which Python would allow.
    """
    if name.isascii():
        return name.upper()
    return "".join(_upper(one) for one in name)


def _upper(one: str) -> str:
    upper = one.upper()
    if one.isascii() or (len(upper) == 1 and one <= "\uffff" and not upper.isascii()):
        return upper
    return one


def name_hash(name: str) -> int:
    """The hash by which lists of kind lh are searched, of a folded name's UTF-16 units."""
    number = 0
    data = name.encode("utf-16-le", "surrogatepass")
    for at in range(0, len(data), 2):
        number = (37 * number + data[at] + 256 * data[at + 1]) & 0xFFFFFFFF
    return number


def may_be(hint: bytes, name: str) -> bool:
    """Whether a list's hint, the first four characters of a name, allows a folded name.

    A hint says nothing of a name that is not ASCII, nor does an empty one.
    """
    start = hint.rstrip(b"\0")
    if not start or not start.isascii() or not name[:4].isascii():
        return True
    return start.decode("ascii").upper() == name[:4]
