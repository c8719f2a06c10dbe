"""Why a golden person is who they are: records, rules, evidence, and for each field what won and what lost."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served


class UnknownPersonError(LookupError):
    """No golden person has this id, nor ever had."""


class WhyRecord(BaseModel):
    """One source record of the person and what tied it to the others."""

    source: str
    connector: str | None
    external_id: str
    is_deleted: bool | None
    source_updated_at: datetime | None
    rule: str
    confidence: float
    evidence: dict[str, Any]
    since: datetime


class WhyKey(BaseModel):
    """A key that records of the person carry; ``is_used`` is False where it is a hub and so ties nobody.

    Those that carry it loosely show it in something else (a tagged address, a name the mailbox spells, an employer's
    name) and are tied by a weaker rule.
    """

    rule: str
    value: str
    records: list[str]  # source:external_id, those of this person
    loosely: list[str]  # those among them that carry it loosely
    owners: int  # records that carry it, of whatever person
    is_used: bool


class WhyField(BaseModel):
    """A field's surviving value, where it comes from, and what lost, best first."""

    value: Any
    source: str
    external_id: str
    at: str | None
    losers: list[dict[str, Any]]


class Why(BaseModel):
    """The whole answer. ``asked`` differs from ``person_id`` when the id asked for was merged into another."""

    asked: str
    person_id: str
    is_deleted: bool
    records: list[WhyRecord]
    keys: list[WhyKey]
    fields: dict[str, WhyField | None]


def why(warehouse: Served, person_id: str) -> Why:
    """Explain a golden person, following the id when it was merged into another; raise UnknownPersonError."""
    current = _current_id(warehouse, person_id)
    found = warehouse.rows("SELECT is_deleted, provenance FROM golden.person WHERE person_id = ?", [current])
    if not found:
        raise UnknownPersonError(f"{person_id!r} is no golden person: its records are gone from every source")
    is_deleted, provenance = found[0]
    fields = json.loads(provenance)
    return Why(
        asked=person_id,
        person_id=current,
        is_deleted=is_deleted,
        records=[_record(*row) for row in warehouse.rows(sql_files.load("golden/why_records.sql"), [current])],
        keys=[_key(*row) for row in warehouse.rows(sql_files.load("golden/why_keys.sql"), [current])],
        fields={name: WhyField(**given) if given else None for name, given in fields.items()},
    )


def _current_id(warehouse: Served, person_id: str) -> str:
    found = warehouse.rows("SELECT merged_into FROM golden.person_identity WHERE person_id = ?", [person_id])
    if not found:
        raise UnknownPersonError(
            f"{person_id!r} is no golden person: take an id from golden.person or marts.person_360"
        )
    merged_into = found[0][0]
    return str(merged_into) if merged_into else person_id


def _record(*row: Any) -> WhyRecord:
    names = tuple(WhyRecord.model_fields)
    given = dict(zip(names, row, strict=True))
    return WhyRecord(**given | {"evidence": json.loads(given["evidence"])})


def _key(*row: Any) -> WhyKey:
    given = dict(zip(tuple(WhyKey.model_fields), row, strict=True))
    return WhyKey(**given | {"loosely": given["loosely"] or []})
