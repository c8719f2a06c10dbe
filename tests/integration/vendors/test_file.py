"""The file connector on real files: what people export, and what goes wrong with it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from connectors import registry
from connectors.conformance.checks import Read, read
from connectors.connector import Connector, Mode
from connectors.errors import ConnectorError, Retry, Stop
from tests.stand_ins import offline_context

NOW = datetime(2026, 3, 1, tzinfo=UTC)
Build = Callable[..., Connector]


@pytest.fixture
def build(tmp_path: Path) -> Build:
    def made(**settings: Any) -> Connector:
        return registry.build("file", offline_context(NOW, {"folder": str(tmp_path), **settings}))

    return made


def taken(connector: Connector, entity: str = "people", **options: Any) -> Read:
    return read(connector, entity, started_at=NOW, **options)


def payloads(done: Read) -> list[dict[str, Any]]:
    assert done.error is None, done.error
    return [json.loads(row["payload"]) for page in done.pages for row in page.rows.to_pylist()]


def problems(done: Read) -> list[tuple[str, str]]:
    return [(item.reason, item.raw) for page in done.pages for item in page.unreadable]


def told(done: Read) -> str:
    return "\n".join(notice for page in done.pages for notice in page.notices)


def write(path: Path, content: str | bytes, *, age: int = 60) -> Path:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    moment = (NOW - timedelta(seconds=age)).timestamp()
    os.utime(path, (moment, moment))
    return path


def test_values_stay_the_text_they_are(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", 'id,zip,note,blank\n007,01234,NA,\n8,1e5,"None, really",""\n')
    assert payloads(taken(build())) == [
        {"id": "007", "zip": "01234", "note": "NA", "blank": None},
        {"id": "8", "zip": "1e5", "note": "None, really", "blank": None},
    ]


@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "cp1252"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_encoding_and_delimiter_are_found_by_looking(build: Build, tmp_path: Path, codec: str, delimiter: str) -> None:
    rows = ["id,name,city", "1,José,Zürich", "2,Åsa,Malmö", "3,Zoë,Köln"]
    write(tmp_path / "people.csv", "\r\n".join(row.replace(",", delimiter) for row in rows).encode(codec))
    found = payloads(taken(build()))
    assert [row["name"] for row in found] == ["José", "Åsa", "Zoë"]
    assert list(found[0]) == ["id", "name", "city"]


def test_a_guessed_encoding_is_said(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,name\n1,José\n".encode("cp1252"))
    assert "people.csv: the bytes are not UTF-8: read as cp1252" in told(taken(build()))
    connector = build()
    assert "not UTF-8" in connector.health_check(connector.authenticate()).detail


def test_a_declared_encoding_is_believed_and_a_wrong_one_is_a_sentence(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,name\n1,Łódź\n".encode("iso8859-2"))
    assert payloads(taken(build(encoding="iso8859-2")))[0]["name"] == "Łódź"
    error = taken(build(encoding="klingon")).error
    assert isinstance(error, Stop)
    assert error.code == "bad_encoding"
    assert "correct the setting 'encoding'" in str(error)


def test_a_ragged_row_is_reported_with_its_line_and_the_others_are_read(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", 'id,name\n1,"two\nlines"\n\n2\n3,c,too,many\n4,d\n')
    done = taken(build())
    assert [row["id"] for row in payloads(done)] == ["1", "4"]
    assert problems(done) == [
        ("malformed", "line 5: 1 values for 2 columns: 2"),
        ("malformed", "line 6: 4 values for 2 columns: 3,c,too,many"),
    ]


def test_a_ragged_row_is_known_by_its_id_only_where_ids_come_first(build: Build, tmp_path: Path) -> None:
    """A known id lets a full read still prove what is gone; a guessed one could delete the wrong row."""
    write(tmp_path / "people.csv", 'id,name\n" 7 ",a,b\n')
    write(tmp_path / "accounts.csv", "name,id\nAcme, Inc,7\n")
    first = [item.external_id for page in taken(build()).pages for item in page.unreadable]
    second = [item.external_id for page in taken(build(), "accounts").pages for item in page.unreadable]
    assert (first, second) == (["7"], [None])


def test_a_file_of_nothing_but_ragged_rows_reports_each(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,name\n1\n2\n")
    assert [raw[:7] for _, raw in problems(taken(build()))] == ["line 2:", "line 3:"]


def test_a_row_without_an_id_is_reported_not_dropped(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,name\n1,a\n,b\n")
    done = taken(build())
    assert len(payloads(done)) == 1
    assert problems(done)[0][0] == "bad_key"


def test_a_quote_that_is_never_closed_fails_the_file_before_a_row_is_taken(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", 'id,name\n1,a\n2,"b\n3,c\n4,d\n')
    done = taken(build())
    assert isinstance(done.error, Stop)
    assert "opened in the row on line 3" in str(done.error)
    assert done.pages == []


def test_a_quote_within_a_field_is_a_letter_like_others(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", 'id,name\n1,5" pipe\n2,b\n')
    assert [row["name"] for row in payloads(taken(build()))] == ['5" pipe', "b"]


def test_columns_of_one_name_keep_both_values_and_it_is_said(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id,email,email,,email_2\n1,a@x.co,b@x.co,c,d\n")
    done = taken(build())
    assert payloads(done) == [{"id": "1", "email": "a@x.co", "email_3": "b@x.co", "column_4": "c", "email_2": "d"}]
    assert "column 3 repeats 'email': 'email_3'" in told(done)
    assert "column 4 has no name" in told(done)


def test_excels_own_first_line_is_understood(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "sep=;\r\nid;name\r\n1;a\r\n2\r\n".encode("utf-8-sig"))
    done = taken(build())
    assert payloads(done) == [{"id": "1", "name": "a"}]
    assert problems(done)[0][1].startswith("line 4:")


@pytest.mark.parametrize("content", ["", "id,name", "id,name\n", "\ufeff"])
def test_a_file_without_rows_is_an_empty_page(build: Build, tmp_path: Path, content: str) -> None:
    write(tmp_path / "people.csv", content)
    done = taken(build())
    assert payloads(done) == []
    assert not done.pages[-1].has_more


def test_a_missing_id_column_names_the_columns_there_are(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "Record ID,name\n1,a\n")
    error = taken(build()).error
    assert isinstance(error, Stop)
    assert "it has Record ID, name" in str(error)
    assert payloads(taken(build(id_column="Record ID")))[0]["name"] == "a"


def test_a_dotted_column_name_is_one_name(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "Account.Id,name\n001,a\n")
    done = taken(build(id_column="Account.Id"))
    assert done.versions().keys() == {"001"}


def test_json_lines_are_kept_byte_for_byte_and_a_broken_line_is_named(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.jsonl", '{"id": 1,  "n": 1.10}\n\n{"id": 2\n{"id": "3", "deep": {"a": [1]}}\n')
    done = taken(build())
    assert [row["payload"] for page in done.pages for row in page.rows.to_pylist()] == [
        '{"id": 1,  "n": 1.10}',
        '{"id": "3", "deep": {"a": [1]}}',
    ]
    assert problems(done) == [("malformed", 'line 3: {"id": 2')]


def test_parquet_keeps_its_types(build: Build, tmp_path: Path) -> None:
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    frame = pl.DataFrame({"id": [7, 8], "at": [moment, None], "tags": [["a"], []], "key": [b"\x00\x01", None]})
    frame.write_parquet(tmp_path / "people.parquet")
    found = payloads(taken(build()))
    assert found[0] == {"id": 7, "at": "2026-01-02T03:04:05.000000Z", "tags": ["a"], "key": "AAE="} or found[0][
        "at"
    ].startswith("2026-01-02T03:04:05")
    assert found[1]["at"] is None


def test_a_cut_parquet_file_fails_with_a_mend(build: Build, tmp_path: Path) -> None:
    pl.DataFrame({"id": list(range(1000))}).write_parquet(tmp_path / "people.parquet")
    whole = (tmp_path / "people.parquet").read_bytes()
    write(tmp_path / "people.parquet", whole[: len(whole) // 2])
    error = taken(build()).error
    assert isinstance(error, Stop)
    assert "upload it again" in str(error)


def test_an_unchanged_folder_is_not_read_again(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id\n1\n")
    first = taken(build())
    second = taken(build(), cursor=first.cursor)
    assert payloads(second) == []
    assert second.cursor == first.cursor


def test_only_the_file_with_new_content_is_read(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people_a.csv", "id\n1\n")
    write(tmp_path / "people_b.csv", "id\n2\n")
    first = taken(build())
    write(tmp_path / "people_b.csv", "id\n2\n3\n", age=30)
    write(tmp_path / "people_c.csv", "id\n4\n", age=20)
    assert taken(build(), cursor=first.cursor).versions().keys() == {"2", "3", "4"}


def test_a_touched_file_with_equal_content_is_not_read(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id\n1\n")
    first = taken(build())
    write(tmp_path / "people.csv", "id\n1\n", age=10)
    assert payloads(taken(build(), cursor=first.cursor)) == []


def test_a_rewrite_within_the_clocks_resolution_is_seen(build: Build, tmp_path: Path) -> None:
    """Same size, same modification time, other content: a time just past is never trusted."""
    write(tmp_path / "people.csv", "id,n\n1,a\n", age=0)
    first = taken(build())
    write(tmp_path / "people.csv", "id,n\n1,b\n", age=0)
    assert payloads(taken(build(), cursor=first.cursor)) == [{"id": "1", "n": "b"}]


def test_a_file_that_changes_while_it_is_read_leaves_no_cursor_behind(build: Build, tmp_path: Path) -> None:
    path = write(tmp_path / "people.csv", "id\n" + "".join(f"{n}\n" for n in range(10)))
    connector = build()
    pages = connector.sync(connector.authenticate(), None, _options(rows=3))
    first = next(pages)
    write(path, "id\n99\n", age=5)
    with pytest.raises(Retry, match="changed while it was read"):
        list(pages)
    assert first.cursor is None


def _options(rows: int) -> Any:
    from connectors.connector import SyncOptions

    return SyncOptions("people", Mode.INCREMENTAL, NOW, rows)


def test_a_full_read_ignores_the_cursor_so_that_absence_can_be_seen(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people.csv", "id\n1\n2\n")
    first = taken(build())
    assert taken(build(), cursor=first.cursor, mode=Mode.FULL).versions().keys() == {"1", "2"}


def test_hundreds_of_files_leave_a_small_cursor_and_a_change_among_them_is_read(build: Build, tmp_path: Path) -> None:
    for number in range(250):
        write(tmp_path / f"people_{number:03}.csv", f"id\n{number}\n")
    first = taken(build())
    assert len(first.versions()) == 250
    assert len(json.dumps(first.cursor)) < 100
    assert payloads(taken(build(), cursor=first.cursor)) == []
    write(tmp_path / "people_100.csv", "id\n100\nnew\n")
    assert "new" in taken(build(), cursor=first.cursor).versions()


@pytest.mark.parametrize("pattern", ["../*.csv", "/etc/*", "a/../../x*"])
def test_a_pattern_never_leaves_the_folder(build: Build, pattern: str) -> None:
    error = taken(build(people=pattern)).error
    assert isinstance(error, Stop)
    assert "must stay inside the folder" in str(error)


def test_a_link_out_of_the_folder_is_not_followed(build: Build, tmp_path: Path) -> None:
    outside = tmp_path.parent / f"{tmp_path.name}-other-tenant"
    outside.mkdir()
    write(outside / "people.csv", "id\nsecret\n")
    (tmp_path / "people_link.csv").symlink_to(outside / "people.csv")
    assert payloads(taken(build())) == []


@pytest.mark.parametrize(
    ("settings", "mend"),
    [
        ({"folder": "exports"}, "must be an absolute path"),
        ({"folder": ""}, "must be an absolute path"),
        ({"folder": "/nowhere/at/all"}, "create or mount it"),
        ({"people": "customers*.csv"}, "no file matches"),
    ],
)
def test_a_wrong_setting_is_one_sentence_with_its_mend(build: Build, settings: dict[str, str], mend: str) -> None:
    error = taken(build(**settings)).error
    assert isinstance(error, ConnectorError)
    assert mend in str(error)


def test_an_older_version_in_another_file_is_marked_older(build: Build, tmp_path: Path) -> None:
    write(tmp_path / "people_new.csv", "id,at,n\n1,2026-02-01T00:00:00Z,new\n", age=90)
    write(tmp_path / "people_old.csv", "id,at,n\n1,2026-01-01T00:00:00Z,old\n", age=30)
    done = taken(build(updated_column="at"))
    newest = next(row for page in done.pages for row in page.rows.to_pylist() if '"new"' in row["payload"])
    assert done.versions()["1"][1] == newest["payload_hash"]


def test_the_health_check_counts_the_files(build: Build, tmp_path: Path) -> None:
    connector = build()
    assert not connector.health_check(connector.authenticate()).ok
    write(tmp_path / "accounts.csv", "id\n1\n")
    status = connector.health_check(connector.authenticate())
    assert status.ok
    assert "accounts: 1 files" in status.detail
