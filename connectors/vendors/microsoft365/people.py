"""What is kept of an event or a message: who took part, told apart into colleagues and others, and never what was said.

Graph has no ``$select`` for a delta of a calendar, so bodies arrive; they are left behind here, by keeping the members
that are named and no others. The values that are kept are those of the answer, byte for byte.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

EVENT = (
    "id", "iCalUId", "type", "seriesMasterId", "subject", "isCancelled", "isOrganizer", "isAllDay", "start", "end",
    "organizer", "attendees", "responseStatus", "sensitivity", "showAs", "isOnlineMeeting", "recurrence",
    "createdDateTime", "lastModifiedDateTime",
)  # fmt: skip
"""The members of an event that are kept; what is asked of one that is read alone."""
MESSAGE = (
    "id", "internetMessageId", "conversationId", "subject", "from", "sender", "toRecipients", "ccRecipients",
    "receivedDateTime", "sentDateTime", "lastModifiedDateTime", "isDraft", "parentFolderId",
)  # fmt: skip
"""The members of a message that are asked for and kept."""

_FROM_SERIES = frozenset(EVENT) - {"id", "type", "seriesMasterId", "start", "end", "recurrence"}
_CONFIDENTIAL = frozenset({"private", "confidential"})
_NULL = msgspec.Raw(b"null")
Members = dict[str, msgspec.Raw]
T = TypeVar("T")


class _Address(msgspec.Struct):
    address: str | None = None
    name: str | None = None


class _Party(msgspec.Struct, rename="camel"):
    email_address: _Address | None = None
    type: str | None = None
    status: dict[str, Any] | None = None


class _Event(msgspec.Struct, rename="camel"):
    type: str | None = None
    organizer: _Party | None = None
    attendees: list[_Party] | None = None
    sensitivity: str | None = None
    is_cancelled: bool | None = None


class _Message(msgspec.Struct, rename="camel"):
    from_: _Party | None = msgspec.field(name="from", default=None)
    sender: _Party | None = None
    to_recipients: list[_Party] | None = None
    cc_recipients: list[_Party] | None = None
    is_draft: bool | None = None


class _Seen(msgspec.Struct, omit_defaults=True):
    """One person of a record, as the mapping reads it."""

    address: str
    name: str | None = None
    part: str | None = None  # organizer, required, optional; sender, recipient, named
    response: str | None = None


class OddRecordError(Exception):
    """A record whose people cannot be read; ``kept`` is what of it may be shown."""

    def __init__(self, kept: Members) -> None:
        super().__init__("a record is not of the form that Graph documents")
        self.kept = kept


@dataclass(frozen=True, slots=True)
class Reader:
    """Turns records into what is kept of them. ``domains`` are the organization's own, in lower case.

    Both ways raise msgspec.DecodeError for what is no object, and OddRecordError.
    """

    domains: frozenset[str]
    subjects: bool = True

    @property
    def digest(self) -> str:
        """What stands for the domains: with others, colleagues are others."""
        return blake2b("\n".join(sorted(self.domains)).encode(), digest_size=4).hexdigest()

    def event(self, raw: msgspec.Raw, series: Members | None = None) -> Members:
        """Return an event's members; an occurrence is a stub, which ``series`` completes.

        Each occurrence has an iCalUId of its own, which a stub does not tell and another mailbox may: ``meetingUid``
        is that of the series.
        """
        known = members(raw)
        kept = {name: known[name] for name in EVENT if name in known}
        if series is not None:
            kept |= {name: value for name, value in series.items() if name in _FROM_SERIES and name not in known}
        read = _read(raw if series is None else msgspec.json.encode(kept), _Event, kept)
        if not self.subjects or read.sensitivity in _CONFIDENTIAL:
            kept.pop("subject", None)
        if read.type == "seriesMaster":  # its occurrences are the meetings
            return kept
        parties = [
            (read.organizer, "organizer"),
            *((each, each.type) for each in read.attendees or () if each.type != "resource"),
        ]
        uid = (series or kept).get("iCalUId", _NULL)
        kept["meetingUid"] = kept["id"] if uid == _NULL and "id" in kept else uid
        kept["meetingType"] = _raw("meeting_cancelled" if read.is_cancelled else "meeting")
        return kept | self._told_apart(_seen(party, part) for party, part in parties)

    def message(self, raw: msgspec.Raw) -> Members:
        """Return a message's members. A draft was written to nobody yet."""
        known = members(raw)
        kept = {name: known[name] for name in MESSAGE if name in known and (self.subjects or name != "subject")}
        read = _read(raw, _Message, kept)
        sender = _seen(read.from_ or read.sender, "sender")
        if read.is_draft or sender is None:
            return kept
        part = "recipient" if self.is_internal(sender.address) else "named"
        others = (*(read.to_recipients or ()), *(read.cc_recipients or ()))
        return kept | self._told_apart([sender, *(_seen(party, part) for party in others)])

    def is_internal(self, address: str) -> bool:
        """Say whether an address is a colleague's."""
        return address.rpartition("@")[2] in self.domains

    def _told_apart(self, seen: Iterable[_Seen | None]) -> Members:
        """Return the people outside and inside, each once, in the order in which they are named."""
        people: dict[str, _Seen] = {}
        for each in seen:
            if each is not None:
                people.setdefault(each.address, each)
        inside = {address for address in people if self.is_internal(address)}
        return {
            "externalPeople": _raw([each for address, each in people.items() if address not in inside]),
            "internalPeople": _raw([address for address in people if address in inside]),
        }


def members(raw: bytes | msgspec.Raw) -> Members:
    """Return the members of an object as they are written; raise msgspec.DecodeError for what is no object."""
    return msgspec.json.decode(raw, type=Members)


def text_of(known: Mapping[str, msgspec.Raw], name: str) -> str | None:
    """Return a member that is a text, else None."""
    value = msgspec.json.decode(known[name]) if name in known else None
    return value if isinstance(value, str) else None


def _read(record: bytes | msgspec.Raw, form: type[T], kept: Members) -> T:
    try:
        return msgspec.json.decode(record, type=form)
    except msgspec.DecodeError:
        raise OddRecordError(kept) from None


def _seen(party: _Party | None, part: str | None) -> _Seen | None:
    """Return a person by the address; None for one without, as a distribution list or an old Exchange name."""
    given = party.email_address if party else None
    address = (given.address or "").strip().lower() if given else ""
    if party is None or given is None or "@" not in address:
        return None
    name = given.name if given.name and given.name.lower() != address else None
    response = (party.status or {}).get("response")
    return _Seen(address, name, part, response if isinstance(response, str) else None)


def _raw(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))
