"""A user of the bed's databases who may read what an audit reads, column by column."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from urllib.parse import urlsplit

from tests.real.openstack.running import Bed

LEAST = {
    "nova.instances": "id uuid os_type vm_state task_state power_state image_ref host node"
    " display_name project_id created_at updated_at launched_at deleted",
    "nova.instance_system_metadata": "instance_uuid key value deleted",
    "nova_api.request_specs": "instance_uuid spec",
    "nova_api.instance_mappings": "instance_uuid cell_id project_id queued_for_delete",
    "nova_api.cell_mappings": "id uuid name disabled",
    "glance.image_properties": "image_id name value created_at updated_at deleted",
}
"""The columns that an operator has to grant, and no others."""


@dataclass(frozen=True)
class Reader:
    """The user's name and password, and the URLs of the databases for it."""

    name: str
    password: str
    server: str

    def url(self, database: str) -> str:
        """A database's URL, with the secret in it."""
        return f"mysql+pymysql://{self.name}:{self.password}@{self.server}/{database}?charset=utf8"

    @property
    def environment(self) -> dict[str, str]:
        """The URLs as variables, so that no command has them among its arguments."""
        return {
            "SUITE_CELL_DB": self.url("nova"),
            "SUITE_API_DB": self.url("nova_api"),
            "SUITE_GLANCE_DB": self.url("glance"),
        }


OPTIONS = (
    *("--cell-db", "env:SUITE_CELL_DB"),
    *("--api-db", "env:SUITE_API_DB"),
    *("--glance-db", "env:SUITE_GLANCE_DB"),
)


@contextmanager
def reading(bed: Bed, name: str) -> Iterator[Reader]:
    """A user of that name with the least rights; it is gone afterwards."""
    where = urlsplit(bed.cell_url)
    reader = Reader(name, secrets.token_hex(16), f"{where.hostname}:{where.port}")
    account = f"'{name}'@'127.0.0.1'"
    bed.sql(f"CREATE OR REPLACE USER {account} IDENTIFIED BY '{reader.password}'")
    try:
        for table, columns in LEAST.items():
            named = ", ".join(f"`{column}`" for column in columns.split())
            bed.sql(f"GRANT SELECT ({named}) ON {table} TO {account}")
        yield reader
    finally:
        bed.sql(f"DROP USER {account}")
