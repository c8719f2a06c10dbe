"""Typed views show the same on Postgres as on DuckDB: the same columns, and row by row the same values."""

from __future__ import annotations

import json
from contextlib import ExitStack, contextmanager
from math import isnan
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pytest

from connectors.connector import FieldMapping
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from gtm_pipelines.warehouse.views import build_typed_views
from tests.warehouses import another

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from gtm_pipelines.warehouse import Warehouse

RAW = """
CREATE SCHEMA raw_crm;
CREATE TABLE raw_crm.ENTITY (external_id VARCHAR, source_updated_at TIMESTAMPTZ, is_deleted BOOLEAN, payload JSON,
    payload_hash VARCHAR, synced_at TIMESTAMPTZ, _dlt_load_id VARCHAR);
"""
KEYS = ["a.b", "a__b", "A_B", "a_b", "", "_empty", "select", "_external_id", "_payload", 'q"x', "it's", "s/l", "t~1"]
KEYS += [
    "é",
    "0",
    " ",
    "x;DROP TABLE raw.entity",
    "$.x",
    "*",
    "{}",
    "%s",
    "名",
    "Name",
    "name",
    "NAME",
    "golden.person",
]
DAYS: list[Any] = [
    "2026-01-02",
    "2026-1-2",
    "2026/01/02",
    "2026-01-02T03:04:05Z",
    "0001-01-01",
    "2026-02-30",
    "tomorrow",
    "",
    None,
]
TIMES: list[Any] = [
    "2026-01-02T03:04:05.1234567Z",
    "2026-01-02T03:04:05+0530",
    "2026-01-02 03:04",
    "2026-01-02T03:04:05.000+0000",
]
TIMES += [
    "2026-01-02T03:04:05-05",
    "2026-01-02",
    "now",
    "2026-01-02T03:04:61Z",
    "2026-13-01T00:00:00Z",
    "soon",
    "",
    None,
]
EPOCHS = [1672704000, 1672704000000, 1672704000.5, "1672704000", "2023-01-03T00:00:00Z", "soon", 1e300, "nan", -5, True]
NUMBERS = [7, "7.0", 7.5, 9007199254740993, "9223372036854775808", " 12 ", "1e5", "-0", "+5", ".5", "1.", "x", "", None]
NUMBERS += ["infinity", "on", "0x", "1,5", "9" * 40, "1e-3", True, [1], {"a": 1}]
TRUTHS = [True, False, "true", "T", "yes", "n", "on", "tr", " true", 1, 0, 2, "", None, []]
FIELDS: dict[str, list[Any]] = {
    "day": DAYS,
    "timestamp": TIMES,
    "epoch": EPOCHS,
    "integer": NUMBERS,
    "number": NUMBERS,
    "boolean": TRUTHS,
}
CATALOGUE = [FieldMapping("awkward", key, {"day": "date", "epoch": "timestamp"}.get(key, key)) for key in FIELDS]
CATALOGUE.append(FieldMapping("nested", "o.deep.er", "integer"))
BESIDE = {"_external_id", "_source_updated_at", "_is_deleted", "_synced_at", "_payload"}


@contextmanager
def warehouses(home: Path) -> Iterator[tuple[Warehouse, Warehouse]]:
    """Open one warehouse of each kind."""
    with ExitStack() as stack:
        settings = [Settings(home=home / "duck"), Settings(home=home / "pg", warehouse_url=another())]
        on_duck, on_postgres = [stack.enter_context(open_warehouse(each, "acme")) for each in settings]
        yield on_duck, on_postgres


def land(warehouse: Warehouse, entity: str, payloads: Sequence[Any]) -> None:
    """Store payloads as a sync would."""
    warehouse.ensure_tables()
    for statement in RAW.replace("ENTITY", entity).replace("SCHEMA", "SCHEMA IF NOT EXISTS").split(";")[:-1]:
        warehouse.execute(statement)
    rows = {
        "external_id": [f"{number:04}" for number, _ in enumerate(payloads)],
        "payload": [None if payload is None else json.dumps(payload) for payload in payloads],
    }
    with warehouse.registered("landed", pa.table(rows)), warehouse.transaction():
        warehouse.execute("INSERT INTO raw.entity VALUES ('crm', 'salesforce', ?, ?, now())", [entity, entity])
        warehouse.execute(
            f"INSERT INTO raw_crm.{entity} BY NAME"
            " SELECT external_id, false AS is_deleted, payload, '' AS payload_hash, '1' AS _dlt_load_id FROM landed"
        )


def build(warehouse: Warehouse, *fields: FieldMapping) -> list[tuple[str, str]]:
    """Bring the views up to date."""
    return build_typed_views(warehouse, {"crm": [*CATALOGUE, *fields]})


def shown(warehouse: Warehouse, entity: str) -> list[dict[str, Any]]:
    """Return the view's rows; JSON as what it says, for Postgres writes it with other blanks and digits."""
    kinds = warehouse.served.columns("crm", entity)
    rows = warehouse.served.rows(f"SELECT * FROM crm.{entity} ORDER BY _external_id")
    return [
        {
            name: json.loads(value, parse_int=float) if kinds[name] == "JSON" and value else told(value)
            for name, value in zip(kinds, row, strict=True)
        }
        for row in rows
    ]


def told(value: Any) -> Any:
    """Return a value that equals itself, which nan does not."""
    return "nan" if isinstance(value, float) and isnan(value) else value


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Warehouse, Warehouse]]:
    """The same payloads in both warehouses, with their views."""
    lengths = max(map(len, FIELDS.values()))
    awkward = [
        {key: values[number] for key, values in FIELDS.items() if number < len(values)} for number in range(lengths)
    ]
    keyed = [{key: number for number, key in enumerate(KEYS)}, {"Name": "x"}, None, {}]
    nested = [
        {
            "o": {"e": "a@x.example", "when": "2026-01-02T03:04:05Z", "deep": {"er": 1}},
            "list": [1, {"a": None}],
            "n": None,
        },
        {"o": {"e": None, "q'\"/~": 1.0}, "list": None, "big": 123456789012345678, "half": 1.5},
        {"o": None, "list": [], "mixed": {"a": 1}},
        {"mixed": "text", "text": "NULL", "half": 2},
    ]
    with warehouses(tmp_path_factory.mktemp("views")) as opened:
        for each in opened:
            for entity, payloads in (("awkward", awkward), ("keyed", keyed), ("nested", nested)):
                land(each, entity, payloads)
            build(each)
        yield opened


@pytest.mark.parametrize("entity", ["awkward", "nested"])
def test_a_view_shows_the_same_on_both(entity: str, both: tuple[Warehouse, Warehouse]) -> None:
    on_duck, on_postgres = (each.served.columns("crm", entity) for each in both)
    assert on_duck == on_postgres  # whatever their order
    for expected, found in zip(*(shown(each, entity) for each in both), strict=True):
        assert found == expected


def test_every_key_is_a_column_of_its_own_on_both(both: tuple[Warehouse, Warehouse]) -> None:
    for warehouse in both:
        first, *_ = shown(warehouse, "keyed")
        values = [int(value) for name, value in first.items() if name not in BESIDE]
        assert sorted(values) == list(range(len(KEYS)))


def test_names_too_long_for_postgres_are_shortened_and_stay_apart(both: tuple[Warehouse, Warehouse]) -> None:
    _, warehouse = both
    long = ["k" * 63, "k" * 64, "k" * 64 + "x", "é" * 40, "é" * 40 + "e", {"deep" * 10: {"er" * 20: 1}}]
    flat = {key: number for number, key in enumerate(long[:5])} | {"o" * 30: long[5]}
    land(warehouse, "long", [flat])
    build(warehouse)
    columns = list(warehouse.served.columns("crm", "long"))
    assert all(len(name.encode()) <= 63 for name in columns)
    (found,) = shown(warehouse, "long")
    assert sorted(value for value in found.values() if type(value) is int) == [0, 1, 2, 3, 4]
    assert build(warehouse) == []


def test_a_view_on_postgres_has_no_more_columns_than_postgres_takes(both: tuple[Warehouse, Warehouse]) -> None:
    _, warehouse = both
    land(warehouse, "wide", [{"id": 1, "late": 2}])
    build(warehouse, *(FieldMapping("wide", f"f{number:04}", "string") for number in range(1_700)))
    assert len(warehouse.served.columns("crm", "wide")) == 1_600
    (found,) = shown(warehouse, "wide")
    assert found["_payload"] == {"id": 1, "late": 2}


def test_a_moment_without_a_zone_is_one_of_utc_in_any_session(both: tuple[Warehouse, Warehouse]) -> None:
    _, warehouse = both
    query = "SELECT count(*) FROM crm.awkward WHERE timestamp = TIMESTAMPTZ '2026-01-02 03:04:00Z'"
    with warehouse.transaction():
        warehouse.served.execute("SET LOCAL TimeZone = 'Asia/Tokyo'")
        assert warehouse.served.rows(query) == [(1,)]


def test_views_of_what_is_gone_go_with_their_schema(both: tuple[Warehouse, Warehouse]) -> None:
    for warehouse in both:
        build_typed_views(warehouse, connections=[])
        assert warehouse.served.catalogue(["crm"]) == []
        assert warehouse.rows("SELECT count(*) FROM raw.field") == [(0,)]
        build(warehouse)
        assert warehouse.served.has_table("crm", "awkward")
