"""Records as HubSpot shows them: the list by id, one record, and the batch read."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.hubspot import associations, paging
from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.vendors.hubspot.catalogue import CrmObject
    from gtm_pipelines.sandbox.wire import Call

_MOST_LISTED = 100
_MOST_WITH_HISTORY = 50
_MOST_READ = 100
_OWN = ("id", "created_ms", "modified_ms", "archived", "archived_ms")


def iso(milliseconds: int) -> str:
    """Write a moment as HubSpot does: three decimals and Z."""
    moment = datetime.fromtimestamp(milliseconds // 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03d}Z"


def select(tenant: Tenant, kind: CrmObject, wanted: Iterable[str]) -> tuple[str, list[str]]:
    """Return the columns for some properties, and the properties; those the account has not are passed over."""
    hidden = set(tenant.faults_of(HubspotFaults).hide_property)
    asked = {*wanted, *kind.defaults, "hs_object_id"}
    names = sorted(name for name in asked if kind.find(name) and f"{kind.name}.{name}" not in hidden)
    columns = ", ".join([*_OWN, *(kind.column(name) for name in names)])
    return columns, names


def record(kind: CrmObject, names: Sequence[str], row: Sequence[Any]) -> dict[str, Any]:
    """Write one row of :func:`select` as a record."""
    key, created, modified, archived, archived_ms = row[: len(_OWN)]
    values = dict(zip(names, row[len(_OWN) :], strict=True))
    times = {each.name for each in kind.properties if each.type == "datetime"}
    properties = {
        name: None if value is None else iso(value) if name in times else str(value) for name, value in values.items()
    }
    made: dict[str, Any] = {
        "id": str(key),
        "properties": properties,
        "createdAt": iso(created),
        "updatedAt": iso(modified),
        "archived": archived,
    }
    if archived:
        made["archivedAt"] = iso(archived_ms)
    return made


def listed(tenant: Tenant, call: Call, kind: CrmObject) -> dict[str, Any]:
    """Answer ``GET /{object}``: by id, live or archived ones, never both."""
    history = _names(call, "propertiesWithHistory")
    limit = paging.limit(call.query.get("limit"), default=10, most=_MOST_WITH_HISTORY if history else _MOST_LISTED)
    archived = call.query.get("archived", "").lower() == "true"
    turn = paging.turn(call.query.get("after"), tenant.faults_of(HubspotFaults))
    columns, names = select(tenant, kind, _names(call, "properties"))
    rows: list[tuple[Any, ...]] = []
    if not turn.is_empty:
        with tenant.world.cursor() as cursor:
            rows = cursor.execute(
                f"SELECT {columns} FROM {kind.table} WHERE archived = ? AND id > ? ORDER BY id LIMIT {limit + 1}",
                [archived, turn.reads_after],
            ).fetchall()
    found = [record(kind, names, row) for row in rows[:limit]]
    if history:
        _add_history(found, history)
    associations.add_inline(tenant, kind, found, _names(call, "associations"))
    last = rows[limit - 1][0] if len(rows) > limit else None
    return {"results": found, **paging.following(turn, last, call, tenant.id)}


def one(tenant: Tenant, call: Call, kind: CrmObject, key: str) -> dict[str, Any]:
    """Answer ``GET /{object}/{id}``; the id of a record that was merged away finds the survivor."""
    column = call.query.get("idProperty", "hs_object_id")
    if kind.find(column) is None:
        raise HubspotError.invalid(f"Property {column!r} does not exist")
    with tenant.world.cursor() as cursor:
        winner = cursor.execute(
            "SELECT winner::VARCHAR FROM hubspot.merged WHERE object = ? AND loser::VARCHAR = ?", [kind.name, key]
        ).fetchall()
    found = _by(tenant, kind, column, [winner[0][0] if winner else key], _names(call, "properties"), archived=False)
    if not found:
        raise HubspotError.not_found()
    associations.add_inline(tenant, kind, found, _names(call, "associations"))
    return found[0]


def batch(tenant: Tenant, call: Call, kind: CrmObject) -> tuple[dict[str, Any], int]:
    """Answer ``POST /{object}/batch/read``: with 207 when some are not there."""
    given = body(call)
    inputs = given.get("inputs")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) and "id" in each for each in inputs):
        raise HubspotError.invalid("inputs is required")
    if len(inputs) > _MOST_READ:
        raise HubspotError.invalid(f"The maximum number of inputs is {_MOST_READ}")
    column = given.get("idProperty") or "hs_object_id"
    keys = [str(each["id"]) for each in inputs]
    archived = call.query.get("archived", "").lower() == "true"
    found = _by(tenant, kind, column, keys, given.get("properties") or (), archived=archived)
    now = tenant.world.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answer = {"status": "COMPLETE", "results": found, "startedAt": now, "completedAt": now}
    known = {each["id"] if column == "hs_object_id" else each["properties"][column] for each in found}
    missing = [key for key in keys if key not in known]
    said = f"Could not get some {kind.singular.upper()} objects, they may be deleted or not exist."
    errors = [_error("OBJECT_NOT_FOUND", said, missing)] if missing else []
    if found and tenant.faults_of(HubspotFaults).take("partial_batch_next"):
        errors.append(_error("INTERNAL_ERROR", "internal error", [found.pop(0)["id"]]))
    return ({**answer, "numErrors": len(errors), "errors": errors}, 207) if errors else (answer, 200)


def _error(category: str, message: str, ids: list[str]) -> dict[str, Any]:
    return {"status": "error", "category": category, "message": message, "context": {"ids": ids}}


def body(call: Call) -> dict[str, Any]:
    """Read a JSON body; raise HubspotError for anything but an object."""
    try:
        given = orjson.loads(call.body or b"{}")
    except orjson.JSONDecodeError:
        given = None
    if not isinstance(given, dict):
        raise HubspotError.invalid("Invalid input JSON")
    return given


def _by(
    tenant: Tenant, kind: CrmObject, column: str, keys: list[str], wanted: Iterable[str], *, archived: bool
) -> list[dict[str, Any]]:
    columns, names = select(tenant, kind, [*wanted, column])
    where = kind.column(column)
    values: list[Any] = [int(key) for key in keys if key.isdecimal()] if where == "id" else keys
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"SELECT {columns} FROM {kind.table} WHERE archived = ? AND {where} IN (SELECT unnest(?)) ORDER BY id DESC",
            [archived, values],
        ).fetchall()
    return [record(kind, names, row) for row in rows]


def _names(call: Call, parameter: str) -> list[str]:
    """Read a list: parted by commas, or the parameter said several times."""
    return [name for key, text in call.pairs if key == parameter for name in text.split(",") if name]


def _add_history(found: list[dict[str, Any]], names: list[str]) -> None:
    """Add each property's versions, of which the sandbox keeps the present one only."""
    for each in found:
        versions = {
            name: [{"value": value, "timestamp": each["updatedAt"], "sourceType": "CRM_UI"}]
            for name in names
            if (value := each["properties"].get(name)) is not None
        }
        each["propertiesWithHistory"] = versions
