"""The rules of OpenStack, in the order of their ids; each docs/rules/ID.md has its sources."""

from __future__ import annotations

from guestclock.findings.finding import Rule

RULES: tuple[Rule, ...] = (
    Rule(
        "CLK601",
        "os-type-missing",
        "An image of Windows, or a server made of one, has no os_type that says so.",
    ),
    Rule(
        "CLK602",
        "os-type-case",
        "os_type is not written in lower case: Nova accepts it, and writes utc all the same.",
    ),
    Rule(
        "CLK603",
        "corrected-too-late",
        "The image was corrected after the server was made, and the server was not.",
    ),
    Rule(
        "CLK604",
        "column-differs",
        "The server's metadata and its own os_type disagree: the clock follows the latter.",
    ),
    Rule(
        "CLK605",
        "lineage-spreads",
        "A wrong os_type was handed on by snapshots to images and servers made of them.",
    ),
    Rule(
        "CLK606",
        "volume-hides-os-type",
        "A volume of Windows, or a server booted from one, has no os_type that says so.",
    ),
    Rule(
        "CLK607",
        "definition-differs",
        "The definition on the host is not what Nova will write at the next hard reboot.",
    ),
    Rule(
        "CLK608",
        "host-zones-differ",
        "Hosts between which servers move are in different zones.",
    ),
    Rule(
        "CLK609",
        "rescue-mismatch",
        "A server is rescued with an image of another system, on its own os_type's clock.",
    ),
    Rule(
        "CLK610",
        "windows-on-utc-guest",
        "os_type=windows is given to a guest that takes its RTC for UTC.",
    ),
    Rule(
        "CLK611",
        "volume-differs",
        "A volume's metadata and its image disagree about os_type.",
    ),
    Rule(
        "CLK612",
        "snapshot-would-differ",
        "A snapshot of the server would carry a wrong os_type, though the server is right.",
    ),
    Rule(
        "CLK613",
        "not-inherited",
        "A snapshot lost the os_type of the server it was made of.",
    ),
    Rule(
        "CLK614",
        "host-in-utc",
        "Windows servers are given local time on a host in UTC, where it changes nothing.",
    ),
)
