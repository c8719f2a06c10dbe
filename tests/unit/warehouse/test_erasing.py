"""Erasing a tenant's files: all of them, whatever state they are in, and nobody makes them again behind its back."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseBusyError, WarehouseMissingError, names, open_warehouse
from gtm_pipelines.warehouse.erasing import erase_warehouse, hold_for_erasure

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def erase(settings: Settings) -> dict[str, tuple[int, int]]:
    with hold_for_erasure(settings, "acme"):
        return {each.what: (each.count, each.bytes) for each in erase_warehouse(settings, "acme")}


def test_what_killed_processes_left_beside_the_files_goes_with_them(settings: Settings) -> None:
    private, published = names.warehouse_file(settings, "acme"), names.published_file(settings, "acme")
    spill = names.spill_directory(settings, "acme")
    theirs = [names.warehouse_file(settings, "acme_eu"), names.published_file(settings, "acme_eu")]
    ours = [
        private,
        private.with_name(f"{private.name}.wal"),
        spill / "duckdb_temp_storage-0.tmp",
        published,
        published.with_name(f".{published.name}.4711.new"),
        published.with_name(f".{published.name}.4711.new.wal"),
    ]
    for path in [*ours, *theirs]:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"12345")
    assert erase(settings) == {"warehouse file": (3, 15), "published copy": (3, 15)}
    assert sorted(path for path in settings.home.rglob("*") if path.is_file()) == sorted(theirs)
    assert not spill.exists()


def test_a_file_that_duckdb_cannot_read_is_erased_all_the_same(settings: Settings) -> None:
    path = names.warehouse_file(settings, "acme")
    path.parent.mkdir()
    path.write_bytes(b"no database")
    assert erase(settings) == {"warehouse file": (1, 11)}


def test_where_there_is_nothing_nothing_is_made(settings: Settings) -> None:
    assert erase(settings) == {}
    assert list(settings.home.iterdir()) == []


def test_a_task_of_this_process_that_has_it_open_is_respected(settings: Settings) -> None:
    with open_warehouse(settings, "acme"), pytest.raises(WarehouseBusyError), hold_for_erasure(settings, "acme"):
        pass
    assert erase(settings)


def test_who_waited_for_the_file_does_not_make_it_again(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A refinement waits while an erasure in another process holds the file; then the file is gone."""
    path = names.warehouse_file(settings, "acme")
    with open_warehouse(settings, "acme"):
        pass
    code = "import fcntl,sys;f=open(sys.argv[1],'r+b');fcntl.lockf(f,fcntl.LOCK_EX);print('held',flush=True);input()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as eraser:
        assert eraser.stdout is not None
        eraser.stdout.readline()

        def erased_meanwhile(_: float) -> None:
            path.unlink()
            eraser.kill()
            eraser.wait()

        monkeypatch.setattr("gtm_pipelines.warehouse.duck.time.sleep", erased_meanwhile)
        with (
            pytest.raises(WarehouseMissingError, match="was erased while this waited"),
            open_warehouse(settings, "acme"),
        ):
            pass
    assert not path.exists()
