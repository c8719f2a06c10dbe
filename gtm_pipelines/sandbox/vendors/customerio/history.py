"""What was sent and what was done: deliveries with their metrics, and the activity log.

Newest first, and nothing later than the world's present.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.customerio import paging
from gtm_pipelines.sandbox.vendors.customerio.errors import CustomerioError
from gtm_pipelines.sandbox.vendors.customerio.faults import CustomerioFaults

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_MOST_MESSAGES = 1000
_MOST_ACTIVITIES = 100
_KEPT_S = 30 * 86_400
_METRICS = ("sent", "delivered", "opened", "clicked", "converted", "bounced")
_NUMBERS = ("campaign_id", "newsletter_id", "action_id")
# Of the deleted, only the cio_id is left.
_WHOSE = "{'id': p.id, 'email': p.email, 'cio_id': t.cio_id} AS customer_identifiers, p.id AS customer_id"


def messages(tenant: Tenant, call: Call, cio_id: str | None = None) -> dict[str, Any]:
    """Answer ``GET /messages``; ``start_ts`` and ``end_ts`` bound ``created``, both inclusive."""
    conditions: list[str] = ["created <= now_s"]
    parameters: list[Any] = []
    for name, operator in (("start_ts", ">="), ("end_ts", "<=")):
        if name in call.query:
            conditions.append(f"created {operator} ?")
            parameters.append(_whole(call, name))
    for name in _NUMBERS:
        if name in call.query:
            conditions.append(f"{name} = ?")
            parameters.append(_whole(call, name))
    if "type" in call.query:
        conditions.append("type = ?")
        parameters.append(call.query["type"])
    if call.query.get("metric") in _METRICS:
        conditions.append(f"{call.query['metric']} <= now_s")
    rows, following = _page(tenant, call, ("message", "created", _MOST_MESSAGES), conditions, parameters, cio_id)
    return {
        "messages": [_message(row, forgotten=tenant.faults_of(CustomerioFaults).forget_people) for row in rows],
        "next": following,
    }


def activities(tenant: Tenant, call: Call, cio_id: str | None = None) -> dict[str, Any]:
    """Answer ``GET /activities``; thirty days are kept, and ``deleted=true`` leaves only those of deleted people."""
    conditions = ["timestamp <= now_s", f"timestamp >= now_s - {_KEPT_S}"]
    parameters: list[Any] = []
    for name in ("type", "name"):
        if name in call.query:
            conditions.append(f"{name} = ?")
            parameters.append(call.query[name])
    if call.query.get("deleted") == "true":
        conditions.append("NOT EXISTS (FROM customerio.person q WHERE q.cio_id = s.cio_id)")
    rows, following = _page(tenant, call, ("activity", "timestamp", _MOST_ACTIVITIES), conditions, parameters, cio_id)
    return {"activities": [_activity(row) for row in rows], "next": following}


def _page(
    tenant: Tenant,
    call: Call,
    source: tuple[str, str, int],
    conditions: list[str],
    parameters: list[Any],
    cio_id: str | None,
) -> tuple[list[dict[str, Any]], str]:
    """One page of a table, newest first, each row with whose it is."""
    table, clock, most = source
    faults = tenant.faults_of(CustomerioFaults)
    here, size = paging.place(call), paging.limit(call, most)
    turned = paging.turn(here, faults)
    if turned.is_empty:
        return [], paging.following(here, turned, None, faults)
    if cio_id is not None:
        conditions, parameters = [*conditions, "s.cio_id = ?"], [*parameters, cio_id]
    if turned.reads_after:
        conditions = [*conditions, f"{clock} <= ? AND ({clock} < ? OR s.id < ?)"]
        parameters = [*parameters, turned.reads_after[0], *turned.reads_after]
    inner = (
        f"SELECT s.*, now_s FROM customerio.{table} s, gen.world WHERE {' AND '.join(conditions)} "
        f"ORDER BY {clock} DESC, s.id DESC LIMIT {size + 1}"
    )
    with tenant.world.cursor() as cursor:
        reader = cursor.execute(
            f"SELECT t.*, {_WHOSE} FROM ({inner}) t LEFT JOIN customerio.person p ON p.cio_id = t.cio_id "
            f"ORDER BY t.{clock} DESC, t.id DESC",
            parameters,
        )
        names = [each[0] for each in reader.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in reader.fetchall()]
    page = rows[:size]
    last = [page[-1][clock], page[-1]["id"]] if len(rows) > size else None
    # A first page with more behind it is followed by an empty one that still has a next: the vendor does that too.
    return page, paging.following(here, turned, last, faults, gap=table == "message" and here.after is None)


def _message(row: dict[str, Any], *, forgotten: bool) -> dict[str, Any]:
    metrics = {name: row[name] for name in _METRICS if row[name] is not None and row[name] <= row["now_s"]}
    updated = max(metrics.values(), default=row["created"])
    about = {name: row[name] for name in _NUMBERS if row[name] is not None}
    return {
        "id": row["id"],
        "deduplicate_id": f"{row['id']}:{updated}",
        "created": row["created"],
        "type": row["type"],
        "recipient": None if forgotten else row["recipient"],
        "subject": row["subject"],
        "customer_id": row["customer_id"],
        "customer_identifiers": row["customer_identifiers"],
        **about,
        "msg_template_id": 7,
        "failure_message": row["failure_message"],
        "forgotten": forgotten or row["forgotten"],
        "metrics": metrics,
    }


def _activity(row: dict[str, Any]) -> dict[str, Any]:
    optional = {name: row[name] for name in ("name", "delivery_id", "delivery_type", "url") if row[name] is not None}
    return {
        "id": row["id"],
        "type": row["type"],
        "timestamp": row["timestamp"],
        "customer_id": row["customer_id"],
        "customer_identifiers": row["customer_identifiers"],
        **optional,
        "data": orjson.loads(row["data"]) if row["data"] else {},
    }


def _whole(call: Call, name: str) -> int:
    if not call.query[name].isdecimal():
        raise CustomerioError.invalid(f"invalid {name}")
    return int(call.query[name])
