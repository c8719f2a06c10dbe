"""A page becomes rows byte for byte; what cannot is set aside, and nothing is lost between the two (FAULTS 2.D)."""

from __future__ import annotations

import json
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from connectors.errors import Stop
from connectors.landing import (
    NUL,
    RAW_SCHEMA,
    REPEAT,
    SURROGATE,
    RecordShape,
    counted_repairs,
    land,
    land_records,
    land_slices,
    read_envelope,
    tombstones,
)

SHAPE = RecordShape("records", "Id", "Modified", "iso8601", "IsDeleted")


def body(*records: str) -> bytes:
    return ('{"total":1,"records":[' + ",".join(records) + '],"next":"/more"}').encode("utf-8", "surrogatepass")


def rows(landed: Any) -> Any:
    return landed.table.to_pylist()


def test_a_record_keeps_its_bytes_with_spaces_order_and_numbers() -> None:
    record = '{ "b" : 1.50, "Id":"x1", "a":9007199254740993, "big":1e400, "Modified":"2026-03-02T08:15:30.000+0000" }'
    landed = land(body(record), SHAPE)
    assert landed.table.schema == RAW_SCHEMA
    assert rows(landed) == [
        {
            "external_id": "x1",
            "source_updated_at": datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC),
            "is_deleted": False,
            "payload": record,
            "payload_hash": blake2b(record.encode(), digest_size=16).hexdigest(),
        }
    ]


@pytest.mark.parametrize(
    ("token", "key"),
    [
        ('"a"', "a"), ("1", "1"), ('"1"', "1"), ("1.0", "1"), ("-0", "0"), ("9007199254740993", "9007199254740993"),
        ("12345678901234567890123", "12345678901234567890123"), ('"é"', "é"), ('"a b"', "a b"), ('"\\u0041"', "A"),
    ],
)  # fmt: skip
def test_d04_an_id_has_one_text_form(token: Any, key: Any) -> None:
    assert land(body(f'{{"Id":{token}}}'), SHAPE).table["external_id"].to_pylist() == [key]


@pytest.mark.parametrize(
    "token",
    [
        "null", '""', '"  "', "true", "false", "[1]", '{"$oid":"x"}', "1.5", "1e400", "1" * 39, "1" * 4301, "NaN",
        "-Infinity", '"a\\u0000b"', '"\\ud800"', '"\\udc00\\ud800"', '"a\\nb"',
    ],
)  # fmt: skip
def test_d03_d05_a_value_that_is_no_id_is_set_aside_and_the_rest_of_the_page_lands(token: Any) -> None:
    landed = land(body(f'{{"Id":{token},"n":1}}', '{"Id":"fine"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["fine"]
    assert [unread.reason for unread in landed.unreadable] in (["bad_key"], ["malformed"])
    assert landed.seen == 2


def test_d03_a_record_without_an_id_is_set_aside() -> None:
    assert [unread.reason for unread in land(body('{"id":1}'), SHAPE).unreadable] == ["bad_key"]


def test_d04_two_ids_that_become_one_text_are_not_one_record() -> None:
    landed = land(body('{"Id":1,"v":"number"}', '{"Id":"1","v":"text"}', '{"Id":"2"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["1", "2"]
    assert landed.unreadable[0].reason == "bad_key"
    assert '"text"' in landed.unreadable[0].raw


def test_p01_a_record_delivered_twice_stays_twice_for_the_loader_to_merge() -> None:
    assert land(body('{"Id":"a"}', '{"Id":"a"}'), SHAPE).table.num_rows == 2


def test_d06_nul_escapes_are_removed_and_counted_and_an_escaped_backslash_is_not_one() -> None:
    landed = land(body('{"Id":"a","t":"x\\u0000y","u":"x\\\\u0000y"}'), SHAPE)
    assert rows(landed)[0]["payload"] == '{"Id":"a","t":"xy","u":"x\\\\u0000y"}'
    assert landed.repaired == 1


@pytest.mark.parametrize("lone", ["\\ud800", "\\uDFFF", "\\ud800x", "\\ud800\\n", "\\udc00\\ud800"])
def test_d07_lone_surrogates_become_the_replacement_character_and_pairs_stay(lone: Any) -> None:
    landed = land(body(f'{{"Id":"a","t":"{lone}","u":"\\ud83d\\ude00"}}', '{"Id":"b"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["a", "b"]
    payload = rows(landed)[0]["payload"]
    assert "\\ufffd" in payload
    assert "\\ud83d\\ude00" in payload
    json.loads(payload)["t"].encode()  # what a warehouse does; a lone surrogate would raise
    assert landed.repaired == 1


@pytest.mark.parametrize(
    ("record", "payload"),
    [
        ('{"Id":"old","n":1.50,"Id":"a"}', '{"Id":"a","n":1.50}'),
        ('{ "Id": "a", "t": {"k": 1, "x": [{"k": 1, "k": 1e400}]} }', '{"Id":"a","t":{"k":1,"x":[{"k":1e400}]}}'),
        ('{"Id":"a","t":"\\u003a","v":1,"v":2}', '{"Id":"a","t":"\\u003a","v":2}'),
        ('{"Id":"a","v":1,"\\u0076":2}', '{"Id":"a","v":2}'),
        ('{"Id":"a","v":1,"v\\u0000":2}', '{"Id":"a","v":2}'),
        ('{"Id":"a","v":9007199254740993,"v":123456789012345678901234567890.10}',
         '{"Id":"a","v":123456789012345678901234567890.10}'),
    ],
)  # fmt: skip
def test_d08_of_a_key_said_twice_the_last_counts_for_every_reader_and_is_counted(record: str, payload: str) -> None:
    plain = '{"Id": "b", "t": "one: \\"two\\": three", "u": {"Id": 1}}'
    landed = land(body(plain, record, plain.replace("b", "c", 1)), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["b", "a", "c"]
    assert rows(landed)[1]["payload"] == payload
    assert rows(landed)[1]["payload_hash"] == blake2b(record.encode(), digest_size=16).hexdigest()
    assert rows(landed)[0]["payload"] == plain
    assert landed.repaired == 1


def test_d08_the_warehouse_and_the_key_agree_about_a_key_said_twice() -> None:
    row = rows(land(body('{"Id":"first","Id":"last"}'), SHAPE))[0]
    read = duckdb.connect().execute("SELECT json_extract_string(?, '$.Id')", [row["payload"]]).fetchall()
    assert read == [(row["external_id"],)] == [("last",)]


@pytest.mark.parametrize("depth", [65, 100, 1000, 100_000])
def test_d09_a_record_nested_too_deep_is_set_aside_without_a_recursion_error(depth: Any) -> None:
    deep = '{"Id":"deep","a":' + "[" * depth + "]" * depth + "}"
    landed = land(body('{"Id":"first"}', deep, '{"Id":"last"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["first", "last"]
    assert [unread.reason for unread in landed.unreadable] == ["too_deep"]


def test_d09_64_levels_are_kept() -> None:
    deep = '{"Id":"a","a":' + "[" * 63 + "]" * 63 + "}"
    assert land(body(deep), SHAPE).table.num_rows == 1


def test_d09_brackets_inside_text_are_not_depth() -> None:
    assert land(body('{"Id":"a","t":"' + "[{" * 200 + '"}'), SHAPE).table.num_rows == 1


def test_d10_a_record_beyond_a_mebibyte_or_a_thousand_keys_is_set_aside() -> None:
    wide = "{" + ",".join(f'"k{at}":{at}' for at in range(1001)) + ',"Id":"w"}'
    heavy = '{"Id":"h","t":"' + "x" * 1_048_576 + '"}'
    landed = land(body(wide, heavy, '{"Id":"ok"}'), SHAPE)
    assert [unread.reason for unread in landed.unreadable] == ["too_large", "too_large"]
    assert max(len(unread.raw) for unread in landed.unreadable) <= 2000


def test_a_nan_costs_its_record_and_the_word_inside_text_costs_nothing() -> None:
    landed = land(body('{"Id":"a","v":NaN}', '{"Id":"b","v":"NaN Infinity"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["b"]
    assert landed.unreadable[0].reason == "malformed"


@pytest.mark.parametrize(
    "number",
    [
        "1e140000",
        "-1E+1000",
        "1e-20000",
        "0.1E-1000",
        "9" * 10_001,
        "9" * 140_000,
        "0." + "0" * 10_000,
        "1e" + "9" * 20,
    ],
)
def test_a_number_that_not_every_warehouse_keeps_costs_its_record(number: str) -> None:
    landed = land(body('{"Id":"a"}', f'{{"n":[{number}],"t":"\\u0000","Id":"b"}}', '{"Id":"c"}'), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["a", "c"]
    assert [(unread.reason, unread.external_id) for unread in landed.unreadable] == [("number_out_of_range", "b")]
    assert landed.repaired == 0


@pytest.mark.parametrize(
    "value",
    ["1e999", "-1e-999", "1e0000000001", "9" * 10_000, '"1e140000"', '"a \\"1e-9999,\\" b"', '"f-3e-123456789012"'],
)
def test_a_number_that_every_warehouse_keeps_and_what_is_none_stay(value: str) -> None:
    record = f'{{"Id":"a","n":{value}}}'
    assert rows(land(body(record), SHAPE))[0]["payload"] == record
    assert duckdb.connect().execute("SELECT CAST(? AS JSON)", [record]).fetchall() == [(record,)]


def test_bytes_that_are_not_utf8_cost_their_record() -> None:
    landed = land(b'{"records":[{"Id":"a","t":"\xff"},{"Id":"b","t":"\xc3\xa9"}]}', SHAPE)
    assert landed.table["external_id"].to_pylist() == ["b"]
    assert landed.unreadable[0].reason == "malformed"


@pytest.mark.parametrize("record", ["1", '"text"', "null", "true", "[]"])
def test_a_record_that_is_no_object_is_set_aside(record: str) -> None:
    assert land(body(record), SHAPE).unreadable[0].reason == "malformed"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("true", True),
        ("false", False),
        ("null", False),
        ("0", False),
        ('""', False),
        ('"2026-01-01T00:00:00Z"', True),
        ("{}", True),
    ],
)
def test_a_delete_flag_may_be_a_flag_or_a_time(value: Any, expected: Any) -> None:
    assert rows(land(body(f'{{"Id":"a","IsDeleted":{value}}}'), SHAPE))[0]["is_deleted"] is expected


def test_p13_p14_an_empty_time_is_no_time_and_nonsense_is_set_aside() -> None:
    records = [
        f'{{"Id":"{at}","Modified":{value}}}' for at, value in enumerate(["null", '""', '"0000-00-00"', '"soon"', "{}"])
    ]
    landed = land(body(*records), SHAPE)
    assert landed.table["external_id"].to_pylist() == ["0", "1", "2"]
    assert landed.table["source_updated_at"].null_count == 3
    assert [(unread.reason, unread.external_id) for unread in landed.unreadable] == [
        ("malformed", "3"),
        ("malformed", "4"),
    ]


@pytest.mark.parametrize(
    ("items", "page", "ids"),
    [
        ("$", '[{"Id":"a"},{"Id":"b"}]', ["a", "b"]),
        (
            "data.contacts.edges[*].node",
            '{"data":{"contacts":{"edges":[{"node":{"Id":"a"}},{"node":{"Id":"b"}}]}}}',
            ["a", "b"],
        ),
        (
            "groups[*].people[*]",
            '{"groups":[{"people":[{"Id":"a"}]},{"people":[]},{"people":[{"Id":"b"}]}]}',
            ["a", "b"],
        ),
        ("results[1].rows", '{"results":[{"rows":[]},{"rows":[{"Id":"b"}]}]}', ["b"]),
        ("record", '{"record":{"Id":"only"}}', ["only"]),
        ("records", '{"records":null}', []),
        ("records", '{"records":[]}', []),
    ],
)
def test_records_are_found_where_the_vendor_puts_them(items: Any, page: Any, ids: Any) -> None:
    assert land(page.encode(), RecordShape(items, "Id")).table["external_id"].to_pylist() == ids


@pytest.mark.parametrize("page", ["{}", '{"errors":[{"code":"x"}]}', '{"records":5}', '{"records"', "", "[1"])
def test_an_answer_without_its_records_is_never_an_empty_page(page: Any) -> None:
    with pytest.raises(Stop) as caught:
        land(page.encode(), SHAPE)
    assert caught.value.code == "malformed_page"


def test_id_time_and_flag_may_stand_deep_in_the_record() -> None:
    shape = RecordShape("$", "identifiers.cio_id", "meta.times[0]", "epoch_s", "meta.gone")
    landed = land(b'[{"identifiers":{"cio_id":"c1"},"meta":{"times":[1772439330],"gone":true}}]', shape)
    row = rows(landed)[0]
    assert (row["external_id"], row["is_deleted"]) == ("c1", True)
    assert row["source_updated_at"] == datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)


def test_records_that_stand_alone_land_like_those_of_a_page() -> None:
    landed = land_records([b'{"Id": "a"}', {"Id": "b", "n": 1}, b"not json"], SHAPE)
    assert landed.table["payload"].to_pylist() == ['{"Id": "a"}', '{"Id":"b","n":1}']
    assert landed.seen == 3


@pytest.mark.parametrize("shape", [SHAPE, RecordShape("$", "a.Id")])
@pytest.mark.parametrize(
    "broken",
    ['{"Id":"x",', '{"Id":x}', '{"Id":"x"} {}', '{"Id":"x"},{"Id":"y"}', "{" + '"n":1,' * 2000, '{"n":1e9999,'],
)
def test_a_slice_that_is_not_json_costs_nothing_but_itself(broken: str, shape: RecordShape) -> None:
    landed = land_slices([b'{"Id":"a","a":{"Id":"a"}}', broken.encode(), b'{"Id":"b","a":{"Id":"b"}}'], shape)
    assert landed.table["external_id"].to_pylist() == ["a", "b"]
    assert [each.reason for each in landed.unreadable] == ["malformed"]


def test_a_tombstone_is_a_deleted_row_without_a_payload() -> None:
    when = datetime(2026, 3, 1, tzinfo=UTC)
    table = tombstones([("a", when), ("b", None)])
    assert table.schema == RAW_SCHEMA
    assert table["is_deleted"].to_pylist() == [True, True]
    assert table["payload"].null_count == 2


def test_an_envelope_is_read_without_its_records_even_when_one_of_them_is_broken() -> None:
    page = body('{"Id":"a","v":NaN}')
    assert read_envelope(page, "next") == "/more"
    assert read_envelope(page, "nothing.there") is None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.text(min_size=1, max_size=8), json_values), max_size=6), st.booleans())
def test_rows_and_unreadables_together_are_always_the_whole_page(records: Any, ascii_only: Any) -> None:
    texts = [json.dumps({"Id": key, "v": value}, ensure_ascii=ascii_only) for key, value in records]
    landed = land(body(*texts), SHAPE)
    assert landed.seen == len(texts)
    kept = landed.table["payload"].to_pylist()
    if not landed.repaired:
        assert all(payload in texts for payload in kept)


def each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(dict(pairs)) == len(pairs)
    return dict(pairs)


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["Id", "a", "a:", "\x00a"]), json_values), max_size=5), st.booleans())
def test_d08_a_payload_reads_as_the_record_did_and_says_each_key_once(members: Any, ascii_only: Any) -> None:
    inner = ",".join(f"{json.dumps(key)}:{json.dumps(value, ensure_ascii=ascii_only)}" for key, value in members)
    record = f'{{"Id":"a","v":{{{inner}}}}}'
    landed = land(body(record), SHAPE)
    for row in rows(landed):
        json.loads(row["payload"], object_pairs_hook=each_once)
        if "\\u0000" not in record and "\\ud" not in record:
            assert json.loads(row["payload"]) == json.loads(record)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_whatever_raise_anything_but_a_broken_page(noise: Any) -> None:
    with suppress(Stop):
        land(b'{"records":[' + noise + b"]}", SHAPE)


def test_what_was_mended_is_counted_by_kind_for_whoever_watches() -> None:
    page = body(
        '{"Id":"a","t":"x\\u0000"}', '{"Id":"b","t":"\\ud800","u":"\\u0000"}', '{"Id":"c","Id":"d"}', '{"Id":"e"}'
    )
    with counted_repairs() as counted:
        landed = land(page, SHAPE)
    assert landed.repaired == 3
    assert counted == {NUL: 2, SURROGATE: 1, REPEAT: 1}


@pytest.mark.parametrize("odd", ['{"Id":7}', '{"Id":"x","Modified":{}}', '{"Id":""}', '{"Id":"x","a":1,"a":2}', "{}"])
def test_a_record_that_needs_a_closer_look_changes_nothing_for_the_others_of_its_page(odd: str) -> None:
    plain = ['{"Id":"a","Modified":"2026-03-02T08:15:30Z","IsDeleted":true}', '{"Id":"b","t":"\\u00e9"}']
    alone = rows(land(body(*plain), SHAPE))
    together = [row for row in rows(land(body(plain[0], odd, plain[1]), SHAPE)) if row["external_id"] in {"a", "b"}]
    assert together == alone
