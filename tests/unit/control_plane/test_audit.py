"""The audit log: every change leaves a row, rows cannot be changed, and changed rows are found."""

from __future__ import annotations

import hashlib
import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane import ControlPlaneError, open_control_plane
from gtm_pipelines.control_plane.audit import masked
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.databases import ControlDatabase

    Raw = Callable[..., list[tuple[Any, ...]]]

REPORT = {
    "tenant": "acme",
    "connection": "crm",
    "connector": "salesforce",
    "run_id": "r1",
    "mode": "full",
    "status": "ok",
    "started_at": "2026-05-04T10:00:00+00:00",
    "entities": {},
}

MUTATIONS: dict[str, Callable[[ControlPlane], object]] = {
    "tenant.added": lambda plane: plane.add_tenant("globex"),
    "tenant.removed": lambda plane: plane.remove_tenant("acme"),
    "connection.added": lambda plane: plane.add_connection("acme", "files", "file", {}),
    "connection.changed": lambda plane: plane.change_connection("acme", "crm", schedule="0 * * * *"),
    "connection.paused": lambda plane: plane.pause_connection("acme", "crm"),
    "connection.reauth_required": lambda plane: plane.set_status("acme", "crm", "reauth_required", "invalid_grant"),
    "connection.removed": lambda plane: plane.remove_connection("acme", "crm"),
    "credential.replaced": lambda plane: plane.credential_store("acme", "crm").write({"client_id": Secret("other-id")}),
    "credential.added": lambda plane: plane.credential_store("acme", "crm").write({"token": Secret("a-new-token")}),
    "mapping.set": lambda plane: plane.set_override("acme", "crm", "Contact", "person", "email", "Email2"),
    "sync.recorded": lambda plane: plane.record_sync(REPORT),
}


@pytest.mark.parametrize("action", MUTATIONS)
def test_every_mutation_is_audited_with_actor_and_time(acme: ControlPlane, action: str) -> None:
    before = len(acme.list_audit())
    MUTATIONS[action](acme)
    added = acme.list_audit()[: len(acme.list_audit()) - before]
    assert action in [entry.action for entry in added]
    assert {entry.actor for entry in added} == {"test"}
    assert {entry.at.isoformat() for entry in added} == {"2026-05-04T10:07:00+00:00"}
    assert acme.verify_audit() == []


REFUSING = {
    "sqlite": ["create trigger refuse_audit before insert on audit_log begin select raise(abort, 'not now'); end"],
    "postgres": [
        "create function refuse() returns trigger language plpgsql as $$ begin raise exception 'not now'; end $$",
        "create trigger refuse_audit before insert on audit_log for each row execute function refuse()",
    ],
}


@pytest.mark.parametrize("action", MUTATIONS)
def test_a_mutation_whose_audit_row_cannot_be_written_does_not_happen(
    acme: ControlPlane, database: ControlDatabase, action: str
) -> None:
    """Same transaction: with the log refusing, nothing else may change either."""
    for statement in REFUSING[database.name]:
        database.run(statement)
    before = database.contents()
    with pytest.raises(Exception, match="not now"):
        MUTATIONS[action](acme)
    assert database.contents() == before


def test_a_change_that_was_not_audited_is_rolled_back(acme: ControlPlane, database: ControlDatabase) -> None:
    """The guarantee does not hang on each author's care."""
    from sqlalchemy import text

    before = database.contents()
    with acme._database.mutate(TenantId("acme")) as work:
        work.connection.execute(text("update tenant set display_name = 'changed behind the log'"))
    assert database.contents() == before


def test_a_mutation_that_changes_nothing_leaves_no_row(acme: ControlPlane) -> None:
    before = acme.audit_head()
    acme.resume_connection("acme", "crm")
    acme.change_connection("acme", "crm", schedule="*/15 * * * *")
    assert acme.audit_head() == before


def test_before_and_after_are_kept(acme: ControlPlane) -> None:
    acme.change_connection("acme", "crm", schedule="0 6 * * *")
    entry = acme.list_audit("acme", limit=1)[0]
    assert entry.before["schedule"] == "*/15 * * * *"
    assert entry.after["schedule"] == "0 6 * * *"


def test_secrets_are_masked_in_before_and_after(acme: ControlPlane, raw: Raw) -> None:
    acme.change_connection("acme", "crm", settings={"api_token": "plain-in-settings", "login_url": "https://x"})
    acme.credential_store("acme", "crm").write({"client_secret": Secret("rotated-value-1")})
    acme.set_status("acme", "crm", "reauth_required", "the vendor said: bad token rotated-value-1\r\nX: y\x1b[2J")
    log = json.dumps(raw("select before, after from audit_log"))
    assert "plain-in-settings" not in log
    assert "s3cr3t" not in log
    assert "rotated-value-1" not in log
    reason = acme.get_connection("acme", "crm").status_reason
    assert reason.isprintable()
    assert "rotated-value-1" not in reason


def test_masking_goes_by_key_name_at_any_depth() -> None:
    given = {"url": "https://x", "auth": {"clientSecret": "a", "Password": 7, "list": [{"refresh_token": "b"}]}}
    assert masked(given) == {
        "url": "https://x",
        "auth": {"clientSecret": "***", "Password": "***", "list": [{"refresh_token": "***"}]},
    }


def test_one_tenants_log_shows_only_its_own_rows(acme: ControlPlane) -> None:
    acme.add_tenant("globex")
    assert {entry.tenant for entry in acme.list_audit("globex")} == {"globex"}
    assert {entry.tenant for entry in acme.list_audit("acme")} == {"acme"}


_COPY = "at, 'x', tenant_id, action, subject, before, after, previous_hash, hash from audit_log where seq = 2"
_REFUSED = [
    "update audit_log set actor = 'someone' where seq = 2",
    "update audit_log set hash = 'x'",
    "delete from audit_log where seq = 2",
    "delete from audit_log",
    f"insert into audit_log select 0, {_COPY}",
    "delete from audit_head",
]
REFUSED_BY = {
    "sqlite": [
        *_REFUSED,
        "replace into audit_log select * from audit_log where seq = 2",
        f"insert or replace into audit_log select seq, {_COPY}",
    ],
    "postgres": [
        *_REFUSED,
        "truncate audit_log",
        f"insert into audit_log select 1000, {_COPY}",
        f"insert into audit_log select seq, {_COPY} on conflict (seq) do update set actor = excluded.actor",
    ],
}


def test_the_database_itself_refuses_to_change_the_log(acme: ControlPlane, database: ControlDatabase) -> None:
    """Even to whoever has every right in it."""
    before = database.contents()
    for statement in REFUSED_BY[database.name]:
        with pytest.raises(Exception, match="append-only"):
            database.run(statement)
    assert database.contents() == before
    assert acme.verify_audit() == []


_EVERYWHERE = ("audit_log_no_update", "audit_log_no_delete", "audit_log_only_append", "audit_head_no_delete")
GUARDS = {"sqlite": _EVERYWHERE, "postgres": (*_EVERYWHERE, "audit_log_in_order")}


@pytest.fixture
def long_log(acme: ControlPlane, database: ControlDatabase) -> ControlPlane:
    """A log of a hundred entries, and an intruder who has dropped the triggers."""
    for number in range(100):
        acme.set_override("acme", "crm", "Contact", "person", f"f{number}", number)
    for trigger in GUARDS[database.name]:
        table = "audit_head" if "head" in trigger else "audit_log"
        database.run(f"drop trigger {trigger}" + (f" on {table}" if database.name == "postgres" else ""))
    return acme


COLUMNS = ("at", "actor", "tenant_id", "action", "subject", "before", "after", "previous_hash", "hash")


def test_any_altered_row_is_found_whatever_the_column(long_log: ControlPlane, raw: Raw) -> None:
    picks = random.Random(4)
    for _ in range(60):
        seq, column = picks.randint(1, long_log.audit_head()[0]), picks.choice(COLUMNS)
        old = raw(f"select {column} from audit_log where seq = ?", seq)[0][0]
        raw(f"update audit_log set {column} = ? where seq = ?", f"{(old or '-')[:-1]}~", seq)
        assert seq in _chain(long_log), f"{column} of {seq}"
        raw(f"update audit_log set {column} = ? where seq = ?", old, seq)
    assert _chain(long_log) == []


def test_a_deleted_row_is_found_first_middle_and_last(long_log: ControlPlane, raw: Raw) -> None:
    last = long_log.audit_head()[0]
    for seq in (1, 60, last):
        row = raw("select * from audit_log where seq = ?", seq)[0]
        raw("delete from audit_log where seq = ?", seq)
        assert seq in _chain(long_log)
        raw(f"insert into audit_log values ({', '.join('?' * len(row))})", *row)
    assert _chain(long_log) == []


def test_two_swapped_rows_are_found(long_log: ControlPlane, raw: Raw) -> None:
    raw("update audit_log set seq = -1 where seq = 20")
    raw("update audit_log set seq = 20 where seq = 21")
    raw("update audit_log set seq = 21 where seq = -1")
    assert {20, 21} <= set(_chain(long_log))


def test_a_row_rewritten_with_a_fitting_hash_breaks_the_next_link(long_log: ControlPlane, raw: Raw) -> None:
    raw("update audit_log set actor = 'innocent' where seq = 30")
    _rehash(raw, 30)
    assert _chain(long_log) == [31]


def test_a_log_rewritten_to_its_end_with_its_head_is_found_by_an_anchor_kept_elsewhere(
    long_log: ControlPlane, raw: Raw
) -> None:
    anchor = long_log.audit_head()
    raw("update audit_log set actor = 'innocent' where seq = 30")
    for seq in range(30, anchor[0] + 1):
        if seq > 30:
            raw(
                "update audit_log set previous_hash = (select hash from audit_log where seq = ?) where seq = ?",
                seq - 1,
                seq,
            )
        _rehash(raw, seq)
    raw("update audit_head set hash = (select hash from audit_log where seq = ?)", anchor[0])
    assert _chain(long_log) == []  # whoever can write everything can rewrite everything ...
    faults = [fault for fault in long_log.verify_audit(anchor) if fault.kind == "head"]
    assert [fault.seq for fault in faults] == [anchor[0]]  # ... but not what was noted elsewhere


def test_an_anchor_stays_valid_while_the_log_grows(acme: ControlPlane) -> None:
    anchor = acme.audit_head()
    acme.add_tenant("globex")
    assert acme.verify_audit(anchor) == []


def test_dropped_triggers_are_reported(long_log: ControlPlane, database: ControlDatabase) -> None:
    reported = [fault.detail for fault in long_log.verify_audit() if fault.kind == "guard"]
    assert [detail.split()[2] for detail in reported] == sorted(GUARDS[database.name])


def test_a_credential_slipped_in_or_taken_out_behind_the_log_is_reported(acme: ControlPlane, raw: Raw) -> None:
    raw("delete from credential where field = 'client_id'")
    columns = "kid, version, envelope, updated_at"
    raw(f"insert into credential select tenant_id, connection, 'smuggled', {columns} from credential")
    kinds = {(fault.kind, fault.detail.split(":")[1].split("/")[1]) for fault in acme.verify_audit()}
    assert kinds == {("credential", "client_id"), ("credential", "smuggled")}


def test_a_hostile_actor_name_cannot_forge_log_lines(settings: Settings) -> None:
    with open_control_plane(settings, actor="cli\r\n2026 admin: ok\x1b[31m" + "x" * 1_000_000) as plane:
        plane.add_tenant("acme")
        actor = plane.list_audit()[0].actor
    assert actor.isprintable()
    assert len(actor) <= 200


def test_a_megabyte_in_before_or_after_is_cut(acme: ControlPlane, raw: Raw) -> None:
    acme.change_connection("acme", "crm", settings={"note": "x" * 60_000})
    assert raw("select max(length(after)) from audit_log")[0][0] < 10_000
    assert acme.verify_audit() == []


def test_errors_of_the_control_plane_share_one_base() -> None:
    from gtm_pipelines.control_plane import errors

    own = [value for value in vars(errors).values() if isinstance(value, type)]
    assert all(issubclass(value, ControlPlaneError) for value in own)


def _chain(plane: ControlPlane) -> list[int]:
    return [fault.seq for fault in plane.verify_audit() if fault.kind not in {"guard", "credential"}]


def _rehash(raw: Raw, seq: int) -> None:
    """What an intruder who has read the code would do; written again here so that the code cannot agree with itself."""
    columns = "seq, at, actor, tenant_id, action, subject, before, after, previous_hash"
    row = raw(f"select {columns} from audit_log where seq = ?", seq)[0]
    content = json.dumps(["gtm-audit", 1, *row], separators=(",", ":")).encode()
    raw("update audit_log set hash = ? where seq = ?", hashlib.sha256(content).hexdigest(), seq)
