"""How a described connector asks its vendor: endpoint templates filled in, pages followed, lookups and clock kept.

Every request of a described connector goes through here. What is asked and in which order is the readers' business.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.declarative import walks
from connectors.errors import Stop
from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land, slice_records
from connectors.runtime import paths
from connectors.runtime.classification import Classify, Do, Verdict, structured_codes

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from connectors.connector import ConnectorContext, Credentials, SyncOptions
    from connectors.declarative.changes import DiesWith
    from connectors.declarative.model import Polling
    from connectors.declarative.pages import Pagination
    from connectors.declarative.words import Endpoint
    from connectors.manifest import EntitySpec, Manifest
    from connectors.runtime.messages import Request, Response
    from connectors.runtime.quota import QuotaLedger

PAGE_CURSOR_DIED = "page_cursor_died"


@dataclass(frozen=True, slots=True)
class Way:
    """One way of asking for records: where, how the pages follow each other, and where the records stand in them."""

    endpoint: Endpoint
    pagination: Pagination
    items: str

    def land(self, response: Response, spec: EntitySpec) -> Landed:
        """Turn one answer into rows of the entity."""
        if not response.content:
            return Landed(RAW_SCHEMA.empty_table())
        shape = RecordShape(self.items, spec.key, spec.timestamp, spec.timestamp_format, spec.deleted)
        return land(response.content, shape)

    def slices(self, response: Response) -> list[bytes]:
        """Return the items of one answer as they are written."""
        return [bytes(item) for item in slice_records(response.content, self.items)] if response.content else []


class Account:
    """One connection during one read of one entity; what it looks up, and the vendor's time, are kept for that read."""

    def __init__(
        self,
        manifest: Manifest,
        context: ConnectorContext,
        credentials: Credentials,
        options: SyncOptions,
        classify: Classify | None,
        ledger: QuotaLedger | None = None,
    ) -> None:
        self.manifest = manifest
        self.settings = {field.name: field.default for field in manifest.settings} | dict(context.settings)
        self.options = options
        self._transport = context.transport
        self._credentials = credentials
        self._classify = classify
        self._ledger = ledger
        self._vendor_time: datetime | None = None
        self._words: dict[str, list[str]] = {}

    @property
    def shared(self) -> Polling:
        """What all entities share: the manifest's ingestion."""
        if self.manifest.ingestion is None:
            raise Stop("not_described", f"connector.yml of {self.manifest.id} has no ingestion: describe it there")
        return self.manifest.ingestion

    @property
    def horizon(self) -> datetime:
        """When this read began, by the vendor's clock as its first answer showed it, and never later than by ours.

        Not the latest answer's: what changes while a long read goes on may already lie behind it.
        """
        return min(self.options.started_at, self._vendor_time or self.options.started_at)

    @property
    def present(self) -> datetime:
        """The same, but where nothing was asked yet the health check is sent first, to learn the vendor's time."""
        probe = self.manifest.health_check
        if self._vendor_time is None and probe is not None:
            self.send(self.build(probe, {}))
        return self.horizon

    def send(self, request: Request, dies: DiesWith | None = None) -> Response:
        """Send one request; raise Deferred before it when that would cut into the customer's share of a quota.

        With ``dies``, the death of a page token raises Resync(``page_cursor_died``).
        """
        if self._ledger is not None:
            self._ledger.spend()
        response = self._transport.send(request, self._credentials.auth, _mortal(self._classify, dies))
        if self._vendor_time is None:
            self._vendor_time = response.sent_at
        return response

    def build(self, endpoint: Endpoint, values: Mapping[str, Any], params: Mapping[str, str] | None = None) -> Request:
        """Fill an endpoint's templates from ``values``, the settings and what it looks up."""
        known = {f"settings.{name}": value for name, value in self.settings.items()}
        looked_up = {
            name: self.words(name.partition(".")[2]) for name in endpoint.names() if name.startswith("lookup.")
        }
        return walks.build_request(
            self._credentials.base_url,
            endpoint,
            {**known, **looked_up, **values},
            headers=self.shared.headers,
            params=params or {},
        )

    def walk(
        self,
        way: Way,
        values: Mapping[str, Any],
        *,
        params: Mapping[str, str] | None = None,
        link: str | None = None,
        dies: DiesWith | None = None,
    ) -> Iterator[Response]:
        """Yield the answers of all pages of one question, or of what follows a stored ``link``."""
        pages = way.pagination
        size = walks.page_size(pages, self.options.page_size)
        sized = {pages.page_size_param: str(size)} if pages.page_size_param else {}
        request = self.build(way.endpoint, {**values, "page.size": size}, {**(params or {}), **sized})
        asked = 0

        def send(page: Request) -> Response:
            nonlocal asked
            asked += 1
            return self.send(page, dies if asked > 1 else None)

        return walks.walk(send, walks.start_from(request, link), pages, way.slices)

    def way(self, endpoint: Endpoint | None, pagination: Pagination | None, items: str) -> Way:
        """Make a way of reading; pagination left out is the one all entities share."""
        paged = pagination or self.shared.pagination
        if endpoint is None or paged is None:
            raise Stop(
                "not_described", "connector.yml does not say how this is read: give it an endpoint and pagination"
            )
        return Way(endpoint, paged, items)

    def whole(self, spec: EntitySpec) -> Way:
        """Return how an entity is read whole."""
        return self.way(spec.endpoint, spec.pagination, spec.items)

    def words(self, name: str) -> list[str]:
        """Return a lookup's words, asked for once."""
        if name not in self._words:
            lookup = self.manifest.lookups[name]
            way = self.way(lookup.endpoint, lookup.pagination, lookup.items)
            found = [
                f"{lookup.prefix}{_text(value)}"
                for response in self.walk(way, {})
                for item in way.slices(response)
                if lookup.where is None or lookup.where.takes(item)
                for value in paths.find(item, lookup.value)
            ]
            self._words[name] = list(dict.fromkeys([*lookup.always, *found]))
        return self._words[name]


def _mortal(classify: Classify | None, dies: DiesWith | None) -> Classify | None:
    """Add to the error table that a page token may have died."""
    if dies is None:
        return classify

    def judge(response: Response) -> Verdict | None:
        if response.status == dies.status and (dies.code is None or dies.code in structured_codes(response)):
            return Verdict(Do.RESYNC, PAGE_CURSOR_DIED, "the vendor dropped the place within its pages")
        return classify(response) if classify else None

    return judge


def _text(value: msgspec.Raw) -> str:
    found = msgspec.json.decode(value)
    return found if isinstance(found, str) else bytes(value).decode()
