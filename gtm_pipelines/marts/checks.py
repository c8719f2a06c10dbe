"""Running ``sql/checks``: each file selects the rows that should not be, named by ``key``; no row means it holds.

Keys are shown to operators and kept in run histories, so a key that could be a person's address is shown as a hash.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import BaseModel

from gtm_pipelines.marts.build import lay_raw_view
from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse

_SAMPLES = 5
_COUNTED = """
SELECT count(*), list(CASE WHEN contains(key, '@') THEN 'md5:' || left(md5(key), 12) ELSE key END ORDER BY key)[1:?]
FROM (SELECT CAST(key AS VARCHAR) AS key FROM (
CHECKED
))
"""


class CheckResult(BaseModel):
    """One check: how many rows offend it, and the keys of a few of them."""

    name: str
    description: str
    passed: bool
    offending: int
    samples: list[str]


def run_checks(warehouse: Warehouse) -> list[CheckResult]:
    """Run every check, in name order. Marts must have been built."""
    lay_raw_view(warehouse)
    warehouse.execute("CREATE OR REPLACE TEMP TABLE check_run (tenant_id VARCHAR)")
    warehouse.execute("INSERT INTO check_run VALUES (?)", [str(warehouse.tenant)])
    return [_run(warehouse, path) for path in sql_files.files("checks")]


def _run(warehouse: Warehouse, path: str) -> CheckResult:
    sql = sql_files.load(path)
    offending, samples = warehouse.rows(_COUNTED.replace("CHECKED", sql), [_SAMPLES])[0]
    return CheckResult(
        name=PurePosixPath(path).stem,
        description=sql.splitlines()[0].removeprefix("--").strip(),
        passed=offending == 0,
        offending=offending,
        samples=samples or [],
    )
