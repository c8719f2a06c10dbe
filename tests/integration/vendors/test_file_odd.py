"""The file connector on files as they should not be: odd names, odd bytes, odd quotes, and folders that move."""

from __future__ import annotations

import decimal
import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import parquet as pq

from connectors import registry
from connectors.conformance import checks
from connectors.conformance.checks import Read, read
from connectors.connector import Connector, Mode, SyncOptions
from connectors.errors import ConnectorError, Retry, Stop
from connectors.vendors.file import files
from tests.stand_ins import offline_context

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Build = Callable[..., Connector]
_MEBIBYTE = 1 << 20


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def made(**settings: Any) -> Connector:
        return registry.build("file", offline_context(NOW, {"folder": str(tmp_path), **settings}))

    return made


def write(path: Path, content: str | bytes) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    moment = (NOW - timedelta(minutes=1)).timestamp()
    os.utime(path, (moment, moment))
    return path


def taken(connector: Connector, **options: Any) -> Read:
    return read(connector, "people", started_at=NOW, **options)


def payloads(done: Read) -> list[dict[str, Any]]:
    checks.check_ends(done)
    return [json.loads(row["payload"]) for page in done.pages for row in page.rows.to_pylist()]


def problems(done: Read) -> list[tuple[str, str]]:
    return [(item.reason, item.raw[:31]) for page in done.pages for item in page.unreadable]


def told(done: Read) -> str:
    return "\n".join(notice for page in done.pages for notice in page.notices)


def refused(done: Read) -> Stop:
    assert isinstance(done.error, Stop), done.error
    assert not done.versions()
    return done.error


@pytest.mark.parametrize("before", ["\n", "\r\n\r\n", "   \n", ",\n", "sep=,\n\n"])
def test_lines_without_a_word_before_the_header_are_passed_over(build: Build, tmp_path: Path, before: str) -> None:
    write(tmp_path / "people.csv", before + "id,name\n1,a\n2\n")
    done = taken(build())
    assert payloads(done) == [{"id": "1", "name": "a"}]
    line = before.count("\n") + 3
    assert problems(done) == [("malformed", f"line {line}: 1 values for 2 columns:")]


@pytest.mark.parametrize("header", ["id,na\0me", '"id","na\nme"', '"id",na"me', "\ufeffid,name"])
def test_the_row_after_an_odd_header_is_a_row_like_others(build: Build, tmp_path: Path, header: str) -> None:
    write(tmp_path / "people.csv", header + "\n1,a\n2,b\n")
    assert [row["id"] for row in payloads(taken(build()))] == ["1", "2"]


@pytest.mark.parametrize("columns", [900, 4_000])
def test_a_header_is_read_however_wide_it_is(build: Build, tmp_path: Path, columns: int) -> None:
    """Looked at no further than a part of it, such a file would seem to have no rows, and nobody would be told."""
    header = ",".join(["id", *(f"a_column_with_a_long_name_and_the_number_{number}" for number in range(columns))])
    write(tmp_path / "people.csv", f"{header}\n1{',x' * columns}\n2{',y' * columns}\n")
    done = taken(build())
    checks.check_ends(done)
    assert len(done.versions()) + len(problems(done)) == 2
    assert columns > 1_000 or len(done.versions()) == 2


def test_what_a_crash_left_at_the_end_of_a_file_can_be_stored_as_unreadable(build: Build, tmp_path: Path) -> None:
    """No warehouse but DuckDB takes a NUL, neither in an id nor in what is shown."""
    write(tmp_path / "people.csv", b"id,name\n1,a\n" + bytes(4096))
    done = taken(build())
    assert len(payloads(done)) == 1
    (left,) = [each for page in done.pages for each in page.unreadable]
    assert "\0" not in left.raw
    assert left.external_id is None


@pytest.mark.parametrize("column", ["customer's id", "id]", "[0]", "$.id", "a b.c"])
def test_any_column_may_hold_the_ids(build: Build, tmp_path: Path, column: str) -> None:
    write(tmp_path / "people.csv", f"{column},{column} at\n7,2026-01-02T03:04:05Z\n")
    done = taken(build(id_column=column, updated_column=f"{column} at"))
    assert payloads(done)
    (row,) = done.pages[-1].rows.to_pylist()
    assert (row["external_id"], row["source_updated_at"]) == ("7", datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))


def test_a_column_of_change_that_a_file_does_not_have_is_said(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,at\n1,2026-01-02\n")
    write(tmp_path / "people_2.csv", "id,changed\n2,2026-01-02\n")
    done = taken(build(updated_column="at"))
    assert len(payloads(done)) == 2
    assert "people_2.csv: no column 'at'" in told(done)
    assert "people.csv: no column" not in told(done)


@pytest.mark.parametrize(
    ("settings", "code"),
    [
        ({"delimiter": "||"}, "bad_setting"),
        ({"delimiter": "comma"}, "bad_setting"),
        ({"delimiter": '"'}, "bad_setting"),
        ({"delimiter": "§"}, "bad_setting"),
        ({"people": "**people*"}, "bad_setting"),
        ({"people": "."}, "bad_setting"),
        ({"people": "lines.jsonl", "id_column": "a..b["}, "bad_setting"),
        ({"people": "lines.jsonl", "updated_column": "a..b["}, "bad_setting"),
        ({"people": "lines.jsonl", "encoding": "klingon"}, "bad_encoding"),
        ({"people": "lines.jsonl", "encoding": "rot13"}, "bad_encoding"),
        ({"encoding": "rot13"}, "bad_encoding"),
    ],
)
def test_a_setting_nobody_can_go_by_is_a_sentence(
    build: Build, tmp_path: Path, settings: dict[str, str], code: str
) -> None:
    write(tmp_path / "people.csv", "id,name\n1,a\n")
    write(tmp_path / "lines.jsonl", '{"id": 1}\n')
    assert refused(taken(build(**settings))).code == code


def test_a_column_of_ids_that_cannot_be_spelled_is_asked_to_be_renamed(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "a\\b,name\n1,a\n")
    assert "rename it in the export" in str(refused(taken(build(id_column="a\\b"))))


@pytest.mark.parametrize("spelled", ["\\t", "tab", "\t"])
def test_a_tabulator_may_be_spelled(build: Build, tmp_path: Path, spelled: str) -> None:
    write(tmp_path / "people.csv", "id\tname, first\n1\ta, b\n")
    assert payloads(taken(build(delimiter=spelled))) == [{"id": "1", "name, first": "a, b"}]


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl"])
@pytest.mark.parametrize(
    ("settings", "end"), [({"encoding": "utf-8"}, b"\xff\n"), ({"encoding": "ascii"}, b"\xff\n"), ({}, None)]
)
def test_bytes_that_break_the_encoding_fail_the_file_before_a_row_is_taken(
    build: Build, tmp_path: Path, name: str, settings: dict[str, str], end: bytes | None
) -> None:
    """However late in the file they stand; without a declared one, a byte-order mark is a promise too."""
    line = "1,a\n" if name.endswith("csv") else '{"id": 1}\n'
    text = ("id,name\n" if name.endswith("csv") else "") + line * 30_000
    write(tmp_path / name, text.encode() + end if end else text.encode("utf-16")[:-1])
    assert refused(taken(build(**settings))).code == "bad_encoding"


def test_two_quotes_that_are_not_closed_do_not_take_the_rows_between_them_along(build: Build, tmp_path: Path) -> None:
    """Their number is even, and to a tolerant parser rows 2 and 3 are text of row 1."""
    write(tmp_path / "people.csv", 'id,name\n0,x\n1,"abc\n2,def\n3,"ghi\n4,x\n')
    assert "opened in the row on line 3" in str(refused(taken(build())))


@pytest.mark.parametrize(
    ("value", "read_as"),
    [
        ('"Joe "Joey" S"', 'Joe Joey" S"'),
        ('"two\n""lines"""', 'two\n"lines"'),
        ('5"', '5"'),
        (' "a"', ' "a"'),
        ('""', None),
        ('""""', '"'),
    ],
)
@pytest.mark.parametrize("rows_before", [0, 16_000])
def test_quotes_that_take_nothing_along_are_read(
    build: Build, tmp_path: Path, value: str, read_as: str | None, rows_before: int
) -> None:
    write(tmp_path / "people.csv", "id,name\n" + f'8,"{"b" * 65}"\n' * rows_before + f"1,{value}\n2,b\n")
    (name,) = [row["name"] for row in payloads(taken(build())) if row["id"] == "1"]
    assert name == read_as


@pytest.mark.parametrize("size", [2, 10])
def test_a_row_too_large_for_a_record_costs_itself_alone(build: Build, tmp_path: Path, size: int) -> None:
    long = "x" * (size * _MEBIBYTE)
    write(tmp_path / "people.csv", f'id,name\n1,{long}\n2,5" pipe\n3,a,b\n4,d\n')
    done = taken(build())
    assert [row["id"] for row in payloads(done)] == ["2", "4"]
    assert sorted(reason for reason, _ in problems(done)) == ["malformed", "too_large"]
    assert ("malformed", "line 4: 3 values for 2 columns:") in problems(done)


@pytest.mark.parametrize("name", ["people.csv", "people.jsonl", "people.parquet"])
def test_a_page_is_bounded_in_bytes_however_few_rows_that_are(build: Build, tmp_path: Path, name: str) -> None:
    """Ten thousand rows are little of addresses, and gigabytes of long notes."""
    rows = [{"id": str(number), "note": f"{number} " * 60_000} for number in range(60)]
    if name.endswith("parquet"):
        pq.write_table(pa.Table.from_pylist(rows), tmp_path / name)
    elif name.endswith("csv"):
        write(tmp_path / name, "id,note\n" + "".join(f"{row['id']},{row['note']}\n" for row in rows))
    else:
        write(tmp_path / name, "".join(json.dumps(row) + "\n" for row in rows))
    done = taken(build())
    checks.check_ends(done)
    assert sum(page.rows.num_rows for page in done.pages) == 60
    assert max(page.rows.nbytes for page in done.pages) < 6 * _MEBIBYTE


def test_a_row_too_large_to_be_told_from_the_file_is_said(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,name\n1," + "x" * (40 * _MEBIBYTE) + "\n2,b\n")
    assert "has a row over 12 MiB" in str(refused(taken(build())))


def table(values: pa.Array[Any]) -> pa.Table:
    return pa.table([pa.array(["1"]), values], names=["id", "value"])


@pytest.mark.parametrize(
    ("values", "read_as"),
    [
        (pa.array([{"key": b"\xff"}]), {"key": "/w=="}),
        (pa.array([[b"\xff", None]]), ["/w==", None]),
        (pa.array([decimal.Decimal("1.10")], pa.decimal256(60, 2)), "1.10"),
        (pa.array([decimal.Decimal("12345678901234567890.123")], pa.decimal128(38, 3)), "12345678901234567890.123"),
        (pa.array([{"at": datetime(2026, 1, 2, tzinfo=UTC), "deep": [{"n": 1}]}]), None),
        (pa.array([[1, 2]], pa.list_view(pa.int64())), [1, 2]),
        (pa.array([float("nan")]), None),
    ],
)
def test_every_type_a_parquet_file_holds_is_read(
    build: Build, tmp_path: Path, values: pa.Array[Any], read_as: Any
) -> None:
    """One that the writer of JSON does not know would not be an error but the end of the process's sync."""
    pq.write_table(table(values), tmp_path / "people.parquet")
    (row,) = payloads(taken(build()))
    if isinstance(row["value"], dict) and "at" in row["value"]:
        assert row["value"]["at"].startswith("2026-01-02T00:00:00")
        assert row["value"]["deep"] == [{"n": 1}]
    else:
        assert row["value"] == read_as


def test_parquet_columns_of_one_name_keep_both_values_and_it_is_said(build: Build, tmp_path: Path) -> None:
    columns = [pa.array(["1"]), pa.array(["a"]), pa.array(["b"])]
    pq.write_table(pa.table(columns, names=["id", "mail", "mail"]), tmp_path / "people.parquet")
    done = taken(build())
    assert payloads(done) == [{"id": "1", "mail": "a", "mail_2": "b"}]
    assert "column 3 repeats 'mail'" in told(done)


def test_a_file_of_another_kind_that_the_pattern_names_is_said(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id\n1\n")
    write(tmp_path / "people_more.csv.gz", b"\x1f\x8b")
    done = taken(build())
    assert len(payloads(done)) == 1
    assert "people_more.csv.gz is left unread: only .csv" in told(done)
    connector = build()
    assert "people_more.csv.gz is left unread" in connector.health_check(connector.authenticate()).detail
    assert "people_more.csv.gz is left unread" in str(refused(taken(build(people="*.gz"))))


def test_links_in_a_circle_and_names_that_are_no_text_keep_nobody_from_the_other_files(
    build: Build, tmp_path: Path
) -> None:
    write(tmp_path / "people.csv", "id\n1\n")
    (tmp_path / "people_round.csv").symlink_to(tmp_path / "people_round.csv")
    (tmp_path / "people_gone.csv").symlink_to(tmp_path / "nothing.csv")
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/people\xff.csv")).write_text("id\n2\n")
    done = taken(build())
    assert [row["id"] for row in payloads(done)] == ["1"]
    assert "its name is not UTF-8" in told(done)


def test_a_file_put_in_anothers_place_is_seen_though_size_and_time_are_the_same(build: Build, tmp_path: Path) -> None:
    """Copies that preserve times do that; when anything about the file changed, nobody can set."""
    path = write(tmp_path / "people.csv", "id,n\n1,a\n")
    first = taken(build())
    write(tmp_path / "other.csv", "id,n\n1,b\n").replace(path)
    assert payloads(taken(build(), cursor=first.cursor)) == [{"id": "1", "n": "b"}]


def test_hundreds_of_files_that_nobody_touched_are_not_even_hashed_again(
    build: Build, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder that grows by a file a day would otherwise be read whole with every sync."""
    for number in range(201):
        write(tmp_path / f"people_{number}.csv", f"id\n{number}\n")
    first = taken(build())
    with monkeypatch.context() as patched:
        patched.setattr(files, "digest", lambda file: pytest.fail(f"{file.name} was read"))
        assert taken(build(), cursor=first.cursor).cursor == first.cursor
    write(tmp_path / "new.csv", "id\nx\n").replace(tmp_path / "people_7.csv")
    assert "x" in taken(build(), cursor=first.cursor).versions()


def test_a_cursor_of_before_times_of_change_were_kept_reads_nothing_again(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id\n1\n")
    cursor = json.loads(json.dumps(taken(build()).cursor))
    del cursor["files"]["people.csv"]["changed_ns"]
    assert payloads(taken(build(), cursor=cursor)) == []


def test_a_file_taken_away_while_the_folder_is_read_is_tried_again_later(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people_a.csv", "id\n1\n2\n3\n")
    second = write(tmp_path / "people_b.csv", "id\n4\n")
    connector = build()
    pages = connector.sync(connector.authenticate(), None, SyncOptions("people", Mode.FULL, NOW, 1))
    next(pages)
    second.unlink()
    with pytest.raises(Retry, match=r"people_b\.csv was taken away"):
        list(pages)


@pytest.mark.parametrize(
    ("fault", "kind", "code"),
    [
        (PermissionError(13, "Permission denied", "/exports/people.csv"), Stop, "file_forbidden"),
        (FileNotFoundError(2, "No such file", "/exports/people.csv"), Retry, "file_changed"),
        (OSError(5, "Input/output error"), Retry, "file_unreadable"),
    ],
)
def test_what_the_file_system_says_has_a_type_that_says_what_to_do(
    fault: OSError, kind: type[ConnectorError], code: str
) -> None:
    with pytest.raises(kind) as raised, files.being_there():
        raise fault
    assert raised.value.code == code
    assert "/exports" not in str(raised.value)
