"""HubSpot's ``paging.next.after``: what the next page begins after. An id in a list, a number of hits in a search."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.faults import Faults
    from gtm_pipelines.sandbox.wire import Call


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request for a page is answered with: what to read after, or nothing; ``again`` comes as next if given."""

    reads_after: int
    is_empty: bool = False
    again: str | None = None
    repeats: str | None = None


def limit(given: Any, *, default: int, most: int) -> int:
    """Read ``limit``; raise HubspotError for one beyond what a page may hold."""
    if given is None:
        return default
    asked = int(given) if str(given).isdecimal() else 0
    if not 1 <= asked <= most:
        raise HubspotError.invalid(f"Invalid limit {given}: must be between 1 and {most}")
    return asked


def turn(given: Any, faults: Faults) -> Turn:
    """Read ``after`` and decide what the faults make of the request.

    The fault of a page that comes twice, or comes empty, marks its next token with so many leading zeros.
    """
    text = "" if given is None else str(given)
    if text and not text.isdecimal():
        raise HubspotError.invalid(f"Invalid after {text}")
    after = int(text or 0)
    if text:
        if faults.repeat_token:
            return Turn(after, repeats=text)
        if faults.take("duplicate_page"):
            return Turn(0, again="0" + text)
        if faults.take("empty_page"):
            return Turn(after, is_empty=True, again="0" + text)
    return Turn(after)


def following(here: Turn, last: int | None, call: Call | None = None, tenant: str = "") -> dict[str, Any]:
    """Return the ``paging`` member: after ``last``, or as the faults have it; nothing at the end."""
    after = here.again or (here.repeats if last is not None else None) or (None if last is None else str(last))
    if after is None:
        return {}
    following: dict[str, Any] = {"after": after}
    if call is not None:
        query = urlencode([*((key, text) for key, text in call.pairs if key != "after"), ("after", after)])
        following["link"] = f"{call.origin}/{tenant}/hubspot/{call.path}?{query}"
    return {"paging": {"next": following}}
