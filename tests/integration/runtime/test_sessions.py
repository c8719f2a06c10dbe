"""Sessions over real HTTP: renewed once, by one, stored before use (FAULTS 2.C)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs

import pytest

from connectors.errors import Reauthorise, Retry, Stop
from connectors.runtime.auth import OAuth2ClientCredentials, OAuth2Refresh, TokenAuth, bearer
from connectors.runtime.transport import Request
from tests.integration.runtime.conftest import MakeTransport
from tests.integration.runtime.vendor import Reply, Vendor
from tests.stand_ins import MemoryStore, VirtualTime


class TokenVendor:
    """Issues single-use refresh tokens; reuse of an old one revokes everything, as strict vendors do."""

    def __init__(self, reply: Any) -> None:
        self.reply = reply
        self.refresh, self.access, self.issued, self.revoked = "refresh-0", "access-0", 0, False
        self.before_answer: Callable[[], None] = lambda: None
        self._lock = threading.Lock()

    def __call__(self, asked: Any) -> Any:
        if asked.target != "/token":
            live = asked.headers.get("authorization") == f"Bearer {self.access}"
            return self.reply(body=b'{"ok":true}') if live else self.reply(401, body=b"[]")
        with self._lock:
            form = parse_qs(asked.body.decode())
            if self.revoked or form["refresh_token"] != [self.refresh]:
                self.revoked = True
                return self.reply(400, body=b'{"error":"invalid_grant","error_description":"expired"}')
            self.issued += 1
            self.refresh, self.access = f"refresh-{self.issued}", f"access-{self.issued}"
            self.before_answer()
            answer = f'{{"access_token":"{self.access}","refresh_token":"{self.refresh}","expires_in":3600}}'
            return self.reply(body=answer.encode())


@pytest.fixture
def issuer(vendor: Vendor, reply: type[Reply]) -> Any:
    made = TokenVendor(reply)
    vendor.script = [made]
    return made


@pytest.fixture
def store() -> Any:
    return MemoryStore(client_id="client", client_secret="secret-of-client", refresh_token="refresh-0")


def refreshing(vendor: Vendor, store: MemoryStore, virtual: VirtualTime, **options: Any) -> TokenAuth:
    return OAuth2Refresh(store, vendor.origin + "/token", clock=virtual.clock, **options)


def data(vendor: Vendor) -> Any:
    return Request("GET", vendor.origin + "/data")


def calls(vendor: Vendor, target: Any) -> Any:
    return sum(asked.target == target for asked in vendor.asked)


def test_a01_a_token_refused_mid_sync_costs_one_refresh_and_the_same_page_again(
    vendor: Vendor, issuer: TokenVendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    auth, transport = refreshing(vendor, store, virtual), make_transport()
    transport.send(data(vendor), auth)
    issuer.access = "revoked-at-the-vendor"
    assert transport.send(data(vendor), auth).json() == {"ok": True}
    assert (calls(vendor, "/token"), calls(vendor, "/data")) == (2, 3)


@pytest.mark.usefixtures("issuer")
def test_a_token_about_to_end_is_renewed_before_it_fails(
    vendor: Vendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    auth, transport = refreshing(vendor, store, virtual), make_transport()
    transport.send(data(vendor), auth)
    virtual.sleep(3600 - 30)
    transport.send(data(vendor), auth)
    assert (calls(vendor, "/token"), calls(vendor, "/data")) == (2, 2)


def test_a02_two_hundred_workers_that_find_it_expired_make_one_refresh(
    vendor: Vendor, issuer: TokenVendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    errors: list[BaseException] = []

    def work() -> None:
        try:
            # each worker has its own auth, as separate processes have: only the store is shared
            transports[threading.get_ident() % 4].send(data(vendor), refreshing(vendor, store, virtual))
        except BaseException as error:  # noqa: BLE001  a thread's failure is asserted on below
            errors.append(error)

    transports = [make_transport() for _ in range(4)]
    threads = [threading.Thread(target=work) for _ in range(200)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert (issuer.issued, issuer.revoked, calls(vendor, "/token")) == (1, False, 1)


def test_a03_a_rotated_token_is_stored_before_the_access_token_is_used(
    vendor: Vendor, issuer: TokenVendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    seen: list[str] = []
    original = issuer.__call__

    def spy(asked: Any) -> Any:
        if asked.target == "/data":
            seen.append(store.shown()["refresh_token"])
        return original(asked)

    vendor.script = [spy]
    make_transport().send(data(vendor), refreshing(vendor, store, virtual))
    assert seen == ["refresh-1"]
    assert store.diary == ["read", "lock", "read", "write", "unlock"]


@pytest.mark.usefixtures("issuer")
def test_a_stored_session_that_is_live_is_used_without_waiting_for_anybody(
    vendor: Vendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    make_transport().authorise(refreshing(vendor, store, virtual))
    store.diary.clear()
    make_transport().send(data(vendor), refreshing(vendor, store, virtual))
    assert (store.diary, calls(vendor, "/token")) == (["read"], 1)


@pytest.mark.usefixtures("issuer")
def test_a_crash_between_store_and_use_is_recovered_without_a_second_refresh(
    vendor: Vendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    make_transport().authorise(refreshing(vendor, store, virtual))
    make_transport().send(data(vendor), refreshing(vendor, store, virtual))
    assert calls(vendor, "/token") == 1


def test_a05_trouble_at_the_token_endpoint_leaves_the_credential_alone(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [reply(503)]
    before = store.shown()
    with pytest.raises(Retry, match="vendor_unavailable"):
        make_transport().authorise(refreshing(vendor, store, virtual))
    assert store.shown() == before
    assert len(vendor.asked) == 5


def test_a06_invalid_grant_asks_for_a_person_after_one_call(
    vendor: Vendor, issuer: TokenVendor, store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    issuer.refresh = "somebody-elses"
    with pytest.raises(Reauthorise) as caught:
        make_transport().send(data(vendor), refreshing(vendor, store, virtual))
    assert caught.value.code == "invalid_grant"
    assert "expired" not in str(caught.value)  # the vendor's prose stays out
    assert (calls(vendor, "/token"), calls(vendor, "/data")) == (1, 0)
    assert store.shown()["refresh_token"] == "refresh-0"


def test_a09_an_answer_without_a_refresh_token_keeps_the_old_one(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b'{"access_token":"access-x"}')]
    make_transport().authorise(refreshing(vendor, store, virtual))
    assert store.shown()["refresh_token"] == "refresh-0"
    assert store.shown()["access_token"] == "access-x"


def test_a10_a_token_endpoint_that_redirects_is_refused(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [reply(307, headers={"Location": "/elsewhere"})]
    with pytest.raises(Stop, match="redirect_refused"):
        make_transport().authorise(refreshing(vendor, store, virtual))
    assert len(vendor.asked) == 1


def test_s15_a_token_url_outside_the_allowed_hosts_is_refused(
    store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    auth = OAuth2Refresh(store, "https://evil.example.com/token", clock=virtual.clock)
    with pytest.raises(Stop, match="egress_refused"):
        make_transport().authorise(auth)
    assert store.diary[-1] == "unlock"  # a failed refresh never leaves the lock held


def test_a_session_keeps_what_the_vendor_says_beside_the_token(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b'{"access_token":"t-0001","instance_url":"https://na1.vendor.com"}')]
    keep = {"keep": ("instance_url",)}
    session = make_transport().authorise(refreshing(vendor, store, virtual, **keep))
    again = make_transport().authorise(refreshing(vendor, store, virtual, **keep))
    assert session.extra["instance_url"].reveal() == again.extra["instance_url"].reveal() == "https://na1.vendor.com"
    assert len(vendor.asked) == 1


def test_a_fresh_token_that_is_refused_too_asks_for_a_person(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [lambda asked: reply(401) if asked.target == "/data" else reply(body=b'{"access_token":"t-0002"}')]
    with pytest.raises(Reauthorise):
        make_transport().send(data(vendor), refreshing(vendor, store, virtual))
    assert (calls(vendor, "/token"), calls(vendor, "/data")) == (2, 2)


def test_client_credentials_log_in_by_form_or_by_basic(
    vendor: Vendor, reply: type[Reply], store: MemoryStore, virtual: VirtualTime, make_transport: MakeTransport
) -> None:
    vendor.script = [reply(body=b'{"access_token":"t-0003","expires_in":"60"}')]
    url = vendor.origin + "/token"
    make_transport().authorise(OAuth2ClientCredentials(store, url, clock=virtual.clock, scope="read"))
    assert parse_qs(vendor.asked[0].body.decode())["client_secret"] == ["secret-of-client"]
    make_transport().authorise(OAuth2ClientCredentials(store, url, clock=virtual.clock, basic=True))
    assert b"secret" not in vendor.asked[1].body
    assert vendor.asked[1].headers["authorization"].startswith("Basic ")


def test_a_replaced_static_key_is_used_at_once(vendor: Vendor, make_transport: MakeTransport) -> None:
    store = MemoryStore(api_key="first-key-000")
    transport, auth = make_transport(), bearer(store, "api_key")
    transport.send(data(vendor), auth)
    store.fields.update(MemoryStore(api_key="second-key-00").fields)
    transport.send(data(vendor), auth)
    assert [asked.headers["authorization"] for asked in vendor.asked] == [
        "Bearer first-key-000",
        "Bearer second-key-00",
    ]


def test_a_connection_without_its_credential_says_which_one_is_missing(
    vendor: Vendor, make_transport: MakeTransport
) -> None:
    with pytest.raises(Reauthorise, match="no api_key"):
        make_transport().send(data(vendor), bearer(MemoryStore(), "api_key"))
    assert vendor.asked == []
