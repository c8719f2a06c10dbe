"""What dlt is told, once per process and in memory: the environment and dlt's files are neither read nor written.

dlt asks every source of settings for every field of every step, by all the sections it could stand in; that was half
the CPU of a small load, and a stray file of another project must not change ours.
"""

from __future__ import annotations

import threading
from typing import Any

from dlt.common.configuration.container import Container
from dlt.common.configuration.providers import ConfigProvider
from dlt.common.configuration.specs.pluggable_run_context import PluggableRunContext
from dlt.common.runtime.telemetry import stop_telemetry

_SETTINGS: dict[str, Any] = {
    "dlthub_telemetry": False,
    "log_level": "CRITICAL",  # its tracebacks may quote a record, and we report what goes wrong ourselves
    "disable_compression": True,
    "compression": "none",  # of Parquet: the file is read once, at once
    "buffer_max_items": 1,  # write each batch as it comes: 5,000 long records would be gigabytes
    "add_dlt_load_id": True,
    "truncate_staging_dataset": True,  # or each merge leaves a copy of its rows in the file and what we publish
    "workers": 1,  # one file at a time keeps the load within the memory limit
}
_once = threading.Lock()
_configured = False


class _Told(ConfigProvider):
    """The settings above, whatever section they are asked for in; each name means one thing in all that we use."""

    supports_secrets = False
    supports_sections = False
    name = "gtm-pipelines"

    def get_value(self, key: str, hint: type[Any], pipeline_name: str | None, *sections: str) -> tuple[Any, str]:
        del hint, pipeline_name, sections
        return _SETTINGS.get(key), key


def configure() -> None:
    """Have dlt go by these settings and no others; the first call of a process does it."""
    global _configured  # noqa: PLW0603  dlt keeps one configuration per process, so we keep one flag
    with _once:
        if _configured:
            return
        Container()[PluggableRunContext].providers.providers[:] = [_Told()]
        stop_telemetry()  # dlt began it, and its log, when it was first asked for its configuration
        Container()[PluggableRunContext].initialize_runtime()
        _configured = True
