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

    from gtm_pipelines.resolution import Why, WhyKey
    from gtm_pipelines.warehouse import Served


def why(
    tenant: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    person: Annotated[
        str,
        typer.Argument(metavar="PERSON", help="A golden person's id, any e-mail address of theirs, or a record's id."),
    ],
    as_json: Json = False,
) -> None:
    """Explain a golden person: which records, which rules tied them, which values won and which lost.

    gtm why acme per_01h8…
    gtm why acme jane.doe@example.com
    gtm why acme salesforce:003Hs00000000OyIAI
    """
    from gtm_pipelines.resolution import why as explain

    with open_shown(read_settings(), tenant) as warehouse:
        found = explain(warehouse, find_person_id(warehouse, person))
    emit(found, as_json=as_json, show=lambda out: show_why(out, found))


_GOES_BY = "SELECT person_id FROM golden.person WHERE lower(email) = lower(?) AND NOT is_deleted"
_HAD = """
SELECT DISTINCT l.person_id FROM golden.person_link l
JOIN canonical.person c ON c.source = l.source AND c.external_id = l.external_id
WHERE lower(c.email) = lower(?)
"""
_BY_RECORD = "SELECT DISTINCT person_id FROM golden.person_link WHERE ? IN (external_id, source || ':' || external_id)"


def find_person_id(warehouse: Served, asked: str) -> str:
    """Return the golden id that is meant; raise UsageError where it is nobody's, or several people's.

    The address a person goes by counts before one that a record of somebody has.
    """
    if asked.startswith("acc_"):
        records = f"select * from golden.account_link where account_id = '{asked}'"
        raise UsageError(f'{asked} is a company; its records: gtm query {warehouse.tenant} "{records}"')
    ways = [*((_GOES_BY, _HAD) if "@" in asked else ()), _BY_RECORD]
    for found in (warehouse.rows(way, [asked]) for way in ways):
        if len(found) > 1:
            ids = ", ".join(sorted(str(person_id) for (person_id,) in found))
            raise UsageError(f"{asked} belongs to several golden people: ask for one of {ids}")
        if found:
            return str(found[0][0])
    if "@" in asked:
        raise UsageError(f"no golden person has the address {asked}, and no record of one")
    return asked


def show_why(out: Console, found: Why) -> None:
    """Draw the records, the keys that tie them, and each field's winner and losers."""
    if found.asked != found.person_id:
        out.print(f"{found.asked} was merged into {found.person_id}\n")
    if found.is_deleted:
        out.print("deleted: every source has deleted its record of this person\n")
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
        keys = [[key.rule, key.value, _carriers(key), key.owners, key.is_used] for key in found.keys]
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


def _carriers(key: WhyKey) -> str:
    return ", ".join(f"{record} (loosely)" if record in key.loosely else record for record in key.records)


def _evidence(evidence: dict[str, object]) -> str:
    return ", ".join(f"{name} {value}" for name, value in evidence.items())
