"""Which SQL the views were last made from, so that they are made again only when it changed."""

from __future__ import annotations

from enum import StrEnum
from hashlib import blake2b
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Served, Warehouse


class Part(StrEnum):
    """Views that are made together; ``quality.marts_built`` has a row for each part, with a hash of its SQL."""

    RAW_RECORD = "raw_record"
    MARTS = "marts"


def is_built(served: Served, part: Part, text: str) -> bool:
    """Tell whether a part was last made from this text."""
    if not served.has_table("quality", "marts_built"):
        return False
    return (_version(part, text),) in served.rows("SELECT version FROM quality.marts_built")


def ensure_notes(warehouse: Warehouse) -> None:
    """Create the table of what was made, where it is missing."""
    warehouse.execute("CREATE TABLE IF NOT EXISTS quality.marts_built (version VARCHAR)")


def note_built(served: Served, part: Part, text: str) -> None:
    """Remember that a part was made from this text; rows of parts that this release does not have are dropped."""
    others = [each for each in Part if each is not part]
    kept = " AND ".join(f"NOT starts_with(version, '{each}:')" for each in others)
    served.execute(f"DELETE FROM quality.marts_built WHERE {kept}")
    served.execute("INSERT INTO quality.marts_built (version) VALUES (?)", [_version(part, text)])


def _version(part: Part, text: str) -> str:
    return f"{part}:{blake2b(text.encode(), digest_size=16).hexdigest()}"
