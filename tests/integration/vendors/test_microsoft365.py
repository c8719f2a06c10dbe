"""The Microsoft 365 connector over real HTTP against the sandbox's Graph, well and ailing."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from connectors.conformance import checks
from connectors.conformance.checks import Read, Truth
from connectors.connector import Connector, Mode, SyncOptions
from connectors.errors import Deferred, Reauthorise, Resync, Stop
from connectors.runtime.messages import Response
from connectors.vendors.microsoft365.people import OddRecordError, Reader
from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors.microsoft365.items import BODY
from tests.contract.sandboxed import NOW, Sandboxed, Send, between
from tests.worlds import put_world

OK, GONE = 200, 404
_tenants = itertools.count(1)


@pytest.fixture(scope="module")
def graph_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    directory = tmp_path_factory.mktemp("graph")
    put_world(directory, "still", size=400, seed=7, vendors=("microsoft365",))
    with sandbox.running(directory) as url:
        yield directory, url


@pytest.fixture
def still(graph_cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    """An organization in which nothing happens."""
    vendor = Sandboxed(graph_cloud[1], "still", "microsoft365")
    vendor.clear_ledger()
    yield vendor
    vendor.close()


@pytest.fixture
def moving(graph_cloud: tuple[Path, str]) -> Iterator[Sandboxed]:
    """An organization of the test's own."""
    directory, url = graph_cloud
    tenant = f"moving_{next(_tenants)}"
    put_world(directory, tenant, size=200, seed=11, vendors=("microsoft365",))
    vendor = Sandboxed(url, tenant, "microsoft365")
    yield vendor
    vendor.close()


def taken(connector: Connector, entity: str, **options: Any) -> Read:
    return checks.read(connector, entity, started_at=NOW, **options)


def rows(*reads: Read) -> dict[str, dict[str, Any]]:
    return {row["external_id"]: row for done in reads for page in done.pages for row in page.rows.to_pylist()}


def payloads(*reads: Read) -> dict[str, dict[str, Any]]:
    return {key: json.loads(row["payload"]) for key, row in rows(*reads).items() if row["payload"]}


def live(*reads: Read) -> set[str]:
    return {key for key, row in rows(*reads).items() if not row["is_deleted"]}


def notices(done: Read) -> str:
    return "\n".join(notice for page in done.pages for notice in page.notices)


def whole(done: Read) -> set[str]:
    return {prefix for page in done.pages for prefix in page.seen_whole}


def accounts(vendor: Sandboxed) -> dict[str, str]:
    """Id by address of those who have a mailbox."""
    known = payloads(taken(vendor.connect(), "users")).values()
    return {each["mail"]: each["id"] for each in known if each["userType"] != "Guest" and "room" not in each["mail"]}


def first_rounds(vendor: Sandboxed) -> list[str]:
    """Whose calendar was asked for from the beginning since the ledger was cleared."""
    asked = [entry for entry in vendor.ledger() if "startDateTime" in entry["query"]]
    return [entry["path"].split("/")[2] for entry in asked]


# --- what is kept


@pytest.mark.parametrize("entity", ["events", "messages"])
def test_what_was_said_is_kept_nowhere(still: Sandboxed, entity: str) -> None:
    """Calendars come with bodies whether one wants them or not; mail is not even asked for them."""
    done = taken(still.connect(), entity)
    assert payloads(done)
    assert BODY not in json.dumps(payloads(done))
    selects = [entry["query"]["$select"] for entry in still.ledger() if "$select" in entry["query"]]
    assert selects
    assert not any("body" in select for select in selects)


def test_ids_that_stay_are_asked_for_with_every_call(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = {entity: taken(connector, entity) for entity in ("users", "events", "messages")}
    moving.advance()
    for entity, done in base.items():
        checks.check_ends(taken(connector, entity, cursor=done.cursor))
    assert connector.health_check(connector.authenticate()).ok
    assert {entry["note"] for entry in moving.ledger()} & {"ids that change"} == set()


def test_colleagues_are_those_in_the_domains_the_organization_has_verified(still: Sandboxed) -> None:
    named = [address for each in payloads(taken(still.connect(), "messages")).values() for address in people(each)]
    inside = {address.partition("@")[2] for address, is_outside in named if not is_outside}
    outside = {address.partition("@")[2] for address, is_outside in named if is_outside}
    assert inside == {"seller.example", "seller-group.example"}
    assert outside
    assert not outside & inside


def test_a_setting_says_who_is_a_colleague(still: Sandboxed) -> None:
    done = taken(still.connect(internal_domains=["@Seller.example"]), "messages")
    outside = {address for each in payloads(done).values() for address, is_outside in people(each) if is_outside}
    assert any(address.endswith("@seller-group.example") for address in outside)
    assert not [entry for entry in still.ledger() if entry["path"].endswith("organization")]


def people(record: dict[str, Any]) -> list[tuple[str, bool]]:
    """Every address of a record, and whether it was taken for one from outside."""
    return [
        *((each["address"], True) for each in record.get("externalPeople", ())),
        *((address, False) for address in record.get("internalPeople", ())),
    ]


def test_addresses_are_lower_case_and_each_person_stands_once(still: Sandboxed) -> None:
    for record in payloads(taken(still.connect(), "events")).values():
        addresses = [address for address, _ in people(record)]
        assert addresses == [address.lower() for address in dict.fromkeys(addresses)]


def test_an_occurrence_carries_what_its_series_says(still: Sandboxed) -> None:
    known = payloads(taken(still.connect(), "events"))
    occurrences = [each for each in known.values() if each["type"] == "occurrence"]
    masters = {each["id"]: each for each in known.values() if each["type"] == "seriesMaster"}
    assert occurrences
    for each in occurrences:
        series = masters[each["seriesMasterId"]]
        assert (each["iCalUId"], each["attendees"]) == (series["iCalUId"], series["attendees"])
        assert each["externalPeople"]
    assert not any("externalPeople" in series for series in masters.values())
    assert len({each["start"]["dateTime"] for each in occurrences}) > len(masters)


def test_subjects_of_private_meetings_are_never_kept_and_others_only_if_wanted(still: Sandboxed) -> None:
    known = payloads(taken(still.connect(), "events")).values()
    assert {each["sensitivity"] for each in known if "subject" not in each} == {"private"}
    for entity in ("events", "messages"):
        assert not any("subject" in each for each in payloads(taken(still.connect(subjects=False), entity)).values())


# --- rounds


def test_what_is_empty_replayed_or_doubled_changes_nothing(moving: Sandboxed) -> None:
    connector = moving.connect()
    for entity in ("users", "events", "messages"):
        with moving.suffering(empty_round_start=2, empty_page=2, duplicate_page=2):
            base = taken(connector, entity, page_size=15)
        moving.advance()
        with moving.suffering(replay_next=3, empty_round_start=2, empty_page=1, duplicate_page=1):
            change = taken(connector, entity, cursor=base.cursor, page_size=15)
        checks.check_ends(change)
        assert live(base, change) == moving.truth(entity)[0]


def test_a_lost_place_costs_one_calendar_a_whole_read_and_no_other(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = taken(connector, "events")
    address, lost = next(iter(accounts(moving).items()))
    moving.advance()
    moving.clear_ledger()
    with moving.suffering(expire_delta=[address]):
        change = taken(connector, "events", cursor=base.cursor)
    checks.check_ends(change)
    assert first_rounds(moving) == [lost, *(id_ for id_ in first_rounds(moving) if id_ not in accounts_before(base))]
    assert f"the calendar of {address} is read anew" in notices(change)
    assert f"{lost}:" in whole(change)
    assert not whole(change) & {f"{each}:" for each in accounts_before(base) - {lost}}
    gone = {key for key in live(base) if key.startswith(f"{lost}:")} - live(change)
    assert live(base, change) - gone == moving.truth("events")[0]


def accounts_before(base: Read) -> set[str]:
    """Whose calendars a read knows a place in."""
    return {scope.partition("/")[0] for scope in (base.cursor or {})["scopes"]}


def _begins(entry: dict[str, Any]) -> bool:
    """Whether a round over a folder's mails begins."""
    return str(entry["path"]).endswith("/messages/delta") and "$select" in entry["query"]


def test_a_lost_place_in_mail_costs_one_folder(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = taken(connector, "messages")
    address, lost = next(iter(accounts(moving).items()))
    moving.clear_ledger()
    with moving.suffering(expire_delta=[address]):
        change = taken(connector, "messages", cursor=base.cursor)
    checks.check_ends(change)
    asked = [entry["path"] for entry in moving.ledger() if _begins(entry) and entry["status"] == OK]
    assert asked == [f"v1.0/users/{lost}/mailFolders/inbox/messages/delta"]
    assert (change.cursor or {})["scopes"].keys() == (base.cursor or {})["scopes"].keys()
    assert not whole(change)  # a mail that was written was written


def test_a_lost_place_in_the_directory_is_one_full_read_of_it(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = taken(connector, "users")
    with moving.suffering(expire_delta=["users"]):
        assert isinstance(taken(connector, "users", cursor=base.cursor).error, Resync)


def test_a_deleted_account_is_deleted(moving: Sandboxed) -> None:
    connector = moving.connect()
    moving.advance()
    base = taken(connector, "users")
    moving.advance(2)
    change = taken(connector, "users", cursor=base.cursor)
    gone = live(base) - live(base, change)
    assert len(gone) == 1
    assert live(base, change) == moving.truth("users")[0]


def test_a_meeting_that_left_the_window_is_not_deleted_and_one_that_is_gone_is(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = taken(connector, "events")
    moving.advance()
    change = taken(connector, "events", cursor=base.cursor)
    removed = {key for key in live(base) if rows(base, change)[key]["is_deleted"]}
    assert removed
    far = {key for key, each in payloads(change).items() if each["start"]["dateTime"] > "2026-09"}
    assert far & live(base)
    assert not far & removed
    assert live(base, change) == moving.truth("events")[0]
    assert live(taken(connector, "events", mode=Mode.FULL)) == moving.truth("events")[0]


def test_a_mail_that_was_put_elsewhere_stays(moving: Sandboxed) -> None:
    connector = moving.connect(folders=["inbox", "sentitems"])
    base = taken(connector, "messages")
    moving.advance()
    change = taken(connector, "messages", cursor=base.cursor)
    archived = {key for key, each in payloads(change).items() if each["parentFolderId"].endswith("archive")}
    assert archived & live(base)
    assert archived <= live(base, change)
    assert live(base, change) == moving.truth("messages")[0]


def test_the_window_of_a_calendar_moves_on_every_week(moving: Sandboxed) -> None:
    connector = moving.connect()
    done = taken(connector, "events")
    before = accounts_before(done)
    moving.clear_ledger()
    done = taken(connector, "events", cursor=done.cursor)
    moving.advance(6)
    done = taken(connector, "events", cursor=done.cursor)
    assert not before & set(first_rounds(moving))
    moving.advance()
    done = taken(connector, "events", cursor=done.cursor)
    assert before <= set(first_rounds(moving))
    assert {entry["query"]["endDateTime"] for entry in moving.ledger() if "endDateTime" in entry["query"]} >= {
        "2026-07-07T00:00:00Z"
    }
    checks.check_ends(done)


def test_another_first_day_reads_anew(still: Sandboxed) -> None:
    base = taken(still.connect(), "messages")
    later = taken(still.connect(since="2025-12-01"), "messages", cursor=base.cursor)
    assert 0 < len(rows(later)) < len(rows(base))
    assert min(each["receivedDateTime"] for each in payloads(later).values()) >= "2025-12-01"


def test_a_folder_is_read_whole_however_few_mails_a_filtered_round_tells_of(still: Sandboxed) -> None:
    """Documented: applying $filter in a delta query returns only up to 5,000 messages."""
    with still.suffering(filtered_mails_most=3):
        done = taken(still.connect(), "messages")
    assert live(done) == still.truth("messages")[0]


def test_other_colleagues_read_anew(moving: Sandboxed) -> None:
    base = taken(moving.connect(), "messages")
    again = taken(moving.connect(internal_domains=["elsewhere.example"]), "messages", cursor=base.cursor)
    assert live(again) == live(base)


# --- who may be read


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_mailbox_that_is_refused_by_any_code_keeps_no_other_from_being_read(still: Sandboxed, status: int) -> None:
    """On-premises mailboxes answer 401 with their own code; others with codes that are written down nowhere."""
    connector = still.connect()
    hidden = next(iter(accounts(still).values()))
    code = "MailboxNotEnabledForRESTAPI" if status == 401 else "ErrorNobodyHasHeardOf"

    def refused(request: httpx.Request, send: Send) -> Response:
        if f"/users/{hidden}/" not in str(request.url):
            return send(request)
        body = json.dumps({"error": {"code": code, "message": "…"}}).encode()
        return Response(status, {"content-type": "application/json"}, body, str(request.url))

    between(connector, refused)
    done = taken(connector, "events")
    assert done.error is None
    assert live(done) == {key for key in still.truth("events")[0] if not key.startswith(hidden)}
    assert "left out, " in notices(done)


def test_mailboxes_without_a_licence_are_left_out_and_said(still: Sandboxed) -> None:
    done = taken(still.connect(), "messages")
    checks.check_ends(done)
    assert notices(done) == "left out, 1 without a mailbox that Graph can read: room.oak@seller.example"
    assert len([entry for entry in still.ledger() if entry["status"] == GONE]) == 1  # its other folders are not tried


def test_a_mailbox_that_may_not_be_read_keeps_its_place(moving: Sandboxed) -> None:
    connector = moving.connect()
    base = taken(connector, "events")
    address, hidden = next(iter(accounts(moving).items()))
    with moving.suffering(forbid_mailbox=[address]):
        change = taken(connector, "events", cursor=base.cursor)
    assert f"1 that this app may not read: {address}" in notices(change)
    assert (change.cursor or {})["scopes"][hidden] == (base.cursor or {})["scopes"][hidden]


def test_when_no_mailbox_can_be_read_that_is_an_error(still: Sandboxed) -> None:
    with still.suffering(forbid_mailbox=list(accounts(still))):
        done = taken(still.connect(), "events")
    assert isinstance(done.error, Stop)
    assert done.error.code == "no_mailbox"


def test_only_the_mailboxes_that_are_named_are_read(still: Sandboxed) -> None:
    address, own = next(iter(accounts(still).items()))
    done = taken(still.connect(mailboxes=[address.upper()]), "events")
    assert {key.partition(":")[0] for key in live(done)} == {own}
    unknown = taken(still.connect(mailboxes=["nobody@seller.example"]), "events")
    assert isinstance(unknown.error, Stop)
    assert unknown.error.code == "bad_setting"


# --- limits and sign-in


def test_graph_is_asked_again_when_it_says(still: Sandboxed) -> None:
    with still.suffering(rate_limit_next=2, retry_after="7"):
        checks.check_ends(taken(still.connect(), "events"))
    assert still.waiting.slept > 13


def test_a_long_wait_ends_the_read_politely(still: Sandboxed) -> None:
    with still.suffering(rate_limit_next=1, retry_after="3600"):
        done = taken(still.connect(), "events")
    assert isinstance(done.error, Deferred)


def test_a_token_that_ends_in_the_middle_is_renewed_once(still: Sandboxed) -> None:
    connector = still.connect()
    connector.authenticate()
    still.clear_ledger()
    with still.suffering(expire_tokens_next=1):
        done = taken(connector, "messages")
    checks.check_complete(done, Truth(*still.truth("messages")))
    assert len([entry for entry in still.ledger() if entry["note"] == "client_credentials"]) == 1


def test_a_secret_that_ran_out_asks_for_a_person(still: Sandboxed) -> None:
    with still.suffering(revoke_secret=True):
        connector = still.connect(wrong={})
        with pytest.raises(Reauthorise):
            connector.authenticate()


@pytest.mark.parametrize("entity", ["events", "messages"])
def test_spoiled_records_do_not_take_their_page_with_them(still: Sandboxed, entity: str) -> None:
    """Nor do they bring a body along: what cannot be read is shown as far as it may be kept."""
    kinds = ["null_id", "not_an_object", "duplicate_key", "lone_surrogate", "nul_character", "new_field", "too_deep"]
    connector = still.connect()
    pages = connector.sync(connector.authenticate(), None, SyncOptions(entity, Mode.FULL, NOW, 5))
    first = next(pages)
    with still.suffering(poison_next=kinds):
        done = Read([first, *pages])
    checks.check_ends(done)
    assert still.truth(entity)[0] <= live(done)
    reasons = {each.reason for page in done.pages for each in page.unreadable}
    assert {"bad_key", "malformed"} <= reasons
    assert BODY not in "".join(each.raw for page in done.pages for each in page.unreadable)
    assert BODY not in json.dumps(payloads(done))


@pytest.mark.parametrize("entity", ["events", "messages"])
def test_a_spoiled_record_is_known_by_the_id_its_row_is_stored_under(still: Sandboxed, entity: str) -> None:
    """What is set aside is not absent, so its row must be found beside those that were read."""
    connector = still.connect()

    def unclear(request: httpx.Request, send: Send) -> Response:
        answer = send(request)
        return replace(
            answer, content=answer.content.replace(b'"lastModifiedDateTime":"20', b'"lastModifiedDateTime":"of ')
        )

    between(connector, unclear)
    done = taken(connector, entity, mode=Mode.FULL)
    known = {each.external_id for page in done.pages for each in page.unreadable}
    assert known
    assert known <= still.truth(entity)[0]


def test_a_meeting_without_an_id_across_calendars_is_known_by_its_own() -> None:
    kept = Reader(frozenset({"seller.example"})).event(msgspec.Raw(b'{"id": "1", "iCalUId": null}'))
    assert bytes(kept["meetingUid"]) == b'"1"'


def test_a_meeting_in_another_form_than_documented_is_set_aside_without_its_body() -> None:
    reader = Reader(frozenset({"seller.example"}))
    odd = msgspec.Raw(b'{"id": "1", "attendees": "everybody", "body": {"content": "for your eyes only"}}')
    with pytest.raises(OddRecordError) as error:
        reader.event(odd)
    assert set(error.value.kept) == {"id", "attendees"}
