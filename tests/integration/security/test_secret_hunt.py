"""Secrets hunted wherever the control plane could let one slip, at DEBUG level; the hunter is put to the proof too."""

from __future__ import annotations

import contextlib
import copy
import json
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr

from connectors.runtime.redaction import Secret, spellings
from gtm_pipelines.control_plane import ControlPlane, ControlPlaneError, InvalidInputError, open_control_plane

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gtm_pipelines.settings import Settings
    from tests.unit.control_plane.databases import ControlDatabase

KEY = "0123456789abcdef" * 4
OTHER_KEY = "e" * 62 + "d1"
SECRETS = {
    "client_secret": "kanarie/5f3a+plain==",
    "refresh_token": 'kanarie "quoted" \\ and % ünïcode ✓',
    "app_api_key": "kanarie-with-'single'-quotes",
    "private_key": "-----BEGIN PRIVATE KEY-----\nkanarie8d2e\n-----END PRIVATE KEY-----\n",
}
HUNTED = frozenset[str]().union(*(spellings(value) for value in (*SECRETS.values(), KEY, OTHER_KEY)), ["kanarie"])


def found_in(text: str) -> list[str]:
    """Return the forms of any secret or key that stand in ``text``."""
    return sorted(form for form in HUNTED if form in text)


@pytest.fixture
def log() -> Iterator[list[str]]:
    """Every record of every logger at DEBUG, formatted with arguments and traceback by the plain formatter."""
    lines: list[str] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record) + repr(record.args) + repr(record.__dict__))

    handler, root = Keep(logging.DEBUG), logging.getLogger()
    before = root.level
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.dialects", "sqlalchemy.orm", "alembic"):
        logging.getLogger(name).setLevel(logging.DEBUG)
    root.setLevel(logging.DEBUG)
    root.addHandler(handler)
    yield lines
    root.removeHandler(handler)
    root.setLevel(before)
    for name in ("sqlalchemy.engine", "sqlalchemy.pool", "sqlalchemy.dialects", "sqlalchemy.orm", "alembic"):
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.fixture
def hunted(settings: Settings, log: list[str]) -> Iterator[ControlPlane]:  # noqa: ARG001  logging is on before it opens
    """A control plane whose every kind of operation with secrets has been done once."""
    with open_control_plane(settings) as plane:
        plane.add_tenant("acme")
        plane.add_connection("acme", "crm", "salesforce", {"login_url": "https://x"}, SECRETS)
        store = plane.credential_store("acme", "crm")
        with store.lock():
            store.write({name: Secret(value) for name, value in SECRETS.items()})
        assert {name: secret.reveal() for name, secret in store.read().items()} == SECRETS
        yield plane


def test_the_hunter_finds_a_planted_secret(log: list[str]) -> None:
    for planted in (SECRETS["client_secret"], json.dumps(SECRETS["refresh_token"]), KEY):
        logging.getLogger("planted").debug("value %s", planted)
        assert found_in(log[-1])
    assert found_in(repr({"a": SECRETS["private_key"]}))


def test_no_log_line_holds_a_secret_at_debug_with_sql_echo(hunted: ControlPlane, log: list[str]) -> None:
    hunted.rewrap_credentials()
    hunted.remove_connection("acme", "crm")
    assert any("INSERT INTO credential" in line for line in log), "SQL was logged"
    assert any("parameters hidden" in line for line in log)
    assert found_in("\n".join(log)) == []


def test_no_byte_on_disk_holds_a_secret(hunted: ControlPlane, database: ControlDatabase) -> None:
    """The log of Postgres included: a statement that fails is written there with its values."""
    assert found_in("".join(database.contents())) == []
    with pytest.raises(InvalidInputError):
        hunted.add_connection("acme", "a1", "salesforce", {}, {**SECRETS, "Bad": "x"})
    hunted.remove_connection("acme", "crm")
    hunted.close()
    files = database.files()
    assert files
    for path in files:
        text = path.read_bytes().decode("latin-1")
        assert found_in(text) == [], path
        assert bytes.fromhex(KEY) not in path.read_bytes()


def test_no_object_handed_out_shows_or_pickles_a_secret(hunted: ControlPlane) -> None:
    store = hunted.credential_store("acme", "crm")
    lease = hunted.acquire_lease("acme", "crm", "me")
    objects = [hunted, store, lease, store.read(), hunted._ring(), hunted._ring().primary, hunted._database]
    objects += [hunted.get_connection("acme", "crm"), hunted.list_audit(), hunted.list_keys()]
    for value in objects:
        for shown in (repr(value), str(value), f"{value}", f"{value!r:>200}", _deep(value)):
            assert found_in(shown) == []
        with contextlib.suppress(TypeError, pickle.PicklingError, AttributeError):
            assert found_in(pickle.dumps(value).decode("latin-1")) == []
        with contextlib.suppress(TypeError):
            assert found_in(json.dumps(value, default=repr)) == []
    for refused in (hunted, store, lease, store.read(), hunted._ring(), hunted._ring().primary):
        with pytest.raises(TypeError):
            pickle.dumps(refused)
        with pytest.raises(TypeError):
            copy.deepcopy(refused)


def _deep(value: object) -> str:
    """What a debugger or an error reporter prints: an object's attributes, and theirs."""
    attributes = [getattr(value, name, None) for name in getattr(type(value), "__slots__", ())]
    return repr([attributes, getattr(value, "__dict__", None)])


REFUSE = {
    "sqlite": "create trigger no_{0} before {0} on credential begin select raise(abort, 'refused'); end",
    "postgres": "create function no_{0}() returns trigger language plpgsql as $$ begin raise 'refused'; end $$;;"
    "create trigger no_{0} before {0} on credential for each row execute function no_{0}()",
}


def failures(plane: ControlPlane, settings: Settings, database: ControlDatabase) -> dict[str, Callable[[], object]]:
    """Every way we know to make an operation with secrets fail halfway."""
    store = plane.credential_store("acme", "crm")
    again = {name: Secret(value) for name, value in SECRETS.items()}

    def with_sql(sql: str, operation: Callable[[], object]) -> Callable[[], object]:
        def run() -> object:
            for statement in sql.split(";;"):
                database.run(statement)
            return operation()

        return run

    def opened(key: str | None) -> ControlPlane:
        chosen = None if key is None else SecretStr(key)
        return open_control_plane(settings.model_copy(update={"encryption_key": chosen}))

    refuse = REFUSE[database.name]
    return {
        "bad field name": lambda: plane.add_connection("acme", "a1", "salesforce", {}, {**SECRETS, "Bad": "x"}),
        "empty value": lambda: plane.add_connection("acme", "a2", "salesforce", {}, {**SECRETS, "last": ""}),
        "bad tenant": lambda: plane.add_connection("No Such", "a3", "salesforce", {}, SECRETS),
        "unknown tenant": lambda: plane.add_connection("globex", "a4", "salesforce", {}, SECRETS),
        "bad schedule": lambda: plane.add_connection("acme", "a5", "salesforce", {}, SECRETS, "never"),
        "name taken": lambda: plane.add_connection("acme", "crm", "salesforce", {}, SECRETS),
        "no text": lambda: plane.add_connection("acme", "a7", "salesforce", {}, {**SECRETS, "n": 5}),  # type: ignore[dict-item]
        "no key": lambda: opened(None).add_connection("acme", "a8", "salesforce", {}, SECRETS),
        "wrong key": lambda: opened(OTHER_KEY).add_connection("acme", "a9", "salesforce", {}, SECRETS),
        "malformed key": lambda: opened(KEY + "0").credential_store("acme", "crm").write(again),
        "update refused": with_sql(refuse.format("update"), lambda: store.write(again)),
        "insert refused": with_sql(
            refuse.format("insert"), lambda: plane.add_connection("acme", "b1", "salesforce", {}, SECRETS)
        ),
        "tampered": with_sql("update vault_key set canary = canary || 'A'", store.read),
        "canary gone": with_sql("delete from vault_key", store.read),
        "table gone": with_sql("alter table credential rename to elsewhere", lambda: store.write(again)),
    }


def test_no_failure_shows_a_secret_in_message_traceback_or_any_of_our_frames(
    hunted: ControlPlane, settings: Settings, log: list[str], database: ControlDatabase
) -> None:
    """Error reporters print each frame's local variables: from the public method down, none may hold one."""
    for name, operation in failures(hunted, settings, database).items():
        with pytest.raises(Exception) as failure:  # noqa: PT011  whatever is raised is searched
            operation()
        logging.getLogger("reporter").error("operation failed", exc_info=failure.value)
        assert found_in("".join(traceback.format_exception(failure.value, chain=True))) == [], name
        assert found_in(_frames(failure.value)) == [], name
    assert found_in("\n".join(log)) == []


def _frames(error: BaseException) -> str:
    """Print the local variables of every frame but this test's own, which must hold the secrets it gives away."""
    chain = filter(None, [error, error.__cause__, error.__context__])
    stacks = [traceback.TracebackException.from_exception(one, capture_locals=True).stack for one in chain]
    frames = [frame for stack in stacks for frame in stack if frame.filename != __file__]
    assert frames
    return "\n".join(f"{frame.filename}:{frame.name} {frame.locals}" for frame in frames)


def test_errors_name_the_place_and_the_mend_but_no_value(hunted: ControlPlane, database: ControlDatabase) -> None:
    database.run("update credential set envelope = ? where field = 'app_api_key'", SECRETS["app_api_key"])
    with pytest.raises(ControlPlaneError, match=r"'app_api_key' of acme/crm .* enter the credential again") as refusal:
        hunted.credential_store("acme", "crm").read()
    assert found_in(str(refusal.value)) == []
