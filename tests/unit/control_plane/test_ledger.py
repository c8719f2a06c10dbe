"""The sync ledger and the schedule: what is due, when, and what is not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import InvalidInputError, NotFoundError
from gtm_pipelines.control_plane.schedule import check_schedule, next_fire

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane
    from tests.unit.control_plane.conftest import StillClock

CRM = ("acme", "crm", "salesforce")


@dataclass
class Ledger:
    """Records syncs of acme/crm at the clock's time."""

    plane: ControlPlane
    clock: StillClock
    runs: int = 0

    def record(self, status: str, change: dict[str, Any] | None = None, **more: Any) -> None:
        self.runs += 1
        now = self.clock.now
        report = {
            "tenant": "acme",
            "connection": "crm",
            "connector": "salesforce",
            "run_id": f"run-{self.runs}",
            "mode": "incremental",
            "status": status,
            "started_at": now.isoformat(),
            "finished_at": (now + timedelta(seconds=9)).isoformat(),
            "entities": {"Contact": {"created": 3}},
        }
        self.plane.record_sync({**report, **more, **(change or {})})

    def due(self, **after: float) -> bool:
        return CRM in self.plane.due_connections(self.clock.now + timedelta(**after))


@pytest.fixture
def ledger(acme: ControlPlane, clock: StillClock) -> Ledger:
    return Ledger(acme, clock)


def test_a_new_connection_wants_its_first_full_sync_and_is_due_at_its_next_tick(ledger: Ledger) -> None:
    assert ledger.plane.unsynced_connections() == [CRM]
    assert not ledger.due(minutes=7)
    assert ledger.due(minutes=8)  # created at 10:07, every quarter of an hour: 10:15


@pytest.mark.parametrize("status", ["ok", "partial"])
def test_after_a_sync_the_next_tick_counts_from_its_start(ledger: Ledger, status: str) -> None:
    ledger.record(status)
    assert ledger.plane.unsynced_connections() == []
    assert not ledger.due(minutes=7)
    assert ledger.due(minutes=8)
    ledger.clock.move(minutes=8)
    ledger.record(status)
    assert not ledger.due(minutes=14)
    assert ledger.due(minutes=15)


@pytest.mark.parametrize("status", ["failed", "deferred", "skipped_locked"])
def test_a_connection_stays_unsynced_until_something_arrived(ledger: Ledger, status: str) -> None:
    ledger.record(status)
    assert ledger.plane.unsynced_connections() == [CRM]


@pytest.mark.parametrize("status", ["paused", "reauth_required"])
def test_paused_and_unauthorised_connections_are_neither_due_nor_unsynced(ledger: Ledger, status: str) -> None:
    ledger.plane.set_status("acme", "crm", status, "because")
    assert not ledger.due(days=30)
    assert ledger.plane.unsynced_connections() == []
    ledger.plane.resume_connection("acme", "crm")
    assert ledger.due(days=30)


def test_a_deferred_connection_waits_until_the_vendor_said(ledger: Ledger) -> None:
    ledger.record("deferred", resume_at=(ledger.clock.now + timedelta(hours=3)).isoformat())
    assert not ledger.due(hours=2, minutes=59)
    assert ledger.due(hours=3)
    assert ledger.plane.get_connection("acme", "crm").resume_at == ledger.clock.now + timedelta(hours=3)


def test_a_deferral_stated_by_one_entity_counts(ledger: Ledger) -> None:
    until = (ledger.clock.now + timedelta(hours=3)).isoformat()
    ledger.record("partial", entities={"Contact": {}, "Lead": {"resume_at": until}})
    assert not ledger.due(hours=2)
    assert ledger.due(hours=3)


def test_a_deferral_ends_with_the_next_sync(ledger: Ledger) -> None:
    ledger.record("deferred", resume_at=(ledger.clock.now + timedelta(hours=3)).isoformat())
    ledger.clock.move(hours=3)
    ledger.record("ok")
    assert ledger.due(minutes=15)


def test_a_vendor_cannot_put_a_connection_off_for_ever(ledger: Ledger) -> None:
    ledger.record("deferred", resume_at="9999-12-31T00:00:00+00:00")
    assert not ledger.due(days=6)
    assert ledger.due(days=7)


def test_failures_back_off_doubling_up_to_six_hours_and_a_success_ends_it(ledger: Ledger) -> None:
    ledger.plane.change_connection("acme", "crm", schedule="* * * * *")
    waits = []
    for _ in range(10):
        ledger.record("failed")
        waits.append(next(minutes for minutes in range(1, 1_000) if ledger.due(minutes=minutes)))
        ledger.clock.move(hours=7)
    assert waits == [6, 11, 21, 41, 81, 161, 321, 361, 361, 361]  # 5, 10, 20 ... minutes after its end at :09 s
    assert ledger.plane.get_connection("acme", "crm").failures == 10
    ledger.record("ok")
    assert ledger.due(minutes=1)
    assert ledger.plane.get_connection("acme", "crm").failures == 0


def test_resuming_by_hand_forgets_the_back_off(ledger: Ledger) -> None:
    for _ in range(8):
        ledger.record("failed")
        ledger.clock.move(hours=7)
    ledger.record("failed")
    ledger.plane.pause_connection("acme", "crm")
    ledger.plane.resume_connection("acme", "crm")
    assert ledger.due(minutes=15)


def test_a_deferral_is_no_failure(ledger: Ledger) -> None:
    ledger.record("failed")
    ledger.record("deferred", started_at=ledger.clock.move(minutes=30).isoformat())
    assert ledger.plane.get_connection("acme", "crm").failures == 1


def test_a_skipped_sync_says_nothing_about_the_connection(ledger: Ledger) -> None:
    ledger.record("ok")
    ledger.clock.move(minutes=8)
    ledger.record("skipped_locked")
    assert ledger.due()
    assert [run.status for run in ledger.plane.last_syncs("acme", "crm")] == ["skipped_locked", "ok"]


def test_a_clock_that_ran_ahead_does_not_silence_a_connection(ledger: Ledger) -> None:
    ledger.record("ok", started_at="2031-01-01T00:00:00+00:00", finished_at="2031-01-01T00:00:09+00:00")
    assert ledger.due()
    ledger.record("ok")
    assert not ledger.due(minutes=7)
    assert ledger.due(minutes=8)


def test_a_late_report_of_an_older_sync_does_not_move_the_schedule_back(ledger: Ledger) -> None:
    ledger.record("ok")
    ledger.record("failed", started_at="2026-05-04T09:00:00+00:00", finished_at="2026-05-04T09:10:00+00:00")
    found = ledger.plane.get_connection("acme", "crm")
    assert (found.last_sync_status, found.failures) == ("ok", 0)
    assert len(ledger.plane.last_syncs("acme", "crm")) == 2


def test_recording_the_same_run_twice_counts_once(ledger: Ledger) -> None:
    ledger.record("failed", run_id="same")
    ledger.record("failed", run_id="same")
    assert len(ledger.plane.last_syncs("acme", "crm")) == 1
    assert ledger.plane.get_connection("acme", "crm").failures == 1


def test_the_whole_report_comes_back_newest_first_and_limited(ledger: Ledger) -> None:
    for _ in range(4):
        ledger.record("ok")
        ledger.clock.move(minutes=15)
    found = ledger.plane.last_syncs("acme", "crm", limit=3)
    assert [run.run_id for run in found] == ["run-4", "run-3", "run-2"]
    assert found[0].report["entities"] == {"Contact": {"created": 3}}
    assert found[0].started_at.tzinfo is not None


def test_a_secret_in_a_report_is_taken_out_and_numbers_stay_numbers(ledger: Ledger) -> None:
    Secret("token-of-the-vendor")
    Secret("123456789")
    ledger.record("failed", errors=[{"code": "x", "message": "token-of-the-vendor refused"}], bytes=1_234_567_890)
    report = ledger.plane.last_syncs("acme", "crm")[0].report
    assert "token-of-the-vendor" not in str(report)
    assert report["bytes"] == 1_234_567_890


def test_one_tenants_ledger_is_not_anothers(ledger: Ledger) -> None:
    ledger.plane.add_tenant("globex")
    ledger.record("ok")
    assert ledger.plane.last_syncs("globex") == []
    assert len(ledger.plane.last_syncs("acme")) == 1


def test_the_longest_overdue_comes_first(ledger: Ledger) -> None:
    ledger.plane.add_connection("acme", "hourly", "file", {}, schedule="0 * * * *")
    ledger.plane.add_connection("acme", "minutely", "file", {}, schedule="* * * * *")
    due = ledger.plane.due_connections(ledger.clock.now + timedelta(hours=2))
    assert [name for _, name, _ in due] == ["minutely", "crm", "hourly"]


BAD_REPORTS = {
    "no status": {"status": ""},
    "naive time": {"started_at": "2026-05-04T10:00:00"},
    "no time": {"started_at": "yesterday"},
    "no run id": {"run_id": None},
}


@pytest.mark.parametrize("change", BAD_REPORTS.values(), ids=BAD_REPORTS.keys())
def test_a_report_without_its_essentials_is_refused(ledger: Ledger, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidInputError):
        ledger.record("ok", change)
    assert ledger.plane.last_syncs("acme") == []


def test_a_report_of_a_connection_that_is_gone_is_refused(ledger: Ledger) -> None:
    ledger.plane.remove_connection("acme", "crm")
    with pytest.raises(NotFoundError):
        ledger.record("ok")


GOOD_SCHEDULES = {"*/15 * * * *": 15, "0 6 * * 1-5": None, " 5   4 * * sun ": None, "0,30 9-17 * jan-mar mon": None}
BAD_SCHEDULES = [
    "", "* * * *", "* * * * * *", "@hourly", "61 * * * *", "* * * * 9", "0 0 30 2 *", "*/0 * * * *", "R * * * *",
    "every minute", "0 0 * * *; rm", "* * * * *\n* * * * * *", "0 0 31 4 *", "99999999999 * * * *", "* " * 5000,
]  # fmt: skip


@pytest.mark.parametrize("schedule", GOOD_SCHEDULES)
def test_five_field_crons_are_schedules(schedule: str) -> None:
    assert check_schedule(schedule) == " ".join(schedule.split())


def test_what_is_no_five_field_cron_or_never_fires_is_refused(acme: ControlPlane) -> None:
    for schedule in BAD_SCHEDULES:
        with pytest.raises(InvalidInputError, match="schedule"):
            acme.change_connection("acme", "crm", schedule=schedule)


def test_the_next_fire_is_strictly_later_and_in_utc() -> None:
    at = datetime(2026, 5, 4, 10, 15, tzinfo=UTC)
    assert next_fire("*/15 * * * *", at) == datetime(2026, 5, 4, 10, 30, tzinfo=UTC)
    berlin = datetime.fromisoformat("2026-05-04T12:20:00+02:00")
    assert next_fire("0 11 * * *", berlin) == datetime(2026, 5, 4, 11, 0, tzinfo=UTC)


def test_the_ledger_forgets_what_is_old_but_not_the_newest_of_a_connection(ledger: Ledger, clock: StillClock) -> None:
    ledger.plane.add_connection("acme", "mail", "customerio")
    ledger.record("ok", connection="mail", connector="customerio")
    for _ in range(3):
        ledger.record("ok")
        clock.now += timedelta(days=1)
    assert ledger.plane.forget_syncs("acme", clock.now - timedelta(days=2, hours=1)) == 1
    assert [(run.connection, run.run_id) for run in ledger.plane.last_syncs("acme")] == [
        ("crm", "run-4"),
        ("crm", "run-3"),
        ("mail", "run-1"),
    ]
    (entry,) = [entry for entry in ledger.plane.list_audit("acme") if entry.action == "sync.forgotten"]
    assert entry.after is not None
    assert entry.after["runs"] == 1


def test_nothing_to_forget_is_no_entry_in_the_log(ledger: Ledger) -> None:
    ledger.record("ok")
    before = ledger.plane.audit_head()
    assert ledger.plane.forget_syncs("acme", ledger.clock.now + timedelta(days=1)) == 0
    assert ledger.plane.audit_head() == before
