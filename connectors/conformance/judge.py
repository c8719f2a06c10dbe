"""Judging one account: every check that needs nothing but a connector and the server it reads.

The test suite can do more, because it knows a vendor's truth and can make it fail. What is judged here holds at any
server: reads end, resume, repeat and stay quiet about credentials. Nothing is written anywhere.
"""

from __future__ import annotations

import io
import logging
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import RLock
from typing import TYPE_CHECKING

from connectors.conformance import checks
from connectors.conformance.checks import NotConformant, Read
from connectors.connector import Cursor, Mode
from connectors.errors import ConnectorError
from connectors.runtime.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping
    from datetime import datetime

    from connectors.connector import Connector, CredentialStore, Entity

    Connect = Callable[[CredentialStore], Connector]

_MOST_RESUMED = 4
"""How many pages a read is resumed from: each reads the rest of the entity once more."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What one check found; ``entity`` is None for those about the connector as a whole."""

    check: str
    entity: str | None
    ok: bool
    detail: str = ""


class GivenCredentials:
    """A credential store for the length of a command: what was given, and what the vendor rotated since.

    ``secret`` names the fields that prove an identity (a key, a token); the others only state it (a user's name). When
    it names none, all fields count as secret.
    """

    def __init__(self, fields: Mapping[str, str], secret: Collection[str] = ()) -> None:
        self._fields = {name: Secret(value) for name, value in fields.items()}
        self._given = dict(fields)
        self._secret = frozenset(secret or fields)
        self._lock = RLock()

    def read(self) -> Mapping[str, Secret]:
        """Return the fields as they are now."""
        return dict(self._fields)

    def write(self, changed: Mapping[str, Secret]) -> None:
        """Keep changed fields; the others stay."""
        self._fields.update(changed)

    def spoiled(self) -> GivenCredentials:
        """Return the credentials as they were given, secrets made wrong, without a session opened meanwhile."""
        wrong = {name: f"wrong-{value[::-1]}" for name, value in self._given.items() if name in self._secret}
        return GivenCredentials({**self._given, **wrong})

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the one refresh of this account within this process."""
        with self._lock:
            yield


@dataclass
class Account:
    """The account to judge: how to build a connector for it, and the credentials it was given."""

    connect: Connect
    credentials: GivenCredentials
    started_at: datetime
    page_size: int | None = None
    beside: Callable[[str, Read], Iterator[Verdict]] = lambda _entity, _done: iter(())  # what only the caller can judge
    _log: io.StringIO = field(default_factory=io.StringIO)

    def judge(self, only: Collection[str] = ()) -> Iterator[Verdict]:
        """Yield a verdict for each check as it is made, entity by entity; ``only`` narrows the entities."""
        with self._listening():
            yield from self._whole()
            for entity in self._entities(only):
                yield from self._entity(entity)
            yield from self._quiet()
            yield self._refused()

    def _whole(self) -> Iterator[Verdict]:
        connector = self.connect(self.credentials)
        yield _verdict("the vendor answers the health check", None, lambda: _well(connector))
        yield _verdict(
            "the field catalogue is sound",
            None,
            lambda: checks.check_schema(connector.get_schema(connector.authenticate()), connector.entities()),
        )

    def _entities(self, only: Collection[str]) -> list[Entity]:
        known = self.connect(self.credentials).entities()
        return [entity for entity in known if not only or entity.name in only]

    def _entity(self, entity: Entity) -> Iterator[Verdict]:
        def again(cursor: Cursor | None, mode: Mode = Mode.INCREMENTAL) -> Read:
            return checks.read(
                self.connect(self.credentials),
                entity.name,
                started_at=self.started_at,
                cursor=cursor,
                mode=mode,
                page_size=self.page_size,
            )

        done = again(None)
        yield _verdict("a read ends, on its last page", entity, lambda: checks.check_ends(done))
        yield _verdict("rows have the raw shape", entity, lambda: checks.check_rows(done))
        if done.error is not None:
            return
        yield _verdict(
            "a full read ends well",
            entity,
            lambda: checks.check_full_read_proves_absence(again(None, Mode.FULL), entity),
        )
        yield _verdict("a second read gives the same", entity, lambda: checks.check_reread(done, again))
        yield _verdict("cursors are small plain JSON", entity, lambda: checks.check_cursors(done, entity))
        yield _verdict(
            "no watermark passes start less settle",
            entity,
            lambda: checks.check_watermark(done, entity, self.started_at),
        )
        yield from self.beside(entity.name, done)
        if entity.cursor is None:
            return
        yield _verdict(
            "a read may stop after any page",
            entity,
            lambda: checks.check_resumable(done, again, most=_MOST_RESUMED),
        )
        yield _verdict("cursors move forward", entity, lambda: checks.check_forward(done, again, most=_MOST_RESUMED))
        yield _verdict("a finished read is not repeated", entity, lambda: checks.check_progress(done, again, entity))

    def _quiet(self) -> Iterator[Verdict]:
        connector = self.connect(self.credentials)
        printed = repr([connector, vars(connector), connector.authenticate(), connector.context])
        addresses = set(map(str, connector.context.settings.values()))  # of a session, too, and no secret
        secrets = {secret.reveal() for secret in self.credentials.read().values()} - addresses
        texts = {"a log line": self._log.getvalue(), "a printed object": printed}
        yield _verdict(
            "no credential is logged or printed", None, lambda: checks.check_no_secret(texts, [s for s in secrets if s])
        )

    def _refused(self) -> Verdict:
        wrong = self.credentials.spoiled()
        if not wrong.read():
            return Verdict("a refused credential asks for a person", None, ok=True, detail="there is no credential")
        connector = self.connect(wrong)
        entity = connector.entities()[0].name
        return _verdict(
            "a refused credential asks for a person",
            None,
            lambda: checks.check_refused(lambda: checks.read(connector, entity, started_at=self.started_at)),
        )

    @contextmanager
    def _listening(self) -> Iterator[None]:
        """Take down every log line, at every level, for as long as the account is judged."""
        handler = logging.StreamHandler(self._log)
        root = logging.getLogger()
        level = root.level
        root.addHandler(handler)
        root.setLevel(logging.DEBUG)
        try:
            yield
        finally:
            root.setLevel(level)
            root.removeHandler(handler)


def _well(connector: Connector) -> None:
    status = connector.health_check(connector.authenticate())
    if not status.ok:
        raise NotConformant(status.detail)


def _verdict(check: str, entity: Entity | None, attempt: Callable[[], None]) -> Verdict:
    name = None if entity is None else entity.name
    try:
        attempt()
    except (NotConformant, ConnectorError) as error:
        return Verdict(check, name, ok=False, detail=str(error))
    return Verdict(check, name, ok=True)
