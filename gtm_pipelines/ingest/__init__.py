"""From a vendor to the raw tables: read, spool, compare, load. One function, :func:`sync_connection`, does it.

Names are imported from their modules on first use, so that importing the package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtm_pipelines.ingest.connections import open_connector
    from gtm_pipelines.ingest.limits import Limits
    from gtm_pipelines.ingest.report import EntityReport, Fault, Status, SyncReport
    from gtm_pipelines.ingest.run_directory import erase_runs
    from gtm_pipelines.ingest.session import Progress, UnknownEntityError
    from gtm_pipelines.ingest.sync import sync_connection

__all__ = [
    "EntityReport",
    "Fault",
    "Limits",
    "Progress",
    "Status",
    "SyncReport",
    "UnknownEntityError",
    "erase_runs",
    "open_connector",
    "sync_connection",
]

_HOMES = {
    "EntityReport": "report",
    "Fault": "report",
    "Limits": "limits",
    "Progress": "session",
    "Status": "report",
    "SyncReport": "report",
    "UnknownEntityError": "session",
    "erase_runs": "run_directory",
    "open_connector": "connections",
    "sync_connection": "sync",
}


def __getattr__(name: str) -> Any:
    """Import a public name from its module when it is first asked for."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
