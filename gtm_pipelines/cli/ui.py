"""``gtm ui``: the Dagster web UI with its daemon, on the instance that ``gtm run`` and the demo write to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import urlsplit

import typer

from gtm_pipelines.cli.exits import CommandError
from gtm_pipelines.cli.sandbox import port_of, sandbox_directory
from gtm_pipelines.settings import PROJECT_ROOT, environment, read_settings

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.settings import Settings

_START_SECONDS = 20.0


def ui(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; loopback by default.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", help="Port of the web UI.")] = 3000,
) -> None:
    """Open the operator's view: assets, runs, schedules and sensors, until interrupted.

    The demo's sandbox is served along with it when GTM_SANDBOX_URL names this machine, so that scheduled syncs succeed.

    gtm ui                      http://127.0.0.1:3000
    gtm ui --port 3001
    """
    from gtm_pipelines.defs.instance import dagster_directory, open_instance, use_dagster_environment

    settings = read_settings()
    use_dagster_environment(settings)
    directory = dagster_directory(settings)
    directory.mkdir(parents=True, exist_ok=True)
    if answers(f"http://{host}:{port}"):
        raise CommandError(f"port {port} is taken; stop what listens there or choose another: gtm ui --port {port + 1}")
    if settings.dagster_url:
        with open_instance(
            settings
        ):  # a database that is not there is said here, and not by each of Dagster's processes
            pass
    command = [sys.executable, "-W", "ignore", "-m", "dagster", "dev", "-w", str(PROJECT_ROOT / "workspace.yaml")]
    command += ["--host", host, "--port", str(port), "--log-level", "warning"]
    with sandbox_beside(settings):
        typer.echo(f"the UI will answer on http://{host}:{port} within a minute; Ctrl-C ends it", err=True)
        # Dagster would load a .env of its working directory over the real environment; there is none in its own folder.
        raise typer.Exit(_wait(_start(command, cwd=directory)))


def _start(command: list[str], **more: Any) -> subprocess.Popen[bytes]:
    """Start one of our own commands, from wherever, with our packages importable and able to be interrupted."""
    known = environment()
    path = os.pathsep.join(filter(None, [str(PROJECT_ROOT), known.get("PYTHONPATH")]))
    return subprocess.Popen(command, env={**known, "PYTHONPATH": path}, preexec_fn=_take_interrupts, **more)  # noqa: PLW1509, S603  no threads yet; our own command


def _take_interrupts() -> None:
    """Undo what a shell without job control sets; Dagster would ignore every request to stop."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def _wait(child: subprocess.Popen[bytes]) -> int:
    """Wait for the child; a request to stop is passed on, and waited for."""
    signal.signal(signal.SIGTERM, lambda *_: child.send_signal(signal.SIGTERM))
    try:
        return child.wait()
    except KeyboardInterrupt:  # the terminal has sent it to the child too
        child.wait()
        return 0


@contextmanager
def sandbox_beside(settings: Settings) -> Iterator[None]:
    """Serve the sandbox in a child process for the time of the block, where settings name one here that is silent."""
    url = settings.sandbox_url
    worlds = sandbox_directory(settings)
    if url is None or not is_here(url) or not worlds.exists() or answers(url):
        yield
        return
    command = [sys.executable, "-m", "gtm_pipelines.cli", "sandbox", "serve", "--port", str(port_of(url))]
    log = (settings.home / "sandbox.log").open("ab")
    child = _start(command, stdout=log, stderr=log, stdin=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not answers(url):
            if child.poll() is not None or time.monotonic() > deadline:
                raise CommandError(f"the sandbox did not start on {url}; see {log.name}")
            time.sleep(0.05)
        yield
    finally:
        child.terminate()
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
        log.close()


def is_here(url: str) -> bool:
    """Tell whether an address is on this machine's loopback."""
    return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}


def answers(url: str) -> bool:
    """Tell whether something listens at an address."""
    parts = urlsplit(url)
    try:
        with socket.create_connection((parts.hostname or "", port_of(url)), timeout=1):
            return True
    except OSError:
        return False


def silence_of(sandbox: str | None) -> str:
    """Say that nothing answers where settings expect the sandbox; "" when something does, or none is expected."""
    if sandbox is None or answers(sandbox):
        return ""
    return f"nothing answers on {sandbox}, where the sandbox is expected: gtm sandbox serve, or make ui"


def free_port() -> int:
    """Return a port that nothing listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
