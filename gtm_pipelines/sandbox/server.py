"""Running the sandbox on loopback: for good (``serve``) or for the length of a test (``running``)."""

from __future__ import annotations

import socket
from contextlib import contextmanager
from threading import Thread
from time import monotonic, sleep
from typing import TYPE_CHECKING

import uvicorn

from gtm_pipelines.sandbox import remote
from gtm_pipelines.sandbox.app import build_app

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_START_S = 20
_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class CannotListenError(Exception):
    """The sandbox cannot be served there; the message says why, and what can be done."""


def serve(
    directory: Path, host: str = "127.0.0.1", port: int = 8765, *, on_start: Callable[[str], None] = lambda _: None
) -> None:
    """Serve the worlds in ``directory`` until interrupted; on loopback only, for its credentials are public.

    ``on_start`` is handed the address. Raises CannotListenError.
    """
    if host not in _LOOPBACK:
        raise CannotListenError(f"the sandbox listens on loopback only, not on {host}: everyone knows its credentials")
    listener = _listener(host, port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    remote.announce(directory, url)
    on_start(url)
    try:
        _server(directory).run(sockets=[listener])
    finally:
        remote.withdraw(directory, url)


@contextmanager
def running(directory: Path, port: int = 0) -> Iterator[str]:
    """Serve in a thread and yield the base URL; any free port unless one is given."""
    listener = _listener("127.0.0.1", port)
    url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    server = _server(directory)
    thread = Thread(target=server.run, kwargs={"sockets": [listener]}, name="sandbox", daemon=True)
    thread.start()
    deadline = monotonic() + _START_S
    while not server.started:
        if not thread.is_alive() or monotonic() > deadline:
            raise RuntimeError("the sandbox did not start; its log says why")
        sleep(0.005)
    remote.announce(directory, url)
    try:
        yield url
    finally:
        remote.withdraw(directory, url)
        server.should_exit = True
        thread.join(timeout=_START_S)
        listener.close()


def _server(directory: Path) -> uvicorn.Server:
    config = uvicorn.Config(
        build_app(directory),
        log_level="warning",
        access_log=False,
        date_header=False,  # the Date header follows the world's time
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    return uvicorn.Server(config)


def _listener(host: str, port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        raise CannotListenError(
            f"port {port} cannot be had ({error.strerror}): stop what listens there or choose another port"
        ) from None
    return listener
