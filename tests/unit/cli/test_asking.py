"""An analyst's SQL on the published copy, from the command line."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.cli.exits import Exit

if TYPE_CHECKING:
    from .conftest import Gtm


@pytest.mark.parametrize(
    "sql",
    [
        "delete from golden.person",
        "create table golden.mine as select 1",
        "select * from read_csv('/etc/passwd')",
        "copy golden.person to '/tmp/stolen.csv'",
        "set enable_external_access = true",
        "selec 1",
    ],
)
def test_a_query_reads_and_nothing_else(gtm: Gtm, refined: Path, sql: str) -> None:
    done = gtm("query", "acme", sql)
    assert done.code == Exit.USAGE, done.out
    assert done.err.startswith("error: the SQL was refused")
    assert not Path("/tmp/stolen.csv").exists()  # noqa: S108  must not appear
    assert refined.exists()


def test_a_query_shows_no_more_than_asked_for(gtm: Gtm, refined: Path) -> None:
    done = gtm("query", "acme", "select * from range(5)", "--limit", "2", "--json")
    assert len(done.json) == 2
    assert "first 2 rows" in done.err
    assert refined.exists()


def test_a_row_too_wide_for_the_screen_is_shown_a_column_per_line(gtm: Gtm, refined: Path) -> None:
    wide = ", ".join(f"repeat('{letter}', 30) as column_{letter}" for letter in "abcdefgh")
    out = gtm("query", "acme", f"select {wide}").out
    assert [line.split()[0] for line in out.splitlines()[1:]] == [f"column_{letter}" for letter in "abcdefgh"]
    assert "a" * 30 in out
    assert refined.exists()


def test_a_query_without_rows_still_names_its_columns(gtm: Gtm, refined: Path) -> None:
    assert "person_id" in gtm("query", "acme", "from golden.person limit 0").out
    assert gtm("query", "acme", "select 1 as one where false", "--csv").out == "one\n"
    assert gtm("query", "acme", " ; ").code == Exit.USAGE
    assert refined.exists()


def test_a_time_that_no_calendar_has_is_refused_with_a_way_to_see_it(gtm: Gtm, refined: Path) -> None:
    done = gtm("query", "acme", "select [timestamptz 'infinity'] as until")
    assert done.code == Exit.USAGE
    assert 'CAST("until" AS VARCHAR)' in done.err
    assert refined.exists()


def test_csv_is_for_other_programs(gtm: Gtm, refined: Path) -> None:
    """Lines end as the shell expects; lists are JSON, not Python."""
    out = gtm("query", "acme", "select ['a', 'b'] as names, timestamptz '2026-01-01 00:00:00Z' as at", "--csv").out
    assert out == 'names,at\n"[""a"", ""b""]",2026-01-01T00:00:00Z\n'
    assert refined.exists()


def test_a_query_comes_from_a_file_too_and_may_begin_with_a_comment(gtm: Gtm, refined: Path) -> None:
    sql = "-- how many\nselect sum(x) as n from range(3) t(x)"
    assert gtm("query", "acme", sql, "--json").json == [{"n": 3}]
    assert gtm("query", "acme", "-", "--json", stdin=sql).json == [{"n": 3}]
    assert gtm("query", "acme", "select 1", "--jsn").code == Exit.USAGE
    assert refined.exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("select 1 as a, 2 as a", "--json"), "several columns are called a: name them apart with AS"),
        (("select 1", "--json", "--csv"), "give --csv or --json, not both"),
        (("select * from persons",), 'gtm query acme "show all tables" lists what there is'),
    ],
)
def test_a_query_that_cannot_be_answered_says_what_to_do(
    gtm: Gtm, refined: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = gtm("query", "acme", *arguments)
    assert (done.code, done.out, said in done.err) == (Exit.USAGE, "", True)
    assert refined.exists()
