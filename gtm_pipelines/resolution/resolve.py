"""The one function of this stage: bring golden up to date with canonical, in one transaction.

Accounts come first, because a person's account is part of who the person is; then people; then activities, which only
look up what the other two decided.
"""

from __future__ import annotations

import time
from hashlib import blake2b
from typing import TYPE_CHECKING

from gtm_pipelines.resolution import entities, sites, slices
from gtm_pipelines.resolution.report import KindReport, ResolutionReport
from gtm_pipelines.resolution.statements import Statements, insert
from gtm_pipelines.warehouse import sql_files
from quality.identity import DEFAULT_POLICY, IdentityPolicy
from quality.identity.keys import alike, employer, mail_domain, states_employer
from quality.identity.survivorship import priorities

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from gtm_pipelines.warehouse import Warehouse

_PREFIX = {"person": "per", "account": "acc", "activity": ""}


def resolve_tenant(
    warehouse: Warehouse,
    tenant: str,
    *,
    clock: Callable[[], datetime],
    full: bool = False,
    policy: IdentityPolicy = DEFAULT_POLICY,
) -> ResolutionReport:
    """Resolve what ``canonical.pending`` names, or with ``full`` everything; golden ids stay what they were either way.

    Everything is looked at as well when golden was never built, was built by another policy or by other statements, or
    lacked a column.
    Raises ValueError when the warehouse is another tenant's.
    """
    if warehouse.tenant != tenant:
        raise ValueError(f"the warehouse belongs to {warehouse.tenant!r}, not to {tenant!r}")
    now, started = clock(), time.perf_counter()
    seconds: dict[str, float] = {}
    with warehouse.transaction():
        is_altered = warehouse.define(sql_files.load("golden/tables.sql"))
        _lay_run(warehouse, now, policy)
        is_full = full or is_altered or _is_stale(warehouse, policy)
        account, person, activity = KindReport(), KindReport(), KindReport()
        if is_full or warehouse.rows("SELECT 1 FROM canonical.pending LIMIT 1"):
            account, person, activity = _resolve(warehouse, policy, seconds, full=is_full)
            warehouse.execute("TRUNCATE canonical.pending")
            warehouse.execute("TRUNCATE golden.resolution")
            warehouse.execute(
                "INSERT INTO golden.resolution (policy_version, built_at) VALUES (?, ?)", [_version(policy), now]
            )
        _forget(warehouse)
    for kind, report in (("account", account), ("person", person), ("activity", activity)):
        report.total = int(warehouse.served.rows(f"SELECT count(*) FROM golden.{kind}")[0][0])
    return ResolutionReport(
        tenant=tenant,
        is_full=is_full,
        started_at=now,
        person=person,
        account=account,
        activity=activity,
        seconds=time.perf_counter() - started,
        steps=seconds,
    )


def _lay_run(warehouse: Warehouse, now: datetime, policy: IdentityPolicy) -> None:
    warehouse.execute("CREATE OR REPLACE TEMP TABLE match_run (tenant_id VARCHAR, now TIMESTAMPTZ)")
    warehouse.execute("INSERT INTO match_run VALUES (?, ?)", [str(warehouse.tenant), now])
    warehouse.execute("CREATE OR REPLACE TEMP TABLE match_priority (connector VARCHAR, priority INTEGER)")
    insert(warehouse, "match_priority", priorities(policy.source_priority))
    warehouse.execute(alike())


def _forget(warehouse: Warehouse) -> None:
    """Drop the temporary relations: a commit writes out what is left of them, which takes longer than golden itself."""
    for kind in ("view", "table"):
        found = f"SELECT {kind}_name FROM duckdb_{kind}s() WHERE temporary AND starts_with({kind}_name, 'match_')"
        for (name,) in warehouse.rows(found):
            warehouse.execute(f"DROP {kind} {warehouse.quote(name)}")


def _is_stale(warehouse: Warehouse, policy: IdentityPolicy) -> bool:
    """Tell whether golden was never built, or was built by other rules or statements than these."""
    return warehouse.rows("SELECT policy_version FROM golden.resolution") != [(_version(policy),)]


def _version(policy: IdentityPolicy) -> str:
    statements = "".join(sql_files.load(path) for path in sql_files.files("golden"))
    return blake2b((policy.version() + statements).encode(), digest_size=8).hexdigest()


def _resolve(
    warehouse: Warehouse, policy: IdentityPolicy, seconds: dict[str, float], *, full: bool
) -> tuple[KindReport, KindReport, KindReport]:
    words = {
        "MAIL_DOMAIN": mail_domain("email"),
        "EMPLOYER_NAME": employer("c.properties"),
        "STATES_EMPLOYER": states_employer("c.properties"),
    }
    kinds = {
        kind: Statements(warehouse, {"KIND": kind, "PREFIX": prefix} | words, seconds)
        for kind, prefix in _PREFIX.items()
    }
    accounts, people, activities = kinds["account"], kinds["person"], kinds["activity"]

    if not full:
        sites.begin(accounts)
    accounts.run("change_all" if full else "change_pending")
    account = entities.resolve(accounts, policy, full=full)
    accounts.execute("CREATE OR REPLACE TEMP TABLE match_moved_account AS FROM match_moved", "moved")
    if full:
        accounts.run("home_all")
    elif account.changed:
        sites.again(accounts)

    people.run("change_all" if full else "change_pending")
    if account.changed and not full:
        slices.people_of_accounts(people)
        people.run("change_by_account")
    person = entities.resolve(people, policy, full=full)
    people.execute("CREATE OR REPLACE TEMP TABLE match_moved_person AS FROM match_moved", "moved")

    return account, person, _place_activities(activities, full=full)


def _place_activities(statements: Statements, *, full: bool) -> KindReport:
    started = time.perf_counter()
    if not full:
        slices.activities(statements)
    statements.run("activity_change_all" if full else "activity_change")
    changed = statements.count("match_change")
    if not changed:
        return KindReport(seconds=time.perf_counter() - started)
    if not full:
        slices.changed_activities(statements)
    statements.run("activity")
    return KindReport(
        changed=changed,
        looked_at=statements.count("match_activity"),
        written=statements.count("match_written"),
        seconds=time.perf_counter() - started,
    )
