"""What every asset, schedule and sensor is handed: settings and the control plane, read when work starts."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import dagster as dg

from gtm_pipelines.settings import read_settings, use_env_file

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gtm_pipelines.control_plane import ControlPlane
    from gtm_pipelines.settings import Settings


class Installation(dg.ConfigurableResource[None]):
    """The installation this code location works for. It holds nothing: importing definitions reads no environment."""

    def settings(self) -> Settings:
        """Read the settings as they are now."""
        use_env_file()
        return read_settings()

    @contextmanager
    def control_plane(self) -> Iterator[ControlPlane]:
        """Open the control plane; what it changes is audited under the name of Dagster."""
        from gtm_pipelines.control_plane import open_control_plane

        with open_control_plane(self.settings(), actor="dagster") as control:
            yield control

    def now(self) -> datetime:
        """Return the present."""
        return datetime.now(UTC)
