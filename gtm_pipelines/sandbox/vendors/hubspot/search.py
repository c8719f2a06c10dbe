"""Search: filters, sorts and the cap. The index may lag, and shows no archived records and no associations."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.hubspot import paging
from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults
from gtm_pipelines.sandbox.vendors.hubspot.records import record, select

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.vendors.hubspot.catalogue import CrmObject, Property

_MOST = 200
_MOST_GROUPS = 5
_MOST_FILTERS = 6
_COMPARED = {"EQ": "=", "NEQ": "<>", "LT": "<", "LTE": "<=", "GT": ">", "GTE": ">="}


def answer(tenant: Tenant, kind: CrmObject, given: dict[str, Any]) -> dict[str, Any]:
    """Answer ``POST /{object}/search``."""
    faults = tenant.faults_of(HubspotFaults)
    limit = paging.limit(given.get("limit"), default=10, most=_MOST)
    turn = paging.turn(given.get("after"), faults)
    if turn.reads_after + limit > faults.search_cap:
        raise HubspotError.invalid(f"Paging through search results is limited to {faults.search_cap} objects.")
    where, parameters = _condition(kind, given)
    horizon = int(tenant.world.now().timestamp() - faults.search_lag_s) * 1000
    where = f"NOT archived AND modified_ms <= {horizon} AND ({where})"
    columns, names = select(tenant, kind, given.get("properties") or ())
    with tenant.world.cursor() as cursor:
        (total,) = cursor.execute(f"SELECT count(*) FROM {kind.table} WHERE {where}", parameters).fetchall()[0]
        rows = []
        if not turn.is_empty:
            rows = cursor.execute(
                f"SELECT {columns} FROM {kind.table} WHERE {where} ORDER BY {_order(kind, given)} "
                f"LIMIT {limit} OFFSET {turn.reads_after}",
                parameters,
            ).fetchall()
    found = [record(kind, names, row) for row in rows]
    if faults.shuffle_search:
        found.reverse()
    reached = turn.reads_after + len(rows)
    return {"total": total, "results": found, **paging.following(turn, reached if reached < total and rows else None)}


def _condition(kind: CrmObject, given: dict[str, Any]) -> tuple[str, list[Any]]:
    groups = given.get("filterGroups") or []
    if len(groups) > _MOST_GROUPS or any(len(each.get("filters") or []) > _MOST_FILTERS for each in groups):
        raise HubspotError.invalid(f"At most {_MOST_GROUPS} filter groups of {_MOST_FILTERS} filters")
    parts: list[str] = []
    parameters: list[Any] = []
    for group in groups:
        inner = [_filter(kind, each) for each in group.get("filters") or []]
        parts.append(" AND ".join(text for text, _ in inner) or "true")
        parameters += [value for _, values in inner for value in values]
    where = " OR ".join(f"({part})" for part in parts) or "true"
    words = str(given.get("query") or "").lower()
    if words:
        texts = [name for name in kind.defaults if (found := kind.find(name)) and found.type == "string"]
        where = f"({where}) AND contains(lower(concat_ws(' ', {', '.join(texts) or 'id'})), ?)"
        parameters.append(words)
    return where, parameters


def _filter(kind: CrmObject, given: dict[str, Any]) -> tuple[str, list[Any]]:
    """Turn one filter into SQL: numbers and times compare as such, texts without case."""
    named = kind.find(str(given.get("propertyName")))
    operator = str(given.get("operator"))
    if named is None:
        raise HubspotError.invalid(
            f"There was a problem with the request: unknown property {given.get('propertyName')}"
        )
    column = _comparable(kind, named)
    if operator in {"HAS_PROPERTY", "NOT_HAS_PROPERTY"}:
        return f"nullif({kind.column(named.name)}::VARCHAR, '') IS {'NOT ' * (operator == 'HAS_PROPERTY')}NULL", []
    if operator in {"IN", "NOT_IN"}:
        values = [_value(named, each) for each in given.get("values") or []]
        marks = ", ".join("?" for _ in values)
        return f"coalesce({column} {'NOT ' * (operator == 'NOT_IN')}IN ({marks}), false)", values
    if operator == "BETWEEN":
        return f"{column} BETWEEN ? AND ?", [_value(named, given.get("value")), _value(named, given.get("highValue"))]
    if operator in {"CONTAINS_TOKEN", "NOT_CONTAINS_TOKEN"}:
        token = str(given.get("value")).lower().replace("*", "%")
        return f"{'NOT ' * operator.startswith('NOT')}coalesce({column} LIKE ?, false)", [f"%{token}%"]
    if operator not in _COMPARED:
        raise HubspotError.invalid(f"Invalid operator {operator}")
    return f"{column} {_COMPARED[operator]} ?", [_value(named, given.get("value"))]


def _comparable(kind: CrmObject, named: Property) -> str:
    column = kind.column(named.name)
    if named.type == "datetime" or column == "id":
        return column
    return f"try_cast({column} AS DOUBLE)" if named.type == "number" else f"lower({column})"


def _value(named: Property, given: Any) -> Any:
    """Read a filter's value: a time is epoch milliseconds or ISO 8601. The beginning of time is too much for it."""
    if given is None:
        raise HubspotError.invalid(f"A value is missing for {named.name}")
    text = str(given)
    try:
        if named.type == "datetime":
            moment = int(text) if text.lstrip("-").isdecimal() else _milliseconds(text)
            if moment <= 0:
                raise HubspotError(500, "INTERNAL_ERROR", "internal error")
            return moment
        if named.name == "hs_object_id":
            return int(text)
        return float(text) if named.type == "number" else text.lower()
    except ValueError:
        raise HubspotError.invalid(f"{text} is not a value of {named.name}") from None


def _milliseconds(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.replace(tzinfo=moment.tzinfo or UTC).timestamp() * 1000)


def _order(kind: CrmObject, given: dict[str, Any]) -> str:
    """Read the one sort there may be; equal values come by id."""
    sorts = given.get("sorts") or []
    if len(sorts) > 1:
        raise HubspotError.invalid("Only one sort is allowed")
    if not sorts:
        return "id"
    first = sorts[0] if isinstance(sorts[0], dict) else {"propertyName": str(sorts[0]).lstrip("-")}
    named = kind.find(str(first.get("propertyName")))
    if named is None:
        raise HubspotError.invalid(f"Unknown property {first.get('propertyName')}")
    descends = first.get("direction") == "DESCENDING" or (isinstance(sorts[0], str) and sorts[0].startswith("-"))
    return f"{_comparable(kind, named)} {'DESC' if descends else 'ASC'}, id"
