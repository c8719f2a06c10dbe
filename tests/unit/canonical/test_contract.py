"""The canonical model is defined once; what derives from it follows, and a frame that breaks it is told how."""

from __future__ import annotations

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from quality.canonical import Kind, columns, contract, ddl, describe, failures, suspects
from quality.canonical.contract import BOOKKEEPING, ContractError

ROOT = Path(__file__).parents[3]
COMMON = ["source", "external_id", "connector", "tenant_id", "source_updated_at", "is_deleted"]
FIELDS = {
    Kind.PERSON: ["email", "first_name", "last_name", "title", "phone", "account_external_id", "properties"],
    Kind.ACCOUNT: ["name", "domain", "industry", "employee_count", "annual_revenue", "properties"],
    Kind.ACTIVITY: ["type", "channel", "occurred_at", "person_external_id", "account_external_id", "properties"],
}
GOOD: dict[Kind, dict[str, Any]] = {
    Kind.PERSON: {"email": "a@b.co", "phone": "+12025550100"},
    Kind.ACCOUNT: {"name": "Acme", "domain": "acme.com", "employee_count": 5, "annual_revenue": 1.5},
    Kind.ACTIVITY: {"type": "call", "occurred_at": datetime(2026, 1, 1, tzinfo=UTC)},
}
POLARS: dict[str, Any] = {
    "VARCHAR": pl.String,
    "JSON": pl.String,
    "BIGINT": pl.Int64,
    "DOUBLE": pl.Float64,
    "BOOLEAN": pl.Boolean,
    "TIMESTAMPTZ": pl.Datetime("us", "UTC"),
}


def frame(kind: Kind, *rows: dict[str, Any]) -> pl.DataFrame:
    ours = {"source": "crm", "external_id": "1", "connector": "vendor", "tenant_id": "acme", "is_deleted": False}
    schema = {column.name: POLARS[column.type] for column in columns(kind)}
    return pl.DataFrame([{**dict.fromkeys(schema), **ours, **GOOD[kind], **row} for row in rows], schema=schema)


@pytest.mark.parametrize("kind", list(Kind))
def test_the_fields_are_those_every_consumer_counts_on(kind: Kind) -> None:
    assert [column.name for column in columns(kind)] == COMMON + FIELDS[kind]
    assert all(column.description for column in columns(kind))


@pytest.mark.parametrize(
    ("kind", "required"), [(Kind.PERSON, set()), (Kind.ACCOUNT, {"name"}), (Kind.ACTIVITY, {"type", "occurred_at"})]
)
def test_the_required_fields_are_few(kind: Kind, required: set[str]) -> None:
    mapped = {column.name for column in columns(kind) if column.is_required and column.is_mapped}
    assert mapped == required | {"external_id"}


@pytest.mark.parametrize("kind", list(Kind))
def test_the_ddl_makes_a_table_with_the_columns_and_their_bookkeeping(kind: Kind) -> None:
    connection = duckdb.connect()
    connection.execute("CREATE SCHEMA canonical")
    connection.execute(ddl(kind))
    connection.execute(ddl(kind))
    made = connection.execute(
        "SELECT column_name, data_type, is_nullable FROM duckdb_columns() WHERE table_name = ? ORDER BY column_index",
        [kind],
    ).fetchall()
    assert [name for name, _, _ in made] == COMMON + FIELDS[kind] + list(BOOKKEEPING)
    types = {
        name: (type_.replace("TIMESTAMP WITH TIME ZONE", "TIMESTAMPTZ"), nullable) for name, type_, nullable in made
    }
    assert all(types[c.name] == (c.type, not c.is_required) for c in columns(kind))


@pytest.mark.parametrize("kind", list(Kind))
def test_the_docs_say_what_the_model_says(kind: Kind) -> None:
    assert describe(kind) in (ROOT / "docs" / "mappings.md").read_text()


@pytest.mark.parametrize("kind", list(Kind))
def test_a_good_row_breaks_nothing(kind: Kind) -> None:
    assert failures(kind, frame(kind, {})).is_empty()
    assert failures(kind, frame(kind)).is_empty()


@pytest.mark.parametrize(
    ("kind", "row", "field", "rule"),
    [
        (Kind.PERSON, {"external_id": None}, "external_id", "required"),
        (Kind.PERSON, {"external_id": ""}, "external_id", "length"),
        (Kind.PERSON, {"external_id": "x" * 513}, "external_id", "length"),
        (Kind.PERSON, {"email": "A@b.co"}, "email", "format"),
        (Kind.PERSON, {"email": "a@b"}, "email", "format"),
        (Kind.PERSON, {"phone": "2025550100"}, "phone", "format"),
        (Kind.PERSON, {"last_name": "x" * 301}, "last_name", "length"),
        (Kind.PERSON, {"tenant_id": None}, "tenant_id", "required"),
        (Kind.PERSON, {"is_deleted": None}, "is_deleted", "required"),
        (Kind.ACCOUNT, {"name": None}, "name", "required"),
        (Kind.ACCOUNT, {"domain": "https://acme.com"}, "domain", "format"),
        (Kind.ACCOUNT, {"employee_count": -1}, "employee_count", "range"),
        (Kind.ACCOUNT, {"annual_revenue": 1e16}, "annual_revenue", "range"),
        (Kind.ACTIVITY, {"type": None}, "type", "required"),
        (Kind.ACTIVITY, {"occurred_at": None}, "occurred_at", "required"),
        (Kind.ACTIVITY, {"occurred_at": datetime(1800, 1, 1, tzinfo=UTC)}, "occurred_at", "range"),
        (Kind.ACTIVITY, {"occurred_at": datetime(2200, 1, 1, tzinfo=UTC)}, "occurred_at", "range"),
    ],
)
def test_a_broken_rule_names_row_field_and_rule(kind: Kind, row: dict[str, Any], field: str, rule: str) -> None:
    found = failures(kind, frame(kind, {}, row, {}))
    assert [(1, field, rule)] == found.select("row", "field", "rule").rows()


@pytest.mark.parametrize(
    "spoiled",
    [
        lambda rows: rows.drop("email"),
        lambda rows: rows.with_columns(more=pl.lit(1)),
        lambda rows: rows.with_columns(email=pl.lit(5)),
    ],
)
def test_a_frame_of_another_shape_is_our_fault_not_the_datas(spoiled: Any) -> None:
    with pytest.raises(ContractError, match="not of the contract's shape"):
        failures(Kind.PERSON, spoiled(frame(Kind.PERSON, {})))


TEXTS = st.one_of(
    st.none(),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=6),
    st.builds(
        lambda letter, times: letter * times, st.sampled_from("aé李😀"), st.sampled_from([16, 253, 300, 512, 513])
    ),
    st.builds(
        "{}@{}".format, st.text(st.sampled_from("aZ.é_- "), max_size=4), st.sampled_from(["b.co", "b", "é.xn--a"])
    ),
    st.builds("{}{}".format, st.sampled_from(["+", "", "+0", "acme."]), st.sampled_from(["12025550100", "co", "a\n"])),
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "VARCHAR": TEXTS,
    "JSON": st.sampled_from([None, "{}", '{"a": 1}']),
    "BIGINT": st.none() | st.sampled_from([-1, 0, 100_000_000, 100_000_001]) | st.integers(-(2**63), 2**63 - 1),
    "DOUBLE": st.none() | st.sampled_from([-0.0, 1e15, 1.1e15]) | st.floats(),
    "BOOLEAN": st.sampled_from([None, True, False]),
    "TIMESTAMPTZ": st.none()
    | st.sampled_from([datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC)])
    | st.datetimes(timezones=st.just(UTC)),
}


@pytest.mark.parametrize("kind", list(Kind))
@settings(deadline=None, max_examples=6)
@given(data=st.data())
def test_sql_suspects_the_rows_the_contract_finds_fault_with_and_no_others(kind: Kind, data: st.DataObject) -> None:
    values = {column.name: data.draw(st.lists(VALUES[column.type], min_size=9, max_size=9)) for column in columns(kind)}
    rows = frame(kind, *({name: value} for name, drawn in values.items() for value in drawn)).with_row_index("place")
    with duckdb.connect() as connection:
        connection.register("given", rows.to_arrow())
        suspected = connection.sql(f"SELECT place FROM given WHERE {suspects(kind)} ORDER BY place").fetchall()
    found = failures(kind, rows.drop("place"))
    assert [place for (place,) in suspected] == sorted(set(found["row"]))


def test_a_check_that_sql_cannot_say_has_every_row_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(contract.BREAKS, "str_matches")
    assert "true" in contract.suspects.__wrapped__(Kind.PERSON).split(" OR ")
    assert "true" not in suspects(Kind.PERSON).split(" OR ")


def test_the_package_loads_without_pandera() -> None:
    """Definitions and the command line import it; 0.6 s is more than they may spend."""
    program = "import sys, quality.canonical; sys.exit('pandera' in sys.modules or 'polars' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
