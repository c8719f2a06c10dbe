"""Walks over pages end, never circle, never leave the origin (FAULTS 2.B, S04)."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.errors import Stop
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import by_offset, by_page, follow_link, follow_token, in_body, in_header, more_at

START = Request("GET", "https://api.vendor.com/v1/people", params={"limit": "2"})


class Pages:
    """Answers from a list and remembers what was asked."""

    def __init__(self, *bodies: bytes, headers: list[dict[str, str]] | None = None) -> None:
        self.bodies = list(bodies)
        self.headers = headers or [{} for _ in bodies]
        self.asked: list[Request] = []

    def __call__(self, request: Request) -> Response:
        self.asked.append(request)
        at = min(len(self.asked), len(self.bodies)) - 1
        return Response(200, self.headers[at], self.bodies[at], request.url)


def count(response: Response) -> int:
    return len(response.json()["items"])


@pytest.mark.parametrize("end", [b'{"items":[]}', b'{"items":[],"next":""}', b'{"items":[],"next":null}'])
def test_a_token_is_followed_until_it_is_absent_empty_or_null(end: Any) -> None:
    pages = Pages(b'{"items":[1],"next":"b"}', end)
    assert len(list(follow_token(pages, START, at="next", param="start"))) == 2
    assert pages.asked[1].params == {"limit": "2", "start": "b"}


def test_p11_an_empty_page_with_a_token_goes_on() -> None:
    pages = Pages(b'{"items":[],"next":"b"}', b'{"items":[1]}')
    assert len(list(follow_token(pages, START, at="next", param="start"))) == 2


def test_a_token_may_travel_in_a_header_and_the_text_null_ends_it() -> None:
    pages = Pages(b"a", b"b", headers=[{"sforce-locator": "x1"}, {"sforce-locator": "null"}])
    assert len(list(follow_token(pages, START, header="Sforce-Locator", param="locator"))) == 2


def test_a_token_may_go_into_the_body_and_a_flag_may_end_the_walk() -> None:
    first = Request("POST", START.url, json={"filter": {"a": 1}}, safe=True)
    pages = Pages(b'{"p":{"more":true,"end":"c1"}}', b'{"p":{"more":false,"end":"c2"}}')
    walk = follow_token(pages, first, at="p.end", body_path="page.after", more_path="p.more")
    assert len(list(walk)) == 2
    assert pages.asked[1].json == {"filter": {"a": 1}, "page": {"after": "c1"}}
    assert first.json == {"filter": {"a": 1}}


@pytest.mark.parametrize("cycle", [["a"], ["a", "b"], ["a", "b", "c"]])
def test_p09_a_repeated_token_stops_the_walk(cycle: Any) -> None:
    pages = Pages(*[b'{"items":[1],"next":"%s"}' % token.encode() for token in cycle * 3])
    with pytest.raises(Stop) as caught:
        list(follow_token(pages, START, at="next", param="start"))
    assert caught.value.code == "pagination_loop"
    assert len(pages.asked) <= len(cycle) + 1


def test_a_walk_without_end_stops_at_the_cap() -> None:
    class Endless(Pages):
        def __call__(self, request: Request) -> Response:
            self.asked.append(request)
            return Response(200, {}, b'{"items":[1],"next":"%d"}' % len(self.asked), request.url)

    pages = Endless(b"")
    with pytest.raises(Stop, match="too_many_pages"):
        list(follow_token(pages, START, at="next", param="start", most_pages=5))
    assert len(pages.asked) == 5


@pytest.mark.parametrize("link", ["/v1/people?page=2", "?page=2", "https://api.vendor.com/v1/people?page=2"])
def test_a_next_url_is_followed_as_it_is(link: Any) -> None:
    pages = Pages(b'{"next":"%s"}' % link.encode(), b"{}")
    assert len(list(follow_link(pages, START, in_body("next")))) == 2
    assert (pages.asked[1].url, pages.asked[1].params) == ("https://api.vendor.com/v1/people?page=2", None)


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.com/v1/people", "http://api.vendor.com/v1/people", "//evil.com/x", "https://api.vendor.com:8443/x",
        "https://api.vendor.com@evil.com/", "https://user@api.vendor.com/", "ftp://api.vendor.com/", "https://[::1/",
    ],
)  # fmt: skip
def test_s04_a_next_url_to_another_origin_is_refused(link: Any) -> None:
    pages = Pages(b'{"next":"%s"}' % link.encode(), b"{}")
    with pytest.raises(Stop, match="foreign_link"):
        list(follow_link(pages, START, in_body("next")))
    assert len(pages.asked) == 1


def test_a_next_url_to_itself_stops_the_walk() -> None:
    pages = Pages(b'{"next":"/v1/again"}')
    with pytest.raises(Stop, match="pagination_loop"):
        list(follow_link(pages, START, in_body("next")))
    assert len(pages.asked) == 2


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ('<https://a.com/2>; rel="next"', "https://a.com/2"),
        ('<https://a.com/1>; rel="prev", <https://a.com/3>; rel=next', "https://a.com/3"),
        ('<https://a.com/2?x=1,2>; title="a, b"; rel="last next"', "https://a.com/2?x=1,2"),
        ('<https://a.com/2>; rel="nextish"', None),
        ("garbage", None),
        ("", None),
    ],
)
def test_the_link_header_is_read_as_the_rfc_writes_it(header: Any, expected: Any) -> None:
    assert in_header(Response(200, {"link": header}, b"", "")) == expected


def test_pages_are_counted_until_an_empty_one_because_a_short_page_is_no_end() -> None:
    pages = Pages(b'{"items":[1,2]}', b'{"items":[3]}', b'{"items":[4,5]}', b'{"items":[]}')
    assert len(list(by_page(pages, START, count))) == 4
    assert [dict(request.params or {})["page"] for request in pages.asked] == ["1", "2", "3", "4"]


def test_an_offset_moves_by_what_really_came() -> None:
    pages = Pages(b'{"items":[1,2]}', b'{"items":[3]}', b'{"items":[]}')
    list(by_offset(pages, START, count))
    assert [dict(request.params or {})["offset"] for request in pages.asked] == ["0", "2", "3"]


def test_a_vendors_own_flag_saves_the_last_empty_page() -> None:
    pages = Pages(b'{"items":[1],"more":true}', b'{"items":[2],"more":false}')
    assert len(list(by_page(pages, START, count, more=more_at("more")))) == 2


@pytest.mark.parametrize("walk", [by_page, by_offset])
def test_a_vendor_that_ignores_the_page_number_is_found_out(walk: Any) -> None:
    pages = Pages(b'{"items":[1,2]}')
    with pytest.raises(Stop, match="pagination_loop"):
        list(walk(pages, START, count))
    assert len(pages.asked) == 2
