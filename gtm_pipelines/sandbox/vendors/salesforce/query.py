"""Queries and their following pages: one JSON body per page, put together from texts DuckDB has already written."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendors.salesforce.errors import SalesforceError
from gtm_pipelines.sandbox.vendors.salesforce.faults import SalesforceFaults
from gtm_pipelines.sandbox.vendors.salesforce.locators import Locators
from gtm_pipelines.sandbox.vendors.salesforce.soql.parser import parse
from gtm_pipelines.sandbox.vendors.salesforce.soql.translator import Statement, Visibility, translate
from gtm_pipelines.sandbox.wire import Call, Reply

if TYPE_CHECKING:
    import duckdb

    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.vendors.salesforce.locators import Locator

_MOST_ROWS = 2000
_FEWEST_ROWS = 200
_BATCH = re.compile(r"batchSize\s*=\s*(\d+)", re.IGNORECASE)
_LOCATOR = re.compile(r"(01g\w+)-(\d+)(?:-\w+)?")
_LOST = SalesforceError(400, "INVALID_QUERY_LOCATOR", "invalid query locator")


def visibility(tenant: Tenant) -> Visibility:
    """Return what the faults leave this user to see."""
    faults = tenant.faults_of(SalesforceFaults)
    return Visibility(frozenset(map(str.lower, faults.hide_entity)), frozenset(map(str.lower, faults.hide_field)))


def start(tenant: Tenant, call: Call, version: str, *, with_deleted: bool) -> Reply:
    """Answer ``query`` and ``queryAll``."""
    if "q" not in call.query:
        raise SalesforceError.malformed("A query string has to be specified")
    if tenant.faults_of(SalesforceFaults).take("query_timeout_next"):
        raise SalesforceError(400, "QUERY_TIMEOUT", "Your query request was running for too long.")
    statement = translate(
        parse(call.query["q"]),
        version=version,
        with_deleted=with_deleted,
        now=tenant.world.now(),
        visible=visibility(tenant),
    )
    if statement.entity.name.lower() in map(str.lower, tenant.faults_of(SalesforceFaults).forbid_entity):
        raise SalesforceError(403, "INSUFFICIENT_ACCESS", f"insufficient access rights on {statement.entity.name}")
    if statement.is_count:
        with tenant.world.cursor() as cursor:
            return _body(_counted(cursor, statement), [], None)
    return _first_page(tenant, call, version, statement)


def follow(tenant: Tenant, pointer: str, version: str) -> Reply:
    """Answer a following page."""
    found = _LOCATOR.fullmatch(pointer)
    faults = tenant.faults_of(SalesforceFaults)
    if faults.take("expire_locator"):
        tenant.state(Locators).leave()
    locator = tenant.state(Locators).find(found[1]) if found else None
    if found is None or locator is None:
        raise _LOST
    at = int(found[2])
    if faults.take("duplicate_page"):
        return _body(
            locator.total,
            locator.previous(),
            f"/services/data/{version}/query/{locator.id}-{at}-again",
            "duplicate_page",
        )
    if faults.take("empty_page"):
        return _body(locator.total, [], f"/services/data/{version}/query/{locator.id}-{at}-empty", "empty_page")
    return _page(tenant, locator, at)


def _first_page(tenant: Tenant, call: Call, version: str, statement: Statement) -> Reply:
    batch = _batch(call)
    cursor = tenant.world.cursor()
    cursor.execute(statement.rows, statement.parameters)
    if statement.limit is not None and statement.limit <= batch:
        with cursor:
            rows = [text for (text,) in cursor.fetchall()]
        return _body(len(rows), rows, None)
    with tenant.world.cursor() as counting:
        total = _counted(counting, statement)
    locator = tenant.state(Locators).open(statement, total, batch, version, cursor)
    return _page(tenant, locator, 0)


def _page(tenant: Tenant, locator: Locator, at: int) -> Reply:
    rows = locator.page(at)
    end = at if tenant.faults_of(SalesforceFaults).repeat_token else at + len(rows)
    is_last = end >= locator.total or not rows
    following = None if is_last else f"/services/data/{locator.version}/query/{locator.id}-{end}"
    return _body(locator.total, rows, following)


def _counted(cursor: duckdb.DuckDBPyConnection, statement: Statement) -> int:
    run = cursor.execute(statement.count, statement.parameters if "$" in statement.count else ())
    return int(run.fetchall()[0][0])


def _batch(call: Call) -> int:
    """Read the page size asked for, within what Salesforce allows; it is a hint."""
    found = _BATCH.search(call.headers.get("sforce-query-options", ""))
    return min(max(int(found[1]), _FEWEST_ROWS), _MOST_ROWS) if found else _MOST_ROWS


def _body(total: int, rows: list[str], following: str | None, note: str = "") -> Reply:
    more = f',"nextRecordsUrl":"{following}"' if following else ""
    text = f'{{"totalSize":{total},"done":{"false" if following else "true"}{more},"records":[{",".join(rows)}]}}'
    return Reply(200, text.encode(), {"content-type": "application/json;charset=UTF-8"}, note)
