"""Each fault really strikes, once it is switched on and no longer than it should."""

from __future__ import annotations

import gzip
import io
import json
import socket
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from gtm_pipelines import sandbox
from gtm_pipelines.sandbox.server import CannotListenError
from tests.integration.sandbox.outsiders import Served

Query = Callable[..., Any]
CONTACTS = "/query?q=SELECT Id, Email, SystemModstamp FROM Contact ORDER BY SystemModstamp, Id"


def pages(client: httpx.Client, most: int = 30) -> list[dict[str, Any]]:
    """Follow a query by its locator, up to ``most`` pages."""
    found = [client.get(CONTACTS, headers={"Sforce-Query-Options": "batchSize=500"}).json()]
    while not found[-1]["done"] and len(found) < most:
        found.append(client.get(found[-1]["nextRecordsUrl"].removeprefix("/services/data/v64.0")).json())
    return found


@pytest.mark.parametrize(
    ("fault", "status"),
    [
        ({"rate_limit_next": 2}, 429),
        ({"server_error_next": 2}, 503),
        ({"server_error_next": 2, "server_error_status": 502}, 502),
        ({"status_next": 2, "status": 204}, 204),
        ({"redirect_next": 2}, 302),
        ({"query_timeout_next": 2}, 400),
    ],
)
def test_a_counted_fault_strikes_so_many_times(
    served: Served, salesforce: httpx.Client, fault: dict[str, Any], status: int
) -> None:
    served.faults(salesforce=fault)
    assert [salesforce.get(CONTACTS).status_code for _ in range(3)] == [status, status, 200]


@pytest.mark.parametrize("given", ["3", "-1", "abc", "Wed, 21 Oct 2015 07:28:00 GMT", None])
def test_retry_after_is_whatever_was_asked_for(served: Served, salesforce: httpx.Client, given: str | None) -> None:
    served.faults(salesforce={"rate_limit_next": 1, "retry_after": given})
    assert salesforce.get("/limits").headers.get("retry-after") == given


def test_a_login_page_comes_with_200(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"html_login_next": 1})
    answer = salesforce.get(CONTACTS)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/html")


def test_a_truncated_body_agrees_with_its_length(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"truncate_next": 1})
    answer = salesforce.get(CONTACTS)
    assert answer.status_code == 200
    with pytest.raises(json.JSONDecodeError):
        answer.json()


def test_resets_strike_before_and_within_the_body(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"reset_before_next": 1, "reset_next": 1})
    for _ in range(2):
        with pytest.raises(httpx.TransportError):
            salesforce.get(CONTACTS)
    assert salesforce.get(CONTACTS).status_code == 200
    assert [each["note"] for each in served.ledger()][-3:] == ["reset_before_next", "reset_next", ""]


def test_a_cut_gzip_and_a_bomb_are_what_they_say(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"gzip_cut_next": 1, "bomb_next": 1})
    with pytest.raises((EOFError, httpx.DecodingError, json.JSONDecodeError)):
        salesforce.get(CONTACTS).json()
    with salesforce.stream("GET", CONTACTS) as answer:
        packed = b"".join(answer.iter_raw())
    assert len(packed) < 2 << 20
    with pytest.raises(json.JSONDecodeError):
        json.loads(gzip.GzipFile(fileobj=io.BytesIO(packed)).read(1000))


@pytest.mark.parametrize("fault", ["hang_next", "drip_next"])
def test_a_body_may_not_come_in_time(served: Served, salesforce: httpx.Client, fault: str) -> None:
    served.faults(salesforce={fault: 1})
    with pytest.raises(httpx.ReadTimeout):
        salesforce.get(CONTACTS, timeout=0.3)
    assert served.ledger()[-1]["note"] == fault


def test_slowness_delays_every_answer(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"slow_ms": 80})
    assert salesforce.get("/limits").elapsed.total_seconds() > 0.08


def test_a_session_expires_after_so_many_requests(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"expire_session_after": 2})
    assert [salesforce.get("/limits").status_code for _ in range(4)] == [200, 200, 401, 401]
    again = {"authorization": f"Bearer {served.token().json()['access_token']}"}
    assert salesforce.get("/limits", headers=again).status_code == 200


def test_the_days_allowance_runs_out(served: Served, salesforce: httpx.Client) -> None:
    used = int(salesforce.get("/limits").headers["sforce-limit-info"].split("=")[1].split("/")[0])
    served.faults(salesforce={"daily_requests": used + 1})
    answers = [salesforce.get("/limits") for _ in range(2)]
    assert [each.status_code for each in answers] == [200, 403]
    assert answers[1].json()[0]["errorCode"] == "REQUEST_LIMIT_EXCEEDED"


def test_a_locator_expires(served: Served, salesforce: httpx.Client) -> None:
    first = salesforce.get(CONTACTS).json()
    served.faults(salesforce={"expire_locator": True})
    answer = salesforce.get(first["nextRecordsUrl"].removeprefix("/services/data/v64.0"))
    assert answer.json()[0]["errorCode"] == "INVALID_QUERY_LOCATOR"


def test_a_page_comes_twice_or_empty_and_nothing_is_lost(served: Served, salesforce: httpx.Client) -> None:
    plain = [record["Id"] for page in pages(salesforce) for record in page["records"]]
    served.faults(salesforce={"duplicate_page": 1, "empty_page": 1})
    spoiled = pages(salesforce)
    seen = [record["Id"] for page in spoiled for record in page["records"]]
    links = [page.get("nextRecordsUrl") for page in spoiled]
    assert len(seen) == len(plain) + 500
    assert list(dict.fromkeys(seen)) == plain
    assert any(not page["records"] for page in spoiled[:-1])
    assert len(set(links)) == len(links), "no link is repeated, so none looks like a loop"


def test_a_next_token_may_lead_nowhere_else(served: Served, salesforce: httpx.Client) -> None:
    served.faults(salesforce={"repeat_token": True})
    walked = pages(salesforce, most=5)
    assert len({page["nextRecordsUrl"] for page in walked[1:]}) == 1
    assert not walked[-1]["done"]


def test_an_object_may_be_forbidden(served: Served, query: Query) -> None:
    served.faults(salesforce={"forbid_entity": ["Task"]})
    assert query("SELECT Id FROM Task LIMIT 1")[0]["errorCode"] == "INSUFFICIENT_ACCESS"
    assert query("SELECT Id FROM Event LIMIT 1")["totalSize"] == 1


def test_customerios_pager_suffers_the_same(served: Served, customerio: httpx.Client) -> None:
    def walk() -> list[str]:
        ids, start = [], ""
        for _ in range(60):
            page = customerio.get("/activities", params={"start": start}).json()
            ids += [each["id"] for each in page["activities"]]
            start = page["next"]
            if not start:
                break
        return ids

    plain = walk()
    served.faults(customerio={"requests_per_second": 100_000, "duplicate_page": 1, "empty_page": 1})
    spoiled = walk()
    assert len(spoiled) == len(plain) + 100
    assert list(dict.fromkeys(spoiled)) == plain
    served.faults(customerio={"requests_per_second": 100_000, "repeat_token": True})
    assert len(walk()) == 6000, "it never ends"


@pytest.mark.parametrize(
    ("poison", "mark"),
    [
        ("null_id", '"Id":null'),
        ("number_id", '"Id":1'),
        ("nul_character", "\\u0000"),
        ("lone_surrogate", "\\ud800"),
        ("big_number", "1e400"),
        ("too_deep", "[" * 100),
        ("too_wide", '"k10000"'),
        ("duplicate_key", '"Poison":"first","Poison":"last"'),
        ("not_an_object", "a text where a record should be"),
        ("future_timestamp", "2999-01-01"),
        ("bad_timestamp", "0000-00-00"),
        ("null_timestamp", '"SystemModstamp":null'),
        ("new_field", "Brand_New__c"),
        ("type_change", '"Email":{'),
        ("missing_id", '"Email"'),
        ("too_large", "x" * 1_100_000),
    ],
)
def test_a_poison_spoils_one_record_and_leaves_the_others(
    served: Served, salesforce: httpx.Client, poison: str, mark: str
) -> None:
    clean = salesforce.get(CONTACTS + " LIMIT 3").json()["records"]
    served.faults(salesforce={"poison_next": [poison]})
    text = salesforce.get(CONTACTS + " LIMIT 3").text
    assert mark in text
    assert all(json.dumps(each["Id"]) in text for each in clean)
    assert salesforce.get(CONTACTS + " LIMIT 3").json()["records"] == clean


def test_unknown_faults_are_refused_by_name_and_change_nothing(served: Served) -> None:
    url = f"{served.url}/acme/_faults"
    assert "rate_limit_nxt" in httpx.put(url, json={"salesforce": {"rate_limit_nxt": 1}}).json()["error"]
    assert "myspace" in httpx.put(url, json={"myspace": {}}).json()["error"]
    assert httpx.get(url).json()["salesforce"]["rate_limit_next"] == 0


def test_faults_and_ledger_belong_to_one_tenant(served: Served, salesforce: httpx.Client) -> None:
    served.faults("globex", salesforce={"server_error_next": 5})
    assert salesforce.get("/limits").status_code == 200
    assert served.ledger("globex") == []
    served.faults("globex", salesforce={})


def test_an_unknown_tenant_has_no_vendors(served: Served) -> None:
    assert httpx.get(f"{served.url}/nobody/salesforce/services/data").status_code == 404
    assert httpx.get(f"{served.url}/..%2fetc/salesforce/services/data").status_code == 404
    assert httpx.get(f"{served.url}/acme/myspace/v1").status_code == 404


def test_the_sandbox_listens_on_loopback_only(served: Served) -> None:
    with pytest.raises(CannotListenError, match="loopback only"):
        sandbox.serve(served.directory, host="0.0.0.0")  # noqa: S104  the very thing that is refused
    address = urlsplit(served.url)
    with pytest.raises(CannotListenError, match=r"cannot be had \(Address already in use\): .* choose another port"):
        sandbox.serve(served.directory, port=address.port or 0)
    with socket.create_connection((address.hostname or "", address.port or 0)) as connection:
        assert connection.getpeername()[0] == "127.0.0.1"
