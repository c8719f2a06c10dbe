"""The Close connector over real HTTP against the sandbox's Close, well and ailing."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from connectors import registry
from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, ConnectorContext, Mode
from connectors.declarative.engine import generic
from connectors.errors import Reauthorise, Resync, Retry, Stop
from connectors.manifest import parse_manifest
from gtm_pipelines import sandbox
from tests.contract.sandboxed import NOW, Sandboxed
from tests.worlds import put_world

FAST = 100_000
HISTORY = 1_130  # days: all of the world's activities, in fewer windows than five years have
ENTITIES = [
    "leads", "contacts", "opportunities", "activities", "users", "lead_fields", "contact_fields", "opportunity_fields",
]  # fmt: skip
FOLDER = Path(registry.mapping_path("close")).parent


@pytest.fixture(scope="module")
def cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    directory = tmp_path_factory.mktemp("close")
    for tenant, days in (("still", 3), ("moving", 0)):
        put_world(directory, tenant, size=600, seed=7, vendors=("close",), days=days)
    with sandbox.running(directory) as url:
        yield directory, url


@pytest.fixture
def organisation(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    yield from opened(cloud[1], "still")


@pytest.fixture
def moving(cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    yield from opened(cloud[1], "moving")


def opened(url: str, tenant: str) -> Iterator[Sandboxed]:
    vendor = Sandboxed(url, tenant, "close", settings={"history_days": HISTORY})
    with vendor.suffering(requests_per_second=FAST):
        vendor.clear_ledger()
        yield vendor
    vendor.close()


def taken(connector: Connector, entity: str = "contacts", **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def knowing(vendor: Sandboxed, most_rows: int) -> Connector:
    """The connector, believing that a search gives no more than so many rows."""
    text = (FOLDER / "connector.yml").read_text(encoding="utf-8").replace("most_rows: 9800", f"most_rows: {most_rows}")
    made = generic(parse_manifest(text), FOLDER / "mapping.yml")
    like: ConnectorContext = vendor.connect().context
    return made(like)


def rows(done: Read) -> dict[str, dict[str, Any]]:
    """The newest version of each record."""
    found: dict[str, dict[str, Any]] = {}
    for row in (row for page in done.pages for row in page.rows.to_pylist()):
        known = found.setdefault(row["external_id"], row)
        found[row["external_id"]] = row if row["source_updated_at"] >= known["source_updated_at"] else known
    return found


def payloads(done: Read) -> dict[str, dict[str, Any]]:
    return {key: json.loads(row["payload"]) for key, row in rows(done).items() if row["payload"]}


def asked(vendor: Sandboxed, path: str) -> list[dict[str, Any]]:
    return [entry for entry in vendor.ledger() if entry["path"] == f"api/v1/{path}/"]


def ago(vendor: Sandboxed, **back: float) -> dict[str, Any]:
    """A cursor left so long before the vendor's present."""
    moment = (vendor.now() - timedelta(**back)).isoformat()
    return {"watermark": moment, "deletes": {str(number): moment for number in range(5)}}


@pytest.mark.parametrize("entity", ENTITIES)
def test_every_entity_is_read_whole(organisation: Sandboxed, entity: str) -> None:
    done = taken(organisation.connect(), entity, mode=Mode.FULL)
    checks.check_ends(done)
    checks.check_rows(done)
    checks.check_complete(done, Truth(*organisation.truth(entity)))


@pytest.mark.parametrize("entity", ["leads", "contacts", "opportunities", "activities"])
def test_a_day_later_both_reads_together_are_the_vendors_present(moving: Sandboxed, entity: str) -> None:
    base = taken(moving.connect(), entity)
    before, _ = moving.truth(entity)
    moving.advance(1)
    change = taken(moving.connect(), entity, cursor=base.cursor)
    live, _ = moving.truth(entity)
    assert before - live, "something was deleted"
    together = Read([*base.pages, *change.pages])
    checks.check_complete(together, Truth(live))
    checks.check_deletes(together, Truth(live, before - live))
    assert len(rows(change)) < len(rows(base))


def test_custom_fields_come_with_their_records(organisation: Sandboxed) -> None:
    leads = payloads(taken(organisation.connect(), "leads")).values()
    contacts = payloads(taken(organisation.connect(), "contacts")).values()
    assert any(lead["custom.cf_industry"] for lead in leads)
    assert all("custom.cf_linkedin" in contact for contact in contacts)


def test_fields_that_objects_share_come_with_their_records_as_their_own_do(organisation: Sandboxed) -> None:
    """Close's list of the fields of leads leaves them out."""
    for entity in ("leads", "contacts"):
        known = payloads(taken(organisation.connect(), entity)).values()
        assert any(each["custom.cf_source"] for each in known)
    assert "cf_source" in taken(organisation.connect(), "lead_fields").versions()
    assert "cf_source" not in taken(organisation.connect(), "opportunity_fields").versions()


def test_more_fields_than_a_search_may_name_are_said_and_no_record_is_read_by_halves(organisation: Sandboxed) -> None:
    with organisation.suffering(search_fields=14):
        done = taken(organisation.connect(), "leads")
        checks.check_ends(taken(organisation.connect(), "opportunities"))
    assert isinstance(done.error, Stop)
    assert done.error.code == "fields_refused"
    assert not rows(done)


def test_a_search_that_ends_early_is_asked_again_before_it_does(organisation: Sandboxed) -> None:
    """The vendor's cap, made small: after it a search has no cursor, as if there were no more."""
    total = organisation.truth("contacts")[0]
    with organisation.suffering(search_cap=60):
        done = taken(knowing(organisation, 60), page_size=20)
        checks.check_complete(done, Truth(total))
        unaware = taken(organisation.connect(), page_size=20)
    assert len(payloads(unaware)) == 60, "without the cap in mind the rest would be lost"
    assert len(asked(organisation, "data/search")) > len(total) / 20


def test_more_contacts_of_one_microsecond_than_a_search_gives_are_said_and_not_skipped(organisation: Sandboxed) -> None:
    with organisation.suffering(search_cap=10):
        error = taken(knowing(organisation, 10), page_size=5).error
    assert isinstance(error, Stop)
    assert error.code == "too_many_ties"


@pytest.mark.parametrize("died", [1, 2])
def test_a_cursor_that_expired_costs_one_question(organisation: Sandboxed, died: int) -> None:
    taken(organisation.connect(), page_size=50)
    usual = len(asked(organisation, "data/search"))
    organisation.clear_ledger()
    with organisation.suffering(expire_cursor_next=died):
        done = taken(organisation.connect(), page_size=50)
    checks.check_complete(done, Truth(*organisation.truth("contacts")))
    assert usual < len(asked(organisation, "data/search")) <= usual + 3 * died


def test_a_cursor_that_never_lives_is_a_typed_error_and_keeps_what_was_read(organisation: Sandboxed) -> None:
    """The slowest sink there is: every cursor is dead when it is used."""
    with organisation.suffering(cursor_seconds=0):
        done = taken(organisation.connect(), page_size=5)
    assert isinstance(done.error, Retry)
    assert done.error.code == "page_cursor_died"
    assert done.cursor is not None


def test_an_opportunity_touched_while_they_are_listed_shifts_nothing(organisation: Sandboxed) -> None:
    """A full page is one question from a moment on, never a ``_skip`` that touched rows would move under it."""
    done = taken(organisation.connect(), "opportunities")
    checks.check_ends(done)
    full = [entry for entry in asked(organisation, "opportunity") if "_skip" in entry["query"]]
    assert {entry["query"]["_skip"] for entry in full} == {"0"}
    assert {entry["query"]["_order_by"] for entry in full} == {"date_updated"}


def test_a_merged_lead_is_deleted_and_its_contacts_are_the_winners(moving: Sandboxed) -> None:
    base, people = taken(moving.connect(), "leads"), taken(moving.connect(), "contacts")
    moving.advance(1)
    change = taken(moving.connect(), "leads", cursor=base.cursor)
    moved = taken(moving.connect(), "contacts", cursor=people.cursor)
    actions = {entry["query"]["action"] for entry in asked(moving, "event")}
    assert {"deleted", "merged"} == actions
    gone = {key for key, (is_deleted, _) in change.versions().items() if is_deleted}
    assert gone
    living, _ = moving.truth("contacts")
    known = payloads(Read([*people.pages, *moved.pages]))
    assert not {known[key]["lead_id"] for key in living} & gone


def test_a_note_edited_within_a_fortnight_is_read_again(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "activities")
    counts = moving.advance(1)
    change = taken(moving.connect(), "activities", cursor=base.cursor)
    old, new = payloads(base), payloads(change)
    edited = [key for key in old.keys() & new.keys() if new[key]["note"] != old[key]["note"]]
    assert counts["notes_edited"] > 0
    assert edited
    assert all(rows(change)[key]["source_updated_at"] > rows(base)[key]["source_updated_at"] for key in edited)


def test_activities_are_asked_for_in_windows_of_thirty_days(organisation: Sandboxed) -> None:
    taken(organisation.connect(history_days=100), "activities")
    spans = [
        tuple(datetime.fromisoformat(entry["query"][f"date_created__{bound}"]) for bound in ("gte", "lt"))
        for entry in asked(organisation, "activity")
        if entry["query"].get("_skip", "0") == "0"
    ]
    assert [end - start for start, end in spans] == [timedelta(days=days) for days in (30, 30, 30, 10)]
    assert all(left[1] == right[0] for left, right in pairwise(spans))
    assert spans[-1][1] == organisation.now()


def test_more_activities_in_a_window_than_may_be_skipped_are_said(organisation: Sandboxed) -> None:
    with organisation.suffering(max_skip=3):
        error = taken(organisation.connect(), "activities", page_size=2).error
    assert isinstance(error, Stop)
    assert error.code == "bad_request"


def test_contacts_that_arrive_late_are_not_lost(moving: Sandboxed) -> None:
    base = taken(moving.connect())
    present = moving.now()
    counts = moving.advance(1)
    change = taken(moving.connect(), cursor=base.cursor)
    late = [
        key
        for key in payloads(change).keys() - payloads(base).keys()
        if rows(change)[key]["source_updated_at"] <= present
    ]
    assert len(late) == counts["contacts_arriving_late"]


def test_a_log_of_deletes_that_no_longer_reaches_back_asks_for_a_full_read(organisation: Sandboxed) -> None:
    error = taken(organisation.connect(), "leads", cursor=ago(organisation, days=29.5)).error
    assert isinstance(error, Resync)
    assert error.code == "deletes_gap"
    checks.check_ends(taken(organisation.connect(), "leads", cursor=ago(organisation, days=28)))


def test_one_refused_path_leaves_the_others(organisation: Sandboxed) -> None:
    with organisation.suffering(forbid=["opportunity"]):
        error = taken(organisation.connect(), "opportunities").error
        assert isinstance(error, Stop)
        assert error.code == "permission_denied"
        checks.check_ends(taken(organisation.connect(), "users"))
    with organisation.suffering(revoke_key=True):
        assert isinstance(taken(organisation.connect()).error, Reauthorise)


@pytest.mark.parametrize("fault", ["truncate_next", "gzip_cut_next", "rate_limit_next", "reset_next"])
@pytest.mark.parametrize("entity", ["contacts", "opportunities"])
def test_a_page_that_comes_wrong_once_costs_nothing(organisation: Sandboxed, entity: str, fault: str) -> None:
    with organisation.suffering(**{fault: 1}):
        done = taken(organisation.connect(), entity, page_size=50)
    checks.check_complete(done, Truth(*organisation.truth(entity)))


def test_the_vendors_own_limit_is_waited_for(organisation: Sandboxed) -> None:
    with organisation.suffering(requests_per_second=FAST, rate_limit_next=3, retry_after="2"):
        done = taken(organisation.connect())
    checks.check_complete(done, Truth(*organisation.truth("contacts")))
    assert sum(organisation.waiting.sleeps) > 5.9


def test_a_moment_in_the_far_future_moves_no_cursor_beyond_the_present(organisation: Sandboxed) -> None:
    plain = taken(organisation.connect(), "opportunities")
    with organisation.suffering(poison_next=["future_timestamp"]):
        done = taken(organisation.connect(), "opportunities")
    checks.check_ends(done)
    assert len(rows(done)) == len(rows(plain)) + 1
    assert done.cursor is not None
    assert datetime.fromisoformat(done.cursor["watermark"]) <= organisation.now() - timedelta(minutes=1)
