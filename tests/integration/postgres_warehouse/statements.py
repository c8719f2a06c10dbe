"""What a server was sent, as its own log tells it, and whether a role may do it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    import psycopg2.extensions

_MARK = "@@"
SETTINGS = {"log_line_prefix": f"'{_MARK}%p{_MARK}'", "log_statement": "'all'"}
"""What the server must be told before, for its log to be read here."""

_LINE = re.compile(rf"{_MARK}(\d+){_MARK}LOG:  (?:statement|execute [^:]+): (.*)", re.DOTALL)
_PREPARED = {"select", "insert", "update", "delete", "with", "values", "merge"}


@dataclass(frozen=True)
class Sent:
    """One statement, and the session it came in."""

    pid: int
    sql: str

    def touches(self, tenant: str) -> bool:
        """Tell whether it names a schema of the tenant's; a literal has no double quotes about it."""
        return f'"{tenant}__' in self.sql or f'"_staging_{tenant}__' in self.sql


def read(log: Path) -> list[Sent]:
    """Return the statements in a log, in order."""
    entries = re.split(rf"^(?={_MARK}\d+{_MARK})", log.read_text(), flags=re.MULTILINE)
    found = [_LINE.fullmatch(entry.rstrip("\n")) for entry in entries]
    return [Sent(int(match[1]), match[2].replace("\n\t", "\n").strip()) for match in found if match]


def fate(cursor: psycopg2.extensions.cursor, role: str, sql: str) -> str | None:
    """Return the error code a statement ends with under a role; None when it has none. It is undone.

    What takes parameters is prepared, which is when names are looked up and rights to a schema are asked for.
    """
    from psycopg2 import Error

    prepared = re.sub(r"^(--[^\n]*\n|\s)+", "", sql).split(maxsplit=1)[0].lower() in _PREPARED
    cursor.execute("BEGIN")
    try:
        cursor.execute(f'SET LOCAL ROLE "{role}"')
        cursor.execute(f"PREPARE asked AS {sql}" if prepared else sql)
    except Error as error:
        return error.pgcode or "client"
    finally:
        cursor.execute("ROLLBACK")
        cursor.execute("DEALLOCATE ALL")
    return None
