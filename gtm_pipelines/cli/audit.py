"""``gtm audit``: who changed what, and whether the log of it is whole."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.exits import Exit, UsageError
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.cli.session import open_session

if TYPE_CHECKING:
    from rich.console import Console

app = typer.Typer(help="Read the audit log, and prove that nobody altered it.", no_args_is_help=True)

_WIDEST = 60
_ANCHOR = re.compile(r"([0-9]+):([0-9a-f]{64})")  # SHA-256


@app.command("list")
def list_(
    tenant: Annotated[str | None, typer.Argument(metavar="TENANT", help="Only this tenant.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, help="How many, the newest first.")] = 50,
    as_json: Json = False,
) -> None:
    """List who changed what and when, the newest first; secrets are masked.

    gtm audit list acme --limit 20
    """
    with open_session() as session:
        found = session.control.list_audit(tenant, limit=limit)

    def show(out: Console) -> None:
        if not found:
            out.print("nothing was changed yet" if tenant is None else f"no entry is about {tenant}")
            return
        rows = [[e.seq, e.at, e.actor, e.tenant, e.action, e.subject, _change(e.before, e.after)] for e in found]
        out.print(table(["#", "at", "who", "tenant", "what", "of", "change"], rows))

    emit(found, as_json=as_json, show=show)


@app.command("verify")
def verify(
    anchor: Annotated[
        str | None, typer.Option("--anchor", metavar="SEQ:HASH", help="A head kept elsewhere: it must still be there.")
    ] = None,
    as_json: Json = False,
) -> None:
    """Find every altered, deleted, inserted or reordered entry; print the head to keep elsewhere. Exit code 1 if any.

    gtm audit verify
    gtm audit verify --anchor 128:3f9c…
    """
    with open_session() as session:
        seq, digest = session.control.audit_head()
        faults = session.control.verify_audit(None if anchor is None else _anchor(anchor))

    def show(out: Console) -> None:
        if faults:
            out.print(table(["#entry", "fault", "detail"], [[f.seq, f.kind, f.detail] for f in faults]))
        else:
            out.print(f"{seq} entries, all whole")
        out.print(f"head: {seq}:{digest}", soft_wrap=True)

    emit({"head": f"{seq}:{digest}", "faults": faults}, as_json=as_json, show=show)
    raise typer.Exit(Exit.FAILED if faults else Exit.OK)


def _anchor(text: str) -> tuple[int, str]:
    found = _ANCHOR.fullmatch(text)
    if found is None:
        raise UsageError("an anchor is SEQ:HASH, as gtm audit verify prints it")
    return int(found[1]), found[2]


def _change(before: object, after: object) -> str:
    """Return what changed, short enough for a line; --json has the whole."""
    text = " → ".join(json.dumps(each, ensure_ascii=False) for each in (before, after) if each is not None)
    return text if len(text) <= _WIDEST else text[: _WIDEST - 1] + "…"
