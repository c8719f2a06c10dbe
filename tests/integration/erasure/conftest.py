"""Three tenants of one installation, synced and refined through Dagster once; each test works on a copy of it."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.storage.compute_log_manager import ComputeIOType

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from gtm_pipelines.defs.instance import launch, open_instance
from gtm_pipelines.ingest import sync_connection
from gtm_pipelines.settings import Settings, read_settings

KEY = "ab" * 32
TENANTS = ("acme", "acme_eu", "globex")
LOCAL_PART = "anna.lindqvist"
"""Who is looked for: a person of acme's and of nobody else's."""


def people(tenant: str) -> str:
    who = LOCAL_PART if tenant == "acme" else "bo.persson"
    first, last = who.split(".")
    rows = [f"1,{who}@{tenant.replace('_', '-')}.example,{first},{last},CTO,a1", f"2,{who} at home,{first},{last},,a1"]
    return "\n".join(["id,email,first_name,last_name,title,company_id", *rows, ""])


def use_home(patch: pytest.MonkeyPatch, home: Path) -> Settings:
    """Point this process at an installation, and keep a developer's own settings out of it."""
    patch.setattr("gtm_pipelines.defs.installation.use_env_file", lambda: None)
    for name in ("GTM_SANDBOX_URL", "GTM_CONTROL_URL", "GTM_WAREHOUSE_URL", "GTM_DAGSTER_URL", "DAGSTER_HOME"):
        patch.setenv(name, "")  # remembered, so that what the test's own work sets is undone
        patch.delenv(name)
    patch.setenv("GTM_HOME", str(home))
    patch.setenv("GTM_DAGSTER_DIR", str(home / "dagster"))
    patch.setenv("CONNECTOR_ENCRYPTION_KEY", KEY)
    return read_settings()


GOLDEN = dg.AssetKey(["golden", "person"])


@dg.op
def refine_acme(context: dg.OpExecutionContext) -> None:
    context.log_event(dg.AssetMaterialization(GOLDEN, partition="acme"))
    logs: Any = context.instance.compute_log_manager
    with logs.open_log_stream([context.run_id, "compute_logs", "x"], ComputeIOType.STDERR) as stream:
        stream.write("what a step prints")


@dg.job(tags={"dagster/partition": "acme"})
def refined_alone() -> None:
    """A run that covers acme only, in a fraction of the time a whole one takes."""
    refine_acme()


@pytest.fixture(scope="session")
def worked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home in which tenants were synced and refined, together and alone."""
    root = tmp_path_factory.mktemp("worked")
    with pytest.MonkeyPatch.context() as patch:
        settings = use_home(patch, root / "home")
        with open_control_plane(settings, actor="test") as control:
            for tenant in TENANTS:
                folder = root / "exports" / tenant
                folder.mkdir(parents=True)
                (folder / "people.csv").write_text(people(tenant))
                control.add_tenant(tenant)
                options = {"folder": str(folder), "owner": f"{LOCAL_PART}@{tenant}.example"}
                control.add_connection(tenant, "file", "file", options, {})
                assert sync_connection(settings, control, tenant, "file").status == "ok"
        assert all(run.success for run in launch(settings, "refine", TENANTS))
        with open_instance(settings) as instance:
            assert refined_alone.execute_in_process(instance=instance).success
    return root / "home"


@pytest.fixture
def settings(worked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    shutil.copytree(worked, tmp_path / "home")
    return use_home(monkeypatch, tmp_path / "home")


@pytest.fixture
def control(settings: Settings) -> Iterator[ControlPlane]:
    with open_control_plane(settings, actor="test") as opened:
        yield opened
