"""What a database's errors mean to the caller, told by their codes; the words of a message are shown, never judged."""

from __future__ import annotations

import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sqlalchemy import exc

from connectors.runtime.redaction import redact
from gtm_pipelines.control_plane import scope
from gtm_pipelines.control_plane.errors import BusyError, ControlPlaneError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Iterator

# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_LOCK_NOT_AVAILABLE, _DEADLOCK, _SERIALIZATION = "55P03", "40P01", "40001"
_GONE = ("08", "57P", "25P03")  # connection exceptions; the server is ending, ended, or not up yet; we were silent


@contextmanager
def typed_faults() -> Iterator[None]:
    """Give faults of the database itself their type and a message that says what happened; let all others through."""
    try:
        yield
    except exc.TimeoutError:
        raise BusyError("this process has all its connections to the control plane in use; try again") from None
    except exc.DBAPIError as error:
        known = _lock_fault(error) or _connection_fault(error)
        if known is None:
            raise
        raise known from None


def said(error: exc.DBAPIError) -> str:
    """Quote the database in one line, without a secret we know."""
    return " ".join(redact(str(error.orig)).split())[:300]


def _lock_fault(error: exc.DBAPIError) -> ControlPlaneError | None:
    if getattr(error.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
        return BusyError("the control plane is locked by another process; run the command again")
    code = _code(error)
    if code == _LOCK_NOT_AVAILABLE:
        return BusyError(
            f"another process has held a lock in the control plane's database for {scope.LOCK_WAIT_S} seconds; "
            "nothing was changed, run the command again"
        )
    if code in {_DEADLOCK, _SERIALIZATION}:
        return BusyError("the control plane's database ended this in favour of another process; run the command again")
    return None


def _connection_fault(error: exc.DBAPIError) -> ControlPlaneError | None:
    code = _code(error)
    if error.connection_invalidated or code.startswith(_GONE):
        return UnreachableError(
            f"the connection to the control plane's database was lost in the middle ({said(error)}): what was being "
            "written is there whole or not at all; run the command again"
        )
    if error.statement is None and isinstance(error, exc.OperationalError):  # no statement was sent: it did not open
        return UnreachableError(f"the control plane's database cannot be opened: {said(error)}; check GTM_CONTROL_URL")
    return None


def _code(error: exc.DBAPIError) -> str:
    return str(getattr(error.orig, "pgcode", None) or "")
