"""One kind's resolution, people or accounts: keys, groups, golden ids, links, golden rows, in that order.

The relations named ``match_…`` are temporary and live for one resolution; each file of ``sql/golden`` says what it
makes.
"""

from __future__ import annotations

import time
from dataclasses import astuple
from typing import TYPE_CHECKING

from gtm_pipelines.resolution import neighbourhood, sites, slices
from gtm_pipelines.resolution.report import KindReport
from gtm_pipelines.resolution.statements import insert
from quality.identity import golden, keys

if TYPE_CHECKING:
    from gtm_pipelines.resolution.statements import Statements
    from quality.identity import IdentityPolicy

_TABLE = "CREATE OR REPLACE TEMP TABLE "
_SLICE = 40_000  # clusters whose golden rows are made at once
_VIEW = "CREATE OR REPLACE TEMP VIEW "
_FIELDS = {
    "person": ("email", "first_name", "last_name", "title", "phone", "account_id"),
    "account": ("name", "domain", "industry", "employee_count", "annual_revenue"),
}


def resolve(statements: Statements, policy: IdentityPolicy, *, full: bool) -> KindReport:
    """Resolve the records in ``match_change`` (with ``full``: all there are) and whoever they concern."""
    started = time.perf_counter()
    if full:
        _lay_rules(statements, policy)
    elif not statements.count("match_change"):
        statements.run("unchanged")
        return KindReport(seconds=time.perf_counter() - started)
    statements.execute(f"{_TABLE} match_rule AS FROM golden.KIND_rule", "rules")
    if full:
        _read_all(statements)
    else:
        _read_change(statements)
    report = KindReport(changed=statements.count("match_change"), looked_at=statements.count("match_record"))
    _group(statements, full=full)
    if not full:
        slices.identities(statements)
    statements.run("identify")
    statements.run("reason")
    statements.run("link")
    if not full:
        slices.rows(statements)
    _write(statements, policy)
    report.founded = statements.count("match_founded")
    report.retired = statements.count("match_retired")
    report.moved = statements.count("match_moved")
    report.written = statements.count("match_rewritten")
    report.seconds = time.perf_counter() - started
    return report


def _lay_rules(statements: Statements, policy: IdentityPolicy) -> None:
    """Lay out the rules in force, which stay so until the policy changes and everything is looked at again."""
    kind = statements.words["KIND"]
    statements.run("rules")
    rules = [(number, *astuple(rule)) for number, rule in enumerate(policy.rules(kind))]
    insert(statements.warehouse, f"golden.{kind}_rule", rules)


def _read_all(statements: Statements) -> None:
    _pick(statements, "match_change")
    _key(statements)
    statements.run("replace_keys")


def _read_change(statements: Statements) -> None:
    _look_at(statements, "match_change")
    if statements.count("match_named"):
        slices.referred(statements)
        statements.run("change_named")
        _look_at(statements, "match_change")
    slices.referring(statements)
    _key(statements)
    slices.touched(statements)
    statements.run("touch_before")
    sites.of_changed(statements)
    statements.run("swap_keys")
    statements.run("touch_after")
    neighbourhood.expand(statements)
    if statements.count("match_affected") == statements.count("match_change"):
        return  # they concern nobody else, and are what is being looked at
    sites.of_affected(statements)
    _look_at(statements, "match_affected")
    slices.referring(statements)
    _key(statements)


def _look_at(statements: Statements, relation: str) -> None:
    slices.picked(statements, relation)
    sites.of_people(statements, relation)
    _pick(statements, relation)


def _pick(statements: Statements, relation: str) -> None:
    """Lay out the picked records as ``match_record`` and what they refer to as ``match_named``."""
    statements.execute(f"{_VIEW} match_pick AS FROM {relation}", "record")
    statements.run("record_" + statements.words["KIND"])
    statements.execute(_TABLE + "match_named AS " + keys.named(), "named")


def _key(statements: Statements) -> None:
    """Lay out the keys of ``match_record`` as ``match_key``."""
    statements.run("named")
    statements.execute(_TABLE + "match_key AS " + keys.select(statements.words["KIND"]), "keys")


def _group(statements: Statements, *, full: bool) -> None:
    kind = statements.words["KIND"]
    statements.execute(_VIEW + "match_contradiction AS " + keys.contradictions(kind), "rules")
    statements.run("shared")
    if not full:
        slices.hubs(statements)
    statements.run("hub_all" if full else "hub")
    statements.run("edge")
    statements.run("strong_arc")
    statements.run("component")
    statements.run("strong_group")
    for (level,) in statements.warehouse.rows("SELECT DISTINCT level FROM match_edge WHERE level > 0 ORDER BY level"):
        statements.run("weak_arc", LEVEL=str(level))
        statements.run("component")
        statements.run("weak_group", LEVEL=str(level))
    statements.run("cluster")


def _write(statements: Statements, policy: IdentityPolicy) -> None:
    kind = statements.words["KIND"]
    filled = " + ".join(f"CAST({field} IS NOT NULL AS INTEGER)" for field in _FIELDS[kind])
    statements.run("write_start")
    # First: DuckDB compresses a large insert in parallel while the table has nothing of this transaction yet.
    if statements.count("match_rewritten"):
        statements.run("write_alone", ALONE=golden.alone(policy.fields(kind)))
    for lowest in range(1, statements.count("match_joint") + 1, _SLICE):
        statements.run("member", COMPLETENESS=filled, LOWEST=str(lowest), HIGHEST=str(lowest + _SLICE))
        statements.execute(_TABLE + "match_row AS " + golden.select(policy.fields(kind)), "survive")
        statements.run("write")
