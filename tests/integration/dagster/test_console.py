"""What a run prints where it runs, which a person at ``gtm ui`` reads."""

from __future__ import annotations

import dagster as dg
import pytest

from gtm_pipelines.defs.console import redacted_console
from gtm_pipelines.defs.jobs import QUIET
from gtm_pipelines.defs.shard_work import fail_for


@dg.op
def unreachable() -> None:
    fail_for({"acme": "salesforce: connection_failed"})


@dg.op
def broken() -> None:
    raise ValueError("nobody expected this")


@pytest.mark.parametrize(
    ("step", "said", "is_traced"),
    [(unreachable, "acme: salesforce: connection_failed", False), (broken, "nobody expected this", True)],
)
def test_only_what_was_not_expected_is_printed_with_its_stack(
    step: dg.OpDefinition, said: str, capsys: pytest.CaptureFixture[str], *, is_traced: bool
) -> None:
    @dg.job(logger_defs={"console": redacted_console}, config=QUIET)
    def run() -> None:
        step()

    assert not run.execute_in_process(raise_on_error=False).success
    printed = capsys.readouterr().err
    assert said in printed
    assert ("Stack Trace" in printed, ", line " in printed) == (is_traced, is_traced)
