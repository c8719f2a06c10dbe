"""What the sandbox must know of a vendor: how it answers, whose accounts it has, what may go wrong with it.

One vendor is one package below ``vendors``: its protocol in Python, its data in its own ``sql`` folder (docs/sandbox.md
says which files). Nothing outside such a package names a vendor.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from gtm_pipelines.sandbox.faults import Faults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call, Reply

    Answer = Callable[[Tenant, Call], Reply]

_VENDORS = Path(__file__).parent / "vendors"
_LABEL = re.compile(r"[a-z][a-z0-9_]*")


class Account(NamedTuple):
    """A connection's settings, and its credential fields in clear."""

    settings: dict[str, str]
    credentials: dict[str, str]


class VendorState:
    """What a vendor remembers of one tenant while the server runs; see :meth:`Tenant.state`."""

    def start_day(self) -> None:
        """Hear that the world's time has moved."""

    def leave(self) -> None:
        """Let go of whatever points into a world that is no longer the tenant's."""


@dataclass(frozen=True)
class Vendor:
    """One vendor of the sandbox. Only ``id`` and an empty ``sql/tables.sql`` are needed."""

    id: str
    answer: Answer | None = None  # one request below /<tenant>/<id>/; None: not read over HTTP
    account: Callable[[str, str], Account] | None = None  # (url, tenant) to what a connection is given
    faults: type[Faults] = Faults
    busy: bytes = b'{"error":"too many requests"}'  # the body of its 429
    down: bytes = b'{"error":"internal error"}'  # the body of its server errors
    login_path: str = ""  # which faults of the transport leave alone
    claims: Callable[[Sequence[str], Mapping[str, str]], str | None] | None = None
    """Path segments and headers to a tenant, for clients that know a host and no path before the vendor's own."""
    lists: tuple[str, ...] = ()  # the names under which a page holds its records
    poison: tuple[str, str, str] = ("id", "updated_at", "amount")  # a record's key, its timestamp, a number of it
    counted: Mapping[str, str] = field(default_factory=dict)  # label to table: how many newcomers a day brings
    acts: Mapping[str, Answer] = field(default_factory=dict)  # control paths of its own
    ddl: Callable[[], str] | None = None  # tables beside those of sql/tables.sql

    @cached_property
    def tables(self) -> str:
        """The statements that make its tables, its schema first."""
        made = "" if self.ddl is None else self.ddl()
        return f"CREATE SCHEMA {self.id};\n{made}\n{self.sql('tables') or ''}"

    def sql(self, name: str) -> str | None:
        """Return the text of one of its SQL files, or None where it has no such file."""
        path = _VENDORS / self.id / "sql" / f"{name}.sql"
        return path.read_text(encoding="utf-8") if path.exists() else None
