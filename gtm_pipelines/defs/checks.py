"""Asset checks on what refinement makes: the contract, rejections, reconciliation, identity and the marts' grain.

A check reports one evaluation per tenant. It never blocks: a tenant's fault must not stop the others of its shard, and
what must not be published is refused by the stages themselves.
"""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import dagster as dg

from gtm_pipelines.defs import freshness
from gtm_pipelines.defs.partitions import TENANTS
from gtm_pipelines.defs.tables import canonical_key, golden_key, mart_key
from gtm_pipelines.warehouse import sql_files
from quality.canonical import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from gtm_pipelines.refresh import RefreshReport

CONTRACT, QUARANTINE, WHOLE, IDENTITY, GRAIN = (
    "contract",
    "quarantine_rate",
    "nothing_lost",
    "identity_is_sane",
    "grain_holds",
)
FRESH = dg.AssetCheckKey(freshness.MART, freshness.CHECK)
OFFENDING = "offending"
Findings = dict[dg.AssetCheckKey, tuple[list[str], int]]
ACCEPTABLE_REJECTIONS = 0.05
"""Share of rows of a kind that may be kept out before a person should look at the mapping or at the source."""


def home_of(check: str) -> dg.AssetCheckKey:
    """Return the asset check that a file of ``sql/checks`` counts towards, by the words of its name."""
    for path in sql_files.files("marts"):
        mart = PurePosixPath(path).stem
        if check.startswith(mart):
            return dg.AssetCheckKey(mart_key(mart), GRAIN)
    words = set(check.split("_"))
    for kind, names in (
        (Kind.ACTIVITY, {"activity", "activities"}),
        (Kind.ACCOUNT, {"account", "accounts"}),
        (Kind.PERSON, {"person", "people"}),
    ):
        if words & names:
            return dg.AssetCheckKey(golden_key(kind), IDENTITY)
    return dg.AssetCheckKey(canonical_key(Kind.PERSON), WHOLE)


def check_specs() -> list[dg.AssetCheckSpec]:
    """Return every check; those made of SQL files describe themselves by the files' first lines."""
    specs = [_spec(FRESH.asset_key, FRESH.name, freshness.PROMISE)]
    for kind in Kind:
        key = canonical_key(kind)
        specs.append(
            _spec(key, CONTRACT, f"Every row of canonical.{kind} keeps the Pandera contract of quality.canonical.")
        )
        specs.append(
            _spec(
                key,
                QUARANTINE,
                f"At most {ACCEPTABLE_REJECTIONS:.0%} of the rows of this kind are kept out by open rejections.",
            )
        )
    said: dict[dg.AssetCheckKey, list[str]] = {}
    for path in sql_files.files("checks"):
        first = sql_files.load(path).splitlines()[0].removeprefix("--").strip()
        said.setdefault(home_of(PurePosixPath(path).stem), []).append(first)
    return specs + [
        _spec(key.asset_key, key.name, "\n".join(f"- {line}" for line in lines)) for key, lines in said.items()
    ]


def _spec(key: dg.AssetKey, name: str, description: str) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(name, asset=key, description=description, partitions_def=TENANTS)


def findings(report: RefreshReport, stale: Sequence[str]) -> Findings:
    """Return for each check what it found in a tenant, in sentences, and how many rows or sources offend it."""
    found: Findings = {FRESH: (list(stale), len(stale))}
    for kind, broken in report.contract.items():
        lines = [f"{fault.field} breaks {fault.rule} in {fault.rows} rows" for fault in broken]
        found[dg.AssetCheckKey(canonical_key(kind), CONTRACT)] = lines, sum(fault.rows for fault in broken)
        found[dg.AssetCheckKey(canonical_key(kind), QUARANTINE)] = _rejections(report, kind)
    for check in report.checks:
        key = home_of(check.name)
        lines, rows = found.get(key, ([], 0))
        more = [] if check.passed else [f"{check.name}: {check.offending} rows, as {', '.join(check.samples)}"]
        found[key] = lines + more, rows + check.offending
    return found


def evaluations(
    selected: AbstractSet[dg.AssetCheckKey], tenant: str, found: Findings
) -> Iterator[dg.AssetCheckEvaluation]:
    """Turn a tenant's findings into evaluations of its partition."""
    for key in sorted(selected & found.keys()):
        faults, offending = found[key]
        yield dg.AssetCheckEvaluation(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not faults,
            partition=tenant,
            severity=_severity(key),
            description="; ".join(faults) or None,
            metadata={OFFENDING: offending},
        )


def summaries(selected: AbstractSet[dg.AssetCheckKey], found: Mapping[str, Findings]) -> Iterator[dg.AssetCheckResult]:
    """Sum up each check over the run's tenants, which Dagster wants of a step that covers several."""
    for key in sorted(selected):
        judged = {tenant: findings[key] for tenant, findings in found.items() if key in findings}
        bad = {tenant: faults for tenant, (faults, _) in judged.items() if faults}
        yield dg.AssetCheckResult(
            asset_key=key.asset_key,
            check_name=key.name,
            passed=not bad,
            severity=_severity(key),
            description="; ".join(f"{tenant}: {', '.join(faults)}" for tenant, faults in bad.items()) or None,
            metadata={OFFENDING: sum(offending for _, offending in judged.values())},
        )


def _severity(key: dg.AssetCheckKey) -> dg.AssetCheckSeverity:
    """Return how bad a finding is: data that contradicts itself is an error, the rest is for someone to look at."""
    return dg.AssetCheckSeverity.WARN if key == FRESH or key.name == QUARANTINE else dg.AssetCheckSeverity.ERROR


def _rejections(report: RefreshReport, kind: str) -> tuple[list[str], int]:
    kept_out = report.quarantined.get(kind, 0)
    all_rows = kept_out + report.row_counts.get(f"canonical.{kind}", 0)
    if not all_rows or kept_out / all_rows <= ACCEPTABLE_REJECTIONS:
        return [], kept_out
    return [f"{kept_out} of {all_rows} rows are in quarantine; see gtm quarantine list {report.tenant}"], kept_out
