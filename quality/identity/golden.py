"""The SELECT that makes golden rows of member records: survivors per field, and for each its origin and what lost to it.

Reads the relation ``match_member``: the members' canonical columns plus ``id`` (golden id), ``members`` (how many records
share it), ``priority``, ``completeness`` and ``is_inferred``. Ranks are computed only where there is a choice.
"""

from __future__ import annotations

from string import Template
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from quality.identity.survivorship import FieldPolicy

_SELECT = """
WITH ranked AS MATERIALIZED (
    SELECT *, $ones FROM match_member WHERE members = 1
    UNION ALL
    SELECT *, $ranks FROM match_member WHERE members > 1
),
winner AS MATERIALIZED (
    SELECT id, bool_and(is_deleted) AS is_deleted, list_sort(list(DISTINCT source)) AS sources,
           CAST(count(*) AS INTEGER) AS record_count, $winners
    FROM ranked GROUP BY id
),
loser AS (
    SELECT m.id, $losers
    FROM ranked m JOIN winner w USING (id) WHERE m.members > 1 GROUP BY m.id
)
SELECT w.id, $values, w.is_deleted, w.sources, w.record_count, to_json({$provenance}) AS provenance
FROM winner w LEFT JOIN loser l USING (id)
"""
_RANK = "row_number() OVER (PARTITION BY id ORDER BY $order) AS rank_$number"
_WINNER = (
    "arg_min({$pairs, 'source': source, 'external_id': external_id, 'at': source_updated_at}, rank_$number)"
    " FILTER (WHERE $present) AS won_$number"
)
_LOSER = (
    "list({'value': m.$field, 'source': m.source, 'external_id': m.external_id, 'at': m.source_updated_at}"
    " ORDER BY m.rank_$number) FILTER (WHERE m.$field IS NOT NULL AND m.$field IS DISTINCT FROM w.won_$number.$field)"
    " AS lost_$field"
)
_PROVENANCE = (
    "'$field': CASE WHEN w.won_$number.$field IS NOT NULL OR l.lost_$field IS NOT NULL THEN {'value': w.won_$number.$field,"
    " 'source': w.won_$number.source, 'external_id': w.won_$number.external_id, 'at': w.won_$number.at,"
    " 'losers': coalesce(l.lost_$field, [])} END"
)


def select(policies: tuple[FieldPolicy, ...]) -> str:
    """Return the SELECT of (id, one column per field, is_deleted, sources, record_count, provenance)."""
    numbered = list(enumerate(policies))
    fields = [(field, number) for number, policy in numbered for field in policy.fields]
    return Template(_SELECT).substitute(
        ones=", ".join(f"1 AS rank_{number}" for number, _ in numbered),
        ranks=", ".join(_fill(_RANK, order=policy.order, number=number) for number, policy in numbered),
        winners=", ".join(_winner(policy, number) for number, policy in numbered),
        losers=", ".join(_fill(_LOSER, field=field, number=number) for field, number in fields),
        values=", ".join(f"w.won_{number}.{field} AS {field}" for field, number in fields),
        provenance=", ".join(_fill(_PROVENANCE, field=field, number=number) for field, number in fields),
    )


def _winner(policy: FieldPolicy, number: int) -> str:
    pairs = ", ".join(f"'{field}': {field}" for field in policy.fields)
    present = " OR ".join(f"{field} IS NOT NULL" for field in policy.fields)
    return _fill(_WINNER, pairs=pairs, present=present, number=number)


def _fill(template: str, **words: str | int) -> str:
    return Template(template).substitute(words)
