"""What the fields answer: pages of a table in keyset order (connections) or by number (lists)."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import orjson
from graphql import GraphQLError

from gtm_pipelines.sandbox.vendors.graphql.faults import GraphqlFaults

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from graphql import GraphQLResolveInfo

    from gtm_pipelines.sandbox.tenants import Tenant

_LARGEST_PAGE = 1_000
_MOMENT = "strftime({0}, '%Y-%m-%dT%H:%M:%SZ')"
_CONDITIONS = {"updatedSince": "updated_at >= ?", "updatedUntil": "updated_at < ?", "company": "company_id = ?"}
_COLUMNS = {
    "person": {
        "id": "id", "email": "email", "firstName": "first_name", "lastName": "last_name", "jobTitle": "job_title",
        "phone": "phone", "companyId": "company_id", "createdAt": _MOMENT.format("created_at"),
        "updatedAt": _MOMENT.format("updated_at"), "deletedAt": _MOMENT.format("deleted_at"),
    },
    "company": {
        "id": "id", "name": "name", "website": "website", "industry": "industry", "employees": "employees",
        "revenue": "revenue", "createdAt": _MOMENT.format("created_at"), "updatedAt": _MOMENT.format("updated_at"),
    },
    "activity": {
        "id": "id", "kind": "kind", "channel": "channel", "subject": "subject", "companyId": "company_id",
        "personId": "person_id", "occurredAt": _MOMENT.format("occurred_at"), "updatedAt": _MOMENT.format("updated_at"),
    },
}  # fmt: skip
Record = dict[str, Any]


class Resolvers:
    """The root of one request."""

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant
        self._faults = tenant.faults_of(GraphqlFaults)

    def root(self) -> dict[str, Callable[..., Any]]:
        """Return the fields of ``Query``."""
        named = {"person": ("people", "peopleList"), "company": ("companies", "companyList")}
        named["activity"] = ("activities", "activityList")
        found: dict[str, Callable[..., Any]] = {}
        for table, (connection, listing) in named.items():
            found[connection] = lambda info, table=table, **given: self._connection(table, info, **given)
            found[listing] = lambda info, table=table, **given: self._list(table, info, **given)
        return found

    def _connection(
        self, table: str, _: GraphQLResolveInfo, first: int, after: str | None = None, **given: Any
    ) -> dict[str, Any]:
        """Return one page after a cursor, in the order of change."""
        size = _size(first, "first")
        here, serial = _place(after)
        condition, values = _condition(table, given)
        total = self._count(table, condition, values)
        if here is not None:
            condition += " AND (updated_at, id) > (make_timestamp(?), ?)"
            values = [*values, *here]
        again = after is not None and (self._faults.take("duplicate_page") or self._faults.take("empty_page"))
        is_empty = again and not self._faults.duplicate_page
        rows = [] if is_empty else self._rows(table, condition, values, f"updated_at, id LIMIT {size + 1}")
        page, has_next = rows[:size], again or len(rows) > size
        end = _token(here, serial + 1) if again else page[-1]["_token"] if page else after
        if self._faults.repeat_token and has_next:
            end = after or end
        if has_next and self._faults.take("null_cursor_next"):
            end = None
        return {
            "edges": [{"cursor": each["_token"], "node": each} for each in page],
            "nodes": page,
            "totalCount": total,
            "pageInfo": {  # the end of the last page is told too, as many servers do
                "hasNextPage": has_next,
                "hasPreviousPage": after is not None,
                "startCursor": page[0]["_token"] if page else None,
                "endCursor": end,
            },
        }

    def _list(self, table: str, _: GraphQLResolveInfo, limit: int, offset: int = 0, **given: Any) -> dict[str, Any]:
        """Return the rows from a number on, by id: what is deleted meanwhile moves the rest."""
        condition, values = _condition(table, given)
        size, start = _size(limit, "limit"), 0 if self._faults.repeat_token else max(offset, 0)
        rows = self._rows(table, condition, values, f"id LIMIT {size} OFFSET {start}")
        return {"items": rows, "totalCount": self._count(table, condition, values)}

    def _rows(self, table: str, condition: str, values: list[Any], order: str) -> list[Record]:
        columns = _COLUMNS[table]
        listed = ", ".join(columns.values())
        with self._tenant.world.cursor() as cursor:
            found = cursor.execute(
                f"SELECT {listed}, epoch_us(updated_at) FROM graphql.{table} WHERE {condition} ORDER BY {order}", values
            ).fetchall()
        return [self._record(table, dict(zip([*columns, "_at"], row, strict=True))) for row in found]

    def _record(self, table: str, row: Record) -> Record:
        row["_token"] = _token([row["_at"], row["id"]])
        if table == "person":
            row["company"] = lambda _: self._one("company", row["companyId"])
        if table == "activity":
            row["person"] = lambda _: self._one("person", row["personId"])
        if table == "company":
            row["people"] = lambda info, **given: self._connection("person", info, company=row["id"], **given)
        if row.get("email") and self._faults.take("partial_next"):
            row["email"] = _broken
        return row

    def _one(self, table: str, record_id: str | None) -> Record | None:
        rows = self._rows(table, "id = ?", [record_id], "id") if record_id else []
        return rows[0] if rows else None

    def _count(self, table: str, condition: str, values: list[Any]) -> int:
        with self._tenant.world.cursor() as cursor:
            ((count,),) = cursor.execute(f"SELECT count(*) FROM graphql.{table} WHERE {condition}", values).fetchall()
        return int(count)


def _condition(table: str, given: Mapping[str, Any]) -> tuple[str, list[Any]]:
    asked = [(text, given[name]) for name, text in _CONDITIONS.items() if given.get(name) is not None]
    parts = ["true", *(text for text, _ in asked)]
    if table == "person" and not given.get("includeDeleted"):
        parts.append("deleted_at IS NULL")
    return " AND ".join(parts), [value for _, value in asked]


def _broken(_: GraphQLResolveInfo) -> None:
    raise GraphQLError("the mail service did not answer", extensions={"code": "DOWNSTREAM_SERVICE_ERROR"})


def _size(asked: int, name: str) -> int:
    if not 1 <= asked <= _LARGEST_PAGE:
        raise GraphQLError(f"{name} must be 1 to {_LARGEST_PAGE}", extensions={"code": "BAD_USER_INPUT"})
    return asked


def _token(place: list[Any] | None, serial: int = 0) -> str:
    return base64.urlsafe_b64encode(orjson.dumps([place, serial])).decode()


def _place(token: str | None) -> tuple[list[Any] | None, int]:
    if token is None:
        return None, 0
    try:
        place, serial = orjson.loads(base64.urlsafe_b64decode(token))
    except (ValueError, TypeError):
        raise GraphQLError("after is no cursor of ours", extensions={"code": "BAD_USER_INPUT"}) from None
    return place, int(serial)
