"""What a connection may still spend at its vendor: kept with its state, from the last sync that saw it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtm_pipelines.control_plane import ControlPlane

START = datetime(2026, 3, 1, tzinfo=UTC)
LEFT = {"remaining": 700, "limit": 1000, "left_to_customer": 200, "resets_at": START, "seen_at": START}


def report(run: str, minutes: int, quota: dict[str, Any] | None) -> dict[str, Any]:
    told = {
        "tenant": "acme",
        "connection": "salesforce",
        "connector": "salesforce",
        "run_id": run,
        "mode": "incremental",
        "status": "ok",
        "started_at": START + timedelta(minutes=minutes),
    }
    return told if quota is None else {**told, "quota": quota}


def connected(plane: ControlPlane) -> ControlPlane:
    plane.add_tenant("acme")
    plane.add_connection("acme", "salesforce", "salesforce", settings={}, credentials={"refresh_token": "x" * 20})
    return plane


def test_a_connection_nobody_synced_has_no_known_quota(plane: ControlPlane) -> None:
    assert connected(plane).get_connection("acme", "salesforce").quota is None


def test_the_last_quota_seen_is_kept_through_syncs_that_see_none(plane: ControlPlane) -> None:
    connected(plane).record_sync(report("one", 0, LEFT))
    plane.record_sync(report("two", 5, None))
    quota = plane.get_connection("acme", "salesforce").quota
    assert quota is not None
    assert (quota["remaining"], quota["limit"], quota["left_to_customer"]) == (700, 1000, 200)
    assert quota["resets_at"] == START.isoformat()


def test_a_later_sync_tells_what_is_left_now(plane: ControlPlane) -> None:
    connected(plane).record_sync(report("one", 0, LEFT))
    plane.record_sync(report("two", 5, {**LEFT, "remaining": 12}))
    quota = plane.get_connection("acme", "salesforce").quota
    assert quota is not None
    assert quota["remaining"] == 12
