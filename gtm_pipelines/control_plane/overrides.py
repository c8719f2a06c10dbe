"""A tenant's own field mappings, stored and handed out as data: what a spec means is decided in quality.mapping."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, insert, select, update

from gtm_pipelines.control_plane import audit
from gtm_pipelines.control_plane.errors import InvalidInputError, NotFoundError
from gtm_pipelines.control_plane.records import Override
from gtm_pipelines.control_plane.schema import mapping_override
from gtm_pipelines.control_plane.vault.store import require_connection

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement
    from sqlalchemy import Connection as Session

    from gtm_pipelines.control_plane.database import Transaction
    from gtm_pipelines.tenancy import ConnectionName, TenantId

_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_.]{0,119}")
_LONGEST_SPEC = 8_192


def of_connection(session: Session, tenant: TenantId, name: ConnectionName) -> list[Override]:
    """List the overrides of one connection, by entity, target and field."""
    require_connection(session, tenant, name)
    table = mapping_override.c
    rows = session.execute(
        select(mapping_override)
        .where(table.tenant_id == tenant, table.connection == name)
        .order_by(table.entity, table.target, table.field)
    )
    return [Override(row.entity, row.target, row.field, json.loads(row.spec)) for row in rows]


def put(work: Transaction, tenant: TenantId, name: ConnectionName, override: Override) -> None:
    """Set one field's override, replacing the one there is."""
    require_connection(work.connection, tenant, name)
    if not all(_WORD.fullmatch(word) for word in (override.entity, override.target, override.field)):
        raise InvalidInputError("an override names an entity, a target and a field by letters, digits, '_' and '.'")
    spec = _spec_text(override.spec)
    where = _is(tenant, name, override)
    stored = work.connection.scalar(select(mapping_override.c.spec).where(where))
    if stored == spec:
        return
    now = work.clock()
    if stored is None:
        work.connection.execute(
            insert(mapping_override).values(
                tenant_id=tenant,
                connection=name,
                entity=override.entity,
                target=override.target,
                field=override.field,
                spec=spec,
                updated_at=now,
            )
        )
    else:
        work.connection.execute(update(mapping_override).where(where).values(spec=spec, updated_at=now))
    before = None if stored is None else {"spec": json.loads(stored)}
    audit.append(
        work, "mapping.set", _subject(name, override), tenant=tenant, before=before, after={"spec": override.spec}
    )


def drop(work: Transaction, tenant: TenantId, name: ConnectionName, override: Override) -> None:
    """Remove one field's override, so that the connector's own mapping holds again."""
    where = _is(tenant, name, override)
    stored = work.connection.scalar(select(mapping_override.c.spec).where(where))
    if stored is None:
        raise NotFoundError(
            f"{tenant}/{name} has no override for {override.entity}.{override.target}.{override.field}; "
            f"`gtm mappings show {tenant} {name}` lists what it has"
        )
    work.connection.execute(delete(mapping_override).where(where))
    audit.append(work, "mapping.unset", _subject(name, override), tenant=tenant, before={"spec": json.loads(stored)})


def _is(tenant: TenantId, name: ConnectionName, override: Override) -> ColumnElement[bool]:
    table = mapping_override.c
    return and_(
        table.tenant_id == tenant,
        table.connection == name,
        table.entity == override.entity,
        table.target == override.target,
        table.field == override.field,
    )


def _subject(name: str, override: Override) -> str:
    return f"mapping:{name}/{override.entity}.{override.target}.{override.field}"[:200]


def _spec_text(spec: Any) -> str:
    try:
        text = json.dumps(spec, sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise InvalidInputError(f"a mapping override must be JSON: {error}") from None
    if len(text) > _LONGEST_SPEC:
        raise InvalidInputError("a mapping override is longer than 8 KiB")
    return text
