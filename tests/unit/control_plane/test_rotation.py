"""Rotating the vault's key: no gap, resumable at every row, and the old key leaves only when nothing needs it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pydantic import SecretStr

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import (
    ControlPlaneError,
    NotFoundError,
    TamperedError,
    UnknownKeyError,
    WrongKeyError,
    open_control_plane,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings

OLD, NEW = SecretStr("0123456789abcdef" * 4), SecretStr("e" * 64)


@pytest.fixture
def fleet(acme: ControlPlane, settings: Settings) -> Callable[..., ControlPlane]:
    """Open the same control plane as a process with the given keys would; the first one seals."""
    acme.add_connection(
        "acme", "cio", "customerio", {}, {f"key_{number}": f"value-{number}-of-cio" for number in range(8)}
    )

    def opened(primary: SecretStr, *previous: SecretStr) -> ControlPlane:
        return open_control_plane(
            settings.model_copy(update={"encryption_key": primary, "previous_keys": tuple(previous)})
        )

    return opened


def test_the_two_steps_leave_no_process_without_a_key_it_needs(fleet: Callable[..., ControlPlane]) -> None:
    untouched, read_ready, switched = fleet(OLD), fleet(OLD, NEW), fleet(NEW, OLD)
    switched.credential_store("acme", "crm").write({"client_secret": Secret("sealed-by-new")})
    assert read_ready.credential_store("acme", "crm").read()["client_secret"].reveal() == "sealed-by-new"
    read_ready.credential_store("acme", "cio").write({"key_1": Secret("sealed-by-old")})
    assert switched.credential_store("acme", "cio").read()["key_1"].reveal() == "sealed-by-old"
    with pytest.raises(UnknownKeyError, match="not loaded"):  # the one that missed step one: transient, nothing spoiled
        untouched.credential_store("acme", "crm").read()
    assert read_ready.credential_store("acme", "crm").read()["client_secret"].reveal() == "sealed-by-new"


def test_rewrapping_moves_every_credential_and_then_the_old_key_may_go(
    fleet: Callable[..., ControlPlane], raw: Any
) -> None:
    rotating = fleet(NEW, OLD)
    done = rotating.rewrap_credentials()
    assert (done.rewrapped, done.unchanged) == (10, 0)
    assert raw("select distinct kid from credential") == [(done.kid,)]
    old = next(key for key in rotating.list_keys() if not key.is_primary)
    assert old.credentials == 0
    rotating.retire_key(old.kid)
    alone = fleet(NEW)
    assert alone.credential_store("acme", "cio").read()["key_7"].reveal() == "value-7-of-cio"
    assert alone.verify_audit() == []
    with pytest.raises(WrongKeyError, match="retired"):
        fleet(OLD, NEW).credential_store("acme", "crm").write({"client_secret": Secret("late-value")})


def test_rewrapping_again_does_nothing(fleet: Callable[..., ControlPlane]) -> None:
    rotating = fleet(NEW, OLD)
    rotating.rewrap_credentials()
    head = rotating.audit_head()
    assert rotating.rewrap_credentials().rewrapped == 0
    assert rotating.audit_head() == head


@pytest.mark.parametrize("stop_after", range(1, 10))
def test_a_rewrap_that_stopped_anywhere_is_finished_by_the_next(
    fleet: Callable[..., ControlPlane], stop_after: int
) -> None:
    def stop(done: int, total: int) -> None:
        assert total == 10
        if done == stop_after:
            raise KeyboardInterrupt

    rotating = fleet(NEW, OLD)
    with pytest.raises(KeyboardInterrupt):
        rotating.rewrap_credentials(stop)
    for name in ("crm", "cio"):  # halfway, everything is readable
        assert rotating.credential_store("acme", name).read()
    assert rotating.rewrap_credentials().rewrapped == 10 - stop_after
    assert fleet(NEW).credential_store("acme", "cio").read()["key_0"].reveal() == "value-0-of-cio"


def test_a_credential_that_does_not_open_stops_a_rewrap_and_is_not_dropped(
    fleet: Callable[..., ControlPlane], raw: Any
) -> None:
    raw(
        "update credential set envelope = (select envelope from credential where field = 'key_1') where field = 'key_2'"
    )
    with pytest.raises(TamperedError, match="key_2"):
        fleet(NEW, OLD).rewrap_credentials()
    assert raw("select count(*) from credential") == [(10,)]


def test_a_key_in_use_is_not_retired(fleet: Callable[..., ControlPlane]) -> None:
    rotating = fleet(NEW, OLD)
    old = rotating.list_keys()[0].kid
    with pytest.raises(ControlPlaneError, match="10 credentials are still sealed under it"):
        rotating.retire_key(old)
    rotating.rewrap_credentials()
    with pytest.raises(ControlPlaneError, match="sealing key"):
        rotating.retire_key(next(key.kid for key in rotating.list_keys() if key.is_primary))
    with pytest.raises(NotFoundError):
        rotating.retire_key("0" * 16)


def test_a_new_key_alone_is_a_wrong_key_until_it_was_introduced_beside_the_old(
    fleet: Callable[..., ControlPlane],
) -> None:
    with pytest.raises(WrongKeyError):
        fleet(NEW).credential_store("acme", "crm").read()
