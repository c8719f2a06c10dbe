"""What a command works with: the settings and the open control plane."""

from __future__ import annotations

import logging
import sys
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from gtm_pipelines.cli.exits import CommandError
from gtm_pipelines.settings import Settings, read_settings
from gtm_pipelines.tenancy import TenantId

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.control_plane import Connection, ControlPlane
    from gtm_pipelines.warehouse import Served


@dataclass(frozen=True)
class Session:
    """Open for the time of one command."""

    settings: Settings
    control: ControlPlane

    def tenants(self, wanted: list[str] | None = None) -> list[TenantId]:
        """Return the tenants named, each known to exist, or all of them."""
        if wanted:
            return [self.control.get_tenant(name).id for name in wanted]
        return [tenant.id for tenant in self.control.list_tenants()]

    def connections(self, tenant: str, name: str | None = None) -> list[Connection]:
        """Return one connection of a tenant, or all of them."""
        if name is not None:
            return [self.control.get_connection(tenant, name)]
        self.control.get_tenant(tenant)
        return list(self.control.list_connections(tenant))


def utc_now() -> datetime:
    """Return the present."""
    return datetime.now(UTC)


@contextmanager
def open_session() -> Iterator[Session]:
    """Read the settings and open the control plane; every change is audited under the name of the command line."""
    from gtm_pipelines.control_plane import open_control_plane

    settings = read_settings()
    log_to_stderr(settings)
    try:
        opened = open_control_plane(settings, actor="cli")
    except OSError as error:
        raise CommandError(
            f"{settings.home} cannot be used: {error.strerror}; set GTM_HOME to a folder you may write to"
        ) from error
    with opened as control:
        yield Session(settings, control)


@contextmanager
def open_shown(settings: Settings, tenant: str) -> Iterator[Served]:
    """Open what analysts see of a tenant; raise as for any other command when there is no such tenant."""
    from gtm_pipelines.warehouse import WarehouseMissingError, open_published

    with ExitStack() as stack:
        try:
            shown = stack.enter_context(open_published(settings, TenantId(tenant)))
        except WarehouseMissingError:
            with open_session() as session:
                session.tenants([tenant])
            raise
        yield shown


def log_to_stderr(settings: Settings) -> None:
    """Send the libraries' log to stderr with secrets masked; a person at a terminal sees warnings unless told more."""
    from connectors.runtime.redaction import protect_logging, quiet_http_libraries

    level = "WARNING" if settings.log_level == "INFO" else settings.log_level
    logging.basicConfig(stream=sys.stderr, level=level, format="%(levelname)s %(name)s: %(message)s")
    quiet_http_libraries()
    protect_logging()
