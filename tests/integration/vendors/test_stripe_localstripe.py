"""A stranger's Stripe, localstripe, in a process of its own: filled by Stripe's client, read by our connector."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from connectors import registry
from connectors.conformance import checks
from connectors.connector import Connector, ConnectorContext, Mode
from connectors.errors import Stop
from connectors.runtime.transport import EgressPolicy, RetryPolicy, Transport
from tests.contract.sandboxed import NOW
from tests.stand_ins import MemoryStore

KEY = "sk_test_12345"
# Its own start listens on every address and keeps its objects in one file for the whole machine: not wanted here.
SERVER = """
import socket, sys
from aiohttp import web
from localstripe import resources, server
resources.Store.dump_to_disk = lambda self: None
web.run_app(server.app, sock=socket.socket(fileno=int(sys.argv[1])), print=None, access_log=None)
"""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a running localstripe that knows thirty customers, half of them subscribed and charged."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        process = subprocess.Popen(
            [sys.executable, "-c", SERVER, str(listening.fileno())], pass_fds=[listening.fileno()]
        )
        try:
            address = f"http://127.0.0.1:{listening.getsockname()[1]}"
            fill(stripe.StripeClient(KEY, base_addresses={"api": address}))
            yield address
        finally:
            process.terminate()
            process.wait(20)


def fill(client: Any) -> None:
    product = client.v1.products.create({"name": "Team", "type": "service"})
    plan = client.v1.plans.create({"product": product.id, "amount": 4900, "currency": "usd", "interval": "month"})
    for number in range(30):
        made = client.v1.customers.create({"name": f"Firm {number}", "email": f"billing@firm{number}.example"})
        if number % 2:
            continue
        card = {"object": "card", "number": "4242424242424242", "exp_month": 12, "exp_year": 2042, "cvc": "123"}
        client.raw_request("post", f"/v1/customers/{made.id}/sources", source=card)
        client.v1.subscriptions.create({"customer": made.id, "items": [{"plan": plan.id}]})


@pytest.fixture
def connector(url: str) -> Iterator[Connector]:
    policy = EgressPolicy(frozenset(registry.manifest("stripe").allowed_hosts), url)
    transport = Transport(policy, retry=RetryPolicy(base=0.0), clock=lambda: NOW, sleep=lambda _: None)
    context = ConnectorContext({"base_url": f"{url}/v1"}, transport, MemoryStore(api_key=KEY), lambda: NOW)
    yield registry.build("stripe", context)
    transport.close()


def listed(url: str, path: str) -> dict[str, dict[str, Any]]:
    answer = httpx.get(f"{url}/v1/{path}", params={"limit": 1000}, headers={"authorization": f"Bearer {KEY}"}).json()
    assert not answer["has_more"]
    return {each["id"]: each for each in answer["data"]}


@pytest.mark.parametrize(
    ("entity", "count"),
    [("customers", 30), ("subscriptions", 15), ("invoices", 15), ("charges", 15), ("products", 1), ("plans", 1)],
)
def test_what_it_lists_is_read_whole_and_verbatim(connector: Connector, url: str, entity: str, count: int) -> None:
    done = checks.read(connector, entity, started_at=NOW, mode=Mode.FULL, page_size=7)
    checks.check_ends(done)
    checks.check_rows(done)
    rows = [row for page in done.pages for row in page.rows.to_pylist()]
    assert len(rows) == count
    assert {row["external_id"]: json.loads(row["payload"]) for row in rows} == listed(url, entity)


def test_it_answers_the_health_check(connector: Connector) -> None:
    assert connector.health_check(connector.authenticate()).ok


def test_prices_it_does_not_serve_and_that_is_said(connector: Connector) -> None:
    error = checks.read(connector, "prices", started_at=NOW).error
    assert isinstance(error, Stop)
    assert error.code == "stream_gone"


def test_its_event_log_takes_one_type_only_so_changes_are_refused_and_not_missed(connector: Connector) -> None:
    base = checks.read(connector, "customers", started_at=NOW)
    done = checks.read(connector, "customers", started_at=NOW, cursor=base.cursor)
    assert isinstance(done.error, Stop)
    assert done.error.code == "bad_request"
    assert done.cursor is None
