"""HubSpot's request limits, in real time: so many in ten seconds, so many searches in one, so many a day."""

from __future__ import annotations

from collections import deque
from threading import Lock
from time import monotonic
from typing import TYPE_CHECKING

from gtm_pipelines.sandbox.vendor import VendorState
from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_WINDOW_S = 10.0


class Limits(VendorState):
    """What one account has used."""

    def __init__(self) -> None:
        self._recent: deque[float] = deque()
        self._searches: deque[float] = deque()
        self._lock = Lock()
        self.used = 0

    def start_day(self) -> None:
        """Give the day's allowance back."""
        with self._lock:
            self.used = 0

    def admit(self, faults: HubspotFaults, *, is_search: bool) -> dict[str, str]:
        """Count one request and return the headers that tell what is left; raise HubspotError beyond a limit."""
        with self._lock:
            self.used += 1
            if faults.quota_spent or self.used > faults.daily_requests:
                raise HubspotError.busy("DAILY")
            if is_search:
                _count(self._searches, 1.0, faults.searches_per_second, "SECONDLY")
                return {}
            _count(self._recent, _WINDOW_S, faults.requests_per_ten_seconds, "TEN_SECONDLY_ROLLING")
            return {
                "x-hubspot-ratelimit-daily": str(faults.daily_requests),
                "x-hubspot-ratelimit-daily-remaining": str(faults.daily_requests - self.used),
                "x-hubspot-ratelimit-interval-milliseconds": str(int(_WINDOW_S * 1000)),
                "x-hubspot-ratelimit-max": str(faults.requests_per_ten_seconds),
                "x-hubspot-ratelimit-remaining": str(faults.requests_per_ten_seconds - len(self._recent)),
            }


def _count(moments: deque[float], window: float, most: int, policy: str) -> None:
    now = monotonic()
    while moments and moments[0] <= now - window:
        moments.popleft()
    if len(moments) >= most:
        raise HubspotError.busy(policy)
    moments.append(now)


def usage(tenant: Tenant) -> dict[str, object]:
    """Answer ``account-info/…/api-usage/daily/private-apps``."""
    faults, limits = tenant.faults_of(HubspotFaults), tenant.state(Limits)
    now = tenant.world.now()
    return {
        "name": "private-apps-api-calls-daily",
        "usageLimit": faults.daily_requests,
        "currentUsage": limits.used,
        "collectedAt": now.isoformat(),
        "fetchStatus": "SUCCESS",
        "resetsAt": now.replace(hour=23, minute=59, second=59).isoformat(),
    }
