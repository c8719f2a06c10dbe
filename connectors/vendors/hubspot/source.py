"""The HubSpot connector. Code, because a record takes several answers to be whole.

How records are found (list, search, archive, two speeds, ties) is described in connector.yml. What was found is read
in batches with every property of the account's catalogue and joined with its associations, which neither bump a date
nor stand in a search; and a connection has either an app's refresh token or a private app's own.

portal.py makes the calls, records.py completes what was found, sweep.py reads all associations.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from connectors import registry
from connectors.connector import Credentials, FieldMapping, Mode, SyncOptions
from connectors.declarative import walks
from connectors.declarative.engine import GenericConnector
from connectors.runtime import auth
from connectors.vendors.hubspot.portal import Portal
from connectors.vendors.hubspot.records import TARGETS, Completion
from connectors.vendors.hubspot.sweep import not_due, sweep

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from connectors.connector import Cursor, Page
    from connectors.manifest import EntitySpec, Manifest

_PRIVATE = "private_app_token"
_ASSOCIATIONS = "associations"
_TYPES = {"number": "number", "bool": "boolean", "datetime": "timestamp", "date": "date", "json": "json"}


class HubspotConnector(GenericConnector):
    """Reads one HubSpot account through its CRM API."""

    manifest: ClassVar[Manifest] = registry.manifest("hubspot")
    mapping: ClassVar[Path] = registry.mapping_path("hubspot")

    def authenticate(self) -> Credentials:
        """Take the private app's token where one is stored, and get one with the refresh token where none is."""
        if not self.context.credentials.read().get(_PRIVATE):
            return super().authenticate()
        declared = self.manifest.ingestion
        base = walks.base_url((declared and declared.base_url) or "", self.context.settings)
        return Credentials(base, auth.bearer(self.context.credentials, _PRIVATE))

    def sync(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        """Read one entity: found as described, and made whole."""
        if options.entity == _ASSOCIATIONS:
            yield from self._swept(credentials, cursor, options)
            return
        found = super().sync(credentials, cursor, options)
        if options.entity not in TARGETS:
            yield from found
            return
        portal = Portal(self._account(credentials, options), credentials)
        yield from Completion(portal, self.manifest.spec(options.entity)).pages(found)

    def get_schema(self, credentials: Credentials | None = None) -> list[FieldMapping]:
        """Return the shipped catalogue; with credentials, every property of the account as well."""
        shipped = super().get_schema()
        if credentials is None:
            return shipped
        options = SyncOptions(_ASSOCIATIONS, Mode.INCREMENTAL, self.context.clock())
        portal = Portal(self._account(credentials, options), credentials)
        mapped = {(item.entity, item.source): item for item in shipped}
        for kind in TARGETS:
            for each in portal.properties(kind):
                source = f"properties.{each['name']}"
                known = mapped.get((kind, source), FieldMapping(kind, source, "string"))
                type_ = _TYPES.get(str(each.get("type")), "string")
                mapped[kind, source] = FieldMapping(
                    kind, source, type_, str(each.get("label") or ""), known.target, known.field, known.transform
                )
        return list(mapped.values())

    def _swept(self, credentials: Credentials, cursor: Cursor | None, options: SyncOptions) -> Iterator[Page]:
        spec = self.manifest.spec(_ASSOCIATIONS)
        if cursor and options.mode is Mode.INCREMENTAL and not _is_due(spec, cursor, options):
            yield from not_due(cursor)
            return
        portal = Portal(self._account(credentials, options), credentials)
        yield from sweep(portal, spec, options)


def _is_due(spec: EntitySpec, cursor: Cursor, options: SyncOptions) -> bool:
    swept = datetime.fromisoformat(str(cursor["swept"])).astimezone(UTC)
    return spec.sweep is None or options.started_at - swept >= spec.sweep.every


CONNECTOR = HubspotConnector
