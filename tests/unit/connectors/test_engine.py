"""A described vendor is read as its descriptor says: deltas, pages, fan-out, errors."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from connectors.connector import ConnectorContext, Mode, SyncOptions
from connectors.declarative.engine import generic
from connectors.errors import Resync, Stop
from connectors.manifest import parse_manifest
from connectors.runtime.classification import Do, decide, error_for
from connectors.runtime.messages import Request, Response
from tests.stand_ins import MemoryStore, offline_context
from tests.unit.connectors.manifests import ACME

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BASE = "https://api.acme.com/v1"


class FakeTransport:
    """Answers by path and fails on a path it does not know."""

    def __init__(self, answers: dict[str, Any]) -> None:
        self.answers = answers
        self.asked: list[Request] = []

    def send(self, request: Request, _auth: Any = None, classify: Any = None) -> Response:
        self.asked.append(request)
        answer = self.answers[request.url.removeprefix(BASE)]
        answer = answer.pop(0) if isinstance(answer, list) and answer and isinstance(answer[0], tuple) else answer
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        response = Response(status, {"content-type": "application/json"}, json.dumps(body).encode(), request.url)
        verdict = decide(response, classify)
        if verdict.do is not Do.ACCEPT:
            raise error_for(verdict, response, request.label)
        return response


def connector(answers: dict[str, Any], text: str = ACME, **settings: Any) -> Any:
    transport = FakeTransport(answers)
    handed: Any = transport  # a stand-in for the transport
    context = ConnectorContext(
        {"workspace": "w 1", **settings},
        handed,
        MemoryStore(api_key="key-of-acme"),
        lambda: NOW,
    )
    return generic(parse_manifest(text), Path("missing.yml"))(context), transport


def read(made: Any, entity: str = "people", cursor: Any = None, mode: Mode = Mode.INCREMENTAL) -> Any:
    return list(made.sync(made.authenticate(), cursor, SyncOptions(entity, mode, NOW)))


def person(key: str, when: str, **more: Any) -> dict[str, Any]:
    return {"id": key, "updated_at": when, **more}


PEOPLE = "/workspaces/w%201/people"


def test_a_first_read_asks_for_everything_and_ends_with_a_cursor() -> None:
    made, transport = connector(
        {
            PEOPLE: [
                (200, {"data": [person("a", "2026-03-02T00:00:00Z")], "next": "t1"}),
                (200, {"data": [person("b", "2026-03-01T00:00:00Z", archived=True)]}),
            ]
        }
    )
    pages = read(made)
    assert [page.rows["external_id"].to_pylist() for page in pages] == [["a"], ["b"]]
    assert [page.has_more for page in pages] == [True, False]
    assert [page.cursor for page in pages] == [None, {"watermark": "2026-03-02T00:00:00+00:00"}]
    assert pages[1].rows["is_deleted"].to_pylist() == [True]
    assert [request.params for request in transport.asked] == [{"limit": "200"}, {"limit": "200", "start": "t1"}]


def test_an_incremental_read_starts_behind_the_watermark_by_the_lag() -> None:
    made, transport = connector({PEOPLE: {"data": []}})
    pages = read(made, cursor={"watermark": "2026-03-02T00:00:00+00:00"})
    assert transport.asked[0].params["updated_since"] == "2026-03-01T23:50:00.000Z"
    assert pages[-1].cursor == {"watermark": "2026-03-02T00:00:00+00:00"}  # nothing new: it stays, it never falls back


def test_a_full_read_ignores_the_cursor() -> None:
    made, transport = connector({PEOPLE: {"data": []}})
    read(made, cursor={"watermark": "2026-03-02T00:00:00+00:00"}, mode=Mode.FULL)
    assert "updated_since" not in transport.asked[0].params


@pytest.mark.parametrize("when", ["2026-03-10T11:59:00Z", "2999-01-01T00:00:00Z"])
def test_p15_the_watermark_never_passes_the_start_less_the_settle_time(when: Any) -> None:
    made, _ = connector({PEOPLE: {"data": [person("a", when)]}})
    assert read(made)[-1].cursor == {"watermark": (NOW - timedelta(minutes=5)).isoformat()}


def test_p13_rows_without_a_time_are_rows_and_move_nothing() -> None:
    made, _ = connector({PEOPLE: {"data": [{"id": "a"}, {"id": "b", "updated_at": None}]}})
    page = read(made)[-1]
    assert (page.rows.num_rows, page.cursor) == (2, None)


def test_a_trailing_window_is_read_again() -> None:
    made, transport = connector({PEOPLE: {"data": []}}, ACME.replace("    lag: 10m", "    lag: 10m\n    reread: 30d"))
    read(made, cursor={"watermark": "2026-03-05T00:00:00+00:00"})
    assert transport.asked[0].params["updated_since"] == "2026-02-03T00:00:00.000Z"
    assert made.entities()[0].lag == timedelta(days=30)


def test_a_cursor_that_is_no_time_costs_a_full_read_of_the_entity() -> None:
    made, _ = connector({PEOPLE: {"data": []}})
    with pytest.raises(Resync):
        read(made, cursor={"watermark": "yesterday"})


def test_the_error_table_turns_a_vendors_code_into_a_resync() -> None:
    made, _ = connector({PEOPLE: (400, {"error": {"code": "cursor_expired"}})})
    with pytest.raises(Resync, match="cursor_expired"):
        read(made)


def test_a_child_entity_is_read_once_per_live_parent_with_ids_scoped_to_it() -> None:
    made, transport = connector(
        {
            PEOPLE: {
                "data": [
                    person("p 1", "2026-03-01T00:00:00Z"),
                    person("p2", "2026-03-01T00:00:00Z", archived=True),
                    person("p3", "2026-03-01T00:00:00Z"),
                ]
            },
            "/people/p%201/notes": {"notes": [{"id": 1}]},
            "/people/p3/notes": {"notes": [{"id": 1}, {"id": 2}]},
        }
    )
    pages = read(made, "notes")
    assert [key for page in pages for key in page.rows["external_id"].to_pylist()] == ["p 1:1", "p3:1", "p3:2"]
    assert pages[-1].has_more is False
    assert all(page.has_more for page in pages[:-1])
    assert len(transport.asked) == 3


def test_a_parent_gone_meanwhile_is_passed_over_but_all_of_them_gone_is_an_error() -> None:
    parents = {"data": [person("a", "2026-03-01T00:00:00Z"), person("b", "2026-03-01T00:00:00Z")]}
    made, _ = connector({PEOPLE: parents, "/people/a/notes": (404, {}), "/people/b/notes": {"notes": [{"id": 1}]}})
    assert sum(page.rows.num_rows for page in read(made, "notes")) == 1
    made, _ = connector({PEOPLE: parents, "/people/a/notes": (404, {}), "/people/b/notes": (404, {})})
    with pytest.raises(Stop, match="stream_gone"):
        read(made, "notes")


def test_a_parent_whose_id_cannot_stand_in_a_path_is_reported_not_dropped() -> None:
    made, _ = connector({PEOPLE: {"data": [person("..", "2026-03-01T00:00:00Z")]}})
    pages = read(made, "notes")
    assert [unread.reason for page in pages for unread in page.unreadable] == ["bad_key"]


DELTAS = {
    "since_id": ("{type: since_id, param: gt}", {"data": [{"id": 9}, {"id": 10}]}, {"since_id": "10"}, "gt", "10"),
    "cursor": ("{type: cursor, token_path: pos, param: from}", {"data": [], "pos": 77}, {"token": "77"}, "from", "77"),
    "delta_token": ("{type: delta_token, token_path: d, param: t}", {"data": [], "d": "s"}, {"token": "s"}, "t", "s"),
}  # fmt: skip


@pytest.mark.parametrize("kind", DELTAS)
def test_every_kind_of_delta_resumes_where_it_said(kind: Any) -> None:
    described, answer, cursor, param, value = DELTAS[kind]
    text = ACME.replace("{type: timestamp_filter, param: updated_since}", described)
    made, transport = connector({PEOPLE: answer}, text)
    assert read(made)[-1].cursor == cursor
    assert param not in transport.asked[0].params
    read(made, cursor=cursor)
    assert transport.asked[1].params[param] == value


def test_a_delta_link_is_followed_and_never_to_another_host() -> None:
    text = ACME.replace(
        "{type: timestamp_filter, param: updated_since}", "{type: delta_token, token_path: delta, link: true}"
    )
    made, transport = connector({"/delta?t=1": {"data": []}}, text)
    read(made, cursor={"token": BASE + "/delta?t=1"})
    assert transport.asked[0].url == BASE + "/delta?t=1"
    with pytest.raises(Stop, match="foreign_link"):
        read(made, cursor={"token": "https://evil.com/delta"})


def test_a_post_that_reads_fills_its_body_and_pages_inside_it() -> None:
    text = ACME.replace(
        '{path: "/workspaces/{{settings.workspace}}/people"}',
        '{path: /search, method: POST, body: {filter: {since: "{{delta.since}}"}, size: "{{page.size}}"}}',
    ).replace("param: start,", "body_path: page.after,")
    made, transport = connector({"/search": [(200, {"data": [], "next": "t"}), (200, {"data": []})]}, text)
    read(made)
    assert [request.json for request in transport.asked] == [
        {"filter": {}, "size": 200},
        {"filter": {}, "size": 200, "page": {"after": "t"}},
    ]
    assert all(request.repeatable for request in transport.asked)


def test_a_health_check_reports_a_refusal_instead_of_raising() -> None:
    made, _ = connector({"/me": {}})
    assert made.health_check(made.authenticate()).ok
    made, _ = connector({"/me": (401, {})})
    status = made.health_check(made.authenticate())
    assert not status.ok
    assert "unauthorised" in status.detail


def test_the_catalogue_joins_the_manifests_fields_with_the_default_mapping(tmp_path: Path) -> None:
    mapping = tmp_path / "mapping.yml"
    mapping.write_text(
        "entities:\n  people:\n    - {target: person, fields: {email: {source: email, transform: email}}}\n"
    )
    made = generic(parse_manifest(ACME), mapping)
    fields = made(offline_context(NOW)).get_schema()
    assert [(field.source, field.target, field.field, field.transform, field.type) for field in fields] == [
        ("email", "person", "email", "email", "string"),
        ("shoe_size", None, None, "none", "integer"),
    ]


def test_an_unknown_entity_is_a_clear_error() -> None:
    made, _ = connector({})
    with pytest.raises(Stop, match="no entity 'deals'"):
        read(made, "deals")
