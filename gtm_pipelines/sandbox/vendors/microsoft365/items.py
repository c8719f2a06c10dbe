"""Events and messages as Graph writes them. Bodies are there too, for a reader that must not keep them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.microsoft365 import asked

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.vendors.microsoft365.rounds import Row
    from gtm_pipelines.sandbox.wire import Call

BODY = "for your eyes only"
"""What every body and preview says: it must be found in no table of ours."""

ID_HEAD = len("AAkALgAAAAAAHYQDEapEv")
EVENT = frozenset(
    {
        "id", "createdDateTime", "lastModifiedDateTime", "iCalUId", "subject", "bodyPreview", "body", "start", "end",
        "type", "seriesMasterId", "isCancelled", "isOrganizer", "isAllDay", "organizer", "attendees", "location",
        "onlineMeeting", "isOnlineMeeting", "responseStatus", "sensitivity", "showAs", "recurrence", "webLink",
    }
)  # fmt: skip
MESSAGE = frozenset(
    {
        "id", "createdDateTime", "lastModifiedDateTime", "receivedDateTime", "sentDateTime", "internetMessageId",
        "subject", "bodyPreview", "body", "parentFolderId", "conversationId", "isRead", "isDraft", "sender", "from",
        "toRecipients", "ccRecipients", "bccRecipients", "hasAttachments", "importance", "webLink",
    }
)  # fmt: skip
_RESPONSES = ("accepted", "none", "tentativelyAccepted", "declined")


def event(call: Call, owner: Row, row: Row, select: tuple[str, ...], *, is_delta: bool) -> dict[str, Any]:
    """Write an event; in a delta an occurrence is a stub of its series, and what is gone from the window an id."""
    kind = {"@odata.type": "#microsoft.graph.event"}
    if row["is_gone"]:
        return {**kind, "id": _id(call, row), "@removed": {"reason": "deleted"}}
    when = {"start": _zoned(row["start_s"]), "end": _zoned(row["end_s"])}
    series = {} if row["master_hash"] is None else {"seriesMasterId": _id(call, {**row, "id": _series_id(row)})}
    if is_delta and row["kind"] == "occurrence":
        return {**kind, "id": _id(call, row), "type": "occurrence", **series, **when}
    organizer = {"emailAddress": row["organizer"]}
    whole = {
        **kind,
        "@odata.etag": f'W/"{row["hash"]:x}.{row["modified_s"]}"',
        "id": _id(call, row),
        "createdDateTime": _stamp(row["created_s"], 7),
        "lastModifiedDateTime": _stamp(row["modified_s"], 7),
        "iCalUId": row["ical_uid"] if row["kind"] != "exception" else f"{row['ical_uid']}{row['start_s'] // 86400:X}",
        "subject": ("Canceled: " if row["is_cancelled"] else "") + row["subject"],
        "bodyPreview": BODY,
        "body": {"contentType": "html", "content": f"<html><body>{BODY}</body></html>"},
        **when,
        "type": row["kind"],
        "seriesMasterId": None,
        **series,
        "isCancelled": row["is_cancelled"],
        "isOrganizer": row["organizer"]["address"] == owner["mail"],
        "isAllDay": False,
        "isOnlineMeeting": True,
        "responseStatus": {"response": "accepted", "time": "0001-01-01T00:00:00Z"},
        "sensitivity": "private" if row["hash"] % 23 == 0 else "normal",
        "location": {"displayName": "Teams", "locationType": "default"},
        "organizer": organizer,
        "attendees": [_attendee(each, row) for each in (*row["sellers"], *row["people"])],
    }
    if row["kind"] == "seriesMaster":
        whole["recurrence"] = {
            "pattern": {"type": "weekly", "interval": 1},
            "range": {"type": "numbered", "numberOfOccurrences": 4},
        }
    return asked.narrowed(whole, select)


def message(call: Call, owner: Row, row: Row, select: tuple[str, ...]) -> dict[str, Any]:
    """Write a message; what is gone from the folder that was asked for is an id."""
    kind = {"@odata.type": "#microsoft.graph.message"}
    if row["is_gone"]:
        return {**kind, "id": _id(call, row), "@removed": {"reason": "deleted"}}
    whole = {
        **kind,
        "@odata.etag": f'W/"{row["hash"]:x}.{row["modified_s"]}"',
        "id": _id(call, row),
        "createdDateTime": _stamp(row["sent_s"]),
        "lastModifiedDateTime": _stamp(row["modified_s"]),
        "receivedDateTime": _stamp(row["received_s"]),
        "sentDateTime": _stamp(row["sent_s"]),
        "internetMessageId": row["internet_id"],
        "conversationId": row["conversation"],
        "subject": row["subject"],
        "bodyPreview": BODY,
        "body": {"contentType": "html", "content": f"<html><body>{BODY}</body></html>"},
        "parentFolderId": folder_id(owner, row["folder"]),
        "isDraft": row["folder"] == "drafts",
        "isRead": row["folder"] != "inbox",
        "hasAttachments": False,
        "from": {"emailAddress": row["sender"]},
        "sender": {"emailAddress": row["sender"]},
        "toRecipients": [{"emailAddress": each} for each in row["recipients"]],
        "ccRecipients": [{"emailAddress": each} for each in row["copied"]],
        "bccRecipients": [],
    }
    return asked.narrowed(whole, select)


def folder_id(owner: Row, folder: str) -> str:
    """Return the id of a well-known folder of a mailbox."""
    return f"AAkALgAAAAAAHYQDEapFd{owner['id'][:8]}{folder}"


def _id(call: Call, row: Row) -> str:
    """Return the id that stays, or the one that changes with the folder: which is asked for by a header."""
    stays = str(row["id"])
    place = (row.get("folder") or "calendar")[:3]
    return stays if asked.wants_immutable(call) else f"AAMkAGI2TG93AAAAAA{place}{stays[ID_HEAD:]}"


def _series_id(row: Row) -> str:
    named = base64.b64encode(format(row["master_hash"], "016x").encode()).decode()
    return str(row["id"])[:ID_HEAD] + named


def _attendee(each: Row, row: Row) -> dict[str, Any]:
    response = _RESPONSES[(row["hash"] + len(each["address"])) % len(_RESPONSES)]
    address = {"name": each["name"], "address": each["address"]}
    return {
        "type": "required",
        "status": {"response": response, "time": "0001-01-01T00:00:00Z"},
        "emailAddress": address,
    }


def _zoned(seconds: int) -> dict[str, str]:
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.0000000")
    return {"dateTime": text, "timeZone": "UTC"}


def _stamp(seconds: int, digits: int = 0) -> str:
    text = datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S")
    return f"{text}.{'0' * digits}Z" if digits else f"{text}Z"
