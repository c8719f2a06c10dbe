"""The HubSpot connector at its account: who may come in, what is refused, what passes, how fast it may go."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from connectors import registry
from connectors.conformance import checks
from connectors.connector import Mode
from connectors.errors import Deferred, Reauthorise, Retry, Stop
from connectors.runtime.messages import Response
from tests.contract.sandboxed import NOW, Sandboxed, Send, between
from tests.integration.vendors import hubspot_portal as portal
from tests.integration.vendors.hubspot_portal import RECORDS, asked, since, taken, whole


@pytest.fixture(scope="module")
def portals(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str]]:
    with portal.served(tmp_path_factory.mktemp("portals")) as found:
        yield found


@pytest.fixture
def hubspot(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal whose world stands still."""
    with portal.unlimited(portals[1], "still") as vendor:
        yield vendor


@pytest.fixture
def moving(portals: tuple[Path, str]) -> Iterator[Sandboxed]:
    """A portal of a test's own."""
    with portal.new_world(*portals) as vendor:
        yield vendor


class TestConnecting:
    """One credential or the other, and what refuses them."""

    def test_a_private_apps_token_needs_no_login(self, hubspot: Sandboxed) -> None:
        hubspot.store = type(hubspot.store)(private_app_token="pat-na1-sandbox-still")
        whole(hubspot, taken(hubspot.connect(), "deals"), "deals")
        assert not asked(hubspot, "token")

    def test_a_session_that_ends_is_renewed_once_within_the_read(self, hubspot: Sandboxed) -> None:
        connector = hubspot.connect()
        connector.authenticate()
        hubspot.clear_ledger()
        with hubspot.suffering(expire_session_after=3):
            done = taken(connector)
        whole(hubspot, done)
        assert len(asked(hubspot, "token")) == 1

    @pytest.mark.parametrize(
        ("wrong", "code"),
        [
            ({"refresh_token": "of-nobody"}, "invalid_grant"),
            ({"client_secret": "of-nobody"}, "invalid_client"),
            ({"private_app_token": "pat-na1-of-nobody"}, "unauthorised"),
            ({"private_app_token": "not a token"}, "token_malformed"),
            ({"refresh_token": ""}, "credential_missing"),
        ],
    )
    def test_a_refused_credential_asks_for_a_person(self, hubspot: Sandboxed, wrong: dict[str, str], code: str) -> None:
        refused = taken(hubspot.connect(wrong=wrong), "deals").error
        assert isinstance(refused, Reauthorise)
        assert refused.code == code

    def test_an_uninstalled_app_asks_for_a_person(self, hubspot: Sandboxed) -> None:
        fresh = hubspot.connect(wrong={})
        with hubspot.suffering(revoke_refresh=True), pytest.raises(Reauthorise):
            fresh.authenticate()

    @pytest.mark.parametrize("version", ["2026-03", "2026-09"])
    def test_the_version_of_the_api_is_a_setting(self, hubspot: Sandboxed, version: str) -> None:
        connector = hubspot.connect(api_version=version)
        assert connector.health_check(connector.authenticate()).ok
        whole(hubspot, taken(connector, "deals"), "deals")
        assert {part for entry in hubspot.ledger() for part in entry["path"].split("/") if part[:2] == "20"} == {
            version
        }

    def test_a_version_there_is_not_is_said(self, hubspot: Sandboxed) -> None:
        connector = hubspot.connect(api_version="2031-03")
        assert not connector.health_check(connector.authenticate()).ok


class TestFailing:
    """What HubSpot answers when it has enough."""

    def test_a_share_of_the_day_is_left_to_the_customer(self, moving: Sandboxed) -> None:
        with moving.suffering(daily_requests=20):
            connector = moving.connect()
            done = taken(connector, page_size=10)
        assert isinstance(done.error, Deferred)
        assert done.error.code == "quota_spent"
        assert all(entry["status"] != 429 for entry in moving.ledger()), "it stopped before it was told to"
        quota = connector.quota()
        assert quota is not None
        assert (quota.limit, quota.left_to_customer) == (20, 4)
        assert quota.remaining >= quota.left_to_customer

    def test_the_day_is_spent_and_the_sync_stops_politely(self, hubspot: Sandboxed) -> None:
        with hubspot.suffering(quota_spent=True):
            done = taken(hubspot.connect())
        assert isinstance(done.error, Deferred)
        assert done.error.code == "quota_spent"
        assert done.error.resume_at == NOW + timedelta(hours=1)
        assert len([entry for entry in hubspot.ledger() if entry["status"] == 429]) == 1, "it is not asked again"

    @pytest.mark.parametrize(
        "fault",
        [
            {"rate_limit_next": 3, "retry_after": None},
            {"migrating_next": 2},
            {"server_error_next": 3, "server_error_status": 502},
            {"server_error_next": 2, "server_error_status": 524},
            {"truncate_next": 2},
            {"reset_next": 2},
        ],
        ids=lambda fault: next(iter(fault)),
    )
    def test_what_passes_is_waited_for(self, hubspot: Sandboxed, fault: dict[str, Any]) -> None:
        with hubspot.suffering(**fault):
            done = taken(hubspot.connect())
        whole(hubspot, done)

    def test_searches_beyond_their_limit_are_waited_for(self, moving: Sandboxed) -> None:
        base = taken(moving.connect())
        moving.advance()
        with moving.suffering(searches_per_second=1):
            done = taken(moving.connect(), cursor=base.cursor)
        assert done.error is None or isinstance(done.error, Retry)

    def test_an_object_without_its_scope_fails_by_itself(self, hubspot: Sandboxed) -> None:
        with hubspot.suffering(forbid_object=["deals"]):
            refused = taken(hubspot.connect(), "deals")
            whole(hubspot, taken(hubspot.connect(), "companies"), "companies")
        assert isinstance(refused.error, Stop)
        assert refused.error.code == "permission_denied"

    def test_a_batch_that_loses_a_record_to_trouble_is_asked_for_again(self, hubspot: Sandboxed) -> None:
        """What is missing from a full read passes for deleted."""
        with hubspot.suffering(partial_batch_next=2):
            whole(hubspot, taken(hubspot.connect(), mode=Mode.FULL))
        with hubspot.suffering(partial_batch_next=100):
            done = taken(hubspot.connect(), mode=Mode.FULL)
        assert isinstance(done.error, Retry)
        assert done.error.code == "partial_answer"

    def test_what_was_archived_between_list_and_batch_is_left_out(
        self, moving: Sandboxed, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The list knew it, the batch no longer does: it is no record with nothing but an id."""
        from connectors.vendors.hubspot.portal import Portal

        gone: list[str] = []
        read = Portal.read

        def late(portal: Portal, kind: str, ids: Any, properties: Any) -> Any:
            if not gone:
                answer = httpx.post(f"{moving.base_url}/{moving.tenant}/_privacy_delete?count=2").json()
                gone.extend(answer["deleted"])
            return read(portal, kind, ids, properties)

        monkeypatch.setattr(Portal, "read", late)
        done = taken(moving.connect())
        whole(moving, done)
        assert len(gone) == 2
        assert not set(gone) & done.versions().keys()

    @pytest.mark.parametrize(
        "poison", ["missing_id", "too_large", "duplicate_key", "lone_surrogate", "type_change", "not_an_object"]
    )
    def test_a_spoiled_record_does_not_take_its_page_down(self, hubspot: Sandboxed, poison: str) -> None:
        with hubspot.suffering(poison_next=[poison]):
            done = taken(hubspot.connect())
        checks.check_ends(done)
        live = {key for key, (is_deleted, _) in done.versions().items() if not is_deleted}
        assert hubspot.truth("contacts")[0] <= live


def test_the_field_catalogue_is_the_accounts_own(hubspot: Sandboxed) -> None:
    connector = hubspot.connect()
    fields = {(item.entity, item.source): item for item in connector.get_schema(connector.authenticate())}
    assert fields["contacts", "properties.email"].field == "email"
    assert fields["contacts", "properties.num_associated_deals"].type == "number"
    assert fields["meetings", "properties.hs_meeting_end_time"].type == "timestamp"


def test_no_search_goes_out_faster_than_a_search_may(hubspot: Sandboxed) -> None:
    """Nothing paces searches but the pace of everything: what lies between them must be enough."""
    rate = registry.manifest("hubspot").rate_limit
    connector = hubspot.connect(rate=rate.limit() if rate else None)
    moments: list[float] = []
    with hubspot.timed(connector) as every:

        def noted(request: httpx.Request, send: Send) -> Response:
            answer = send(request)
            if request.url.path.endswith("search"):
                moments.append(every[-1])
            return answer

        between(connector, noted)
        for entity in RECORDS:
            checks.check_ends(taken(connector, entity, cursor=since(hubspot, 1100)))
    assert len(moments) >= 8
    checks.check_rate(moments, per_second=5, burst=0)
