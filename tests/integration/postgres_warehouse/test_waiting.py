"""Somebody else is at it: locks that others hold, two workers for one tenant, and a server whose clock is wrong."""

from __future__ import annotations

import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.ingest import Limits
from gtm_pipelines.refresh import StageFailedError
from gtm_pipelines.warehouse import WarehouseBusyError, open_warehouse
from gtm_pipelines.warehouse.postgres import store

if TYPE_CHECKING:
    from tests.integration.postgres_warehouse.conftest import House, SecondDay
    from tests.integration.postgres_warehouse.office import Office
PATIENT = Limits(warehouse_wait=60, shrink_rows=1_000)
VIEW = re.compile(r"DO \$\w+\$ BEGIN CREATE OR REPLACE VIEW \"acme__marts\"")
CLOCK = re.compile(
    r"\b(now\(\)|clock_timestamp|current_timestamp|current_date|localtime\w*|statement_timestamp)", re.IGNORECASE
)


def test_a_table_that_somebody_locks_puts_the_sync_off(
    house: House, acme: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOCK_WAIT_S", 0.2)
    acme.write(2)
    with house.session() as cursor:
        cursor.execute("BEGIN; LOCK TABLE acme__raw_crm.people IN ACCESS EXCLUSIVE MODE")
        report = acme.sync("crm", mode="full")
        ((code, said),) = {(each.code, each.message) for each in report.errors}
        assert (report.status, code) == ("deferred", "warehouse_busy")
        assert re.match("somebody holds a lock in the warehouse: .*; nothing was changed, try again later", said)
        assert report.resume_at is not None
        with pytest.raises(StageFailedError) as failure:
            acme.refresh()
        assert isinstance(failure.value.__cause__, WarehouseBusyError)
    assert acme.sync("crm", mode="full").status == "ok"


def test_a_table_that_somebody_locks_while_dlt_loads_puts_the_sync_off(
    house: House, acme: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "LOCK_WAIT_S", 0.2)
    acme.write(2)
    with house.session() as cursor:
        cursor.execute("BEGIN; LOCK TABLE acme__raw_crm._dlt_loads IN SHARE MODE")  # reads pass, writes wait
        report = acme.sync("crm", mode="full")
        ((code, said),) = {(each.code, each.message) for each in report.errors}
        assert (report.status, code) == ("deferred", "warehouse_busy")
        assert re.match("somebody holds a lock in the warehouse: loading acme/crm failed twice", said)
    assert acme.sync("crm", mode="full").status == "ok"


def test_of_two_workers_for_one_tenant_one_waits_until_the_other_is_done(acme: Office, second_day: SecondDay) -> None:
    acme.write(2)
    with ThreadPoolExecutor() as pool:
        syncs = [
            pool.submit(acme.sync, each, mode=mode, limits=PATIENT) for each, mode in (("crm", "full"), ("fair", None))
        ]
        assert [str(each.result().status) for each in syncs] == ["ok", "ok"]
    acme.refresh()
    assert acme.stored() == second_day.stored


def test_a_worker_whose_wait_is_over_is_told_and_changes_nothing(acme: Office) -> None:
    held, over = threading.Event(), threading.Event()

    def hold() -> None:
        with open_warehouse(acme.settings, acme.tenant):
            held.set()
            over.wait(30)

    holder = threading.Thread(target=hold)
    holder.start()
    assert held.wait(30)
    try:
        report = acme.sync("crm", mode="full", limits=Limits(warehouse_wait=0.1))
    finally:
        over.set()
        holder.join()
    assert report.status == "deferred"
    assert "is being written by another process" in report.errors[0].message


def test_a_run_that_was_launched_twice_does_its_work_once(acme: Office) -> None:
    acme.write(2)
    with ThreadPoolExecutor() as pool:
        both = [pool.submit(acme.sync, "crm", mode="full", limits=PATIENT) for _ in range(2)]
        reports = [each.result() for each in both]
    assert {"ok"} <= {str(each.status) for each in reports} <= {"ok", "skipped_locked"}
    done = [each.changed for each in reports if each.status == "ok" and each.changed]
    assert len(done) == 1


def test_nobody_asks_the_server_what_time_it_is(second_day: SecondDay) -> None:
    """Watermarks, moments of refinement and order go by the vendor's clock and by ours: the server's may be wrong.

    But for a view that tells what is past from what is planned: it does so when somebody reads it.
    """
    asked = {sql for sql in (each.sql for each in second_day.sent) if CLOCK.search(sql)}
    assert {sql for sql in asked if not VIEW.match(sql)} == set()
    assert any("refined_load" in each.sql for each in second_day.sent)
