"""Sealing every credential under the present key: online, one short transaction per credential, resumable at any row.

The two steps around it belong to the operator: load the new key beside the old one everywhere, then put it first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from gtm_pipelines.control_plane.schema import credential
from gtm_pipelines.control_plane.scope import Every
from gtm_pipelines.control_plane.vault import registry
from gtm_pipelines.control_plane.vault.envelope import Place
from gtm_pipelines.control_plane.vault.store import rewrap_field
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane.database import Database
    from gtm_pipelines.control_plane.vault.keys import RingSource


@dataclass(frozen=True, slots=True)
class Rewrap:
    """What a rewrap did: sealed anew under ``kid``, and found done already (by an earlier run or another process)."""

    kid: str
    rewrapped: int
    unchanged: int


def rewrap(database: Database, ring: RingSource, on_progress: Callable[[int, int], None] | None = None) -> Rewrap:
    """Seal every credential that is under another key anew; killed halfway, the next call does the rest.

    A credential that does not open stops it with the vault's error: what was done stays done, nothing is dropped.
    """
    keys = ring()
    with database.read(Every.VAULT) as connection:
        registry.prove(connection, keys)
        todo = connection.execute(
            select(credential.c.tenant_id, credential.c.connection, credential.c.field)
            .where(credential.c.kid != keys.primary.kid)
            .order_by(credential.c.tenant_id, credential.c.connection, credential.c.field)
        ).all()
    rewrapped = 0
    for done, row in enumerate(todo, 1):
        with database.mutate(TenantId(row.tenant_id)) as work:
            rewrapped += rewrap_field(work, keys, Place(row.tenant_id, row.connection, row.field, 0))
        if on_progress is not None:
            on_progress(done, len(todo))
    return Rewrap(keys.primary.kid, rewrapped, len(todo) - rewrapped)
