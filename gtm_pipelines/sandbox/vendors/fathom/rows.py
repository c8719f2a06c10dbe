"""Rows of the world as plain values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant


def rows_of(tenant: Tenant, statement: str, values: list[Any]) -> list[dict[str, Any]]:
    """Run one statement and return its rows by column name."""
    with tenant.world.cursor() as cursor:
        reader = cursor.execute(statement, values)
        names = [each[0] for each in reader.description or ()]
        return [dict(zip(names, row, strict=True)) for row in reader.fetchall()]
