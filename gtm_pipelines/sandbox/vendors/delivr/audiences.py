"""Audiences: their list, their state, and their members by page.

A page's cursor belongs to one build of the audience.
"""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.delivr.errors import DelivrError
from gtm_pipelines.sandbox.vendors.delivr.events import project_id, whole
from gtm_pipelines.sandbox.vendors.delivr.faults import DelivrFaults
from gtm_pipelines.sandbox.vendors.delivr.rows import rows_of

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_MOST = 5000
_LISTED = 50


def answer(tenant: Tenant, call: Call, parts: list[str]) -> dict[str, Any]:
    """Answer one request below ``/api/v1/audiences``."""
    match parts:
        case []:
            return _list(tenant, call)
        case ["availability"]:
            day = (tenant.world.now() - timedelta(days=1)).strftime("%Y%m%d")
            return {"latest_available": day, "available_dates": [day], "today_ready": False}
        case [number, *rest]:
            found = next((each for each in _audiences(tenant) if str(each["id"]) == number), None)
            if found is not None:
                return _one(tenant, call, found, rest)
    raise DelivrError.not_found()


def _one(tenant: Tenant, call: Call, audience: dict[str, Any], parts: list[str]) -> dict[str, Any]:
    match parts:
        case []:
            return audience
        case ["status"]:
            return {"status": "ready" if audience["status"] == "Completed" else "no_task"}
        case ["records"]:
            return _records(tenant, call, audience)
    raise DelivrError.not_found()


def _list(tenant: Tenant, call: Call) -> dict[str, Any]:
    page, size = whole(call, "page", 1, least=1), whole(call, "page_size", _LISTED, least=1)
    found = _audiences(tenant)
    shown = found[(page - 1) * size : page * size]
    return {"data": shown, "total": len(found), "total_pages": -(-len(found) // size), "page": page, "page_size": size}


def _records(tenant: Tenant, call: Call, audience: dict[str, Any]) -> dict[str, Any]:
    faults = tenant.faults_of(DelivrFaults)
    if audience["status"] != "Completed":
        beside = {"status": audience["status"], "message": "the audience is being built"}
        raise DelivrError(409, "not_ready", beside=beside)
    if faults.credits_spent:
        raise DelivrError(402, "insufficient credits")
    if faults.take("busy_next"):
        raise DelivrError(503, "busy", retry_after="2")
    size = whole(call, "page_size", _MOST, least=1)
    if size > _MOST:
        raise DelivrError.invalid("page_size must not exceed 5000")
    build = audience["date_updated_path"]
    of_build, offset = _place(call, build)
    if of_build != build or (offset and faults.take("cursor_stale_next")):
        raise DelivrError(409, "cursor_stale", beside={"message": "the audience was rebuilt: start again"})
    found = rows_of(
        tenant,
        "SELECT hem, email, first_name, last_name, job_title, company_name, company_domain FROM delivr.profile "
        f"WHERE list_contains(audiences, ?) ORDER BY hem LIMIT {size + 1} OFFSET {offset}",
        [audience["id"]],
    )
    page: dict[str, Any] = {"audience_id": str(audience["id"]), "results": found[:size]}
    if not offset:
        page["count"] = audience["size"]
    if len(found) > size:
        again = call.query.get("cursor") if faults.repeat_token else None
        page["next_cursor"] = again or base64.urlsafe_b64encode(orjson.dumps([build, offset + size])).decode()
    return page


def _place(call: Call, build: str) -> tuple[str, int]:
    cursor = call.query.get("cursor")
    if not cursor:
        return build, 0
    try:
        of_build, offset = orjson.loads(base64.urlsafe_b64decode(cursor))
    except ValueError:
        raise DelivrError.invalid("invalid cursor") from None
    return of_build, int(offset)


def _audiences(tenant: Tenant) -> list[dict[str, Any]]:
    faults = tenant.faults_of(DelivrFaults)
    rows = rows_of(
        tenant,
        "SELECT a.*, (SELECT count(*) FROM delivr.profile WHERE list_contains(audiences, a.id)) AS members "
        "FROM delivr.audience a ORDER BY id",
        [],
    )
    return [
        {
            "id": row["id"],
            "audience_name": row["audience_name"],
            "type": row["type"],
            "segmentation_type": row["segmentation_type"],
            "status": "Syncing" if str(row["id"]) in faults.not_ready else row["status"],
            "project_id": project_id(tenant.id),
            "size": row["members"] if row["built_s"] else None,
            "date_updated_path": _moment(row["built_s"]),
            "created_at": _moment(row["created_s"]),
            "updated_at": _moment(row["built_s"] or row["created_s"]),
        }
        for row in rows
    ]


def _moment(seconds: int | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
