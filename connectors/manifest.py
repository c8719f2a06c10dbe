"""A connector's manifest (``connector.yml``): what it is, what it needs to connect, and which records it reads.

The same model serves native connectors, whose reading is code, and generic ones, whose reading is described here too
(:mod:`connectors.declarative.model`). Loading is strict and says file, line and key; nothing here reads a vendor.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from connectors.connector import DeleteDetection, Entity
from connectors.declarative import template
from connectors.declarative.model import (
    Delta,
    Duration,
    Endpoint,
    ErrorRule,
    FieldSpec,
    HealthCheck,
    JsonPath,
    Name,
    Pagination,
    Param,
    Parent,
    Polling,
    Signals,
    SinceId,
    Strict,
    TimeFormat,
    TimestampFilter,
    Webhook,
    header_name,
)
from connectors.declarative.strict_yaml import DescriptorError, Document, load_file, load_text
from connectors.runtime.hosts import is_host_pattern
from connectors.runtime.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ManifestError = DescriptorError
"""Raised for a manifest that cannot be used; says file, line and key."""

_SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$"
_URL = re.compile(r"https://[a-z0-9.-]+(/[A-Za-z0-9._~/-]*)?")
Label = Annotated[str, Field(min_length=1, max_length=120)]
Sentence = Annotated[str, Field(min_length=1, max_length=1000)]


class CredentialField(Strict):
    """One secret or secret-side input of the connection form."""

    name: Name
    label: Label
    type: Literal["text", "secret", "url"] = "secret"
    help: str = ""
    required: bool = True
    default: str | None = None


class SettingField(Strict):
    """One non-secret setting of a connection. ``list`` is a list of words."""

    name: Name
    label: Label
    type: Literal["text", "url", "integer", "boolean", "choice", "list"] = "text"
    help: str = ""
    required: bool = False
    default: str | int | bool | list[str] | None = None
    choices: list[str] = Field(default_factory=list)


class Delivery(Strict):
    """How a static credential travels."""

    place: Literal["header", "query", "bearer", "basic"] = "bearer"
    name: Param | None = None
    prefix: Annotated[str, Field(max_length=40)] = ""
    field: Name | None = None
    password_field: Name | None = None

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.place in ("header", "query") and self.name is None:
            raise ValueError(f"a credential in the {self.place} needs the name it goes under")
        if self.place == "header" and self.name is not None and self.name.lower() != "authorization":
            header_name(self.name)
        return self


class Auth(Strict):
    """How a connection proves who it is."""

    type: Literal["oauth2", "api_key", "pat", "basic", "service_account", "webhook_secret", "none"]
    fields: list[CredentialField] = Field(default_factory=list)
    delivery: Delivery | None = None
    grant: Literal["refresh_token", "client_credentials", "jwt_bearer"] | None = None
    token_url: str | None = None
    scope: str = ""
    audience: str | None = None
    token_lifetime: Duration | None = None

    @field_validator("token_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is not None and not _URL.fullmatch(value):
            raise ValueError("a token URL is https, without placeholders or a query")
        return value


class Rate(Strict):
    """At most ``requests`` in ``per`` for one connection."""

    requests: Annotated[int, Field(ge=1, le=100_000)]
    per: Duration = timedelta(seconds=1)
    burst: Annotated[int, Field(ge=1, le=10_000)] | None = None

    @field_validator("per")
    @classmethod
    def _positive(cls, value: timedelta) -> timedelta:
        if value <= timedelta(0):
            raise ValueError("a rate is per 1s or longer")
        return value

    def limit(self) -> RateLimit:
        """Return the limit for the transport."""
        return RateLimit(self.requests, self.per.total_seconds(), self.burst)


class EntitySpec(Strict):
    """One kind of record. A native connector states the first block; a generic one also how to read it."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$", max_length=60)]
    description: Sentence
    key: JsonPath
    cursor: JsonPath | None = None
    lag: Duration = timedelta(0)
    settle: Duration = timedelta(0)
    delete_detection: Literal["none", "observed", "full_diff", "both"] = "none"
    selected: bool = True
    items: JsonPath = "$"
    timestamp: JsonPath | None = None
    timestamp_format: TimeFormat = "iso8601"
    deleted: JsonPath | None = None
    fields: list[FieldSpec] = Field(default_factory=list)

    endpoint: Endpoint | None = None
    pagination: Pagination | None = None
    delta: Delta | None = None
    parent: Parent | None = None
    reread: Duration = timedelta(0)  # trailing window read again each time: old records that still change

    def entity(self) -> Entity:
        """Return the entity as the contract shows it."""
        return Entity(
            name=self.name,
            description=self.description,
            key=self.key,
            cursor=self.cursor,
            lag=max(self.lag, self.reread),
            settle=self.settle,
            delete_detection=DeleteDetection(self.delete_detection),
            selected=self.selected,
        )


class Manifest(Strict):
    """One connector, as its ``connector.yml`` states it."""

    id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*$", max_length=30)]
    name: Label
    description: Sentence
    category: Literal[
        "crm", "marketing", "intent", "meetings", "billing", "work", "support", "communication", "file", "other"
    ]
    icon: Annotated[str, Field(pattern=r"^[a-z0-9_-]+\.svg$")] = "icon.svg"
    version: Annotated[str, Field(pattern=_SEMVER)]
    kind: Literal["native", "generic"]
    allowed_hosts: list[str] = Field(default_factory=list)
    hosts_from: list[Name] = Field(default_factory=list)  # URL settings that name the one host of a connection
    auth: Auth
    settings: list[SettingField] = Field(default_factory=list)
    rate_limit: Rate | None = None
    ingestion: Polling | None = None
    entities: Annotated[list[EntitySpec], Field(min_length=1, max_length=200)]
    errors: list[ErrorRule] = Field(default_factory=list)
    webhook: Webhook | None = None
    signals: list[Signals] = Field(default_factory=list)
    health_check: HealthCheck | None = None

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not is_host_pattern(host):
                raise ValueError(f"{host!r} cannot be an allowed host: write a full host name or '*.vendor.com'")
        return hosts

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        fault = next(_faults(self), None)
        if fault is not None:
            raise ValueError(fault)
        return self

    def spec(self, entity: str) -> EntitySpec:
        """Return the entity called ``entity``; raise KeyError when there is none."""
        for spec in self.entities:
            if spec.name == entity:
                return spec
        raise KeyError(entity)


def load_manifest(path: Path) -> Manifest:
    """Load ``connector.yml``; raise ManifestError naming file, line and key of the first faults."""
    return _validated(load_file(path))


def parse_manifest(text: str, name: str = "connector.yml") -> Manifest:
    """Validate manifest text; ``name`` stands for the file in messages."""
    return _validated(load_text(text, name))


def _validated(document: Document) -> Manifest:
    try:
        return Manifest.model_validate(document.data)
    except ValidationError as error:
        faults = [
            f"{document.at(_place(document, fault['loc']))}: {_words(fault['type'], fault['msg'])}"
            for fault in error.errors(include_url=False, include_input=False)[:5]
        ]
        raise ManifestError("\n".join(faults)) from None


def _words(kind: str, message: str) -> str:
    known = {"extra_forbidden": "this key is not known here", "missing": "this key is missing"}
    return known.get(kind, message.removeprefix("Value error, "))


def _place(document: Document, loc: tuple[str | int, ...]) -> tuple[str | int, ...]:
    """Return the place in the file of a validator's location, which also names union members it tried."""
    place: tuple[str | int, ...] = ()
    for at, part in enumerate(loc):
        if (*place, part) in document.lines or at == len(loc) - 1:
            place = (*place, part)
    return place


def _faults(manifest: Manifest) -> Iterator[str]:
    """Yield what no single section can see."""
    folded = Counter(re.sub(r"[^a-z0-9]", "", spec.name.lower()) for spec in manifest.entities)
    yield from (
        f"two entities are called {name!r} once case and underscores are folded" for name, n in folded.items() if n > 1
    )
    fields = [field.name for field in manifest.auth.fields]
    settings = [field.name for field in manifest.settings]
    yield from (f"{name!r} stands twice among the fields" for name, n in Counter(fields).items() if n > 1)
    yield from (f"{name!r} stands twice among the settings" for name, n in Counter(settings).items() if n > 1)
    urls = {field.name for field in manifest.settings if field.type == "url"}
    yield from (
        f"hosts_from names {name!r}, which is no setting of type url"
        for name in manifest.hosts_from
        if name not in urls
    )
    if manifest.kind == "generic":
        yield from _generic_faults(manifest, set(fields), set(settings))


def _generic_faults(manifest: Manifest, fields: set[str], settings: set[str]) -> Iterator[str]:
    polling = manifest.ingestion
    if polling is None or polling.base_url is None or not _URL.fullmatch(polling.base_url):
        yield "a generic connector needs ingestion.base_url: https, a host and a path, without placeholders"
        return
    if not manifest.allowed_hosts:
        yield "a generic connector needs allowed_hosts"
    if manifest.health_check is None:
        yield "a generic connector needs a health_check"
    yield from _auth_faults(manifest.auth, fields)
    names = {spec.name for spec in manifest.entities}
    shared = {f"settings.{name}" for name in settings} | {"page.size"}
    for spec in manifest.entities:
        yield from _entity_faults(spec, polling, names, shared)


def _auth_faults(auth: Auth, fields: set[str]) -> Iterator[str]:
    needed: set[str] = set()
    if auth.type == "oauth2":
        if auth.grant is None or auth.token_url is None:
            yield "auth.type oauth2 needs grant and token_url"
        needed = {"client_id"} | ({"refresh_token"} if auth.grant == "refresh_token" else set())
        if auth.grant == "jwt_bearer" and auth.audience is None:
            yield "auth.grant jwt_bearer needs audience"
    elif auth.type not in ("none", "webhook_secret"):
        if auth.delivery is None or auth.delivery.field is None:
            yield "auth needs delivery: where the credential goes and which field it is"
        else:
            needed = {name for name in (auth.delivery.field, auth.delivery.password_field) if name}
    yield from (
        f"auth uses the field {name!r}, which auth.fields does not declare" for name in needed if name not in fields
    )


def _entity_faults(spec: EntitySpec, polling: Polling, names: set[str], shared: set[str]) -> Iterator[str]:
    where = f"entity {spec.name}"
    delta = spec.delta or polling.delta
    if spec.endpoint is None:
        yield f"{where} needs an endpoint"
        return
    if (spec.pagination or polling.pagination) is None:
        yield f"{where} needs pagination (type: none when everything comes in one answer)"
    if isinstance(delta, TimestampFilter):
        if spec.timestamp is None:
            yield f"{where} filters by time and needs the timestamp path that the watermark is taken from"
        if not delta.inclusive and spec.lag <= timedelta(0) and spec.reread <= timedelta(0):
            yield f"{where} would lose records that share a timestamp: declare a lag, or inclusive: true"
    declared = shared | _delta_names(delta)
    if spec.parent is not None:
        if spec.parent.entity not in names or spec.parent.entity == spec.name:
            yield f"{where} fans out from {spec.parent.entity!r}, which is no other entity of this connector"
        if spec.parent.scope_key is not None and spec.parent.scope_key not in spec.parent.values:
            yield f"{where}: scope_key {spec.parent.scope_key!r} is not among parent.values"
        declared |= {f"parent.{name}" for name in spec.parent.values}
    endpoint: dict[str, Any] = spec.endpoint.model_dump()
    unknown = sorted(set(template.names_in([endpoint, polling.headers])) - declared)
    yield from (
        f"{where} uses {{{{{name}}}}}, which is not declared; known are {', '.join(sorted(declared))}"
        for name in unknown
    )


def _delta_names(delta: Any) -> set[str]:
    if isinstance(delta, TimestampFilter):
        return {"delta.since", "delta.until"}
    return {"delta.since_id"} if isinstance(delta, SinceId) else {"delta.token"} if delta is not None else set()
