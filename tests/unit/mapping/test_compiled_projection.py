"""What a compiled projection makes of records: paths, transforms, conditions, fan-outs, faults."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import duckdb
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.mapping import compile_projection, parse_mapping
from quality.normalise.text import trim

AT = datetime(2026, 1, 1, tzinfo=UTC)


def project(target: str, *records: Any, region: str = "US") -> list[dict[str, Any]]:
    mapping = parse_mapping("entities:\n  E:\n    - " + "\n      ".join(target.strip().splitlines()))
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(
        "CREATE TABLE raw_batch (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, payload JSON)"
    )
    connection.executemany(
        "INSERT INTO raw_batch VALUES (?, ?, false, ?)", [(str(n), AT, json.dumps(r)) for n, r in enumerate(records)]
    )
    sql = compile_projection(
        mapping.entities["E"][0], entity="E", source="crm", connector="vendor", tenant="acme", region=region
    )
    result = connection.execute(sql)
    names = [column[0] for column in result.description or []]
    return sorted(
        (dict(zip(names, row, strict=True)) for row in result.fetchall()), key=lambda row: str(row["external_id"])
    )


def one(target: str, record: Any, **options: Any) -> dict[str, Any]:
    (row,) = project(target, record, **options)
    return row


def read(kind_field: str, transform: str, value: Any) -> Any:
    """Return what a transform makes of one JSON value, or the rule it breaks."""
    kind, field = kind_field.split(".")
    required = {
        "account": "name: n, ",
        "activity": "type: n, " + ("" if field == "occurred_at" else "occurred_at: n, "),
    }
    spec = f"{field}: {{source: v, transform: {transform}}}"
    row = one(f"target: {kind}\nfields: {{{required.get(kind, '')}{spec}}}", {"v": value, "n": "x"})
    issues = [issue["rule"] for issue in row["_issues"] or [] if issue["field"] == field]
    return issues[0] if issues else row[field]


def test_a_row_carries_its_pointer_and_provenance() -> None:
    row = one("target: person\nfields: {email: a}", {"a": "x@y.z"})
    expected = {
        "source": "crm",
        "external_id": "0",
        "connector": "vendor",
        "tenant_id": "acme",
        "source_updated_at": AT,
    }
    assert expected.items() <= row.items()
    assert (row["_entity"], row["_record_id"], row["_applies"], row["_issues"]) == ("E", "0", True, None)


@pytest.mark.parametrize(
    ("path", "record"),
    [
        ("a", {"a": "v"}),
        ("a.b.c", {"a": {"b": {"c": "v"}}}),
        ("a[1].b", {"a": [{}, {"b": "v"}]}),
        ("E-mail Address", {"E-mail Address": "v"}),
        ("Größe", {"Größe": "v"}),
        ("\"'a.b'.c\"", None),
        ("'\"a.b\".c'", {"a.b": {"c": "v"}}),
        ("$x'y", {"$x'y": "v"}),
    ],
)
def test_a_path_reaches_its_value(path: str, record: dict[str, Any] | None) -> None:
    text = f"target: person\nfields: {{title: {json.dumps(path) if path[0] not in chr(34) + chr(39) else path}}}"
    row = one(text, record or {"'a": {"b'": {"c": "v"}}})
    assert row["title"] == "v"


def test_the_first_path_that_is_not_null_or_blank_wins() -> None:
    target = "target: person\nfields: {title: [a, b, c]}"
    assert one(target, {"a": None, "b": " \t", "c": "v"})["title"] == "v"
    assert one(target, {"a": "first", "b": "second"})["title"] == "first"
    assert one(target, {"a": {"not": "text"}, "b": "v"})["title"] == "v"


def test_null_missing_and_blank_are_absent_and_no_fault() -> None:
    for record in ({}, {"a": None}, {"a": ""}, {"a": "\n "}):
        row = one("target: person\nfields: {email: a, phone: a}", record)
        assert (row["email"], row["phone"], row["_issues"]) == (None, None, None)


def test_constants_prefixes_and_joins() -> None:
    target = """
target: person
external_id: {source: id, prefix: "p:"}
fields: {title: {const: true}, last_name: {join: [a, {const: and}, b], separator: " "}, first_name: {join: [a, c]}}
"""
    row = one(target, {"id": 7, "a": "x", "b": "y"})
    assert (row["external_id"], row["title"], row["last_name"], row["first_name"]) == ("p:7", "true", "x and y", None)


@pytest.mark.parametrize(
    ("field", "transform", "value", "expected"),
    [
        ("person.title", "none", "  As it stands ", "  As it stands "),
        ("person.title", "trim", "\t x \n", "x"),
        ("person.title", "lowercase", " ABC ", "abc"),
        ("person.title", "uppercase", "abc", "ABC"),
        ("person.title", "trim", 9007199254740993, "9007199254740993"),
        ("person.title", "trim", True, "true"),
        ("person.title", "trim", "[VP] {x}", "[VP] {x}"),
        ("person.title", "trim", ["x"], "not_scalar"),
        ("person.first_name", "given_name", " Roe, Jane\n", "Jane"),
        ("person.last_name", "family_name", "Dr. Jane van der Roe, PhD", "van der Roe"),
        ("person.last_name", "family_name", "jane@acme.test", None),
        ("person.last_name", "family_name", {"full": "Jane Roe"}, "not_scalar"),
        ("person.title", "excerpt", "word " * 1000, "word " * 399 + "word…"),
        ("person.email", "email", " A@B.co ", "a@b.co"),
        ("person.phone", "phone", "(202) 555-0100", "+12025550100"),
        ("account.domain", "domain", "https://www.acme.com/x", "acme.com"),
        ("account.annual_revenue", "number", "1e3", 1000.0),
        ("account.annual_revenue", "number", "$1,234,567.8", 1234567.8),
        ("account.annual_revenue", "number", -1.5, -1.5),
        ("account.annual_revenue", "number", "1e400", "not_a_number"),
        ("account.annual_revenue", "number", "inf", "not_a_number"),
        ("account.annual_revenue", "number", "1_000", "not_a_number"),
        ("account.annual_revenue", "number", "1.000,5", "not_a_number"),
        ("account.annual_revenue", "number", "1,00", "not_a_number"),
        ("account.annual_revenue", "number", {"amount": 1}, "not_scalar"),
        ("account.employee_count", "integer", "9007199254740993", 9007199254740993),
        ("account.employee_count", "integer", 12.0, 12),
        ("account.employee_count", "integer", "1,200", 1200),
        ("account.employee_count", "integer", "12.5", "not_an_integer"),
        ("account.employee_count", "integer", "9" * 30, "not_an_integer"),
        (
            "activity.occurred_at",
            "timestamp",
            "2013-05-20T20:49:32.000+0000",
            datetime(2013, 5, 20, 20, 49, 32, tzinfo=UTC),
        ),
        ("activity.occurred_at", "timestamp", "2013-05-20 20:49:32", datetime(2013, 5, 20, 20, 49, 32, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", "2013-05-20T20:49+05:30", datetime(2013, 5, 20, 15, 19, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", "2013-05-20", datetime(2013, 5, 20, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", 1772439330, datetime(2026, 3, 2, 8, 15, 30, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", 1772439330500, datetime(2026, 3, 2, 8, 15, 30, 500000, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", "1772439330.25", datetime(2026, 3, 2, 8, 15, 30, 250000, tzinfo=UTC)),
        ("activity.occurred_at", "timestamp", "2013-02-30", "not_a_timestamp"),
        ("activity.occurred_at", "timestamp", "20/05/2013", "not_a_timestamp"),
        ("activity.occurred_at", "timestamp", "epoch", "not_a_timestamp"),
        ("activity.occurred_at", "timestamp", "infinity", "not_a_timestamp"),
        ("activity.occurred_at", "timestamp", False, "not_a_timestamp"),
        ("activity.occurred_at", "date", "2013-05-20T20:49:32Z", datetime(2013, 5, 20, tzinfo=UTC)),
        ("activity.occurred_at", "date", "soon", "not_a_date"),
    ],
)
def test_a_transform_reads_its_value_or_says_why_not(field: str, transform: str, value: Any, expected: Any) -> None:
    assert read(field, transform, value) == expected


def test_properties_keep_the_vendors_json_types() -> None:
    target = """
target: person
properties: {n: n, deep: deep, gone: gone, k: {const: 5}, first: [gone, n],
             flag: {source: flag, transform: boolean}, bad: {source: n, transform: boolean}}
"""
    row = one(target, {"n": 5.5, "deep": {"x": [1, None]}, "gone": None, "flag": "Yes"})
    assert json.loads(row["properties"]) == {
        "n": 5.5, "deep": {"x": [1, None]}, "gone": None, "k": 5, "first": 5.5, "flag": True, "bad": None,
    }  # fmt: skip
    assert row["_issues"] == [{"field": "properties.bad", "rule": "not_a_boolean", "value": "5.5"}]


@pytest.mark.parametrize(
    ("when", "value", "applies"),
    [
        ("exists: true", "x", True),
        ("exists: true", {"a": 1}, True),
        ("exists: true", " ", False),
        ("exists: true", None, False),
        ("exists: false", None, True),
        ("equals: x", "x", True),
        ("equals: x", "X", False),
        ("equals: x", None, False),
        ("equals: true", True, True),
        ("equals: 5", 5, True),
        ("in: [a, b]", "b", True),
        ("in: [a, b]", "c", False),
    ],
)
def test_a_condition_decides_by_one_comparison(when: str, value: Any, *, applies: bool) -> None:
    assert one(f"target: person\nwhen: {{path: v, {when}}}", {"v": value})["_applies"] is applies


def test_a_fan_out_over_an_array_gives_a_row_per_element() -> None:
    target = """
target: person
for_each: a.who
external_id: {join: [id, "@key"], separator: "/"}
fields: {email: "@.email", title: role, last_name: "@.names[1]"}
properties: {whole: "@", place: "@key"}
"""
    record = {"id": "m", "role": "guest", "a": {"who": [{"email": "a@b.co"}, {"email": "c@d.co", "names": ["x", "y"]}]}}
    rows = project(
        target,
        record,
        {"id": "none"},
        {"id": "empty", "a": {"who": []}},
        {"id": "odd", "a": {"who": 5}},
        {"a": {"who": [None]}},
    )
    assert [(row["external_id"], row["email"], row["title"], row["last_name"]) for row in rows] == [
        ("m/0", "a@b.co", "guest", None),
        ("m/1", "c@d.co", "guest", "y"),
    ]
    assert json.loads(rows[0]["properties"]) == {"whole": {"email": "a@b.co"}, "place": "0"}


def test_a_fan_out_over_an_object_gives_a_row_per_entry() -> None:
    target = """
target: activity
for_each: metrics
external_id: {join: [id, "@key"], separator: ":"}
fields: {type: "@key", occurred_at: "@"}
"""
    rows = project(target, {"id": "m", "metrics": {"sent": 1772439330, "opened": 1772439331, "clicked": None}})
    assert [(row["external_id"], row["type"], row["occurred_at"].second) for row in rows] == [
        ("m:opened", "opened", 31),
        ("m:sent", "sent", 30),
    ]


def test_merges_and_references_are_kept_beside_the_row() -> None:
    target = """
target: person
merged_into: winner
references: [{connector: mailer, source: m}, {connector: crm, source: [c, d]}]
"""
    row = one(target, {"winner": 7, "m": "1", "d": "2"})
    assert (row["_merged_into"], row["_references"]) == ("7", '["mailer:1","crm:2"]')
    assert one(target, {})["_references"] is None


def test_names_and_constants_cannot_break_out_of_the_statement() -> None:
    nasty = "x'); DROP TABLE raw_batch; --"
    target = f"""
target: person
fields: {{title: {{const: "{nasty}"}}, email: "{nasty}"}}
properties: {{"{nasty}": "{nasty}"}}
"""
    row = one(target, {nasty: "a@b.co"})
    assert (row["title"], row["email"], json.loads(row["properties"])) == (nasty, "a@b.co", {nasty: "a@b.co"})


TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\x00"), max_size=20)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXT
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("abc"), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=12, deadline=None)
@given(values=st.lists(JSON, min_size=1, max_size=40))
def test_no_json_value_makes_a_projection_fail_or_lose_a_record(values: list[Any]) -> None:
    """A transform reads a value or lists it; a run of 250,000 records never dies of one of them."""
    target = """
target: account
fields: {name: v, domain: v, industry: {source: v, transform: none}, employee_count: v, annual_revenue: v}
properties: {t: {source: v, transform: timestamp}, d: {source: v, transform: date}, b: {source: v, transform: boolean},
             raw: v}
"""
    rows = project(target, *({"v": value} for value in values))
    by_record = {row["external_id"]: row for row in rows}
    assert sorted(by_record, key=int) == [str(n) for n in range(len(values))]
    for number, value in enumerate(values):
        row = by_record[str(number)]
        told = {issue["field"] for issue in row["_issues"] or []}
        is_present = value is not None and not (isinstance(value, str) and trim(value) == "")
        for field in ("name", "employee_count", "annual_revenue"):
            assert (row[field] is not None or field in told) is is_present
        assert (row["domain"] or row["_given_domain"] or "domain" in told) if is_present else row["domain"] is None
        assert json.loads(row["properties"])["raw"] == value
