"""Where a connector may send a request: the gate on the URL, and the gate on the address really dialled.

The URL gate is textual and strict: it refuses every spelling trick before a packet leaves. The connect gate sits inside
the HTTP library's network backend: one lookup per connection, every answer judged, and the judged address is the one
dialled, so that a name cannot change its mind in between. The sandbox is the only loopback origin, when settings name
it. No message reveals a resolved address. Which hosts a vendor has is the manifest's business.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import time
from collections.abc import Callable, Iterable
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

import httpcore

from connectors.errors import Stop
from connectors.runtime.hosts import is_host_pattern, is_hostname, is_public
from connectors.runtime.private_databases import PrivateDatabases

_HTTPS = 443
_URL = re.compile(r"https://(?P<host>[A-Za-z0-9.-]{1,253})(?::443)?(?P<rest>(?:[/?].*)?)")
_FORBIDDEN = re.compile(r'[^\x21-\x7e]|[\\"<>^`{|}#]')
_HIDDEN_PATH = re.compile(r"%2f|%5c|%00|%25|(?:^|/)(?:\.|%2e){1,2}(?:/|$)", re.IGNORECASE)
_ORIGIN = re.compile(r"(?P<scheme>https?)://(?P<host>[a-z0-9.-]+|\[[0-9a-f:]+\])(?::(?P<port>\d{1,5}))?")
Resolver = Callable[..., list[tuple[Any, ...]]]
DEADLINE: ContextVar[float | None] = ContextVar("gtm_request_deadline", default=None)
"""Monotonic instant at which the current request is cut off, whatever its socket is doing."""


def refused(message: str) -> Stop:
    """Build the error of a destination that is not allowed."""
    return Stop("egress_refused", message)


@dataclass(frozen=True)
class EgressPolicy:
    """The hosts one connector may reach, and the one loopback origin (``http://127.0.0.1:8765``) of the sandbox.

    ``databases`` are those off the public internet, for connectors that speak to one instead of HTTP.
    """

    allowed_hosts: frozenset[str]
    sandbox_origin: str | None = None
    databases: PrivateDatabases = field(default_factory=PrivateDatabases)
    _sandbox: tuple[str, int] | None = field(init=False, default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        for pattern in self.allowed_hosts:
            if not is_host_pattern(pattern):
                raise ValueError(f"{pattern!r} cannot be an allowed host: write a full host name or '*.vendor.com'")
        if self.sandbox_origin is not None:
            origin = self.sandbox_origin.rstrip("/")
            match = _ORIGIN.fullmatch(origin)
            if match is None:
                raise ValueError("the sandbox origin is scheme, host and port, as in http://127.0.0.1:8765")
            port = int(match["port"] or (443 if match["scheme"] == "https" else 80))
            object.__setattr__(self, "sandbox_origin", origin)
            object.__setattr__(self, "_sandbox", (match["host"].strip("[]"), port))

    def check(self, url: str) -> str:
        """Return ``url`` when a request may go there; raise Stop(``egress_refused``) with the reason otherwise."""
        if _FORBIDDEN.search(url):
            raise refused("a URL holds printable ASCII without quotes, brackets, backslashes or '#'")
        if self.in_sandbox(url):
            rest = url[len(self.sandbox_origin or "") :]
        else:
            match = _URL.fullmatch(url)
            if match is None:
                raise refused("a URL is https:// and a host name, without user, password or another port")
            host = match["host"].lower()
            if not is_hostname(host):
                raise refused("the host is not a public DNS name")
            if not self.allows(host):
                raise refused(f"{host} is not among the hosts of this connector")
            rest = match["rest"]
        if _HIDDEN_PATH.search(rest.split("?", 1)[0]):
            raise refused("the path holds an encoded slash or a dot segment")
        return url

    def in_sandbox(self, url: str) -> bool:
        """Return whether ``url`` lies at the sandbox's exact origin."""
        origin = self.sandbox_origin
        return origin is not None and url.startswith(origin) and url[len(origin) : len(origin) + 1] in ("", "/", "?")

    def allows(self, host: str) -> bool:
        """Return whether ``host`` (lower case) is listed, exactly or below a ``*.`` pattern."""
        if host in self.allowed_hosts:
            return True
        parts = host.split(".")
        return any(f"*.{'.'.join(parts[at:])}" in self.allowed_hosts for at in range(1, len(parts) - 1))

    def judge(self, host: str, port: int, addresses: list[str]) -> None:
        """Raise Stop unless every address of the answer may be dialled for ``host``; an empty answer is refused too."""
        if (host, port) == self._sandbox:
            allowed = all(_is_loopback(address) for address in addresses)
        else:
            allowed = port == _HTTPS and self.allows(host) and all(is_public(address) for address in addresses)
        if not addresses or not allowed:
            raise refused(f"{host} does not resolve to a public address")


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


class GuardedBackend(httpcore.NetworkBackend):
    """Resolves once, judges every answer, dials the judged address, and cuts each socket off at the deadline."""

    def __init__(self, policy: EgressPolicy, resolver: Resolver = socket.getaddrinfo) -> None:
        self._policy = policy
        self._resolver = resolver
        self._dialler = httpcore.SyncBackend()  # given an address, it looks nothing up

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002  the protocol has it; we choose no source address
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Open a TCP connection to ``host``; raise Stop when any of its addresses is not allowed."""
        failure: Exception | None = None
        for address in self._resolve(host.lower(), port):
            try:
                stream = self._dialler.connect_tcp(address, port, _remaining(timeout), None, socket_options)
            except httpcore.ConnectError as error:
                failure = error
            else:
                return _GuardedStream(stream)
        raise httpcore.ConnectError("no address of the host accepted a connection") from failure

    def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.NetworkStream:
        """Refuse: no vendor is a local socket."""
        raise refused("local sockets are not reachable")

    def _resolve(self, host: str, port: int) -> list[str]:
        try:
            found = self._resolver(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("the host name could not be resolved") from error
        addresses = [str(answer[4][0]) for answer in found]
        self._policy.judge(host, port, addresses)
        return addresses


def _remaining(timeout: float | None) -> float | None:
    """Return the shorter of ``timeout`` and what is left until the request's deadline; raise when nothing is left."""
    deadline = DEADLINE.get()
    if deadline is None:
        return timeout
    left = deadline - time.monotonic()
    if left <= 0:
        raise httpcore.ReadTimeout("the request ran past its total time limit")
    return left if timeout is None else min(timeout, left)


class _GuardedStream(httpcore.NetworkStream):
    """A socket whose every wait also ends at the request's deadline, so that a trickle cannot hold a worker."""

    def __init__(self, inner: httpcore.NetworkStream) -> None:
        self._inner = inner

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, _remaining(timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, _remaining(timeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        self._inner = self._inner.start_tls(ssl_context, server_hostname, _remaining(timeout))
        return self

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)
