"""Files for the conformance suite: a folder of exports, several per entity."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from connectors import registry
from connectors.conformance.checks import Truth
from connectors.connector import Connector
from tests.contract.scenario import Scenario
from tests.stand_ins import offline_context

_NOW = datetime(2027, 1, 1, tzinfo=UTC)
_FILES = 3
_ROWS = 25


class VendorScenario(Scenario):
    """A folder whose files all share one last column of change."""

    started_at = _NOW
    page_size = 10
    tied_entity = "people"

    def __init__(self, directory: Path) -> None:
        self._folder = directory
        self._age = 900.0
        self._live: dict[str, set[str]] = {}
        for entity in ("people", "accounts", "activities"):
            for number in range(_FILES):
                self._write(entity, number, range(number * _ROWS, (number + 1) * _ROWS))

    def close(self) -> None:
        """A folder needs no closing."""

    def connect(self) -> Connector:
        settings = {"folder": str(self._folder), "updated_column": "updated_at"}
        return registry.build("file", offline_context(_NOW, settings))

    def truth(self, entity: str) -> Truth:
        return Truth(frozenset(self._live[entity]))

    def change(self) -> None:
        for entity in list(self._live):
            self._write(entity, 1, range(_ROWS + 2, _ROWS * 2 + 3), note="changed")

    @contextmanager
    def breaking_a_page(self) -> Iterator[None]:
        whole = {path: path.read_bytes() for path in self._folder.iterdir()}
        for path, content in whole.items():
            path.write_bytes(content[: len(content) // 2] + b',"cut')
        try:
            yield
        finally:
            for path, content in whole.items():
                path.write_bytes(content)

    @property
    def secrets(self) -> Sequence[str]:
        return ()

    def _write(self, entity: str, number: int, ids: range, note: str = "first") -> None:
        path = self._folder / f"{entity}_{number}.csv"
        old = {line.partition(",")[0] for line in path.read_text().splitlines()[1:]} if path.exists() else set()
        lines = ["id,updated_at,note", *(f"{entity}-{n},2026-01-01T00:00:00Z,{note}" for n in ids)]
        path.write_text("\n".join(lines) + "\n")
        self._age -= 1
        moment = _NOW.timestamp() - self._age
        os.utime(path, (moment, moment))
        self._live.setdefault(entity, set()).difference_update(old)
        self._live[entity] |= {f"{entity}-{n}" for n in ids}
