"""The tables refinement makes, as asset specs: what each is, where it comes from, its columns.

Columns of canonical tables come from the canonical model, those of golden and marts from their SQL. Both take seconds
to ask, so ``columns.json`` holds the answer; a test compares it with the sources and says how to write it anew.
"""

from __future__ import annotations

import json
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import dagster as dg
import yaml

from connectors import registry
from gtm_pipelines.defs.partitions import raw_key
from gtm_pipelines.warehouse import sql_files
from quality.canonical import Kind

if TYPE_CHECKING:
    from collections.abc import Mapping

COLUMNS_FILE = Path(__file__).with_name("columns.json")

_CANONICAL = {
    Kind.PERSON: "People as each source sees them: contacts, leads, users, profiles. One row per source and record.",
    Kind.ACCOUNT: "Companies as each source sees them. One row per source and record.",
    Kind.ACTIVITY: "What happened between us and them: messages, calls, meetings. One row per source and event.",
}
_GOLDEN = {
    Kind.PERSON: "One row per real person: the surviving value of every field, and in `provenance` where it came from "
    "and what lost. Which records belong to whom, and why, stands in `golden.person_link`.",
    Kind.ACCOUNT: "One row per real company. Which records belong to which, and why, stands in `golden.account_link`.",
    Kind.ACTIVITY: "One row per activity, with the golden person and account it belongs to.",
}


def table_specs() -> list[dg.AssetSpec]:
    """Return a spec for every table of canonical, golden and marts, in that order."""
    columns = json.loads(COLUMNS_FILE.read_text(encoding="utf-8"))
    sources = _mapped_entities()
    specs = [_canonical(kind, sources[kind], columns) for kind in Kind]
    specs += [_golden(kind, columns) for kind in Kind]
    return specs + [_mart(path, columns) for path in sql_files.files("marts")]


def canonical_key(kind: str) -> dg.AssetKey:
    """Return the key of a canonical table."""
    return dg.AssetKey(["canonical", str(kind)])


def golden_key(kind: str) -> dg.AssetKey:
    """Return the key of a golden table."""
    return dg.AssetKey(["golden", str(kind)])


def mart_key(name: str) -> dg.AssetKey:
    """Return the key of a mart."""
    return dg.AssetKey(["marts", name])


def _canonical(kind: Kind, sources: list[dg.AssetKey], columns: Mapping[str, list[list[str]]]) -> dg.AssetSpec:
    return dg.AssetSpec(
        canonical_key(kind),
        deps=sources,
        description=f"{_CANONICAL[kind]}\n\nMapped by each connector's `mapping.yml` under the tenant's overrides and "
        "held to the contract of `quality.canonical`; what does not fit is in `quality.quarantine`.",
        group_name="canonical",
        kinds={"duckdb", "pandera"},
        owners=["team:quality"],
        metadata=_metadata(f"canonical.{kind}", columns),
        skippable=True,
    )


def _golden(kind: Kind, columns: Mapping[str, list[list[str]]]) -> dg.AssetSpec:
    leaning_on = {
        Kind.ACCOUNT: [],
        Kind.PERSON: [golden_key(Kind.ACCOUNT)],
        Kind.ACTIVITY: [golden_key(Kind.ACCOUNT), golden_key(Kind.PERSON)],
    }
    return dg.AssetSpec(
        golden_key(kind),
        deps=[canonical_key(kind), *leaning_on[kind]],
        description=_GOLDEN[kind],
        group_name="golden",
        kinds={"duckdb", "sql"},
        owners=["team:resolution"],
        metadata=_metadata(f"golden.{kind}", columns),
        skippable=True,
    )


def _mart(path: str, columns: Mapping[str, list[list[str]]]) -> dg.AssetSpec:
    name = PurePosixPath(path).stem
    sql = sql_files.load(path)
    header = header_of(sql)
    return dg.AssetSpec(
        mart_key(name),
        deps=[golden_key(kind) for kind in Kind if f"golden.{kind}" in sql] or [canonical_key(kind) for kind in Kind],
        description=f"{header['grain'].capitalize()}.\n\nKey: `{header['key']}`.\n\n```sql\n{sql.strip()}\n```",
        group_name="marts",
        kinds={"duckdb", "sql"},
        owners=[f"team:{header['owner']}"],
        metadata=_metadata(f"marts.{name}", columns),
        skippable=True,
    )


def header_of(sql: str) -> dict[str, str]:
    """Return grain, key and owner, which the first comment lines of a mart state."""
    lines = (line.removeprefix("--").strip() for line in sql.splitlines() if line.startswith("--"))
    return {name.strip(): value.strip() for name, colon, value in (line.partition(":") for line in lines) if colon}


def _metadata(table: str, columns: Mapping[str, list[list[str]]]) -> dict[str, object]:
    schema = dg.TableSchema(
        columns=[
            dg.TableColumn(
                name, kind, description=meaning or None, tags={"personal": ""} if mark == "personal" else None
            )
            for name, kind, meaning, mark in columns[table]
        ]
    )
    return {"dagster/column_schema": schema, "dagster/table_name": table}


def _mapped_entities() -> dict[Kind, list[dg.AssetKey]]:
    """Return for each kind the raw assets that a connector's own mapping makes it from."""
    sources: dict[Kind, list[dg.AssetKey]] = {kind: [] for kind in Kind}
    for connector in registry.ids():
        # Checking a mapping loads Pandera; its own tests do that, here only its targets matter.
        mapped = yaml.safe_load(registry.mapping_path(connector).read_text(encoding="utf-8"))["entities"]
        for entity in registry.manifest(connector).entities:
            for kind in sorted({target["target"] for target in mapped.get(entity.name) or ()}):
                sources[Kind(kind)].append(raw_key(connector, entity.name))
    return sources
