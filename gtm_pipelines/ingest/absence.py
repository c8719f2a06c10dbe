"""What a complete read no longer saw: stored rows that become deleted, unless they are too many to be believed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.ingest.delta import listed
from gtm_pipelines.ingest.stored import HEAD, NOTHING
from gtm_pipelines.warehouse import names, sql_files

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_pipelines.ingest.delta import Delta
    from gtm_pipelines.ingest.limits import Limits
    from gtm_pipelines.ingest.spool import Spool
    from gtm_pipelines.warehouse import Warehouse


class ShrinkRefusedError(Exception):
    """A full read saw so few of the stored rows that deleting the rest is more likely a fault than the truth."""


@dataclass(frozen=True, slots=True)
class Completeness:
    """What was read whole, by prefixes of ids, and the unreadable ids, which are known to be there."""

    unreadable_ids: Sequence[str]
    prefixes: Sequence[str] = ("",)

    @property
    def covers(self) -> str:
        """The condition on a stored row ``r`` under which it ought to have been seen."""
        if "" in self.prefixes:
            return "true"
        return "(" + " OR ".join(f"starts_with(r.external_id, {names.literal(each)})" for each in self.prefixes) + ")"


def find_absent(
    warehouse: Warehouse, spool: Spool, delta: Delta, *, entity: str, table: str, complete: Completeness, limits: Limits
) -> None:
    """Add to ``delta`` the stored rows that a complete read no longer saw; raise ShrinkRefusedError for too many."""
    unreadable = "[" + ", ".join(names.literal(each) for each in complete.unreadable_ids) + "]"
    files = [f"SELECT external_id FROM read_parquet({listed(some)})" for some in (spool.seen, spool.batch()) if some]
    seen = f"({' UNION ALL '.join(files)})" if files else NOTHING
    stored = "stored_head"
    warehouse.look_up(stored, table, HEAD)
    warehouse.execute(
        sql_files.load("ingest/absent.sql").format(
            stored=stored, seen=seen, unreadable=unreadable, covers=complete.covers
        )
    )
    absent = int(warehouse.rows("SELECT count(*) FROM absent")[0][0])
    live = int(warehouse.rows(f"SELECT count(*) FROM {stored} WHERE NOT is_deleted")[0][0])
    is_everything = "" in complete.prefixes  # a single scope may well be gone: a mailbox closed, an audience dropped
    if is_everything and absent > max(limits.shrink_rows, limits.shrink_share * live):
        raise ShrinkRefusedError(
            f"the full read of {entity} no longer saw {absent:,} of {live:,} live records; nothing was changed: check "
            f"that the credential still sees them all; if they are really gone, run the full sync with --allow-shrink"
        )
    if absent:
        target = spool.directory / "absent.parquet"
        keys = "SELECT external_id FROM absent"
        warehouse.look_up("stored_whole", table, (*HEAD, "payload"), on=["external_id"], keys=keys)
        text = sql_files.load("ingest/absentees.sql")
        warehouse.execute(text.format(stored="stored_whole", target=names.literal(str(target))))
        delta.extra.append(target)
        delta.counts["absent"] = absent
        delta.counts["deleted"] = delta.counts.get("deleted", 0) + absent
