"""The only I/O of connectors: sends requests with limits, retries, rate limits and typed errors.

What belongs here is the order of things: gate, circuit, bucket, auth, exchange, verdict, wait. Each of those lives in
its own module. Which statuses mean what is :mod:`~connectors.runtime.classification`; how long to wait is
:mod:`~connectors.runtime.retry`; nothing here knows a vendor.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import TYPE_CHECKING, Self, TypeVar

import httpx

from connectors.errors import Deferred, Reauthorise, Retry, Stop
from connectors.runtime.circuit import CircuitBreaker
from connectors.runtime.classification import Classify, Do, decide, error_for
from connectors.runtime.egress import EgressPolicy
from connectors.runtime.exchange import Exchange, Limits
from connectors.runtime.jsontext import is_json
from connectors.runtime.messages import Request, Response
from connectors.runtime.ratelimit import RateLimit, TokenBucket
from connectors.runtime.redaction import quiet_http_libraries
from connectors.runtime.retry import RetryPolicy, Transient, retry_after

if TYPE_CHECKING:
    import httpcore

    from connectors.connector import Clock
    from connectors.runtime.auth.tokens import Session, TokenAuth

__all__ = ["EgressPolicy", "Limits", "RateLimit", "Request", "Response", "RetryPolicy", "Stats", "Transport"]

T = TypeVar("T")
AuthFlow = Generator[httpx.Request, httpx.Response, T]
_MARKUP = frozenset({"text/html", "application/xhtml+xml"})


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(slots=True)
class Stats:
    """What the connection has cost so far: exchanges, decoded bytes, repeated attempts, seconds spent waiting."""

    requests: int = 0
    bytes: int = 0
    retries: int = 0
    waited: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, *, requests: int = 0, size: int = 0, retries: int = 0, waited: float = 0.0) -> None:
        """Count; safe from several threads."""
        with self._lock:
            self.requests += requests
            self.bytes += size
            self.retries += retries
            self.waited += waited


class Transport:
    """One connection's way to its vendor. Made without I/O; safe from several threads; close it at the end."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        rate: RateLimit | None = None,
        retry: RetryPolicy | None = None,
        limits: Limits | None = None,
        clock: Clock = _now,
        sleep: Callable[[float], None] = time.sleep,
        monotonic: Callable[[], float] = time.monotonic,
        backend: httpcore.NetworkBackend | None = None,
    ) -> None:
        quiet_http_libraries()
        self.policy = policy
        self.stats = Stats()
        self._retry = retry or RetryPolicy()
        self._clock = clock
        self._sleep = sleep
        self._monotonic = monotonic
        self._bucket = TokenBucket(rate, monotonic=monotonic, sleep=sleep)
        self._circuit = CircuitBreaker(monotonic)
        self._exchange = Exchange(policy, limits or Limits(), backend=backend)

    def send(self, request: Request, auth: httpx.Auth | None = None, classify: Classify | None = None) -> Response:
        """Return the accepted answer to ``request``, whole; raise one of :mod:`connectors.errors` otherwise.

        A 204 comes back with empty content. A body that should be JSON has been checked to be JSON.
        """

        def attempt() -> Response:
            outgoing = self._exchange.build(request)
            response = self._drive((auth or httpx.Auth()).sync_auth_flow(outgoing))[0]
            return self._judge(request, response, classify)

        return self._persist(attempt, repeatable=request.repeatable, label=request.label)

    def authorise(self, auth: TokenAuth) -> Session:
        """Make sure ``auth`` holds a live token and return it; raise Reauthorise when the vendor refuses for good."""

        def attempt() -> Session:
            session = self._drive(auth.session_flow())[1]
            if session is None:
                raise Reauthorise("unauthorised", "no session could be made from the stored credential")
            return session

        return self._persist(attempt, repeatable=True, label="token request")

    def close(self) -> None:
        """Close all connections; the transport may be used again and opens new ones."""
        self._exchange.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _drive(self, flow: AuthFlow[T]) -> tuple[Response, T]:
        """Run an auth flow over our own exchange, so that token requests meet the same gates, limits and counters."""
        response: Response | None = None
        try:
            outgoing = next(flow)
            while True:
                self.stats.add(waited=self._bucket.acquire())
                response = self._exchange.send(outgoing)
                self.stats.add(requests=1, size=len(response.content))
                outgoing = flow.send(_for_flow(outgoing, response))
        except StopIteration as end:
            return response or Response(0, {}, b"", ""), end.value
        finally:
            flow.close()

    def _judge(self, request: Request, response: Response, classify: Classify | None) -> Response:
        verdict = decide(response, classify)
        if verdict.do is Do.ACCEPT:
            _check_body(request, response)
            return response
        error = error_for(verdict, response, request.label)
        wait = verdict.wait if verdict.wait is not None else retry_after(response.headers)
        if verdict.do is Do.RETRY:
            unsent = verdict.code == "rate_limited"
            raise Transient(verdict.code, error.message, status=response.status, wait=wait, unsent=unsent)
        if isinstance(error, Deferred):
            error.resume_at = self._at(wait)
        raise error

    def _persist(self, attempt: Callable[[], T], *, repeatable: bool, label: str) -> T:
        """Attempt until it works or the budget of the failure at hand is spent."""
        started = self._monotonic()
        probe = self._circuit.enter()
        failures = 0
        while True:
            try:
                result = attempt()
            except Transient as failure:
                failures += 1
                spent = probe or failures >= self._retry.allowed(failure.code) or not (repeatable or failure.unsent)
                delay = self._delay(failure, failures)
                too_long = self._monotonic() - started + delay > self._retry.longest_total
                if not spent and not too_long and delay <= self._retry.longest_wait:
                    self._wait(failure, delay)
                    continue
                self._settle(failure)
                raise self._give_up(failure, label, spent=spent) from None
            except BaseException:
                self._circuit.abandoned()
                raise
            self._circuit.succeeded()
            return result

    def _delay(self, failure: Transient, failures: int) -> float:
        if failure.wait is None:
            return self._retry.backoff(failures)
        return failure.wait + self._retry.politeness()

    def _wait(self, failure: Transient, delay: float) -> None:
        self.stats.add(retries=1)
        if failure.wait is not None:
            self._bucket.pause(delay)  # everyone on this connection waits; the next attempt queues at the bucket
        else:
            self.stats.add(waited=delay)
            self._sleep(delay)

    def _settle(self, failure: Transient) -> None:
        if failure.code == "rate_limited" or failure.final is not Retry:
            self._circuit.abandoned()  # a vendor that answers is not down, however little use the answer is
        else:
            self._circuit.failed()

    def _give_up(self, failure: Transient, label: str, *, spent: bool) -> Exception:
        if failure.wait is not None and failure.final is Retry and not spent:
            return Deferred(failure.code, failure.message, resume_at=self._at(failure.wait), status=failure.status)
        error = failure.error()
        if label not in error.message:
            error.message = f"{error.message} ({label})"
        return error

    def _at(self, wait: float | None) -> datetime | None:
        return None if wait is None else self._clock() + timedelta(seconds=wait)


def _for_flow(request: httpx.Request, response: Response) -> httpx.Response:
    headers = [
        (name.encode(), value.encode("utf-8", "surrogateescape"))
        for name, value in response.headers.items()
        if name != "transfer-encoding"
    ]
    return httpx.Response(response.status, headers=headers, content=response.content, request=request)


def _check_body(request: Request, response: Response) -> None:
    """Raise Transient when a page that should be JSON is not: a login page, a cut, an empty body."""
    if request.expect != "json" or response.status == HTTPStatus.NO_CONTENT:
        return
    if response.media_type in _MARKUP:
        message = f"the vendor answered with a web page ({request.label})"
        raise Transient("unexpected_content_type", message, status=response.status, final=Stop)
    if not is_json(response.content):
        message = f"the vendor's answer is not whole JSON ({request.label})"
        raise Transient("malformed_page", message, status=response.status, final=Stop)
