"""The Fathom connector. Code, because two of its entities are not what an answer holds.

A participant is the address that many meetings name, and a transcript is asked for meeting by meeting until it is
there, which nothing announces. Meetings are read as connector.yml describes them; all three walk the same pages, in
windows that end before the read began, since Fathom's cursor is a page number and rows shift under it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, ClassVar

from connectors import registry
from connectors.connector import Page
from connectors.declarative.engine import GenericConnector
from connectors.declarative.reading import read_entity
from connectors.declarative.words import Endpoint
from connectors.errors import Stop
from connectors.landing import RAW_SCHEMA, RecordShape, land_slices, slice_records
from connectors.runtime.classification import Do, Verdict
from connectors.vendors.fathom.participants import Participants
from connectors.vendors.fathom.transcripts import Remembered, cut

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from connectors.connector import ConnectorContext, Credentials, Cursor, SyncOptions
    from connectors.declarative.account import Account
    from connectors.landing import Landed
    from connectors.manifest import EntitySpec, Manifest
    from connectors.runtime.messages import Response

_TRANSCRIPT = Endpoint(path="/recordings/{{meeting.id}}/transcript")
_WHOLE = RecordShape("$", "id", "created_at")
_RATE_LIMITED = 429
_OF_ONE = frozenset({400, 403, 404, 410, 422})  # what one recording may answer while the others are well


class FathomConnector(GenericConnector):
    """Reads what one Fathom user sees."""

    manifest: ClassVar[Manifest] = registry.manifest("fathom")
    mapping: ClassVar[Path] = registry.mapping_path("fathom")

    def __init__(self, context: ConnectorContext) -> None:
        super().__init__(context)
        self._classify = _patient

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; see the contract."""
        account = self._account(credentials, options)
        if options.entity == "participants":
            yield from self._participants(account, cursor)
        elif options.entity == "transcripts":
            yield from self._transcripts(account, cursor)
        elif options.entity == "meetings":
            yield from read_entity(account, self._listing("meetings"), cursor)
        else:
            yield from super().sync(credentials, cursor, options)

    def _listing(self, entity: str) -> EntitySpec:
        """Return how an entity's meetings are listed, with the days that are read again as the connection has them."""
        days = self.context.settings.get("reread_days")
        spec = self.manifest.spec(entity)
        if days in (None, ""):
            return spec.model_copy(update={"key": "recording_id"})
        if isinstance(days, bool) or not str(days).isdecimal():
            raise Stop("bad_setting", "the setting 'reread_days' must be a number of days")
        return spec.model_copy(update={"key": "recording_id", "reread": timedelta(days=int(str(days)))})

    def _participants(self, account: Account, cursor: Cursor | None) -> Iterator[Page]:
        """Read the invitees of meetings, each address once, as its newest meeting names it."""
        participants = Participants()
        for page in read_entity(account, self._listing("participants"), cursor):
            yield replace(page, rows=participants.of(page.rows))

    def _transcripts(self, account: Account, cursor: Cursor | None) -> Iterator[Page]:
        """Ask for the transcript of every meeting that had none so far, one meeting at a time."""
        listing = self._listing("transcripts")
        known = Remembered.of(cursor, account.options)
        answers = _Answers(is_any=bool(known.before))
        for page in read_entity(account, listing, cursor):
            for key, created in _meetings(page):
                if known.lacks(key, created):
                    said = self._said(account, key, created, answers)
                    if said is not None:
                        known.add(key, created)
                        yield Page(said.table, None, has_more=True, unreadable=said.unreadable)
            place = None if page.cursor is None else known.cursor(page.cursor, listing.reread)
            notices = () if page.has_more else answers.notices()
            yield Page(RAW_SCHEMA.empty_table(), place, page.has_more, page.unreadable, notices)

    def _said(self, account: Account, key: str, created: datetime, answers: _Answers) -> Landed | None:
        """Return a meeting's transcript, or None while there is none: the vendor says so with nothing, or with 404."""
        try:
            response = account.send(account.build(_TRANSCRIPT, {"meeting.id": key}))
        except Stop as error:
            answers.refuse(key, error)
            return None
        answers.is_any = True
        lines = slice_records(response.content, "transcript")
        return land_slices(cut(key, created, lines), _WHOLE) if lines else None


@dataclass(slots=True)
class _Answers:
    """How recordings answered: one that is refused is left out, all of them are an error."""

    is_any: bool  # whether one answered, in this read or before
    refused: list[tuple[str, Stop]] = field(default_factory=list)

    def refuse(self, key: str, error: Stop) -> None:
        """Note a recording without a transcript; raise what is about something else than this recording."""
        if error.status not in _OF_ONE:
            raise error
        if error.code == "stream_gone":
            self.is_any = True
        else:
            self.refused.append((key, error))

    def notices(self) -> tuple[str, ...]:
        """Say what was refused; raise it when nothing else was answered."""
        if not self.refused:
            return ()
        (first, error), count = self.refused[0], len(self.refused)
        if not self.is_any:
            raise error
        return (f"Fathom refuses the transcripts of {count} meeting(s), left out: {first} (HTTP {error.status})",)


def _meetings(page: Page) -> Iterator[tuple[str, datetime]]:
    for row in page.rows.select(["external_id", "source_updated_at"]).to_pylist():
        if row["source_updated_at"] is not None:
            yield row["external_id"], row["source_updated_at"]


def _patient(response: Response) -> Verdict | None:
    """Wait as long as Fathom's own header says; it sends no Retry-After."""
    resets = response.headers.get("ratelimit-reset", "")
    if response.status != _RATE_LIMITED or not resets.isdecimal():
        return None
    return Verdict(Do.RETRY, "rate_limited", "the vendor's rate limit is reached", float(resets))


CONNECTOR = FathomConnector
