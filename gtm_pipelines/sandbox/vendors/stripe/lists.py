"""What Stripe lists and how: newest first, a page after an object's id, and the few filters each list has."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.stripe import form
from gtm_pipelines.sandbox.vendors.stripe.errors import StripeError
from gtm_pipelines.sandbox.vendors.stripe.faults import StripeFaults

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_pipelines.sandbox.tenants import Tenant

_MOST = 100
_USUAL = 10
_TYPES = 20
_DAY_S = 86_400
_BOUNDS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}


@dataclass(frozen=True)
class Kind:
    """One kind of object: its table, how a row is written, and by which columns its list is filtered."""

    name: str
    table: str
    condition: str = "NOT deleted"
    filters: tuple[str, ...] = ()

    @property
    def source(self) -> str:
        """The rows there are, none of them later than the present."""
        return f"SELECT s.* FROM stripe.{self.table} s, gen.world w WHERE {self.condition} AND s.created <= w.now_s"


KINDS = {
    "customers": Kind("customer", "customer", filters=("email",)),
    "subscriptions": Kind("subscription", "subscription", filters=("customer", "price", "status")),
    "invoices": Kind("invoice", "invoice", filters=("customer", "subscription", "status")),
    "charges": Kind("charge", "charge", filters=("customer",)),
    "products": Kind("product", "product", filters=("active",)),
    "prices": Kind("price", "price", filters=("product", "active", "currency")),
    "plans": Kind("plan", "price", "NOT deleted AND every IS NOT NULL", ("product", "active")),
    "events": Kind("event", "event", "true"),
}


def page(tenant: Tenant, path: str, given: Mapping[str, Any]) -> tuple[list[str], bool]:
    """Return the objects of one page as JSON texts, newest first, and whether more follow."""
    kind, faults = KINDS[path], tenant.faults_of(StripeFaults)
    size = _limit(given)
    conditions, values = _conditions(kind, path, given)
    if path == "events":
        conditions.append(f"created > (SELECT now_s FROM gen.world) - {faults.retention_days * _DAY_S}")
    turned = "ending_before" in given
    anchor = given.get("ending_before") or given.get("starting_after")
    if anchor and not (
        faults.repeat_token and not turned
    ):  # a vendor that takes no notice of it gives one page for ever
        at = _place(tenant, kind, str(anchor), "ending_before" if turned else "starting_after")
        conditions.append(f"(created, id) {'>' if turned else '<'} (?, ?)")
        values += [at, anchor]
    order = "ASC" if turned else "DESC"
    chosen = " AND ".join(["true", *conditions])
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"WITH page AS (SELECT * FROM ({kind.source}) WHERE {chosen} "
            f"ORDER BY created {order}, id {order} LIMIT {size + 1}) "
            f"SELECT stripe.{kind.name}_json(r)::VARCHAR FROM page r ORDER BY created {order}, id {order}",
            values,
        ).fetchall()
    texts = [text for (text,) in rows[:size]]
    return (texts[::-1] if turned else texts), len(rows) > size


def one(tenant: Tenant, path: str, object_id: str) -> str:
    """Return one object as JSON text; a deleted customer or product is only a stub, anything else deleted is gone."""
    kind = KINDS[path]
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"SELECT stripe.{kind.name}_json(r)::VARCHAR FROM ({kind.source}) r WHERE id = ?", [object_id]
        ).fetchall()
        if rows:
            return str(rows[0][0])
        if (
            kind.name in {"customer", "product"}
            and cursor.execute(f"SELECT 1 FROM stripe.{kind.table} WHERE id = ? AND deleted", [object_id]).fetchall()
        ):
            return f'{{"id":"{object_id}","object":"{kind.name}","deleted":true}}'
    raise StripeError.missing(kind.name, object_id, "id")


def _limit(given: Mapping[str, Any]) -> int:
    asked = str(given.get("limit", _USUAL))
    if not asked.isdecimal() or not 1 <= int(asked) <= _MOST:
        raise StripeError(400, "This value must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    return int(asked)


def _place(tenant: Tenant, kind: Kind, anchor: str, param: str) -> int:
    """Return when the object a page starts after was created; one that is gone is no place to go on from."""
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(f"SELECT created FROM ({kind.source}) WHERE id = ?", [anchor]).fetchall()
    if not rows or tenant.faults_of(StripeFaults).take("forget_cursor_next"):
        raise StripeError.missing(kind.name, anchor, param, status=400)
    return int(rows[0][0])


def _conditions(kind: Kind, path: str, given: Mapping[str, Any]) -> tuple[list[str], list[Any]]:
    """Turn a list's parameters into SQL; one it does not take is an error, as it is there."""
    conditions: list[str] = []
    values: list[Any] = []
    for name, value in given.items():
        if name in {"limit", "starting_after", "ending_before", "expand"} or (name == "status" and value == "all"):
            continue
        if name == "created":
            _created(value, conditions, values)
        elif path == "events" and name in {"type", "types"}:
            _typed(name, value, conditions, values)
        elif name in kind.filters:
            conditions.append(f"{name}::VARCHAR = ?")
            values.append(str(value))
        else:
            raise StripeError.unknown_parameter(name)
    if path == "subscriptions" and "status" not in given:
        conditions.append("status <> 'canceled'")
    if path == "prices" and "active" not in given:
        conditions.append("active")
    return conditions, values


def _created(value: Any, conditions: list[str], values: list[Any]) -> None:
    bounds = value.items() if isinstance(value, dict) else [("", value)]
    for bound, moment in bounds:
        if (bound and bound not in _BOUNDS) or not str(moment).isdecimal():
            raise StripeError(400, f"Invalid timestamp: {moment}", code="parameter_invalid_integer", param="created")
        conditions.append(f"created {_BOUNDS.get(bound, '=')} ?")
        values.append(int(moment))


def _typed(name: str, value: Any, conditions: list[str], values: list[Any]) -> None:
    """Filter events by type: one, which may end in ``.*``, or up to twenty."""
    if name == "types":
        wanted = form.texts(value)
        if len(wanted) > _TYPES:
            raise StripeError(400, "You may pass at most 20 types.", param="types")
        conditions.append("type IN (SELECT unnest(?))")
        values.append(wanted)
    else:
        conditions.append("type GLOB ?")
        values.append(str(value))
