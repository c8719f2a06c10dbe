"""Close's advanced search: conditions on leads or contacts, sorted, by a cursor that lives for thirty seconds.

One search gives ten thousand rows at most: after that its cursor is null, as it is at the end.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from time import time
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.close.errors import CloseError
from gtm_pipelines.sandbox.vendors.close.faults import CloseFaults
from gtm_pipelines.sandbox.vendors.close.lists import moment
from gtm_pipelines.sandbox.vendors.close.records import Asked, count, picked, rows

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_OBJECTS = ("lead", "contact")
_USUAL, _MOST = 100, 200
_TIMES = ("date_created", "date_updated")
_TEXTS = {"lead": ("name", "url", "description", "status_label"), "contact": ("name", "title", "lead_id", "id")}
_BOUNDS = {"on_or_after": ">=", "before": "<", "after": ">", "on_or_before": "<="}


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a page begins: after ``after``, ``given`` rows into the search; written down at ``issued``."""

    after: tuple[str, str] | None = None
    given: int = 0
    issued: float = 0.0

    def token(self) -> str:
        return base64.urlsafe_b64encode(orjson.dumps([self.after, self.given, time()])).decode()


def search(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``POST /data/search/``."""
    faults = tenant.faults_of(CloseFaults)
    asked = _body(call)
    conditions, values, kind = _query(asked.get("query"))
    if kind is None:
        raise CloseError.field("query", "An object_type clause is needed.")
    field, direction = _sort(asked.get("sort"), kind)
    fields = _fields(asked.get("_fields"), kind, faults.search_fields)
    limit = asked.get("_limit", _USUAL)
    if not isinstance(limit, int) or not 1 <= limit <= _MOST:
        raise CloseError.field("_limit", f"Must be between 1 and {_MOST}.")
    everything = Asked(kind, conditions, values)
    place = _place(asked.get("cursor"), faults)
    if place.after is not None and not faults.repeat_token:
        conditions = [*conditions, f"({field}, id) {'>' if direction == 'ASC' else '<'} (?::TIMESTAMP, ?)"]
        values = [*values, *place.after]
    limit = min(limit, faults.search_cap - place.given)
    found = rows(tenant, Asked(kind, conditions, values, f"{field} {direction}, id {direction}", limit))
    page = found[:limit]
    following = _following(place, page, field) if len(found) > limit else None
    if following is not None and place.given + len(page) >= faults.search_cap:
        following = None
    if following is not None and faults.repeat_token:
        following = asked.get("cursor") or following
    answer: dict[str, Any] = {
        "data": [{"__object_type": kind, **picked(each, fields)} for each in page],
        "cursor": following,
    }
    if asked.get("include_counts"):
        found_in_all = count(tenant, everything)
        answer["count"] = {"limited": min(found_in_all, faults.search_cap), "total": found_in_all}
    return answer


def _body(call: Call) -> dict[str, Any]:
    try:
        given = orjson.loads(call.body)
    except orjson.JSONDecodeError:
        raise CloseError(400, "Invalid JSON") from None
    if not isinstance(given, dict):
        raise CloseError(400, "Invalid JSON")
    known = {"query", "_fields", "_limit", "sort", "cursor", "include_counts", "results_limit"}
    for name in given:
        if name not in known:
            raise CloseError.field(name, "Unknown field.")
    return given


def _query(node: Any) -> tuple[list[str], list[Any], str | None]:
    """Turn a query into SQL, and find the kind of object it asks for."""
    conditions: list[str] = []
    values: list[Any] = []
    kind: str | None = None
    for clause in node.get("queries", []) if isinstance(node, dict) and node.get("type") == "and" else [node]:
        match clause:
            case {"type": "object_type", "object_type": str(named)} if named in _OBJECTS:
                kind = named
            case {"type": "field_condition", "field": {"field_name": str(name)} as field, "condition": {} as condition}:
                _condition(name, str(field.get("object_type")), condition, conditions, values)
            case _:
                raise CloseError.field("query", "Unsupported query.")
    return conditions, values, kind


def _condition(name: str, kind: str, condition: dict[str, Any], conditions: list[str], values: list[Any]) -> None:
    if name in _TIMES and condition.get("type") == "moment_range":
        for bound, operator in _BOUNDS.items():
            given = condition.get(bound)
            if given is not None:
                if not isinstance(given, dict) or given.get("type") != "fixed_utc":
                    raise CloseError.field("query", "Only fixed_utc moments are supported here.")
                conditions.append(f"{name} {operator} ?")
                values.append(moment(str(given.get("value")), "query"))
    elif name in _TEXTS.get(kind, ()) and condition.get("type") == "text":
        exact = condition.get("mode") == "exact_value"
        conditions.append(f"lower({name}) = lower(?)" if exact else f"contains(lower({name}), lower(?))")
        values.append(str(condition.get("value", "")))
    else:
        raise CloseError.field("query", f"Unsupported condition on {name}.")


def _sort(given: Any, kind: str) -> tuple[str, str]:
    match given:
        case None | []:
            return "date_created", "DESC"
        case [
            {"direction": "asc" | "desc" as direction, "field": {"object_type": str(named), "field_name": str(name)}}
        ] if named == kind and name in _TIMES:
            return name, direction.upper()
    raise CloseError.field("sort", "Unsupported sort.")


def _fields(given: Any, kind: str, most: int) -> list[str]:
    """Read which fields to return: only ``id`` unless they are named; an unknown one is refused, and one too many."""
    if given is None:
        return ["id"]
    named = given.get(kind, ["id"]) if isinstance(given, dict) else None
    known = _KNOWN[kind]
    if not isinstance(named, list) or any(each not in known for each in named):
        unknown = [each for each in named or [] if each not in known]
        raise CloseError.field("_fields", f"Unknown fields: {', '.join(map(str, unknown))}")
    if len(named) > most:
        raise CloseError.field("_fields", "Too many fields requested")
    return [*named]


_SHARED = {
    "id", "name", "display_name", "custom", "custom.cf_source", "organization_id", "created_by", "updated_by", *_TIMES,
}  # fmt: skip
_KNOWN = {
    "lead": _SHARED | {
        "url", "description", "status_id", "status_label", "addresses", "custom.cf_industry", "custom.cf_employees",
    },
    "contact": _SHARED | {"lead_id", "title", "emails", "phones", "urls", "custom.cf_linkedin"},
}  # fmt: skip


def _place(token: Any, faults: CloseFaults) -> _Place:
    if not token:
        return _Place()
    try:
        after, given, issued = orjson.loads(base64.urlsafe_b64decode(str(token)))
    except ValueError:
        raise CloseError.field("cursor", "Invalid cursor.") from None
    if time() - issued > faults.cursor_seconds or faults.take("expire_cursor_next"):
        raise CloseError(400, "Expired cursor")
    return _Place(after and (after[0], after[1]), given, issued)


def _following(place: _Place, page: list[dict[str, Any]], field: str) -> str:
    last = page[-1]
    return _Place((last[field][:26], last["id"]), place.given + len(page)).token()
