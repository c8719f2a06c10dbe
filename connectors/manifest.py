"""A connector's manifest (``connector.yml``): what it is, what it needs to connect, and which records it reads.

The same model serves native connectors, whose reading is code, and generic ones, whose reading is described here too in
the closed language of :mod:`connectors.declarative`. Loading is strict and says file, line and key; nothing here reads
a vendor.
"""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field, ValidationError, field_validator, model_validator

from connectors.connector import DeleteDetection, Entity
from connectors.declarative import template
from connectors.declarative.changes import Deletes, Delta, Every, MergedIds, Parent
from connectors.declarative.consistency import URL, generic_faults
from connectors.declarative.model import (
    ErrorRule,
    FieldSpec,
    HealthCheck,
    Lookup,
    Polling,
    QuotaSpec,
    Signals,
    Webhook,
)
from connectors.declarative.pages import Pagination
from connectors.declarative.strict_yaml import DescriptorError, Document, faults, load_file, load_text
from connectors.declarative.words import (
    Detection,
    Duration,
    Endpoint,
    EntityName,
    JsonPath,
    Name,
    Param,
    Strict,
    TimeFormat,
    header_name,
)
from connectors.runtime.hosts import is_host_pattern
from connectors.runtime.ratelimit import RateLimit

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

ManifestError = DescriptorError
"""Raised for a manifest that cannot be used; says file, line and key."""

_SEMVER = r"^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-[0-9A-Za-z.-]+)?$"
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
    deliveries: Annotated[list[Delivery], Field(max_length=5)] = Field(default_factory=list)
    grant: Literal["refresh_token", "client_credentials", "jwt_bearer", "msal"] | None = None
    token_url: str | None = None
    authority: str | None = None
    scope: str = ""
    audience: str | None = None
    token_lifetime: Duration | None = None

    @field_validator("token_url")
    @classmethod
    def _plain_url(cls, value: str | None) -> str | None:
        if value is not None and not URL.fullmatch(value):
            raise ValueError("a token URL is https, without placeholders or a query")
        return value

    @field_validator("authority")
    @classmethod
    def _plain_host(cls, value: str | None) -> str | None:
        host, _, path = (value or "").removeprefix("https://").partition("/")
        if value is not None and not URL.fullmatch(f"https://{host}"):
            raise ValueError("an authority is https and a host, and may have placeholders in its path only")
        if path:
            template.check_path(f"/{path}")
        return value

    @property
    def all_deliveries(self) -> list[Delivery]:
        """Every way in which a static credential travels."""
        return self.deliveries or ([self.delivery] if self.delivery else [])


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

    name: EntityName
    description: Sentence
    key: JsonPath
    cursor: JsonPath | None = None
    lag: Duration = timedelta(0)
    settle: Duration = timedelta(0)
    delete_detection: Detection = DeleteDetection.NONE
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
    merged_ids: MergedIds | None = None
    deletes: Annotated[list[Deletes], Field(max_length=5)] = Field(default_factory=list)
    refresh: Every | None = None
    sweep: Every | None = None

    def entity(self) -> Entity:
        """Return the entity as the contract shows it."""
        return Entity(
            name=self.name,
            description=self.description,
            key=self.key,
            cursor=self.cursor or ("swept" if self.sweep else None),
            lag=max(self.lag, self.reread),
            settle=self.settle,
            delete_detection=self.delete_detection,
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
    lookups: dict[Name, Lookup] = Field(default_factory=dict)
    quota: QuotaSpec | None = None
    webhook: Webhook | None = None
    signals: list[Signals] = Field(default_factory=list)
    health_check: HealthCheck | None = None

    @field_validator("allowed_hosts")
    @classmethod
    def _hosts(cls, hosts: list[str]) -> list[str]:
        for host in hosts:
            if not is_host_pattern(host):
                raise ValueError(
                    f"{host!r} is no allowed host: write a public one in full, in small letters, or '*.vendor.com'"
                )
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
        raise ManifestError(faults(document, error)) from None


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
        yield from generic_faults(manifest, set(fields), set(settings))
