"""Postgres' errors as messages that say what to do. Which error it is, is decided by its code and never by its text."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from connectors.runtime.redaction import redact
from gtm_pipelines.warehouse.protocol import WarehouseBusyError, WarehouseError, WarehouseRefusedError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html
_WAITED = {"55P03", "40P01", "40001"}  # lock not available, deadlock, serialization failure
_CROWDED = {"53300", "57P03"}  # too many connections, cannot connect now
_FULL = {"53100", "53200", "54000"}  # disk full, out of memory, a limit of the program
_LOST = ("08", "57P", "25P03")  # beginnings: connection exceptions, the server ending, a session idle for too long
_FORBIDDEN = {"42501", "25006"}  # insufficient privilege, and a write in a session that only reads
_STOOD_ON = {
    "2BP01"
}  # others depend on what we drop: never on what is ours alone, so it is something of somebody else's
_IN_THE_WAY = (
    "something that is not ours stands in the way: {said}; {left}: drop what depends on it, try again, make it anew"
)


@contextmanager
def in_words(tenant: str, is_alive: Callable[[], bool]) -> Iterator[None]:
    """Raise a WarehouseError for whatever the driver raises in the block.

    A broken connection often comes without a code; ``is_alive`` then asks it.
    """
    from adbc_driver_manager import Error

    try:
        yield
    except Error as error:
        code = str(error.sqlstate or "")
        raise _told(code or ("" if is_alive() else "08006"), _said(error, tenant)) from None


def answers(connection: Any) -> bool:
    """Tell whether a session still answers.

    It is asked twice: one that waits for a rollback says so only then, and that is an answer too. What the driver
    itself could not send in the middle of a COPY also comes without a code, and such a session goes on.
    """
    from adbc_driver_manager import AdbcStatusCode, Error

    for _ in range(2):
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT 1")
                cursor.fetchall()
        except Error as error:
            if error.status_code == AdbcStatusCode.INVALID_STATE:
                return True
        else:
            return True
    return False


def cannot_open(error: Any, tenant: str) -> WarehouseError:
    """Return the error of a session that did not begin: there is no server, or it does not let us in."""
    return WarehouseError(
        f"the warehouse cannot be opened: {_said(error, tenant)}; check GTM_WAREHOUSE_URL and the server"
    )


def told_of_load(error: BaseException, said: str) -> WarehouseError | None:
    """Return the error of a failed load where the server itself was at fault; None where the loaded data was.

    dlt loads by psycopg2, so it is a psycopg2 error.
    """
    from psycopg2 import OperationalError

    if not isinstance(error, OperationalError):
        return None
    told = _told(error.pgcode or "08006", said, "what was loaded of it is found by the next sync")
    return None if isinstance(told, WarehouseRefusedError) else told


def _told(code: str, said: str, left: str = "nothing was changed") -> WarehouseError:
    if code in _WAITED:
        return WarehouseBusyError(f"somebody holds a lock in the warehouse: {said}; {left}, try again later")
    if code in _CROWDED:
        return WarehouseBusyError(f"the warehouse takes no further session now: {said}; try again later")
    if code in _FULL:
        return WarehouseError(f"the warehouse has no room left: {said}; {left}: make room, then try again")
    if code in _FORBIDDEN:
        return WarehouseRefusedError(f"the warehouse does not allow it: {said}")
    if code.startswith(_LOST):
        return WarehouseError(
            f"the connection to the warehouse was lost: {said}; what was being written is there whole or not at all: "
            "check GTM_WAREHOUSE_URL and the server, then try again"
        )
    return WarehouseRefusedError(_IN_THE_WAY.format(said=said, left=left) if code in _STOOD_ON else said)


def _said(error: Any, tenant: str) -> str:
    """Return the server's own sentence and hint, with names as the user wrote them.

    Its hint to drop what stands in the way, whatever else goes with it, is kept from them.
    """
    details = {_text(name): _text(value) for name, value in error.details or ()}
    told = ("MESSAGE_PRIMARY", "MESSAGE_DETAIL") + (() if error.sqlstate in _STOOD_ON else ("MESSAGE_HINT",))
    parts = [details.get(f"PG_DIAG_{part}", "") for part in told]
    text = "; ".join(part.rstrip(".") for part in parts if part) or str(error)
    return " ".join(redact(text).replace(f"{tenant}__", "").split())[:500]


def _text(told: str | bytes) -> str:
    return told.decode("utf-8", "replace") if isinstance(told, bytes) else told
