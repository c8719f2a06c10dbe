"""``gtm why``: who is this person, and why do we think so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from gtm_pipelines.cli.exits import UsageError
from gtm_pipelines.cli.output import Json, emit, table
from gtm_pipelines.cli.session import open_shown
from gtm_pipelines.settings import read_settings

if TYPE_CHECKING:
    from rich.console import Console

    from gtm_pipelines.resolution import Why
    from gtm_pipelines.warehouse import Served


def why(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    person: Annotated[str, typer.Argument(metavar="PERSON_ID", help="A golden person's id, or their e-mail address.")],
    as_json: Json = False,
) -> None:
    """Explain a golden person: which records, which rules tied them, which values won and which lost.

    gtm why acme per_01h8…
    gtm why acme jane.doe@example.com
    """
    from gtm_pipelines.resolution import why as explain

    with open_shown(read_settings(), tenant) as warehouse:
        found = explain(warehouse, _by_email(warehouse, person) if "@" in person else person)
    emit(found, as_json=as_json, show=lambda out: show_why(out, found))


def _by_email(warehouse: Served, email: str) -> str:
    found = warehouse.rows(
        "SELECT person_id FROM golden.person WHERE lower(email) = lower(?) AND NOT is_deleted ORDER BY person_id",
        [email],
    )
    if not found:
        raise UsageError(f"no golden person has the address {email}")
    return str(found[0][0])


def show_why(out: Console, found: Why) -> None:
    """Draw the records, the keys that tie them, and each field's winner and losers."""
    if found.asked != found.person_id:
        out.print(f"{found.asked} was merged into {found.person_id}\n")
    rows = [
        [
            record.source,
            record.external_id,
            record.rule,
            record.confidence,
            _evidence(record.evidence),
            record.is_deleted,
        ]
        for record in found.records
    ]
    out.print(table(["source", "record", "tied by", "#confidence", "evidence", "deleted"], rows, title=found.person_id))
    if found.keys:
        keys = [[key.rule, key.value, ", ".join(key.records), key.owners, key.is_used] for key in found.keys]
        out.print(table(["key", "value", "carried by", "#owners", "used"], keys))
    fields = [
        [
            name,
            field.value,
            f"{field.source}:{field.external_id}",
            "; ".join(f"{loser.get('value')} ({loser.get('source')})" for loser in field.losers),
        ]
        for name, field in found.fields.items()
        if field is not None
    ]
    out.print(table(["field", "value", "from", "lost"], fields))


def _evidence(evidence: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in evidence.items())
