"""From a stored connection to a usable connector: transport, vault and clock put together, closed at the end."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from connectors import registry
from connectors.connector import ConnectorContext
from connectors.runtime.private_databases import PrivateDatabases

if TYPE_CHECKING:
    from collections.abc import Iterator

    from connectors.connector import Clock, Connector
    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings


@contextmanager
def open_connector(
    settings: Settings, control: ControlPlane, tenant: str, connection: str, clock: Clock
) -> Iterator[Connector]:
    """Build the connector of one connection for the block. Nothing is asked of the vendor by that."""
    found = control.get_connection(tenant, connection)
    transport = registry.transport_for(
        registry.manifest(found.connector),
        settings=found.settings,
        sandbox_origin=settings.sandbox_url,
        databases=PrivateDatabases(settings.private_databases, settings.home, settings.worlds_dir),
        clock=clock,
    )
    try:
        yield registry.build(
            found.connector,
            ConnectorContext(
                settings=found.settings,
                transport=transport,
                credentials=control.credential_store(tenant, connection),
                clock=clock,
            ),
        )
    finally:
        transport.close()
