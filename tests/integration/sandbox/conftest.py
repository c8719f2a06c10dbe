"""A served sandbox with worlds of two tenants, and clients as outsiders would have them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from simple_salesforce.api import Salesforce

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.vendors import vendors
from tests.integration.sandbox.outsiders import Served, outside_session
from tests.worlds import put_world

SIZE = 3500  # enough for contacts of more than one page


@pytest.fixture(scope="module")
def served(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Serve the usual vendors and the one that the test file is named after."""
    file = request.module.__name__.rpartition(".")[2]
    known = {"customerio", "file", "salesforce", *(name for name in vendors() if file == f"test_{name}")}
    directory = tmp_path_factory.mktemp("worlds")
    put_world(directory, "acme", size=SIZE, seed=7, vendors=known)
    put_world(directory, "globex", size=50, seed=8, vendors=known)
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture(autouse=True)
def calm(request: pytest.FixtureRequest) -> None:
    """Start each test without faults and with an empty ledger."""
    if "served" in request.fixturenames:
        served = request.getfixturevalue("served")
        httpx.delete(f"{served.url}/acme/_faults").raise_for_status()
        httpx.delete(f"{served.url}/acme/_ledger").raise_for_status()
        httpx.post(f"{served.url}/acme/_reconnect").raise_for_status()


@pytest.fixture
def official(served: Served) -> Salesforce:
    """simple-salesforce, logged in with client credentials, unaware that it talks to a sandbox."""
    return Salesforce(
        consumer_key="sandbox-client",
        consumer_secret="sandbox-secret-acme",
        domain="acme.my",
        session=outside_session(served.url),
        version="64.0",
    )


@pytest.fixture
def salesforce(served: Served) -> Iterator[httpx.Client]:
    """A bare client of acme's Salesforce, at the root of the data API."""
    token = served.token().json()
    headers = {"authorization": f"Bearer {token['access_token']}"}
    with httpx.Client(base_url=f"{token['instance_url']}/services/data/v64.0", headers=headers) as client:
        yield client


@pytest.fixture
def query(salesforce: httpx.Client) -> Callable[..., Any]:
    """Run SOQL and return the answer's JSON, whatever its status."""

    def run(soql: str, path: str = "query", **headers: str) -> Any:
        return salesforce.get(f"/{path}", params={"q": soql}, headers=headers).json()

    return run


@pytest.fixture
def customerio(served: Served) -> Iterator[httpx.Client]:
    """A client of acme's Customer.io without its request limit."""
    served.faults(customerio={"requests_per_second": 100_000})
    headers = {"authorization": "Bearer sandbox-cio-acme"}
    with httpx.Client(base_url=f"{served.url}/acme/customerio/v1", headers=headers) as client:
        yield client
