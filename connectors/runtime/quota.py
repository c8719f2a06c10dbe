"""What a connection may still spend at its vendor, and the share that is left to the customer's own use.

One ledger per connection, fed by every answer and asked before every request. Spending on stops in time, with the
moment to go on at. How an answer tells these numbers is the connector's to say. Meant for quotas of an hour or a day;
what a vendor allows within seconds is a rate limit.
"""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from connectors.errors import Deferred

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from connectors.runtime.messages import Response


@dataclass(frozen=True, slots=True)
class Quota:
    """What a vendor allows in a period: requests or points, as it counts them."""

    limit: int
    remaining: int
    resets_at: datetime | None
    left_to_customer: int

    @property
    def is_spent(self) -> bool:
        """Whether one more request would cut into the customer's share."""
        return self.remaining - 1 < self.left_to_customer


@dataclass(frozen=True, slots=True)
class Told:
    """What one answer tells. ``resets_in`` is counted by the vendor's own clock."""

    limit: int
    remaining: int
    resets_in: timedelta | None


class QuotaLedger:
    """The account of one connection, shared by its entities and threads. ``share`` runs from 0 to 1."""

    def __init__(self, share: float, read: Callable[[Response], Told | None], *, clock: Callable[[], datetime]) -> None:
        self._share = share
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._quota: Quota | None = None

    @property
    def state(self) -> Quota | None:
        """What is known now; None before an answer told, and after the period it told of."""
        with self._lock:
            return self._known()

    def note(self, response: Response) -> None:
        """Take in what an answer tells, if it does."""
        told = self._read(response)
        if told is None:
            return
        resets_at = None if told.resets_in is None else self._clock() + told.resets_in
        left = math.ceil(told.limit * self._share)
        with self._lock:
            self._quota = Quota(told.limit, max(0, told.remaining), resets_at, left)

    def spend(self) -> None:
        """Book one request; raise Deferred(``quota_spent``) when that would cut into the customer's share."""
        with self._lock:
            quota = self._known()
            if quota is None:
                return
            if quota.is_spent:
                raise Deferred(
                    "quota_spent",
                    f"{quota.remaining:,} of {quota.limit:,} remain at the vendor, of which {quota.left_to_customer:,} "
                    f"are the customer's",
                    resume_at=quota.resets_at,
                )
            self._quota = replace(quota, remaining=quota.remaining - 1)

    def _known(self) -> Quota | None:
        if self._quota is not None and self._quota.resets_at is not None and self._clock() >= self._quota.resets_at:
            self._quota = None
        return self._quota
