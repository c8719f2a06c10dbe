"""Which keys this control plane has sealed with, each with a canary that proves a key before anything relies on it.

A wrong key is told apart from a damaged record here, before any record is touched: nothing is ever "reset".
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from sqlalchemy import func, insert, select, update

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import audit
from gtm_pipelines.control_plane.errors import (
    ControlPlaneError,
    KeyExhaustedError,
    NotFoundError,
    TamperedError,
    WrongKeyError,
)
from gtm_pipelines.control_plane.records import KeyUse
from gtm_pipelines.control_plane.schema import credential, vault_key
from gtm_pipelines.control_plane.scope import Every, widened
from gtm_pipelines.control_plane.vault.envelope import CanaryPlace, seal, unseal

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from gtm_pipelines.control_plane.database import Transaction
    from gtm_pipelines.control_plane.vault.keys import KeyRing

ALARM_AT = 2**31
REFUSE_AT = 2**32  # NIST SP 800-38D: beyond it a random 96-bit nonce may repeat

_CANARY = "gtm-pipelines"
_log = logging.getLogger(__name__)


def prove(connection: Connection, ring: KeyRing) -> bool:
    """Prove the ring against the stored canaries; return whether its primary key is registered. Changes nothing.

    Raises WrongKeyError when no loaded key is one this control plane has used.
    """
    known = {row.kid: row.canary for row in connection.execute(select(vault_key.c.kid, vault_key.c.canary))}
    loaded = [kid for kid in ring.kids() if kid in known]
    for kid in loaded:
        if unseal(known[kid], CanaryPlace(), ring) != Secret(_CANARY):
            raise TamperedError("the vault's canary holds another text: the control plane was altered")
    if loaded:
        return ring.primary.kid in known
    if known:
        raise WrongKeyError(
            f"CONNECTOR_ENCRYPTION_KEY is not the key this control plane was set up with (it knows {', '.join(known)}, "
            f"loaded is {ring.primary.kid}): set the former key; nothing was changed"
        )
    with widened(connection, Every.VAULT):  # credentials of any tenant: one key seals those of all
        is_used = connection.scalar(select(func.count()).select_from(credential))
    if is_used:
        raise TamperedError("credentials are stored but the vault's canary is gone: the control plane was altered")
    return False


def count_sealing(work: Transaction, ring: KeyRing, records: int) -> None:
    """Before sealing: prove the ring, register its primary key at first use, and count towards the nonce limit."""
    if not prove(work.connection, ring):
        _register(work, ring)
    row = work.connection.execute(
        update(vault_key)
        .where(vault_key.c.kid == ring.primary.kid)
        .values(encryptions=vault_key.c.encryptions + records)
        .returning(vault_key.c.encryptions, vault_key.c.retired_at)
    ).one()
    if row.retired_at is not None:
        raise WrongKeyError(f"key {ring.primary.kid} was retired: load the present key first, this one after it")
    if row.encryptions > REFUSE_AT:
        raise KeyExhaustedError(
            f"key {ring.primary.kid} has sealed 2^32 records, as many as a key may: `gtm keys new` makes another, and "
            "docs/security.md says how to rotate to it"
        )
    if row.encryptions > ALARM_AT:
        _log.warning("vault key %s has sealed more than 2^31 records: rotate it soon", ring.primary.kid)


def retire(work: Transaction, ring: KeyRing, kid: str) -> None:
    """Mark a key as no longer needed; refused while a credential is sealed under it or it is the sealing key."""
    row = work.connection.execute(select(vault_key).where(vault_key.c.kid == kid)).one_or_none()
    if row is None:
        raise NotFoundError(f"this control plane has never used a key {kid}; `gtm keys list` shows those it has")
    prove(work.connection, ring)
    if kid == ring.primary.kid:
        raise ControlPlaneError(f"key {kid} cannot be retired: it is the sealing key; load its successor first")
    left = work.connection.scalar(select(func.count()).select_from(credential).where(credential.c.kid == kid))
    if left:
        raise ControlPlaneError(
            f"key {kid} cannot be retired: {left} credentials are still sealed under it; run `gtm keys rotate` first"
        )
    if row.retired_at is None:
        work.connection.execute(update(vault_key).where(vault_key.c.kid == kid).values(retired_at=work.clock()))
        audit.append(work, "vault.key_retired", f"key:{kid}")


def uses(connection: Connection, primary: str | None) -> list[KeyUse]:
    """List the keys ever used, oldest first, with the number of credentials that still need each."""
    needed = select(func.count()).select_from(credential).where(credential.c.kid == vault_key.c.kid).scalar_subquery()
    rows = connection.execute(select(vault_key, needed.label("needed")).order_by(vault_key.c.created_at))
    return [
        KeyUse(row.kid, row.kid == primary, row.created_at, row.retired_at, row.encryptions, row.needed) for row in rows
    ]


def _register(work: Transaction, ring: KeyRing) -> None:
    kid = ring.primary.kid
    canary = seal(Secret(_CANARY), CanaryPlace(), ring.primary)
    work.connection.execute(
        insert(vault_key).values(kid=kid, canary=canary, encryptions=1, created_at=work.clock(), retired_at=None)
    )
    audit.append(work, "vault.key_added", f"key:{kid}")
