"""Typed views over raw JSON: every key readable, whatever a vendor calls it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Any

import pytest

from connectors.connector import FieldMapping
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_published, open_warehouse, publish
from gtm_pipelines.warehouse.observed import merge_kinds
from gtm_pipelines.warehouse.views import MOST_COLUMNS, build_typed_views, typed_views_are_current

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from gtm_pipelines.warehouse import Warehouse


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[Warehouse]:
    with open_warehouse(Settings(home=tmp_path), "acme") as opened:
        opened.ensure_tables()
        opened.execute(
            "INSERT INTO raw.entity VALUES ('crm', 'salesforce', 'Contact', 'contact', now()); CREATE SCHEMA raw_crm;"
            "CREATE TABLE raw_crm.contact (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN,"
            " payload JSON, payload_hash VARCHAR, synced_at TIMESTAMPTZ, _dlt_load_id VARCHAR)"
        )
        yield opened


def put(warehouse: Warehouse, load: str, *records: dict[str, Any] | None) -> None:
    for number, record in enumerate(records):
        warehouse.execute(
            "INSERT INTO raw_crm.contact VALUES (?, now(), false, ?, '', now(), ?)",
            [f"{load}-{number}", None if record is None else json.dumps(record), load],
        )


def columns(warehouse: Warehouse) -> dict[str, str]:
    return {name: kind for name, kind in warehouse.columns("crm", "contact").items() if not name.startswith("_")}


def test_columns_have_the_types_of_the_values(warehouse: Warehouse) -> None:
    first = {
        "Id": "1",
        "Amount": 1.5,
        "Count": 7,
        "Won": True,
        "At": "2026-01-01T00:00:00.000+0000",
        "Address": {"a": 1},
    }
    put(warehouse, "1", first, {"Id": "2", "Amount": 2, "Count": None, "Tags": ["x"], "Nothing": None}, None)
    assert build_typed_views(warehouse) == [("crm", "Contact")]
    assert columns(warehouse) == {
        "Id": "VARCHAR",
        "Amount": "DOUBLE",
        "Count": "BIGINT",
        "Won": "BOOLEAN",
        "At": "TIMESTAMP WITH TIME ZONE",
        "Address_a": "BIGINT",
        "Tags": "JSON",
        "Nothing": "VARCHAR",
        "Address": "JSON",
    }
    found = warehouse.rows("SELECT Id, Amount, Count, Won, \"At\", Address->>'a' FROM crm.contact ORDER BY Id")
    assert found[0] == ("1", 1.5, 7, True, datetime(2026, 1, 1, tzinfo=UTC), "1")
    assert found[1] == ("2", 2.0, None, None, None, None)
    assert len(found) == 3


def test_a_view_is_rebuilt_only_when_its_columns_change(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"Id": "1", "N": 1})
    build_typed_views(warehouse)
    assert build_typed_views(warehouse) == []
    put(warehouse, "2", {"Id": "2", "N": 2})
    assert build_typed_views(warehouse) == []
    put(warehouse, "3", {"Id": "3", "N": "two", "New": 1})
    assert build_typed_views(warehouse) == [("crm", "Contact")]
    assert columns(warehouse) == {"Id": "VARCHAR", "N": "VARCHAR", "New": "BIGINT"}
    assert warehouse.rows("SELECT N FROM crm.contact ORDER BY Id") == [("1",), ("2",), ("two",)]
    warehouse.execute("DROP VIEW crm.contact")
    assert build_typed_views(warehouse) == [("crm", "Contact")]


def test_no_key_a_vendor_thinks_of_breaks_a_view(warehouse: Warehouse) -> None:
    odd = ["a.b", "a__b", "A_B", "a_b", "", "_empty", "select", "_dlt_id", "_external_id", "_payload", "tenant_id"]
    odd += ['q"x', "it's", "s/l", "t~1", "é", "0", " ", "x;DROP TABLE raw.entity", "a b", "$.x", "*", "{}", "%s", "名"]
    put(warehouse, "1", {key: number for number, key in enumerate(odd)}, {"A.B": "x"})
    build_typed_views(warehouse)
    (found, _) = warehouse.polars("SELECT * FROM crm.contact ORDER BY _external_id").to_dicts()
    values = sorted(value for value in found.values() if isinstance(value, int) and not isinstance(value, bool))
    assert values == list(range(len(odd)))
    assert (found["a_b_2"], found["_external_id_2"], found["_empty_2"]) == (3, 8, 5)
    assert build_typed_views(warehouse) == []


def test_a_large_first_load_of_long_records_fits_the_memory(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path, duckdb_memory="128MB")
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
        warehouse.execute(
            "INSERT INTO raw.entity VALUES ('crm', 'x', 'Contact', 'contact', now()); CREATE SCHEMA raw_crm;"
            "CREATE TABLE raw_crm.contact AS SELECT range::VARCHAR AS external_id, now() AS source_updated_at,"
            " false AS is_deleted, '{}'::JSON AS payload, now() AS synced_at, '1' AS _dlt_load_id FROM range(0)"
        )
        filler = "x" * 8000
        for start in range(0, 20_000, 500):
            warehouse.execute(
                "INSERT INTO raw_crm.contact SELECT range::VARCHAR, now(), false,"
                " json_object('Id', range, 'Text', $filler || range), now(), '1' FROM range($start, $start + 500)",
                {"start": start, "filler": filler},
            )
        build_typed_views(warehouse)
        assert columns(warehouse)["Id"] == "BIGINT"


def test_the_vendors_own_types_win(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"Zip": 1234, "Born": "2001-02-03"})
    catalogue = [
        FieldMapping("Contact", "Zip", "string"),
        FieldMapping("Contact", "$.Born", "date"),
        FieldMapping("Contact", "NeverSeen", "number"),
        FieldMapping("Contact", "Address.City", "string"),
        FieldMapping("Lead", "Other", "string"),
    ]
    build_typed_views(warehouse, {"crm": catalogue})
    expected = {"Zip": "VARCHAR", "Born": "DATE", "NeverSeen": "DOUBLE", "Address_City": "VARCHAR"}
    assert columns(warehouse) == expected


def test_what_stands_within_an_object_is_a_column_called_by_its_path(warehouse: Warehouse) -> None:
    first = {"id": "1", "properties": {"email": "a@x.example", "born": None, "visits": "7"}, "to": None, "from": [1]}
    properties = {"email": None, "born": "2001-02-03", "visits": "many", "flags": {"a": 1}}
    put(warehouse, "1", first, {"id": "2", "properties": properties, "to": {"id": 5}})
    catalogue = [
        FieldMapping("Contact", "properties.visits", "integer"),
        FieldMapping("Contact", "properties.flags.since", "timestamp"),
    ]
    build_typed_views(warehouse, {"crm": catalogue})
    assert list(warehouse.columns("crm", "contact").items())[4:] == [
        ("id", "VARCHAR"),
        ("properties_email", "VARCHAR"),
        ("properties_born", "DATE"),
        ("properties_visits", "BIGINT"),
        ("properties_flags", "JSON"),
        ("properties_flags_since", "TIMESTAMP WITH TIME ZONE"),
        ("to_id", "BIGINT"),
        ("from", "JSON"),
        ("properties", "JSON"),
        ("to", "JSON"),
        ("_payload", "JSON"),
    ]
    found = warehouse.rows("SELECT id, properties_visits, properties->>'email', to_id FROM crm.contact ORDER BY id")
    assert found == [("1", 7, "a@x.example", None), ("2", None, None, 5)]


def test_columns_of_an_object_come_with_later_loads_and_stay(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"o": {"a": 1}})
    build_typed_views(warehouse)
    put(warehouse, "2", {"o": {"b": "2026-01-02"}, "late": {"c": True}})
    assert build_typed_views(warehouse) == [("crm", "Contact")]
    put(warehouse, "3", {"o": "no longer an object"})
    build_typed_views(warehouse)
    assert columns(warehouse) == {
        "o_a": "BIGINT",
        "o_b": "DATE",
        "late_c": "BOOLEAN",
        "o": "JSON",
        "late": "JSON",
    }


def test_a_name_made_twice_stays_with_whoever_had_it_first(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"A": {"b": 1, "B": 2}, "a_b": 3})
    build_typed_views(warehouse)
    put(warehouse, "2", {"A": {"b_": 4}, "a_b_": 5, "A_b_3": 6})
    build_typed_views(warehouse)
    assert warehouse.rows("SELECT a_b, A_b_2, A_B_3 FROM crm.contact WHERE _external_id = '1-0'") == [(3, 1, 2)]
    assert warehouse.rows("SELECT a_b_, A_b__2, A_b_3_2 FROM crm.contact WHERE _external_id = '2-0'") == [(5, 4, 6)]


def test_an_object_keyed_by_ids_does_not_become_columns_even_when_a_later_load_is_small(warehouse: Warehouse) -> None:
    put(warehouse, "1", *({"seats": {f"user_{number}": number}} for number in range(150)))
    build_typed_views(warehouse)
    put(warehouse, "2", {"seats": {"user_x": 1}})
    build_typed_views(warehouse)
    assert columns(warehouse) == {"seats": "JSON"}


def test_a_view_has_a_bounded_number_of_columns_and_the_vendors_own_on_top(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"id": 1, "p": {f"k{number:04}": number for number in range(MOST_COLUMNS + 50)}})
    build_typed_views(warehouse, {"crm": [FieldMapping("Contact", "p.k1049", "number")]})
    put(warehouse, "2", {"id": 2, "late": 1})
    build_typed_views(warehouse, {"crm": [FieldMapping("Contact", "p.k1049", "number")]})
    found = columns(warehouse)
    assert len(found) == MOST_COLUMNS + 1
    assert (found["p_k0000"], found["p_k1049"], found["p"]) == ("BIGINT", "DOUBLE", "JSON")
    assert not found.keys() & {"p_k1048", "late"}


def test_a_fraction_is_not_rounded_into_a_column_of_whole_numbers(warehouse: Warehouse) -> None:
    put(warehouse, "1", *({"N": value} for value in (7, "7.0", 7.5, 9007199254740993, "nan", "", None)))
    build_typed_views(warehouse, {"crm": [FieldMapping("Contact", "N", "integer")]})
    found = warehouse.rows("SELECT N FROM crm.contact ORDER BY _external_id")
    assert [value for (value,) in found] == [7, 7, None, 9007199254740993, None, None, None]


def test_an_empty_value_is_null_in_a_column_of_json_too(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"Tags": ["x"]}, {"Tags": None}, {})
    build_typed_views(warehouse)
    assert warehouse.rows("SELECT count(*) FROM crm.contact WHERE Tags IS NULL") == [(2,)]


def test_columns_stand_in_the_vendors_order(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"id": 1, "name": "a", "age": 1}, {"id": 1, "age": 1, "city": "x"})
    build_typed_views(warehouse)
    assert list(columns(warehouse)) == ["id", "name", "age", "city"]


def test_views_of_what_is_gone_go_and_come_back_with_it(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"Id": "1"})
    warehouse.execute(
        "INSERT INTO raw.entity VALUES ('crm', 'salesforce', 'Lead', 'lead', now());"
        "CREATE TABLE raw_crm.lead AS FROM raw_crm.contact"
    )
    build_typed_views(warehouse)
    warehouse.execute("DROP TABLE raw_crm.lead")
    assert not typed_views_are_current(warehouse)
    assert build_typed_views(warehouse) == []
    assert (warehouse.has_table("crm", "contact"), warehouse.has_table("crm", "lead")) == (True, False)
    assert typed_views_are_current(warehouse)
    assert build_typed_views(warehouse, connections=[]) == []
    assert warehouse.rows("SELECT count(*) FROM duckdb_schemas() WHERE schema_name = 'crm'") == [(0,)]
    assert warehouse.rows("SELECT count(*) FROM raw.field") == [(0,)]
    assert build_typed_views(warehouse, connections=["crm"]) == [("crm", "Contact")]
    assert columns(warehouse) == {"Id": "VARCHAR"}


def test_views_made_by_an_earlier_releases_rules_are_learned_anew(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"o": {"a": 1}})
    warehouse.execute(
        "INSERT INTO raw.field VALUES ('crm', 'Contact', 'o', 0, 'json');"
        "INSERT INTO raw.typed_view VALUES ('crm', 'Contact', '1', 'd41d8cd98f00b204e9800998ecf8427e')"
    )
    assert not typed_views_are_current(warehouse)
    build_typed_views(warehouse)
    assert columns(warehouse) == {"o_a": "BIGINT", "o": "JSON"}


def test_texts_become_dates_and_times_only_where_all_of_them_are(warehouse: Warehouse) -> None:
    first = {
        "Day": "2026-01-02",
        "Moment": "2026-01-02T03:04:05+05:30",
        "Local": "2026-01-02 03:04",
        "Mix": "2026-01-02",
    }
    other = {"Day": "", "Moment": None, "Local": "2026-01-02T03:04:05.5", "Mix": "2026-01-02T03:04:05Z"}
    never = {"NoDay": "2026-02-30", "Code": "1234-56-78", "Year": "2026", "Empty": ""}
    put(warehouse, "1", {**first, **never}, other, None)
    build_typed_views(warehouse)
    assert columns(warehouse) == {
        "Day": "DATE",
        "Moment": "TIMESTAMP WITH TIME ZONE",
        "Local": "TIMESTAMP",
        "Mix": "VARCHAR",
        **dict.fromkeys(never, "VARCHAR"),
    }
    (found, *_) = warehouse.rows('SELECT "Day", Moment, "Local" FROM crm.contact ORDER BY _external_id')
    assert found == (
        date(2026, 1, 2),
        datetime(2026, 1, 1, 21, 34, 5, tzinfo=UTC),
        datetime(2026, 1, 2, 3, 4),  # noqa: DTZ001  a time without a zone is meant
    )
    put(warehouse, "2", {"Day": "soon"})
    build_typed_views(warehouse)
    assert columns(warehouse)["Day"] == "VARCHAR"


def test_a_value_that_is_no_time_leaves_a_vendors_column_of_times_readable(warehouse: Warehouse) -> None:
    values = [1672704000, 1672704000000, 1672704000.5, "1672704000", "2023-01-03T00:00:00Z", "soon", 1e300, "nan", None]
    put(warehouse, "1", *({"At": value} for value in values))
    build_typed_views(warehouse, {"crm": [FieldMapping("Contact", "At", "timestamp")]})
    assert columns(warehouse) == {"At": "TIMESTAMP WITH TIME ZONE"}
    moment = datetime(2023, 1, 3, tzinfo=UTC)
    assert [at for (at,) in warehouse.rows('SELECT "At" FROM crm.contact ORDER BY _external_id')] == [
        *(moment, moment, moment.replace(microsecond=500_000), moment, moment),
        *(None, None, None, None),
    ]


def test_what_does_not_fit_its_column_is_still_beside_it(warehouse: Warehouse) -> None:
    put(warehouse, "1", {"N": "not a number"})
    build_typed_views(warehouse, {"crm": [FieldMapping("Contact", "N", "number")]})
    assert warehouse.rows("SELECT N, _payload->>'N' FROM crm.contact") == [(None, "not a number")]


def test_views_work_in_the_published_copy_even_under_the_tenants_own_name(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.ensure_tables()
        warehouse.execute(
            "INSERT INTO raw.entity VALUES ('acme', 'x', 'Contact', 'contact', now()); CREATE SCHEMA raw_acme;"
            "CREATE TABLE raw_acme.contact AS SELECT '1' AS external_id, now() AS source_updated_at,"
            " false AS is_deleted, '{\"Id\":\"1\"}'::JSON AS payload, now() AS synced_at, '1' AS _dlt_load_id"
        )
        build_typed_views(warehouse)
    publish(settings, "acme")
    with open_published(settings, "acme") as published:
        assert published.rows("SELECT Id FROM acme.contact") == [("1",)]


@pytest.mark.parametrize(
    ("one", "other", "both"),
    [
        ("integer", "number", "number"),
        ("null", "boolean", "boolean"),
        ("null", "null", "null"),
        ("timestamp", "string", "string"),
        ("boolean", "integer", "string"),
        ("json", "string", "json"),
        ("object", "null", "object"),
        ("object", "string", "json"),
    ],
)
def test_kinds_widen_and_never_narrow(one: str, other: str, both: str) -> None:
    assert merge_kinds(one, other) == merge_kinds(other, one) == both
