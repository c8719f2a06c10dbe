"""Close's event log: newest first, fifty at a time, about thirty days; filters go with every page."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.close.errors import CloseError
from gtm_pipelines.sandbox.vendors.close.faults import CloseFaults
from gtm_pipelines.sandbox.vendors.close.lists import OPERATORS, moment
from gtm_pipelines.sandbox.vendors.close.records import Asked, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_pipelines.sandbox.tenants import Tenant

_MOST = 50
_FILTERS = ("object_type", "action", "lead_id", "object_id", "user_id", "request_id")


def events(tenant: Tenant, query: Mapping[str, str]) -> dict[str, Any]:
    """Answer ``GET /event/``."""
    faults = tenant.faults_of(CloseFaults)
    limit = min(int(query.get("_limit", _MOST)), _MOST)
    conditions, values = _conditions(query)
    conditions.append(f"date_updated > (SELECT gen.moment(now_s - {faults.retention_days * 86_400}) FROM gen.world)")
    conditions.append("date_updated <= (SELECT gen.moment(now_s) FROM gen.world)")
    place = _place(query.get("_cursor", ""))
    if place and not faults.repeat_token:
        conditions.append("(date_updated, id) < (?::TIMESTAMP, ?)")
        values += place
    found = rows(tenant, Asked("event", conditions, values, "date_updated DESC, id DESC", limit))
    data = found[:limit]
    following = _token([data[-1]["date_updated"][:26], data[-1]["id"]]) if len(found) > limit else None
    if faults.repeat_token and following:
        following = query.get("_cursor") or following
    return {"data": data, "cursor_next": following, "cursor_previous": None}


def _conditions(query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    if "action" in query and not {"object_type", "object_id", "lead_id"} & query.keys():
        raise CloseError(400, "Filtering by action needs object_type, object_id or lead_id.")
    conditions: list[str] = []
    values: list[Any] = []
    for name, value in query.items():
        field, _, operator = name.partition("__")
        if name.startswith("_"):
            continue
        if name in _FILTERS:
            conditions.append("NULL = ?" if name in {"user_id", "request_id"} else f"{name} = ?")
            values.append(value)
        elif field == "date_updated" and operator in OPERATORS:
            conditions.append(f"date_updated {OPERATORS[operator]} ?")
            values.append(moment(value, name))
        else:
            raise CloseError.field(name, "Unknown field.")
    return conditions, values


def _token(place: list[str]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _place(token: str) -> list[str]:
    try:
        return list(orjson.loads(base64.urlsafe_b64decode(token))) if token else []
    except ValueError:
        raise CloseError.field("_cursor", "Invalid cursor.") from None
