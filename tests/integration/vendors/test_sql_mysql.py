"""The sql connector over MySQL's wire protocol.

No real MySQL comes from a package index, so the server is mysql-mimic: a stranger's implementation of the protocol that
hands each statement over. What answers them here is SQLite, after sqlglot has translated them: the driver, the session,
reflection from SHOW CREATE TABLE and the spelling of our statements are put to the test, MySQL's own execution is not.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlglot
from mysql_mimic import AuthPlugin, IdentityProvider, MysqlServer, NativePasswordAuthPlugin, Session, User

from connectors.conformance import checks
from connectors.connector import Connector, ConnectorContext
from connectors.errors import Reauthorise, Stop
from connectors.registry import build
from tests.contract.sandboxed import NOW
from tests.stand_ins import MemoryStore, offline_context

_TABLE = """CREATE TABLE `people` (
  `id` bigint unsigned NOT NULL,
  `name` varchar(100) DEFAULT NULL,
  `amount` decimal(30,10) DEFAULT NULL,
  `data` json DEFAULT NULL,
  `token` varbinary(16) DEFAULT NULL,
  `born` date DEFAULT NULL,
  `seen` timestamp NULL DEFAULT NULL,
  `is_gone` tinyint(1) NOT NULL DEFAULT '0',
  `changed` datetime(6) DEFAULT NULL,
  PRIMARY KEY (`id`)
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"""
_ROWS = 60


class _Login(IdentityProvider):  # type: ignore[misc]  # mysql-mimic ships no types
    def get_plugins(self) -> list[AuthPlugin]:
        return [NativePasswordAuthPlugin()]

    async def get_user(self, username: str) -> User | None:
        secret = NativePasswordAuthPlugin.create_auth_string("pa55w0rd")
        return (
            User(name="reader", auth_string=secret, auth_plugin="mysql_native_password")
            if username == "reader"
            else None
        )


class _Answers(Session):  # type: ignore[misc]  # as above
    """Answers from SQLite; reflection is answered as MySQL writes it."""

    def __init__(self, store: sqlite3.Connection, heard: list[str]) -> None:
        super().__init__()
        self._store = store
        self._heard = heard

    async def handle_query(self, sql: str, attrs: dict[str, str]) -> Any:
        self._heard.append(sql)
        if sql.upper().startswith("SHOW CREATE TABLE"):
            return [("people", _TABLE)], ["Table", "Create Table"]
        return await super().handle_query(sql, attrs)

    async def query(self, expression: Any, sql: str, attrs: dict[str, str]) -> Any:
        del sql, attrs
        found = self._store.execute(expression.sql(dialect="sqlite"))
        return found.fetchall(), [each[0] for each in found.description]


class Server:
    """The server in a thread, with the statements it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []
        self.store = sqlite3.connect(":memory:", check_same_thread=False)
        self.store.create_function("concat", -1, lambda *parts: "".join(map(str, parts)) if None not in parts else None)
        self._loop = asyncio.new_event_loop()
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        assert self._ready.wait(10)

    @property
    def dsn(self) -> str:
        return f"mysql://reader:pa55w0rd@127.0.0.1:{self.port}/crm"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = MysqlServer(lambda: _Answers(self.store, self.heard), identity_provider=_Login())
        self._loop.run_until_complete(server.start_server(host="127.0.0.1", port=0))
        self.port = server._server.sockets[0].getsockname()[1]
        self._ready.set()
        self._loop.run_forever()
        server.close()
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    running = Server()
    columns = ", ".join(line.strip().split(" ")[0] for line in _TABLE.splitlines() if line.startswith("  `"))
    running.store.execute(f"CREATE TABLE people ({columns})")
    for number in range(_ROWS):
        row = (
            18_446_744_073_709_551_000 + number if number == _ROWS - 1 else number,
            f'Ann "{number}" O\'Neill\n☎', "12345678901234567890.0123456789", '{"a": [1, 2.50]}', bytes([number, 255]),
            "0000-00-00", "2026-01-01 10:00:00", number % 7 == 0,
            "2026-01-02 00:00:00.123456" if number > 20 else f"2026-01-01 00:00:{number:02d}.000000",
        )  # fmt: skip
        stored = tuple(str(each) if isinstance(each, int) and each > 2**62 else each for each in row)
        running.store.execute(f"INSERT INTO people VALUES ({', '.join('?' * len(row))})", stored)
    yield running
    running.close()


def connect(dsn: str, **settings: Any) -> Connector:
    chosen = {"tables": "people: {table: people, cursor: changed, deleted: is_gone, lag: 1s}", "private_network": True}
    context = offline_context(NOW, databases=["127.0.0.1"])
    return build("sql", ConnectorContext({**chosen, **settings}, context.transport, MemoryStore(dsn=dsn), lambda: NOW))


def taken(connector: Connector, **options: Any) -> checks.Read:
    return checks.read(connector, "people", started_at=NOW, **options)


def test_types_come_as_mysql_holds_them(server: Server) -> None:
    done = taken(connect(server.dsn))
    checks.check_ends(done)
    rows = {row["external_id"]: row for page in done.pages for row in page.rows.to_pylist()}
    assert len(rows) == _ROWS
    row = rows["3"]
    assert '"amount":12345678901234567890.0123456789' in row["payload"]
    payload = json.loads(row["payload"])
    assert payload["name"] == 'Ann "3" O\'Neill\n☎'
    assert payload["data"] == {"a": [1, 2.5]}
    assert payload["token"] == "03ff"
    assert payload["born"] == "0000-00-00"
    assert payload["seen"] == "2026-01-01 10:00:00Z"
    assert row["source_updated_at"] == datetime(2026, 1, 1, 0, 0, 3, tzinfo=UTC)
    assert {key for key, each in rows.items() if each["is_deleted"]} == {str(n) for n in range(0, _ROWS, 7)}
    assert "18446744073709551059" in rows


def test_ties_survive_a_page_boundary_and_an_incremental_read_starts_behind_them(server: Server) -> None:
    done = taken(connect(server.dsn), page_size=7)
    checks.check_ties(done, checks.Truth(frozenset(done.versions())))
    again = taken(connect(server.dsn), cursor=done.cursor)
    assert set(again.versions()) == set(done.versions()) - {str(number) for number in range(21)}


def test_the_session_can_only_read_and_speaks_utc(server: Server) -> None:
    server.heard.clear()
    taken(connect(server.dsn))
    assert "SET time_zone = '+00:00'" in server.heard
    assert "SET SESSION TRANSACTION READ ONLY" in server.heard
    asked = [sqlglot.parse_one(sql, dialect="mysql") for sql in server.heard if sql.lstrip().startswith("SELECT")]
    assert asked


def test_a_refused_password_asks_for_a_person_and_is_not_repeated(server: Server) -> None:
    done = taken(connect(server.dsn.replace("pa55w0rd", "gu3ss3d")))
    assert isinstance(done.error, Reauthorise)
    assert "gu3ss3d" not in str(done.error)


def test_a_private_address_needs_leave(server: Server) -> None:
    done = taken(connect(server.dsn, private_network=False))
    assert isinstance(done.error, Stop)
    assert done.error.code == "egress_refused"
