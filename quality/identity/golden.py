"""The SELECT that makes golden rows of member records: survivors per field, their origin, and what lost to them.

Reads the relation ``match_member``: the members' canonical columns, ``cluster``, its golden ``id`` and number of
``members``, ``priority``, ``completeness`` and ``basis``. Winners are found by smallest rank, losers only where
some member says otherwise, and provenance is put together as text: it is golden's largest column.

Most entities have one record, where nothing competes: :func:`alone` makes their rows without grouping, the same rows
:func:`select` would.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quality.identity.survivorship import FieldPolicy

_ORIGIN = (
    """concat('"source":', to_json(source), ',"external_id":', to_json(external_id), ',"at":',"""
    """ CASE WHEN source_updated_at IS NULL THEN 'null' ELSE concat('"', source_updated_at, '"') END)"""
)
_SELECT = """
WITH ranked AS MATERIALIZED (
    SELECT *, $ranks, $origin AS origin FROM match_member
),
won AS MATERIALIZED (
    SELECT cluster, any_value(id) AS id, bool_and(is_deleted) AS is_deleted,
           list_sort(list(DISTINCT source)) AS sources, CAST(count(*) AS INTEGER) AS record_count, $winners
    FROM ranked GROUP BY cluster
),
lost AS (
    SELECT m.cluster, $losers
    FROM ranked m JOIN won w USING (cluster)
    WHERE m.members > 1 AND ($differs)
    GROUP BY m.cluster
)
SELECT w.id, $fields, w.is_deleted, w.sources, w.record_count, concat('{', $provenance, '}') AS provenance
FROM won w LEFT JOIN lost l USING (cluster)
"""
_WINNER = "$pick($column, rank_$number) FILTER (WHERE $present) AS $name"
_DIFFERS = "(m.$field IS NOT NULL AND m.$field IS DISTINCT FROM w.$field)"
_LOSER = (
    """string_agg(concat('{"value":', to_json(m.$field), ',', m.origin, '}'), ',' ORDER BY m.rank_$number)"""
    " FILTER (WHERE m.$field IS NOT NULL AND m.$field IS DISTINCT FROM w.$field) AS lost_$field"
)
_PROVENANCE = (
    """concat('"$field":', CASE WHEN coalesce(CAST(w.$field AS VARCHAR), l.lost_$field) IS NULL THEN 'null' ELSE"""
    """ concat('{"value":', coalesce(to_json(w.$field), 'null'), ',', w.origin_$number,"""
    """ ',"losers":[', l.lost_$field, ']}') END)"""
)

_ALONE = """
SELECT id, $fields, is_deleted, [source] AS sources, 1 AS record_count, concat('{', $provenance, '}') AS provenance
FROM (SELECT *, concat(',', $origin, ',"losers":[]}') AS rest FROM match_alone)
"""
# One concat of everything: each || would copy the text so far. It passes over nulls, so a null value is its own text.
_UNRIVALLED = (
    """'"$field":', CASE WHEN $field IS NULL THEN 'null' ELSE '{"value":' END, to_json($field),"""
    """ CASE WHEN $field IS NOT NULL THEN rest END"""
)


def select(policies: tuple[FieldPolicy, ...]) -> str:
    """Return the SELECT of (id, one column per field, is_deleted, sources, record_count, provenance)."""
    numbered = list(enumerate(policies))
    fields = [(field, number) for number, policy in numbered for field in policy.fields]
    return Template(_SELECT).substitute(
        origin=_ORIGIN,
        ranks=", ".join(f"{policy.rank} AS rank_{number}" for number, policy in numbered),
        winners=", ".join(_winner(policy, number) for number, policy in numbered),
        losers=", ".join(_fill(_LOSER, field=field, number=number) for field, number in fields),
        differs=" OR ".join(_fill(_DIFFERS, field=field) for field, _ in fields),
        fields=", ".join(f"w.{field}" for field, _ in fields),
        provenance=", ',', ".join(_fill(_PROVENANCE, field=field, number=number) for field, number in fields),
    )


def alone(policies: tuple[FieldPolicy, ...]) -> str:
    """Return the SELECT of the same columns over ``match_alone``, canonical columns and ``id`` of lone records."""
    fields = [field for policy in policies for field in policy.fields]
    return Template(_ALONE).substitute(
        origin=_ORIGIN,
        fields=", ".join(fields),
        provenance=", ',', ".join(_fill(_UNRIVALLED, field=field) for field in fields),
    )


def _winner(policy: FieldPolicy, number: int) -> str:
    """Return the surviving fields of one policy and their origin, all of one record: the best that has any of them."""
    present = " OR ".join(f"{field} IS NOT NULL" for field in policy.fields)
    # arg_min passes over nulls, which would mix two records where several fields survive together.
    pick = "arg_min" if len(policy.fields) == 1 else "arg_min_null"
    picks = [(pick, field, field) for field in policy.fields] + [("arg_min", "origin", f"origin_{number}")]
    return ", ".join(
        _fill(_WINNER, pick=pick, column=column, name=name, number=number, present=present)
        for pick, column, name in picks
    )


def _fill(template: str, **words: str | int) -> str:
    return Template(template).substitute(words)
