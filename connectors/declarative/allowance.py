"""A descriptor's ``quota`` section, compiled into what the runtime's ledger reads out of answers."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.runtime import paths, timestamps
from connectors.runtime.quota import QuotaLedger, Told

if TYPE_CHECKING:
    from connectors.connector import Clock
    from connectors.declarative.model import Place, QuotaSpec
    from connectors.runtime.classification import Classify, Verdict
    from connectors.runtime.messages import Response

_NUMBER = re.compile(r"\d{1,15}(\.\d+)?")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def build_ledger(spec: QuotaSpec | None, clock: Clock) -> QuotaLedger | None:
    """Build the ledger of one connection; None where the vendor says nothing of a quota."""
    return None if spec is None else QuotaLedger(spec.share, lambda response: _told(spec, response, clock), clock=clock)


def noting(ledger: QuotaLedger | None, classify: Classify | None) -> Classify | None:
    """Return the error table with the ledger shown every answer, refusals too."""
    if ledger is None:
        return classify

    def judge(response: Response) -> Verdict | None:
        ledger.note(response)
        return classify(response) if classify else None

    return judge


def _told(spec: QuotaSpec, response: Response, clock: Clock) -> Told | None:
    limit = _number(spec.limit, response)
    remaining = _number(spec.remaining, response) if spec.remaining else None
    used = _number(spec.used, response) if spec.used else None
    if limit is not None and used is not None:
        remaining = limit - used
    if limit is None or remaining is None:
        return None
    return Told(limit, remaining, _resets_in(spec, response, clock))


def _resets_in(spec: QuotaSpec, response: Response, clock: Clock) -> timedelta | None:
    """Return how long the period lasts yet, by the vendor's clock where it shows it."""
    now = response.sent_at or clock()
    if spec.window is not None:
        return spec.window - (now - _EPOCH) % spec.window
    found = _value(spec.resets, response) if spec.resets else None
    if spec.resets is None or found is None:
        return None
    if spec.resets.as_ == "seconds":
        return timedelta(seconds=float(found)) if _NUMBER.fullmatch(str(found)) else None
    try:
        moment = timestamps.parse(found, "iso8601" if spec.resets.as_ == "iso8601" else "epoch_s")
    except (ValueError, OverflowError):
        return None
    return None if moment is None else moment - now


def _number(place: Place, response: Response) -> int | None:
    found = place.value if place.value is not None else _value(place, response)
    return int(float(found)) if found is not None and _NUMBER.fullmatch(str(found)) else None


def _value(place: Place, response: Response) -> Any:
    if place.path is not None:
        return _in_body(place.path, response)
    header = response.headers.get((place.header or "").lower())
    if header is None or place.part is None:
        return header
    parts = (each.partition("=") for each in re.split(r"[,;]", header))
    return next((value.strip() for name, _, value in parts if name.strip() == place.part), None)


def _in_body(path: str, response: Response) -> Any:
    if not paths.may_hold(response.content, path):  # every page passes here
        return None
    try:
        found = paths.find_one(response.content, path)
    except (msgspec.DecodeError, RecursionError):
        return None
    return found if isinstance(found, str | int | float) and not isinstance(found, bool) else None
