"""Searches that give only so many rows, or forget where one was: asked again until nothing is left out."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.connector import Mode
from connectors.errors import Retry, Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Request
from tests.unit.connectors.described import NOW, Vendor, ago, check_resumable, connect, iso, read

CAP = 10
DAY = timedelta(days=1)
PEOPLE = """\
entities:
  - name: people
    description: People.
    endpoint: {path: /list}
    items: data
    key: id
    timestamp: at
    cursor: at
    delete_detection: full_diff
    delta:
      type: timestamp_filter
      format: iso8601
      inclusive: true
      ordered: true
      endpoint:
        path: /search
        method: POST
        body: {since: "{{delta.since}}", until: "{{delta.until}}", limit: "{{page.size}}"}
      pagination: {type: cursor, token_path: next, body_path: after, page_size: 4}
      items: data
      restart:
        most_rows: 10
        dies_with: {status: 400, code: expired_cursor}
        ties:
          first_id: "0"
          endpoint:
            {path: /ties, method: POST, body: {at: "{{tie.at}}", above: "{{tie.after_id}}", limit: "{{page.size}}"}}
"""


class Directory:
    """A search in ascending order that refuses to go beyond ``CAP`` rows."""

    def __init__(self, rows: list[dict[str, Any]]) -> None:
        self.rows = rows
        self.pages_until_death = 1000
        self.searches = 0

    def listed(self, _: Request) -> Any:
        return {"data": self.rows}

    def search(self, request: Request) -> Any:
        self.searches += 1
        asked = request.json
        after = int(asked.get("after") or 0)
        if after and self.pages_until_death <= 0:
            self.pages_until_death = 2
            return 400, {"error": "expired_cursor"}
        self.pages_until_death -= 1
        if after + asked["limit"] > CAP:
            return 400, {"error": "too_deep"}
        since, until = asked.get("since", ""), asked["until"]
        found = sorted(
            (row for row in self.rows if since <= row["at"] <= until), key=lambda row: (row["at"], row["id"])
        )
        page = found[after : after + asked["limit"]]
        more = after + len(page) < len(found)
        return {"data": page, **({"next": str(after + len(page))} if more else {})}

    def ties(self, request: Request) -> Any:
        asked = request.json
        found = [row for row in self.rows if row["at"] == asked["at"] and int(row["id"]) > int(asked["above"])]
        return {"data": sorted(found, key=lambda row: int(row["id"]))[: asked["limit"]]}


def row(number: int, at: datetime) -> dict[str, Any]:
    return {"id": str(number), "at": at.strftime("%Y-%m-%dT%H:%M:%S.000Z")}


def searched(rows: list[dict[str, Any]], text: str = PEOPLE) -> tuple[Any, Directory]:
    directory = Directory(rows)
    vendor = Vendor(list=directory.listed, search=directory.search, ties=directory.ties)
    return connect(vendor, text), directory


SINCE = {"watermark": ago(days=30).isoformat()}
SPREAD = [row(n, ago(days=20) + timedelta(hours=n)) for n in range(47)]
HUDDLED = [row(n, ago(days=20) + timedelta(hours=n // 5)) for n in range(47)]
ONE_INSTANT = [
    *(row(n, ago(days=20)) for n in range(1, 4)),
    *(row(n, ago(days=10)) for n in range(4, 41)),
    *(row(n, ago(days=5)) for n in range(41, 44)),
]


@pytest.mark.parametrize("rows", [SPREAD, HUDDLED, ONE_INSTANT], ids=["spread", "ties", "one instant"])
def test_more_rows_than_one_question_gives_are_all_read_and_every_cursor_is_safe(rows: Any) -> None:
    made, _ = searched(rows)
    pages = read(made, "people", SINCE)
    assert set(pages.keys) == {each["id"] for each in rows}
    assert all(page.cursor for page in pages if page.rows.num_rows)
    check_resumable(made, "people", pages)


def test_a_first_read_goes_by_the_list_and_leaves_the_newest_stamp() -> None:
    made, directory = searched(SPREAD)
    pages = read(made, "people", mode=Mode.FULL)
    assert len(pages.keys) == 47
    assert directory.searches == 0
    assert pages.cursor == {"watermark": max(datetime.fromisoformat(each["at"]) for each in SPREAD).isoformat()}


def test_an_instant_that_was_read_to_its_end_is_not_read_again() -> None:
    rows = ONE_INSTANT[:-3]
    made, _ = searched(rows)
    first = read(made, "people", SINCE)
    assert first.cursor == {"watermark": ago(days=10).isoformat(), "id": "40"}
    assert read(made, "people", first.cursor).keys == []
    made, _ = searched([*rows, row(41, ago(days=10)), row(42, ago(days=9))])
    assert read(made, "people", first.cursor).keys == ["41", "42"]


def test_an_instant_interrupted_goes_on_after_the_last_id_read() -> None:
    made, _ = searched(ONE_INSTANT)
    pages = read(made, "people", SINCE)
    inside = next(page.cursor for page in pages if page.cursor and page.cursor.get("id") == "15")
    assert set(read(made, "people", inside).keys) == {str(n) for n in range(16, 44)}


def test_a_page_cursor_that_dies_costs_a_new_question_and_no_record() -> None:
    made, directory = searched(SPREAD)
    directory.pages_until_death = 2
    pages = read(made, "people", SINCE)
    assert set(pages.keys) == {each["id"] for each in SPREAD}


def test_a_page_cursor_that_dies_within_an_instant_is_gone_on_from_by_id() -> None:
    made, directory = searched(ONE_INSTANT)
    directory.pages_until_death = 2
    assert set(read(made, "people", SINCE).keys) == {each["id"] for each in ONE_INSTANT}


def test_an_instant_too_crowded_to_list_is_an_error_and_never_an_end() -> None:
    text = PEOPLE[: PEOPLE.index("        ties:")]
    made, _ = searched(ONE_INSTANT, text)
    with pytest.raises(Stop, match="too_many_ties"):
        read(made, "people", SINCE)


def test_a_cursor_that_dies_without_progress_is_tried_in_a_later_run() -> None:
    text = PEOPLE[: PEOPLE.index("        ties:")]
    made, directory = searched([row(n, ago(days=3)) for n in range(9)], text)
    directory.pages_until_death = 1
    with pytest.raises(Retry, match="page_cursor_died"):
        read(made, "people", {"watermark": ago(days=3).isoformat()})


def test_another_refusal_while_paging_is_no_death() -> None:
    made, _ = searched(SPREAD, PEOPLE.replace("most_rows: 10", "most_rows: 100"))
    with pytest.raises(Stop, match="bad_request"):
        read(made, "people", SINCE)


def test_a_row_from_the_future_is_read_and_is_no_place() -> None:
    found = {"data": [*SPREAD[:3], row(99, NOW + timedelta(days=900))]}
    pages = read(connect(Vendor(search=lambda _: found), PEOPLE), "people", SINCE)
    assert "99" in pages.keys
    assert pages.cursor == {"watermark": NOW.isoformat()}


def test_a_stamp_later_than_its_place_in_the_order_does_not_pass_the_rows_behind_it() -> None:
    """A row that changed under the query shows its new stamp in its old place."""
    late = {"id": "3", "at": iso(NOW + timedelta(seconds=5))}
    shown = [*SPREAD[:3], late, *SPREAD[4:12]]
    pages_of = {0: shown[:4], 4: shown[4:8], 8: shown[8:]}

    def search(request: Request) -> Any:
        after = int(request.json.get("after") or 0)
        return {"data": pages_of[after], **({"next": str(after + 4)} if after < 8 else {})}

    made = connect(Vendor(search=search), PEOPLE.replace("most_rows: 10", "most_rows: 100"))
    cursors = [page.cursor for page in read(made, "people", SINCE)]
    assert cursors[0] == {"watermark": datetime.fromisoformat(SPREAD[2]["at"]).isoformat()}


def test_more_rows_than_one_question_gives_that_are_all_too_young_for_a_mark_are_read_too() -> None:
    rows = [row(0, ago(days=1)), *(row(n, ago(seconds=50 - n)) for n in range(1, 31))]
    text = PEOPLE[: PEOPLE.index("        ties:")].replace("    key: id\n", "    key: id\n    settle: 1m\n")
    made, _ = searched(rows, text)
    pages = read(made, "people", SINCE)
    assert set(pages.keys) == {each["id"] for each in rows}
    assert max(page.cursor["watermark"] for page in pages if page.cursor) <= ago(minutes=1).isoformat()
    check_resumable(made, "people", pages)


EACH_PAGE = PEOPLE.replace("most_rows: 10\n", "most_rows: 10\n        each_page: true\n")


@pytest.mark.parametrize("rows", [SPREAD, HUDDLED, ONE_INSTANT], ids=["spread", "ties", "one instant"])
def test_a_row_that_changes_between_two_pages_takes_none_of_the_others_with_it(rows: Any) -> None:
    """It leaves the search, and where a page token is a number of rows to pass over, one more would be passed over."""
    made, directory = searched([*rows], EACH_PAGE)
    touched: list[str] = []
    asked = directory.search

    def search(request: Request) -> Any:
        answer = asked(request)
        if directory.searches % 2 and len(touched) < len(rows) // 3:
            touched.append(answer["data"][0]["id"])
            directory.rows = [{**each, "at": iso(NOW + DAY)} if each["id"] in touched else each for each in rows]
        return answer

    made.context.transport.handlers["/search"] = search
    pages = read(made, "people", SINCE)
    assert touched
    assert set(pages.keys) == {each["id"] for each in rows}


def test_a_crowd_in_one_instant_is_not_passed_over_for_a_stamp_given_meanwhile() -> None:
    rows = [row(n, ago(days=10)) for n in range(20)]
    rows[7] = {"id": "7", "at": iso(NOW + timedelta(seconds=5))}

    def search(request: Request) -> Any:
        after = int(request.json.get("after") or 0)
        return {"data": rows[after : after + 4], "next": str(after + 4)}

    made = connect(Vendor(search=search), PEOPLE[: PEOPLE.index("        ties:")])
    with pytest.raises(Stop, match="too_many_ties"):
        read(made, "people", SINCE)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("      ordered: true\n", "", "restart needs ordered"),
        ("      inclusive: true\n", "      inclusive: false\n", "restart needs ordered"),
        ("{{tie.at}}", "{{tie.when}}", "not declared"),
        ("{{tie.after_id}}", "{{page.size}}", "listed page by page"),
        ("most_rows: 10", "most_rows: 0", "greater than or equal to 1"),
        ('since: "{{delta.since}}"', 'since: "{{delta.sinse}}"', "not declared"),
        ("    endpoint: {path: /list}", '    endpoint: {path: "/{{delta.since}}"}', "not declared"),
    ],
)
def test_a_search_that_could_lose_rows_is_refused(old: Any, new: Any, says: Any) -> None:
    assert old in PEOPLE
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), PEOPLE.replace(old, new))
