"""What a connection may still spend: known from the vendor's answers, and never all of it ours."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from connectors.connector import Mode, SyncOptions
from connectors.errors import Deferred, Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Response
from connectors.runtime.quota import Quota, QuotaLedger, Told
from tests.stand_ins import VirtualTime
from tests.unit.connectors.described import NOW, Read, Vendor, ago, connect, paged, read

DAILY = """\
quota:
  leave: 20%
  remaining: {header: X-Daily-Remaining}
  limit: {header: X-Daily}
  window: 1d
entities:
  - {name: people, description: People., endpoint: {path: /people}, items: data, key: id}
  - {name: deals, description: Deals., endpoint: {path: /people}, items: data, key: id}
"""


class Metered(Vendor):
    """A vendor that counts down, and says so in headers and where it is asked."""

    def __init__(self, left: int, limit: int = 100, header: str = "{left}") -> None:
        super().__init__()
        self.left, self.limit, self.header = left, limit, header
        self.handlers["/people"] = lambda request: paged([{"id": f"p{n}"} for n in range(12)], request)
        self.handlers["/usage"] = lambda _: {"usage": {"used": self.limit - self.left, "limit": self.limit}}

    def send(self, request: Any, auth: Any = None, classify: Any = None) -> Response:
        def judged(response: Response) -> Any:
            said = self.header.format(left=self.left, limit=self.limit)
            headers = {**response.headers, "x-daily-remaining": said, "x-daily": str(self.limit)}
            return classify(Response(response.status, headers, response.content, response.url))

        self.left -= 1
        return super().send(request, auth, judged)


def test_reading_stops_before_the_customers_share_and_says_when_it_goes_on() -> None:
    vendor = Metered(left=23)
    made = connect(vendor, DAILY)
    done = Read()
    with pytest.raises(Deferred, match="quota_spent") as caught:
        done.extend(made.sync(made.authenticate(), None, SyncOptions("people", Mode.FULL, NOW)))
    assert vendor.left == 20
    assert caught.value.resume_at == NOW.replace(hour=0) + timedelta(days=1)
    assert len(done) == 3  # what was read is kept
    with pytest.raises(Deferred):  # the other entities share it
        read(made, "deals")
    assert vendor.left == 20


def test_the_state_is_there_to_be_shown_after_a_sync() -> None:
    made = connect(Metered(left=90), DAILY)
    assert made.quota() is None
    read(made, "people")
    assert made.quota() == Quota(100, 86, NOW.replace(hour=0) + timedelta(days=1), 20)
    assert connect(Vendor(), DAILY[DAILY.index("entities") :]).quota() is None


def test_a_quota_told_in_a_place_of_its_own_is_asked_once_per_sync() -> None:
    text = DAILY.replace("remaining: {header: X-Daily-Remaining}", "used: {path: usage.used}")
    text = text.replace("{header: X-Daily}", "{path: usage.limit}")
    text = text.replace("window: 1d", "window: 1d\n  ask: {path: /usage}")
    vendor = Metered(left=90)
    made = connect(vendor, text)
    read(made, "people")
    read(made, "deals")
    assert vendor.paths().count("/usage") == 1
    assert (made.quota() or Quota(0, 0, None, 0)).remaining == 90 - len(vendor.paths())


RESET = "X-Daily-Remaining, part: reset"


@pytest.mark.parametrize(
    ("place", "told"),
    [
        (f"{{header: {RESET}}}", "limit=100, remaining={left}, reset=60"),
        (f"{{header: {RESET}, as: epoch_s}}", f"remaining={{left}};reset={NOW.timestamp() - 60:.0f}"),
        (f"{{header: {RESET}, as: iso8601}}", "remaining={left}, reset=2026-03-10T11:59:00Z"),
    ],
)
def test_when_it_is_whole_again_is_counted_by_the_vendors_clock(place: str, told: str) -> None:
    text = DAILY.replace("{header: X-Daily-Remaining}", "{header: X-Daily-Remaining, part: remaining}")
    vendor = Metered(left=90, header=told)
    vendor.now = ago(minutes=2)
    made = connect(vendor, text.replace("window: 1d", f"resets: {place}"))
    read(made, "people")
    state = made.quota()
    assert state is not None
    assert state.resets_at == NOW + timedelta(minutes=1)


def test_a_period_that_is_over_binds_nobody() -> None:
    time = VirtualTime()
    ledger = QuotaLedger(0.5, lambda _: Told(10, 3, timedelta(seconds=30)), clock=time.clock)
    ledger.note(Response(200, {}, b"", ""))
    with pytest.raises(Deferred):
        ledger.spend()
    time.sleep(30)
    assert ledger.state is None
    ledger.spend()


def test_a_refusal_tells_as_much_as_an_answer() -> None:
    vendor = Metered(left=50)
    vendor.handlers["/people"] = lambda _: (403, {})
    made = connect(vendor, DAILY)
    with pytest.raises(Stop):
        read(made, "people")
    assert made.quota() is not None


def test_an_answer_without_numbers_leaves_what_was_known_and_counts_the_request() -> None:
    told = iter([Told(100, 60, None), None])
    ledger = QuotaLedger(0.2, lambda _: next(told), clock=VirtualTime().clock)
    ledger.note(Response(200, {}, b"", ""))
    ledger.spend()
    ledger.note(Response(200, {}, json.dumps({}).encode(), ""))
    assert ledger.state == Quota(100, 59, None, 20)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("leave: 20%", "leave: 0.2", "string"),
        ("leave: 20%", "leave: 100%", "pattern"),
        ("  window: 1d\n", "", "resets or window"),
        ("  remaining: {header: X-Daily-Remaining}\n", "", "remaining or used"),
        ("{header: X-Daily}", "{header: X-Daily, value: 3}", "one of them"),
    ],
)
def test_a_quota_that_says_nothing_is_refused(old: Any, new: Any, says: Any) -> None:
    assert old in DAILY
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), DAILY.replace(old, new, 1))
