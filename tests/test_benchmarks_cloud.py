"""The cloud that benchmarks/cloud.py measures is the same each time, and has what it says."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "benchmarks"))

from cloud_tables import OF_IMAGES, OF_SERVERS
from make_cloud import DEFECTS, Cloud, Server

COUNT = 1000


def made(seed: int = 1) -> Cloud:
    return Cloud(COUNT, 200, 10, seed)


def is_right(server: Server) -> bool:
    windows = server.metadata["os_distro"].startswith("win")
    agree = server.os_type == server.metadata.get("os_type")
    return agree and (server.os_type == "windows") == windows and server.vm_state != "rescued"


def test_the_same_seed_gives_the_same_cloud() -> None:
    assert list(made().servers(1, COUNT)) == list(made().servers(1, COUNT))
    assert made().images == made().images
    assert list(made().servers(1, 9)) != list(made(2).servers(1, 9))


def test_a_part_of_the_servers_is_a_part_of_all() -> None:
    cloud = made()
    assert [*cloud.servers(1, 200), *cloud.servers(201, COUNT)] == list(cloud.servers(1, COUNT))


def test_every_id_is_there_once() -> None:
    cloud = made()
    ids = [one.id for one in cloud.images] + [one.id for one in cloud.servers(1, COUNT)]
    assert len(cloud.images) >= 200
    assert len(set(ids)) == len(ids) == len(cloud.images) + COUNT


def test_one_server_in_fifty_has_a_defect() -> None:
    wrong = [one.number for one in made().servers(1, COUNT) if not is_right(one)]
    assert wrong == list(range(50, COUNT + 1, 50))
    kinds = Counter(DEFECTS[number // 50 % len(DEFECTS)] for number in wrong)
    assert kinds == dict.fromkeys(DEFECTS, 2)


def test_every_row_has_a_value_for_each_column() -> None:
    cloud = made()
    for server in cloud.servers(1, 200):
        for table in OF_SERVERS:
            for row in table.rows(server):
                assert len(row) == len(table.columns)
                assert not any("\t" in str(value) or "\n" in str(value) for value in row)
    for image in cloud.images:
        for table in OF_IMAGES:
            assert all(len(row) == len(table.columns) for row in table.rows(image))
