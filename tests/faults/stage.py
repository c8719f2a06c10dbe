"""A stage for a fault trial: a sandbox world over real HTTP, a home directory, a tenant with its connections.

What a trial does to them is in ``campaign.py``; what counts as wrong is in ``oracle.py``.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from gtm_pipelines import sandbox
from gtm_pipelines.control_plane import open_control_plane
from gtm_pipelines.settings import Settings

TENANT = "acme"
KEY = "5a" * 32
CONNECTIONS = ("salesforce", "customerio", "file")


@dataclass(frozen=True)
class Stage:
    """One world and how to reach it; homes are made below ``directory`` at will."""

    directory: Path
    url: str
    connections: Sequence[str] = CONNECTIONS

    @property
    def worlds(self) -> Path:
        """Where the sandbox keeps its worlds."""
        return self.directory / "worlds"

    def home(self, name: str, **databases: str | None) -> Settings:
        """Return settings of a home of its own, with the tenant and its connections in place."""
        home = self.directory / name
        settings = Settings.model_validate(
            {"home": home, "encryption_key": SecretStr(KEY), "sandbox_url": self.url, **databases}
        )
        with open_control_plane(settings, actor="trial") as control:
            if not control.list_tenants():
                control.add_tenant(TENANT)
                for each in self.connections:
                    control.add_connection(TENANT, each, each, *self._configuration(each))
        return settings

    def _configuration(self, connector: str) -> tuple[dict[str, Any], dict[str, str]]:
        if connector != "file":
            return sandbox.accounts(self.url, TENANT)[connector]
        return sandbox.spreadsheets(sandbox.files(self.worlds, TENANT))

    def advance(self) -> None:
        """Move the world one step and write the file exports anew."""
        sandbox.advance(self.worlds, TENANT)
        if "file" in self.connections:
            sandbox.files(self.worlds, TENANT)


@contextlib.contextmanager
def staged(directory: Path, *, size: int, seed: int, connections: Sequence[str] = CONNECTIONS) -> Iterator[Stage]:
    """Make a world of ``size`` people from ``seed`` and serve it on loopback until the block ends."""
    sandbox.create_world(directory / "worlds", TENANT, size=size, seed=seed, vendors=connections)
    with sandbox.running(directory / "worlds") as url:
        yield Stage(directory, url, connections)
