"""What a request asks for beside its path: ``$select``, page sizes, and the ``Prefer`` header."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError

if TYPE_CHECKING:
    from collections.abc import Collection

    from gtm_pipelines.sandbox.wire import Call

_MAX_PAGE = re.compile(r"odata\.maxpagesize\s*=\s*(\d{1,6})", re.IGNORECASE)
_RECEIVED = re.compile(r"receivedDateTime\s+(ge|gt)\s+(\S+)")
_STARTS = re.compile(r"start/dateTime\s+ge\s+'([^']+)'")


def selected(call: Call, known: Collection[str]) -> tuple[str, ...]:
    """Read ``$select``; empty when it is not given. Raises GraphError for a property there is none of."""
    names = tuple(name.strip() for name in call.query.get("$select", "").split(",") if name.strip())
    for name in names:
        if name not in known:
            raise GraphError.bad(f"Could not find a property named '{name}' on type 'microsoft.graph.outlookItem'.")
    return names


def narrowed(record: dict[str, Any], select: tuple[str, ...]) -> dict[str, Any]:
    """Leave what was selected; ids and annotations always stay."""
    if not select:
        return record
    return {name: value for name, value in record.items() if name in select or name == "id" or name.startswith("@")}


def size(call: Call, usual: int, most: int, *, top: bool = True) -> int:
    """Read how long a page is to be: ``$top`` where it is allowed, else ``Prefer: odata.maxpagesize``."""
    given = call.query.get("$top") if top else None
    if given is not None:
        if not given.isdecimal() or not 1 <= int(given) <= most:
            raise GraphError.bad(f"Invalid page size specified: '{given}'. Must be between 1 and {most} inclusive.")
        return int(given)
    preferred = _MAX_PAGE.search(call.headers.get("prefer", ""))
    return min(max(int(preferred[1]), 1), most) if preferred else usual


def wants_immutable(call: Call) -> bool:
    """Say whether ids that stay were asked for."""
    return 'idtype="immutableid"' in call.headers.get("prefer", "").lower().replace(" ", "")


def moment(call: Call, name: str) -> int:
    """Read a required moment of the query as epoch seconds; without a zone it is UTC."""
    try:
        return _seconds(call.query[name])
    except (KeyError, ValueError):
        raise GraphError.bad(
            "This request requires a time window specified by the query string parameters StartDateTime and "
            "EndDateTime.",
            "ErrorInvalidParameter",
        ) from None


def received_from(call: Call) -> int | None:
    """Read the one ``$filter`` that a delta of messages allows, as epoch seconds."""
    given = call.query.get("$filter")
    if given is None:
        return None
    match = _RECEIVED.fullmatch(given.strip())
    try:
        return _seconds(match[2] if match else "") + (match is not None and match[1] == "gt")
    except ValueError:
        raise GraphError.bad(
            "Change tracking allows only a filter on receivedDateTime with ge or gt.", "ErrorInvalidUrlQueryFilter"
        ) from None


def starts_from(call: Call) -> int | None:
    """Read the one ``$filter`` of events that the sandbox knows, as epoch seconds."""
    given = call.query.get("$filter")
    if given is None:
        return None
    match = _STARTS.fullmatch(given.strip())
    try:
        return _seconds(match[1] if match else "")
    except ValueError:
        raise GraphError.bad(
            "The query filter contains one or more invalid nodes.", "ErrorInvalidUrlQueryFilter"
        ) from None


def _seconds(text: str) -> int:
    given = datetime.fromisoformat(text)
    return int((given if given.tzinfo else given.replace(tzinfo=UTC)).timestamp())
