"""Making, changing and deleting a customer, archiving a price: each leaves its event; nothing else is written here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.stripe import lists
from gtm_pipelines.sandbox.vendors.stripe.errors import StripeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from duckdb import DuckDBPyConnection

    from gtm_pipelines.sandbox.tenants import Tenant

_TEXTS = ("name", "business_name", "individual_name", "email", "phone", "description")
_SERIALS = 1 << 36  # where the serial numbers of customers made by callers begin


def create(tenant: Tenant, given: Mapping[str, Any]) -> str:
    """Make a customer now; return it as JSON text."""
    texts, metadata = _told(given)
    with tenant.world.cursor() as cursor:
        made = cursor.execute(
            "INSERT INTO stripe.customer BY NAME"
            " SELECT stripe.oid('cus_', ? + (SELECT count(*) FROM stripe.customer)) AS id, now_s AS created,"
            " false AS delinquent, ?::JSON AS metadata, false AS deleted FROM gen.world RETURNING id",
            [_SERIALS, orjson.dumps(metadata).decode()],
        ).fetchall()
    return _change(tenant, str(made[0][0]), texts, {}, "customer.created")


def update(tenant: Tenant, customer: str, given: Mapping[str, Any]) -> str:
    """Change a customer now; metadata is merged, and a key set to "" goes."""
    texts, metadata = _told(given)
    lists.one(tenant, "customers", customer)
    return _change(tenant, customer, texts, metadata, "customer.updated")


def delete(tenant: Tenant, customer: str) -> str:
    """Delete a customer now; return the stub."""
    _change(tenant, customer, {}, {}, "customer.deleted")
    with tenant.world.cursor() as cursor:
        cursor.execute("UPDATE stripe.customer SET deleted = true WHERE id = ?", [customer])
    return f'{{"id":"{customer}","object":"customer","deleted":true}}'


def archive(tenant: Tenant, price: str, given: Mapping[str, Any]) -> str:
    """Set a price active or not, now; return it as JSON text."""
    for name in given:
        if name != "active":
            raise StripeError.unknown_parameter(name)
    lists.one(tenant, "prices", price)
    with tenant.world.cursor() as cursor:
        cursor.execute("UPDATE stripe.price SET active = ? WHERE id = ?", [given.get("active") != "false", price])
        whole = lists.one(tenant, "prices", price)
        _log(cursor, "price.updated", price, whole)
    return whole


def _told(given: Mapping[str, Any]) -> tuple[dict[str, str], dict[str, str]]:
    for name in given:
        if name not in {*_TEXTS, "metadata"}:
            raise StripeError.unknown_parameter(name)
    metadata = given.get("metadata") or {}
    return {name: str(given[name]) for name in _TEXTS if name in given}, dict(metadata)


def _change(tenant: Tenant, customer: str, texts: Mapping[str, str], metadata: Mapping[str, str], event: str) -> str:
    columns = "".join(f"{name} = ?, " for name in texts)
    patch = orjson.dumps({key: value or None for key, value in metadata.items()}).decode()
    with tenant.world.cursor() as cursor:
        cursor.execute(
            f"UPDATE stripe.customer SET {columns}metadata = json_merge_patch(metadata, ?::JSON) WHERE id = ?",
            [*texts.values(), patch, customer],
        )
        whole = lists.one(tenant, "customers", customer)
        _log(cursor, event, customer, whole)
    return whole


def _log(cursor: DuckDBPyConnection, event: str, object_id: str, whole: str) -> None:
    cursor.execute(
        "INSERT INTO stripe.event SELECT concat('evt_2', right(printf('%016x', gen.h(count(*), 'written')), 16)),"
        " any_value(now_s), ?, ?, ?::JSON FROM stripe.event, gen.world",
        [event, object_id, whole],
    )
