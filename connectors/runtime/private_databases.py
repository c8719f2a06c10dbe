"""Which databases off the public internet may be opened: those that the operator of this installation names, no others.

A connection's own setting cannot say so alone: whoever may edit one tenant's connection would open the whole network
and every file of this machine to it. Names and paths only; nothing is dialled here.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from pathlib import Path

_HOST = re.compile(r"(?P<host>[a-z0-9_][a-z0-9_.-]*|\[[0-9a-f:.]+\])(?::(?P<port>\d{1,5}))?", re.IGNORECASE)


@dataclass(frozen=True)
class PrivateDatabases:
    """What is allowed: ``db.internal``, ``db.internal:5432``, ``10.1.0.0/16``, ``/srv/exports``; by itself nothing.

    Files and sockets within ``home`` stay closed whatever is allowed, but for folders named within ``worlds``.
    """

    allowed: tuple[str, ...] = ()
    home: Path | None = None
    worlds: Path | None = None

    def __post_init__(self) -> None:
        for entry in self.allowed:
            if not entry.startswith("/") and _network(entry) is None and _HOST.fullmatch(entry) is None:
                raise ValueError(f"{entry!r} is no host, host:port, network as 10.1.0.0/16, or absolute folder")

    def allows(self, host: str, port: int, address: str) -> bool:
        """Return whether ``host``, which resolves to ``address``, is named, or the address's network is."""
        return any(_covers(entry, host, port, address) for entry in self.allowed)

    def allows_file(self, path: Path) -> bool:
        """Return whether a file or socket may be opened; ``path`` is resolved, without links and dots."""
        folders = [Path(entry).resolve() for entry in self.allowed if entry.startswith("/")]
        if self.home is not None and _is_within(path, self.home.resolve()):
            worlds = self.worlds.resolve() if self.worlds else None
            folders = [folder for folder in folders if worlds and folder.is_relative_to(worlds)]
        return any(path.is_relative_to(folder) for folder in folders)


def _covers(entry: str, host: str, port: int, address: str) -> bool:
    network = _network(entry)
    if network is not None:
        ip = ipaddress.ip_address(address.split("%", 1)[0])
        mapped = ip.ipv4_mapped if isinstance(ip, ipaddress.IPv6Address) else None
        return (mapped or ip) in network
    named = _HOST.fullmatch(entry)
    if named is None or int(named["port"] or port) != port:
        return False
    return named["host"].strip("[]").lower() in (host.lower(), address.lower())


def _network(entry: str) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        return ipaddress.ip_network(entry, strict=False)
    except ValueError:
        return None


def _is_within(path: Path, folder: Path) -> bool:
    """Return whether a path lies in a folder, also where the file system takes two spellings for one."""
    above = (path, *path.parents)
    return folder in above or (folder.exists() and any(each.exists() and each.samefile(folder) for each in above))
