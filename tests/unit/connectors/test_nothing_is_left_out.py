"""Chance against the engine: mass updates, a late index, dying cursors, kills after any page. Nothing is missing."""

from __future__ import annotations

import random
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest

from connectors.connector import Connector, Cursor, Mode, SyncOptions
from connectors.errors import Retry
from connectors.runtime.messages import Request
from tests.unit.connectors.described import NOW, Vendor, connect, iso
from tests.unit.connectors.test_searches import CAP, PEOPLE

LATEST = timedelta(minutes=55)
TWO_SPEEDS = PEOPLE.replace("    cursor: at\n", "    cursor: at\n    settle: 10s\n").replace(
    "      ordered: true\n", "      ordered: true\n      second_pass: {behind: 1h}\n"
)


class Account:
    """People whose changes the search shows late, each in its own time; until then it shows them as they were."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance
        self.vendor = Vendor(list=self.listed, search=self.search, ties=self.ties)
        self.people: dict[int, list[tuple[datetime, datetime]]] = {}  # (at, shown from), oldest first

    def change(self) -> None:
        """Let time pass; change a few people one by one, or many in one instant."""
        self.vendor.now += timedelta(minutes=self.chance.randint(1, 25), milliseconds=self.chance.randint(0, 999))
        size = self.chance.choice([0, 1, 3, 8, 35])
        chosen = [self.chance.randint(1, 60) for _ in range(size)]
        at = self.vendor.now - timedelta(seconds=self.chance.randint(0, 50))
        for number in dict.fromkeys(chosen):
            late = LATEST * self.chance.random() if self.chance.random() < 0.3 else timedelta(0)
            versions = self.people.setdefault(number, [])
            if not versions or versions[-1][0] < at:
                versions.append((at, self.vendor.now + late))
            if size < 8:
                at += timedelta(milliseconds=self.chance.randint(0, 3))

    def listed(self, _: Request) -> Any:
        return {"data": [_row(number, versions[-1][0]) for number, versions in self.people.items()]}

    def search(self, request: Request) -> Any:
        asked = request.json
        after = int(asked.get("after") or 0)
        if after and self.chance.random() < 0.1:
            return 400, {"error": "expired_cursor"}
        if after + asked["limit"] > CAP:
            return 400, {"error": "too_deep"}
        found = sorted(each for each in self._shown() if asked.get("since", "") <= each[0] <= asked["until"])
        page = found[after : after + asked["limit"]]
        more = {"next": str(after + len(page))} if after + len(page) < len(found) else {}
        return {"data": [{"id": str(number), "at": at} for at, number in page], **more}

    def ties(self, request: Request) -> Any:
        asked = request.json
        found = sorted(number for at, number in self._shown() if at == asked["at"] and number > int(asked["above"]))
        return {"data": [{"id": str(number), "at": asked["at"]} for number in found[: asked["limit"]]]}

    def _shown(self) -> list[tuple[str, int]]:
        now = self.vendor.now
        shown = {number: [at for at, since in versions if since <= now] for number, versions in self.people.items()}
        return [(_row(number, ats[-1])["at"], number) for number, ats in shown.items() if ats]


def _row(number: int, at: datetime) -> dict[str, Any]:
    return {"id": str(number), "at": iso(at)[:19] + f".{at.microsecond // 1000:03d}Z"}


class Warehouse:
    """What a sync leaves behind: the newest version of each record, and the cursor stored with it."""

    def __init__(self) -> None:
        self.rows: dict[str, datetime] = {}
        self.cursor: Cursor | None = None

    def sync(self, made: Connector, at: datetime, pages: int = 1_000_000) -> None:
        """Read, storing each page with its cursor; after ``pages`` of them the process is killed."""
        mode = Mode.FULL if self.cursor is None else Mode.INCREMENTAL
        walk = made.sync(made.authenticate(), self.cursor, SyncOptions("people", mode, at))
        with suppress(Retry):
            for number, page in enumerate(walk):
                if number >= pages:
                    return
                for row in page.rows.to_pylist():
                    known = self.rows.get(row["external_id"])
                    self.rows[row["external_id"]] = max(row["source_updated_at"], known or row["source_updated_at"])
                self.cursor = page.cursor if page.cursor is not None else self.cursor


@pytest.mark.parametrize("seed", range(20))
def test_whatever_happens_one_clean_sync_later_all_is_there(seed: int) -> None:
    chance = random.Random(seed)
    account, warehouse = Account(chance), Warehouse()
    made = connect(account.vendor, TWO_SPEEDS)
    account.vendor.now = NOW - timedelta(days=1)
    for _ in range(30):
        account.change()
        if chance.random() < 0.7:
            warehouse.sync(made, account.vendor.now, chance.choice([0, 1, 2, 5, 50, 50, 50]))
    account.vendor.now += timedelta(hours=2)
    warehouse.sync(made, account.vendor.now)
    expected = {str(number): _row(number, versions[-1][0])["at"] for number, versions in account.people.items()}
    found = {key: _row(0, at)["at"] for key, at in warehouse.rows.items()}
    assert {key: at for key, at in expected.items() if found.get(key) != at} == {}
