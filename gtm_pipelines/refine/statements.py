"""Fills in the placeholders of ``sql/refine``: names of tables and kinds as they are, values as quoted literals.

A file may hold several statements, which run as one call, and such a call takes no parameters: so values are quoted
here, in one place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import sql_files
from quality.normalise.text import literal

if TYPE_CHECKING:
    from datetime import datetime

_PLACE = re.compile(r"\{([a-z_]+)\}")


@dataclass(frozen=True, slots=True)
class Scope:
    """One entity of one connection at one moment: what every statement of a refinement speaks of."""

    connection: str
    entity: str
    raw: str  # the quoted raw table
    version: str = ""  # of everything that decides what a record becomes
    now: datetime | None = None  # unset for statements that only read

    def fill(self, name: str, **parts: object) -> str:
        """Return ``sql/refine/<name>.sql`` with its places filled."""
        values = {
            "connection": literal(self.connection),
            "entity": literal(self.entity),
            "raw": self.raw,
            "version": literal(self.version),
            "now": f"TIMESTAMPTZ {literal(self.now.isoformat())}" if self.now else "NULL",
            **{place: str(part) for place, part in parts.items()},
        }
        return _PLACE.sub(lambda place: values[place[1]], sql_files.load(f"refine/{name}.sql"))
