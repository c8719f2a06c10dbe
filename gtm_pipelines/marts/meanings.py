"""What tables and columns mean, written into the catalogue as comments, where every SQL client shows them.

A column means the same wherever its name stands, so a meaning is said once: by the canonical model for its fields, here
for what golden, the marts and quality add. Where a name means something else in one table, the table is named. A mart's
own comment is the header of its file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.marts.files import SCHEMA, mart_files
from gtm_pipelines.warehouse import sql_files
from gtm_pipelines.warehouse.names import literal, quote
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
    "quality.raw_record": "One row per raw record of every connection and entity, to count by.",
    "raw.entity": "One row per entity that was ever synced, and the table its records are in.",
}
COLUMNS = {
    "person_id": "Golden id of the person; stable, and never given to another.",
    "account_id": "Golden id of the company; stable, and never given to another.",
    "full_name": "Given and family name.",
    "account_name": "Name of the golden account.",
    "account_domain": "Registrable domain of the golden account.",
    "account_industry": "Industry of the golden account.",
    "people": "Live golden people of the account.",
    "engaged_people": "People, of whatever account and deleted ones too, with an activity here that has happened.",
    "activities": "Live activities that have happened.",
    "marts.engagement_daily.activities": "Live activities; on days to come the planned ones.",
    "planned_activities": "Live activities that lie ahead, as meetings in a calendar.",
    "first_activity_at": "When the first live activity happened.",
    "last_activity_at": "When the last live activity happened; never in the future.",
    "next_activity_at": "When the next planned activity is.",
    "last_activity_type": "Type of the last live activity that happened.",
    "last_activity_channel": "Channel of the last live activity that happened.",
    "channels": "Channels of all live activities that have happened, sorted.",
    "sources": "The connections with a record of this person or company, deleted records too, sorted.",
    "marts.engagement_daily.sources": "The connections the activities came through, sorted.",
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
    "ordinal": "How many ids the founding record was given before this one.",
    "value": "What records are compared by, normalised.",
    "qualifier": "What should agree among all who share the value: a name, a mailbox, a source.",
    "is_loose": "True when the value was read off something else, and only a weaker rule goes by it.",
    "number": "The rule's place in the policy.",
    "level": "0 joins at once; a higher level joins what the levels below it made.",
    "max_owners": "A value that more records share joins nobody.",
    "max_qualifiers": "A value with more different qualifiers joins nobody.",
    "agree": "True when only records with an equal qualifier are joined.",
    "meaning": "The rule in words.",
    "loosens": "The rule whose loose values this one goes by.",
    "_entity": "The vendor's kind of record that the row was made from.",
    "_record_id": "Id of the raw record that the row was made from, in raw_<connection>.",
    "_row_hash": "Hash of the row's content.",
    "_merged_into": "external_id of the record that the vendor merged this one into.",
    "_references": "The same thing at other sources, as connector:external_id.",
    "_refined_at": "When the row was last written.",
    "connection": "The connection the record was read through.",
    "record_id": "external_id of the raw record, in raw_<connection>; null where the whole entity is meant.",
    "synced_at": "When a sync brought the record as it is now.",
    "table_name": "The entity's table in raw_<connection>, and its typed view in <connection>.",
    "target": "The canonical table the row would be in.",
    "reason": "Why: when, nothing_to_fan_out, tombstone, key_passed_on, shared, left_out or not_in_mapping.",
    "first_seen": "When it was first seen.",
    "last_seen": "When it was last seen.",
    "mapping_version": "Version of the mapping that was tried.",
    "status": "open, or resolved: it no longer applies.",
    "severity": "row: the record is left out, or its last good version stays; field: it is used without the value.",
    "quality.quarantine.field": "The canonical field the value was meant for.",
    "quality.quarantine.rule": "The rule the value breaks.",
    "quality.quarantine.value": "The value, as the vendor wrote it.",
    "marts.source_freshness.source": "The connection.",
    "golden.person.is_deleted": "True when every source record is deleted.",
    "golden.account.is_deleted": "True when every source record is deleted.",
}
_LAYERS = ("canonical", "golden", "marts", "quality", "raw")


def write_meanings(served: Served, *, anew: bool) -> None:
    """Comment every table of ours, and each column whose meaning is known and that has no comment. Marts must be there.

    With ``anew`` a column that has another release's comment gets this one's.
    """
    known = {column.name: column.description for kind in Kind for column in columns(kind)}
    tables = TABLES | {f"{SCHEMA}.{mart}": _header(path) for mart, path in mart_files().items()}
    ours = [column for column in served.catalogue(_LAYERS) if f"{column.schema}.{column.table}" in tables]
    for table in sorted({f"{column.schema}.{column.table}" for column in ours}):
        kind = "VIEW" if table == "quality.raw_record" or table.startswith(f"{SCHEMA}.") else "TABLE"
        served.execute(f"COMMENT ON {kind} {table} IS {literal(tables[table])}")
    for column in ours:
        names = (f"{column.schema}.{column.table}.{column.name}", column.name)
        told = next((COLUMNS[name] for name in names if name in COLUMNS), known.get(column.name))
        stands = column.comment == told if anew else column.comment is not None
        if told and not stands:
            place = f"{column.schema}.{column.table}.{quote(column.name)}"
            served.execute(f"COMMENT ON COLUMN {place} IS {literal(told)}")


def _header(path: str) -> str:
    """Return the comment lines a mart's file opens with, as one text."""
    lines = [line.removeprefix("-- ") for line in sql_files.load(path).splitlines() if line.startswith("-- ")]
    return "; ".join(lines)
