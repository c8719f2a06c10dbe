"""Running ``sql/checks``: each file selects the rows that should not be, named by ``key``; no row means it holds.

Keys are shown to operators and kept in run histories, so a key that could be a person's address is shown as a hash.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from pydantic import BaseModel

from gtm_pipelines.marts.raw_record import lay_raw_record
from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served, Warehouse

_MOST_SAMPLES = 5
_OFFENCES = """
WITH check_run AS (SELECT CAST($tenant AS TEXT) AS tenant_id),
offence AS (SELECT CAST(key AS TEXT) AS key FROM (
CHECKED
) AS checked)
"""
_COUNT = f"{_OFFENCES} SELECT count(*) FROM offence"
_SAMPLES = f"""{_OFFENCES}
SELECT CASE WHEN strpos(key, '@') > 0 THEN 'md5:' || left(md5(key), 12) ELSE key END
FROM offence ORDER BY key LIMIT {_MOST_SAMPLES}
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
    lay_raw_record(warehouse)
    return [_run(warehouse.served, path) for path in sql_files.files("checks")]


def _run(served: Served, path: str) -> CheckResult:
    sql, tenant = sql_files.load(path), {"tenant": str(served.tenant)}
    offending = int(served.rows(_COUNT.replace("CHECKED", sql), tenant)[0][0])
    samples = served.rows(_SAMPLES.replace("CHECKED", sql), tenant) if offending else []
    return CheckResult(
        name=PurePosixPath(path).stem,
        description=sql.splitlines()[0].removeprefix("--").strip(),
        passed=offending == 0,
        offending=offending,
        samples=[str(key) for (key,) in samples],
    )
