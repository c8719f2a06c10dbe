"""What people read is asked where it is stored: the same answers from both databases, and faults in words."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from gtm_pipelines.cli import quarantine, query
from gtm_pipelines.cli.demo_report import _sizes, most_merged
from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.mapping_paths import _EXISTS
from gtm_pipelines.marts import build_marts
from gtm_pipelines.refresh import _QUARANTINED, _row_counts
from gtm_pipelines.resolution import why
from gtm_pipelines.sandbox import judge
from gtm_pipelines.sandbox.ground_truth import Truth
from gtm_pipelines.settings import Settings
from gtm_pipelines.tenancy import TenantId
from gtm_pipelines.warehouse import (
    Dialect,
    WarehouseBusyError,
    WarehouseError,
    WarehouseRefusedError,
    open_published,
    publish,
)
from tests import warehouses
from tests.unit.resolution.tenant import open_tenant

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.warehouse import Served

ACME = TenantId("acme")
REFUSED = "INSERT INTO quality.quarantine BY NAME SELECT 'crm' AS connection, 'Contact' AS entity, '1' AS record_id,"
REFUSED += " 'format' AS rule, 'x' AS value, now() AS first_seen, now() AS last_seen"


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Settings]:
    """One tenant with two people and an account, in each warehouse."""
    made = {}
    for kind in warehouses.KINDS:
        url = warehouses.another() if kind == "postgres" else None
        made[kind] = Settings(home=tmp_path_factory.mktemp(kind), warehouse_url=url)
        with open_tenant(made[kind].home, warehouse_url=url) as tenant:
            tenant.person("crm", "ann", email="ann@acme.com", first_name="Ann", phone="+14155550100")
            tenant.person("mail", "ann@acme.com", email="ann@acme.com", phone="+14155550100")
            tenant.person("crm", "bob", first_name="Bob", is_deleted=True)
            tenant.account("crm", "acme", name="Acme", domain="acme.com")
            tenant.resolve()
            build_marts(tenant.warehouse)
            tenant.warehouse.execute(REFUSED)
        publish(made[kind], ACME)
    return made


@pytest.fixture(params=warehouses.KINDS)
def settings(request: pytest.FixtureRequest, both: dict[str, Settings]) -> Settings:
    """Where one of the two is."""
    return both[request.param]


@contextmanager
def published(both: dict[str, Settings]) -> Iterator[dict[str, Served]]:
    """Open what analysts see of both."""
    with ExitStack() as stack:
        yield {kind: stack.enter_context(open_published(each, ACME)) for kind, each in both.items()}


def test_a_person_is_explained_alike(both: dict[str, Settings]) -> None:
    told = []
    with published(both) as opened:
        for served in opened.values():
            ((person,),) = served.rows("SELECT person_id FROM golden.person WHERE email = ?", ["ann@acme.com"])
            told.append(why(served, person).model_dump(exclude={"asked", "person_id"}))
    assert told[0] == told[1]
    assert len(told[0]["records"]) == 2
    assert told[0]["keys"]


@pytest.mark.parametrize(
    "expression",
    [
        "CAST(1 AS INTEGER)",
        "CAST(1.5 AS DOUBLE PRECISION)",
        "sum(n)",
        "array_agg(n ORDER BY n)",
        "max(n) > 1",
        "CAST('2026-01-02' AS DATE)",
        "CAST('2026-01-02 03:04:05Z' AS TIMESTAMPTZ)",
        "CAST('2026-01-02 03:04:05' AS TIMESTAMP)",
        'CAST(\'{"b": 1,  "a": 2}\' AS JSON)',
        "CAST(NULL AS TEXT)",
        "CAST('00000000-0000-0000-0000-000000000001' AS UUID)",
    ],
)
def test_values_come_with_the_same_types(expression: str, both: dict[str, Settings]) -> None:
    sql = f"SELECT {expression} AS value FROM (SELECT 1 AS n UNION ALL SELECT 2) AS numbers"
    with published(both) as opened:
        duck, postgres = (served.rows(sql)[0][0] for served in opened.values())
        assert (
            str(duck) == str(postgres) if expression.endswith("UUID)") else (duck, type(duck)) == (postgres, type(duck))
        )
        assert opened["postgres"].polars(sql)["value"].to_list()[0] == postgres


@pytest.mark.parametrize("value", ["a", 7, 1.5, True, None, date(2026, 1, 2), datetime(2026, 1, 2, tzinfo=UTC), ["a"]])
def test_parameters_are_taken_by_place_and_by_name(value: object, both: dict[str, Settings]) -> None:
    with published(both) as opened:
        for served in opened.values():
            assert served.rows("SELECT ?, $$?$$", [value]) == [(value, "?")]
            assert served.rows("SELECT $it, $it", {"it": value}) == [(value, value)]


def test_the_catalogue_is_told_alike(both: dict[str, Settings]) -> None:
    with published(both) as opened:
        duck, postgres = (served.catalogue(["marts", "canonical"]) for served in opened.values())
        assert [column for column in postgres if column.table != "pending"] == duck
        assert opened["postgres"].columns("golden", "person") == opened["duckdb"].columns("golden", "person")


def test_an_analysts_query_is_answered(settings: Settings) -> None:
    columns, rows, more = query.run(settings, "acme", "select first_name, email from marts.person_360 p;", 1)
    assert (columns, rows, more) == (["first_name", "email"], [("Ann", "ann@acme.com")], False)
    columns, rows, _ = query.run(settings, "acme", "select email from marts.person_360 where email = 'nobody'", 1)
    assert (columns, rows) == (["email"], [])


def test_a_long_answer_is_not_read_to_its_end(settings: Settings) -> None:
    hundred = f"unnest(array[{', '.join(['1'] * 100)}])"
    endless = f"select 'a row of a hundred million' from {', '.join(f'{hundred} n{place}(n)' for place in range(4))}"
    columns, rows, more = query.run(settings, "acme", endless, 3)
    assert (len(columns), len(rows), more) == (1, 3, True)


@pytest.mark.parametrize(
    "sql",
    [
        "selec 1",
        "select 1; select 2",
        "select * from golden.nobody",
        "select * from quality.marts_built",
        "delete from golden.person",
        "create table marts.mine (a int)",
        "set a = 1",
    ],
)
def test_a_query_that_cannot_be_is_refused_in_words(sql: str, settings: Settings) -> None:
    with pytest.raises(UsageError, match="the SQL was refused: ") as refused:
        query.run(settings, "acme", sql, 1)
    assert "acme__" not in str(refused.value)


def test_the_quarantine_is_listed(settings: Settings) -> None:
    counts, entries = quarantine._read(settings, ACME, None, None, resolved=False, limit=5)
    assert counts == [("crm", "Contact", "format", "row", 1)]
    assert entries[0][:7] == ("crm", "Contact", "1", None, None, "format", "x")
    assert quarantine._read(settings, ACME, "mail", None, resolved=True, limit=5) == ([], [])


def test_the_demos_report_and_a_refreshs_counts_are_the_same(both: dict[str, Settings]) -> None:
    merged = [most_merged(each, ACME) for each in both.values()]
    assert [len(found.records) for found in merged if found is not None] == [2, 2]
    sizes = [_sizes(each, ACME) for each in both.values()]
    assert sizes[0] == sizes[1]
    assert (sizes[0]["canonical person"], sizes[0]["golden person"]) == (2, 1)
    with published(both) as opened:
        duck, postgres = ((served.rows(_QUARANTINED), _row_counts(served)) for served in opened.values())
    assert duck == postgres
    assert duck[0] == [(None, 1)]
    assert (duck[1]["golden.person"], duck[1]["marts.person_360"]) == (2, 1)


def test_a_matching_is_judged_alike(both: dict[str, Settings]) -> None:
    rows = [("salesforce", "ann", "p1"), ("customerio", "ann@acme.com", "p1"), ("salesforce", "bob", "p2")]
    records = [dict(zip(("connector", "external_id", "person_id"), row, strict=True)) for row in rows]
    none = pa.table({})
    truth = Truth(people=none, accounts=none, records=pa.Table.from_pylist(records))
    with published(both) as opened:
        for served in opened.values():
            found = judge(served, truth, "person")
            assert (found.overall.records, found.overall.precision, found.overall.recall) == (3, 1.0, 1.0)


def test_a_view_that_was_replaced_is_still_open_to_readers(both: dict[str, Settings]) -> None:
    settings = both["postgres"]
    for select, shown in (("SELECT 1 AS a, 2 AS b", (1, 2)), ("SELECT 3 AS b", (3,))):
        with open_tenant(settings.home, warehouse_url=settings.warehouse_url) as tenant:
            tenant.warehouse.served.replace_view("marts", "later", select)
        with open_published(settings, ACME) as served:
            assert served.rows("SELECT * FROM marts.later") == [shown]
    with open_tenant(settings.home, warehouse_url=settings.warehouse_url) as tenant:
        tenant.warehouse.served.execute("DROP VIEW marts.later")


def test_a_path_is_looked_for_in_payloads_alike(both: dict[str, Settings]) -> None:
    payload = """CAST('{"a": {"b c": 1}, "l": [{"x": 1}], "n": null}' AS {kind}) AS payload"""
    kinds = {Dialect.DUCKDB: "JSON", Dialect.POSTGRES: "JSONB"}
    with published(both) as opened:
        for served in opened.values():
            rows = f"(SELECT {payload.replace('{kind}', kinds[served.dialect])}) AS rows"
            asked = f"SELECT coalesce(bool_or({_EXISTS[served.dialect]}), false) FROM {rows}"
            found = [served.rows(asked, [path]) for path in ('$.a."b c"', "$.n", "$.a.x", "$.l.x")]
            assert found == [[(True,)], [(True,)], [(False,)], [(False,)]]


def test_a_reader_can_write_nothing_and_take_no_other_role(both: dict[str, Settings]) -> None:
    with open_published(both["postgres"], ACME) as served:
        for statement in ("DELETE FROM golden.person", "CREATE TABLE marts.x (a INT)"):
            with pytest.raises(WarehouseRefusedError, match="does not allow"):
                served.execute(statement)
        with pytest.raises(WarehouseRefusedError, match="only questions"):
            served.rows("SELECT set_config('role', 'none', false)")
        assert served.rows("SELECT count(*) FROM golden.person") == [(2,)]


def test_a_lock_that_is_held_too_long_is_a_reason_to_come_again(both: dict[str, Settings]) -> None:
    settings = both["postgres"]
    with (
        open_tenant(settings.home, warehouse_url=settings.warehouse_url) as tenant,
        open_published(settings, ACME) as served,
    ):
        served.execute("SET lock_timeout = '20ms'")
        with tenant.warehouse.transaction():
            tenant.warehouse.served.execute("LOCK TABLE golden.person")
            with pytest.raises(WarehouseBusyError, match="try again later"):
                served.rows("SELECT 1 FROM golden.person")
        assert served.rows("SELECT count(*) FROM golden.person") == [(2,)]


def test_a_session_that_is_lost_says_so(both: dict[str, Settings]) -> None:
    with open_published(both["postgres"], ACME) as served:
        ((session,),) = served.rows("SELECT pg_backend_pid()")
        with open_published(both["postgres"], ACME) as other:
            other.execute("RESET ROLE")
            other.execute(f"SELECT pg_terminate_backend({session})")
        for _ in range(2):
            with pytest.raises(WarehouseError, match="connection to the warehouse was lost"):
                served.rows("SELECT 1")
