"""Which records must be compared again after a change: the changed ones and whoever a usable key ties to them.

A key's standing depends on all its owners, so every key of a changed record is weighed as it was and as it is; where it
was or is usable, all its owners are looked at. From there the walk goes on over usable keys until it finds nobody new.
The result is closed: no rule, guard or contradiction inside it depends on a record outside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gtm_pipelines.resolution import slices

if TYPE_CHECKING:
    from gtm_pipelines.resolution.statements import Statements

_RESET = "CREATE OR REPLACE TEMP TABLE match_seen_key (rule VARCHAR, value VARCHAR)"
_FIRST = "CREATE OR REPLACE TEMP TABLE match_frontier AS SELECT source, external_id FROM match_affected"


def expand(statements: Statements) -> None:
    """Close ``match_affected`` over usable keys. Ends because every step adds records or is the last."""
    statements.execute(_RESET, "spread")
    statements.execute(_FIRST, "spread")
    while statements.count("match_frontier"):
        slices.spread(statements)
        statements.run("spread")
