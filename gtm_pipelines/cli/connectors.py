"""``gtm connectors``: what can be connected, and what each connector needs and reads; authoring is next door."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli import connector_authoring
from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, table

if TYPE_CHECKING:
    from rich.console import Console

    from connectors.manifest import Manifest

app = typer.Typer(help="See which sources can be connected, write another, and judge any.", no_args_is_help=True)
app.command("new")(connector_authoring.new)
app.command("check")(connector_authoring.check)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the connectors."""
    from connectors import registry

    manifests = [registry.manifest(name) for name in registry.ids()]
    data = [
        {
            "connector": manifest.id,
            "name": manifest.name,
            "category": manifest.category,
            "version": manifest.version,
            "auth": manifest.auth.type,
            "entities": [entity.name for entity in manifest.entities],
        }
        for manifest in manifests
    ]

    def show(out: Console) -> None:
        rows = [[*list(row.values())[:5], ", ".join(row["entities"])] for row in data]
        out.print(table(["connector", "name", "category", "version", "auth", "entities"], rows))

    emit(data, as_json=as_json, show=show)


@app.command("show")
def show_connector(
    connector: Annotated[
        str, typer.Argument(metavar="CONNECTOR", help="The connector's id, as in `gtm connectors list`.")
    ],
    as_json: Json = False,
) -> None:
    """Show what a connector asks for and what it reads.

    gtm connectors show salesforce
    """
    manifest = find_manifest(connector)

    def show(out: Console) -> None:
        out.print(f"[bold]{manifest.name}[/bold] {manifest.version}: {manifest.description}\n")
        if manifest.auth.fields:
            rows = [[f.name, f.label, f.type, f.required, f.help] for f in manifest.auth.fields]
            out.print(table(["credential", "label", "type", "required", "help"], rows))
        if manifest.settings:
            rows = [[f.name, f.label, f.required, f.default, f.help] for f in manifest.settings]
            out.print(table(["setting", "label", "required", "default", "help"], rows))
        rows = [[e.name, e.cursor, str(e.delete_detection), e.selected, e.description] for e in manifest.entities]
        out.print(table(["entity", "cursor", "deletes", "read by default", "description"], rows))

    emit(manifest, as_json=as_json, show=show)


def find_manifest(connector: str) -> Manifest:
    """Return a connector's manifest; a wrong id is answered with the ones there are."""
    from connectors import registry

    if connector not in registry.ids():
        raise UsageError(f"there is no connector {connector!r}; there are: {', '.join(registry.ids())}")
    return registry.manifest(connector)
