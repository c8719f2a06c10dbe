"""Customer.io's pager: ``start`` of a request is ``next`` of the one before; an opaque text that names a place.

A place is the sort key of the last record served, so a page costs the same however far in it is. Each token also knows
the place before it, for the fault that serves a page twice.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.customerio.errors import CustomerioError

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.faults import Faults
    from gtm_pipelines.sandbox.wire import Call

Key = list[Any]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page begins: after ``after`` (None: at the first record). ``serial`` makes tokens of one place differ."""

    after: Key | None = None
    before_that: Key | None = None
    serial: int = 0
    is_gap: bool = False

    def token(self) -> str:
        """Write the place as ``next``."""
        return base64.urlsafe_b64encode(orjson.dumps([self.after, self.before_that, self.serial, self.is_gap])).decode()


def place(call: Call) -> Place:
    """Read ``start``; raise CustomerioError for what no answer ever gave out."""
    start = call.query.get("start", "")
    if not start:
        return Place()
    try:
        after, before_that, serial, is_gap = orjson.loads(base64.urlsafe_b64decode(start))
    except ValueError:
        raise CustomerioError.invalid("invalid start") from None
    return Place(after, before_that, serial, bool(is_gap))


def limit(call: Call, most: int) -> int:
    """Read ``limit``; more than the vendor allows is the most it allows."""
    asked = call.query.get("limit", str(most))
    if not asked.isdecimal() or int(asked) < 1:
        raise CustomerioError.invalid("invalid limit")
    return min(int(asked), most)


@dataclass(frozen=True, slots=True)
class Turn:
    """What a request for a page is answered with: where to read from, or nothing, and which place comes next."""

    reads_after: Key | None
    is_empty: bool
    repeats: Place | None


def turn(here: Place, faults: Faults) -> Turn:
    """Decide what the faults make of a request for the page at ``here``."""
    if here.serial or here.after is not None:
        again = Place(here.after, here.before_that, here.serial + 1)
        if faults.take("duplicate_page"):
            return Turn(here.before_that, is_empty=False, repeats=again)
        if here.is_gap or faults.take("empty_page"):
            return Turn(None, is_empty=True, repeats=again)
    return Turn(here.after, is_empty=False, repeats=None)


def following(here: Place, turned: Turn, last: Key | None, faults: Faults, *, gap: bool = False) -> str:
    """Return ``next``: the place after ``last``, the same place again if the faults say so, or "" at the end."""
    if turned.repeats is not None:
        return turned.repeats.token()
    if last is None:
        return ""
    if faults.repeat_token:
        return here.token()
    return Place(last, here.after, 0, gap).token()
