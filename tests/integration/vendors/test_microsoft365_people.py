"""From mailboxes to people and what they did: each once, however many mailboxes tell of it; colleagues apart."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import SecretStr

from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.ingest.report import Status, SyncReport
from gtm_pipelines.refresh import refresh_tenant
from gtm_pipelines.sandbox.vendors.microsoft365.items import BODY
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.contract.sandboxed import Sandboxed
from tests.worlds import put_world

OURS = {"seller.example", "seller-group.example"}


@dataclass(frozen=True)
class Stage:
    """One organization and one home."""

    settings: Settings
    vendor: Sandboxed

    def turn(self) -> SyncReport:
        with open_control_plane(self.settings) as control:
            report = sync_connection(self.settings, control, "acme", "m365")
            refresh_tenant(self.settings, control, "acme")
        assert report.status is Status.OK, report.model_dump_json()
        return report

    def ask(self, sql: str) -> list[Any]:
        with open_warehouse(self.settings, "acme") as warehouse:
            return warehouse.rows(sql)

    def raw(self, entity: str) -> dict[str, dict[str, Any]]:
        """The live records of an entity by their keys."""
        found = self.ask(f"SELECT external_id, payload FROM raw_m365.{entity} WHERE NOT is_deleted")
        return {key: json.loads(payload) for key, payload in found}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """An organization that was synced, moved on for two days, and synced again."""
    directory = tmp_path_factory.mktemp("people")
    put_world(directory / "worlds", "acme", size=300, seed=5, vendors=("microsoft365",))
    with sandbox.running(directory / "worlds") as url:
        settings = Settings(home=directory / "home", encryption_key=SecretStr("5a" * 32), sandbox_url=url)
        with open_control_plane(settings) as control:
            control.add_tenant("acme")
            control.add_connection("acme", "m365", "microsoft365", *sandbox.accounts(url, "acme")["microsoft365"])
        vendor = Sandboxed(url, "acme", "microsoft365")
        made = Stage(settings, vendor)
        made.turn()
        vendor.advance(2)
        made.turn()
        yield made
        vendor.close()


def keys(record: dict[str, Any], parts: tuple[str, ...] | None) -> Iterator[str]:
    """The activities a record stands for, one for each person from outside that took part."""
    for person in record.get("externalPeople", ()):
        if parts is None:
            yield f"{record['meetingUid']} {record['start']['dateTime']} {person['address']}"
        elif person["part"] in parts:
            yield f"{record['internetMessageId']} {person['address']}"


@pytest.mark.parametrize(
    ("entity", "parts", "types"),
    [
        ("events", None, "'meeting', 'meeting_cancelled'"),
        ("messages", ("sender", "recipient"), "'email_received', 'email_sent'"),
    ],
)
def test_what_several_mailboxes_tell_of_counts_once_for_each_person(
    stage: Stage, entity: str, parts: tuple[str, ...] | None, types: str
) -> None:
    told = Counter(key for record in stage.raw(entity).values() for key in keys(record, parts))
    assert max(told.values()) > 1, "nothing stands in two mailboxes: the world proves nothing"
    sql = f"SELECT external_id FROM canonical.activity WHERE NOT is_deleted AND type IN ({types})"
    assert sorted(key for (key,) in stage.ask(sql)) == sorted(told)


def test_an_exception_is_known_by_its_series_as_its_stub_in_another_mailbox_is(stage: Stage) -> None:
    """An exception tells an iCalUId of its own; the same occurrence, where it is a stub, tells none."""
    found = stage.raw("events").values()
    series = {each["id"]: each["iCalUId"] for each in found if each["type"] == "seriesMaster"}
    parts = [each for each in found if each.get("seriesMasterId") in series]
    assert {each["type"] for each in parts} == {"occurrence", "exception"}
    assert all(each["meetingUid"] == series[each["seriesMasterId"]] for each in parts)


def test_people_from_outside_are_known_by_their_address_once(stage: Stage) -> None:
    records = [*stage.raw("events").values(), *stage.raw("messages").values()]
    named = {person["address"] for record in records for person in record.get("externalPeople", ())}
    sql = (
        "SELECT external_id, email, properties->>'is_internal' FROM canonical.person"
        " WHERE NOT is_deleted AND _entity <> 'users'"
    )
    found = stage.ask(sql)
    assert sorted(key for key, _, _ in found) == sorted(named)
    assert all(key == email == email.lower() for key, email, _ in found)
    assert {is_internal for *_, is_internal in found} == {"false"}
    assert not {email.partition("@")[2] for _, email, _ in found} & OURS


def test_colleagues_are_people_of_the_directory_and_guests_are_not_colleagues(stage: Stage) -> None:
    sql = "SELECT email, properties->>'is_internal' FROM canonical.person WHERE _entity = 'users' AND NOT is_deleted"
    inside = {email: flag == "true" for email, flag in stage.ask(sql)}
    assert {email.partition("@")[2] for email, flag in inside.items() if flag} == OURS
    assert [email for email, flag in inside.items() if not flag] == ["pat@partner.example"]


def test_an_account_from_before_there_were_types_of_users_is_a_colleague_whose_mailbox_is_read(stage: Stage) -> None:
    """Reported of Graph: userType is null in the oldest accounts of an organization."""
    ((owner, each),) = [(key, each) for key, each in stage.raw("users").items() if each["userType"] is None]
    sql = f"SELECT properties->>'is_internal' FROM canonical.person WHERE email = '{each['mail'].lower()}'"
    assert stage.ask(sql) == [("true",)]
    assert any(key.startswith(owner) for key in stage.raw("messages"))


def test_every_activity_finds_its_person(stage: Stage) -> None:
    assert stage.ask("SELECT count(*) FROM golden.activity WHERE person_id IS NULL") == [(0,)]


def test_the_moment_of_a_meeting_is_its_start(stage: Stage) -> None:
    """Graph writes seven digits and the zone beside them."""
    sql = "SELECT external_id, occurred_at FROM canonical.activity WHERE type = 'meeting' AND NOT is_deleted"
    for key, moment in stage.ask(sql):
        assert key.split(" ")[1] == moment.strftime("%Y-%m-%dT%H:%M:%S.0000000")


def test_no_word_of_what_was_said_is_in_the_warehouse(stage: Stage) -> None:
    for path in stage.settings.home.rglob("*"):
        assert not path.is_file() or BODY.encode() not in path.read_bytes(), path
    for entity in ("events", "messages"):
        assert stage.ask(f"SELECT count(*) FROM raw_m365.{entity} WHERE payload::VARCHAR LIKE '%{BODY}%'") == [(0,)]


def test_after_a_lost_place_what_is_gone_from_that_calendar_is_deleted(stage: Stage) -> None:
    """The removals were never told: only the whole read of that one mailbox shows them."""
    before = set(stage.raw("events"))
    users = stage.raw("users")
    addresses = [user["mail"] for user in users.values() if user["userType"] == "Member" and user["givenName"]]
    stage.vendor.advance(1)
    with stage.vendor.suffering(expire_delta=addresses):
        report = stage.turn().entities["events"]
    assert sum("is read anew" in notice for notice in report.notices) > 1
    truth = set(stage.vendor.truth("events")[0])
    assert before - truth, "nothing was removed: the day proves nothing"
    assert set(stage.raw("events")) == truth
