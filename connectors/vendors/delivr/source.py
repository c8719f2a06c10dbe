"""The Delivr.ai connector. Code, because its events have no id and its windows must hold still to be believed.

Two public descriptions of the vendor contradict each other: events, intent and audiences below ``/api``, or one list of
signals below ``/v1``. Which of them an account serves is the setting ``api``. The signals are read as connector.yml
describes them; of the public API the list of audiences is, events are windows.py's, intent is intent.py's, members are
audiences.py's. Everything is billed by the record, so nothing is read twice that need not be.
"""

from __future__ import annotations

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import ValidationError

from connectors import registry
from connectors.connector import Credentials, HealthStatus, Mode, Page
from connectors.declarative import walks
from connectors.declarative.engine import GenericConnector
from connectors.declarative.reading import read_entity
from connectors.declarative.spans import moment
from connectors.declarative.words import Endpoint
from connectors.errors import ConnectorError, Stop
from connectors.landing import RAW_SCHEMA, RecordShape, land_slices
from connectors.runtime import auth
from connectors.runtime.pagination import by_offset
from connectors.vendors.delivr.audiences import read_members
from connectors.vendors.delivr.intent import read_topics
from connectors.vendors.delivr.records import hashed, with_value
from connectors.vendors.delivr.windows import between, until_still

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from connectors.connector import ConnectorContext, Cursor, SyncOptions
    from connectors.declarative.account import Account
    from connectors.landing import Landed
    from connectors.manifest import EntitySpec, Manifest

_HEALTH = Endpoint(path="/v1/health")
_UNNAMED = "web_event"  # the tier whose events know nobody


class DelivrConnector(GenericConnector):
    """Reads one project of a Delivr.ai organisation, or the signals of an account that serves those."""

    manifest: ClassVar[Manifest] = registry.manifest("delivr")
    mapping: ClassVar[Path] = registry.mapping_path("delivr")

    def __init__(self, context: ConnectorContext) -> None:
        super().__init__(context)
        declared = {field.name: field.default for field in self.manifest.settings}
        self._given: dict[str, Any] = declared | {k: v for k, v in context.settings.items() if v not in (None, "")}

    @property
    def _is_public(self) -> bool:
        return bool(self._given["api"] != "signals")

    def authenticate(self) -> Credentials:
        """Sign with key and secret; the signals API takes the key alone."""
        if self._is_public:
            return super().authenticate()
        base = walks.base_url("https://api.delivr.ai", self.context.settings)
        return Credentials(base, auth.header(self.context.credentials, "api_key", "X-Api-Key"))

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Ask who we are; the signals API has a health page instead."""
        if self._is_public:
            return super().health_check(credentials)
        now = self.context.clock()
        try:
            self.context.transport.send(
                walks.build_request(credentials.base_url, _HEALTH, {}, headers={}, params={}), credentials.auth
            )
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=str(error), checked_at=now)
        return HealthStatus(ok=True, detail="the vendor answers", checked_at=now)

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; one that the account's API does not have is empty, and says so."""
        account = self._account(credentials, options)
        is_signals = options.entity in ("intent_signals", "visitors")
        if self._is_public:
            yield from self._public(account, credentials, cursor)
        elif is_signals:
            yield from read_entity(account, self._signals(account, cursor), cursor)
        elif options.entity in {spec.name for spec in self.manifest.entities}:
            yield _nothing(f"the signals API has no {options.entity}")
        else:
            yield from super().sync(credentials, cursor, options)

    def _public(self, account: Account, credentials: Credentials, cursor: Cursor | None) -> Iterator[Page]:
        entity = account.options.entity
        if entity == "pixel_events":
            yield from self._windows(account, cursor, self._events)
        elif entity == "visitors" and self._given["tier"] == _UNNAMED:
            yield _nothing("events of the tier web_event know no visitors")
        elif entity == "visitors":
            yield from self._windows(account, cursor, self._visitors)
        elif entity == "intent_signals":
            yield from read_topics(account, self._words("topics"), cursor)
        elif entity == "audience_members":
            shape = RecordShape("$", self._given["person_column"])
            yield from read_members(account, self.manifest.spec(entity), shape, self._words("audiences"), cursor)
        else:
            yield from super().sync(credentials, cursor, account.options)

    def _windows(
        self, account: Account, cursor: Cursor | None, land: Callable[[list[bytes]], Landed]
    ) -> Iterator[Page]:
        """Read closed windows from where the last read ended, or from as far back as history goes."""
        if not (self._given["project_id"] or self._given["pixel_id"]):
            raise Stop("bad_setting", "the setting 'project_id' is missing: events belong to a project or a pixel")
        spec = self.manifest.spec(account.options.entity)
        present = account.present
        until = present - timedelta(minutes=self._number("settle_minutes"))
        known = None if account.options.mode is Mode.FULL else moment(cursor or {}, "watermark")
        since = known or present - timedelta(days=self._number("history_days"))
        for window in between(since, until):
            for landed in until_still(partial(self._pages, account, spec, window.params(), land)):
                yield Page(landed.table, None, has_more=True, unreadable=landed.unreadable)
            yield Page(RAW_SCHEMA.empty_table(), {"watermark": window.end.isoformat()}, has_more=True)
        yield Page(RAW_SCHEMA.empty_table(), None, has_more=False)

    def _pages(
        self, account: Account, spec: EntitySpec, params: dict[str, str], land: Callable[[list[bytes]], Landed]
    ) -> Iterator[Landed]:
        way = account.whole(spec)
        size = walks.page_size(way.pagination, account.options.page_size)
        request = account.build(way.endpoint, {}, {**params, "limit": str(size)})
        for response in by_offset(account.send, request, lambda page: len(way.slices(page))):
            yield land(way.slices(response))

    def _events(self, records: list[bytes]) -> Landed:
        return hashed(records, self._words("key_columns"), self._given["timestamp_column"], self._time_format())

    def _visitors(self, records: list[bytes]) -> Landed:
        """Land the people of a page; a row that names nobody is an event of nobody, and stands among the events."""
        column = self._given["person_column"]
        shape = RecordShape("$", column, self._given["timestamp_column"], self._time_format())
        return land_slices(with_value(records, column), shape)

    def _signals(self, account: Account, cursor: Cursor | None) -> EntitySpec:
        """Return how signals are listed, as they are or as the people who left them."""
        spec, entity = self.manifest.spec("intent_signals"), account.options.entity
        if cursor is None or account.options.mode is Mode.FULL:
            account.send(account.build(_HEALTH, {}))  # for the vendor's clock: its history is counted from its present
        try:
            endpoint = Endpoint(path=str(self._given["signals_path"]))
        except ValidationError:
            raise Stop("bad_setting", "the setting 'signals_path' is no path: it begins with /") from None
        first = account.horizon - timedelta(days=self._number("history_days"))
        delta = spec.delta.model_copy(update={"first": first}) if spec.delta else None
        key = "personId" if entity == "visitors" else spec.key
        return spec.model_copy(update={"name": entity, "key": key, "endpoint": endpoint, "delta": delta})

    def _words(self, name: str) -> list[str]:
        """Return a setting that is a list, whether it is stored as one or as words."""
        given = self._given[name] or []
        return given.replace(",", " ").split() if isinstance(given, str) else [str(each) for each in given]

    def _number(self, name: str) -> int:
        if not str(self._given[name]).isdecimal():
            raise Stop("bad_setting", f"the setting {name!r} must be a whole number")
        return int(str(self._given[name]))

    def _time_format(self) -> Literal["iso8601", "epoch_ms", "epoch_s"]:
        found: Literal["iso8601", "epoch_ms", "epoch_s"] = self._given["timestamp_format"]
        return found


def _nothing(notice: str) -> Page:
    return Page(RAW_SCHEMA.empty_table(), None, has_more=False, notices=(notice,))


CONNECTOR = DelivrConnector
