"""Running the files of ``sql/golden``: the same statements serve people and accounts, with a few words put in.

The words are constants of this package (KIND is ``person`` or ``account``), never data and never a tenant's names.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from gtm_pipelines.warehouse import sql_files

if TYPE_CHECKING:
    from gtm_pipelines.warehouse import Warehouse


class Statements:
    """A warehouse, the words of one kind, and how long each file took."""

    def __init__(self, warehouse: Warehouse, words: dict[str, str], seconds: dict[str, float]) -> None:
        self.warehouse = warehouse
        self.words = words
        self.seconds = seconds

    def run(self, name: str, **more: str) -> None:
        """Run ``sql/golden/<name>.sql``."""
        self.execute(sql_files.load(f"golden/{name}.sql"), name, **more)

    def execute(self, sql: str, name: str, **more: str) -> None:
        """Run statements under a name for the clock."""
        words = self.words | more
        text = re.sub("|".join(words), lambda found: words[found[0]], sql)
        started = time.perf_counter()
        self.warehouse.execute(text)
        key = f"{self.words['KIND']}.{name}"
        self.seconds[key] = self.seconds.get(key, 0.0) + time.perf_counter() - started

    def count(self, relation: str) -> int:
        """Count the rows of a relation of this package's own."""
        return int(self.warehouse.rows(f"SELECT count(*) FROM {relation}")[0][0])
