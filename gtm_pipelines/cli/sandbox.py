"""``gtm sandbox``: the vendors' clouds on this machine, for trying things out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import urlsplit

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.settings import read_settings
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from rich.console import Console

    from gtm_pipelines.sandbox import Judgement
    from gtm_pipelines.settings import Settings

app = typer.Typer(help="Serve synthetic vendors on this machine, and let their time pass.", no_args_is_help=True)

DEFAULT_URL = "http://127.0.0.1:8765"


def sandbox_directory(settings: Settings) -> Path:
    """Return where the sandbox keeps its worlds."""
    return settings.home / "sandbox"


@app.command("create")
def create(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant whose world is made.")],
    size: Annotated[int, typer.Option("--size", min=10, help="About how many real people the world has.")] = 500,
    seed: Annotated[int, typer.Option("--seed", help="The same seed makes the same world.")] = 1,
    vendors: Annotated[list[str] | None, typer.Option("--vendor", help="Only this vendor; may be repeated.")] = None,
) -> None:
    """Make one tenant's world anew: people and companies, seen differently by each vendor.

    gtm sandbox create acme --size 100000 --vendor salesforce
    """
    from gtm_pipelines.sandbox import create_world

    settings = read_settings()
    try:
        create_world(sandbox_directory(settings), TenantId(tenant), size=size, seed=seed, vendors=vendors)
    except ValueError as error:
        raise UsageError(str(error)) from None
    typer.echo(f"made the world of {tenant} in {sandbox_directory(settings)}; next: gtm sandbox serve")


@app.command("serve")
def serve(
    host: Annotated[str, typer.Option("--host", help="Address to listen on; loopback by default.")] = "127.0.0.1",
    port: Annotated[int | None, typer.Option("--port", help="Port; that of GTM_SANDBOX_URL by default.")] = None,
) -> None:
    """Serve every world until interrupted. Connections reach it when GTM_SANDBOX_URL names it.

    gtm sandbox serve &
    """
    from gtm_pipelines import sandbox

    settings = read_settings()
    sandbox.serve(
        sandbox_directory(settings),
        host=host,
        port=port or port_of(settings.sandbox_url or DEFAULT_URL),
        on_start=lambda url: typer.echo(
            f"serving the worlds of {sandbox_directory(settings)} on {url}; Ctrl-C ends it"
        ),
    )


@app.command("advance")
def advance(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant whose world moves on.")],
    steps: Annotated[int, typer.Option("--steps", min=1, help="How far.")] = 1,
    as_json: Json = False,
) -> None:
    """Let a world move on: people are hired, change jobs, merge and vanish.

    gtm sandbox advance acme && gtm sync acme
    """
    from gtm_pipelines.sandbox import advance as move

    done = move(sandbox_directory(read_settings()), TenantId(tenant), steps=steps)

    def show(out: Console) -> None:
        out.print(f"it is {done.now[:10]} in the world of {tenant}")
        happened = [[what.replace("_", " "), count] for what, count in done.counts.items() if count]
        out.print(table(["what happened", "#count"], happened))

    emit(done, as_json=as_json, show=show)


@app.command("accounts")
def accounts(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="Whose accounts.")],
    vendor: Annotated[str | None, typer.Argument(metavar="VENDOR", help="Only this one.")] = None,
    as_json: Json = False,
) -> None:
    """Show what a connection is given to read a tenant's account at each vendor; in the sandbox all of it is public.

    gtm sandbox accounts acme hubspot
    """
    from gtm_pipelines.sandbox import accounts as known

    found = known(read_settings().sandbox_url or DEFAULT_URL, TenantId(tenant))
    chosen = {_spoken(vendor, found): found[_spoken(vendor, found)]} if vendor else found
    rows = [
        [name, kind, field, value]
        for name, account in chosen.items()
        for kind, fields in (("setting", account.settings), ("credential", account.credentials))
        for field, value in fields.items()
    ]
    data = {name: account._asdict() for name, account in chosen.items()}
    emit(data, as_json=as_json, show=lambda out: out.print(table(["vendor", "kind", "name", "value"], rows)))


@app.command("faults")
def faults(
    vendor: Annotated[str, typer.Argument(metavar="VENDOR", help="As in gtm sandbox accounts.")],
    as_json: Json = False,
) -> None:
    """Show what can be made to go wrong at a vendor, and how to switch it on.

    gtm sandbox faults stripe
    """
    from gtm_pipelines.sandbox.vendors import vendors

    model = vendors()[_spoken(vendor, vendors())].faults
    rows = [
        [name, field.get_default(call_default_factory=True), field.description]
        for name, field in model.model_fields.items()
    ]

    def show(out: Console) -> None:
        out.print(table(["fault", "at first", "meaning"], rows))
        url = read_settings().sandbox_url or DEFAULT_URL
        out.print(f'curl -X PUT {url}/TENANT/_faults -d \'{{"{vendor}": {{"rate_limit_next": 2}}}}\'', markup=False)

    emit([dict(zip(("fault", "default", "meaning"), row, strict=True)) for row in rows], as_json=as_json, show=show)


def _spoken(vendor: str, known: Iterable[str]) -> str:
    if vendor not in known:
        raise UsageError(f"the sandbox does not speak {vendor!r}; it speaks {', '.join(sorted(known))}")
    return vendor


@app.command("judge")
def judge(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="A tenant that syncs from its world.")],
    worst: Annotated[int, typer.Option("--worst", min=0, help="How many mistakes to show.")] = 5,
    as_json: Json = False,
) -> None:
    """Measure golden people and accounts against the world's truth, by pair of sources, and show the worst mistakes.

    gtm sandbox judge hooli
    """
    from gtm_pipelines.sandbox import judge as measure
    from gtm_pipelines.sandbox import truth
    from gtm_pipelines.warehouse import open_published

    settings = read_settings()
    known = truth(sandbox_directory(settings), TenantId(tenant))
    with open_published(settings, tenant) as warehouse:
        found = [measure(warehouse, known, kind, most=worst) for kind in ("person", "account")]

    def show(out: Console) -> None:
        for each in found:
            _show_judgement(out, each)

    emit(found, as_json=as_json, show=show)


_SHARED = {
    "person": "mailbox, telephone number, reference or name at one company",
    "account": "domain or company name",
}


def _show_judgement(out: Console, found: Judgement) -> None:
    whole = found.overall
    out.print(
        f"[bold]{found.kind}[/bold]: precision {whole.precision:.3f}, recall {whole.recall:.3f}"
        f" over {whole.records:,} records and {whole.true_pairs:,} true pairs"
    )
    if found.missed:
        out.print(
            f"of {found.missed:,} missed pairs {found.beyond_knowing:,} share no"
            f" {_SHARED[found.kind]}, not even through a third record"
        )
    rows = [
        [pair.left, pair.right, pair.true_pairs, pair.right_pairs, f"{pair.precision:.3f}", f"{pair.recall:.3f}"]
        for pair in found.by_source
        if pair.true_pairs or pair.claimed_pairs
    ]
    out.print(table(["source", "with", "#true pairs", "#found", "#precision", "#recall"], rows))
    for blunder in found.worst:
        mistake = blunder.mistake
        what = "mixes" if mistake.kind == "mixed" else "is scattered over"
        out.print(f"{mistake.subject} {what} {len(mistake.parts)}: {mistake.pairs} pairs", style="bold")
        shown = [[value for name, value in record.items() if name != "connector"] for record in blunder.records]
        out.print(table([name for name in blunder.records[0] if name != "connector"], shown))


def port_of(url: str) -> int:
    """Return the port an address names, or its scheme's own."""
    parts = urlsplit(url)
    return parts.port or (443 if parts.scheme == "https" else 80)
