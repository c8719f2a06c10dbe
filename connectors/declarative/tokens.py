"""Reading what changed by the vendor's own mark: a token, a link, a position in a log, or the highest id seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.declarative.changes import DeltaToken, SinceId
from connectors.declarative.parts import Part, with_last
from connectors.runtime import paths

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from connectors.declarative.account import Account, Way
    from connectors.declarative.changes import TokenDelta
    from connectors.landing import Landed
    from connectors.manifest import EntitySpec
    from connectors.runtime.messages import Response


class Tokens:
    """One entity's read by token, from ``mark`` on: all of it, or one parent's part."""

    def __init__(self, account: Account, spec: EntitySpec, delta: TokenDelta, mark: str | None) -> None:
        self._account = account
        self._spec = spec
        self._delta = delta
        self._name = member(delta)
        self.mark = mark

    def pages(self, way: Way, values: Mapping[str, Any]) -> Iterator[Part]:
        """Yield the pages; each has a place where the vendor gives one, else only the last."""
        asked = {**values, f"delta.{self._name}": self.mark}
        named = {self._delta.param: self.mark} if self._delta.param and self.mark is not None else {}
        is_link = isinstance(self._delta, DeltaToken) and self._delta.link
        link = self.mark if is_link else None
        pages = self._account.walk(way, asked, params={} if link else named, link=link)
        for response, is_last in with_last(pages):
            landed = way.land(response, self._spec)
            self._take(response, landed)
            is_place = is_last or self._delta.type == "cursor"
            yield Part.of(landed, self.place() if is_place else None)

    def place(self) -> dict[str, Any]:
        """Return the mark as a member of a cursor."""
        return {self._name: self.mark}

    def _take(self, response: Response, landed: Landed) -> None:
        if isinstance(self._delta, SinceId):
            self.mark = _highest([self.mark, *landed.table["external_id"].to_pylist()])
            return
        token = paths.read(response.content, self._delta.token_path) if response.content else None
        self.mark = str(token) if token not in (None, "") else self.mark


def member(delta: TokenDelta) -> str:
    """Return the name under which a delta's mark stands in a cursor."""
    return "since_id" if isinstance(delta, SinceId) else "token"


def _highest(ids: list[str | None]) -> str | None:
    """Return the greatest id, as numbers where both are numbers; no order is assumed between pages."""
    return max((each for each in ids if each is not None), key=_order, default=None)


def _order(value: str) -> tuple[int, str]:
    return (len(value.lstrip("0")), value.lstrip("0")) if value.isascii() and value.isdigit() else (0, value)
