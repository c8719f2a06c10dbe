"""The spreadsheets: a folder of CSV files as people send them, for the file connector.

The rows are the world's ``file`` views. This module adds what spreadsheets add: a byte order mark here, a row with a
comma too many there. Files are replaced whole, never rewritten in place.
"""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import remote, store
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import duckdb

_BATCH = 10_000
_RAGGED_EVERY = 400
_WHEN = "strftime(updated_at, '%Y-%m-%d %H:%M:%S')"
_COLUMNS = {
    "people": f"id, email, first_name, last_name, title, phone, company, account_id, {_WHEN}",
    "accounts": f"id, name, website, industry, employees, revenue::BIGINT, {_WHEN}",
    "activities": "id, type, channel, strftime(occurred_at, '%Y-%m-%dT%H:%M:%SZ'), person_id, account_id, subject",
}
_HEADERS = {
    "people": "id,email,first_name,last_name,title,phone,company,account_id,updated_at",
    "accounts": "id,name,website,industry,employees,revenue,updated_at",
    "activities": "id,type,channel,occurred_at,person_id,account_id,subject",
}


def files(directory: Path, tenant: str) -> Path:
    """Write the tenant's exports as they are now and return their folder.

    ``people.csv`` has a byte order mark and a ragged row in 400; ``advance`` writes the files again once they exist.
    """
    home = store.home(directory, TenantId(tenant))
    try:
        with store.opened(store.current(home)) as world:
            write(world, home / "files")
    except store.WorldBusyError:
        remote.post(directory, f"{tenant}/_files")
    return home / "files"


def write(world: duckdb.DuckDBPyConnection, folder: Path) -> None:
    """Write the three files into ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in _COLUMNS:
        text = "".join(_lines(world, name))
        store.replace(folder / f"{name}.csv", text.encode("utf-8-sig" if name == "people" else "utf-8"))


def _lines(world: duckdb.DuckDBPyConnection, name: str) -> Iterator[str]:
    yield _HEADERS[name] + "\r\n"
    reader = world.execute(f"SELECT {_COLUMNS[name]} FROM file.{name} ORDER BY id")
    while rows := reader.fetchmany(_BATCH):
        yield _written(rows, is_ragged=name == "people")


def _written(rows: list[tuple[Any, ...]], *, is_ragged: bool) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    for row in rows:
        spoiled = is_ragged and int(row[0]) % _RAGGED_EVERY == _RAGGED_EVERY - 1
        writer.writerow([*row, "see notes", ""] if spoiled else row)
    return buffer.getvalue()
