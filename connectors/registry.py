"""Finds the connectors under ``vendors/`` and builds them when asked.

Listing connectors and reading manifests imports no vendor's code and opens no socket, for every command does it. A
vendor is a folder with a ``connector.yml``, whose ``id`` must be the folder's name.
"""

from __future__ import annotations

import functools
import importlib
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from connectors.manifest import Manifest, ManifestError, load_manifest
from connectors.runtime.hosts import is_hostname

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from connectors.connector import Clock, Connector, ConnectorContext, Entity, FieldMapping
    from connectors.runtime.private_databases import PrivateDatabases
    from connectors.runtime.transport import Transport

VENDORS = Path(__file__).parent / "vendors"


class UnknownConnectorError(LookupError):
    """There is no connector of this id; the message lists those there are."""


def ids() -> list[str]:
    """Return the ids of all connectors, sorted."""
    return sorted(path.parent.name for path in VENDORS.glob("*/connector.yml"))


@functools.cache
def manifest(connector: str) -> Manifest:
    """Return a connector's manifest; raise UnknownConnectorError or ManifestError."""
    path = _folder(connector) / "connector.yml"
    found = load_manifest(path)
    if found.id != connector:
        raise ManifestError(f"{path}:1: id: the id is {found.id!r} but the folder is {connector!r}; they must be equal")
    return found


def entities(connector: str) -> list[Entity]:
    """Return what a connector reads by its manifest; a built one may know more (a vendor's custom objects)."""
    return [spec.entity() for spec in manifest(connector).entities]


def catalogue(connector: str) -> list[FieldMapping]:
    """Return the fields whose types the manifest states. ``get_schema`` also lists others, as text."""
    from connectors.connector import FieldMapping

    return [
        FieldMapping(spec.name, field.source, field.type, field.label)
        for spec in manifest(connector).entities
        for field in spec.fields
        if "type" in field.model_fields_set
    ]


def mapping_path(connector: str) -> Path:
    """Return where the connector's default mapping stands."""
    return _folder(connector) / "mapping.yml"


def icon(connector: str) -> str:
    """Return the connector's icon as SVG text."""
    return (_folder(connector) / manifest(connector).icon).read_text(encoding="utf-8")


def build(connector: str, context: ConnectorContext) -> Connector:
    """Build a connector for one connection, importing its code only now; no I/O."""
    described = manifest(connector)
    if described.kind == "generic":
        from connectors.declarative.engine import generic

        return generic(described, mapping_path(connector))(context)
    module = importlib.import_module(f"connectors.vendors.{connector}.source")
    made: Connector = module.CONNECTOR(context)
    return made


def allowed_hosts(described: Manifest, settings: Mapping[str, Any]) -> frozenset[str]:
    """Return the hosts one connection may reach: the manifest's, and those its ``hosts_from`` settings name.

    A setting that is no URL of a public host adds nothing; the gate then refuses it with its reason.
    """
    named = {_host(settings.get(name)) for name in described.hosts_from}
    return frozenset(described.allowed_hosts) | {host for host in named if is_hostname(host)}


def _host(url: object) -> str:
    try:
        return (urlsplit(str(url)).hostname or "").lower()
    except ValueError:
        return ""


def transport_for(
    described: Manifest,
    *,
    settings: Mapping[str, Any] | None = None,
    sandbox_origin: str | None = None,
    databases: PrivateDatabases | None = None,
    clock: Clock | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Transport:
    """Build the transport of one connection: the manifest's hosts, its rate limit, and the sandbox when there is one.

    A connection's settings choose among the manifest's hosts and never add one, but for a connector whose manifest says
    that a setting names the host (``hosts_from``). ``databases`` is the operator's word, and no connection's.
    """
    from connectors.runtime.private_databases import PrivateDatabases
    from connectors.runtime.transport import EgressPolicy, Transport

    policy = EgressPolicy(allowed_hosts(described, settings or {}), sandbox_origin, databases or PrivateDatabases())
    rate = described.rate_limit.limit() if described.rate_limit else None
    return Transport(policy, rate=rate, clock=clock or (lambda: datetime.now(UTC)), sleep=sleep)


def _folder(connector: str) -> Path:
    if connector not in ids():
        raise UnknownConnectorError(f"there is no connector {connector!r}; there are: {', '.join(ids()) or 'none'}")
    return VENDORS / connector
