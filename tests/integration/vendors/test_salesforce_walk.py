"""Walking a Salesforce object when it changes under the walk: a scripted session, no HTTP.

The sandbox's queries show one moment; Salesforce's show a row as it is when its page is fetched. What that does to
cursors can only be scripted.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pyarrow as pa
import pytest

from connectors.errors import Resync, Retry, Stop
from connectors.runtime.messages import Response
from connectors.vendors.salesforce import soql
from connectors.vendors.salesforce.deletes import deleted_rows
from connectors.vendors.salesforce.reading import Walk
from connectors.vendors.salesforce.soql import Position, SObject

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
HORIZON = NOW - timedelta(minutes=10)


def moment(minutes_ago: float) -> str:
    return (NOW - timedelta(minutes=minutes_ago)).strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def row(number: int, minutes_ago: float, **fields: Any) -> dict[str, Any]:
    stamp = {"Id": f"003{number:015d}", "SystemModstamp": moment(minutes_ago), "IsDeleted": False}
    return {"attributes": {"type": "Contact"}, **stamp, **fields}


def answer(records: list[dict[str, Any]], following: str | None = None) -> Response:
    body: dict[str, Any] = {"totalSize": len(records), "done": following is None, "records": records}
    if following:
        body["nextRecordsUrl"] = following
    return Response(200, {}, json.dumps(body).encode(), "https://acme.my.salesforce.com/")


class Script:
    """A session that answers queries with a function and links from a table."""

    def __init__(self, query: Callable[[str], Response], links: Mapping[str, Response] | None = None) -> None:
        self.asked: list[str] = []
        self._query = query
        self._links = dict(links or {})

    def query(self, text: str, *, batch: int = 2_000) -> Response:
        del batch
        self.asked.append(text)
        return self._query(text)

    def follow(self, link: str) -> Response:
        self.asked.append(link)
        return self._links[link]


def contact(*names: str) -> SObject:
    fields = ("Id", "SystemModstamp", "IsDeleted", *names)
    described = {"name": "Contact", "fields": [{"name": name, "type": "string"} for name in fields]}
    return SObject.from_describe(described)


def walk(session: Any, sobject: SObject | None = None, after: Position | None = None) -> Walk:
    return Walk(session, sobject or contact("Email"), after, horizon=HORIZON)


def read(walking: Walk) -> list[dict[str, Any]]:
    return [json.loads(str(text)) for landed, _ in walking.pages() for text in landed.table["payload"].to_pylist()]


def test_a_row_touched_under_a_running_query_does_not_carry_the_place_with_it() -> None:
    """The last row of the first page was sorted at 60 minutes ago and shows this second: the place stays before it."""
    first = [row(1, 90), row(2, 80), row(3, 0)]
    script = Script(lambda _: answer(first, "/next"), {"/next": answer([row(4, 50), row(5, 40)])})
    walking = walk(script)
    pages = walking.pages()
    next(pages)
    assert walking.position == Position(datetime.fromisoformat(moment(80)), first[1]["Id"])
    next(pages)
    assert walking.position == Position(datetime.fromisoformat(moment(40)), row(5, 40)["Id"])


def test_rows_newer_than_what_is_held_back_are_read_and_move_no_place() -> None:
    walking = walk(Script(lambda _: answer([row(1, 30), row(2, 5), row(3, 1)])))
    assert len(read(walking)) == 3
    assert walking.position == Position(datetime.fromisoformat(moment(30)), row(1, 30)["Id"])


def test_the_place_after_a_tie_is_within_the_tie() -> None:
    sobject = contact("Email")
    text = soql.select(sobject, sobject.chunks()[0], soql.Span(Position(NOW, "003000000000000007")))
    assert (
        "((SystemModstamp = 2026-03-01T12:00:00.000Z AND Id > '003000000000000007')"
        " OR SystemModstamp > 2026-03-01T12:00:00.000Z)" in text
    )
    assert text.endswith("ORDER BY SystemModstamp, Id")


def test_an_id_that_is_no_id_never_reaches_a_query() -> None:
    with pytest.raises(ValueError, match="letters and digits"):
        soql.select(contact(), ["Id"], soql.Span(Position(NOW, "x' OR Id != '")))


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> SObject:
    """An object of two chunks."""
    monkeypatch.setattr(soql, "LONGEST_QUERY", 1_050)
    sobject = contact(*(f"Field_Number_{n:02}__c" for n in range(20)))
    assert len(sobject.chunks()) == 2
    return sobject


def chunked(sobject: SObject, versions: Callable[[int, str], list[dict[str, Any]]]) -> Script:
    """Answer each query with the fields it selects out of ``versions(number of the query, text)``."""
    count = 0

    def query(text: str) -> Response:
        nonlocal count
        count += 1
        wanted = {"attributes", *text.removeprefix("SELECT ").split(" FROM ")[0].split(",")}
        filled = [{**dict.fromkeys((f.name for f in sobject.fields), "x"), **each} for each in versions(count, text)]
        return answer([{name: value for name, value in each.items() if name in wanted} for each in filled])

    return Script(query)


def test_a_row_that_moves_between_two_chunks_is_read_again_by_itself(narrow: SObject) -> None:
    """The first chunk saw version 1; the second no longer finds the row in the range, for it moved to the end."""
    still, old, new = row(1, 60), row(2, 50, Field_Number_00__c="old"), row(2, 0, Field_Number_00__c="new")

    def versions(number: int, text: str) -> list[dict[str, Any]]:
        if "Id IN" in text:
            return [new]
        return [still, old] if number == 1 else [still]

    found = read(walk(chunked(narrow, versions), narrow))
    assert [(record["Id"], record["Field_Number_00__c"]) for record in found] == [
        (still["Id"], "x"),
        (new["Id"], "new"),
    ]
    assert all(len(record) == 24 for record in found)


def test_a_row_purged_between_two_chunks_is_left_to_the_delete_log(narrow: SObject) -> None:
    def versions(number: int, text: str) -> list[dict[str, Any]]:
        return [] if "Id IN" in text else [row(1, 60), row(2, 50)] if number == 1 else [row(1, 60)]

    assert [record["Id"] for record in read(walk(chunked(narrow, versions), narrow))] == [row(1, 60)["Id"]]


def test_a_row_that_never_stands_still_is_an_error_not_a_mixture(narrow: SObject) -> None:
    def versions(number: int, text: str) -> list[dict[str, Any]]:
        del text
        return [row(1, 60 - number)]

    with pytest.raises(Retry, match="change faster"):
        read(walk(chunked(narrow, versions), narrow))


def test_all_chunks_of_a_page_ask_for_one_closed_range(narrow: SObject) -> None:
    script = chunked(narrow, lambda *_: [row(1, 60), row(2, 50)])
    read(walk(script, narrow))
    assert "LIMIT 2000" in script.asked[0]
    last = moment(50).replace("+0000", "Z")
    assert f"(SystemModstamp < {last} OR (SystemModstamp = {last} AND Id <= '{row(2, 50)['Id']}'))" in script.asked[1]


def test_a_wide_page_that_comes_again_is_a_circle(narrow: SObject, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.vendors.salesforce.reading._ROWS", 2)
    with pytest.raises(Stop, match="same page"):
        read(walk(chunked(narrow, lambda *_: [row(1, 60), row(2, 50)]), narrow))


def test_windows_cover_the_whole_time_without_a_gap() -> None:
    """After a timeout each window begins where the one before it ended, and the last has no end."""
    windows: list[tuple[str, str]] = []
    refusals = 3

    def query(text: str) -> Response:
        nonlocal refusals
        if refusals:
            refusals -= 1
            raise Stop("query_timeout", "too slow")
        after = text.partition("SystemModstamp >= ")[2].split(" ")[0]
        before = text.partition("SystemModstamp < ")[2].split(" ")[0]
        windows.append((after, before))
        return answer([])

    read(walk(Script(query)))
    assert windows[0][0] == ""
    assert windows[-1][1] == ""
    assert all(left[1] == right[0] for left, right in pairwise(windows))


class DeleteLog:
    """A delete log that answers with a function of (start, end)."""

    def __init__(self, reply: Callable[[datetime, datetime], dict[str, Any]]) -> None:
        self.spans: list[tuple[datetime, datetime]] = []
        self._reply = reply

    def get(self, path: str, params: Mapping[str, str]) -> Response:
        del path
        start, end = (datetime.fromisoformat(params[name]) for name in ("start", "end"))
        self.spans.append((start, end))
        return Response(200, {}, json.dumps(self._reply(start, end)).encode(), "https://acme.my.salesforce.com/")


def log(covered: datetime, available: datetime, *ids: str) -> dict[str, Any]:
    return {
        "deletedRecords": [{"id": each, "deletedDate": moment(30)} for each in ids],
        "earliestDateAvailable": available.isoformat(),
        "latestDateCovered": covered.isoformat(),
    }


def gone(session: Any, since: datetime) -> list[tuple[pa.Table, datetime]]:
    return list(deleted_rows(session, "Contact", since, NOW))


def test_the_next_start_is_where_the_log_is_complete_not_where_the_question_ended() -> None:
    covered = NOW - timedelta(hours=2)
    script = DeleteLog(lambda start, _: log(max(covered, start), NOW - timedelta(days=15), "a"))
    pages = gone(script, NOW - timedelta(days=1))
    assert pages[-1][1] == covered
    assert pages[0][0]["is_deleted"].to_pylist() == [True]


def test_a_log_that_begins_after_the_last_read_is_a_gap() -> None:
    script = DeleteLog(lambda *_: log(NOW, NOW - timedelta(hours=1)))
    with pytest.raises(Resync, match="begins after"):
        gone(script, NOW - timedelta(days=1))


def test_fifteen_days_without_a_read_are_a_gap_and_ask_nothing() -> None:
    script = DeleteLog(lambda *_: {})
    with pytest.raises(Resync, match="fifteen days"):
        gone(script, NOW - timedelta(days=15))
    assert script.spans == []


def test_too_many_deletes_are_asked_for_in_halves_until_all_are_read() -> None:
    def reply(start: datetime, end: datetime) -> dict[str, Any]:
        if end - start > timedelta(hours=7):
            raise Stop("too_many_deletes", "too many")
        return log(end, NOW - timedelta(days=15), f"{start:%d%H%M}")

    script = DeleteLog(reply)
    start = NOW - timedelta(days=1)
    pages = gone(script, start)
    answered = [span for span in script.spans if span[1] - span[0] <= timedelta(hours=7)]
    assert answered[0][0] == start
    assert answered[-1][1] == NOW
    assert all(left[1] == right[0] for left, right in pairwise(answered))
    assert pages[-1][1] == NOW


def test_less_than_a_minute_is_not_worth_a_question() -> None:
    script = DeleteLog(lambda *_: {})
    assert gone(script, NOW - timedelta(seconds=50)) == []
