"""The token endpoint: refresh, rotation that punishes reuse, and how it fails."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served


def test_a_refresh_gives_a_session_and_where_to_use_it(served: Served) -> None:
    answer = served.token().json()
    assert answer["instance_url"] == f"{served.url}/acme/salesforce"
    assert answer["token_type"] == "Bearer"
    assert answer["issued_at"].isdigit()
    assert not {"refresh_token", "expires_in"} & answer.keys(), "without rotation the old token is kept"


def test_client_credentials_come_as_basic_auth_or_in_the_form(served: Served) -> None:
    url = f"{served.url}/acme/salesforce/services/oauth2/token"
    form = {"grant_type": "client_credentials"}
    assert httpx.post(url, data=form, auth=("sandbox-client", "sandbox-secret-acme")).status_code == 200
    assert served.token(grant_type="client_credentials").json()["api_instance_url"]


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"client_id": "someone"}, "invalid_client_id"),
        ({"client_secret": "sandbox-secret-globex"}, "invalid_client"),
        ({"refresh_token": "sandbox-refresh-globex"}, "invalid_grant"),
        ({"refresh_token": "sandbox-refresh-acme.1.forged"}, "invalid_grant"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
    ],
)
def test_wrong_credentials_are_refused_in_oauths_words(served: Served, form: dict[str, str], error: str) -> None:
    answer = served.token(**form)
    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_rotated_refresh_token_works_once_and_reuse_revokes_the_line(served: Served) -> None:
    served.faults(salesforce={"rotate_refresh_tokens": True})
    second = served.token().json()["refresh_token"]
    third = served.token(refresh_token=second).json()["refresh_token"]
    assert served.token(refresh_token=second).json()["error"] == "invalid_grant"
    assert served.token(refresh_token=third).json()["error"] == "invalid_grant", "the reuse revoked its successor too"
    httpx.post(f"{served.url}/acme/_reconnect").raise_for_status()
    assert served.token().status_code == 200


def test_of_many_racers_with_one_rotating_token_one_wins(served: Served) -> None:
    served.faults(salesforce={"rotate_refresh_tokens": True})
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda _: served.token().status_code, range(8)))
    assert sorted(statuses) == [200] + [400] * 7


def test_rotated_tokens_outlive_the_server(served: Served) -> None:
    served.faults("globex", salesforce={"rotate_refresh_tokens": True})
    rotated = served.token("globex").json()["refresh_token"]
    with sandbox.running(served.directory) as url:
        again = Served(served.directory, url)
        assert again.token("globex").json()["error"] == "invalid_grant", "the first token is used up"
        httpx.post(f"{url}/globex/_reconnect").raise_for_status()
        assert rotated != "sandbox-refresh-globex"
        assert again.token("globex").status_code == 200


def test_the_token_endpoint_has_faults_of_its_own(served: Served) -> None:
    served.faults(salesforce={"token_error_next": 1, "token_redirect_next": 1, "rate_limit_next": 1})
    assert served.token().status_code == 503
    assert served.token().status_code == 302
    assert served.token().status_code == 200, "faults of reads do not strike here"
    served.faults(salesforce={"revoke_refresh": True})
    assert served.token().json()["error"] == "invalid_grant"


def test_no_credential_is_kept_in_the_ledger(served: Served) -> None:
    token = served.token().json()["access_token"]
    assert token not in str(served.ledger())
    assert "sandbox-secret" not in str(served.ledger())
    assert served.ledger()[-1]["note"] == "refresh_token"
