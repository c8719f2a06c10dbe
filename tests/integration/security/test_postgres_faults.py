"""A Postgres that goes away, comes back, is locked or lets nobody in: each ends in one line that says what happened."""

from __future__ import annotations

import threading
import traceback
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.exc import DBAPIError

from gtm_pipelines.cli.doctor import examine
from gtm_pipelines.control_plane import (
    BusyError,
    ControlPlane,
    ControlPlaneError,
    InvalidInputError,
    Override,
    UnboundRoleError,
    UnreachableError,
    open_control_plane,
    overrides,
    scope,
)
from gtm_pipelines.control_plane import database as transactions
from gtm_pipelines.control_plane.engine import open_engine
from gtm_pipelines.control_plane.migrate import ensure_current
from gtm_pipelines.settings import Settings
from gtm_pipelines.tenancy import ConnectionName, TenantId
from tests.postgres import Server
from tests.unit.control_plane.databases import PostgresDatabase, blank_postgres

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from gtm_pipelines.control_plane.database import Transaction

    Start = Callable[..., subprocess.Popen[str]]

DOORS: dict[str, tuple[type[ControlPlaneError], str]] = {
    "wrong password": (UnreachableError, 'password authentication failed for user "locked"'),
    "no such database": (UnreachableError, 'database "nowhere" does not exist'),
    "nobody listens": (UnreachableError, "127.0.0.1.*port 1 failed: Connection refused"),
    "no such socket": (UnreachableError, "No such file or directory"),
    "at sign in clear": (InvalidInputError, "more than one @.*percent-encoded"),
    "letters for a port": (InvalidInputError, "write postgresql://"),
    "another database's address": (InvalidInputError, "no database that can hold the control plane"),
    "no address": (InvalidInputError, "write postgresql://"),
    "superuser": (UnboundRoleError, "the user postgres .* is above .* row-level security.*make a plain one"),
}
ACME = TenantId("acme")
PASSWORD = "corr3ct-horse/battery@staple"
ENCODED = "corr3ct-horse%2Fbattery%40staple"


@pytest.fixture(scope="module")
def own_server() -> Server:
    """A server that may be stopped without disturbing another test; one role of it needs a password."""
    server = Server()
    hba = server.folder / "pg_hba.conf"
    hba.write_text("local all locked scram-sha-256\n" + hba.read_text())
    server.psql(f"CREATE ROLE locked LOGIN PASSWORD '{PASSWORD}'")
    server.psql("SELECT pg_reload_conf()")
    return server


@pytest.fixture(scope="module")
def own_template(own_server: Server, tmp_path_factory: pytest.TempPathFactory) -> str:
    return blank_postgres(own_server, tmp_path_factory.mktemp("blank"))


@pytest.fixture(params=["postgres"])
def database(
    request: pytest.FixtureRequest, own_server: Server, own_template: str, home: Path
) -> Iterator[PostgresDatabase]:
    made = PostgresDatabase(home, own_server, "template1" if "new" in request.param else own_template)
    yield made
    own_server.start()
    own_server.psql(f"DROP DATABASE {made.database} WITH (FORCE)")


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits that are half a minute in earnest end at once."""
    monkeypatch.setattr(transactions, "PATIENCE_S", 0.2)
    monkeypatch.setattr(scope, "LOCK_WAIT_S", 0.2)


# the server goes away


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_after_a_restart_everything_goes_on_as_if_nothing_had_been(
    plane: ControlPlane, own_server: Server, mode: str
) -> None:
    lease = plane.acquire_lease(ACME, "crm", "me")
    assert lease is not None
    own_server.stop(mode)
    own_server.start()
    plane.set_override(ACME, "crm", "Contact", "person", "email", 1)
    assert [tenant.id for tenant in plane.list_tenants()] == [ACME]
    lease.check()
    assert plane.verify_audit() == []


def test_a_call_that_comes_while_the_server_restarts_waits_for_it(plane: ControlPlane, own_server: Server) -> None:
    own_server.stop()
    back = threading.Timer(0.3, own_server.start)
    back.start()
    assert plane.get_connection(ACME, "crm").name == "crm"
    back.join()


@pytest.mark.usefixtures("impatient")
def test_a_server_that_stays_away_is_told_in_one_line_by_every_kind_of_call(
    plane: ControlPlane, own_server: Server
) -> None:
    lease = plane.acquire_lease(ACME, "crm", "me")
    assert lease is not None
    own_server.stop()
    for attempt in (plane.list_tenants, lease.check, lambda: plane.pause_connection(ACME, "crm")):
        with pytest.raises(UnreachableError, match=r"cannot be opened: .*; check GTM_CONTROL_URL$") as refusal:
            attempt()
        assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("moment", ["before a statement", "before the commit"])
@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_server_that_stops_inside_a_change_leaves_nothing_of_it(
    plane: ControlPlane, own_server: Server, mode: str, moment: str
) -> None:
    before = plane.audit_head()
    change = plane._database.mutate(ACME)
    work = change.__enter__()
    overrides.put(work, ACME, ConnectionName("crm"), Override("Contact", "person", "email", 1))
    own_server.stop(mode)
    with pytest.raises(UnreachableError, match=r"lost in the middle .* whole or not at all; run the command again"):
        _end(change, work if moment == "before a statement" else None)
    own_server.start()
    assert plane.list_overrides(ACME, "crm") == []
    assert plane.audit_head() == before
    plane.set_override(ACME, "crm", "Contact", "person", "email", 2)
    assert plane.verify_audit() == []


def _end(change: AbstractContextManager[Transaction], work: Transaction | None) -> None:
    """Leave a ``with``: at its end, or by a statement of its body that fails."""
    if work is None:
        change.__exit__(None, None, None)
        return
    try:
        overrides.put(work, ACME, ConnectionName("crm"), Override("Contact", "person", "phone", 1))
    except DBAPIError as error:
        change.__exit__(type(error), error, error.__traceback__)


def test_a_session_that_was_ended_while_reading_is_told_and_the_next_read_works(
    plane: ControlPlane, database: PostgresDatabase
) -> None:
    reading = plane._database.read(ACME)
    connection = reading.__enter__()
    database.run("select pg_terminate_backend(?, 5000)", connection.scalar(text("select pg_backend_pid()")))
    with pytest.raises(DBAPIError) as lost:
        connection.execute(text("select 1"))
    with pytest.raises(UnreachableError, match="lost in the middle"):
        reading.__exit__(type(lost.value), lost.value, None)
    assert plane.get_connection(ACME, "crm").name == "crm"


def test_a_crash_of_the_server_under_a_worker_leaves_old_or_new_with_its_audit_row(
    plane: ControlPlane, own_server: Server, start: Start
) -> None:
    before = plane.audit_head()[0]
    worker = start("mutate_for_ever")
    while plane.audit_head()[0] < before + 20:
        assert worker.poll() is None, worker.communicate()[1]
    own_server.stop("immediate")
    own_server.start()
    after = plane.audit_head()[0]
    while plane.audit_head()[0] < after + 20:  # it goes on by itself, or ends with what happened
        if worker.poll() is not None:
            assert (
                "UnreachableError: the connection to the control plane's database was lost" in worker.communicate()[1]
            )
            break
    worker.kill()
    worker.wait()
    assert plane.verify_audit() == []
    fields = plane.credential_store(ACME, "crm").read()
    assert fields["client_id"].reveal()[3:] == fields["client_secret"].reveal()[7:]


def test_a_long_work_outlives_a_restart_with_its_lease(plane: ControlPlane, own_server: Server) -> None:
    """The beats that find no server are followed by one that does, well before the lease runs out."""
    lease = plane.acquire_lease(ACME, "crm", "me", ttl=8)
    assert lease is not None
    with lease:
        own_server.stop()
        own_server.start()
        lease.check()
        assert plane.acquire_lease(ACME, "crm", "other") is None


# locks


@pytest.mark.usefixtures("impatient")
def test_a_change_waits_a_bounded_time_for_another_one(plane: ControlPlane, settings: Settings) -> None:
    with open_control_plane(settings) as other, other._database.mutate(TenantId("globex")):
        with pytest.raises(
            BusyError, match=r"held a lock in the control plane's database for 0\.2 seconds; nothing was"
        ):
            plane.pause_connection(ACME, "crm")
        assert plane.get_connection(ACME, "crm").status == "active"


@pytest.mark.usefixtures("impatient")
def test_a_heartbeat_waits_a_bounded_time_for_a_locked_row(plane: ControlPlane) -> None:
    lease = plane.acquire_lease(ACME, "crm", "me")
    assert lease is not None
    with plane._database.coordinate(ACME) as connection:
        connection.execute(text("select * from lease for update"))
        with pytest.raises(BusyError):
            lease.heartbeat()
    lease.check()


def test_a_worker_suspended_inside_a_change_does_not_hold_up_the_others(
    plane: ControlPlane, database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends its transaction, and it finds out when it wakes up."""
    monkeypatch.setattr(scope, "IDLE_S", 0.2)
    suspended = plane._database.mutate(ACME)
    work = suspended.__enter__()
    monkeypatch.setattr(scope, "IDLE_S", 60)
    plane.pause_connection(ACME, "crm", "the others go on")  # over another connection of the pool
    with pytest.raises(UnreachableError, match="lost in the middle"):
        _end(suspended, work)
    assert database.run("select status_reason from connection") == [("the others go on",)]


def test_a_change_of_another_process_meanwhile_does_not_alter_what_a_read_sees(
    plane: ControlPlane, settings: Settings
) -> None:
    count = text("select count(*) from mapping_override")
    with open_control_plane(settings) as other, plane._database.read(ACME) as connection:
        assert connection.scalar(count) == 0
        other.set_override(ACME, "crm", "Contact", "person", "email", 1)
        assert connection.scalar(count) == 0


# doors


def closed_doors(server: Server) -> dict[str, str]:
    """Addresses that let nobody in."""
    return {
        "wrong password": f"postgresql://locked:{ENCODED}x@/postgres?host={server.folder}",
        "no such database": f"postgresql://locked:{ENCODED}@/nowhere?host={server.folder}",
        "nobody listens": f"postgresql://gtm:{ENCODED}@127.0.0.1:1/postgres",
        "no such socket": f"postgresql://gtm:{ENCODED}@/postgres?host=/nowhere",
        "at sign in clear": f"postgresql://locked:{PASSWORD}@/postgres?host={server.folder}",
        "letters for a port": f"postgresql://gtm:{ENCODED}@localhost:{PASSWORD}/postgres",
        "another database's address": f"mysql://gtm:{ENCODED}@localhost/postgres",
        "no address": PASSWORD,
        "superuser": f"postgresql://postgres:{ENCODED}@/postgres?host={server.folder}",
    }


@pytest.mark.parametrize("door", DOORS)
def test_a_door_that_stays_closed_is_one_line_that_names_the_variable_and_no_password(
    own_server: Server, tmp_path: Path, door: str
) -> None:
    kind, words = DOORS[door]
    settings = Settings(home=tmp_path, control_url=closed_doors(own_server)[door])
    with pytest.raises(kind, match=words) as refusal:
        open_control_plane(settings)
    said = "".join(traceback.format_exception(refusal.value))
    assert "GTM_CONTROL_URL" in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert not [part for part in ("corr3ct", "horse", "battery", "staple") if part in said]


def test_the_right_password_with_signs_of_an_address_in_it_lets_us_in(own_server: Server) -> None:
    engine = open_engine(f"postgres://locked:{ENCODED}@/postgres?host={own_server.folder}")
    with engine.connect() as connection:
        assert connection.scalar(text("select current_user")) == "locked"
    engine.dispose()


def test_the_doctor_says_what_is_wrong_with_the_database_and_how_to_mend_it(
    own_server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GTM_HOME", str(tmp_path))
    monkeypatch.setenv("GTM_CONTROL_URL", closed_doors(own_server)["wrong password"])
    (found,) = [finding for finding in examine() if finding.what == "control plane"]
    assert found.state == "fault"
    assert 'password authentication failed for user "locked"' in found.detail
    assert "corr3ct" not in found.detail + found.mend
    assert "GTM_CONTROL_URL" in found.mend


@pytest.mark.parametrize("database", ["postgres new"], indirect=True)
def test_a_migration_that_is_cut_off_leaves_no_half_of_a_schema(database: PostgresDatabase, settings: Settings) -> None:
    engine = open_engine(settings.control_database_url)

    def cut(*given: Any) -> None:
        if "FORCE ROW LEVEL SECURITY" in given[2]:
            database.run(
                "select pg_terminate_backend(pid, 5000) from pg_stat_activity"
                " where datname = current_database() and usename = 'gtm'"
            )

    event.listen(engine, "before_cursor_execute", cut)
    with pytest.raises(UnreachableError):
        ensure_current(engine)
    engine.dispose()
    assert database.run("select * from pg_tables where schemaname = 'public'") == []
    with open_control_plane(settings) as plane:
        assert plane.verify_audit() == []
