"""Tables of an earlier release: what our definitions bring them in step with, on either warehouse."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseError, open_warehouse, sql_files

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_pipelines.warehouse import Warehouse

BEFORE = "CREATE SCHEMA golden; CREATE TABLE golden.thing (id VARCHAR NOT NULL, old VARCHAR NOT NULL, size BIGINT)"
NOW = (
    "CREATE SCHEMA IF NOT EXISTS golden; CREATE TABLE IF NOT EXISTS golden.thing"
    " (id VARCHAR NOT NULL, since TIMESTAMPTZ NOT NULL, size BIGINT, more JSON,"
    " status VARCHAR NOT NULL DEFAULT 'open')"
)


BY_POSITION = re.compile(
    r"INSERT (?:OR REPLACE )?INTO ((?:golden|canonical|quality|raw)\.[\w{}]+)(?!\s*(?:BY NAME|\()|[\w{}])"
)
ADDED = {"since": "TIMESTAMP WITH TIME ZONE", "more": "JSON", "status": "VARCHAR"}


@pytest.fixture
def settings(tmp_path: Path, warehouse_url: str | None) -> Settings:
    settings = Settings(home=tmp_path, warehouse_url=warehouse_url)
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.execute(BEFORE)
        warehouse.execute("INSERT INTO golden.thing VALUES ('a', 'kept', 1)")
    return settings


def define_and_fail(warehouse: Warehouse) -> None:
    with warehouse.transaction():
        warehouse.define(NOW)
        raise ZeroDivisionError


def test_what_a_table_lacks_is_added_and_what_is_no_longer_ours_may_be_empty(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.define(NOW)
        warehouse.execute("INSERT INTO golden.thing (id, since, more) VALUES ('b', '2026-01-01T00:00:00Z', '{}')")
    with open_warehouse(settings, "acme") as warehouse:
        warehouse.define(NOW)
        assert warehouse.columns("golden", "thing").items() >= ADDED.items()
        assert warehouse.served.rows("SELECT id, old, size, status, since IS NULL FROM golden.thing ORDER BY id") == [
            ("a", "kept", 1, "open", True),
            ("b", None, None, "open", False),
        ]


def test_a_table_is_brought_in_step_inside_a_transaction_or_not_at_all(settings: Settings) -> None:
    with open_warehouse(settings, "acme") as warehouse:
        with pytest.raises(ZeroDivisionError):
            define_and_fail(warehouse)
        assert not ADDED.keys() & warehouse.columns("golden", "thing").keys()
        with warehouse.transaction():
            warehouse.define(NOW)
            warehouse.execute("INSERT INTO golden.thing (id, since) VALUES ('b', '2026-01-01T00:00:00Z')")
        assert warehouse.rows("SELECT count(*) FROM golden.thing") == [(2,)]


def test_a_column_of_another_type_is_named_and_nothing_is_changed(settings: Settings) -> None:
    other = NOW.replace("size BIGINT", "size DOUBLE")
    with open_warehouse(settings, "acme") as warehouse:
        with pytest.raises(WarehouseError, match=r"golden\.thing\.size is BIGINT in the warehouse and DOUBLE in this"):
            warehouse.define(other)
        assert warehouse.served.rows("SELECT old FROM golden.thing") == [("kept",)]
        assert not ADDED.keys() & warehouse.served.columns("golden", "thing").keys()


def test_no_statement_relies_on_the_order_of_a_stored_tables_columns() -> None:
    """What a release added stands last in a table of an earlier one."""
    places = [*sql_files.FOLDER.rglob("*.sql"), *(sql_files.FOLDER.parent / "gtm_pipelines").rglob("*.py")]
    texts = {place.name: place.read_text(encoding="utf-8") for place in places}
    found = [(name, table) for name, text in texts.items() for table in BY_POSITION.findall(text)]
    assert any("INSERT INTO golden." in text for text in texts.values())
    assert not [(name, table) for name, table in found if not table.endswith("_rule")]  # those are made anew each time
