"""What tables and columns mean, written into the catalogue as comments, where every SQL client shows them.

A column means the same wherever its name stands, so a meaning is said once: by the canonical model for its fields, here
for what golden and the marts add. A mart's own comment is the header of its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.marts.files import SCHEMA, mart_files
from gtm_pipelines.warehouse import sql_files
from gtm_pipelines.warehouse.names import literal
from quality.canonical import Kind, columns

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served

TABLES = {
    "canonical.person": "One row per person record of a source, typed and validated.",
    "canonical.account": "One row per company record of a source, typed and validated.",
    "canonical.activity": "One row per activity record of a source, typed and validated.",
    "golden.person": "One row per real person; is_deleted when every record of them is.",
    "golden.account": "One row per real company; is_deleted when every record of it is.",
    "golden.activity": "One row per activity, with the golden person and account it belongs to.",
    "golden.person_link": "One row per canonical person: its golden person, by which rule and evidence.",
    "golden.account_link": "One row per canonical account: its golden account, by which rule and evidence.",
    "golden.person_identity": "One row per golden person id ever given out; merged_into leads on once it is retired.",
    "golden.account_identity": "One row per golden account id ever given out; merged_into leads on once it is retired.",
    "golden.person_key": "One row per canonical person, rule and value: what people are compared by.",
    "golden.account_key": "One row per canonical account, rule and value: what companies are compared by.",
    "golden.person_rule": "One row per rule of the policy in force, for people.",
    "golden.account_rule": "One row per rule of the policy in force, for companies.",
    "golden.resolution": "One row: the policy that golden was built with, and when.",
    "quality.quarantine": "One row per failed rule per record; severity row: left out, field: used without the value.",
    "quality.unmapped": "One row per record that is left out on purpose, or whose row another stands for, and why.",
}
COLUMNS = {
    "person_id": "Golden id of the person; stable, and never given to another.",
    "account_id": "Golden id of the company; stable, and never given to another.",
    "full_name": "Given and family name.",
    "account_name": "Name of the person's golden account.",
    "account_domain": "Registrable domain of the person's golden account.",
    "account_industry": "Industry of the person's golden account.",
    "people": "Live golden people of the account.",
    "engaged_people": "How many known people have a live activity at the account.",
    "activities": "How many live activities.",
    "first_activity_at": "When the first live activity happened.",
    "last_activity_at": "When the last live activity happened.",
    "last_activity_type": "Type of the last live activity.",
    "last_activity_channel": "Channel of the last live activity.",
    "channels": "Channels of all live activities, sorted.",
    "sources": "The connections the row was made from, sorted.",
    "record_count": "How many source records, deleted ones too, are this person or company.",
    "provenance": "Per field: value, source, external_id, at, and the losers with theirs; null without a value.",
    "updated_at": "When the golden row last changed.",
    "day": "Day in UTC.",
    "entity": "The vendor's kind of record, as Contact.",
    "records": "Raw records, deleted ones too.",
    "live_records": "Raw records that the source still has.",
    "newest_change_at": "The newest change the source itself reported.",
    "last_change_synced_at": "When a sync last brought a new or changed record.",
    "last_refined_at": "When a canonical row of the entity was last written.",
    "canonical_rows": "Canonical rows made from the records.",
    "quarantined_records": "Records with an open entry in quality.quarantine.",
    "rule": "The rule that decided.",
    "evidence": "What the rule saw, as JSON.",
    "confidence": "How sure the rule is, from 0 to 1.",
    "since": "Since when it has been so.",
    "merged_into": "The golden id that took this one over.",
}
_LAYERS = ("canonical", "golden", "marts", "quality")


def write_meanings(served: Served, *, anew: bool) -> None:
    """Comment every table of ours, and each column whose meaning is known and not yet told. The marts must be there.

    With ``anew`` columns are told again of which another release said something else.
    """
    known = {column.name: column.description for kind in Kind for column in columns(kind)}
    tables = TABLES | {f"{SCHEMA}.{mart}": _header(path) for mart, path in mart_files().items()}
    ours = [column for column in served.catalogue(_LAYERS) if f"{column.schema}.{column.table}" in tables]
    for table in sorted({f"{column.schema}.{column.table}" for column in ours}):
        kind = "VIEW" if table.startswith(f"{SCHEMA}.") else "TABLE"
        served.execute(f"COMMENT ON {kind} {table} IS {literal(tables[table])}")
    for column in ours:
        told = COLUMNS.get(column.name) or known.get(column.name)
        stands = column.comment == told if anew else column.comment is not None
        if told and not stands and column.schema != "quality":
            place = f"{column.schema}.{column.table}.{served.quote(column.name)}"
            served.execute(f"COMMENT ON COLUMN {place} IS {literal(told)}")


def _header(path: str) -> str:
    """Return the comment lines a mart's file opens with, as one text."""
    lines = [line.removeprefix("-- ") for line in sql_files.load(path).splitlines() if line.startswith("-- ")]
    return "; ".join(lines)
