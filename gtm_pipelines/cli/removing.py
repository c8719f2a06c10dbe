"""The question before something is removed; what is removed, and how, is each command's own."""

from __future__ import annotations

import sys

import typer

from gtm_pipelines.cli.exits import UsageError


def ask_before(question: str, *, yes: bool) -> None:
    """Raise UsageError unless somebody agrees, or ``yes`` says that somebody has."""
    try:
        agreed = yes or typer.confirm(question, err=True)
    except typer.Abort:
        if sys.stdin.isatty():  # interrupted
            raise
        raise UsageError("nobody is there to answer, and nothing was removed: give --yes") from None
    if not agreed:
        raise UsageError("nothing was removed")
