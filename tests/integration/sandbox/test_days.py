"""What a day brings, seen as a client sees it: before and after, through Salesforce's API."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import httpx
import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox import store
from tests.integration.sandbox.outsiders import Served

Rows = dict[str, dict[str, Any]]
ONE = ("salesforce",)  # what other vendors make of a day is in their own tests
NOBODY = ("file",)  # for what happens to people, whoever knows them


@dataclass(frozen=True)
class Days:
    """Contacts at the end of some days in a row, deleted ones included."""

    ends: list[datetime]
    contacts: list[Rows]

    def pairs(self) -> Iterator[tuple[datetime, Rows, Rows]]:
        """Each day's beginning, with the contacts before and after it."""
        return zip(self.ends, self.contacts, self.contacts[1:], strict=False)


def _contacts(served: Served) -> Rows:
    token = served.token().json()
    soql = "SELECT Id, Email, Title, IsDeleted, MasterRecordId, CreatedDate, SystemModstamp, Score__c FROM Contact"
    found: Rows = {}
    with httpx.Client(
        headers={"authorization": f"Bearer {token['access_token']}"}, base_url=token["instance_url"]
    ) as client:
        page = client.get("/services/data/v64.0/queryAll", params={"q": soql}).json()
        while True:
            found |= {each["Id"]: each for each in page["records"]}
            if page["done"]:
                return found
            page = client.get(page["nextRecordsUrl"]).json()


@pytest.fixture(scope="module")
def days(tmp_path_factory: pytest.TempPathFactory) -> Days:
    directory = tmp_path_factory.mktemp("days")
    sandbox.create_world(directory, "acme", size=3000, seed=11, vendors=ONE)
    with sandbox.running(directory) as url:
        served = Served(directory, url)
        ends, seen = [datetime.fromisoformat("2026-01-01T00:00:00+00:00")], [_contacts(served)]
        for _ in range(4):
            ends.append(datetime.fromisoformat(sandbox.advance(directory, "acme").now))
            seen.append(_contacts(served))
    return Days(ends, seen)


def test_time_moves_by_a_day_and_only_when_told(days: Days) -> None:
    assert {after - before for before, after in zip(days.ends, days.ends[1:], strict=False)} == {timedelta(days=1)}


def test_rows_are_created_changed_and_soft_deleted_every_day(days: Days) -> None:
    for _, before, after in days.pairs():
        assert after.keys() - before.keys(), "created"
        changed = [key for key in before.keys() & after.keys() if before[key] != after[key]]
        assert any(not after[key]["IsDeleted"] for key in changed), "changed"
        assert any(after[key]["IsDeleted"] and not before[key]["IsDeleted"] for key in changed), "deleted"


def test_a_changed_row_always_has_a_new_stamp_within_the_day(days: Days) -> None:
    for begun, before, after in days.pairs():
        for key in before.keys() & after.keys():
            stamp = datetime.fromisoformat(after[key]["SystemModstamp"])
            if before[key] != after[key]:
                assert begun < stamp <= begun + timedelta(days=1)


def test_a_merge_points_from_the_loser_to_a_winner_that_was_stamped_too(days: Days) -> None:
    for begun, before, after in days.pairs():
        losers = [
            each
            for each in after.values()
            if each["MasterRecordId"] and not before.get(each["Id"], each)["MasterRecordId"]
        ]
        assert losers
        assert all(each["IsDeleted"] for each in losers)
        winners = [after[each["MasterRecordId"]] for each in losers if each["MasterRecordId"] in after]
        assert winners
        assert all(datetime.fromisoformat(each["SystemModstamp"]) > begun for each in winners)


def test_some_rows_vanish_without_ever_being_flagged(days: Days) -> None:
    for _, before, after in days.pairs():
        gone = before.keys() - after.keys()
        assert gone
        assert any(not before[key]["IsDeleted"] for key in gone)


def test_some_rows_appear_late_behind_what_was_already_read(days: Days) -> None:
    for begun, before, after in days.pairs():
        late = [
            each
            for key, each in after.items()
            if key not in before and datetime.fromisoformat(each["SystemModstamp"]) <= begun
        ]
        assert late
        assert all(begun - datetime.fromisoformat(each["SystemModstamp"]) < timedelta(minutes=5) for each in late)


def test_a_mass_update_leaves_one_stamp_on_many_rows_at_the_very_present(days: Days) -> None:
    for begun, _, after in days.pairs():
        stamps = Counter(each["SystemModstamp"] for each in after.values())
        assert stamps[f"{begun + timedelta(days=1):%Y-%m-%dT%H:%M:%S}.000+0000"] > 50


@pytest.fixture(scope="module")
def long_after(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[sandbox.Advance, duckdb.DuckDBPyConnection]]:
    """Yield a small world that moved for more than a fortnight, and what happened in it."""
    directory = tmp_path_factory.mktemp("weeks")
    sandbox.create_world(directory, "acme", size=400, seed=11, vendors=ONE)
    moved = sandbox.advance(directory, "acme", steps=16)
    with store.opened(store.current(directory / "acme")) as world:
        yield moved, world


def test_an_undeleted_row_is_live_again_and_leaves_the_delete_log(
    long_after: tuple[sandbox.Advance, duckdb.DuckDBPyConnection],
) -> None:
    moved, world = long_after
    assert moved.counts["contacts_undeleted"] > 0
    lost = 'SELECT 1 FROM salesforce.deletion d JOIN salesforce."Contact" c ON c.Id = d.id WHERE NOT c.IsDeleted'
    assert world.execute(lost).fetchall() == []


def test_the_recycle_bin_and_the_delete_log_reach_back_fifteen_days(
    long_after: tuple[sandbox.Advance, duckdb.DuckDBPyConnection],
) -> None:
    moved, world = long_after
    deleted = 'SELECT min(SystemModstamp) FROM salesforce."Contact" WHERE IsDeleted'
    oldest = world.execute(f"SELECT (SELECT min(deleted_at) FROM salesforce.deletion), ({deleted})").fetchall()[0]
    edge = datetime.fromisoformat(moved.now).replace(tzinfo=None) - timedelta(days=15)
    assert moved.counts["recycle_bin_emptied"] > 0
    assert all(edge <= each < edge + timedelta(days=2) for each in oldest)


def test_the_smallest_world_can_move(tmp_path: Path) -> None:
    sandbox.create_world(tmp_path, "acme", size=10, seed=1)
    assert sandbox.advance(tmp_path, "acme", steps=2).counts["people_created"] == 4


def test_truth_moves_with_the_world(tmp_path: Path) -> None:
    sandbox.create_world(tmp_path, "acme", size=500, seed=11, vendors=NOBODY)
    before = sandbox.truth(tmp_path, "acme")
    moved = sandbox.advance(tmp_path, "acme")
    after = sandbox.truth(tmp_path, "acme")
    assert moved.counts["people_moved"] > 0
    assert after.people.num_rows == before.people.num_rows + moved.counts["people_created"]
    emails = {each["person_id"]: each["email"] for each in before.people.to_pylist()}
    assert (
        sum(emails.get(each["person_id"], each["email"]) != each["email"] for each in after.people.to_pylist())
        == moved.counts["people_moved"]
    )


def test_another_process_moves_a_world_the_server_holds(served: Served) -> None:
    code = (
        "import sys; from pathlib import Path; from gtm_pipelines import sandbox\n"
        "directory = Path(sys.argv[1]); print(sandbox.advance(directory, 'globex').now)\n"
        "print(sandbox.truth(directory, 'globex').people.num_rows, sandbox.files(directory, 'globex').name)"
    )
    assert httpx.get(f"{served.url}/globex/_now").status_code == 200
    done = subprocess.run(
        [sys.executable, "-c", code, str(served.directory)], capture_output=True, text=True, check=True
    )
    now = httpx.get(f"{served.url}/globex/_now").json()["now"]
    assert done.stdout.splitlines()[0] == now
    assert done.stdout.splitlines()[1].endswith(" files")


def test_a_world_held_by_a_process_that_serves_nothing_is_named(tmp_path: Path) -> None:
    sandbox.create_world(tmp_path, "acme", size=50, seed=1, vendors=NOBODY)
    code = (
        "import sys; from pathlib import Path; from gtm_pipelines import sandbox\n"
        "sandbox.truth(Path(sys.argv[1]), 'acme')"
    )
    with store.opened(store.current(tmp_path / "acme")):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], capture_output=True, text=True, check=False)
    assert "held by a process that serves none of them" in done.stderr


def test_a_world_made_anew_is_served_at_once(served: Served) -> None:
    old = served.token("globex").json()["access_token"]
    sandbox.create_world(served.directory, "globex", size=70, seed=9)
    people = httpx.get(f"{served.url}/globex/_truth/people").json()
    assert len(people) == 70
    assert old


def test_a_query_shows_its_own_moment_while_days_pass(served: Served) -> None:
    token = served.token().json()
    headers = {"authorization": f"Bearer {token['access_token']}", "Sforce-Query-Options": "batchSize=500"}
    with httpx.Client(base_url=token["instance_url"], headers=headers) as client:
        page = client.get("/services/data/v64.0/query", params={"q": "SELECT Id FROM Contact ORDER BY Id"}).json()
        ids = [each["Id"] for each in page["records"]]
        sandbox.advance(served.directory, "acme")
        while not page["done"]:
            page = client.get(page["nextRecordsUrl"]).json()
            ids += [each["Id"] for each in page["records"]]
    assert len(set(ids)) == len(ids) == page["totalSize"]
