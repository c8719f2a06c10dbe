"""One HTTP exchange: a request goes out, a whole bounded answer comes back, or a typed failure.

Here the HTTP library is held to our rules: no environment, no redirects, no cookies, our egress guard as its network,
bodies decoded by us so that a small compressed answer cannot become a large one. No retries and no meaning of statuses.
"""

from __future__ import annotations

import functools
import ssl
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any

import httpcore
import httpx

from connectors.errors import Stop
from connectors.runtime.egress import DEADLINE, EgressPolicy, GuardedBackend
from connectors.runtime.messages import Params, Request, Response
from connectors.runtime.retry import Transient

_USER_AGENT = "gtm-pipelines"
_CHUNK = 262_144


@dataclass(frozen=True, slots=True)
class Limits:
    """What one answer may cost. Seconds and decoded bytes."""

    connect: float = 10.0
    read: float = 30.0
    total: float = 120.0
    body: int = 64 * 1024 * 1024
    connections: int = 10


class Exchange:
    """The HTTP client of one connection. Nothing is opened before the first request."""

    def __init__(self, policy: EgressPolicy, limits: Limits, *, backend: httpcore.NetworkBackend | None = None) -> None:
        self._policy = policy
        self._limits = limits
        self._backend = backend or GuardedBackend(policy)

    @functools.cached_property
    def client(self) -> httpx.Client:
        """The one client: pooled connections to this connection's hosts, and nothing inherited from outside."""
        limits = self._limits
        return httpx.Client(
            transport=_PoolTransport(self._backend, limits),
            timeout=httpx.Timeout(limits.read, connect=limits.connect, pool=limits.total),
            trust_env=False,
            follow_redirects=False,
            cookies=CookieJar(policy=DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": _USER_AGENT, "Accept": "application/json", "Accept-Encoding": "gzip, deflate"},
        )

    def build(self, request: Request) -> httpx.Request:
        """Turn ``request`` into the library's own; raise Stop when its address or a header is not allowed."""
        self._policy.check(request.url)
        for name, value in (request.headers or {}).items():
            if not (name.isascii() and name.isprintable() and value.isascii() and value.isprintable()):
                raise Stop("bad_request", f"header {name!r} holds a character that headers may not hold")
        url = httpx.URL(request.url)
        if request.params:
            url = url.copy_merge_params(_query(request.params))
        return self.client.build_request(
            request.method, url, headers=request.headers, json=request.json, data=request.form, content=request.content
        )

    def send(self, request: httpx.Request) -> Response:
        """Send ``request`` and read the whole answer; raise Transient or Stop. Also the way of token requests."""
        self._policy.check(str(request.url))
        started = time.monotonic()
        token = DEADLINE.set(started + self._limits.total)
        try:
            return self._read(request, started)
        except httpx.LocalProtocolError:
            raise Stop("bad_request", "the request breaks a rule of HTTP") from None
        except httpx.TransportError as error:
            raise _as_failure(error, out_of_time=time.monotonic() - started >= self._limits.total) from None
        finally:
            DEADLINE.reset(token)

    def close(self) -> None:
        """Close all connections."""
        if "client" in self.__dict__:
            self.client.close()
            del self.__dict__["client"]

    def _read(self, request: httpx.Request, started: float) -> Response:
        answer = self.client.send(request, stream=True)
        try:
            encoding = answer.headers.get("content-encoding", "").strip().lower()
            decode = _decoder(encoding)
            body = bytearray()
            for raw in answer.iter_raw(_CHUNK):
                for piece in decode(raw):
                    body += piece
                    if len(body) > self._limits.body:
                        raise Stop("response_too_large", f"an answer grew beyond {self._limits.body >> 20} MiB")
            for piece in decode(None):
                body += piece
        finally:
            answer.close()
        headers = {name.lower(): value for name, value in answer.headers.items() if name.lower() != "content-encoding"}
        return Response(answer.status_code, headers, bytes(body), str(request.url), time.monotonic() - started)


def _query(params: Params) -> list[tuple[str, Any]]:
    """Return the parameters in order, lists repeated, without those that have no value."""
    pairs = params.items() if isinstance(params, Mapping) else params
    flat = [(name, item) for name, value in pairs for item in (value if isinstance(value, list | tuple) else (value,))]
    return [(name, value) for name, value in flat if value is not None]


class _PoolTransport(httpx.HTTPTransport):
    """httpx's own transport over a pool whose network is ours; its constructor takes no backend."""

    def __init__(self, backend: httpcore.NetworkBackend, limits: Limits) -> None:
        self._pool = httpcore.ConnectionPool(
            ssl_context=_tls(),
            max_connections=limits.connections,
            max_keepalive_connections=limits.connections,
            keepalive_expiry=30.0,
            network_backend=backend,
        )


@functools.cache
def _tls() -> ssl.SSLContext:
    """Return the process's one TLS context: building it reads every certificate authority, about 20 ms."""
    return httpx.create_ssl_context(verify=True, trust_env=False)


def _as_failure(error: httpx.TransportError, *, out_of_time: bool) -> Transient | Stop:
    if isinstance(error, httpx.ConnectError | httpx.ConnectTimeout):
        if _is_certificate_fault(error):
            return Stop("tls_refused", "the vendor's certificate is not valid for this host")
        return Transient("connection_failed", "no connection to the vendor", unsent=True)
    if out_of_time:
        return Transient("request_timeout", "the answer did not arrive within the total time limit")
    if isinstance(error, httpx.PoolTimeout):
        return Transient("connection_failed", "all connections are busy", unsent=True)
    if isinstance(error, httpx.TimeoutException):
        return Transient("read_timeout", "the vendor stopped answering")
    return Transient("connection_failed", "the connection broke before the answer was complete")


def _is_certificate_fault(error: BaseException | None) -> bool:
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return True
        error = error.__cause__ or error.__context__
    return False


def _decoder(encoding: str) -> Callable[[bytes | None], Iterator[bytes]]:
    """Return a bounded decoder: raw bytes in, decoded pieces out; None asks whether the stream was whole."""
    if encoding in ("", "identity"):
        return lambda raw: iter(() if raw is None else (raw,))
    if encoding not in ("gzip", "deflate"):
        raise Stop("unexpected_encoding", "the vendor compresses its answer in a way that was not asked for")
    inflater = zlib.decompressobj(47 if encoding == "gzip" else 15)

    def decode(raw: bytes | None) -> Iterator[bytes]:
        try:
            if raw is None:
                if not inflater.eof:
                    raise Transient("malformed_page", "a compressed answer was cut short", final=Stop)
                return
            pending = raw
            while pending and not inflater.eof:
                yield inflater.decompress(pending, _CHUNK)
                pending = inflater.unconsumed_tail
        except zlib.error:
            raise Transient("malformed_page", "a compressed answer is damaged", final=Stop) from None

    return decode
