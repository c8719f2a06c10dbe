"""SyncReports as Dagster metadata: what the UI shows beside a raw asset's partition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gtm_pipelines.ingest import SyncReport

CHANGED = "changed"
LOADED_AT = "loaded_at"

_COUNTS = ("created", "updated", "deleted", "unchanged", "rejected", "pages", "requests", "bytes")


def entity_metadata(reports: Sequence[SyncReport], entity: str, table_names: Sequence[str]) -> Mapping[str, Any]:
    """Return the metadata of one entity of one tenant, over all of the tenant's connections that read it."""
    read = [(report, report.entities[entity]) for report in reports if entity in report.entities]
    totals = {name: sum(getattr(part, name) for _, part in read) for name in _COUNTS}
    finished = max(report.finished_at or report.started_at for report, _ in read)
    return {
        **{name: dg.MetadataValue.int(total) for name, total in totals.items()},
        CHANGED: dg.MetadataValue.int(totals["created"] + totals["updated"] + totals["deleted"]),
        LOADED_AT: dg.MetadataValue.timestamp(finished),
        "mode": dg.MetadataValue.text(", ".join(sorted({str(part.mode) for _, part in read}))),
        "seconds": dg.MetadataValue.float(round(sum(part.seconds for _, part in read), 3)),
        "connections": dg.MetadataValue.json(
            {report.connection: part.model_dump(mode="json", exclude_defaults=True) for report, part in read}
        ),
        "dagster/table_name": dg.MetadataValue.text(", ".join(table_names)),
    }


def summary(report: SyncReport) -> str:
    """Say in one line what a sync did, for the run's log."""
    parts = report.entities.values()
    counts = ", ".join(f"{sum(getattr(part, name) for part in parts)} {name}" for name in _COUNTS[:5])
    return f"{report.tenant}/{report.connection}: {report.status}, {counts}"


def faults_of(report: SyncReport) -> list[str]:
    """Return what went wrong in a sync, one sentence per kind of fault; codes and messages are free of secrets."""
    said: dict[str, tuple[str, list[str]]] = {}
    for fault in report.errors:
        said.setdefault(fault.code, (fault.message, []))
    for name, part in report.entities.items():
        for fault in part.errors:
            said.setdefault(fault.code, (fault.message, []))[1].append(name)
    return [
        f"{report.connection}: {code}: {message}" + (f" [{', '.join(names)}]" if names else "")
        for code, (message, names) in said.items()
    ]
