"""Judges a tenant's warehouse against the truth, and says what is wrong in words.

The truth is a *twin*: a warehouse filled from the same vendors by one undisturbed full sync, which may be of the other
kind. Nothing here shares code with the pipeline: plain SQL over what is stored. Secrets are looked for in ``hunt.py``.
"""

from __future__ import annotations

import json
import operator
from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from tests.faults.stored import Stored

T = TypeVar("T")

KINDS = ("person", "account", "activity")
LINKED = ("person", "account")


def _micros(column: str) -> str:
    return f"CAST(extract(epoch FROM {column}) * 1000000 AS BIGINT)"


_CONTENT = {  # what is JSON comes last
    "person": "email, first_name, last_name, title, phone, account_external_id, properties",
    "account": "name, domain, industry, employee_count, annual_revenue, properties",
    "activity": f"type, channel, {_micros('occurred_at')}, person_external_id, account_external_id, properties",
}


@dataclass(frozen=True)
class Fault:
    """One thing found wrong: ``kind`` is lost, duplicate, stale, extra or foreign."""

    kind: str
    where: str
    key: str

    def __str__(self) -> str:
        return f"{self.kind} in {self.where}: {self.key}"


def live_rows(stored: Stored, kind: str) -> dict[str, tuple[object, ...]]:
    """Map ``source/external id`` of each live canonical row of ``kind`` to its content; JSON counts by its meaning."""
    sql = f"SELECT source, external_id, {_CONTENT[kind]} FROM {stored.table('canonical', kind)} WHERE NOT is_deleted"
    return {f"{source}/{key}": (*content, _said(text)) for source, key, *content, text in stored.rows(sql)}


def live_records(stored: Stored, schema: str, table: str) -> dict[str, int | None]:
    """Map the id of each live record of a raw table to its version.

    What a payload says is no witness: vendors quote other records in it, as they were when it was last read.
    """
    sql = f"SELECT external_id, {_micros('source_updated_at')} FROM {stored.table(schema, table)} WHERE NOT is_deleted"
    return dict(stored.rows(sql))


@dataclass(frozen=True)
class Group:
    """The live records of one golden entity; one that is deleted may have held them together."""

    live: frozenset[str]
    has_deleted: bool

    def is_wrong(self, twin: Group) -> bool:
        """Tell whether records of the twin's are missing, or too many without a reason that the twin cannot know."""
        return not self.live >= twin.live or (self.live != twin.live and not self.has_deleted)


def golden_groups(stored: Stored, kind: str) -> dict[str, Group]:
    """Map ``source/external id`` of each live canonical row of ``kind`` to the golden entity it is in."""
    sql = (
        f"SELECT l.source, l.external_id, l.{kind}_id, c.is_deleted FROM {stored.table('golden', f'{kind}_link')} l"
        f" JOIN {stored.table('canonical', kind)} c ON c.source = l.source AND c.external_id = l.external_id"
    )
    live: defaultdict[object, set[str]] = defaultdict(set)
    deleted = set()
    for source, key, golden, is_deleted in stored.rows(sql):
        if is_deleted:
            deleted.add(golden)
        else:
            live[golden].add(f"{source}/{key}")
    groups = [Group(frozenset(keys), golden in deleted) for golden, keys in live.items()]
    return {key: group for group in groups for key in group.live}


def _said(text: Any) -> object:
    return json.loads(text) if isinstance(text, str) else text


def find_duplicates(stored: Stored) -> list[Fault]:
    """Return keys that stand more than once in a raw or canonical table or are linked more than once."""
    keyed = [("canonical", kind, "source, external_id") for kind in KINDS]
    keyed += [("golden", f"{kind}_link", "source, external_id") for kind in LINKED]
    keyed += [(schema, table, "external_id") for schema, table in stored.tables("raw_")]
    return [
        Fault("duplicate", f"{schema}.{table}", "/".join(map(str, row)))
        for schema, table, key in keyed
        for row in stored.rows(f"SELECT {key} FROM {stored.table(schema, table)} GROUP BY {key} HAVING count(*) > 1")
    ]


def find_foreign(stored: Stored, tenant: str) -> list[Fault]:
    """Return canonical rows that carry another tenant's id."""
    return [
        Fault("foreign", f"canonical.{kind}", f"{source}/{key}")
        for kind in KINDS
        for source, key in stored.rows(
            f"SELECT source, external_id FROM {stored.table('canonical', kind)} WHERE tenant_id <> '{tenant}'"
        )
    ]


def compare_with_twin(stored: Stored, twin: Stored) -> list[Fault]:
    """Compare live raw and canonical rows with the twin's, and which of them are one person or account."""
    faults = []
    for schema, table in sorted({*stored.tables("raw_"), *twin.tables("raw_")}):
        have, want = (
            live_records(each, schema, table) if (schema, table) in each.tables("raw_") else {}
            for each in (stored, twin)
        )
        faults += _difference(f"{schema}.{table}", have, want, _is_older)
    for kind in KINDS:
        faults += _difference(f"canonical.{kind}", live_rows(stored, kind), live_rows(twin, kind), operator.ne)
    for kind in LINKED:
        groups = golden_groups(stored, kind), golden_groups(twin, kind)
        faults += _difference(f"golden.{kind}", *groups, Group.is_wrong)
    return faults


def _is_older(have: int | None, want: int | None) -> bool:
    """A newer version is right: events tell of changes that the record itself does not date, and the twin saw none."""
    return want is not None and (have is None or have < want)


def _difference(
    where: str, have: Mapping[str, T], want: Mapping[str, T], is_wrong: Callable[[T, T], bool]
) -> list[Fault]:
    return [
        *(Fault("lost", where, key) for key in sorted(want.keys() - have.keys())),
        *(Fault("extra", where, key) for key in sorted(have.keys() - want.keys())),
        *(Fault("stale", where, key) for key in sorted(want.keys() & have.keys()) if is_wrong(have[key], want[key])),
    ]


def judge(stored: Stored, twin: Stored, tenant: str) -> list[Fault]:
    """Everything that is wrong with a tenant's warehouse; an empty list is the only good answer."""
    return [*find_duplicates(stored), *find_foreign(stored, tenant), *compare_with_twin(stored, twin)]
