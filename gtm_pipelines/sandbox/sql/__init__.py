"""The world's SQL, one file per idea, and the running of any; a vendor's own SQL lies in its folder."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import duckdb

_FOLDER = Path(__file__).parent


@cache
def load(name: str) -> str:
    """Return the text of ``name``, a path below this folder such as ``world/people.sql``."""
    return (_FOLDER / name).read_text(encoding="utf-8")


def run(world: duckdb.DuckDBPyConnection, *names: str) -> None:
    """Run files in order; each may hold several statements."""
    for name in names:
        world.execute(load(name))


def set_variables(world: duckdb.DuckDBPyConnection, variables: Mapping[str, float | str]) -> None:
    """Set what the files read with ``getvariable``; they belong to this one connection."""
    for name, value in variables.items():
        world.execute(f"SET VARIABLE {name} = ?", [value])


def run_counted(world: duckdb.DuckDBPyConnection, text: str) -> dict[str, int]:
    """Run statement by statement; return how many rows each statement headed ``-- count: what`` touched."""
    counts: dict[str, int] = {}
    for statement in text.split(";\n"):
        lines = statement.strip().splitlines()
        if not any(line and not line.startswith("--") for line in lines):
            continue
        rows = world.execute(statement).fetchall()
        label = next((line.removeprefix("-- count: ") for line in lines if line.startswith("-- count: ")), None)
        if label is not None:
            counts[label] = int(rows[0][0]) if rows and isinstance(rows[0][0], int) else 0
    return counts
