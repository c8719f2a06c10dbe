"""Access tokens that are good now, and how much of the day's allowance is used."""

from __future__ import annotations

import secrets
from threading import Lock
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import VendorState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_ORGANISATION = "00DHs0000000001"


class Sessions(VendorState):
    """A tenant's sessions. They end when told to, or with the server."""

    def __init__(self) -> None:
        self._tokens: set[str] = set()
        self._lock = Lock()
        self.used = 0

    def open(self, tenant: str) -> str:
        """Return a new access token; it names the tenant, as a real one names its organisation."""
        token = f"{_ORGANISATION}!{tenant}.{secrets.token_urlsafe(48)}"
        with self._lock:
            self._tokens.add(token)
        return token

    def is_open(self, token: str) -> bool:
        """Say whether the token is good."""
        with self._lock:
            return token in self._tokens

    def expire(self) -> None:
        """End every session."""
        with self._lock:
            self._tokens.clear()

    def count_request(self) -> int:
        """Count one request against the allowance and return how many that makes."""
        with self._lock:
            self.used += 1
            return self.used

    def start_day(self) -> None:
        """Give the allowance back."""
        with self._lock:
            self.used = 0


def claims(segments: Sequence[str], headers: Mapping[str, str]) -> str | None:
    """Return the tenant of a request to ``/services`` of a bare host: its access token says whose it is."""
    if segments[0] != "services":
        return None
    organisation, mark, rest = headers.get("authorization", "").partition(" ")[2].partition("!")
    return rest.partition(".")[0] if mark and organisation == _ORGANISATION else "-"
