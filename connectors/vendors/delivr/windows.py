"""Reading events by closed windows, each until it holds still.

Both ends of a window are inclusive and it may span 25 hours. Within it rows are paged by offset, so an event that
arrives late pushes others over a page's edge: the last rows of a page come again, and the late one is never seen. That
repetition is the sign by which such a window is read once more; every row is billed, so nothing else is read twice.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import blake2b
from typing import TYPE_CHECKING, Any

from connectors.errors import Retry, Stop

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from connectors.landing import Landed

LONGEST = timedelta(hours=25)
_TRIES = 3
_TELLING = 2  # pages that suffice to see that the offset changes nothing
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MS = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class Window:
    """The events of ``start`` and later, before ``end``; both whole milliseconds."""

    start: datetime
    end: datetime

    def params(self) -> dict[str, str]:
        """Return it as the vendor asks for it: both ends inclusive, in milliseconds."""
        return {"start_ms": str((self.start - _EPOCH) // _MS), "end_ms": str((self.end - _EPOCH) // _MS - 1)}


def between(start: datetime, end: datetime) -> Iterator[Window]:
    """Yield the windows from ``start`` up to ``end``, oldest first and without a gap or an overlap."""
    at, last = _floor(start), _floor(end)
    while at < last:
        window = Window(at, min(at + LONGEST, last))
        yield window
        at = window.end


def until_still(read: Callable[[], Iterator[Landed]]) -> Iterator[Landed]:
    """Yield the pages of a window, again from the top while its rows move; raise Retry when they do not come to rest.

    Raises Stop(``pagination_loop``) when the vendor serves the same page whatever the offset.
    """
    before: bytes | None = None
    for _ in range(_TRIES):
        walk = _Walk()
        try:
            for landed in read():
                walk.see(landed)
                yield landed
                if walk.goes_round:
                    break
        except Stop as error:  # equal pages, byte for byte
            if error.code != "pagination_loop":
                raise
            walk.goes_round = True
        if not walk.goes_round and (not walk.has_shifted or walk.digest() == before):
            return
        before = None if walk.goes_round else walk.digest()
    if walk.goes_round and walk.pages <= _TELLING:
        raise Stop("pagination_loop", "the vendor sends the same page whatever the offset")
    raise Retry("window_moves", "events keep arriving in a window that should have closed: a longer settle time helps")


@dataclass(slots=True)
class _Walk:
    """What one pass over a window's pages shows of rows that move."""

    pages: int = 0
    has_shifted: bool = False
    goes_round: bool = False  # a page is the page before it: going on could cost without an end
    _last: frozenset[str] = frozenset()
    _seen: blake2b = field(default_factory=lambda: blake2b(digest_size=16))

    def see(self, landed: Landed) -> None:
        """Compare a page with the one before it."""
        keys: list[Any] = landed.table["external_id"].to_pylist()
        here = frozenset(keys)
        self.pages += 1
        self.has_shifted |= not self._last.isdisjoint(here)
        self.goes_round = bool(here) and here == self._last
        self._last = here
        self._seen.update("\n".join(keys).encode())

    def digest(self) -> bytes:
        """Return what all rows in their order come to."""
        return self._seen.digest()


def _floor(moment: datetime) -> datetime:
    return moment - timedelta(microseconds=moment.microsecond % 1000)
