"""Whose rows a transaction is about: one tenant's, or those of many, for one of the named purposes (:class:`Every`).

Every transaction states its scope before its first statement. Postgres enforces it row by row, for the tables' owner
too (migrations/versions/v0003_row_security.py), and refuses a transaction that states none. SQLite has no row security:
there the ``where`` of each statement is all there is, which is why both databases run the same tests.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING

from sqlalchemy import text

from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection

SETTING = "gtm.scope"
LOCK_WAIT_S = 30
"""How long a statement waits for another transaction's lock; each holds one for a few milliseconds."""
IDLE_S = 60
"""How long a transaction may be silent before the server ends it: a suspended process must not hold up the others."""


class Every(StrEnum):
    """Why a transaction looks beyond one tenant.

    Each may read the tables it needs and no other; of tenants' rows, only migrations may change any.
    """

    DIRECTORY = "directory"  # which tenants there are
    SCHEDULER = "scheduler"  # which connections are due
    VAULT = "vault"  # which key each credential needs
    AUDIT = "audit"  # whether the log and the credentials agree
    MIGRATION = "migration"


Scope = TenantId | Every


def enter(connection: Connection, scope: Scope) -> None:
    """State the scope of the open transaction, and how long it may wait and be silent; all of it ends with it."""
    if connection.dialect.name != "postgresql":
        return
    said = {"scope": _written(scope), "wait": f"{LOCK_WAIT_S}s", "idle": f"{IDLE_S}s"}
    connection.execute(
        text(
            f"select set_config('{SETTING}', :scope, true), set_config('lock_timeout', :wait, true),"
            " set_config('idle_in_transaction_session_timeout', :idle, true)"
        ),
        said,
    )


@contextmanager
def widened(connection: Connection, name: Every) -> Iterator[None]:
    """Look beyond the transaction's tenant inside the block. Not undone after an error, which ends the transaction."""
    if connection.dialect.name != "postgresql":
        yield
        return
    before = connection.scalar(text(f"select current_setting('{SETTING}')"))
    _state(connection, _written(name))
    yield
    _state(connection, before)


def _state(connection: Connection, written: str) -> None:
    connection.execute(text(f"select set_config('{SETTING}', :scope, true)"), {"scope": written})


def _written(scope: Scope) -> str:
    return f"tenant {scope}" if isinstance(scope, TenantId) else f"every {Every(scope).value}"
