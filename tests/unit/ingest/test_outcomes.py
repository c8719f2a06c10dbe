"""What each fault does to its entity, to the others, and to the next sync."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, NoReturn

import pyarrow.parquet as pq
import pytest
from dlt.common.runtime import anon_tracker
from dlt.pipeline.pipeline import Pipeline

from connectors.connector import DeleteDetection, Mode, Unreadable
from connectors.errors import Deferred, Reauthorise, Retry, Stop
from gtm_pipelines.control_plane import ConnectionStatus, NotFoundError
from gtm_pipelines.ingest import Limits, Status, UnknownEntityError, flush
from gtm_pipelines.ingest.compare import compare
from gtm_pipelines.ingest.run_directory import run_directory, sweep
from gtm_pipelines.ingest.state import EntityState, FullPending
from gtm_pipelines.warehouse import open_warehouse
from tests.unit.ingest.rig import ScriptedConnector, entity, mark, page, row
from tests.warehouses import DUCKDB_ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dlt.common.pipeline import LoadInfo

    from connectors.connector import Page
    from gtm_pipelines.ingest import Progress
    from tests.unit.ingest.rig import Rig


@DUCKDB_ALONE
def test_one_entitys_fault_does_not_stop_the_others(rig: Rig) -> None:
    rig.vendor.entities = [entity("a"), entity("b"), entity("c")]
    rig.vendor.says(page([row("1", 1)], mark(1)), entity="a")
    rig.vendor.says(page([row("1", 1)], mark(1), more=True), Stop("stream_gone", "gone"), entity="b")
    rig.vendor.says(page([row("1", 1)], mark(1)), entity="c")
    report = rig.sync()
    assert report.status is Status.PARTIAL
    assert {name: each.status for name, each in report.entities.items()} == {"a": "ok", "b": "failed", "c": "ok"}
    assert report.entities["b"].errors[0].code == "stream_gone"
    assert rig.state("b").cursor is None
    assert len(rig.stored("c")) == 1


@DUCKDB_ALONE
def test_settings_that_name_no_entity_end_the_sync_and_nothing_else(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: object) -> NoReturn:
        raise Stop("bad_setting", "the setting 'queries' is not YAML")

    monkeypatch.setattr(ScriptedConnector, "entities", refuse)
    report = rig.sync()
    assert (report.status, [fault.code for fault in report.errors]) == (Status.FAILED, ["bad_setting"])
    assert rig.control.get_connection("acme", "crm").failures == 1


@DUCKDB_ALONE
def test_a_bug_in_a_connector_is_that_entitys_failure_and_tells_no_data(rig: Rig) -> None:
    rig.vendor.entities = [entity("a"), entity("b")]
    rig.vendor.says(KeyError("secret of a record"), entity="a")
    rig.vendor.says(page([row("1", 1)], mark(1)), entity="b")
    report = rig.sync()
    assert report.status is Status.PARTIAL
    assert report.entities["a"].errors[0].code == "connector_bug"
    assert "secret" not in report.model_dump_json()


@DUCKDB_ALONE
def test_an_interrupted_read_keeps_what_came_before(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1), more=True), Retry("vendor_unavailable", "down"))
    report = rig.sync()
    assert (report.status, report.entities["people"].created) == (Status.FAILED, 1)
    assert rig.state().cursor == mark(1)


@DUCKDB_ALONE
def test_spent_quota_defers_the_rest_and_keeps_what_came(rig: Rig) -> None:
    rig.vendor.entities = [entity("a"), entity("b"), entity("c")]
    resume = rig.now + timedelta(hours=3)
    rig.vendor.says(page([row("1", 1)], mark(1)), entity="a")
    rig.vendor.says(page([row("1", 1)], mark(1), more=True), Deferred("quota", "spent", resume_at=resume), entity="b")
    report = rig.sync()
    assert (report.status, report.resume_at) == (Status.DEFERRED, resume)
    assert [name for name, _, _ in rig.vendor.asked] == ["a", "b"]
    assert {name: each.status for name, each in report.entities.items()} == {
        "a": "ok",
        "b": "deferred",
        "c": "deferred",
    }
    assert (len(rig.stored("a")), len(rig.stored("b")), rig.state("b").cursor) == (1, 1, mark(1))
    assert rig.control.get_connection("acme", "crm").resume_at == resume


@pytest.mark.parametrize("when", ["signing in", "reading"])
@DUCKDB_ALONE
def test_a_refused_credential_pauses_the_connection_until_it_works_again(rig: Rig, when: str) -> None:
    rig.vendor.entities = [entity("a"), entity("b")]
    error = Reauthorise("invalid_grant", "the refresh token was revoked")
    rig.vendor.refusal = error if when == "signing in" else None
    rig.vendor.says(error, entity="a")
    report = rig.sync()
    assert report.status is Status.FAILED
    assert {each.errors[0].code for each in report.entities.values()} == {"invalid_grant"}
    assert rig.control.get_connection("acme", "crm").status is ConnectionStatus.REAUTH_REQUIRED
    rig.vendor.refusal = None
    for name in "ab":
        rig.vendor.says(page([], mark(1)), entity=name)
    assert rig.sync().status is Status.OK
    assert rig.control.get_connection("acme", "crm").status is ConnectionStatus.ACTIVE


def test_unreadable_records_are_in_quarantine_before_the_cursor_passes_them(rig: Rig) -> None:
    broken = [Unreadable("too_deep", '{"id":"7","x":\x00\ud800', "7"), Unreadable("bad_key", '{"id":null}', None)]
    rig.vendor.says(page([row("1", 1)], mark(1), unreadable=[*broken, broken[1]]))
    report = rig.sync().entities["people"]
    assert (report.created, report.rejected) == (1, 3)
    found = "SELECT record_id, rule, status, first_seen = last_seen FROM quality.quarantine ORDER BY rule"
    (nameless, *rest), named = rig.rows(found)
    assert nameless.startswith("text:")
    assert (rest, named) == (["unreadable:bad_key", "open", True], ("7", "unreadable:too_deep", "open", True))
    rig.vendor.says(page([], mark(1), unreadable=broken))
    rig.sync()
    assert [each[2:] for each in rig.rows(found)] == [("open", False), ("open", False)]
    rig.vendor.says(page([row("7", 2)], mark(2)))
    rig.sync()
    assert [each[2] for each in rig.rows(found)] == ["open", "resolved"]


@DUCKDB_ALONE
def test_too_many_unreadable_records_fail_the_entity_and_keep_the_cursor(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    bad = [Unreadable("malformed", "{", str(n)) for n in range(95)]
    rig.vendor.says(page([row(str(n), 2) for n in range(100, 105)], mark(2), unreadable=bad))
    report = rig.sync()
    assert (report.status, report.entities["people"].errors[0].code) == (Status.FAILED, "too_many_unreadable")
    assert (rig.state().cursor, len(rig.stored())) == (mark(1), 1)
    assert rig.rows("SELECT count(*) FROM quality.quarantine") == [(95,)]


@DUCKDB_ALONE
def test_a_few_unreadable_records_do_not_hold_up_the_rest(rig: Rig) -> None:
    rig.vendor.says(page([], mark(2), unreadable=[Unreadable("malformed", "{", "1")]))
    assert rig.sync().status is Status.OK
    assert rig.state().cursor == mark(2)


def test_a_long_read_is_stored_on_its_way(rig: Rig) -> None:
    pages = [page([row(f"{n}-{m}", n) for m in range(10)], mark(n), more=n < 9) for n in range(10)]
    loads: list[int] = []

    def play(*_: object) -> Iterator[Page]:
        for each in pages:
            yield each
            if each.has_more:
                loads.append(rig.has_table() and rig.rows("SELECT count(*) FROM raw_crm.people")[0][0])

    rig.vendor.plays["people"] = play
    report = rig.sync(limits=Limits(checkpoint_rows=30))
    assert loads == [0, 0, 30, 30, 30, 60, 60, 60, 90]
    assert (report.entities["people"].created, rig.state().cursor) == (100, mark(9))


@DUCKDB_ALONE
def test_of_a_long_read_the_disk_holds_one_batch_and_the_ids_of_those_before(rig: Rig) -> None:
    rig.vendor.entities = [entity(delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page([row(f"{n}", n) for n in range(30)], mark(29)))
    rig.sync()
    pages = [page([row(f"{n}", 40) for n in range(m, m + 9)], mark(40), more=m < 18) for m in (0, 9, 18)]
    kept: list[int] = []

    def play(*_: object) -> Iterator[Page]:
        for each in pages:
            yield each
            files = list(rig.settings.runs_dir.rglob("*.parquet"))
            kept.append(len(files))
            assert [pq.read_schema(path).names for path in files] == [["external_id"]] * len(files)

    rig.vendor.plays["people"] = play
    report = rig.sync(mode="full", limits=Limits(checkpoint_rows=9)).entities["people"]
    assert kept == [1, 2]
    assert (report.unchanged, report.absent) == (27, 3)


def interrupted_full(rig: Rig) -> None:
    """Four records stored; then a full read that is cut after its first page, when one record is gone."""
    rig.vendor.entities = [entity(delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page([row(str(n), n) for n in range(4)], mark(3)))
    rig.sync()
    rig.vendor.says(page([row("0", 0), row("1", 1)], mark(1), more=True), Retry("vendor_unavailable", "down"))
    report = rig.sync(mode="full").entities["people"]
    assert (report.absent, report.full_pending) == (0, "resume")


def test_an_interrupted_full_read_goes_on_and_then_pays_the_deletes_it_owes(rig: Rig) -> None:
    interrupted_full(rig)
    rig.vendor.says(page([row("3", 3)], mark(3)))
    report = rig.sync().entities["people"]
    assert (report.mode, report.cursor_before, report.full_pending) == (Mode.INCREMENTAL, mark(1), "owed")
    rig.vendor.says(page([row(str(n), n) for n in (0, 1, 3)], mark(3)))
    report = rig.sync().entities["people"]
    assert (report.mode, report.absent, report.full_pending) == (Mode.FULL, 1, None)
    assert rig.state() == EntityState(mark(3))


@DUCKDB_ALONE
def test_a_full_read_asked_for_again_pays_at_once(rig: Rig) -> None:
    interrupted_full(rig)
    rig.vendor.says(page([row(str(n), n) for n in (0, 1, 3)], mark(3)))
    assert rig.sync(mode="full").entities["people"].absent == 1
    assert rig.state().full_pending is None


@DUCKDB_ALONE
def test_a_full_read_without_a_cursor_on_its_way_is_owed_whole(rig: Rig) -> None:
    rig.vendor.entities = [entity(delete_detection=DeleteDetection.FULL_DIFF)]
    rig.vendor.says(page([row("1", 1)], {"token": "a"}))
    rig.sync()
    rig.vendor.says(page([row("1", 1)], None, more=True), Retry("reset", "connection reset"))
    rig.sync(mode="full")
    assert rig.state() == EntityState({"token": "a"}, FullPending.OWED)


@DUCKDB_ALONE
def test_a_sync_while_another_runs_is_skipped_and_asks_the_vendor_nothing(rig: Rig) -> None:
    lease = rig.control.acquire_lease("acme", "crm", "another")
    assert lease is not None
    report = rig.sync()
    assert (report.status, rig.vendor.asked, report.entities) == (Status.SKIPPED_LOCKED, [], {})
    lease.release()
    rig.vendor.says(page([row("1", 1)], mark(1)))
    assert rig.sync().status is Status.OK


def test_a_sync_whose_lease_was_taken_over_stores_nothing(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()

    def play(*_: object) -> Iterator[Page]:
        yield page([row("2", 2)], mark(2), more=True)
        rig.control.remove_connection("acme", "crm")
        rig.control.add_connection("acme", "crm", "scripted")
        yield page([], mark(2))

    rig.vendor.plays["people"] = play
    report = rig.sync()
    assert (report.status, report.errors[0].code) == (Status.FAILED, "lease_lost")
    assert (set(rig.stored()), rig.state().cursor) == ({"1"}, mark(1))


def test_a_lease_taken_over_between_comparison_and_load_stores_nothing(
    rig: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The file is let go of in between, so whoever took the lease over may have written."""
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()

    def compared(*given: Any, **more: Any) -> Any:
        delta = compare(*given, **more)
        rig.control.remove_connection("acme", "crm")
        rig.control.add_connection("acme", "crm", "scripted")
        return delta

    monkeypatch.setattr(flush, "compare", compared)
    rig.vendor.says(page([row("2", 2)], mark(2)))
    report = rig.sync()
    assert (report.status, report.errors[0].code) == (Status.FAILED, "lease_lost")
    assert (set(rig.stored()), rig.state().cursor) == ({"1"}, mark(1))


def test_a_held_warehouse_defers_the_sync_and_the_next_one_reads_again(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    with open_warehouse(rig.settings, "acme"):
        report = rig.sync(limits=Limits(warehouse_wait=0.05))
    assert (report.status, report.errors[0].code) == (Status.DEFERRED, "warehouse_busy")
    assert report.resume_at is not None
    assert rig.sync().entities["people"].created == 1


def test_a_load_that_dies_is_restarted_once_in_a_fresh_directory(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    """The wedge: dlt's own working directory makes every further run of the pipeline raise."""
    real = Pipeline.load
    directories: list[str] = []

    def wedged(self: Pipeline, *args: Any, **kwargs: Any) -> LoadInfo:
        directories.append(self.pipelines_dir)
        if len(directories) == 1:
            real(self, *args, **kwargs)
            raise OSError(39, "Directory not empty")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Pipeline, "load", wedged)
    rig.vendor.says(page([row("1", 1), row("2", 2)], mark(2)))
    report = rig.sync()
    assert (report.status, len(set(directories)), len(rig.stored())) == (Status.OK, 2, 2)
    assert rig.state().cursor == mark(2)


def test_a_load_that_keeps_dying_fails_the_sync_and_keeps_the_cursor(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device: /secret/place")

    with monkeypatch.context() as patched:
        patched.setattr(Pipeline, "load", broken)
        rig.vendor.says(page([row("1", 1)], mark(1)))
        report = rig.sync()
    assert (report.status, report.errors[0].code, rig.state().cursor) == (Status.FAILED, "load_failed", None)
    assert rig.sync().entities["people"].created == 1


@DUCKDB_ALONE
def test_dlt_neither_tells_its_makers_nor_warns_without_cause(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    assert anon_tracker._ANON_TRACKER_ENDPOINT is None
    assert caplog.records == []


@DUCKDB_ALONE
def test_only_the_named_entities_are_read(rig: Rig) -> None:
    rig.vendor.entities = [entity("a"), entity("b"), entity("c", selected=False)]
    for name in "abc":
        rig.vendor.says(page([row("1", 1)], mark(1)), entity=name)
    assert set(rig.sync().entities) == {"a", "b"}
    assert set(rig.sync(entities=["c"]).entities) == {"c"}
    with pytest.raises(UnknownEntityError, match="no entity d: this connection has a, b, c"):
        rig.sync(entities=["d"])


def test_two_entities_never_share_a_table(rig: Rig) -> None:
    rig.vendor.entities = [entity("Invoice__c"), entity("Invoice_c")]
    for each in rig.vendor.entities:
        rig.vendor.says(page([row("1", 1)], mark(1)), entity=each.name)
    report = rig.sync()
    assert report.entities["Invoice__c"].status is Status.OK
    assert report.entities["Invoice_c"].errors[0].code == "table_taken"


def test_a_table_changed_by_hand_fails_its_entity_and_is_left_alone(rig: Rig) -> None:
    rig.vendor.entities = [entity("a"), entity("b")]
    for name in "ab":
        rig.vendor.says(page([row("1", 1)], mark(1)), entity=name)
    rig.sync()
    with open_warehouse(rig.settings, "acme") as warehouse:
        warehouse.served.execute("ALTER TABLE raw_crm.a RENAME COLUMN payload_hash TO hash")
    for name in "ab":
        rig.vendor.says(page([row("2", 2)], mark(2)), entity=name)
    report = rig.sync()
    (fault,) = report.entities["a"].errors
    assert (fault.code, "payload_hash must be VARCHAR and is missing" in fault.message) == ("table_changed", True)
    assert report.entities["b"].created == 1
    assert rig.rows("SELECT count(hash) FROM raw_crm.a") == [(1,)]


def test_a_merge_leaves_no_second_copy_of_its_rows(rig: Rig) -> None:
    rig.vendor.says(page([row(str(n), n) for n in range(50)], mark(50)))
    rig.sync()
    rig.vendor.says(page([row(str(n), n + 60, '{"n":1}') for n in range(50)], mark(60)))
    assert rig.sync().entities["people"].updated == 50
    staged = "_staging_raw_crm" if rig.settings.warehouse_url is None else "_staging_acme__raw_crm"
    with open_warehouse(rig.settings, "acme") as warehouse:
        assert warehouse.served.rows(f"SELECT count(*) FROM {staged}.people") == [(0,)]


@DUCKDB_ALONE
def test_the_ledger_keeps_the_report_and_a_watcher_sees_the_way(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], None, more=True), page([row("2", 2)], mark(2)))
    seen: list[Progress] = []
    report = rig.sync(on_progress=seen.append)
    assert [(each.stage, each.rows) for each in seen] == [("reading", 1), ("reading", 2), ("storing", 2)]
    (kept,) = rig.control.last_syncs("acme", "crm")
    assert kept.report == report.model_dump(mode="json")
    people = report.entities["people"]
    assert (people.pages, people.requests, people.bytes) == (2, 2, 200)
    with pytest.raises(NotFoundError):
        rig.control.get_connection("acme", "other")


@DUCKDB_ALONE
def test_nothing_is_left_in_the_runs_directory(rig: Rig) -> None:
    rig.vendor.says(page([row("1", 1)], mark(1)))
    rig.sync()
    rig.vendor.says(ValueError("bug"))
    rig.sync()
    assert list(rig.settings.runs_dir.iterdir()) == []


@DUCKDB_ALONE
def test_the_directory_of_a_dead_process_is_swept_and_a_living_ones_is_not(rig: Rig) -> None:
    root = rig.settings.runs_dir
    with run_directory(root, "alive", "acme") as alive:
        dead = root / "dead"
        dead.mkdir()
        (dead / ".held").touch()
        assert sweep(root) == 1
        assert [each.name for each in root.iterdir()] == [alive.name]
    assert list(root.iterdir()) == []
