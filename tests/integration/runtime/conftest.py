"""The runtime over real HTTP on loopback, in virtual time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from connectors.runtime.retry import RetryPolicy
from connectors.runtime.transport import EgressPolicy, Limits, RateLimit, Transport
from tests.integration.runtime.vendor import Reply, Vendor
from tests.stand_ins import VirtualTime


@pytest.fixture
def virtual() -> VirtualTime:
    return VirtualTime()


@pytest.fixture
def vendor(virtual: VirtualTime) -> Iterator[Vendor]:
    made = Vendor(virtual.monotonic)
    yield made
    made.close()


@pytest.fixture
def reply() -> type[Reply]:
    return Reply


MakeTransport = Callable[..., Transport]


@pytest.fixture
def make_transport(vendor: Vendor, virtual: VirtualTime) -> Iterator[MakeTransport]:
    opened: list[Transport] = []

    def make(*, limits: Limits | None = None, rate: RateLimit | None = None, **retry: Any) -> Transport:
        policy = RetryPolicy(uniform=lambda _low, high: high, **retry)
        made = Transport(
            EgressPolicy(frozenset({"api.vendor.com"}), vendor.origin),
            rate=rate,
            retry=policy,
            limits=limits,
            clock=virtual.clock,
            sleep=virtual.sleep,
            monotonic=virtual.monotonic,
        )
        opened.append(made)
        return made

    yield make
    for transport in opened:
        transport.close()
