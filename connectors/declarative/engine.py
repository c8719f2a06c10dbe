"""A connector that is only described: its manifest run by the runtime. The only class behind ``kind: generic``.

Reading an entity is one walk, or one walk per record of its parent. Everything vendor-specific is data; a vendor that
needs more has a ``source.py``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

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
    Unreadable,
)
from connectors.declarative import walks
from connectors.declarative.catalogue import default_schema
from connectors.declarative.deltas import Progress
from connectors.declarative.model import Endpoint, ErrorRule
from connectors.errors import ConnectorError, SkipRecord, Stop
from connectors.landing import RAW_SCHEMA, Landed, RecordShape, land
from connectors.runtime import auth, paths
from connectors.runtime.classification import Classify, Do, Verdict, structured_codes
from connectors.runtime.messages import Request, Response

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from connectors.manifest import EntitySpec, Manifest


def generic(manifest: Manifest, mapping: Path) -> type[GenericConnector]:
    """Make the connector class of one descriptor, so that it is the same kind of thing as a native one."""
    name = f"{manifest.id.capitalize()}Connector"
    return type(name, (GenericConnector,), {"manifest": manifest, "mapping": mapping, "__doc__": manifest.description})


class GenericConnector(Connector):
    """Runs one descriptor for one connection; subclassed per vendor by :func:`generic`."""

    mapping: ClassVar[Path]

    def __init__(self, context: ConnectorContext) -> None:
        super().__init__(context)
        self._classify = classifier(self.manifest.errors)

    def authenticate(self) -> Credentials:
        """Turn the stored fields into a session; static credentials need no call."""
        session_auth = build_auth(self.manifest, self.context)
        base = walks.base_url(self._polling.base_url or "", self.context.settings)
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
        try:
            if probe is not None:
                endpoint = Endpoint(path=probe.path, method=probe.method, query=probe.query, body=probe.body)
                request = self._request(credentials, endpoint, self._settings(), {})
                self.context.transport.send(request, credentials.auth, self._classify)
        except ConnectorError as error:
            return HealthStatus(ok=False, detail=str(error), checked_at=self.context.clock())
        return HealthStatus(ok=True, detail="the vendor answers", checked_at=self.context.clock())

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity; see the contract."""
        try:
            spec = self.manifest.spec(options.entity)
        except KeyError:
            raise Stop("unknown_entity", f"{self.name} has no entity {options.entity!r}") from None
        progress = Progress(spec, spec.delta or self._polling.delta, cursor, options)
        if spec.parent is None:
            yield from self._read(spec, credentials, progress, options)
        else:
            yield from self._fan_out(spec, credentials, progress, options)

    @property
    def _polling(self) -> Any:
        return self.manifest.ingestion

    def _settings(self) -> dict[str, Any]:
        declared = {field.name: field.default for field in self.manifest.settings}
        return {f"settings.{name}": value for name, value in {**declared, **self.context.settings}.items()}

    def _request(
        self, credentials: Credentials, endpoint: Endpoint, values: Mapping[str, Any], params: Mapping[str, str]
    ) -> Request:
        return walks.build_request(credentials.base_url, endpoint, values, headers=self._polling.headers, params=params)

    def _responses(
        self,
        spec: EntitySpec,
        credentials: Credentials,
        progress: Progress,
        options: SyncOptions,
        parent: Mapping[str, Any],
    ) -> Iterator[Response]:
        """Walk one entity's pages, for one parent where there are parents."""
        pagination = spec.pagination or self._polling.pagination
        size = walks.page_size(pagination, options.page_size)
        values = {**self._settings(), **progress.values(), **parent, "page.size": size}
        params = progress.params() | ({pagination.page_size_param: str(size)} if pagination.page_size_param else {})
        if spec.endpoint is None:
            raise Stop("not_described", f"the entity {spec.name} has no endpoint")
        request = walks.start_from(self._request(credentials, spec.endpoint, values, params), progress.link)

        def send(asked: Request) -> Response:
            return self.context.transport.send(asked, credentials.auth, self._classify)

        return walks.walk(send, request, pagination, lambda response: _land(response, spec).seen)

    def _read(
        self, spec: EntitySpec, credentials: Credentials, progress: Progress, options: SyncOptions
    ) -> Iterator[Page]:
        responses = self._responses(spec, credentials, progress, options, {})
        for response, last in _with_last(responses):
            landed = _land(response, spec)
            cursor = progress.after(landed.table, response, last=last)
            yield Page(landed.table, cursor, has_more=not last, unreadable=landed.unreadable)

    def _fan_out(
        self, spec: EntitySpec, credentials: Credentials, progress: Progress, options: SyncOptions
    ) -> Iterator[Page]:
        """Walk the entity once per parent; a parent gone meanwhile is passed over, all of them gone is an error."""
        answered, gone = 0, 0
        empty = Response(204, {}, b"", "")
        missing: Stop | None = None
        for parent, scope in self._parents(spec, credentials, options):
            try:
                for response in self._responses(spec, credentials, progress, options, parent):
                    landed = _scoped(_land(response, spec), scope)
                    progress.after(landed.table, response, last=False)
                    yield Page(landed.table, None, has_more=True, unreadable=landed.unreadable)
                answered += 1
            except SkipRecord as error:
                unread = Unreadable("bad_key", f"{spec.name} of a {scope or 'parent'}: {error.code}"[:2000])
                yield Page(RAW_SCHEMA.empty_table(), None, has_more=True, unreadable=(unread,))
            except Stop as error:
                if error.code != "stream_gone":
                    raise
                gone, missing = gone + 1, error
        if missing is not None and not answered:
            raise missing
        last = progress.after(RAW_SCHEMA.empty_table(), empty, last=True)
        yield Page(RAW_SCHEMA.empty_table(), last, has_more=False)

    def _parents(
        self, spec: EntitySpec, credentials: Credentials, options: SyncOptions
    ) -> Iterator[tuple[dict[str, Any], str | None]]:
        """Yield each live parent's values. The parent is read whole: an old parent may have new children."""
        parent = spec.parent
        if parent is None:
            return
        above = self.manifest.spec(parent.entity)
        whole = SyncOptions(above.name, Mode.FULL, options.started_at, options.page_size)
        for page in self.sync(credentials, None, whole):
            live = page.rows.filter(pc.invert(page.rows["is_deleted"]))
            for payload in live["payload"].to_pylist():
                raw = str(payload).encode()
                values = {f"parent.{name}": paths.find_one(raw, path) for name, path in parent.values.items()}
                scope = values.get(f"parent.{parent.scope_key}") if parent.scope_key else None
                yield values, None if scope is None else str(scope)


def build_auth(manifest: Manifest, context: ConnectorContext) -> auth.Auth:
    """Build the described way of authenticating; no I/O."""
    described, store = manifest.auth, context.credentials
    if described.type == "oauth2":
        return _oauth(manifest, context)
    delivery = described.delivery
    if delivery is None or delivery.field is None:
        return auth.Auth()
    if delivery.place == "header":
        return auth.header(store, delivery.field, delivery.name or "", delivery.prefix)
    if delivery.place == "query":
        return auth.query(store, delivery.field, delivery.name or "")
    if delivery.place == "basic":
        return auth.basic(store, delivery.field, delivery.password_field)
    return auth.bearer(store, delivery.field)


def _oauth(manifest: Manifest, context: ConnectorContext) -> auth.TokenAuth:
    described = manifest.auth
    url = str(context.settings.get("token_url") or described.token_url)
    options: dict[str, Any] = {"clock": context.clock, "lifetime": described.token_lifetime}
    if described.grant == "client_credentials":
        return auth.OAuth2ClientCredentials(context.credentials, url, scope=described.scope, **options)
    if described.grant == "jwt_bearer":
        return auth.JwtBearer(context.credentials, url, audience=described.audience or url, **options)
    return auth.OAuth2Refresh(context.credentials, url, **options)


def classifier(rules: list[ErrorRule]) -> Classify | None:
    """Compile the descriptor's error table into a hook; None when it has none."""
    if not rules:
        return None

    def classify(response: Response) -> Verdict | None:
        codes = structured_codes(response) if any(rule.code for rule in rules) else ()
        for rule in rules:
            if rule.status in (None, response.status) and rule.code in (None, *codes):
                return Verdict(Do(rule.then), rule.reason, "the vendor refuses the request")
        return None

    return classify


def _land(response: Response, spec: EntitySpec) -> Landed:
    if not response.content:
        return Landed(RAW_SCHEMA.empty_table())
    return land(response.content, _shape(spec))


def _shape(spec: EntitySpec) -> RecordShape:
    return RecordShape(spec.items, spec.key, spec.timestamp, spec.timestamp_format, spec.deleted)


def _scoped(landed: Landed, scope: str | None) -> Landed:
    """Put the parent's value before ids that are unique only within it."""
    if scope is None:
        return landed
    ids = pa.array([f"{scope}:{key}" for key in landed.table["external_id"].to_pylist()], pa.string())
    table = landed.table.set_column(0, RAW_SCHEMA.field(0), ids)
    return Landed(table, landed.unreadable, landed.repaired)


def _with_last(responses: Iterator[Response]) -> Iterator[tuple[Response, bool]]:
    """Pair each answer with whether it is the last; looks one answer ahead."""
    previous: Response | None = None
    for response in responses:
        if previous is not None:
            yield previous, False
        previous = response
    if previous is not None:
        yield previous, True
