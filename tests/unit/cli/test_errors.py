"""Every error is one line that says what to do, with the exit code docs/cli.md promises."""

from __future__ import annotations

import signal
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from connectors.runtime.redaction import Secret
from gtm_pipelines.cli import tenants, ui
from gtm_pipelines.cli.demo import Story, _job
from gtm_pipelines.cli.exits import Exit, outcome_of
from gtm_pipelines.cli.output import console
from gtm_pipelines.cli.run import show_runs
from gtm_pipelines.defs import instance
from gtm_pipelines.defs.instance import Launched
from gtm_pipelines.settings import Settings

if TYPE_CHECKING:
    from .conftest import Gtm

ROOT = Path(__file__).parents[3]


def test_the_demo_says_what_went_wrong_when_it_does(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """If refinement fails for everybody, nothing is published and there is no report that could say so."""
    failed = Launched("r1", "refine", ("acme",), success=False, seconds=1, faults=("acme: the stage golden failed: x",))
    monkeypatch.setattr(instance, "launch", lambda *_: [failed])
    story = Story()
    _job(Settings(home=home), story, "refine", "refining")
    assert capsys.readouterr().err.endswith("  fault refine: acme: the stage golden failed: x\n")
    assert story.faults == ["refine: acme: the stage golden failed: x"]


def test_a_run_that_failed_says_when_the_sandbox_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    failed = Launched("r1", "full_sync", ("acme",), success=False, seconds=1, faults=("acme: crm: no connection",))
    monkeypatch.setattr(ui, "answers", lambda _: False)
    out = console()
    with out.capture() as said:
        show_runs(out, [failed], "http://127.0.0.1:8765")
    assert "nothing answers on http://127.0.0.1:8765, where the sandbox is expected: gtm sandbox serve" in said.get()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tenants", "add", "Acme Inc"), "lower-case letters"),
        (("sync", "acme"), "acme"),
        (("connectors", "show", "hubspott"), "salesforce"),
        (("connections", "add", "acme", "nosuch"), "there are"),
        (("query", "ac/me", "select 1"), "lower-case letters"),
        (("query", "acme", "select 1"), "there is no tenant acme"),
        (("why", "acme", "per_1"), "there is no tenant acme"),
        (("mappings", "set", "acme", "salesforce", "title", "Title"), "ENTITY.TARGET.FIELD"),
    ],
)
def test_a_wrong_name_is_one_line_and_exit_code_2(gtm: Gtm, arguments: tuple[str, ...], said: str) -> None:
    done = gtm(*arguments)
    assert done.code == Exit.USAGE
    assert done.err.startswith("error: ")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert "Traceback" not in done.err + done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("tenants", "list"), "no tenants yet"),
        (("connections", "list"), "nothing is connected yet: gtm connections add"),
        (("status",), "nothing is connected yet: gtm connections add"),
        (("audit", "list"), "nothing was changed yet"),
        (("audit", "list", "acme"), "no entry is about acme"),
    ],
)
def test_where_nothing_is_yet_that_is_said(gtm: Gtm, arguments: tuple[str, ...], said: str) -> None:
    done = gtm(*arguments)
    assert (done.code, done.out.startswith(said)) == (Exit.OK, True)
    assert gtm(*arguments, "--json").json == []


def test_the_version_can_be_asked_for(gtm: Gtm) -> None:
    done = gtm("--version")
    assert (done.code, done.out) == (Exit.OK, f"gtm-pipelines {metadata.version('gtm-pipelines')}\n")


def test_an_unknown_option_is_exit_code_2(gtm: Gtm) -> None:
    assert gtm("tenants", "list", "--wrong").code == Exit.USAGE


def test_an_interruption_that_a_driver_made_an_error_of_its_own_is_still_one(
    gtm: Gtm, monkeypatch: pytest.MonkeyPatch
) -> None:
    """DuckDB says ``RuntimeError: Query interrupted``, which is no fault of anybody's."""

    def interrupted() -> None:
        try:
            signal.raise_signal(signal.SIGINT)
        except KeyboardInterrupt:
            raise RuntimeError("Query interrupted") from None

    monkeypatch.setattr(tenants, "open_session", interrupted)
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job has it ignored
    try:
        done = gtm("tenants", "list")
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    finally:
        signal.signal(signal.SIGINT, before)
    assert (done.code, done.err) == (130, "")


def test_what_nobody_foresaw_is_one_line_without_secrets(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode() -> None:
        raise RuntimeError(f"token {Secret('correct-horse-battery').reveal()}\nand a second line")

    monkeypatch.setattr(tenants, "open_session", explode)
    done = gtm("tenants", "list")
    assert done.code == Exit.FAILED
    assert done.err.startswith("unexpected error: RuntimeError: ")
    assert "correct-horse-battery" not in done.err
    assert done.err.count("\n") == 1


def test_debug_shows_where_and_still_no_secret(gtm: Gtm, monkeypatch: pytest.MonkeyPatch) -> None:
    def explode() -> None:
        raise RuntimeError(f"token {Secret('correct-horse-battery').reveal()}")

    monkeypatch.setattr(tenants, "open_session", explode)
    done = gtm("--debug", "tenants", "list")
    assert "Traceback" in done.err
    assert "correct-horse-battery" not in done.err


@pytest.mark.parametrize(
    ("statuses", "code"),
    [
        (["ok", "ok"], Exit.OK),
        (["failed"], Exit.FAILED),
        (["ok", "failed"], Exit.PARTIAL),
        (["partial", "ok"], Exit.PARTIAL),
        (["deferred"], Exit.LATER),
        (["skipped_locked", "deferred"], Exit.LATER),
        (["ok", "deferred"], Exit.PARTIAL),
    ],
)
def test_several_syncs_end_in_one_exit_code(statuses: list[str], code: Exit) -> None:
    assert outcome_of(statuses) is code


def test_help_starts_light(tmp_path: Path) -> None:
    """`gtm --help` loads no driver, no Dagster, no database; a person waits for it many times a day."""
    program = """
import sys
sys.argv = ["gtm", "--help"]
from gtm_pipelines.cli.main import main
try:
    main()
except SystemExit:
    pass
heavy = {"dagster", "dlt", "duckdb", "httpx", "pandera", "polars", "pyarrow", "sqlalchemy", "uvicorn", "yaml"}
print(sorted(heavy & set(sys.modules)), file=sys.stderr)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stderr.strip() == "[]"
    assert "First steps" in done.stdout
