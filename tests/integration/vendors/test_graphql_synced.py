"""Sources whose entities are a connection's own words, through the one function: vault, sync, raw tables, views."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from pydantic import SecretStr

from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.sandbox.vendors.sql import database
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests.worlds import put_world

_OWN = """
teams:
  query: "query ($first: Int!, $after: String) { companies(first: $first, after: $after) { nodes { id name updatedAt }
    pageInfo { hasNextPage endCursor } } }"
  items: data.companies.nodes
"""
Stage = tuple[Settings, ControlPlane, str, Path]


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    worlds = tmp_path / "worlds"
    put_world(worlds, "acme", size=120, seed=5, vendors=("graphql", "sql"))
    with sandbox.running(worlds) as url:
        settings = Settings(
            home=tmp_path / "home",
            encryption_key=SecretStr("5a" * 32),
            sandbox_url=url,
            private_databases=(str(worlds),),
        )
        with open_control_plane(settings) as control:
            control.add_tenant("acme")
            yield settings, control, url, worlds


def test_queries_are_followed_and_one_of_a_connections_own_is_a_table_beside_them(stage: Stage) -> None:
    settings, control, url, _ = stage
    account = sandbox.accounts(url, "acme")["graphql"]
    queries = account.settings["queries"] + _OWN
    control.add_connection("acme", "product", "graphql", {**account.settings, "queries": queries}, account.credentials)
    first = sync_connection(settings, control, "acme", "product")
    assert (first.status, sorted(first.entities)) == ("ok", ["accounts", "activities", "people", "teams"])
    assert sync_connection(settings, control, "acme", "product").changed == 0
    httpx.post(f"{url}/acme/_advance?steps=2", trust_env=False, timeout=60).raise_for_status()
    moved = sync_connection(settings, control, "acme", "product")
    assert moved.status == "ok"
    assert moved.changed
    assert sync_connection(settings, control, "acme", "product", mode="full").changed == 0
    with open_warehouse(settings, "acme") as warehouse:
        assert ("product", "teams") in warehouse.raw_entities()


def test_tables_are_followed_and_a_row_that_is_gone_is_found_by_the_full_sync(stage: Stage) -> None:
    settings, control, url, worlds = stage
    account = database.connected(worlds, "acme")
    tables = account.settings["tables"] + "calls: {table: activities, cursor: id, overlap: 10}\n"
    control.add_connection("acme", "office", "sql", {**account.settings, "tables": tables}, account.credentials)
    first = sync_connection(settings, control, "acme", "office")
    assert (first.status, sorted(first.entities)) == ("ok", ["accounts", "activities", "calls", "people"])
    assert sync_connection(settings, control, "acme", "office").changed == 0
    httpx.post(f"{url}/acme/_advance?steps=2", trust_env=False, timeout=60).raise_for_status()
    moved = sync_connection(settings, control, "acme", "office")
    assert moved.entities["people"].updated
    whole = sync_connection(settings, control, "acme", "office", mode="full")
    assert whole.status == "ok"
    assert whole.entities["people"].deleted == 0
    assert whole.entities["activities"].deleted > 0


def test_a_connections_own_word_opens_neither_the_control_plane_nor_a_file_nobody_allowed(stage: Stage) -> None:
    settings, control, _, worlds = stage
    account = database.connected(worlds, "acme")
    tables = "tenants: {table: tenant, key: id, cursor: null}"
    chosen = {**account.settings, "tables": tables}
    control.add_connection("acme", "planes", "sql", chosen, {"dsn": f"sqlite:///{settings.home / 'control.db'}"})
    control.add_connection("acme", "office", "sql", account.settings, account.credentials)
    all_allowed = settings.model_copy(update={"private_databases": ("/",)})
    not_allowed = settings.model_copy(update={"private_databases": ()})
    for given, connection in ((settings, "planes"), (all_allowed, "planes"), (not_allowed, "office")):
        report = sync_connection(given, control, "acme", connection)
        faults = [fault for each in report.entities.values() for fault in each.errors]
        assert {fault.code for fault in faults} == {"egress_refused"}
        assert all("GTM_PRIVATE_DATABASES" in fault.message for fault in faults)
