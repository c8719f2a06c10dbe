"""What holds for the whole suite: no connection leaves this machine, unit tests make none, and no test knows another's
secrets."""

from __future__ import annotations

import functools
import gc
import ipaddress
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from connectors.runtime import redaction
from gtm_pipelines.control_plane import engine, migrate
from tests import warehouses
from tests.migrated import Recorded
from tests.scheduling import TogetherScheduling

if TYPE_CHECKING:
    import sqlite3

    from xdist.scheduler import LoadScopeScheduling

_UNIT = Path(__file__).parent / "unit"
_running: list[pytest.Item] = []


class ForbiddenConnectionError(AssertionError):
    """A test tried to reach an address it may not."""


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _guard(event: str, arguments: tuple[Any, ...]) -> None:
    if event != "socket.connect" or not _running:
        return
    address = arguments[1]
    if not isinstance(address, tuple):  # a unix socket stays on the machine
        return
    host = str(address[0])
    if not _is_loopback(host):
        raise ForbiddenConnectionError(f"{_running[-1].nodeid} connects to {host}; tests reach loopback only")
    if _UNIT in _running[-1].path.parents:
        raise ForbiddenConnectionError(f"{_running[-1].nodeid} opens a socket; that is an integration test")


sys.addaudithook(_guard)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Any:
    """Remember which test is running, so that the guard can name it."""
    _running.append(item)
    try:
        return (yield)
    finally:
        _running.pop()


@pytest.hookimpl(tryfirst=True)
def pytest_configure() -> None:
    """Look for garbage seldom: the interpreter's own rhythm, which suits small programs, took a tenth of all CPU."""
    gc.set_threshold(20_000, 50, 100)


def pytest_collection_finish() -> None:
    """Never look again at what collection made: it stays to the end."""
    gc.collect()
    gc.freeze()


def pytest_unconfigure() -> None:
    """Let the interpreter clear up behind itself as ever; libraries complain of what it leaves."""
    gc.unfreeze()


@pytest.fixture(autouse=True, scope="session")
def _one_trust_store() -> Iterator[None]:
    """Read the certificate authorities once: httpx reads them for every client, a bare ``httpx.get`` included."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("httpx._transports.default.create_ssl_context", functools.cache(httpx.create_ssl_context))
        yield


@pytest.fixture(autouse=True, scope="session")
def _no_power_cut() -> Iterator[None]:
    """Let the control plane's file in this process not wait for the disk: a killed process loses nothing by it.

    What a test starts as a process of its own does wait, as everywhere.
    """
    set_up = engine._set_up_sqlite

    def set_up_at_ease(connection: sqlite3.Connection, record: Any) -> None:
        set_up(connection, record)
        connection.execute("PRAGMA synchronous = OFF")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_set_up_sqlite", set_up_at_ease)
        yield


@pytest.fixture(autouse=True, scope="session")
def _migrated_once() -> Iterator[None]:
    """Have Alembic migrate the first new file of the control plane in this process, and tell the others its statements.

    It migrates every file that has tables, every database of Postgres, and what a process of its own opens.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(migrate, "_upgrade", Recorded(migrate._upgrade))
        yield


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the many short files come last, or one process would be at a long one when the others are done.

    Short are unit tests' files in which nothing is tried on Postgres.
    """
    long = {item.path for item in items if "postgres" in item.nodeid}
    items.sort(key=lambda item: _UNIT in item.path.parents and item.path not in long)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling:
    """Keep together in one process what shares fixtures, in the order in which it was collected."""
    config.option.loadscopereorder = False
    return TogetherScheduling(config, log)


@pytest.fixture(params=warehouses.KINDS)
def warehouse_url(request: pytest.FixtureRequest) -> str | None:
    """GTM_WAREHOUSE_URL of an empty warehouse, of either kind in turn: what holds for one holds for the other."""
    return warehouses.address(request.param)


@pytest.fixture(autouse=True)
def _secrets_of_this_test_only(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forget what other tests of this process called a secret: ``client`` would be taken out of every later message."""
    monkeypatch.setattr(redaction, "_KNOWN", type(redaction._KNOWN)())
