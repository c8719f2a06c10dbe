"""The same read written the plain way: dlt's rest_api source over the same endpoint into the same kind of DuckDB file.

This is what a competent engineer writes in twenty lines, and so the yardstick: nested fields off, page size at the
vendor's maximum. ``file_format`` is dlt's own default (``insert_values``) or ``parquet``, its fastest for DuckDB.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dlt.common.destination import TLoaderFileFormat

FIELDS = (
    "Id,AccountId,FirstName,LastName,Email,Phone,MobilePhone,Title,LeadSource,OwnerId,MasterRecordId,IsDeleted,"
    "CreatedDate,LastModifiedDate,SystemModstamp"
)


def run(*, instance_url: str, token: str, directory: str, file_format: TLoaderFileFormat) -> dict[str, Any]:
    """Read all contacts; return rows loaded and seconds spent in each of dlt's steps."""
    import os
    import time

    os.environ["RUNTIME__DLTHUB_TELEMETRY"] = "false"
    os.environ["RUNTIME__LOG_LEVEL"] = "WARNING"
    import dlt
    from dlt.sources.rest_api import rest_api_source

    source = rest_api_source(
        {
            "client": {"base_url": instance_url, "auth": {"type": "bearer", "token": token}},
            "resources": [
                {
                    "name": "contact",
                    "primary_key": "Id",
                    "write_disposition": "merge",
                    "endpoint": {
                        "path": "services/data/v64.0/queryAll",
                        "params": {"q": f"SELECT {FIELDS} FROM Contact ORDER BY SystemModstamp, Id"},
                        "data_selector": "records",
                        "paginator": {"type": "json_link", "next_url_path": "nextRecordsUrl"},
                    },
                }
            ],
        },
        max_table_nesting=0,
    )
    pipeline = dlt.pipeline(
        "plain",
        destination=dlt.destinations.duckdb(f"{directory}/plain.duckdb"),
        dataset_name="raw_plain",
        pipelines_dir=f"{directory}/pipelines",
    )
    started = time.perf_counter()
    pipeline.run(source, loader_file_format=file_format)
    seconds = time.perf_counter() - started
    normalised = pipeline.last_trace and pipeline.last_trace.last_normalize_info
    if not normalised:
        raise RuntimeError("dlt kept no trace of its run")
    rows = normalised.row_counts["contact"]
    return {"rows": rows, "seconds": seconds}
