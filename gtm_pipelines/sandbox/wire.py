"""A request and its answer as the vendors' code sees them: plain values, no framework."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Call:
    """One request. ``path`` is below the vendor's root, undecoded; ``size`` counts URL and header bytes."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    origin: str
    size: int
    pairs: tuple[tuple[str, str], ...] = ()  # the query as sent, for vendors whose parameters repeat


@dataclass(frozen=True, slots=True)
class Reply:
    """One answer; ``note`` goes to the ledger, not to the client."""

    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    note: str = ""


def as_json(value: Any, status: int = 200, **headers: str) -> Reply:
    """Answer with JSON; header names are given with underscores."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    return Reply(status, orjson.dumps(value), {"content-type": "application/json;charset=UTF-8", **named})
