"""Image to server to snapshot to server: what goes down a lineage, and how it is shown."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from guestclock.evidence import Observed, Unknown
from guestclock.findings.finding import Finding, Severity
from guestclock.platforms.openstack.lineage import Lineages, family_tree
from guestclock.platforms.openstack.records import Cloud, Image, Server

ROOT = "root"


def image(identity: str, os_type: str | None = None, **properties: str) -> Image:
    given = properties if os_type is None else {**properties, "os_type": os_type}
    return Image(identity, identity, given)


def snapshot(identity: str, of: str, os_type: str | None = None, base: str = ROOT) -> Image:
    return image(identity, os_type, image_type="snapshot", instance_uuid=of, base_image_ref=base)


def server(identity: str, made_of: str, os_type: str | None = None) -> Server:
    column = Observed(os_type, "instances.os_type")
    return Server(identity, identity, image=made_of, column=column)


def cloud(*images: Image) -> Cloud:
    return Cloud("test", images={one.id: one for one in images}, images_read=True)


def findings(known: Cloud, *servers: Server) -> dict[str, Finding]:
    """What is found at each image, by the image itself or by its lineage: one at most."""
    lineages = Lineages(known)
    for each in servers:
        lineages.note(each)
    found: dict[str, Finding] = {}
    for one in known.images.values():
        at_most_one = lineages.findings(one)
        assert len(at_most_one) <= 1
        for finding in at_most_one:
            found[one.id] = finding
    return found


def rules(known: Cloud, *servers: Server) -> dict[str, str]:
    return {name: finding.rule for name, finding in findings(known, *servers).items()}


def lines(finding: Finding) -> list[str]:
    return [f"{'  ' * one.depth}{one.text}{' !' if one.wrong else ''}" for one in finding.tree]


FAMILY = cloud(
    image(ROOT, "Windows", os_distro="windows"),
    snapshot("s1", "w1", "Windows"),
    snapshot("s2", "w2", "Windows"),
    snapshot("fixed", "w1", "windows"),
)


def test_a_wrong_value_is_shown_down_to_the_last_server() -> None:
    found = findings(
        FAMILY,
        server("w1", ROOT, "Windows"),
        server("w0", ROOT, "windows"),
        server("w2", "s1", "Windows"),
        server("w3", "s2", "Windows"),
    )
    assert {name: one.rule for name, one in found.items()} == {
        ROOT: "CLK605",
        "s1": "CLK602",
        "s2": "CLK602",
    }
    root = found[ROOT]
    assert root.severity is Severity.WARNING
    assert "2 snapshots and 3 servers are wrong by it" in root.observed
    assert lines(root) == [
        "image root: os_type=Windows !",
        "  server w1: os_type=Windows !",
        "    snapshot s1: os_type=Windows !",
        "      server w2: os_type=Windows !",
        "        snapshot s2: os_type=Windows !",
        "          server w3: os_type=Windows !",
        "    snapshot fixed: os_type=windows",
        "  server w0: os_type=windows",
    ]


def test_the_order_in_which_servers_pass_does_not_matter() -> None:
    servers = [server("w3", "s2", "Windows"), server("w2", "s1", "Windows")]
    servers.append(server("w1", ROOT, "Windows"))
    one, other = findings(FAMILY, *servers)[ROOT], findings(FAMILY, *servers[::-1])[ROOT]
    assert one == other


def test_servers_that_are_gone_leave_their_snapshots_under_the_image() -> None:
    assert lines(findings(FAMILY)[ROOT]) == [
        "image root: os_type=Windows !",
        "  snapshot s1: os_type=Windows !",
        "  snapshot fixed: os_type=windows",
        "  snapshot s2: os_type=Windows !",
    ]


def test_a_wrong_image_without_wrong_snapshots_is_no_lineage() -> None:
    wrong = image(ROOT, os_distro="windows")
    assert rules(cloud(wrong)) == {ROOT: "CLK601"}
    assert rules(cloud(wrong, snapshot("s1", "w1", "windows"))) == {ROOT: "CLK601"}


def test_the_family_says_what_an_image_does_not() -> None:
    nameless = cloud(image(ROOT), image("s1", base_image_ref=ROOT, os_distro="windows"))
    found = findings(nameless)
    assert {name: one.rule for name, one in found.items()} == {ROOT: "CLK605", "s1": "CLK601"}
    assert "image s1 of its lineage" in str(found[ROOT].evidence)
    # Its snapshot is right, so that it hands nothing on.
    assert rules(cloud(image(ROOT), snapshot("s1", "w1", "windows"))) == {ROOT: "CLK601"}


def test_a_family_that_does_not_agree_says_nothing() -> None:
    mixed = cloud(
        image(ROOT), snapshot("s1", "w1", "windows"), image("s2", "linux", base_image_ref=ROOT)
    )
    assert rules(mixed) == {}


def test_os_type_windows_on_a_linux_goes_down_as_well() -> None:
    known = cloud(image(ROOT, "windows", os_distro="debian"), snapshot("s1", "w1", "windows"))
    assert rules(known)[ROOT] == "CLK605"


def test_a_snapshot_of_a_windows_server_lost_its_os_type() -> None:
    lost = cloud(snapshot("s1", "w1", base="gone"))
    [(name, finding)] = findings(lost, server("w1", "gone", "windows")).items()
    assert (name, finding.rule) == ("s1", "CLK613")
    assert "server w1 has windows" in finding.observed
    assert rules(lost, server("w1", "gone", None)) == {}
    assert rules(lost) == {}
    nameless = cloud(image(ROOT, "windows"), snapshot("s1", "w1"))
    assert rules(nameless) == {"s1": "CLK613"}


def test_servers_are_counted_and_a_few_are_named() -> None:
    servers = [server(f"w{number}", ROOT, "Windows") for number in range(1000)]
    text = lines(findings(FAMILY, *servers)[ROOT])
    assert "1000 servers are wrong" in findings(FAMILY, *servers)[ROOT].observed
    assert len(text) < 20
    assert any("more servers; 1000 of 1000 are wrong" in line for line in text)


def test_a_large_family_is_cut() -> None:
    known = cloud(
        image(ROOT, "Windows"), *(snapshot(f"s{n}", f"w{n}", "Windows") for n in range(500))
    )
    tree = findings(known)[ROOT].tree
    assert len(tree) == 41
    assert tree[-1].text == "and more: 461 snapshots and their servers"


def test_a_deep_family_is_walked() -> None:
    known = cloud(
        image(ROOT, "Windows"), *(snapshot(f"s{n}", f"w{n}", "Windows") for n in range(2000))
    )
    servers = [server(f"w{n}", f"s{n - 1}" if n else ROOT, "Windows") for n in range(2000)]
    assert findings(known, *servers)[ROOT].tree[-2].depth > 20


def test_snapshots_that_name_each_other_are_not_lost() -> None:
    known = cloud(
        image(ROOT, "Windows"), snapshot("s1", "w1", "Windows"), snapshot("s2", "w2", "Windows")
    )
    servers = [server("w1", "s2", "Windows"), server("w2", "s1", "Windows")]
    text = "\n".join(lines(findings(known, *servers)[ROOT]))
    assert text.count("snapshot s1") == text.count("snapshot s2") == 1


def test_images_that_are_each_others_base_end() -> None:
    one = image("a", "Windows", base_image_ref="b")
    other = image("b", "Windows", base_image_ref="a")
    assert set(rules(cloud(one, other)).values()) == {"CLK602"}
    itself = image("a", "Windows", base_image_ref="a", instance_uuid="a")
    assert rules(cloud(itself), server("a", "a", "Windows")) == {"a": "CLK602"}


def test_a_server_whose_os_type_is_unknown_is_not_wrong() -> None:
    unknown = Server("w1", "w1", image=ROOT, column=Unknown("not read"))
    finding = findings(FAMILY, unknown)[ROOT]
    assert "0 servers are wrong" in finding.observed
    assert "  server w1: os_type unknown" in lines(finding)


def test_the_tree_of_one_server() -> None:
    tree = family_tree(server("w2", "s1", "Windows"), FAMILY)
    assert [(one.depth, one.text, one.wrong) for one in tree] == [
        (0, "image root: os_type=Windows", True),
        (1, "snapshot s1: os_type=Windows", True),
        (2, "server w2: os_type=Windows", True),
        (3, "snapshot s2: os_type=Windows", True),
    ]
    assert family_tree(server("w9", ROOT, "Windows"), FAMILY) == ()
    assert family_tree(server("w9", "gone", "Windows"), FAMILY) == ()
    gone = family_tree(server("w1", "gone", "Windows"), FAMILY)
    assert [one.text.split(":")[0] for one in gone] == [
        "server w1",
        "snapshot s1",
        "snapshot fixed",
    ]


def test_hostile_names_stay_in_their_line() -> None:
    hostile = "\x1b[2J<script>\n" + "x" * 255
    root = Image(ROOT, hostile, {"os_type": "Windows"})
    child = Image("s1", hostile, {"os_type": "WINDOWS", "base_image_ref": ROOT})
    finding = findings(cloud(root, child), Server("w1", hostile, image=ROOT))[ROOT]
    assert all(one.text.isprintable() and len(one.text) < 250 for one in finding.tree)


NAMES = st.sampled_from(["a", "b", "c", "d", "gone"])
TYPES = st.sampled_from([None, "windows", "Windows", "linux"])
IMAGES = st.dictionaries(
    NAMES,
    st.tuples(TYPES, NAMES, NAMES, st.sampled_from([None, "windows", "debian"])),
    max_size=4,
)


@given(IMAGES, st.lists(st.tuples(NAMES, NAMES, TYPES), max_size=6))
def test_any_images_and_servers_give_one_finding_each_and_end(
    given_images: dict[str, tuple[str | None, str, str, str | None]],
    given_servers: list[tuple[str, str, str | None]],
) -> None:
    def one(name: str) -> Image:
        os_type, base, origin, distro = given_images[name]
        more: dict[str, Any] = {} if distro is None else {"os_distro": distro}
        return image(name, os_type, base_image_ref=base, instance_uuid=origin, **more)

    known = cloud(*(one(name) for name in given_images))
    servers = [server(f"{name}{n}", of, kind) for n, (name, of, kind) in enumerate(given_servers)]
    for finding in findings(known, *servers).values():
        assert finding.severity is Severity.WARNING
        assert bool(finding.tree) == (finding.rule == "CLK605")
        depths = [branch.depth for branch in finding.tree]
        assert all(b <= a + 1 for a, b in pairwise(depths))
    for each in servers:
        family_tree(each, known)
