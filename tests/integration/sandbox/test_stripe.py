"""Stripe's own Python client judges the sandbox's Stripe: what this client cannot use is wrong."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
import stripe

from gtm_pipelines import sandbox
from tests.integration.sandbox.outsiders import Served
from tests.worlds import put_world

KEY = "sk_test_sandbox_acme"


@pytest.fixture(scope="module")
def account(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A sandbox with one tenant known to Stripe alone."""
    directory = tmp_path_factory.mktemp("stripe")
    put_world(directory, "acme", size=2500, seed=7, vendors=("stripe",))
    with sandbox.running(directory) as url:
        yield Served(directory, url)


@pytest.fixture(autouse=True)
def unlimited(account: Served) -> None:
    account.faults(stripe={"requests_per_second": 100_000})


@pytest.fixture
def client(account: Served) -> Any:
    return connected(account)


def connected(account: Served, key: str = KEY, path: str = "/acme/stripe", retries: int = 0) -> Any:
    return stripe.StripeClient(key, base_addresses={"api": f"{account.url}{path}"}, max_network_retries=retries)


def metadata(customer: Any) -> dict[str, str]:
    return dict(customer.metadata.to_dict()) if customer.metadata else {}


def truth(account: Served, entity: str) -> set[str]:
    rows = sandbox.truth(account.directory, "acme").records.to_pylist()
    return {row["external_id"] for row in rows if row["entity"] == entity}


def test_a_list_is_paged_to_its_end_newest_first(account: Served, client: Any) -> None:
    first = client.v1.customers.list({"limit": 100})
    found = list(first.auto_paging_iter())
    assert first.has_more
    assert len(found) > 100
    assert {each.id for each in found} == truth(account, "customers")
    assert [each.created for each in found] == sorted((each.created for each in found), reverse=True)
    assert len({each.id for each in found}) == len(found)


def test_a_list_is_paged_backwards_too(client: Any) -> None:
    charges = client.v1.charges.list({"limit": 7}).data
    before = client.v1.charges.list({"limit": 3, "ending_before": charges[5].id})
    assert [each.id for each in before.data] == [each.id for each in charges[2:5]]
    assert before.has_more


@pytest.mark.parametrize("entity", ["invoices", "charges", "products", "prices", "plans"])
def test_every_list_is_the_truth(account: Served, client: Any, entity: str) -> None:
    found = getattr(client.v1, entity).list({"limit": 100}).auto_paging_iter()
    assert {each.id for each in found} == truth(account, entity)


def test_cancelled_subscriptions_come_only_when_asked_for(account: Served, client: Any) -> None:
    usual = {each.id for each in client.v1.subscriptions.list({"limit": 100}).auto_paging_iter()}
    everything = list(client.v1.subscriptions.list({"limit": 100, "status": "all"}).auto_paging_iter())
    gone = {each.id for each in everything if each.status == "canceled"}
    assert {each.id for each in everything} == truth(account, "subscriptions")
    assert gone
    assert usual == truth(account, "subscriptions") - gone


def test_archived_prices_come_only_when_asked_for_and_archived_plans_with_the_others(client: Any) -> None:
    prices = {each.id: each.active for each in client.v1.prices.list({"limit": 100}).auto_paging_iter()}
    archived = {each.id for each in client.v1.prices.list({"limit": 100, "active": False}).auto_paging_iter()}
    assert set(prices.values()) == {True}
    assert archived
    assert not archived & prices.keys()
    assert archived <= {each.id for each in client.v1.plans.list({"limit": 100}).auto_paging_iter()}
    assert not client.v1.prices.update(min(prices), {"active": False}).active
    assert min(prices) not in {each.id for each in client.v1.prices.list({"limit": 100}).auto_paging_iter()}
    assert client.v1.prices.update(min(prices), {"active": True}).active


def test_money_is_whole_minor_units_and_the_yen_has_none(client: Any) -> None:
    charges = list(client.v1.charges.list({"limit": 100}).auto_paging_iter())
    assert {type(each.amount) for each in charges} == {int}
    assert {"usd", "gbp", "jpy"} == {each.currency for each in charges}


def test_invoices_charges_and_subscriptions_agree_with_each_other_and_with_time(client: Any) -> None:
    customers = {each.id: each for each in client.v1.customers.list({"limit": 100}).auto_paging_iter()}
    plans = {each.id: each for each in client.v1.subscriptions.list({"limit": 100, "status": "all"}).auto_paging_iter()}
    invoices = {each.id: each for each in client.v1.invoices.list({"limit": 100}).auto_paging_iter()}
    for invoice in invoices.values():
        assert isinstance(invoice.customer, str)
        assert invoice.created >= customers[invoice.customer].created
        if invoice.parent and invoice.parent.subscription_details:
            subscription = plans[str(invoice.parent.subscription_details.subscription)]
            item = subscription["items"].data[0]
            assert subscription.customer == invoice.customer
            assert invoice.amount_due == item.price.unit_amount * item.quantity
            assert invoice.created >= subscription.created
        assert (invoice.status == "paid") == (invoice.status_transitions.paid_at is not None)
    for charge in client.v1.charges.list({"limit": 100}).auto_paging_iter():
        assert charge.amount_refunded in (0, charge.amount)
        assert charge.paid == (charge.failure_code is None)


def test_search_finds_by_field_and_metadata(client: Any) -> None:
    one = next(each for each in client.v1.customers.list({"limit": 100}).auto_paging_iter() if metadata(each))
    found = client.v1.customers.search(
        {"query": f"email:'{one.email}' AND metadata['website']:'{metadata(one)['website']}'"}
    )
    assert one.id in {each.id for each in found.auto_paging_iter()}
    with pytest.raises(stripe.InvalidRequestError, match="parse"):
        client.v1.customers.search({"query": "everything"})


def test_search_is_paged(client: Any) -> None:
    found = [each.id for each in client.v1.customers.search({"query": "email~'.com'", "limit": 20}).auto_paging_iter()]
    assert len(found) == len(set(found)) > 20


def test_expanded_members_are_whole_objects(client: Any) -> None:
    charge = client.v1.charges.list({"limit": 1, "expand": ["data.customer"]}).data[0]
    assert isinstance(charge.customer, stripe.Customer)
    again = client.v1.charges.retrieve(charge.id, {"expand": ["customer"]})
    assert again.customer == charge.customer


def test_what_is_written_is_read_and_told_by_events(client: Any) -> None:
    made = client.v1.customers.create({"name": "Zoë Ünal", "email": "zoe@example.com", "metadata": {"crm_id": "003X"}})
    client.v1.customers.update(made.id, {"phone": "+15550100", "metadata": {"crm_id": "", "tier": "a&b=c"}})
    found = client.v1.customers.retrieve(made.id)
    assert (found.name, found.phone, metadata(found)) == ("Zoë Ünal", "+15550100", {"tier": "a&b=c"})
    client.v1.customers.delete(made.id)
    assert client.v1.customers.retrieve(made.id).deleted
    types = ["customer.created", "customer.updated", "customer.deleted"]
    told = client.v1.events.list({"types": types, "limit": 100}).auto_paging_iter()
    assert Counter(each.type for each in told if each.data.object["id"] == made.id) == Counter(types)


def test_a_day_is_told_by_events_of_which_many_share_a_second(account: Served, client: Any) -> None:
    since = int(client.v1.events.list({"limit": 1}).data[0].created)
    counts = sandbox.advance(account.directory, "acme", steps=2).counts
    events = list(client.v1.events.list({"created": {"gt": since}, "limit": 100}).auto_paging_iter())
    kinds = Counter(each.type for each in events)
    assert kinds["customer.deleted"] == counts["customers_deleted"]
    assert kinds["charge.refunded"] == counts["charges_refunded"]
    assert {
        "customer.subscription.updated",
        "invoice.paid",
        "invoice.deleted",
        "product.deleted",
        "plan.deleted",
    } <= set(kinds)
    assert max(Counter(each.created for each in events).values()) > 10
    assert all(each.data.object["object"] for each in events)
    one = client.v1.events.retrieve(events[0].id)
    assert one.type == events[0].type
    wild = client.v1.events.list({"type": "invoice.*", "limit": 100}).auto_paging_iter()
    assert {each.type.partition(".")[0] for each in wild} == {"invoice"}


def test_deleted_objects_leave_their_lists_and_are_stubs_or_missing(account: Served, client: Any) -> None:
    sandbox.advance(account.directory, "acme")
    events = client.v1.events.list({"types": ["customer.deleted", "plan.deleted", "invoice.deleted"]}).data
    gone = {each.type: each.data.object["id"] for each in events}
    assert client.v1.customers.retrieve(gone["customer.deleted"]).deleted
    for read, kind in ((client.v1.plans.retrieve, "plan.deleted"), (client.v1.invoices.retrieve, "invoice.deleted")):
        with pytest.raises(stripe.InvalidRequestError) as missing:
            read(gone[kind])
        assert (missing.value.http_status, missing.value.code) == (404, "resource_missing")


def test_events_age_out(account: Served, client: Any) -> None:
    oldest = list(client.v1.events.list({"limit": 100}).auto_paging_iter())[-1]
    account.faults(stripe={"requests_per_second": 100_000, "retention_days": 1})
    with pytest.raises(stripe.InvalidRequestError):
        client.v1.events.list({"starting_after": "evt_of_nobody"})
    assert all(each.created > oldest.created for each in client.v1.events.list({"limit": 100}).auto_paging_iter())


def test_errors_are_the_clients_own_kinds(account: Served, client: Any) -> None:
    with pytest.raises(stripe.AuthenticationError):
        connected(account, "sk_test_of_nobody").v1.customers.list()
    with pytest.raises(stripe.InvalidRequestError) as unknown:
        client.v1.customers.list({"updated": 1})
    assert unknown.value.code == "parameter_unknown"
    with pytest.raises(stripe.InvalidRequestError) as large:
        client.v1.customers.list({"limit": 101})
    assert large.value.param == "limit"
    account.faults(stripe={"forbid": ["charges"]})
    with pytest.raises(stripe.PermissionError):
        client.v1.charges.list()
    account.faults(stripe={"rate_limit_next": 1})
    with pytest.raises(stripe.RateLimitError):
        client.v1.customers.list()
    account.faults(stripe={"server_error_next": 1})
    with pytest.raises(stripe.APIError):
        client.v1.customers.list()


def test_the_client_obeys_should_retry(account: Served) -> None:
    account.faults(stripe={"lock_timeout_next": 1, "should_retry": "false"})
    with pytest.raises(stripe.APIError, match="cannot be accessed right now"):
        connected(account, retries=2).v1.customers.list()
    assert connected(account, retries=2).v1.customers.list({"limit": 1}).data


def test_more_requests_a_second_than_the_account_may_are_refused(account: Served, client: Any) -> None:
    account.faults(stripe={"requests_per_second": 2})
    with pytest.raises(stripe.RateLimitError):
        list(client.v1.invoices.list({"limit": 1}).auto_paging_iter())


def test_a_client_that_knows_only_the_host_is_known_by_its_key(account: Served) -> None:
    assert connected(account, path="").v1.customers.list({"limit": 1}).data


def test_the_version_asked_for_is_the_version_answered(account: Served) -> None:
    headers = {"authorization": f"Bearer {KEY}", "stripe-version": "2025-03-31.basil"}
    answer = httpx.get(f"{account.url}/acme/stripe/v1/balance", headers=headers)
    assert answer.headers["stripe-version"] == "2025-03-31.basil"
    assert answer.headers["request-id"].startswith("req_")
