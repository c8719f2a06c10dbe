"""Which names and addresses are public. Pure tables and text: no lookup, no socket.

Python's own ``is_global`` calls NAT64, 6to4, multicast and cloud-metadata addresses global, so the blocks are listed.
"""

from __future__ import annotations

import ipaddress
import re

SPECIAL_USE = frozenset(
    {
        "alt", "arpa", "corp", "example", "home", "internal", "intranet", "invalid", "lan", "local", "localhost",
        "onion", "private", "test",
    }
)  # fmt: skip
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[a-z0-9-]{{0,61}}[a-z0-9])?")
_BLOCKED_V4 = tuple(
    map(
        ipaddress.IPv4Network,
        (
            "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
            "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
            "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
        ),
    )
)  # fmt: skip
_ALLOWED_V6 = ipaddress.IPv6Network("2000::/3")
_BLOCKED_V6 = tuple(ipaddress.IPv6Network(net) for net in ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"))


def is_public(address: str) -> bool:
    """Return whether ``address`` is a public unicast address; anything unreadable is not."""
    try:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is None:
            return ip in _ALLOWED_V6 and not any(ip in net for net in _BLOCKED_V6)
        ip = ip.ipv4_mapped
    return not any(ip in net for net in _BLOCKED_V4)


def is_hostname(host: str) -> bool:
    """Return whether ``host`` is a lower-case public DNS name: no literal, no single label, no special-use suffix."""
    return _HOST.fullmatch(host) is not None and host.rsplit(".", 1)[-1] not in SPECIAL_USE


def is_host_pattern(pattern: str) -> bool:
    """Return whether ``pattern`` may stand in an allow list: an exact host, or ``*.`` before at least two labels."""
    return is_hostname(pattern.removeprefix("*."))
