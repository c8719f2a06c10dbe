"""An installation of its own per test, with ingest played by a script: what Dagster does is the subject here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

import gtm_pipelines.ingest
from connectors.connector import Mode
from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.defs.composition import compose
from gtm_pipelines.defs.jobs import QUIET, REFINE, launch_form
from gtm_pipelines.defs.partitions import shard_tags
from gtm_pipelines.ingest import EntityReport, Fault, Status, SyncReport
from gtm_pipelines.settings import Settings, read_settings

KEY = "ab" * 32


@dataclass
class Ingest:
    """Plays ``sync_connection``: what it was asked, and what it answers for a tenant and connector."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    answers: dict[tuple[str, str], Callable[[SyncReport], SyncReport]] = field(default_factory=dict)
    changed: int = 3

    def __call__(self, _: Settings, control: ControlPlane, tenant: str, connection: str, **more: Any) -> SyncReport:
        """Answer as told, or that all went well; the ledger is kept as the real one keeps it."""
        found = control.get_connection(tenant, connection)
        self.asked.append({"tenant": tenant, "connection": connection, **more})
        now = datetime.now(UTC)
        report = SyncReport(
            tenant=tenant,
            connection=connection,
            connector=found.connector,
            run_id=f"run-{len(self.asked)}",
            mode=Mode(more["mode"]),
            started_at=now,
            finished_at=now,
            entities={
                name: EntityReport(created=self.changed) for name in more["entities"] or ENTITIES[found.connector]
            },
        )
        if answer := self.answers.get((tenant, found.connector)):
            report = answer(report)
        control.record_sync(report.model_dump(mode="json"))
        return report


ENTITIES = {
    "salesforce": ["Contact", "Lead", "Account", "Opportunity", "Task", "Event", "User"],
    "customerio": ["people", "activities", "messages", "campaigns", "segments"],
    "file": ["people", "accounts", "activities"],
}


def failed(report: SyncReport) -> SyncReport:
    """Turn a report into one of a vendor that is down."""
    for part in report.entities.values():
        part.status = Status.FAILED
        part.errors = [Fault(code="vendor_down", message="the vendor answers 503")]
    report.status = Status.FAILED
    return report


@dataclass
class House:
    """An installation: its instance, its control plane, and ways to run what is defined."""

    instance: dg.DagsterInstance
    control: ControlPlane
    ingest: Ingest
    definitions: dg.Definitions = field(default_factory=compose)

    def add(self, *tenants: str, connectors: tuple[str, ...] = ("salesforce", "customerio")) -> None:
        """Add tenants with connections, and their partitions in this order."""
        for tenant in tenants:
            self.control.add_tenant(tenant)
            for connector in connectors:
                self.control.add_connection(tenant, connector, connector, settings={}, credentials={})
        self.instance.add_dynamic_partitions("tenants", list(tenants))

    def run(
        self, job: str, *tenants: str, tags: dict[str, str] | None = None, form: dict[str, Any] | None = None
    ) -> dg.ExecuteInProcessResult:
        """Run a job for tenants that stand side by side."""
        config = QUIET if job == REFINE else launch_form()
        if form is not None:
            config = {**config, "resources": {"request": {"config": form}}}
        return self.definitions.resolve_job_def(job).execute_in_process(
            instance=self.instance,
            raise_on_error=False,
            run_config=config,
            partition_key=tenants[0] if len(tenants) == 1 else None,
            tags={**shard_tags(tenants), **(tags or {})},
        )

    def materialized(self, *path: str) -> set[str]:
        """Return the partitions of an asset that are materialized."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(list(path))))

    def failed_partitions(self, *path: str) -> set[str]:
        """Return the partitions of an asset that the UI shows as failed."""
        tenants = dg.DynamicPartitionsDefinition(name="tenants")
        status = self.instance.get_status_by_partition(
            dg.AssetKey(list(path)), self.instance.get_dynamic_partitions("tenants"), tenants
        )
        return {key for key, value in (status or {}).items() if value is not None and value.value == "FAILED"}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Point the environment at an empty home; a developer's own .env stays out of it."""
    monkeypatch.setattr("gtm_pipelines.defs.installation.use_env_file", lambda: None)
    for name in ("GTM_SANDBOX_URL", "GTM_CONTROL_URL", "GTM_DAGSTER_URL", "GTM_SHARD_SIZE", "DAGSTER_HOME"):
        monkeypatch.setenv(name, "")  # remembered, so that what the test's own work sets is undone
        monkeypatch.delenv(name)
    monkeypatch.setenv("GTM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("CONNECTOR_ENCRYPTION_KEY", KEY)
    return read_settings()


@pytest.fixture
def house(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[House]:
    """An empty installation whose ingest is scripted."""
    ingest = Ingest()
    monkeypatch.setattr(gtm_pipelines.ingest, "sync_connection", ingest, raising=False)
    with dg.DagsterInstance.ephemeral() as instance, open_control_plane(settings, actor="test") as control:
        yield House(instance, control, ingest)
