"""Close's lists: a window of ``_skip`` and ``_limit`` over everything, with the few time filters each of them has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.close.errors import CloseError
from gtm_pipelines.sandbox.vendors.close.faults import CloseFaults
from gtm_pipelines.sandbox.vendors.close.records import Asked, count, picked, rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_pipelines.sandbox.tenants import Tenant

_USUAL = 100
_MOST = 200
OPERATORS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
_BY_LEAD_ONLY = ("_type", "contact_id", "user_id")


@dataclass(frozen=True)
class Listing:
    """One list: its table, what it is sorted by, and which fields filter it."""

    table: str
    order: str = "date_created DESC, id"
    times: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()


LISTINGS = {
    "lead": Listing("lead", filters=("query",)),
    "contact": Listing("contact", filters=("lead_id",)),
    "opportunity": Listing(
        "opportunity",
        times=("date_created", "date_updated", "date_won"),
        filters=("lead_id", "user_id", "status_type"),
        orders=("date_created", "date_updated", "date_won"),
    ),
    "activity": Listing("activity", times=("date_created", "activity_at"), filters=("lead_id", *_BY_LEAD_ONLY)),
    "user": Listing("user", order="date_created, id"),
}


def listed(tenant: Tenant, name: str, query: Mapping[str, str], kind: str | None = None) -> dict[str, Any]:
    """Answer a list; ``kind`` narrows it, as in ``/activity/call/`` or ``/custom_field/lead/``."""
    listing = LISTINGS.get(name) or Listing("custom_field", order="name")
    conditions, values = _conditions(listing, query)
    if kind is not None:
        conditions.append("lower(type) = ?" if name == "activity" else "object_type = ?")
        values.append(kind)
    skip, limit = _number(query, "_skip", 0), min(_number(query, "_limit", _USUAL), _MOST)
    most = tenant.faults_of(CloseFaults).max_skip
    if skip > most:
        raise CloseError(400, f"The skip you set is larger than the maximum skip for this resource (max_skip = {most})")
    asked = Asked(listing.table, conditions, values, _order(listing, query), limit, skip)
    found = rows(tenant, asked)
    data = found[:limit]
    if "_fields" in query:
        data = [picked(each, query["_fields"].split(",")) for each in data]
    return {"data": data, "has_more": len(found) > limit, "total_results": count(tenant, asked)}


def schema(tenant: Tenant, kind: str) -> dict[str, Any]:
    """Answer ``/custom_field_schema/{kind}/``: its own fields and the shared ones it has, all in one answer."""
    own = rows(tenant, Asked("custom_field", ("object_type = ?",), (kind,), "name"))
    shared = rows(tenant, Asked("custom_field", ("object_type = 'shared'",), order="name"))
    fields = [*own, *(each for each in shared if {"object_type": kind} in each["associations"])]
    return {"name": kind.capitalize(), "object_type": kind, "fields": fields}


def _conditions(listing: Listing, query: Mapping[str, str]) -> tuple[list[str], list[Any]]:
    conditions: list[str] = []
    values: list[Any] = []
    if (
        "lead_id" not in query
        and any(name.partition("__")[0] in (*_BY_LEAD_ONLY, "activity_at") for name in query)
        and (listing.table == "activity")
    ):
        raise CloseError(400, "This filter needs a single lead_id.")
    for name, value in query.items():
        field, _, operator = name.partition("__")
        if name.startswith("_") and name != "_type":
            continue
        if operator and field in listing.times and operator in OPERATORS:
            conditions.append(f"{field} {OPERATORS[operator]} ?")
            values.append(moment(value, name))
        elif name in listing.filters and name != "query":
            conditions.append(f"{name.lstrip('_')} = ?")
            values.append(value)
        elif name == "query" and "query" in listing.filters:
            conditions.append("contains(lower(name), lower(?))")
            values.append(value)
        else:
            raise CloseError.field(name, "Unknown field.")
    return conditions, values


def moment(text: str, name: str) -> datetime:
    """Read a moment as Close takes it; one without a zone is UTC."""
    try:
        given = datetime.fromisoformat(text.replace(" ", "+"))
    except ValueError:
        raise CloseError.field(name, f"Invalid date: {text}") from None
    return (given.astimezone(UTC) if given.tzinfo else given).replace(tzinfo=None)


def _order(listing: Listing, query: Mapping[str, str]) -> str:
    asked = query.get("_order_by", "")
    if not asked:
        return listing.order
    if asked.removeprefix("-") not in listing.orders:
        raise CloseError.field("_order_by", "Unknown field.")
    return f"{asked.removeprefix('-')} {'DESC' if asked.startswith('-') else 'ASC'}, id"


def _number(query: Mapping[str, str], name: str, usual: int) -> int:
    text = query.get(name, str(usual))
    if not text.isdecimal():
        raise CloseError.field(name, "Invalid number.")
    return int(text)
