"""Where a database may be: at a public address, or at a private one where the operator allows it.

A name is resolved once, and the address that was judged is the one that is dialled.
"""

from __future__ import annotations

import ipaddress
import socket
from typing import TYPE_CHECKING

from connectors.errors import Retry, Stop
from connectors.runtime.hosts import is_public

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    from connectors.runtime.private_databases import PrivateDatabases

    Resolver = Callable[..., list[tuple[Any, ...]]]

_CARRIER = ipaddress.IPv4Network("100.64.0.0/10")  # carriers' and overlay networks', which Python calls not private


def judged(host: str, port: int, *, private: PrivateDatabases, resolver: Resolver = socket.getaddrinfo) -> str:
    """Return the address to dial for ``host``; raise Stop(``egress_refused``) unless all it resolves to are allowed."""
    try:
        found = [str(answer[4][0]) for answer in resolver(host, port, type=socket.SOCK_STREAM)]
    except (OSError, UnicodeError):
        raise Retry("connection_failed", "the host name of the database could not be resolved") from None
    if not found or not all(may_be_dialled(address, private=private.allows(host, port, address)) for address in found):
        raise refused()
    return found[0]


def refused() -> Stop:
    """Build the error of a place that is not allowed."""
    return Stop(
        "egress_refused",
        "the database is not at a public address: one on a private network or on this machine needs the setting "
        "'private_network', and whoever runs this installation names its host, host:port, network or folder in the "
        "environment's GTM_PRIVATE_DATABASES (files in GTM_HOME stay closed)",
    )


def judged_file(path: Path, *, private: PrivateDatabases) -> Path:
    """Return the path to open for a file or local socket, links resolved; raise Stop unless it is allowed."""
    try:
        resolved = path.resolve()
        is_allowed = private.allows_file(resolved)
    except (OSError, ValueError, RuntimeError):  # unreadable, not a path, links in a circle
        raise refused() from None
    if not is_allowed:
        raise refused()
    return resolved


def may_be_dialled(address: str, *, private: bool) -> bool:
    """Return whether an address may be dialled. A link-local one never may: cloud metadata services answer there."""
    if is_public(address):
        return True
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    never = ip.is_link_local or ip.is_multicast or ip.is_unspecified
    return private and (ip.is_private or ip in _CARRIER) and not never
