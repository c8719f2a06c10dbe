"""Stripe's search of customers: ``email:'x' AND metadata['key']:'y'``, ``name~'part'``; a page is named by a token."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.stripe.errors import StripeError
from gtm_pipelines.sandbox.vendors.stripe.lists import KINDS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gtm_pipelines.sandbox.tenants import Tenant

_CLAUSE = re.compile(
    r"""(?P<field>email|name|phone|metadata\[['"](?P<key>[\w-]{1,40})['"]\])(?P<how>[:~])['"](?P<value>[^'"]*)['"]"""
)
_USUAL = 10


def customers(tenant: Tenant, given: Mapping[str, Any]) -> tuple[list[str], str | None]:
    """Return the customers that a query finds, and the token of the next page."""
    conditions, values = _read(str(given.get("query", "")))
    start = str(given.get("page", "p0"))[1:]
    size = int(given.get("limit", _USUAL))
    if not start.isdecimal():
        raise StripeError(400, "The page token is not valid.", param="page")
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"WITH page AS (SELECT * FROM ({KINDS['customers'].source}) WHERE {conditions} "
            f"ORDER BY created DESC, id DESC LIMIT {size + 1} OFFSET {start}) "
            "SELECT stripe.customer_json(r)::VARCHAR FROM page r ORDER BY created DESC, id DESC",
            values,
        ).fetchall()
    return [text for (text,) in rows[:size]], f"p{int(start) + size}" if len(rows) > size else None


def _read(query: str) -> tuple[str, list[str]]:
    """Turn a query into SQL; anything but clauses joined by AND is refused."""
    conditions: list[str] = []
    values: list[str] = []
    for clause in re.split(r"\s+AND\s+", query.strip()):
        match = _CLAUSE.fullmatch(clause)
        if match is None:
            raise StripeError(400, f"We were unable to parse your search query: {clause!r}", param="query")
        column = "metadata ->> ?" if match["key"] else match["field"]
        values += [match["key"]] if match["key"] else []
        conditions.append(
            f"lower({column}) = lower(?)" if match["how"] == ":" else f"contains(lower({column}), lower(?))"
        )
        values.append(match["value"])
    return " AND ".join(conditions), values
