"""A token bucket lets nothing out faster than its limit, whoever asks."""

from __future__ import annotations

import pytest

from connectors.runtime.ratelimit import RateLimit, TokenBucket
from tests.stand_ins import VirtualTime


def bucket(limit: RateLimit | None, virtual: VirtualTime) -> TokenBucket:
    return TokenBucket(limit, monotonic=virtual.monotonic, sleep=virtual.sleep)


def test_a_rested_bucket_gives_its_burst_at_once_and_then_its_rate() -> None:
    virtual = VirtualTime()
    made = bucket(RateLimit(10, per=1.0, burst=5), virtual)
    waits = [made.acquire() for _ in range(25)]
    assert waits[:5] == [0.0] * 5
    assert waits[5:] == pytest.approx([0.1] * 20)


def test_no_window_of_a_second_ever_holds_more_than_burst_plus_rate() -> None:
    virtual, times = VirtualTime(), []
    made = bucket(RateLimit(10, per=1.0, burst=10), virtual)
    for at in range(200):
        made.acquire()
        times.append(virtual.seconds)
        if at % 37 == 0:
            virtual.sleep(0.7)
    assert max(sum(start <= other < start + 1.0 for other in times) for start in times) <= 20


def test_a_pause_holds_everything_back_and_a_shorter_one_does_not_shorten_it() -> None:
    virtual = VirtualTime()
    made = bucket(None, virtual)
    made.pause(30)
    made.pause(5)
    assert made.acquire() == 30
    assert made.acquire() == 0


def test_a_pause_that_arrives_during_the_wait_is_waited_for_too() -> None:
    virtual = VirtualTime()

    def sleep(seconds: float) -> None:
        virtual.sleep(seconds)
        if len(virtual.slept) == 1:
            made.pause(9)

    made = TokenBucket(RateLimit(1, burst=1), monotonic=virtual.monotonic, sleep=sleep)
    made.acquire()
    assert made.acquire() == 10


@pytest.mark.parametrize(("requests", "per", "burst"), [(0, 1, None), (1, 0, None), (-1, 1, None), (1, 1, 0)])
def test_a_limit_of_nothing_is_refused(requests: float, per: float, burst: int | None) -> None:
    with pytest.raises(ValueError, match="positive"):
        RateLimit(requests, per, burst)
