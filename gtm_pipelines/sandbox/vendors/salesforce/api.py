"""Salesforce's REST API over a world: what each path answers and when it refuses."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gtm_pipelines.sandbox.vendors.salesforce import describe, oauth, query
from gtm_pipelines.sandbox.vendors.salesforce.catalogue import OBJECTS, SObject
from gtm_pipelines.sandbox.vendors.salesforce.errors import SalesforceError
from gtm_pipelines.sandbox.vendors.salesforce.faults import SalesforceFaults
from gtm_pipelines.sandbox.vendors.salesforce.ids import eighteen
from gtm_pipelines.sandbox.vendors.salesforce.sessions import Sessions
from gtm_pipelines.sandbox.vendors.salesforce.soql.syntax import Comparison, Query
from gtm_pipelines.sandbox.vendors.salesforce.soql.translator import translate
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_LONGEST_REQUEST = 16_384
_DELETES_KEPT = timedelta(days=15)
_DATA = re.compile(r"services/data/(v\d{2}\.0)(?:/(.*))?")
_VERSIONS = [
    {"label": f"Release {number}", "url": f"/services/data/v{number}.0", "version": f"{number}.0"}
    for number in range(45, 68)
]
_RESOURCES = ("limits", "query", "queryAll", "sobjects")


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/salesforce/``."""
    path = call.path.rstrip("/")
    if path == "services/oauth2/token":
        return oauth.answer(tenant, call)
    try:
        reply = _reads(tenant, call, path)
    except SalesforceError as error:
        reply = as_json([{"message": error.message, "errorCode": error.code}], error.status)
        reply = Reply(reply.status, reply.body, reply.headers, error.code)
    used, allowed = tenant.state(Sessions).used, tenant.faults_of(SalesforceFaults).daily_requests
    reply.headers["sforce-limit-info"] = f"api-usage={used}/{allowed}"
    return reply


def _reads(tenant: Tenant, call: Call, path: str) -> Reply:
    if call.size > _LONGEST_REQUEST:
        return Reply(
            414, b"<h1>Bad Message 414</h1><pre>reason: URI Too Long</pre>", {"content-type": "text/html"}, "414"
        )
    if path == "services/data":
        return as_json(_VERSIONS)
    _check_session(tenant, call)
    if call.method != "GET":
        raise SalesforceError(405, "METHOD_NOT_ALLOWED", f"HTTP Method '{call.method}' not allowed. Allowed are GET")
    if path == "services/oauth2/userinfo":
        return as_json(
            {"sub": "user", "user_id": "005Hs0000000000IAA", "organization_id": "00DHs0000000001MAA", "active": True}
        )
    found = _DATA.fullmatch(path)
    if found is None:
        raise SalesforceError.not_found()
    version, rest = found[1], found[2] or ""
    if not rest:
        return as_json({name: f"/services/data/{version}/{name}" for name in _RESOURCES})
    return _resource(tenant, call, version, [unquote(part) for part in rest.split("/")])


def _check_session(tenant: Tenant, call: Call) -> None:
    faults, sessions = tenant.faults_of(SalesforceFaults), tenant.state(Sessions)
    if faults.expire_session_after is not None:
        if faults.expire_session_after == 0:
            sessions.expire()
            faults.expire_session_after = None
        else:
            faults.expire_session_after -= 1
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme not in {"Bearer", "OAuth"} or not sessions.is_open(token):
        raise SalesforceError(401, "INVALID_SESSION_ID", "Session expired or invalid")
    if sessions.count_request() > faults.daily_requests or faults.quota_spent:
        raise SalesforceError(403, "REQUEST_LIMIT_EXCEEDED", "TotalRequests Limit exceeded.")


def _resource(tenant: Tenant, call: Call, version: str, parts: list[str]) -> Reply:
    match parts:
        case ["query" | "queryAll" as which]:
            return query.start(tenant, call, version, with_deleted=which == "queryAll")
        case ["query" | "queryAll", pointer]:
            return query.follow(tenant, pointer, version)
        case ["limits"]:
            return as_json(_limits(tenant))
        case ["sobjects"]:
            seen = [each for each in OBJECTS if query.visibility(tenant).find_object(each.name)]
            return as_json(describe.describe_all(seen, f"/services/data/{version}"))
        case ["sobjects", name, *rest]:
            entity = query.visibility(tenant).find_object(name)
            if entity is None:
                raise SalesforceError.not_found()
            return _sobject(tenant, call, version, entity, rest)
    raise SalesforceError.not_found()


def _sobject(tenant: Tenant, call: Call, version: str, entity: SObject, rest: list[str]) -> Reply:
    root = f"/services/data/{version}"
    match rest:
        case []:
            return as_json(describe.basic_information(entity, root))
        case ["describe"]:
            return as_json(describe.describe(entity, root, query.visibility(tenant)))
        case ["deleted"]:
            return as_json(_deleted(tenant, call, entity))
        case ["updated"]:
            return as_json(_updated(tenant, call, entity))
        case [record_id]:
            return _record(tenant, call, version, entity, record_id)
    raise SalesforceError.not_found()


def _record(tenant: Tenant, call: Call, version: str, entity: SObject, record_id: str) -> Reply:
    """One record by id; a deleted one is known to have been deleted while the recycle bin has it."""
    visible = query.visibility(tenant)
    wanted = [name for name in call.query.get("fields", "").split(",") if name]
    selected = tuple((name,) for name in wanted or [each.name for each in visible.fields_of(entity)])
    tree = Query(selected, entity.name, Comparison(("Id",), "=", eighteen(record_id)), (), 1, 0)
    statement = translate(tree, version=version, with_deleted=True, now=tenant.world.now(), visible=visible)
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(statement.rows, statement.parameters).fetchall()
        if rows and entity.has("IsDeleted"):
            gone = cursor.execute(
                f"SELECT IsDeleted FROM {entity.table} WHERE Id = ?",
                [eighteen(record_id)],
            ).fetchall()
            if gone[0][0]:
                raise SalesforceError(404, "ENTITY_IS_DELETED", "entity is deleted")
    if not rows:
        raise SalesforceError.not_found("Provided external ID field does not exist or is not accessible: " + record_id)
    return Reply(200, rows[0][0].encode(), {"content-type": "application/json;charset=UTF-8"})


def _limits(tenant: Tenant) -> dict[str, Any]:
    allowed = tenant.faults_of(SalesforceFaults).daily_requests
    return {
        "DailyApiRequests": {"Max": allowed, "Remaining": max(0, allowed - tenant.state(Sessions).used)},
        "DailyBulkV2QueryJobs": {"Max": 10_000, "Remaining": 10_000},
        "DailyBulkV2QueryFileStorageMB": {"Max": 976_562, "Remaining": 976_562},
    }


def _period(tenant: Tenant, call: Call) -> tuple[datetime, datetime, datetime]:
    """Read ``start`` and ``end``, held against the world's present."""
    now = tenant.world.now()
    try:
        start, end = (datetime.fromisoformat(call.query[name].replace(" ", "+")) for name in ("start", "end"))
    except (KeyError, ValueError):
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", "start and end must be ISO 8601 dates") from None
    start, end = (each.replace(tzinfo=each.tzinfo or UTC).astimezone(UTC) for each in (start, end))
    if start >= end:
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", "startDate must be before endDate")
    if start < now - _DELETES_KEPT:
        raise SalesforceError(400, "INVALID_REPLICATION_DATE", "startDate cannot be more than 15 days ago")
    return start, end, now


def _deleted(tenant: Tenant, call: Call, entity: SObject) -> dict[str, Any]:
    start, end, now = _period(tenant, call)
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            "SELECT id, deleted_at FROM salesforce.deletion "
            "WHERE object = ? AND deleted_at >= ? AND deleted_at < ? ORDER BY 2, 1",
            [entity.name, start.replace(tzinfo=None), end.replace(tzinfo=None)],
        ).fetchall()
    return {
        "deletedRecords": [{"deletedDate": _wire(deleted_at), "id": record_id} for record_id, deleted_at in rows],
        "earliestDateAvailable": _wire(now - _DELETES_KEPT),
        "latestDateCovered": _wire(min(end, now)),
    }


def _updated(tenant: Tenant, call: Call, entity: SObject) -> dict[str, Any]:
    start, end, now = _period(tenant, call)
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"SELECT Id FROM {entity.table} WHERE SystemModstamp >= ? AND SystemModstamp < ? ORDER BY 1",
            [start.replace(tzinfo=None), end.replace(tzinfo=None)],
        ).fetchall()
    return {"ids": [record_id for (record_id,) in rows], "latestDateCovered": _wire(min(end, now))}


def _wire(moment: datetime) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.000+0000"
