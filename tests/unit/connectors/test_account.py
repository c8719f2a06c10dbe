"""What an account is asked for before it is read, and errors that come as a success."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Deferred, Resync, Retry, Stop
from connectors.manifest import ManifestError
from tests.unit.connectors.described import Vendor, always, connect, paged, read

WORDS = """\
lookups:
  fields:
    endpoint: {path: /fields}
    items: data
    value: name
    prefix: custom.
    always: [id, custom.f1]
    where: {path: kind, among: [text, 3]}
entities:
  - name: people
    description: People.
    endpoint:
      path: /people
      query: {fields: "{{lookup.fields}}", "kinds[]": [a, "{{page.size}}", "{{settings.history_days}}"]}
    items: data
    key: id
  - name: deals
    description: Deals.
    endpoint: {path: /deals, method: POST, body: {select: {of: "{{lookup.fields}}"}}}
    pagination: {type: none}
    items: data
    key: id
"""


def fields() -> Vendor:
    named: list[dict[str, Any]] = [{"name": f"f{n}", "kind": "text"} for n in range(4)]
    named += [{"name": "f9", "kind": "blob"}]
    named += [{"name": "f10", "kind": 3}, {"name": "f11", "kind": True}]
    empty = always({"data": []})
    return Vendor(fields=lambda request: paged(named, request), people=empty, deals=empty)


WANTED = ["id", "custom.f1", "custom.f0", "custom.f2", "custom.f3", "custom.f10"]


def test_an_accounts_own_words_are_asked_for_once_and_stand_in_queries_and_bodies() -> None:
    vendor = fields()
    made = connect(vendor, WORDS)
    read(made, "people")
    assert vendor.paths() == ["/fields"] * 3 + ["/people"]
    params: Any = vendor.asked[-1].params
    assert params["fields"] == ",".join(WANTED)
    assert params["kinds[]"] == ["a", "3"]
    read(made, "deals")
    assert vendor.asked[-1].json == {"select": {"of": WANTED}}


def test_an_entity_that_uses_no_words_asks_for_none() -> None:
    vendor = fields()
    read(connect(vendor, WORDS.replace('fields: "{{lookup.fields}}", ', "")), "people")
    assert vendor.paths() == ["/people"]


def test_words_that_cannot_be_had_end_the_read() -> None:
    vendor = fields()
    vendor.handlers["/fields"] = always((403, {}))
    with pytest.raises(Stop, match="permission_denied"):
        read(connect(vendor, WORDS), "people")
    assert "/people" not in vendor.paths()


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("{{lookup.fields}}", "{{lookup.words}}", "not declared"),
        ("{path: /fields}", '{path: "/{{lookup.fields}}"}', "lookup fields uses"),
        ("    value: name\n", "", "missing"),
    ],
)
def test_words_nobody_declared_are_refused(old: Any, new: Any, says: Any) -> None:
    assert old in WORDS
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), WORDS.replace(old, new))


GRAPH = """\
errors:
  - {at: "errors[*].extensions.code", code: THROTTLED, then: retry, reason: rate_limited}
  - {at: "errors[*].extensions.code", code: SPENT, then: defer, reason: quota_spent, wait: 10m}
  - {status: 200, at: "errors[*].extensions.code", code: STALE, then: resync, reason: cursor_expired}
  - {at: errors, then: stop, reason: query_failed}
entities:
  - {name: people, description: People., endpoint: {path: /people}, items: data, key: id}
"""


def failing(code: str) -> dict[str, Any]:
    return {"data": [{"id": "half"}], "errors": [{"message": "no", "extensions": {"code": code}}]}


@pytest.mark.parametrize(
    ("code", "kind"), [("THROTTLED", Retry), ("SPENT", Deferred), ("STALE", Resync), ("WHATEVER", Stop), ("", Stop)]
)
def test_an_error_inside_a_success_is_an_error_and_gives_no_row(code: Any, kind: Any) -> None:
    made = connect(Vendor(people=always(failing(code))), GRAPH)
    with pytest.raises(kind):
        read(made, "people")


@pytest.mark.parametrize("errors", [None, []])
def test_a_place_of_errors_that_is_empty_is_no_error(errors: Any) -> None:
    made = connect(Vendor(people=always({"data": [{"id": "a", "errors": "none"}], "errors": errors})), GRAPH)
    assert read(made, "people").keys == ["a"]


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("at: errors, then: stop", "then: stop", "a status, a code or a place"),
        ("then: stop, reason", "then: stop, wait: 5s, reason", "has a wait"),
        ("at: errors,", "at: 'errors[?(@.a)]',", "not a path"),
    ],
)
def test_an_error_rule_that_says_nothing_is_refused(old: Any, new: Any, says: Any) -> None:
    assert old in GRAPH
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), GRAPH.replace(old, new))
