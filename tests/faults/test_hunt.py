"""The hunt finds a planted secret in every kind of place that a demo leaves, and nothing where there is none."""

from __future__ import annotations

import base64
import gzip
import json
import sqlite3
import subprocess
import zipfile
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import duckdb
import httpx
import pytest

from gtm_pipelines.sandbox import accounts, create_world
from tests import postgres
from tests.faults.hunt import Needles, hunt
from tests.faults.hunted_demo import KEY, Demo, NothingProvenError
from tests.faults.overheard import overheard

SECRET = "kanarie/p@ss+7c1e-b8d9"
STATE = json.dumps({"sources": {"crm": {"refresh_token": SECRET}}}).encode()
PACKED = base64.b64encode(zlib.compress(STATE)).decode()
NEEDLES = Needles({"the canary": SECRET})


def in_duckdb(folder: Path, value: str) -> None:
    """Among so many rows that they are stored compressed."""
    with duckdb.connect(str(folder / "warehouse.duckdb")) as stored:
        stored.execute("SET force_compression = 'zstd'; CREATE SCHEMA raw_crm")
        stored.execute("CREATE TABLE raw_crm.contact AS SELECT repeat('x', 50) || range AS payload FROM range(5000)")
        stored.execute("INSERT INTO raw_crm.contact VALUES (?)", [value])


def in_sqlite(folder: Path, value: str) -> None:
    with closing(sqlite3.connect(folder / "control.db")) as stored, stored:
        stored.execute("CREATE TABLE snapshots (body BLOB)")
        stored.execute("INSERT INTO snapshots VALUES (?)", [zlib.compress(value.encode())])


def in_a_dump(folder: Path, value: str) -> None:
    server = postgres.shared()
    database = server.create_database()
    with server.session(database) as cursor:
        cursor.execute("CREATE TABLE events (state text, body bytea)")
        cursor.execute("INSERT INTO events VALUES ('', %s)", [zlib.compress(value.encode())])
    dump = (server.programs / "pg_dump", "--inserts", "-f", folder / "dagster.sql", server.dsn(database))
    subprocess.run([str(each) for each in dump], check=True)


def in_gzip(folder: Path, value: str) -> None:
    (folder / "load.csv.gz").write_bytes(gzip.compress(b"id,note\n" * 99) + gzip.compress(value.encode()))


def in_zip(folder: Path, value: str) -> None:
    with zipfile.ZipFile(folder / "trace.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("state.json", value)


def in_parquet(folder: Path, value: str) -> None:
    sql = f"COPY (SELECT ? AS note FROM range(999)) TO '{folder / 'part.parquet'}' (COMPRESSION zstd)"
    duckdb.connect().execute(sql, [value])


def in_a_log(folder: Path, value: str) -> None:
    (folder / "stderr").write_text(f"GET /people?token={value}\n")


def in_a_name(folder: Path, value: str) -> None:
    (folder / value.encode().hex()).touch()


PLACES = [in_duckdb, in_sqlite, in_a_dump, in_gzip, in_zip, in_parquet, in_a_log, in_a_name]


@pytest.mark.parametrize("place", PLACES)
def test_a_secret_is_found_wherever_it_was_left(place: Callable[[Path, str], None], tmp_path: Path) -> None:
    place(tmp_path, SECRET)
    assert {each.secret for each in hunt(tmp_path, NEEDLES).found} == {"the canary"}


@pytest.mark.parametrize("place", [in_duckdb, in_sqlite, in_a_dump, in_a_log])
def test_a_secret_is_found_in_a_state_that_dlt_has_packed(place: Callable[[Path, str], None], tmp_path: Path) -> None:
    place(tmp_path, f"state: {PACKED}")
    assert {(each.secret, each.form) for each in hunt(tmp_path, NEEDLES).found} == {("the canary", "plain")}


SPELLINGS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "hexadecimal": lambda secret: secret.encode().hex().encode(),
    "base64 of a header": lambda secret: base64.b64encode(f"user:{secret}:".encode()),
    "base64 of an address": lambda secret: base64.urlsafe_b64encode(f"{secret}:".encode()),
    "percent-encoded": lambda secret: quote(secret, safe="").encode(),
    "utf-16": lambda secret: secret.encode("utf-16"),
    "reversed": lambda secret: secret[::-1].encode(),
}


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_found_however_it_is_spelled(spelling: str, tmp_path: Path) -> None:
    secret = "??>>" + SECRET
    (tmp_path / "run.log").write_bytes(b"started\n" + SPELLINGS[spelling](secret) + b"\nended\n")
    assert {each.where for each in hunt(tmp_path, Needles({"another": secret})).found} == {"run.log"}


@pytest.mark.parametrize("place", PLACES)
def test_nothing_is_found_where_nothing_was_left(place: Callable[[Path, str], None], tmp_path: Path) -> None:
    place(tmp_path, SECRET[:-1])
    done = hunt(tmp_path, NEEDLES)
    assert done.found == []
    assert done.files == 1


def test_the_vendors_own_folder_is_left_out(tmp_path: Path) -> None:
    for folder in ("home/sandbox", "home/runs/sandbox"):
        (tmp_path / folder).mkdir(parents=True)
        in_a_log(tmp_path / folder, SECRET)
    found = hunt(tmp_path, NEEDLES, leave_out=tmp_path / "home" / "sandbox").found
    assert [each.where for each in found] == ["home/runs/sandbox/stderr"]


def test_the_key_may_stand_in_the_demos_env_file_and_nowhere_else(tmp_path: Path) -> None:
    demo, needles = Demo(tmp_path), Needles({KEY: "5a" * 32, "the canary": SECRET})
    demo.project.mkdir()
    with pytest.raises(NothingProvenError, match="where it is kept"):
        demo.faults(hunt(tmp_path, needles))
    (demo.project / ".env").write_text(f"CONNECTOR_ENCRYPTION_KEY={'5a' * 32}\n")
    with pytest.raises(NothingProvenError, match="no sealed"):
        demo.faults(hunt(tmp_path, needles))
    (demo.project / "control.sql").write_text("INSERT INTO credential VALUES ('gtm1.k1.AAAA.BBBB')")
    assert demo.faults(hunt(tmp_path, needles)) == []
    (demo.project / ".env").write_text(f"CONNECTOR_ENCRYPTION_KEY={'5a' * 32}\nTOKEN={SECRET}\n")
    (demo.project / ".env.bak").write_text(f"CONNECTOR_ENCRYPTION_KEY={'5a' * 32}\n")
    told = [str(each) for each in demo.faults(hunt(tmp_path, needles))]
    assert told == ["the canary as plain in project/.env", "the encryption key as plain in project/.env.bak"]


def test_tokens_that_a_login_makes_up_are_known_to_the_hunt(tmp_path: Path) -> None:
    create_world(tmp_path, "acme", size=10, seed=1, vendors=["salesforce", "stripe"])
    with overheard(tmp_path) as (url, heard):
        known = accounts(url, "acme")
        login = f"{known['salesforce'].settings['login_url']}/services/oauth2/token"
        grant = {"grant_type": "refresh_token", **known["salesforce"].credentials}
        granted = httpx.post(login, data=grant).json()["access_token"]
        key = known["stripe"].credentials["api_key"]
        httpx.get(f"{known['stripe'].settings['base_url']}/customers", auth=(key, ""))
    given = known["salesforce"].credentials
    assert {granted, given["client_secret"], given["refresh_token"]} <= heard["acme/salesforce"]
    assert key in heard["acme/stripe"]
