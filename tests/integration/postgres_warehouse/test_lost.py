"""A database that goes away in the middle: what is left is as if it had been there all the time, and it is said."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from gtm_pipelines.refresh import StageFailedError
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseError
from tests.integration.postgres_warehouse.conftest import ENCODED, SERVICE
from tests.integration.postgres_warehouse.office import NotDoneError, Office
from tests.integration.postgres_warehouse.wire import Wire, message, saying

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.integration.postgres_warehouse.conftest import House, SecondDay
COMPARE = b'"acme__raw_crm"."people"'
LOAD, REFINE, RESOLVE = b'DELETE FROM "acme__raw_crm"', b'COPY "acme__canonical"', b'COPY "acme__golden"'
LOST = (
    "the (connection to the warehouse was lost|warehouse cannot be opened): .*check GTM_WAREHOUSE_URL and the server.*"
)


@pytest.fixture(scope="module")
def truth(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Any]]:
    """What both days leave in a DuckDB file."""
    root = tmp_path_factory.mktemp("truth")
    office = Office(Settings(home=root / "home"), root / "exports")
    office.open()
    office.work(1)
    office.work(2)
    return office.stored()


@pytest.fixture
def wire(house: House) -> Iterator[Wire]:
    with Wire(house.server.folder) as opened:
        yield opened


@pytest.fixture
def wired(acme: Office, house: House, wire: Wire) -> Office:
    """The tenant after its first day, over a line that can be cut."""
    url = house.url.replace(str(house.server.folder), str(wire.folder))
    assert ENCODED in url
    return replace(acme, settings=acme.settings.model_copy(update={"warehouse_url": url}))


def test_an_undisturbed_day_leaves_what_it_leaves_in_duckdb(second_day: SecondDay, truth: dict[str, list[Any]]) -> None:
    assert second_day.stored == truth
    assert all(second_day.stored.values())


@pytest.mark.parametrize("seed", [0, 1])
def test_a_line_cut_anywhere_loses_and_doubles_nothing(
    seed: int, house: House, wired: Office, wire: Wire, second_day: SecondDay, truth: dict[str, list[Any]]
) -> None:
    """Sessions are ended by the server in half of the trials, and the line is cut in the other half."""
    moment = random.Random(seed).randrange(1, second_day.messages)

    def end_sessions() -> None:
        with house.session() as cursor:
            cursor.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = %s", [SERVICE])

    wire.fault(message(moment), end_sessions if seed % 2 else None)
    told = ""
    try:
        wired.work(2)
    except (NotDoneError, StageFailedError, WarehouseError) as error:
        told = str(error)
    assert wire.happened(), "nothing happened: the trial proves nothing"
    wired.work(2)
    assert wired.stored() == truth, told


@pytest.mark.parametrize("fault", ["crash", "answer lost"])
def test_each_stage_is_whole_or_not_at_all_and_the_next_goes_on(
    fault: str, house: House, wired: Office, wire: Wire, truth: dict[str, list[Any]]
) -> None:
    """The server crashes and is started again, or it commits and nobody hears of it."""

    def crash() -> None:
        house.server.stop("immediate")
        house.server.start()

    def happens_at(place: bytes) -> None:
        if fault == "crash":
            wire.fault(saying(place), crash)
        else:
            wire.fault(saying(place, b"COMMIT"), answered=True)

    wired.write(2)
    happens_at(LOAD)
    report = wired.sync("crm", mode="full")
    assert wire.happened()  # dlt may be past the point where it matters that the tenant's lock went with the session
    assert report.status == "ok" or re.fullmatch(LOST, report.errors[0].message), report
    assert wired.sync("crm", mode="full").status == "ok"
    for place in (REFINE, RESOLVE) if fault == "crash" else (RESOLVE,):
        happens_at(place)
        with pytest.raises(StageFailedError, match=LOST):
            wired.refresh()
        assert wire.happened()
    wired.refresh()
    assert wired.stored() == truth


@pytest.mark.parametrize("place", [None, COMPARE])
def test_a_sync_that_loses_its_warehouse_says_so_in_its_report(wired: Office, wire: Wire, place: bytes | None) -> None:
    """Whoever runs it, sees it in the ledger and not in a stack trace; what it read is read again."""
    wired.write(2)
    wire.fault(saying(place) if place else message(1))
    report = wired.sync("crm", mode="full")
    assert wire.happened()
    ((code, said),) = {(each.code, each.message) for each in report.errors}
    assert (report.status, code) == ("failed", "warehouse_failed")
    assert re.fullmatch(LOST, said)
    assert ENCODED not in said
    assert wired.sync("crm", mode="full").status == "ok"
