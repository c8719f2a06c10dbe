"""What a database's refusal means, by its own codes: SQLSTATE of Postgres, numbers of MySQL, names of SQLite."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import psycopg2
import pymysql

from connectors.errors import ConnectorError, Reauthorise, Retry, Stop

if TYPE_CHECKING:
    from sqlalchemy.exc import DBAPIError

_REFUSED = ("unauthorised", "the database refuses the credential: connect it again")
_DENIED = (
    "permission_denied",
    "the database user may not read this: grant SELECT, or leave_out the columns that it may not see",
)
_GONE = ("stream_gone", "the database has no such table or column, or no such database")
_DOWN = ("connection_failed", "the database does not answer")
_BUSY = ("vendor_unavailable", "the database is busy or ended the query: it is tried again")
_BROKEN = ("malformed_page", "what the database holds cannot be read")
_STATES = {"28": _REFUSED, "42501": _DENIED, "42P01": _GONE, "42703": _GONE, "3D000": _GONE, "3F000": _GONE}
_PASSING_STATES = ("08", "40", "53", "55", "57", "58")
_NUMBERS = {
    **dict.fromkeys((1044, 1045, 1698, 3118), _REFUSED),
    **dict.fromkeys((1142, 1143, 1227, 1370), _DENIED),
    **dict.fromkeys((1049, 1054, 1146), _GONE),
    **dict.fromkeys((2002, 2003, 2005, 2006, 2013, 2055), _DOWN),
    **dict.fromkeys((1040, 1053, 1158, 1159, 1160, 1161, 1203, 1205, 1213, 1226, 1317, 3024), _BUSY),
}
_SQLITE = {"SQLITE_BUSY": _BUSY, "SQLITE_LOCKED": _BUSY, "SQLITE_CANTOPEN": _GONE, "SQLITE_PERM": _DENIED}
# a connection that Postgres refuses has no SQLSTATE in libpq: its words are all there is
_REFUSING_WORDS = (
    "authentication failed",
    "no password supplied",
    "pg_hba.conf",
    "role ",
    "is not permitted to log in",
)


def typed_error(error: DBAPIError | Exception, where: str) -> ConnectorError:
    """Return the typed error for a driver's error; it holds no statement, no value and nothing of the DSN."""
    original = getattr(error, "orig", None) or error
    found = _meaning(original)
    if found is None:
        said = (
            getattr(original, "pgcode", None) or getattr(original, "sqlite_errorname", None) or type(original).__name__
        )
        return Stop("query_failed", f"the database refuses to read {where} ({said})")
    code, message = found
    kind = {_REFUSED: Reauthorise, _DOWN: Retry, _BUSY: Retry}.get(found, Stop)
    return kind(code, f"{message} ({where})")


def _meaning(original: object) -> tuple[str, str] | None:
    if isinstance(original, pymysql.Error):
        number = original.args[0] if original.args else None
        return _NUMBERS.get(number) if isinstance(number, int) else None
    if isinstance(original, sqlite3.Error):
        if "no such" in str(original):  # SQLite calls a missing table and a wrong word alike
            return _GONE
        return _SQLITE.get(getattr(original, "sqlite_errorname", ""), _BROKEN)
    if isinstance(original, psycopg2.Error):
        return _of_postgres(original)
    return _DOWN if isinstance(original, OSError) else None


def _of_postgres(original: psycopg2.Error) -> tuple[str, str] | None:
    state = original.pgcode or ""
    if not state:
        is_refusal = any(word in str(original) for word in _REFUSING_WORDS)
        return _REFUSED if is_refusal else _DOWN
    known = _STATES.get(state) or _STATES.get(state[:2])
    return known or (_BUSY if state[:2] in _PASSING_STATES else None)
