"""Erasing a tenant: everything of it everywhere, in an order that a kill at any moment leaves fit to be repeated.

Each package erases its own part; the order is decided here and nowhere else. First nobody may be at work for the
tenant, then nothing can start, then the data goes, and last the row by which the tenant is known.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.control_plane import NotFoundError
from gtm_pipelines.defs.erasing import erase_from_dagster, refuse_while_running
from gtm_pipelines.defs.instance import open_instance
from gtm_pipelines.ingest import erase_runs
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse.erasing import erase_warehouse, hold_for_erasure

if TYPE_CHECKING:
    from datetime import datetime

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.removal import Removed
    from gtm_pipelines.settings import Settings


@dataclass(frozen=True)
class Erasure:
    """What an erasure removed; nothing when the tenant had been erased before, at ``erased_at``."""

    tenant: TenantId
    removed: list[Removed]
    erased_at: datetime


def erase_tenant(settings: Settings, control: ControlPlane, tenant: str) -> Erasure:
    """Erase a tenant, removed or not; raise NotFoundError when there never was one, a busy error while it is worked on.

    Other tenants' data is not touched. The audit log stays, and gains an entry.
    """
    scope = TenantId(tenant)
    with hold_for_erasure(settings, scope), open_instance(settings) as instance:
        refuse_while_running(instance, scope)
        removed = erase_runs(settings.runs_dir, scope)
        removed += control.begin_erasure(scope)
        removed += erase_warehouse(settings, scope)
        removed += erase_from_dagster(instance, scope)
        removed += control.finish_erasure(scope, removed)
    entry = control.last_erasure(scope)
    if entry is None:
        raise NotFoundError(f"there is no tenant {scope}, and nothing of it anywhere; `gtm tenants list` shows them")
    return Erasure(scope, removed, entry.at)
