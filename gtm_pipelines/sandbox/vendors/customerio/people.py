"""People: enumerating them, reading their attributes, and who is in a segment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.customerio import paging
from gtm_pipelines.sandbox.vendors.customerio.errors import CustomerioError
from gtm_pipelines.sandbox.vendors.customerio.faults import CustomerioFaults

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_MOST_IDS = 1000
_MOST_ATTRIBUTES = 100
_COLUMNS = ("cio_id", "id", "email")
_ATTRIBUTES = ("first_name", "last_name", "title", "phone", "company", "plan", "city")
ID_TYPES = {"id": "id", "email": "lower(email)", "cio_id": "cio_id"}
_SEGMENTS = {1: "true", 2: "plan = 'business'", 3: "unsubscribed", 4: "false", 5: "plan = 'team'"}
_DEEPEST = 10


def search(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``POST /customers``: identifiers of everyone a filter lets through."""
    try:
        given = orjson.loads(call.body or b"{}")
    except orjson.JSONDecodeError:
        raise CustomerioError.invalid("invalid JSON") from None
    if not isinstance(given, dict) or "filter" not in given:
        raise CustomerioError.invalid("filter is required")
    condition, parameters = _condition(given["filter"])
    return _listed(tenant, call, condition, parameters)


def members(tenant: Tenant, call: Call, segment: str) -> dict[str, Any]:
    """Answer ``GET /segments/{id}/membership``."""
    condition = _SEGMENTS.get(int(segment)) if segment.isdecimal() else None
    if condition is None:
        raise CustomerioError.not_found()
    return _listed(tenant, call, condition, [])


def segments_of(tenant: Tenant, cio_id: str) -> list[dict[str, Any]]:
    """List the segments a person is in."""
    with tenant.world.cursor() as cursor:
        tests = ", ".join(f"{condition} AS s{number}" for number, condition in _SEGMENTS.items())
        row = cursor.execute(f"SELECT {tests} FROM customerio.person WHERE cio_id = ?", [cio_id]).fetchall()[0]
        known = cursor.execute("SELECT id, name FROM customerio.segment ORDER BY id").fetchall()
    return [{"id": number, "name": name} for number, name in known if row[number - 1]]


def attributes(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``POST /customers/attributes``; ids nobody has are left out without a word."""
    try:
        ids = orjson.loads(call.body)["ids"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        raise CustomerioError.invalid("ids is required") from None
    if not isinstance(ids, list) or not 1 <= len(ids) <= _MOST_ATTRIBUTES:
        raise CustomerioError.invalid(f"ids must hold 1 to {_MOST_ATTRIBUTES} ids")
    return {"customers": profiles(tenant, id_type(call), [str(each) for each in ids])}


def profiles(tenant: Tenant, column: str, ids: list[str]) -> list[dict[str, Any]]:
    """Whole profiles, in the order of the world; attribute values are texts, and those not set are not there."""
    with tenant.world.cursor() as cursor:
        reader = cursor.execute(f"SELECT * FROM customerio.person WHERE {column} IN (SELECT unnest(?))", [ids])
        names = [each[0] for each in reader.description or ()]
        rows = reader.fetchall()
    return [_profile(dict(zip(names, row, strict=True))) for row in rows]


def _profile(row: dict[str, Any]) -> dict[str, Any]:
    given = {name: str(row[name]) for name in (*_COLUMNS, *_ATTRIBUTES) if row[name] is not None}
    given["created_at"] = str(row["created_s"])
    timestamps = dict.fromkeys(given, row["created_s"])
    for name in ("title", "phone", "plan"):
        if name in given:
            timestamps[name] = row["updated_s"]
    if row["unsubscribed"]:
        given["unsubscribed"] = "true"
        timestamps["unsubscribed"] = row["updated_s"]
    return {
        "id": row["id"],
        "identifiers": {"cio_id": row["cio_id"], "email": row["email"], "id": row["id"]},
        "attributes": given,
        "timestamps": timestamps,
        "unsubscribed": row["unsubscribed"],
        "devices": [],
    }


def id_type(call: Call) -> str:
    """Read ``id_type`` as the column it stands for."""
    asked = call.query.get("id_type", "id")
    if asked not in ID_TYPES:
        raise CustomerioError.invalid("invalid id_type")
    return ID_TYPES[asked]


def _listed(tenant: Tenant, call: Call, condition: str, parameters: list[Any]) -> dict[str, Any]:
    faults = tenant.faults_of(CustomerioFaults)
    here, size = paging.place(call), paging.limit(call, _MOST_IDS)
    turned = paging.turn(here, faults)
    rows: list[tuple[Any, ...]] = []
    if not turned.is_empty:
        after = turned.reads_after[0] if turned.reads_after else ""
        with tenant.world.cursor() as cursor:
            rows = cursor.execute(
                f"SELECT cio_id, id, email FROM customerio.person WHERE ({condition}) AND cio_id > ? "
                f"ORDER BY cio_id LIMIT {size + 1}",
                [*parameters, after],
            ).fetchall()
    page = rows[:size]
    last = [page[-1][0]] if len(rows) > size else None
    return {
        "identifiers": [{"cio_id": cio_id, "email": email, "id": own} for cio_id, own, email in page] or None,
        "ids": [own for _, own, _ in page] or None,
        "next": paging.following(here, turned, last, faults),
    }


def _condition(node: Any, depth: int = 0) -> tuple[str, list[Any]]:
    """Turn a filter into SQL: ``and``, ``or``, ``not``, ``attribute`` (``exists`` and ``eq``) and ``segment``."""
    if not isinstance(node, dict) or len(node) != 1 or depth > _DEEPEST:
        raise CustomerioError.invalid("invalid filter")
    ((word, inner),) = node.items()
    if word in {"and", "or"} and isinstance(inner, list) and inner:
        parts = [_condition(each, depth + 1) for each in inner]
        return "(" + f" {word} ".join(text for text, _ in parts) + ")", [
            value for _, values in parts for value in values
        ]
    if word == "not":
        text, values = _condition(inner, depth + 1)
        return f"NOT coalesce({text}, false)", values
    if word == "segment" and isinstance(inner, dict) and inner.get("id") in _SEGMENTS:
        return _SEGMENTS[inner["id"]], []
    if word == "attribute" and isinstance(inner, dict) and inner.get("field") in {*_COLUMNS, *_ATTRIBUTES}:
        if inner.get("operator") == "exists":
            return f"{inner['field']} IS NOT NULL", []
        if inner.get("operator") == "eq":
            return f"{inner['field']} = ?", [str(inner.get("value"))]
    raise CustomerioError.invalid("invalid filter")
