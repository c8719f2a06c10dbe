"""What a descriptor's ``auth`` section signs requests with."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs

import httpx
import pytest

from connectors.connector import ConnectorContext
from connectors.declarative.sessions import build_auth
from connectors.errors import Reauthorise, Stop
from connectors.manifest import ManifestError, parse_manifest
from connectors.runtime.retry import Transient
from tests.stand_ins import MemoryStore, VirtualTime
from tests.unit.connectors.manifests import ACME

SECRET = "a-long-secret-of-acme"
PAIR = ACME.replace(
    "  delivery: {place: header, name: X-Api-Key, field: api_key}\n",
    "  deliveries:\n    - {place: header, name: X-Api-Key, field: api_key}\n"
    "    - {place: header, name: X-Api-Secret, field: api_secret}\n",
).replace('help: "Acme, Settings, API"}', "help: x}\n    - {name: api_secret, label: Secret}")
BASIC = ACME.replace("type: api_key", "type: basic").replace("{place: header, name: X-Api-Key,", "{place: basic,")
MICROSOFT = ACME[: ACME.index("auth:")] + (
    "auth:\n  type: oauth2\n  grant: msal\n"
    '  authority: "https://login.microsoftonline.com/{{settings.workspace}}"\n'
    "  scope: https://graph.microsoft.com/.default\n"
    "  fields:\n    - {name: client_id, label: Client}\n    - {name: client_secret, label: Secret}\n"
    + ACME[ACME.index("settings:") :]
)  # fmt: skip
AUTHORITY = "https://login.microsoftonline.com/contoso"


def built(text: str, *, workspace: str = "contoso", token_url: str | None = None, **fields: str) -> Any:
    offline: Any = None  # building and signing send nothing
    settings = {"workspace": workspace, **({"token_url": token_url} if token_url else {})}
    virtual = VirtualTime()
    return build_auth(parse_manifest(text), ConnectorContext(settings, offline, MemoryStore(**fields), virtual.clock))


def signed(auth: httpx.Auth) -> httpx.Request:
    return next(auth.sync_auth_flow(httpx.Request("GET", "https://api.acme.com/v1/me")))


def test_several_credentials_travel_together() -> None:
    request = signed(built(PAIR, api_key="key-of-acme", api_secret=SECRET))
    assert (request.headers["x-api-key"], request.headers["x-api-secret"]) == ("key-of-acme", SECRET)


def test_one_of_several_that_is_missing_asks_for_a_person() -> None:
    with pytest.raises(Reauthorise, match="api_secret"):
        signed(built(PAIR, api_key="key-of-acme"))


def test_a_basic_key_has_an_empty_password() -> None:
    sent = signed(built(BASIC, api_key="key-of-acme")).headers["authorization"]
    assert base64.b64decode(sent.removeprefix("Basic ")) == b"key-of-acme:"


@pytest.mark.parametrize(
    ("text", "old", "new", "says"),
    [
        (PAIR, "  deliveries:", "  delivery: {field: api_key}\n  deliveries:", "not both"),
        (PAIR, "field: api_secret}", "field: other}", "does not declare"),
        (MICROSOFT, "  authority:", "  token_url:", "https, without placeholders"),
        (MICROSOFT, "https://login.microsoftonline.com/{{", "https://{{settings.workspace}}.com/{{", "path only"),
        (MICROSOFT, "https://login.microsoftonline.com", "http://login.microsoftonline.com", "authority is https"),
        (MICROSOFT, "https://login.microsoftonline.com/{{", "https://login.microsoftonline.com/../{{", "dot segments"),
        (MICROSOFT, 'settings.workspace}}"', 'settings.nothing}}"', "no setting"),
    ],
)  # fmt: skip
def test_an_auth_section_that_cannot_work_is_refused(text: Any, old: Any, new: Any, says: Any) -> None:
    assert old in text
    with pytest.raises(ManifestError, match=says):
        parse_manifest(text.replace(old, new, 1))


def microsoft(**more: Any) -> Any:
    return built(MICROSOFT, client_id="client-0001", client_secret=SECRET, **more)


def discovery(at: str) -> httpx.Response:
    named = {"issuer": at, "authorization_endpoint": f"{at}/authorize", "token_endpoint": f"{at}/oauth2/v2.0/token"}
    return httpx.Response(200, json=named)


TOKEN = {"token_type": "Bearer", "expires_in": 3599, "access_token": "token-of-this-hour"}


@pytest.mark.parametrize("stands_at", [None, "http://127.0.0.1:9/acme/microsoft365/contoso"])
def test_microsofts_own_library_asks_for_the_token_and_we_send_it(stands_at: str | None) -> None:
    auth, at = microsoft(token_url=stands_at), stands_at or AUTHORITY
    flow = auth.session_flow()
    first = next(flow)
    assert (first.method, str(first.url)) == ("GET", f"{at}/v2.0/.well-known/openid-configuration")
    second = flow.send(discovery(at))
    assert (second.method, str(second.url)) == ("POST", f"{at}/oauth2/v2.0/token")
    form = parse_qs(second.content.decode())
    assert form["grant_type"] == ["client_credentials"]
    assert form["scope"] == ["https://graph.microsoft.com/.default"]
    assert form["client_secret"] == [SECRET]
    with pytest.raises(StopIteration) as ended:
        flow.send(httpx.Response(200, json=TOKEN))
    session = ended.value.value
    assert session.access_token.reveal() == "token-of-this-hour"
    assert session.expires_at is not None
    assert signed(auth).headers["authorization"] == "Bearer token-of-this-hour"  # no further question


def test_a_refused_secret_asks_for_a_person_and_trouble_is_tried_again() -> None:
    refused = httpx.Response(401, json={"error": "invalid_client", "error_description": "AADSTS7000215: no"})
    for answer, kind in ((refused, Reauthorise), (httpx.Response(503, json={}), Transient)):
        flow = microsoft().session_flow()
        next(flow)
        flow.send(discovery(AUTHORITY))
        with pytest.raises(kind) as caught:
            flow.send(answer)
        assert SECRET not in str(caught.value)


def test_a_directory_nobody_knows_is_a_setting_to_check() -> None:
    flow = microsoft(workspace="nobody").session_flow()
    next(flow)
    with pytest.raises(Stop, match="settings"):
        flow.send(httpx.Response(400, json={"error": "invalid_tenant"}))


def test_an_authority_whose_answer_is_not_its_own_is_refused() -> None:
    flow = microsoft().session_flow()
    next(flow)
    elsewhere = json.dumps({"authorization_endpoint": "x", "token_endpoint": "http://insecure/token"})
    with pytest.raises(Stop, match="token_request_refused"):
        flow.send(httpx.Response(200, content=elsewhere))


def test_a_directory_that_cannot_stand_in_an_address_is_a_bad_setting() -> None:
    with pytest.raises(Stop, match="bad_setting"):
        microsoft(workspace="..")
