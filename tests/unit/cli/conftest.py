"""The command as a person runs it: arguments in, exit code and two streams out."""

from __future__ import annotations

import functools
import io
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import typer

from gtm_pipelines.cli import main as command

KEY = "cd" * 32


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
