"""The sandbox's Microsoft 365, judged from outside: by plain MSAL, a stranger's Graph client and the contract."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import httpx
import msal
import pytest
import requests
from O365 import Account
from O365.utils.token import MemoryTokenBackend
from requests.adapters import HTTPAdapter

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors.microsoft365.login import CLIENT_ID, DIRECTORY, client_secret
from tests.worlds import put_world

SCOPES = ["https://graph.microsoft.com/.default"]
IMMUTABLE = 'IdType="ImmutableId"'
WINDOW = {"startDateTime": "2025-01-01T00:00:00Z", "endDateTime": "2026-06-30T00:00:00Z"}


class TlsProxy(HTTPAdapter):
    """Stands where DNS and TLS stand: login.microsoftonline.com and graph.microsoft.com are the sandbox's acme."""

    def __init__(self, url: str, tenant: str = "acme") -> None:
        super().__init__()
        self._url, self._root = url, f"{tenant}/microsoft365/"

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        host, _, path = request.url.removeprefix("https://").partition("/")
        request.headers.update({"Host": host, "X-Forwarded-Proto": "https"})
        request.url = f"{self._url}/{'' if path.startswith(self._root) else self._root}{path}"
        return super().send(request, *args, **kwargs)


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A served world of its own; the address of the sandbox."""
    directory: Path = tmp_path_factory.mktemp("graph")
    for tenant in ("acme", "globex"):
        put_world(directory, tenant, size=300, seed=7, vendors=("microsoft365",))
    with sandbox.running(directory) as url:
        yield url


@pytest.fixture(autouse=True)
def unharmed(graph: str) -> None:
    httpx.delete(f"{graph}/acme/_faults").raise_for_status()


def session(url: str) -> requests.Session:
    """Return a session to which Microsoft's hosts are the sandbox."""
    made = requests.Session()
    made.trust_env = False
    made.mount("https://", TlsProxy(url))
    return made


def application(url: str, secret: str | None = None, **options: Any) -> msal.ConfidentialClientApplication:
    given = {"client_id": CLIENT_ID, "authority": f"https://login.microsoftonline.com/{DIRECTORY}", **options}
    return msal.ConfidentialClientApplication(
        client_credential=secret or client_secret("acme"), http_client=session(url), **given
    )


@pytest.fixture
def token(graph: str) -> str:
    return str(application(graph).acquire_token_for_client(SCOPES)["access_token"])


@pytest.fixture
def client(graph: str, token: str) -> Iterator[httpx.Client]:
    """A bare client at the root of Graph."""
    headers = {"authorization": f"Bearer {token}", "prefer": f"{IMMUTABLE}, odata.maxpagesize=4"}
    with httpx.Client(base_url=f"{graph}/acme/microsoft365/v1.0", headers=headers) as made:
        yield made


def walked(client: httpx.Client, url: str, **params: str) -> tuple[list[dict[str, Any]], str]:
    """Follow every next link to the letter; return the records and the link of the next round."""
    answer = client.get(url, params=params or None).raise_for_status().json()
    found = list(answer["value"])
    while "@odata.nextLink" in answer:
        answer = client.get(answer["@odata.nextLink"]).raise_for_status().json()
        found += answer["value"]
    return found, answer.get("@odata.deltaLink", "")


def owner(client: httpx.Client, number: int = 1) -> str:
    return str(client.get(f"/users/user{number}@seller.example").json()["id"])


def fault(graph: str, **faults: Any) -> None:
    httpx.put(f"{graph}/acme/_faults", json={"microsoft365": faults}).raise_for_status()


# --- plain MSAL


def test_msal_signs_an_application_in(graph: str) -> None:
    app = application(graph)
    first = app.acquire_token_for_client(SCOPES)
    assert (first["token_type"], first["expires_in"], first["token_source"]) == ("Bearer", 3599, "identity_provider")
    assert app.acquire_token_for_client(SCOPES)["access_token"] == first["access_token"]  # MSAL's own cache


def test_msal_finds_the_directory_by_its_domain_and_by_instance_discovery(graph: str) -> None:
    known = application(graph, authority="https://login.microsoftonline.com/seller.onmicrosoft.com")
    assert "access_token" in known.acquire_token_for_client(SCOPES)
    strange = application(graph, authority=f"https://login.example.com/{DIRECTORY}")
    assert "access_token" in strange.acquire_token_for_client(SCOPES)


@pytest.mark.parametrize(
    ("secret", "options", "scopes", "error", "number"),
    [
        ("wrong", {}, SCOPES, "invalid_client", 7000215),
        (client_secret("globex"), {}, SCOPES, "invalid_client", 7000215),
        (None, {"client_id": "00000000-0000-0000-0000-000000000000"}, SCOPES, "unauthorized_client", 700016),
        (None, {}, ["https://graph.microsoft.com/User.Read"], "invalid_scope", 1002012),
    ],
)
def test_msal_is_told_why_it_may_not(
    graph: str, secret: str | None, options: dict[str, str], scopes: list[str], error: str, number: int
) -> None:
    refused = application(graph, secret, **options).acquire_token_for_client(scopes)
    assert (refused["error"], refused["error_codes"]) == (error, [number])
    assert refused["error_description"].startswith(f"AADSTS{number}: ")


def test_msal_knows_no_directory_that_is_not_there(graph: str) -> None:
    with pytest.raises(ValueError, match="double check your tenant name"):
        application(graph, authority="https://login.microsoftonline.com/nobody.onmicrosoft.com")


# --- a stranger's client


@pytest.fixture
def stranger(graph: str) -> Account:
    """O365, signed in with client credentials, unaware that it talks to a sandbox."""
    backend = MemoryTokenBackend()
    account = Account(
        (CLIENT_ID, client_secret("acme")),
        auth_flow_type="credentials",
        tenant_id=DIRECTORY,
        main_resource="user1@seller.example",
        token_backend=backend,
    )
    account.con._msal_client = application(graph, token_cache=backend)
    assert account.authenticate()
    account.con.session = account.con.get_session(load_token=True)
    account.con.session.trust_env = False
    account.con.session.mount("https://", TlsProxy(graph))
    return account


def test_a_stranger_reads_the_directory_to_its_end(stranger: Account, client: httpx.Client) -> None:
    found = [user.object_id for user in stranger.directory().get_users(limit=None, batch=3)]
    assert found == [user["id"] for user in walked(client, "/users/delta")[0]]
    assert stranger.directory().get_user("user1@seller.example").user_principal_name == "user1@seller.example"


def test_a_stranger_reads_mail_and_folders(stranger: Account, client: httpx.Client) -> None:
    mailbox = stranger.mailbox()
    read = list(mailbox.inbox_folder().get_messages(limit=None, batch=10))
    known = walked(client, f"/users/{owner(client)}/mailFolders/inbox/messages/delta")[0]
    assert {each.internet_message_id for each in read} == {each["internetMessageId"] for each in known}
    assert len(read) > 10
    assert all(each.sender.address and each.received.tzinfo for each in read)
    assert "Sent Items" in {folder.name for folder in mailbox.get_folders()}


def test_a_stranger_reads_a_calendar_with_its_series(stranger: Account, client: httpx.Client) -> None:
    calendar = stranger.schedule().get_default_calendar()
    start, end = (datetime.fromisoformat(moment).replace(tzinfo=None) for moment in WINDOW.values())
    shown = list(
        calendar.get_events(limit=None, batch=5, include_recurring=True, start_recurring=start, end_recurring=end)
    )
    known = walked(client, f"/users/{owner(client)}/calendarView/delta", **WINDOW)[0]
    assert {each.start.strftime("%Y-%m-%dT%H:%M") for each in shown} == {
        each["start"]["dateTime"][:16] for each in known
    }
    assert any(len(each.attendees) for each in shown)


# --- the contract


def test_the_organization_says_which_domains_are_its_own(client: httpx.Client) -> None:
    (found,) = client.get("/organization", params={"$select": "id,verifiedDomains"}).json()["value"]
    assert {each["name"].lower() for each in found["verifiedDomains"]} >= {"seller.example", "seller-group.example"}
    assert "displayName" not in found


@pytest.mark.parametrize("collection", ["calendarView", "mailFolders/inbox/messages", "mailFolders/sentitems/messages"])
def test_a_round_leads_to_the_next_and_an_idle_one_is_empty(client: httpx.Client, collection: str) -> None:
    asked = WINDOW if collection == "calendarView" else {"$select": "subject,from"}
    found, link = walked(client, f"/users/{owner(client)}/{collection}/delta", **asked)
    assert found
    assert len({each["id"] for each in found}) == len(found)
    idle, again = walked(client, link)
    assert idle == []
    assert again


def test_a_day_is_told_in_rounds(tmp_path: Path) -> None:
    put_world(tmp_path, "acme", size=300, seed=7, vendors=("microsoft365",))
    with sandbox.running(tmp_path) as url:
        token = str(application(url).acquire_token_for_client(SCOPES)["access_token"])
        headers = {"authorization": f"Bearer {token}", "prefer": IMMUTABLE}
        with httpx.Client(base_url=f"{url}/acme/microsoft365/v1.0", headers=headers) as client:
            users, users_link = walked(client, "/users/delta", **{"$select": "mail,jobTitle"})
            links = [walked(client, f"/users/{owner(client, n)}/calendarView/delta", **WINDOW)[1] for n in range(4)]
            mails = [walked(client, f"/users/{owner(client, n)}/mailFolders/inbox/messages/delta")[1] for n in range(4)]
            sandbox.advance(tmp_path, "acme")
            changed = walked(client, users_link)[0]
            events = [event for link in links for event in walked(client, link)[0]]
            messages = [message for link in mails for message in walked(client, link)[0]]
    assert {user["id"] for user in changed} - {user["id"] for user in users}  # somebody was hired
    assert all(set(user) == {"id", "mail", "jobTitle"} for user in changed)
    for records in (events, messages):
        removed = [each for each in records if "@removed" in each]
        assert removed
        assert all(set(each) == {"@odata.type", "id", "@removed"} for each in removed)
        assert any("lastModifiedDateTime" in each for each in records)
    assert any(each.get("isCancelled") for each in events)


def test_occurrences_are_stubs_in_a_round_and_whole_when_asked_for(client: httpx.Client) -> None:
    mailboxes = [owner(client, number) for number in range(5)]
    stub, whose = next(
        (event, mailbox)
        for mailbox in mailboxes
        for event in walked(client, f"/users/{mailbox}/calendarView/delta", **WINDOW)[0]
        if event["type"] == "occurrence"
    )
    assert set(stub) == {"@odata.type", "id", "type", "seriesMasterId", "start", "end"}
    whole = client.get(f"/users/{whose}/events/{stub['id']}").json()
    master = client.get(f"/users/{whose}/events/{stub['seriesMasterId']}").json()
    assert (whole["start"], whole["subject"]) == (stub["start"], master["subject"])
    assert (master["type"], whole["attendees"]) == ("seriesMaster", master["attendees"])


def test_ids_change_with_the_folder_unless_asked_not_to(client: httpx.Client) -> None:
    path = f"/users/{owner(client)}/mailFolders/inbox/messages"
    stays = client.get(path).json()["value"][0]["id"]
    changes = client.get(path, headers={"prefer": ""}).json()["value"][0]["id"]
    assert stays != changes
    assert client.get(f"/users/{owner(client)}/messages/{changes}").json()["id"] == stays


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/users/nobody@seller.example", 404, "Request_ResourceNotFound"),
        ("/users/room.oak@seller.example/calendarView/delta", 404, "MailboxNotEnabledForRESTAPI"),
        ("/users/user1@seller.example/events/AAkALgAAAAAAHYQDEapEvMDAwMDAwMDAwMDAwMDAwMA==", 404, "ErrorItemNotFound"),
        ("/users/user1@seller.example/events/nonsense", 400, "ErrorInvalidIdMalformed"),
        ("/users/user1@seller.example/calendarView/delta", 400, "ErrorInvalidParameter"),
        ("/users/user1@seller.example/calendarView/delta?$select=id", 400, "ErrorInvalidUrlQuery"),
        ("/users/user1@seller.example/mailFolders/inbox/messages/delta?$filter=subject eq 'x'", 400, None),
        ("/users/delta?$top=3", 400, "Request_UnsupportedQuery"),
        ("/users/delta?$deltatoken=forged", 400, "BadRequest"),
        ("/users?$select=shoeSize", 400, "BadRequest"),
        ("/planner", 400, "BadRequest"),
    ],
)
def test_errors_have_graphs_envelope(client: httpx.Client, path: str, status: int, code: str | None) -> None:
    answer = client.get(path)
    error = answer.json()["error"]
    assert answer.status_code == status
    assert error["code"] == code or code is None
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}


def test_a_token_of_one_mailbox_is_no_good_for_another(client: httpx.Client) -> None:
    _, link = walked(client, f"/users/{owner(client, 1)}/calendarView/delta", **WINDOW)
    assert client.get(link.replace(owner(client, 1), owner(client, 2))).status_code == httpx.codes.BAD_REQUEST


def test_a_lost_place_answers_410_once_and_says_where_to_begin(graph: str, client: httpx.Client) -> None:
    _, link = walked(client, f"/users/{owner(client)}/calendarView/delta", **WINDOW)
    fault(graph, expire_delta=["user1@seller.example"])
    gone = client.get(link)
    assert (gone.status_code, gone.json()["error"]["code"]) == (410, "SyncStateNotFound")
    assert gone.headers["location"].endswith("$deltatoken=")
    assert client.get(link).status_code == httpx.codes.OK


def test_a_filtered_round_over_mails_ends_before_all_are_told(graph: str, client: httpx.Client) -> None:
    path = f"/users/{owner(client)}/mailFolders/inbox/messages/delta"
    fault(graph, filtered_mails_most=15)
    assert len(walked(client, path, **{"$filter": "receivedDateTime ge 2020-01-01T00:00:00Z"})[0]) == 15
    assert len(walked(client, path)[0]) > 15


def test_no_token_and_an_expired_one_are_refused(graph: str, client: httpx.Client) -> None:
    bare = httpx.get(f"{graph}/acme/microsoft365/v1.0/users")
    fault(graph, expire_tokens_next=1)
    expired = client.get("/users")
    foreign = httpx.get(f"{graph}/globex/microsoft365/v1.0/users", headers=dict(client.headers))
    for answer in (bare, expired, foreign):
        assert (answer.status_code, answer.json()["error"]["code"]) == (401, "InvalidAuthenticationToken")


def test_too_many_requests_are_told_when_to_come_back(graph: str, client: httpx.Client) -> None:
    fault(graph, rate_limit_next=1, retry_after="11")
    busy = client.get("/users")
    assert (busy.status_code, busy.headers["retry-after"], busy.json()["error"]["code"]) == (
        429,
        "11",
        "TooManyRequests",
    )
