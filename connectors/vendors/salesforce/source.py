"""The Salesforce connector. Code, because SOQL is a language.

Fields come from describe on every run, order and ties from a keyset over (SystemModstamp, Id), deletes from a log
beside the objects, and the quota from a header: none of it fits a descriptor.

soql.py writes queries, reading.py walks an object, deletes.py reads the delete log, session.py knows errors and quota.
Here they meet: what one sync of one entity does, and which cursor it leaves.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from connectors import registry
from connectors.connector import (
    Connector,
    Credentials,
    DeleteDetection,
    Entity,
    FieldMapping,
    HealthStatus,
    Mode,
    Page,
)
from connectors.declarative.catalogue import default_schema
from connectors.errors import ConnectorError, Resync, Stop
from connectors.runtime.auth.jwt_bearer import JwtBearer
from connectors.runtime.auth.oauth2 import OAuth2Refresh
from connectors.runtime.quota import QuotaLedger
from connectors.vendors.salesforce.deletes import deleted_rows
from connectors.vendors.salesforce.reading import Walk
from connectors.vendors.salesforce.session import Session, usage
from connectors.vendors.salesforce.soql import Position, SObject, checked_id, literal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.connector import ConnectorContext, Cursor, SyncOptions
    from connectors.manifest import Manifest
    from connectors.runtime.auth.tokens import TokenAuth
    from connectors.runtime.quota import Quota

_LOGIN = "https://login.salesforce.com"
_TEST_LOGIN = "https://test.salesforce.com"
_API_VERSION = "64.0"
_RESERVE_PERCENT = 10
_MARK_STANDS = timedelta(
    hours=6
)  # of the delete log: a cursor that moved with every look at it would be stored each time
_SESSION_LIFETIME = timedelta(hours=1)  # Salesforce names none; an org may end sessions after 15 minutes, and says so


class SalesforceConnector(Connector):
    """Reads one Salesforce org: the standard objects of a sales team and any others a connection names."""

    manifest: ClassVar[Manifest] = registry.manifest("salesforce")

    def __init__(self, context: ConnectorContext) -> None:
        super().__init__(context)
        share = float(self._setting("quota_reserve_percent", _RESERVE_PERCENT)) / 100.0
        self._ledger = QuotaLedger(share, usage, clock=context.clock)

    def quota(self) -> Quota | None:
        """Return how many of the org's daily API requests are left, as the last answer said."""
        return self._ledger.state

    def authenticate(self) -> Credentials:
        """Log in with the stored refresh token, or with a signed assertion where a private key is stored."""
        login = str(self._setting("login_url", _LOGIN)).rstrip("/")
        auth = self._auth(login)
        session = self.context.transport.authorise(auth)
        instance = session.extra.get("instance_url")
        if instance is None:
            raise Stop("malformed_page", "the login's answer does not say which instance holds the org")
        return Credentials(instance.reveal().rstrip("/"), auth, session.expires_at)

    def entities(self) -> list[Entity]:
        """List the standard objects and those the setting ``objects`` adds."""
        found = {entity.name.casefold(): entity for entity in registry.entities(self.id)}
        for name in self._objects():
            found.setdefault(name.casefold(), _custom(name))  # Salesforce's names are the same in any case
        return list(found.values())

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read deletes, then rows, each page with a cursor that may be resumed from."""
        entity = next((each for each in self.entities() if each.name == options.entity), None)
        if entity is None:
            raise Stop("unknown_entity", f"{options.entity} is not among the objects of this connection")
        session = self._session(credentials)
        sobject = _describe(session, options.entity)
        vendor_now = session.vendor_time or options.started_at
        horizon = min(vendor_now, options.started_at) - entity.settle - entity.lag
        known = None if options.mode is Mode.FULL else cursor
        if known and sobject.stamp is None:
            raise Resync("no_cursor_field", f"{options.entity} has no field to go on by; it is read in full each time")
        after, since = _place(known)
        state = dict(known or {})
        if sobject.has_deletes and sobject.stamp is not None:
            state["deleted_until"] = literal(since or horizon)  # of a full read, no more than a start is noted
            for rows, covered in () if since is None else deleted_rows(session, entity.name, since, vendor_now):
                reached = max(min(covered, horizon), since or covered)
                if rows.num_rows or reached - (since or reached) >= _MARK_STANDS:
                    state["deleted_until"] = literal(reached)
                yield Page(rows, dict(state), has_more=True)
        walk = Walk(session, sobject, after, horizon=horizon)
        for landed, more in walk.pages(options.page_size):
            if walk.position is not None and walk.position.stamp is not None:
                state |= _as_cursor(walk.position.stamp, walk.position.id)
            yield Page(landed.table, dict(state) or None, has_more=more, unreadable=landed.unreadable)

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the fields the default mapping uses; with credentials, every field of the org this user may see."""
        shipped = default_schema(self.manifest, registry.mapping_path(self.id))
        if credentials is None:
            return shipped
        mapped = {(item.entity, item.source): item for item in shipped}
        session = self._session(credentials)
        found: list[FieldMapping] = []
        for entity in self.entities():
            for field in _describe(session, entity.name).fields:
                default = mapped.get((entity.name, field.name))
                found.append(
                    FieldMapping(
                        entity.name,
                        field.name,
                        field.type,
                        field.label,
                        default.target if default else None,
                        default.field if default else None,
                        default.transform if default else "none",
                    )
                )
        return found

    def health_check(self, credentials: Credentials) -> HealthStatus:
        """Ask for the limits: it proves the login and shows the quota."""
        try:
            limits = self._session(credentials).get("/limits").json()
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=error.message, checked_at=self.context.clock())
        daily = limits.get("DailyApiRequests", {}) if isinstance(limits, dict) else {}
        detail = f"{daily.get('Remaining', '?')} of {daily.get('Max', '?')} API requests are left today"
        return HealthStatus(ok=True, detail=detail, checked_at=self.context.clock())

    def _auth(self, login: str) -> TokenAuth:
        store, clock = self.context.credentials, self.context.clock
        url = f"{login}/services/oauth2/token"
        if store.read().get("private_key"):
            audience = _TEST_LOGIN if login == _TEST_LOGIN or ".sandbox." in login else _LOGIN
            return JwtBearer(
                store, url, clock=clock, audience=audience, keep=("instance_url",), lifetime=_SESSION_LIFETIME
            )
        return OAuth2Refresh(store, url, clock=clock, keep=("instance_url",), lifetime=_SESSION_LIFETIME)

    def _session(self, credentials: Credentials) -> Session:
        return Session(
            self.context.transport,
            credentials,
            api_version=_version(str(self._setting("api_version", _API_VERSION))),
            ledger=self._ledger,
        )

    def _setting(self, name: str, default: Any) -> Any:
        value = self.context.settings.get(name)
        return default if value in (None, "") else value

    def _objects(self) -> list[str]:
        named = self._setting("objects", [])
        names = named.split(",") if isinstance(named, str) else named
        return [str(name).strip() for name in names if str(name).strip()]


def _version(text: str) -> str:
    """Return a version as addresses have it: people write 64 and v64.0 for 64.0."""
    number = text.removeprefix("v")
    return f"{number}.0" if number.isdecimal() else number


def _describe(session: Session, name: str) -> SObject:
    """Ask for an object's fields, on every run: a field added yesterday must not be missing for ever."""
    if not name.replace("_", "").isalnum() or not name.isascii():
        raise Stop("bad_setting", f"{name!r} is not the API name of an object, as Subscription__c")
    answer = session.get(f"/sobjects/{name}/describe").json()
    if not isinstance(answer, dict) or not isinstance(answer.get("fields"), list):
        raise Stop("malformed_page", f"the description of {name} has no fields")
    try:
        sobject = SObject.from_describe(answer)
    except (KeyError, TypeError) as error:
        raise Stop("malformed_page", f"the description of {name} is not in its usual form") from error
    if all(field.name != "Id" for field in sobject.fields):
        raise Stop("malformed_page", f"the description of {name} names no Id to know its records by")
    return sobject


def _custom(name: str) -> Entity:
    return Entity(
        name=name,
        description=f"The object {name}, added by this connection",
        key="$.Id",
        cursor="SystemModstamp",
        lag=timedelta(minutes=5),
        settle=timedelta(minutes=5),
        delete_detection=DeleteDetection.BOTH,
    )


def _place(cursor: Cursor | None) -> tuple[Position | None, datetime | None]:
    """Return where rows were left and where the delete log was; a cursor that says neither is lost."""
    known = cursor or {}
    try:
        since = known.get("deleted_until")
        deleted_until = None if since is None else _moment(since)
        after = Position(_moment(known["watermark"]), checked_id(known["id"])) if "id" in known else None
    except (KeyError, TypeError, ValueError):
        raise Resync("cursor_unreadable", "the stored cursor is not a place in Salesforce's order") from None
    return after, deleted_until


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)


def _as_cursor(stamp: datetime, record_id: str | None) -> dict[str, Any]:
    return {"watermark": literal(stamp), "id": record_id}


CONNECTOR = SalesforceConnector
