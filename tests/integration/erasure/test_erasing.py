"""Erasing a tenant for real: files, control plane, Dagster; its neighbours, a kill halfway, and when it is refused."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from gtm_pipelines import erasure
from gtm_pipelines.control_plane import BusyError, ControlPlane, NotFoundError
from gtm_pipelines.defs.erasing import InstanceBusyError
from gtm_pipelines.defs.instance import open_instance
from gtm_pipelines.erasure import Erasure, erase_tenant
from gtm_pipelines.ingest.run_directory import run_directory
from gtm_pipelines.settings import Settings
from gtm_pipelines.warehouse import WarehouseBusyError, names, open_published
from tests.integration.erasure.conftest import GOLDEN, LOCAL_PART

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def counts(done: Erasure) -> dict[str, int]:
    return {each.what: each.count for each in done.removed}


def hunted(settings: Settings) -> list[str]:
    """Every file of the home that holds the person, by what is in it or by whose it is."""
    return sorted(
        str(path.relative_to(settings.home))
        for path in settings.home.rglob("*")
        if path.is_file() and (LOCAL_PART.encode() in path.read_bytes() or path.name.startswith(("acme__p", "acme.")))
    )


def digests(settings: Settings, tenant: str) -> dict[str, str]:
    files = (names.warehouse_file(settings, tenant), names.published_file(settings, tenant))
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def rows_of(control: ControlPlane, tenant: str) -> list[Any]:
    return [control.get_tenant(tenant), control.list_connections(tenant), control.last_syncs(tenant)]


def leave_a_killed_sync(settings: Settings) -> Path:
    """What a sync of acme leaves when its process is killed: records, in a folder that nobody holds."""
    left = settings.runs_dir / "20260301T000000-dead"
    left.mkdir(parents=True)
    (left / ".held").write_text("acme")
    (left / "records.json").write_text(f"{LOCAL_PART}@acme.example")
    return left


def test_nothing_under_the_home_holds_the_tenants_people_afterwards(settings: Settings, control: ControlPlane) -> None:
    """Every file is searched, those of the control plane and of Dagster byte by byte; another tenant's stay."""
    leave_a_killed_sync(settings)
    control.remove_connection("acme_eu", "file")  # its settings name the person as well
    before = hunted(settings)
    assert {"control.db", "warehouse/acme__private.duckdb", "published/acme.duckdb"} <= set(before)
    done = erase_tenant(settings, control, "acme")
    control.remove_connection("globex", "file")
    erase_tenant(settings, control, "globex")  # likewise, and its ledger
    assert hunted(settings) == []
    assert control.verify_audit() == []
    assert {
        "folders of ended syncs": 1,
        "control plane: connection": 1,
        "control plane: tenant": 1,
        "control plane: sync_run": 1,
        "warehouse file": 1,
        "published copy": 1,
        "Dagster: runs": 1,
        "Dagster: partition": 1,
    }.items() <= counts(done).items()
    assert all(each.bytes for each in done.removed if "file" in each.what or "copy" in each.what)


def test_another_tenants_data_is_the_same_byte_for_byte(settings: Settings, control: ControlPlane) -> None:
    """Also of the tenant whose id begins with the erased one's."""
    for tenant in ("acme_eu", "globex"):
        before = digests(settings, tenant), rows_of(control, tenant)
        erase_tenant(settings, control, "acme")
        assert (digests(settings, tenant), rows_of(control, tenant)) == before
        with open_published(settings, tenant) as warehouse:
            assert warehouse.rows("SELECT count(*) FROM golden.person WHERE last_name = 'persson'") == [(2,)]


def test_dagster_forgets_the_tenant_and_keeps_what_the_others_share_with_it(
    settings: Settings, control: ControlPlane
) -> None:
    with open_instance(settings) as instance:
        shared = {run.run_id for run in instance.get_runs() if "dagster/partition" not in run.tags}
        (alone,) = instance.get_run_ids(dg.RunsFilter(tags={"dagster/partition": "acme"}))
        assert instance.get_materialized_partitions(GOLDEN) == {"acme", "acme_eu", "globex"}
        logs = settings.home / "dagster" / alone
        assert list(logs.rglob("*.err"))
    erase_tenant(settings, control, "acme")
    assert not logs.exists()
    with open_instance(settings) as instance:
        assert {run.run_id for run in instance.get_runs()} == shared
        assert instance.get_dynamic_partitions("tenants") == ["acme_eu", "globex"]
        assert instance.get_materialized_partitions(GOLDEN) == {"acme_eu", "globex"}
        (record,) = instance.get_asset_records([GOLDEN])
        newest = record.asset_entry.last_materialization
        assert newest is not None
        assert newest.asset_materialization is not None
        assert newest.asset_materialization.partition == "globex"
        for run_id in shared:
            events = instance.all_logs(run_id)
            assert events
            assert not [each for each in events if each.dagster_event and each.dagster_event.partition == "acme"]
    assert not list((settings.home / "dagster").rglob(f"{alone}*"))


@pytest.mark.parametrize("step", ["erase_runs", "erase_warehouse", "erase_from_dagster"])
def test_killed_halfway_the_same_command_finishes_it(
    settings: Settings, control: ControlPlane, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """The step does its work and the process ends there; the next time nothing is missed."""
    work = getattr(erasure, step)

    def killed(*given: Any) -> None:
        work(*given)
        raise SystemExit(137)

    with monkeypatch.context() as patch:
        patch.setattr(erasure, step, killed)
        with pytest.raises(SystemExit):
            erase_tenant(settings, control, "acme")
    assert counts(erase_tenant(settings, control, "acme"))["control plane: tenant"] == 1
    assert control.verify_audit() == []
    assert not [path for path in settings.home.rglob("acme*") if not path.name.startswith("acme_eu")]
    with open_instance(settings) as instance:
        assert "acme" not in instance.get_dynamic_partitions("tenants")
        assert instance.get_materialized_partitions(GOLDEN) == {"acme_eu", "globex"}


def test_erased_again_it_removes_nothing_and_says_when_it_was(settings: Settings, control: ControlPlane) -> None:
    first = erase_tenant(settings, control, "acme")
    head = control.audit_head()
    again = erase_tenant(settings, control, "acme")
    assert (again.removed, again.erased_at) == ([], first.erased_at)
    assert control.audit_head() == head


def test_a_tenant_that_never_was_is_an_error(settings: Settings, control: ControlPlane) -> None:
    with pytest.raises(NotFoundError, match="no tenant initech, and nothing of it anywhere"):
        erase_tenant(settings, control, "initech")


def test_a_tenant_removed_earlier_is_erased(settings: Settings, control: ControlPlane) -> None:
    control.remove_tenant("acme")
    assert {"warehouse file", "published copy", "control plane: tenant"} <= set(
        counts(erase_tenant(settings, control, "acme"))
    )


@contextmanager
def _held_by_another_process(settings: Settings) -> Iterator[None]:
    code = "import duckdb,sys;c=duckdb.connect(sys.argv[1]);print('held',flush=True);sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(names.warehouse_file(settings, "acme"))],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        try:
            yield
        finally:
            holder.kill()


def test_it_is_refused_while_someone_is_at_work_and_nothing_has_changed(
    settings: Settings, control: ControlPlane
) -> None:
    """A refinement holds the file, a sync its lease or, when it lost that, its folder; a run of Dagster is started."""
    before = rows_of(control, "acme"), digests(settings, "acme"), control.audit_head()
    with _held_by_another_process(settings), pytest.raises(WarehouseBusyError, match="wait for it or end it"):
        erase_tenant(settings, control, "acme")
    live = run_directory(settings.runs_dir, "20260301T000000-live", "acme")
    with live, pytest.raises(WarehouseBusyError, match="20260301T000000-live of acme is still running"):
        erase_tenant(settings, control, "acme")
    lease = control.acquire_lease("acme", "file", owner="a-sync") or pytest.fail("no lease")
    with lease, pytest.raises(BusyError, match=r"acme/file is being synced \(a-sync\)"):
        erase_tenant(settings, control, "acme")
    with open_instance(settings) as instance:
        run = instance.create_run_for_job(_nothing, tags={"dagster/partition": "acme"})
        instance.report_run_canceling(run)
    with pytest.raises(InstanceBusyError, match=f"run {run.run_id[:8]} .* terminate it in the UI"):
        erase_tenant(settings, control, "acme")
    assert (rows_of(control, "acme"), digests(settings, "acme"), control.audit_head()) == before


@dg.job(name="nothing")
def _nothing() -> None:
    """A run to be at work."""


def test_a_sync_of_another_tenant_does_not_stop_it(settings: Settings, control: ControlPlane) -> None:
    with (
        run_directory(settings.runs_dir, "20260301T000000-live", "globex") as live,
        control.acquire_lease("globex", "file", owner="a-sync") or pytest.fail("no lease"),
    ):
        erase_tenant(settings, control, "acme")
        assert live.exists()
