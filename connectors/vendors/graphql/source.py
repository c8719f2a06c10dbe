"""The GraphQL connector. Code, because its entities are the connection's own: queries and their paging are a setting.

queries.py reads that setting, walking.py turns one query into pages, answers.py knows what an answer means. Here they
meet: who is asked as whom, what an incremental read asks for, and which cursor it leaves.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from connectors import registry
from connectors.connector import Connector, Credentials, FieldMapping, HealthStatus, Mode, Page
from connectors.declarative import spans, times
from connectors.declarative.catalogue import default_schema
from connectors.errors import ConnectorError, Stop
from connectors.runtime import auth, paths
from connectors.runtime.messages import Request, Response
from connectors.vendors.graphql.answers import classify
from connectors.vendors.graphql.queries import Query, read_queries
from connectors.vendors.graphql.walking import Step, Walk

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.connector import Cursor, Entity, SyncOptions
    from connectors.landing import Landed
    from connectors.manifest import Manifest
    from connectors.vendors.graphql.queries import Queries

_ACCEPT = "application/graphql-response+json, application/json;q=0.9"
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")
_TYPES = {b"{": "json", b"[": "json", b'"': "string", b"t": "boolean", b"f": "boolean", b"n": "string"}


class GraphqlConnector(Connector):
    """Reads what the configured queries return."""

    manifest: ClassVar[Manifest] = registry.manifest("graphql")

    def authenticate(self) -> Credentials:
        """Return the endpoint with the chosen way of sending the credential; no call."""
        endpoint = str(self._setting("endpoint") or "")
        if not endpoint:
            raise Stop("bad_setting", "the setting 'endpoint' is empty: where are the queries to be sent?")
        return Credentials(endpoint, self._auth())

    def entities(self) -> list[Entity]:
        """List one entity for each query; raise Stop when the setting cannot be read."""
        return [query.entity(name) for name, query in self._queries().items()]

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Walk one query, from the watermark less the lag where it can filter by time."""
        query = self._queries().get(options.entity)
        if query is None:
            raise Stop("unknown_entity", f"this connection has no query {options.entity!r}")
        reading = _Reading(self, credentials, options.entity, query)
        since = _since(cursor, query) if options.mode is Mode.INCREMENTAL else None
        reached = spans.moment(cursor, "watermark") if cursor and since is not None else None
        size = options.page_size or query.paging.size
        is_told, order = False, _Order(holds=query.ordered)
        for step in reading.steps(_window(query, since, options.started_at), size):
            bound = min(filter(None, (options.started_at, reading.vendor_time))) - query.settle
            notices = [_cut(options.entity)] if step.is_cut and not is_told else []
            is_told = is_told or step.is_cut
            if order.is_broken_by(step.landed):
                notices.append(f"records of {options.entity} do not come oldest first: 'ordered' is not heeded")
            reached = _later(reached, _newest(step.landed, bound))
            is_place = query.since is not None and reached is not None and (order.holds or not step.has_more)
            place = {"watermark": times.write(reached, "iso8601")} if is_place and reached is not None else None
            yield Page(step.landed.table, place, step.has_more, step.landed.unreadable, tuple(notices))

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the fields of the default mapping; with credentials, those that the first record of each query has."""
        queries = self._queries()
        shipped = default_schema(self.manifest, registry.mapping_path(self.id))
        if credentials is None:
            return [field for field in shipped if field.entity in queries] or shipped
        mapped = {(field.entity, field.source): field for field in shipped}
        found: list[FieldMapping] = []
        for name, query in queries.items():
            for field, kind in _Reading(self, credentials, name, query).fields().items():
                found.append(mapped.get((name, field)) or FieldMapping(name, field, kind))
        return found or [field for field in shipped if field.entity in queries]

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Ask every query for one record: a bad one is named."""
        told: list[str] = []
        try:
            for name, query in self._queries().items():
                told.append(_Reading(self, credentials, name, query).probe())
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=error.message, checked_at=self.context.clock())
        return HealthStatus(ok=True, detail="; ".join(told), checked_at=self.context.clock())

    def _setting(self, name: str) -> Any:
        return self.context.settings.get(name)

    def _queries(self) -> Queries:
        return read_queries(self._setting("queries"))

    @property
    def most_points(self) -> int | None:
        """What one page may cost, where the connection says so."""
        given = self._setting("most_points")
        if given in (None, ""):
            return None
        if not str(given).isdecimal() or int(given) < 1:
            raise Stop("bad_setting", "the setting 'most_points' is a number above 0")
        return int(given)

    def _auth(self) -> auth.Auth:
        store, way = self.context.credentials, self._setting("auth") or "bearer"
        match way:
            case "none":
                return auth.Auth()
            case "bearer":
                return auth.bearer(store, "token")
            case "basic":
                return auth.basic(store, "username", "password")
            case "header":
                name, prefix = str(self._setting("header_name") or ""), str(self._setting("header_prefix") or "")
                if not _HEADER.fullmatch(name):
                    raise Stop("bad_setting", "the setting 'header_name' is the name of a header, as X-Access-Token")
                return auth.header(store, "token", name, f"{prefix} " if prefix else "")
        raise Stop("bad_setting", "the setting 'auth' is one of none, bearer, header, basic")


class _Reading:
    """One query of one connection being asked. ``vendor_time`` is the API's own clock, once it has answered."""

    def __init__(self, connector: GraphqlConnector, credentials: Credentials, name: str, query: Query) -> None:
        self._connector = connector
        self._credentials = credentials
        self._name = name
        self._query = query
        self.vendor_time: datetime | None = None

    def steps(self, fixed: Mapping[str, Any], size: int) -> Iterator[Step]:
        """Walk the query to its end; what goes wrong is said with its name."""
        with _named(self._name):
            yield from Walk(self._query, self._ask, fixed, size=size, most_points=self._connector.most_points).pages()

    def probe(self) -> str:
        """Ask for the smallest page and say what came; raise what is wrong, with the query's name."""
        landed = self._first()
        with _named(self._name):
            if any(each.reason == "bad_key" for each in landed.unreadable):
                raise Stop("bad_query", f"its records have no key at {self._query.key}")
        return f"{self._name}: {'its records are there' if landed.seen else 'no records'}"

    def fields(self) -> dict[str, str]:
        """Return the fields of the first record with the types its values show."""
        payloads = self._first().table["payload"].to_pylist()
        record = paths.members(str(payloads[0]).encode()) if payloads else {}
        return {name: _TYPES.get(bytes(value)[:1], "number") for name, value in record.items()}

    def _first(self) -> Landed:
        return next(self.steps(_window(self._query, None, None), 1)).landed

    def _ask(self, variables: Mapping[str, Any]) -> Response:
        request = Request(
            "POST",
            self._credentials.base_url,
            headers={"Accept": _ACCEPT},
            json={"query": self._query.query, "variables": dict(variables)},
            safe=True,
        )
        response = self._connector.context.transport.send(request, self._credentials.auth, classify)
        self.vendor_time = response.sent_at or self.vendor_time
        return response


class _Order:
    """Whether records come oldest first, as their query claims; while they do, each page is a place to go on from."""

    def __init__(self, *, holds: bool) -> None:
        self.holds = holds
        self._newest: int | None = None

    def is_broken_by(self, landed: Landed) -> bool:
        """Take in a page; say whether within it a newer record comes before an older one."""
        stamps = landed.table["source_updated_at"].drop_null().cast(pa.int64())
        if not self.holds or not len(stamps):
            return False
        is_mixed = bool(pc.any(pc.less(stamps[1:], stamps[:-1])).as_py())
        is_behind = self._newest is not None and stamps[0].as_py() < self._newest  # rows have moved, or pages are mixed
        self.holds = not is_mixed and not is_behind
        self._newest = pc.max(stamps).as_py()
        return is_mixed


def _window(query: Query, since: datetime | None, until: datetime | None) -> dict[str, Any]:
    """Return the variables that stay the same on every page.

    A full read that proves absence has no upper bound: what changed while it ran would be missing, and look deleted.
    """
    found = dict(query.variables)
    if query.since is not None and since is not None:
        found[query.since] = times.write(since, query.time_format)
    is_bounded = since is not None or not query.deletes.proves_absence
    if query.until is not None and until is not None and is_bounded:
        found[query.until] = times.write(until, query.time_format)
    return found


def _since(cursor: Cursor | None, query: Query) -> datetime | None:
    watermark = spans.moment(cursor, "watermark") if cursor and query.since is not None else None
    return None if watermark is None else watermark - query.lag


def _newest(landed: Landed, bound: datetime) -> datetime | None:
    """Return the newest time of a page; one later than ``bound`` is no place to go on from."""
    stamps = landed.table["source_updated_at"]
    moment: datetime | None = pc.max(stamps.filter(pc.less_equal(stamps, pa.scalar(bound, stamps.type)))).as_py()
    return moment


def _later(left: datetime | None, right: datetime | None) -> datetime | None:
    return max((moment for moment in (left, right) if moment is not None), default=None)


def _cut(name: str) -> str:
    return (
        f"records of {name} hold a list of their own that has a next page: only its first part is read; "
        "ask for more of it, or give it a query of its own"
    )


@contextmanager
def _named(name: str) -> Iterator[None]:
    """Put the query's name before what went wrong with it."""
    try:
        yield
    except ConnectorError as error:
        error.message = f"query {name}: {error.message}"
        raise


CONNECTOR = GraphqlConnector
