"""A backup of the control plane in Postgres, taken and put back the way the guide says."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from gtm_pipelines.control_plane import ControlPlane, open_control_plane
from tests import postgres
from tests.unit.control_plane.databases import OWNER

if TYPE_CHECKING:
    from gtm_pipelines.settings import Settings

pytestmark = pytest.mark.parametrize("database", ["postgres"], indirect=True)


def test_a_dump_by_the_owner_is_whole_when_it_names_its_scope_and_refused_when_not(
    plane: ControlPlane, settings: Settings
) -> None:
    """Row-level security binds the owner: without a scope ``pg_dump`` must fail, not write half of the rows."""
    plane.add_tenant("globex")
    assert settings.control_url is not None
    dump = [str(postgres.shared().programs / "pg_dump"), "--enable-row-security", settings.control_url]
    assert subprocess.run(dump, capture_output=True, check=False).returncode != 0
    scope = os.environ | {"PGOPTIONS": r"-c gtm.scope=every\ migration"}
    dumped = subprocess.run(dump, env=scope, capture_output=True, check=True).stdout
    elsewhere = postgres.shared().dsn(postgres.shared().create_database(OWNER), OWNER)
    restore = [str(postgres.shared().programs / "psql"), "--set=ON_ERROR_STOP=1", "--quiet", elsewhere]
    subprocess.run(restore, input=dumped, capture_output=True, check=True)
    with open_control_plane(settings.model_copy(update={"control_url": elsewhere})) as restored:
        assert restored.verify_audit(plane.audit_head()) == []
        assert [tenant.id for tenant in restored.list_tenants()] == ["acme", "globex"]
        assert restored.credential_store("acme", "crm").read()["client_id"].reveal() == "id-000000"
