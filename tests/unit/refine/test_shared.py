"""Rows that many records name: one stands for them, the others are no fault, and who came first decides nothing."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gtm_pipelines.refine import Reconciled, check_contract, reconcile
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import open_warehouse
from tests import warehouses
from tests.unit.refine.bench import START, TOMBSTONE, Bench
from tests.warehouses import DUCKDB_ALONE

MAPPING = """
entities:
  Event:
    - {target: person, shared: true, for_each: who, external_id: "@.key", fields: {last_name: "@.name"}}
    - {target: activity, external_id: id, fields: {type: {const: meeting}, occurred_at: at}}
  Mail:
    - {target: person, shared: true, external_id: key, fields: {last_name: name}}
"""
ROOT = Path(__file__).parents[3]
LATER, LATEST = START + timedelta(days=1), START + timedelta(days=2)


def event(*people: tuple[str, str]) -> dict[str, Any]:
    return {"id": "e", "at": "2026-01-01", "who": [{"key": key, "name": name} for key, name in people]}


def mail(key: str, name: str) -> dict[str, Any]:
    return {"key": key, "name": name}


def claims(bench: Bench) -> list[tuple[Any, ...]]:
    return bench.table("SELECT entity, record_id, external_id FROM quality.shared_claim ORDER BY ALL")


def is_at_rest(bench: Bench) -> bool:
    """Nothing is due, every record is answered for, and refining again does nothing."""
    nothing_due = bench.table("SELECT count(*) FROM quality.shared_due") == [(0,)]
    return nothing_due and not bench.refine(MAPPING).entities and {e.missing for e in reconcile(bench.warehouse)} == {0}


@pytest.mark.parametrize("first", ["a", "b"])
def test_the_newest_record_stands_for_a_shared_row_whoever_came_first(bench: Bench, first: str) -> None:
    records = {"a": (mail("k", "Old"), START), "b": (mail("k", "New"), LATER)}
    for key in sorted(records, key=lambda key: key != first):
        bench.land("Mail", {key: records[key][0]}, at=records[key][1])
        bench.refine(MAPPING)
    assert bench.live("person", "last_name", "_record_id") == [("k", "New", "b")]
    assert claims(bench) == [("Mail", "a", "k")]
    assert bench.quarantine() == []
    assert reconcile(bench.warehouse) == [
        Reconciled("crm", "Mail", raw=2, canonical=1, quarantine=0, unmapped=1, missing=0)
    ]
    assert bench.table("SELECT record_id, reason FROM quality.unmapped") == [("a", "shared")]
    assert is_at_rest(bench)


def test_of_records_of_one_moment_the_smallest_id_stands(bench: Bench) -> None:
    for key in ("b", "c", "a"):
        bench.land("Mail", {key: mail("k", key)})
        bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "a")]
    assert [record for _, record, _ in claims(bench)] == ["b", "c"]


@pytest.mark.parametrize("gone", [TOMBSTONE, mail("other", "New")])
def test_when_the_first_goes_the_next_takes_over_and_no_other_is_read(bench: Bench, gone: Any) -> None:
    bench.land("Mail", {str(n): mail("k", f"N{n}") for n in range(9)})
    bench.land("Mail", {"x": mail("k", "Next")}, at=LATER)
    bench.land("Mail", {"y": mail("k", "First")}, at=LATEST)
    bench.refine(MAPPING)
    bench.take_pending()
    bench.land("Mail", {"y": gone}, at=LATEST)
    report = bench.refine(MAPPING)
    assert report.total().read == 2, "the record that went and the one that takes over"
    assert bench.live("person", "last_name")[0] == ("k", "Next")
    assert ("person", "k") in bench.take_pending()
    assert len(claims(bench)) == 9
    assert is_at_rest(bench)


def test_a_first_record_that_grows_older_yields(bench: Bench) -> None:
    bench.land("Mail", {"a": mail("k", "A")}, at=LATER)
    bench.land("Mail", {"b": mail("k", "B")}, at=LATEST)
    bench.refine(MAPPING)
    bench.land("Mail", {"b": mail("k", "B")}, at=START)
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "A")]
    assert claims(bench) == [("Mail", "b", "k")]
    assert is_at_rest(bench)


@pytest.mark.parametrize(("owner", "heir"), [("Event", "Mail"), ("Mail", "Event")])
def test_records_of_two_entities_share_a_row(bench: Bench, owner: str, heir: str) -> None:
    made = {"Event": event(("k", "Event")), "Mail": mail("k", "Mail")}
    bench.land(owner, {"1": made[owner]}, at=LATER)
    bench.land(heir, {"2": made[heir]})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", owner)]
    assert bench.quarantine() == []
    bench.land(owner, {"1": made[owner]}, at=LATER, deleted=True)
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", heir)]
    assert is_at_rest(bench)


def test_a_row_is_deleted_with_the_last_record_that_names_it(bench: Bench) -> None:
    both = {"a": mail("k", "A"), "b": mail("k", "B")}
    bench.land("Mail", both)
    bench.refine(MAPPING)
    bench.land("Mail", {"a": both["a"]}, deleted=True)
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "B")]
    bench.land("Mail", {"b": both["b"]}, deleted=True)
    bench.refine(MAPPING)
    assert (bench.live("person"), bench.gone("person")) == ([], ["k"])
    assert is_at_rest(bench)


def test_an_heir_that_was_erased_does_not_stand_in_the_way_of_the_next(bench: Bench) -> None:
    for record, at in {"a": START, "b": LATER, "c": LATEST}.items():
        bench.land("Mail", {record: mail("k", record)}, at=at)
    bench.refine(MAPPING)
    bench.warehouse.execute("DELETE FROM raw_crm.mail WHERE external_id = 'b'")
    bench.land("Mail", {"c": TOMBSTONE})
    bench.refine(MAPPING)
    assert bench.live("person", "last_name") == [("k", "a")]
    bench.refine(MAPPING, full=True)
    assert claims(bench) == []
    assert is_at_rest(bench)


@DUCKDB_ALONE
def test_what_one_record_says_twice_of_a_shared_row_is_no_fault(bench: Bench) -> None:
    bench.land("Event", {"1": event(("k", "A"), ("k", "B"), ("l", "L"))})
    bench.refine(MAPPING)
    assert [key for key, *_ in bench.live("person")] == ["k", "l"]
    assert claims(bench) == bench.quarantine() == []


@pytest.mark.parametrize("first", ["Mail", "User"])
def test_a_record_that_shares_nothing_goes_before_all_that_do(bench: Bench, first: str) -> None:
    mapping = MAPPING + "  User:\n    - {target: person, external_id: key, fields: {last_name: name}}\n"
    for entity in sorted(["Mail", "User"], key=lambda entity: entity != first):
        bench.land(entity, {"1": mail("k", entity)}, at=LATEST if entity == "Mail" else START)
        bench.refine(mapping)
    assert bench.live("person", "last_name") == [("k", "User")]
    assert bench.quarantine() == []
    assert {entity.missing for entity in reconcile(bench.warehouse)} == {0}
    bench.land("User", {"1": TOMBSTONE})
    bench.refine(mapping)
    assert bench.live("person", "last_name") == [("k", "Mail")]


def test_a_mapping_that_comes_to_share_takes_its_refusals_back(bench: Bench) -> None:
    strict = MAPPING.replace("shared: true, ", "")
    bench.land("Mail", {"a": mail("k", "A"), "b": mail("k", "B")})
    bench.refine(strict)
    assert [rule for *_, rule, _, _ in bench.quarantine()] == ["duplicate_key"]
    bench.refine(MAPPING)
    assert bench.quarantine() == []
    bench.refine(strict)
    assert [rule for *_, rule, _, _ in bench.quarantine()] == ["duplicate_key"]
    assert claims(bench) == []


@DUCKDB_ALONE
def test_a_mail_in_two_mailboxes_is_one_activity_of_one_person_and_no_fault(bench: Bench) -> None:
    mapping = (ROOT / "connectors/vendors/microsoft365/mapping.yml").read_text()
    ann = {"address": "ann@x.test", "name": "Roe, Ann", "part": "sender"}
    sent = {"internetMessageId": "<1>", "receivedDateTime": "2026-01-01T10:00:00Z", "externalPeople": [ann]}
    bench.land("messages", {"box1/m": sent, "box2/m": sent})
    bench.refine(mapping)
    assert bench.live("person", "first_name", "last_name") == [("ann@x.test", "Ann", "Roe")]
    assert bench.live("activity", "person_external_id") == [("<1> ann@x.test", "ann@x.test")]
    assert bench.quarantine() == []


COLUMNS = ("last_name", "source_updated_at", "_entity", "_record_id", "_row_hash")


def _record(chance: random.Random, entity: str) -> Any:
    keys = [(f"k{chance.randrange(4)}", f"name {chance.randrange(3)}") for _ in range(chance.randrange(4))]
    if entity == "Mail":
        return TOMBSTONE if chance.random() < 0.15 else mail(*(keys or [("k0", "x")])[0])
    return TOMBSTONE if chance.random() < 0.15 else event(*keys) | {"id": str(chance.random())}


def _outcome(bench: Bench) -> list[Any]:
    """Everything live, and what claims stand behind it; what is deleted depends on what was seen before."""
    stands = bench.table(
        "SELECT entity, record_id, external_id FROM quality.shared_claim WHERE NOT is_deleted ORDER BY ALL"
    )
    return [bench.live("person", *COLUMNS), bench.live("activity", *COLUMNS[1:]), stands, bench.quarantine()]


@pytest.mark.parametrize(("seed", "kind"), [(0, "duckdb"), (3, "postgres")])
def test_any_order_of_arrival_ends_where_a_fresh_start_does(tmp_path: Path, seed: int, kind: str) -> None:
    """On Postgres also against DuckDB, where the fresh start is."""
    chance = random.Random(seed)
    newest: dict[tuple[str, str], tuple[Any, bool, datetime]] = {}
    with open_warehouse(Settings(home=tmp_path / "one", warehouse_url=warehouses.address(kind)), "acme") as warehouse:
        warehouse.ensure_tables()
        bench = Bench(warehouse)
        for _ in range(8):
            for _ in range(chance.randrange(1, 4)):
                entity, key = chance.choice(["Event", "Mail"]), str(chance.randrange(6))
                version = _record(chance, entity), chance.random() < 0.2, START + timedelta(days=chance.randrange(4))
                newest[entity, key] = version
                bench.land(entity, {key: version[0]}, deleted=version[1], at=version[2])
            bench.refine(MAPPING, chunk=chance.choice([1, 2, 100]))
            assert {entity.missing for entity in reconcile(bench.warehouse)} == {0}
        assert is_at_rest(bench)
        assert check_contract(warehouse, "person") == []
        incremental = _outcome(bench)
        bench.refine(MAPPING, full=True, chunk=2)
        assert _outcome(bench) == incremental
    with open_warehouse(Settings(home=tmp_path / "other"), "acme") as warehouse:
        warehouse.ensure_tables()
        fresh = Bench(warehouse)
        for (entity, key), (record, deleted, at) in newest.items():
            fresh.land(entity, {key: record}, deleted=deleted, at=at)
        fresh.refine(MAPPING)
        assert _outcome(fresh) == incremental
