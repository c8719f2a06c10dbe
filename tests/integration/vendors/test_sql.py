"""The sql connector on a real Postgres and on SQLite: types, ties, rows committed late, and what it may not do."""

from __future__ import annotations

import json
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import psycopg2
import pytest
import sqlalchemy as sa

from connectors.conformance import checks
from connectors.connector import Connector, ConnectorContext, Mode, SyncOptions
from connectors.errors import ConnectorError, Reauthorise, Retry, Stop
from connectors.registry import build
from connectors.runtime.private_databases import PrivateDatabases
from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors.sql import database
from tests.contract.sandboxed import NOW
from tests.postgres import new_database
from tests.stand_ins import MemoryStore, offline_context
from tests.worlds import put_world

_HERE = (tempfile.gettempdir(), "127.0.0.1", "10.0.0.0/8", "169.254.0.0/16", "/nowhere")


@pytest.fixture(scope="module")
def dsn() -> str:
    return new_database()


def run(dsn: str, *statements: str) -> None:
    with closing(psycopg2.connect(dsn)) as connection, connection, connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def connect(dsn: str, tables: str, **settings: Any) -> Connector:
    chosen = {"tables": tables, "private_network": True, **settings}
    context = offline_context(NOW, databases=_HERE)
    return build("sql", ConnectorContext(chosen, context.transport, MemoryStore(dsn=dsn), lambda: NOW))


def taken(connector: Connector, entity: str, **options: Any) -> checks.Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def rows(done: checks.Read) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for page in done.pages for row in page.rows.to_pylist()}


def health(connector: Connector) -> tuple[bool, str]:
    status = connector.health_check(connector.authenticate())
    return status.ok, status.detail


def test_types_come_as_postgres_holds_them(dsn: str) -> None:
    run(
        dsn,
        "CREATE TYPE mood AS ENUM ('glad')",
        """CREATE TABLE typed (id uuid PRIMARY KEY, big bigint, exact numeric, odd numeric,
        plain timestamp, zoned timestamptz, day date, bytes bytea, doc json, docb jsonb, tags text[],
        flag boolean, real double precision, "odd name" text, mood mood, updated_at timestamptz)""",
        """INSERT INTO typed VALUES ('0b9d0b0e-0000-4000-8000-000000000001', 9007199254740993,
        12345678901234567890.01234567890123456789, 'NaN', '2026-01-01 10:00:00.123456', '2026-01-01 10:00:00+02',
        '2026-02-03', '\\x00ff', '{"b": 1.50,  "a": 2}', '{"n": 10000000000000000000001}',
        '{a,"b c"}', true, 0.1, E'line\\n"x" ☎',
        'glad', '2026-01-01 10:00:00.123456+00')""",
    )
    done = taken(connect(dsn, "typed: typed"), "typed")
    checks.check_ends(done)
    checks.check_rows(done)
    row = rows(done)["0b9d0b0e-0000-4000-8000-000000000001"]
    text = row["payload"]
    for piece in (
        '"big":9007199254740993,', '"exact":12345678901234567890.01234567890123456789,', '"odd":"NaN",',
        '"plain":"2026-01-01T10:00:00.123456",', '"zoned":"2026-01-01T08:00:00+00:00",', '"day":"2026-02-03",',
        '"bytes":"00ff",', '"doc":{"b": 1.50,  "a": 2},', '{"n": 10000000000000000000001},', '"tags":["a","b c"],',
        '"flag":true,', '"real":0.1,', '"mood":"glad"',
    ):  # fmt: skip
        assert piece in text
    assert json.loads(text)["odd name"] == 'line\n"x" ☎'
    assert row["source_updated_at"] == datetime(2026, 1, 1, 10, 0, 0, 123456, tzinfo=UTC)
    connector = connect(dsn, "typed: typed")
    kinds = {field.source: field.type for field in connector.get_schema(connector.authenticate())}
    assert (kinds["big"], kinds["exact"], kinds["zoned"], kinds["doc"]) == ("integer", "number", "timestamp", "json")


def test_a_mass_update_is_read_once_whatever_the_pages_and_not_again_when_later_rows_came(dsn: str) -> None:
    """More rows share one time than pages have rows; the keyset goes on inside the tie."""
    run(
        dsn,
        "CREATE TABLE tied (id bigint PRIMARY KEY, updated_at timestamptz)",
        "INSERT INTO tied SELECT n, '2026-01-01' FROM generate_series(1, 500) n",
        "INSERT INTO tied VALUES (501, '2026-01-02')",
    )
    connector = connect(dsn, "tied: tied")
    done = taken(connector, "tied", page_size=40)
    checks.check_ties(done, checks.Truth(frozenset(str(n) for n in range(1, 502))))
    stopped = done.pages[5].cursor
    assert (stopped or {})["id"] == ["240"]
    rest = taken(connector, "tied", cursor=stopped)
    assert set(rows(rest)) == {str(n) for n in range(241, 502)}
    assert set(rows(taken(connector, "tied", cursor=done.cursor))) == {"501"}


def test_rows_committed_late_are_read_as_long_as_the_lag_reaches(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE late (id bigint PRIMARY KEY, updated_at timestamp)",
        "INSERT INTO late VALUES (1, '2026-01-01 10:00'), (2, '2026-01-01 11:00')",
    )
    connector = connect(dsn, "late: {table: late, lag: 10m}")
    first = taken(connector, "late")
    slow = psycopg2.connect(dsn)
    with slow.cursor() as cursor:
        cursor.execute("INSERT INTO late VALUES (3, '2026-01-01 10:55')")
    run(dsn, "INSERT INTO late VALUES (4, '2026-01-01 11:04')")
    second = taken(connector, "late", cursor=first.cursor)
    assert "3" not in rows(second)
    slow.commit()
    slow.close()
    assert "3" in rows(taken(connector, "late", cursor=second.cursor))


def test_rows_without_a_time_come_with_every_read_and_a_far_future_moves_nothing(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE odd (id bigint PRIMARY KEY, updated_at timestamptz)",
        "INSERT INTO odd VALUES (1, NULL), (2, '2026-01-01'), (3, '2026-02-01'), (4, '2999-01-01')",
    )
    connector = connect(dsn, "odd: odd")
    done = taken(connector, "odd")
    checks.check_watermark(done, connector.entities()[0], NOW)
    run(dsn, "INSERT INTO odd VALUES (5, '2026-03-01')")
    assert set(rows(taken(connector, "odd", cursor=done.cursor))) >= {"1", "4", "5"}


@pytest.mark.parametrize("kind", ["date", "text"])
def test_rows_of_a_date_that_come_after_it_was_read_are_not_lost(dsn: str, kind: str) -> None:
    run(
        dsn,
        f"CREATE TABLE daily_{kind} (id bigint PRIMARY KEY, updated_at {kind})",
        f"INSERT INTO daily_{kind} VALUES (1, '2026-01-01'), (5, '2026-01-02'), (6, '2026-01-03')",
    )
    connector = connect(dsn, f"daily: daily_{kind}")
    first = taken(connector, "daily")
    run(dsn, f"INSERT INTO daily_{kind} VALUES (4, '2026-01-02'), (3, '2026-01-03')")
    assert set(rows(taken(connector, "daily", cursor=first.cursor))) == {"3", "4", "5", "6"}


def test_a_key_of_several_columns_is_one_id_and_pages_by_all_of_them(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE pairs (a text, b int, updated_at timestamptz DEFAULT '2026-01-01', PRIMARY KEY (a, b))",
        "INSERT INTO pairs SELECT x, n FROM unnest(array['k','l']) x, generate_series(1, 30) n",
        "INSERT INTO pairs VALUES ('z', 1, '2026-02-01')",
    )
    done = taken(connect(dsn, "pairs: pairs"), "pairs", page_size=7)
    assert set(rows(done)) == {f"{x}:{n}" for x in "kl" for n in range(1, 31)} | {"z:1"}
    rest = taken(connect(dsn, "pairs: pairs"), "pairs", cursor=done.pages[4].cursor)
    assert len(rows(rest)) == 61 - 35


def test_rows_whose_keys_look_alike_once_they_are_joined_are_two_rows(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE alike (a text, b text, updated_at timestamptz DEFAULT '2026-01-01', PRIMARY KEY (a, b))",
        r"INSERT INTO alike VALUES ('x:y', 'z'), ('x', 'y:z'), ('x\', ':y'), ('x\:', 'y')",
    )
    assert len(rows(taken(connect(dsn, "alike: alike"), "alike"))) == 4


@pytest.mark.parametrize("key", ["a", "[a, b]"])
def test_a_row_with_a_null_in_its_key_is_set_aside_whole_and_the_next_read_goes_on(dsn: str, key: str) -> None:
    run(
        dsn,
        "CREATE TABLE IF NOT EXISTS holed (a int, b int, updated_at timestamptz)",
        "TRUNCATE holed",
        "INSERT INTO holed VALUES (1, 1, '2026-01-01'), (NULL, 2, '2026-01-15'), (3, 3, '2026-02-01')",
    )
    connector = connect(dsn, f"holed: {{table: holed, key: {key}}}")
    first = taken(connector, "holed")
    assert [(each.reason, '"b":2' in each.raw) for page in first.pages for each in page.unreadable] == [
        ("bad_key", True)
    ]
    run(dsn, "INSERT INTO holed VALUES (4, 4, '2026-02-02')")
    again = taken(connector, "holed", cursor=first.cursor)
    assert again.error is None
    assert len(rows(again)) == 2


def test_a_row_that_is_timed_beyond_the_calendar_keeps_no_other_from_being_read(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE beyond (id bigint PRIMARY KEY, updated_at timestamptz)",
        "INSERT INTO beyond VALUES (1, 'infinity'), (2, '2026-01-01'), (3, '12026-01-01'), (4, '2026-02-01')",
    )
    done = taken(connect(dsn, "beyond: beyond"), "beyond")
    assert done.error is None
    assert set(rows(done)) == {"2", "4"}
    assert {each.external_id for page in done.pages for each in page.unreadable} == {"1", "3"}


def test_a_key_of_a_type_nobody_knows_is_read_on_from(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE rare (id xid8 PRIMARY KEY, updated_at timestamptz)",
        "INSERT INTO rare VALUES ('5', '2026-01-01'), ('6', '2026-02-01')",
    )
    connector = connect(dsn, "rare: rare")
    first = taken(connector, "rare")
    assert set(rows(taken(connector, "rare", cursor=first.cursor))) == {"6"}


def test_a_table_that_only_counts_up_is_read_from_its_last_numbers(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE log (id bigint PRIMARY KEY, what text)",
        "INSERT INTO log SELECT n, 'x' FROM generate_series(1, 300) n",
    )
    connector = connect(dsn, "log: {table: log, cursor: id, overlap: 50, deletes: none}")
    done = taken(connector, "log", page_size=70)
    run(dsn, "INSERT INTO log VALUES (301, 'y')")
    assert set(rows(taken(connector, "log", cursor=done.cursor))) == {str(n) for n in range(250, 302)}


def test_a_full_read_is_one_snapshot_and_a_view_needs_its_key_named(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE base (id bigint PRIMARY KEY)",
        "INSERT INTO base SELECT n FROM generate_series(1, 100) n",
        "CREATE VIEW seen AS SELECT id FROM base",
    )
    connector = connect(dsn, "seen: {table: public.seen, key: id, cursor: null}")
    options = SyncOptions("seen", Mode.FULL, NOW, 10)
    pages = connector.sync(connector.authenticate(), None, options)
    found = set(next(pages).rows["external_id"].to_pylist())
    run(dsn, "DELETE FROM base WHERE id > 50", "INSERT INTO base VALUES (1000)")
    found |= {each for page in pages for each in page.rows["external_id"].to_pylist()}
    assert found == {str(n) for n in range(1, 101)}
    good, detail = health(connect(dsn, "seen: {table: seen, cursor: null}"))
    assert not good
    assert "no primary key" in detail


def test_a_session_that_is_ended_in_the_middle_is_said_and_tried_again_later(dsn: str) -> None:
    run(
        dsn,
        "CREATE TABLE broken (id bigint PRIMARY KEY, filler text, updated_at timestamptz DEFAULT '2026-01-01')",
        "INSERT INTO broken SELECT n, repeat('x', 500) FROM generate_series(1, 5000) n",
    )
    connector = connect(dsn, "broken: broken")
    pages = connector.sync(connector.authenticate(), None, SyncOptions("broken", Mode.FULL, NOW, 100))
    next(pages)
    run(dsn, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gtm-pipelines'")
    with pytest.raises(Retry):
        list(pages)


def test_nothing_can_be_written_through_the_session(dsn: str) -> None:
    from connectors.runtime.databases import open_database

    run(dsn, "CREATE TABLE IF NOT EXISTS kept (id bigint PRIMARY KEY)")
    with (
        open_database(dsn, private=PrivateDatabases(_HERE)) as opened,
        opened.engine.connect() as connection,
        pytest.raises(sa.exc.InternalError, match="read-only"),
    ):
        connection.execute(sa.text("INSERT INTO kept VALUES (1)"))


@pytest.mark.parametrize(
    ("tables", "said"),
    [
        ("people: nobody", "no table 'nobody'"),
        ("people: {table: checked, cursor: changed}", "no column 'changed'; it has id, note"),
        ("people: {table: checked, cursor: note}", None),
        ("people: {table: checked, cursor: null, deleted: gone}", "no column 'gone'"),
        ("people: {table: checked, deletes: observed}", "tables:1: people: deletes: observed needs 'deleted'"),
        ("people: {tabel: x}", "people.table"),
    ],
)
def test_what_a_setting_names_and_the_database_lacks_is_said_by_the_health_check(
    dsn: str, tables: str, said: str | None
) -> None:
    run(dsn, "CREATE TABLE IF NOT EXISTS checked (id bigint PRIMARY KEY, note text)")
    good, detail = health(connect(dsn, tables))
    assert good is (said is None)
    assert said is None or said in detail


def test_a_column_the_user_may_not_read_is_said_by_the_health_check_and_can_be_left_out(dsn: str) -> None:
    run(
        dsn,
        "CREATE ROLE reader LOGIN",
        "CREATE TABLE veiled (id bigint PRIMARY KEY, secret text, updated_at timestamptz)",
        "GRANT SELECT (id, updated_at) ON veiled TO reader",
    )
    place = dsn.replace("postgres@", "reader@")
    good, detail = health(connect(place, "people: veiled"))
    assert not good
    assert "grant SELECT, or leave_out" in detail
    assert health(connect(place, "people: {table: veiled, leave_out: [secret]}")) == (
        True,
        "Postgres; people: 2 columns",
    )


@pytest.mark.parametrize(
    ("dsn_text", "kind", "code"),
    [
        ("postgresql://u:s3cretpw@127.0.0.1:1/db", Retry, "connection_failed"),
        ("postgresql://u:s3cretpw@10.255.255.1/db?service=x", Stop, "bad_dsn"),
        ("mysql://u:s3cretpw@127.0.0.1/db?read_default_file=/etc/passwd", Stop, "bad_dsn"),
        ("oracle://u:s3cretpw@127.0.0.1/db", Stop, "bad_dsn"),
        ("s3cretpw", Stop, "bad_dsn"),
        ("sqlite:///relative.db", Stop, "bad_dsn"),
        ("sqlite:////nowhere/s3cretpw.db", Stop, "bad_dsn"),
    ],
)
def test_a_dsn_that_leads_nowhere_is_a_typed_error_that_does_not_repeat_it(
    dsn_text: str, kind: type[ConnectorError], code: str
) -> None:
    done = taken(connect(dsn_text, "people: people"), "people")
    assert isinstance(done.error, kind)
    assert done.error.code == code
    assert "s3cretpw" not in str(done.error)
    assert done.error.__suppress_context__ or done.error.__context__ is None


def test_a_dsn_without_a_password_is_not_given_ours(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    passwords = tmp_path / "pgpass"
    passwords.write_text("*:*:*:*:0urs3cret\n")
    passwords.chmod(0o600)
    monkeypatch.setenv("PGPASSFILE", str(passwords))
    monkeypatch.setenv("PGPASSWORD", "0urs3cret")
    heard: list[bytes] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        answering = threading.Thread(target=_ask_for_a_password, args=(listening, heard))
        answering.start()
        done = taken(connect(f"postgresql://u@127.0.0.1:{listening.getsockname()[1]}/db", "people: people"), "people")
        answering.join(10)
    assert done.error is not None
    assert heard
    assert b"0urs3cret" not in b"".join(heard)


def _ask_for_a_password(listening: socket.socket, heard: list[bytes]) -> None:
    """Play a Postgres that wants the password in clear; note what it is told."""
    session, _ = listening.accept()
    with session:
        session.settimeout(10)
        while said := session.recv(4096):
            heard.append(said)
            is_tls = said == bytes.fromhex("0000000804d2162f")
            session.sendall(b"N" if is_tls else bytes.fromhex("52 00000008 00000003"))


def test_a_refused_role_asks_for_a_person(dsn: str) -> None:
    done = taken(connect(dsn.replace("postgres@", "nobody@"), "people: people"), "people")
    assert isinstance(done.error, Reauthorise)


@pytest.mark.parametrize("place", ["socket", "loopback", "file", "metadata"])
def test_private_places_need_leave_and_metadata_gets_none(dsn: str, tmp_path: Path, place: str) -> None:
    sqlite3.connect(tmp_path / "x.db").close()
    dsns = {
        "socket": dsn,
        "loopback": "mysql://u@127.0.0.1/db",
        "file": f"sqlite:///{tmp_path / 'x.db'}",
        "metadata": "postgresql://u@169.254.169.254/db",
    }
    done = taken(connect(dsns[place], "people: people", private_network=place == "metadata"), "people")
    assert isinstance(done.error, Stop)
    assert done.error.code == "egress_refused"


@pytest.fixture
def sqlite_file(tmp_path: Path) -> Iterator[tuple[str, sqlite3.Connection]]:
    path = tmp_path / "crm.db"
    with closing(sqlite3.connect(path)) as connection:
        yield f"sqlite:///{path}", connection


def fill(connection: sqlite3.Connection, table: str, given: Sequence[Sequence[Any]]) -> None:
    connection.execute(table)
    name = table.split()[2]
    connection.executemany(f"INSERT INTO {name} VALUES ({', '.join('?' * len(given[0]))})", given)
    connection.commit()


def test_an_infinite_number_of_sqlite_takes_no_row_with_it(sqlite_file: tuple[str, sqlite3.Connection]) -> None:
    place, connection = sqlite_file
    given = [(1, float("inf")), (2, -float("inf")), (3, 1.5e308)]
    fill(connection, "CREATE TABLE vast (id INTEGER PRIMARY KEY, n REAL)", given)
    done = taken(connect(place, "vast: {table: vast, cursor: null}"), "vast")
    assert [json.loads(row["payload"])["n"] for row in rows(done).values()] == ["Infinity", "-Infinity", given[2][1]]


@pytest.mark.parametrize("kind", ["postgresql", "sqlite"])
def test_a_table_of_hundreds_of_columns_is_read(
    dsn: str, sqlite_file: tuple[str, sqlite3.Connection], kind: str
) -> None:
    columns = ", ".join(f"c{number} text" for number in range(600))
    table = f"CREATE TABLE wide (id int PRIMARY KEY, updated_at timestamp DEFAULT '2026-01-01', {columns})"
    place, connection = sqlite_file
    if kind == "sqlite":
        connection.execute(table)
        connection.execute("INSERT INTO wide (id, c599) VALUES (1, 'last')")
        connection.commit()
    else:
        place = dsn
        run(dsn, table, "INSERT INTO wide (id, c599) VALUES (1, 'last')")
    done = taken(connect(place, "wide: wide"), "wide")
    record = json.loads(rows(done)["1"]["payload"])
    assert (len(record), record["c599"]) == (602, "last")


def test_types_come_as_sqlite_holds_them(sqlite_file: tuple[str, sqlite3.Connection]) -> None:
    """A column of SQLite holds what it was given, whatever its type says."""
    dsn, connection = sqlite_file
    table = "CREATE TABLE typed (id TEXT PRIMARY KEY, any NUMERIC, flag BOOLEAN, doc JSON, updated_at DATETIME)"
    values = [9_007_199_254_740_993, 0.1 + 0.2, "text", b"\x00\xff", None]
    fill(
        connection, table, [(str(n), v, n % 2, '{"a": 1}', f"2026-01-0{n + 1} 10:00:00") for n, v in enumerate(values)]
    )
    done = taken(connect(dsn, "typed: typed"), "typed")
    checks.check_ends(done)
    found = {key: json.loads(row["payload"]) for key, row in rows(done).items()}
    assert [found[str(n)]["any"] for n in range(5)] == [9_007_199_254_740_993, 0.1 + 0.2, "text", "00ff", None]
    assert [found[str(n)]["flag"] for n in range(2)] == [False, True]
    assert found["0"]["doc"] == {"a": 1}
    assert rows(done)["0"]["source_updated_at"] == datetime(2026, 1, 1, 10, tzinfo=UTC)


def test_the_sandboxs_file_is_kept_in_step_and_read_from_day_to_day(tmp_path: Path) -> None:
    put_world(tmp_path, "acme", size=200, seed=5, vendors=("sql",))
    with sandbox.running(tmp_path) as url:
        account = database.connected(tmp_path, "acme")
        connector = connect(account.credentials["dsn"], **account.settings)
        for entity in ("people", "accounts", "activities"):
            base = taken(connector, entity)
            checks.check_ends(base)
            httpx.post(f"{url}/acme/_advance", trust_env=False, timeout=60).raise_for_status()
            change = taken(connector, entity, cursor=base.cursor)
            records = sandbox.truth(tmp_path, "acme").records.to_pylist()
            live = {r["external_id"] for r in records if r["entity"] == entity and not r["is_deleted"]}
            versions = checks.Read([*base.pages, *change.pages]).versions()
            assert live <= {key for key, (is_deleted, _) in versions.items() if not is_deleted}
            assert change.versions().keys() < base.versions().keys() | live
