"""Asking the running sandbox for what only it can do, because it holds the worlds' files.

The server leaves its address in ``server.json`` beside the worlds; only loopback addresses are believed.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from urllib.request import ProxyHandler, Request, build_opener

from gtm_pipelines.sandbox import store

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

_TIMEOUT_S = 120


def announce(directory: Path, url: str) -> None:
    """Leave the server's address for others."""
    directory.mkdir(parents=True, exist_ok=True)
    store.replace(directory / "server.json", json.dumps({"url": url}).encode())


def withdraw(directory: Path, url: str) -> None:
    """Take the address away if it is still ours."""
    if _address(directory) == url:
        (directory / "server.json").unlink(missing_ok=True)


def post(directory: Path, path: str) -> Any:
    """POST to the running sandbox and return its JSON."""
    return json.loads(_send(directory, path, b""))


def arrow(directory: Path, path: str) -> pa.Table:
    """GET a table from the running sandbox."""
    import pyarrow as pa

    return pa.ipc.open_stream(_send(directory, f"{path}?format=arrow", None)).read_all()


def _address(directory: Path) -> str | None:
    try:
        return str(json.loads((directory / "server.json").read_text(encoding="utf-8"))["url"])
    except FileNotFoundError:
        return None


def _send(directory: Path, path: str, body: bytes | None) -> bytes:
    url = _address(directory)
    if url is None or urlsplit(url).hostname != "127.0.0.1":
        raise store.WorldBusyError(
            f"the worlds in {directory} are held by a process that serves none of them; stop it and try again"
        )
    opener = build_opener(ProxyHandler({}))
    with opener.open(Request(f"{url}/{path}", data=body), timeout=_TIMEOUT_S) as answer:  # noqa: S310  a loopback address, checked above
        content: bytes = answer.read()
    return content
