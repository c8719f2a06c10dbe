"""The Microsoft 365 connector. Code, because a removed meeting must be asked after: it may only have left the window.

And because a window is frozen in its delta link and has to be laid anew, an occurrence is a stub that its series
completes, bodies come unasked with calendars, and who is a colleague is known only from the organization's domains. The
directory itself is read as connector.yml describes it.

graph.py asks, mailboxes.py says whom, scopes.py walks the rounds, people.py keeps what may be kept. Here stand the two
collections of a mailbox, and the order in which they are read.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from connectors import registry
from connectors.connector import Mode, Page
from connectors.declarative.engine import GenericConnector
from connectors.errors import SkipRecord, Stop
from connectors.landing import RAW_SCHEMA
from connectors.vendors.microsoft365.graph import Graph, path_of
from connectors.vendors.microsoft365.mailboxes import Answers, Mailbox, mailboxes, own_domains
from connectors.vendors.microsoft365.people import EVENT, MESSAGE, Members, Reader, members, text_of
from connectors.vendors.microsoft365.scopes import Links, read_scope

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    import msgspec

    from connectors.connector import Credentials, Cursor, SyncOptions
    from connectors.manifest import Manifest
    from connectors.vendors.microsoft365.scopes import Collection

_PAGE = 200
_ROLL = timedelta(days=7)  # a window is laid anew when its end has come so much nearer
_WIDEST = timedelta(days=1825)  # Graph shows no wider window of a calendar


class Microsoft365Connector(GenericConnector):
    """Reads one organization's directory, calendars and mail through Graph."""

    manifest: ClassVar[Manifest] = registry.manifest("microsoft365")
    mapping: ClassVar[Path] = registry.mapping_path("microsoft365")

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; mailbox after mailbox where it lies in mailboxes."""
        if options.entity not in ("events", "messages"):
            yield from super().sync(credentials, cursor, options)
            return
        graph = Graph(self.context.transport, credentials, self._classify)
        links = Links.of(graph.base, None if options.mode is Mode.FULL else cursor)
        reader = Reader(own_domains(graph, self._words("internal_domains")), self._setting("subjects") is not False)
        size = min(options.page_size or _PAGE, _PAGE)
        answers = Answers()
        for mailbox in list(mailboxes(graph, self._words("mailboxes"))):
            refused = False
            for scope, marks in self._scopes(graph, reader, mailbox, links, options):
                links.retain(scope.key)  # whatever happens to it, what was known of it stays known
                if refused:
                    continue
                try:
                    yield from read_scope(graph, scope, links, marks, size)
                except (SkipRecord, Stop) as error:
                    refused = answers.refuse(mailbox.address, scope.name, error)
                else:
                    answers.answered += 1
        yield Page(RAW_SCHEMA.empty_table(), links.cursor(is_all=True), has_more=False, notices=answers.notices())

    def _scopes(
        self, graph: Graph, reader: Reader, mailbox: Mailbox, links: Links, options: SyncOptions
    ) -> Iterator[tuple[Collection, Sequence[str]]]:
        """Yield what of a mailbox is read, with what its link must hold for."""
        since, held = self._since(), ["" if reader.subjects else "without subjects", reader.digest]
        if options.entity == "events":
            until = self._until(graph, links.marks(mailbox.id), options)
            marks = [since.isoformat(), *held, until.isoformat()]
            yield Calendar(graph, reader, mailbox, since, until), marks
            return
        for folder in self._words("folders"):
            yield Folder(graph, reader, mailbox, since, folder), [since.isoformat(), *held]

    def _until(self, graph: Graph, marks: list[str], options: SyncOptions) -> date:
        """Return the end of the window: the one the link was given for, or a new one once that has come near."""
        present = min(graph.now or options.started_at, options.started_at).date()
        ahead = present + timedelta(days=int(self._setting("ahead_days")))
        held = date.fromisoformat(marks[-1]) if marks else None
        return held if held is not None and ahead - _ROLL < held <= ahead else ahead

    def _since(self) -> date:
        try:
            return date.fromisoformat(str(self._setting("since")))
        except ValueError:
            raise Stop("bad_setting", "the setting 'since' must be a day, as 2025-01-01") from None

    def _words(self, name: str) -> list[str]:
        given = self._setting(name) or []
        return [str(word).strip() for word in (given.split(",") if isinstance(given, str) else given)]

    def _setting(self, name: str) -> Any:
        given = self.context.settings.get(name)
        default = next(setting.default for setting in self.manifest.settings if setting.name == name)
        return default if given in (None, "") else given


@dataclass
class Calendar:
    """The meetings of one mailbox in a window of days."""

    graph: Graph
    reader: Reader
    mailbox: Mailbox
    since: date
    until: date
    _series: dict[str, Members | None] = field(default_factory=dict)

    @property
    def key(self) -> str:
        """What its link is kept under."""
        return self.mailbox.id

    @property
    def name(self) -> str:
        """For messages to people."""
        return f"the calendar of {self.mailbox.address}"

    @property
    def proves(self) -> tuple[str, ...]:
        """All meetings of the mailbox, unless the window is too wide to be seen whole."""
        return (f"{self.mailbox.id}:",) if self._start == self.since else ()

    def first(self) -> tuple[str, dict[str, Any]]:
        """Return where a round over the window begins."""
        window = {"startDateTime": _midnight(self._start), "endDateTime": _midnight(self.until)}
        return self.graph.base + path_of("users", self.mailbox.id, "calendarView", "delta"), window

    def beyond(self) -> Iterator[list[msgspec.Raw]]:
        """Yield the few meetings after the window: one that was moved out of it is not gone."""
        url = self.graph.base + path_of("users", self.mailbox.id, "events")
        after = f"start/dateTime ge '{_midnight(self.until)}'"
        for page in self.graph.pages(url, {"$filter": after, "$select": ",".join(EVENT), "$top": _PAGE}):
            yield page.records

    def kept(self, raw: msgspec.Raw) -> Members:
        """Keep an event; one of a series with what its series says."""
        known = members(raw)
        kind, master = text_of(known, "type"), text_of(known, "seriesMasterId")
        if kind == "seriesMaster" and (own := text_of(known, "id")):
            self._series[own] = known
        if master is None:
            return self.reader.event(raw)
        if master not in self._series:
            found = self.look_up(master)
            self._series[master] = None if found is None else members(found)
        return self.reader.event(raw, self._series[master])

    def look_up(self, key: str) -> msgspec.Raw | None:
        """Ask after one event, wherever in time it lies."""
        return self.graph.find(path_of("users", self.mailbox.id, "events", key), {"$select": ",".join(EVENT)})

    @property
    def _start(self) -> date:
        return max(self.since, self.until - _WIDEST)


@dataclass
class Folder:
    """The messages of one folder of one mailbox."""

    graph: Graph
    reader: Reader
    mailbox: Mailbox
    since: date
    folder: str
    proves: tuple[str, ...] = ()  # a mail in another folder, or deleted there, was written all the same

    @property
    def key(self) -> str:
        """What its link is kept under."""
        return f"{self.mailbox.id}/{self.folder}"

    @property
    def name(self) -> str:
        """For messages to people."""
        return f"{self.folder} of {self.mailbox.address}"

    def first(self) -> tuple[str, dict[str, Any]]:
        """Return where a round over the folder begins; with a $filter, Graph tells of 5,000 mails and no more."""
        url = self.graph.base + path_of("users", self.mailbox.id, "mailFolders", self.folder, "messages", "delta")
        return url, {"$select": ",".join(MESSAGE)}

    def beyond(self) -> Iterator[list[msgspec.Raw]]:
        """Yield nothing: the folder is all there is."""
        yield from ()

    def kept(self, raw: msgspec.Raw) -> Members | None:
        """Keep a message, unless it came before the first day that is read."""
        kept = self.reader.message(raw)
        received = text_of(kept, "receivedDateTime")
        return None if received is not None and received < self.since.isoformat() else kept

    def look_up(self, key: str) -> msgspec.Raw | None:
        """Ask after one message, whichever folder it lies in."""
        return self.graph.find(path_of("users", self.mailbox.id, "messages", key), {"$select": ",".join(MESSAGE)})


def _midnight(day: date) -> str:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


CONNECTOR = Microsoft365Connector
