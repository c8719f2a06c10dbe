"""The command as a person runs it: arguments in, exit code and two streams out."""

from __future__ import annotations

import functools
import io
import json
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from gtm_pipelines.cli import main as command
from gtm_pipelines.cli.exits import Exit

KEY = "cd" * 32
PEOPLE = """id,email,first_name,last_name,title,company_id
1,jane.doe@northwind.example,Jane,Doe,CTO,a1
2,JANE.DOE@northwind.example,Jane,Doe,Chief Technology Officer,a1
3,not an address,Max,Mustermann,,a1
"""
ACCOUNTS = "id,name,domain\na1,Northwind,northwind.example\n"
EXPORTED_AT = 1_767_225_600  # one moment for all tests: a file that is newer would be read again


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return what it printed, read as JSON."""
        return json.loads(self.out)


Gtm = Callable[..., Done]


@pytest.fixture(autouse=True, scope="session")
def _built_once() -> Iterator[None]:
    """Build the tree of commands once: a person's process builds it once as well, and it holds no state."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("typer.main.get_command", functools.cache(typer.main.get_command))
        yield


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the command an empty home, and keep a developer's own .env out of it."""
    monkeypatch.setattr(command, "use_env_file", lambda: None)
    for name in ("GTM_SANDBOX_URL", "GTM_CONTROL_URL", "GTM_LOG_LEVEL"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GTM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", KEY)
    return tmp_path / "home"


@pytest.fixture
def gtm(home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gtm:
    """Run ``gtm …`` in this process. ``stdin`` is what it may read; it is never a terminal."""
    del home

    def run(*arguments: str, stdin: str = "") -> Done:
        monkeypatch.setattr(sys, "argv", ["gtm", *arguments])
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        capsys.readouterr()
        with pytest.raises(SystemExit) as exit_:
            command.main()
        out, err = capsys.readouterr()
        code = exit_.value.code
        return Done(int(code) if code is not None else 0, out, err)

    return run


@pytest.fixture(scope="session")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where homes are kept that several tests begin with: made once by the commands themselves, then copied."""
    return tmp_path_factory.mktemp("kept")


@pytest.fixture
def acme(gtm: Gtm, home: Path, kept: Path) -> Path:
    """Connect a folder of exports to acme, and return the folder."""
    folder = kept / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for name, text in (("people.csv", PEOPLE), ("accounts.csv", ACCOUNTS)):
        (folder / name).write_text(text)
        os.utime(folder / name, (EXPORTED_AT, EXPORTED_AT))

    def connect() -> None:
        gtm("tenants", "add", "acme")
        assert gtm("connections", "add", "acme", "file", "--set", f"folder={folder}").code == Exit.OK

    _begin_with(kept / "connected", home, connect)
    return folder


@pytest.fixture
def refined(gtm: Gtm, home: Path, kept: Path, acme: Path) -> Path:
    """Sync and refine acme."""

    def work() -> None:
        assert gtm("sync", "acme").code == Exit.OK
        done = gtm("refine", "acme")
        assert done.code == Exit.OK, done.err

    _begin_with(kept / "refined", home, work)
    return acme


def _begin_with(copy: Path, home: Path, make: Callable[[], None]) -> None:
    """Fill the home with what was kept, or make it and keep it."""
    if copy.exists():
        shutil.copytree(copy, home, dirs_exist_ok=True)
    else:
        make()
        shutil.copytree(home, copy)
