"""A connector that is only described: its manifest run by the runtime. The only class behind ``kind: generic``.

How an entity is read stands in reading.py. Everything vendor-specific is data; a vendor that needs more has a
``source.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from connectors.connector import (
    Connector,
    ConnectorContext,
    Credentials,
    Cursor,
    Entity,
    FieldMapping,
    HealthStatus,
    Mode,
    Page,
    SyncOptions,
)
from connectors.declarative import walks
from connectors.declarative.account import Account
from connectors.declarative.allowance import build_ledger, noting
from connectors.declarative.catalogue import default_schema
from connectors.declarative.reading import read_entity
from connectors.declarative.sessions import build_auth
from connectors.declarative.verdicts import classifier
from connectors.errors import ConnectorError, Stop
from connectors.runtime import auth

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from pathlib import Path

    from connectors.manifest import Manifest
    from connectors.runtime.quota import Quota


def generic(manifest: Manifest, mapping: Path) -> type[GenericConnector]:
    """Make the connector class of one descriptor, so that it is the same kind of thing as a native one."""
    name = f"{manifest.id.capitalize()}Connector"
    return type(name, (GenericConnector,), {"manifest": manifest, "mapping": mapping, "__doc__": manifest.description})


class GenericConnector(Connector):
    """Runs one descriptor for one connection; subclassed per vendor by :func:`generic`."""

    mapping: ClassVar[Path]
    _asked_at: datetime | None = None

    def __init__(self, context: ConnectorContext) -> None:
        super().__init__(context)
        self._ledger = build_ledger(self.manifest.quota, context.clock)
        self._classify = noting(self._ledger, classifier(self.manifest.errors))

    def authenticate(self) -> Credentials:
        """Turn the stored fields into a session; static credentials need no call."""
        session_auth = build_auth(self.manifest, self.context)
        declared = self.manifest.ingestion
        base = walks.base_url((declared and declared.base_url) or "", self.context.settings)
        if isinstance(session_auth, auth.TokenAuth):
            session = self.context.transport.authorise(session_auth)
            return Credentials(base, session_auth, session.expires_at)
        return Credentials(base, session_auth)

    def entities(self) -> list[Entity]:
        """List the described entities."""
        return [spec.entity() for spec in self.manifest.entities]

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the shipped catalogue; a descriptor has no way to ask the account for its own."""
        del credentials
        return default_schema(self.manifest, self.mapping)

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Make the described probe; a refusal is an answer, not an exception."""
        probe = self.manifest.health_check
        now = self.context.clock()
        try:
            if probe is not None:
                account = self._account(credentials, SyncOptions("", Mode.INCREMENTAL, now))
                account.send(account.build(probe, {}))
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=str(error), checked_at=now)
        return HealthStatus(ok=True, detail="the vendor answers", checked_at=now)

    def quota(self) -> Quota | None:
        """Return what is left of the described quota."""
        return self._ledger.state if self._ledger else None

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; see the contract."""
        try:
            spec = self.manifest.spec(options.entity)
        except KeyError:
            raise Stop("unknown_entity", f"{self.name} has no entity {options.entity!r}") from None
        account = self._account(credentials, options)
        self._ask_quota(account)
        yield from read_entity(account, spec, cursor)

    def _ask_quota(self, account: Account) -> None:
        """Learn what is left where the vendor tells it in a place of its own, once per sync."""
        ask = self.manifest.quota.ask if self.manifest.quota else None
        if ask is not None and self._asked_at != account.options.started_at:
            self._asked_at = account.options.started_at
            account.send(account.build(ask, {}))

    def _account(self, credentials: Credentials, options: SyncOptions) -> Account:
        return Account(self.manifest, self.context, credentials, options, self._classify, self._ledger)
