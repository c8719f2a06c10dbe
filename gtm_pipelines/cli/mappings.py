"""``gtm mappings``: how a vendor's fields become ours, and what a tenant wants otherwise."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Any

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.mapping_paths import find_unseen, paths_of
from gtm_pipelines.cli.output import Json, emit, progress, table
from gtm_pipelines.cli.session import open_session
from gtm_pipelines.cli.sync import emit_refresh

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.cli.session import Session
    from gtm_pipelines.control_plane import Connection
    from quality.mapping import Mapping

app = typer.Typer(help="Show how fields are mapped, override single ones, and map history again.", no_args_is_help=True)

Tenant = Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")]
Name = Annotated[str, typer.Argument(metavar="CONNECTION", help="The connection's name.")]
Place = Annotated[
    str,
    typer.Argument(metavar="ENTITY.TARGET.FIELD", help="As Contact.person.title or Contact.person.properties.tier."),
]


@app.command("show")
def show_mapping(
    tenant: Tenant,
    name: Name,
    entity: Annotated[str | None, typer.Argument(metavar="ENTITY", help="Only this entity.")] = None,
    as_json: Json = False,
) -> None:
    """Show what holds for a connection: the connector's mapping under the tenant's overrides; null is one taken away.

    gtm mappings show acme salesforce Contact
    """
    with open_session() as session:
        connection = session.control.get_connection(tenant, name)
        overrides = session.control.list_overrides(tenant, name)
        mapping = effective(connection, overrides)
    if entity is not None and mapping.targets(entity) is None:
        raise UsageError(f"{name} maps no entity {entity!r}; it maps {', '.join(sorted(mapping.entities))}")
    own = {(each.entity, each.target, each.field) for each in overrides}
    rows = [
        [place, target.label, field, value, "tenant" if (place, target.label, field) in own else "connector"]
        for place in sorted(mapping.entities)
        if entity in (None, place)
        for target in mapping.targets(place) or ()
        for field, value in _fields(target.model_dump(mode="json", exclude_defaults=True))
    ]
    rows += [
        [each.entity, each.target, each.field, None, "tenant"]
        for each in overrides
        if each.spec is None and entity in (None, each.entity)
    ]

    def show(out: Console) -> None:
        shown = [[*place, _short(value), origin] for *place, value, origin in rows]
        out.print(table(["entity", "target", "field", "value", "from"], shown))

    keys = ("entity", "target", "field", "value", "from")
    emit([dict(zip(keys, row, strict=True)) for row in rows], as_json=as_json, show=show)


@app.command("set")
def set_field(
    tenant: Tenant,
    name: Name,
    place: Place,
    spec: Annotated[
        str, typer.Argument(metavar="SPEC", help="What would stand in mapping.yml: a path, JSON, or null to unmap.")
    ],
    as_json: Json = False,
) -> None:
    """Map one field otherwise for one connection. History follows at the next refinement; the vendor is not asked.

    gtm mappings set acme salesforce Contact.person.title Job_Title__c
    gtm mappings set acme salesforce Contact.person.phone '["MobilePhone", "Phone"]'
    gtm mappings set acme salesforce Contact.person.email '{"source": "Work_Email__c", "transform": "email"}'
    """
    from quality.mapping import MappingError

    entity, target, field = split_place(place)
    wanted = read_spec(spec)
    with open_session() as session:
        connection = session.control.get_connection(tenant, name)
        kept = [
            {"entity": each.entity, "target": each.target, "field": each.field, "spec": each.spec}
            for each in session.control.list_overrides(tenant, name)
            if (each.entity, each.target, each.field) != (entity, target, field)
        ]
        check_place(connection, kept, entity, target)
        try:
            given = {"entity": entity, "target": target, "field": field, "spec": wanted}
            mapping = effective(connection, [*kept, given])
        except MappingError as error:
            raise UsageError(f"{place} cannot be {_short(wanted)}: {str(error).partition(': ')[2]}") from None
        session.control.set_override(tenant, name, entity, target, field, wanted)
        warning = find_unseen(session.settings, connection, entity, paths_of(mapping, entity, target, field))
    if warning is not None:
        typer.echo(f"warning: {warning}", err=True)

    def show(out: Console) -> None:
        out.print(f"{place} is now {_short(wanted)}; next: gtm refine {tenant}", markup=False, soft_wrap=True)

    emit(given | {"warning": warning}, as_json=as_json, show=show)


@app.command("unset")
def unset(tenant: Tenant, name: Name, place: Place) -> None:
    """Let the connector's own mapping of a field hold again.

    gtm mappings unset acme salesforce Contact.person.title
    """
    entity, target, field = split_place(place)
    with open_session() as session:
        session.control.unset_override(tenant, name, entity, target, field)
    typer.echo(f"{place} is the connector's own again; next: gtm refine {tenant}")


@app.command("replay")
def replay(
    tenant: Tenant,
    name: Annotated[str | None, typer.Argument(metavar="CONNECTION", help="Only this connection.")] = None,
    as_json: Json = False,
) -> None:
    """Map all stored records again, without the vendor. A changed mapping does not need it: the next refinement does.

    gtm mappings replay acme salesforce
    """
    with open_session() as session:
        names = [connection.name for connection in session.connections(tenant, name)]
        replay_connections(session, tenant, names, as_json=as_json)


def replay_connections(session: Session, tenant: str, names: list[Any], *, as_json: bool) -> None:
    """Map the stored records of some connections again and refresh what follows from them."""
    from gtm_pipelines.refresh import refresh_tenant

    with progress(f"mapping {tenant} again", quiet=as_json) as say:
        report = refresh_tenant(session.settings, session.control, tenant, replay=names, on_stage=say)
    emit_refresh(report, as_json=as_json)


def effective(connection: Connection, overrides: list[Any]) -> Mapping:
    """Return a connector's mapping with ``overrides`` over it; raise MappingError when they do not fit."""
    from connectors import registry
    from quality.mapping import load_mapping, overlay

    return overlay(load_mapping(registry.mapping_path(connection.connector)), overrides)


def check_place(connection: Connection, overrides: list[Any], entity: str, target: str) -> None:
    """Raise UsageError when a connection has no such entity, or an entity's target is neither there nor a kind."""
    mapping = effective(connection, overrides)
    further = connection.settings.get("objects", [])
    known = {*mapping.entities, *(further if isinstance(further, list) else [])}
    if entity not in known:
        raise UsageError(f"{connection.name} has no entity {entity!r}; it has {', '.join(sorted(known))}")
    targets = {each.label for each in mapping.targets(entity) or ()} | {"person", "account", "activity"}
    if target not in targets:
        raise UsageError(f"{entity} makes no {target!r}; write one of {', '.join(sorted(targets))}")


def split_place(place: str) -> tuple[str, str, str]:
    """Take ``Contact.person.properties.tier`` apart into entity, target and field."""
    match place.split(".", 2):
        case entity, target, field if entity and target and field:
            return entity, target, field
    raise UsageError(f"{place!r} does not name a field: write ENTITY.TARGET.FIELD, as Contact.person.title")


def read_spec(spec: str) -> Any:
    """Read JSON where the text is JSON; anything else is a path."""
    if not spec.strip():
        raise UsageError("nothing is given to map the field by: write a path, JSON, or null to unmap it")
    if spec.strip()[0] in '[{"' or spec.strip() == "null":
        try:
            return json.loads(spec)
        except ValueError as error:
            raise UsageError(f"{spec!r} is not valid JSON: {error}") from None
    return spec.strip()


def _fields(target: dict[str, Any]) -> list[tuple[str, Any]]:
    rows = list(target.get("fields", {}).items())
    rows += [(f"properties.{name}", value) for name, value in target.get("properties", {}).items()]
    return rows + [
        (name, value) for name, value in target.items() if name not in {"fields", "properties", "target", "name"}
    ]


def _short(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
