"""What a vendor's tests hand to the conformance suite: a vendor in known states, and connectors to it.

One class per connector in ``scenarios/<connector id>.py``, called ``VendorScenario``. It is the only thing an author
writes to have a connector judged by every check.
"""

from __future__ import annotations

import importlib
from abc import ABC, abstractmethod
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path

from connectors.conformance.checks import Truth
from connectors.connector import Connector


class Scenario(ABC):
    """A vendor whose records are known, and that can be made to misbehave."""

    started_at: datetime
    page_size: int | None = None
    tied_entity: str | None = None  # where many records share one timestamp across a page boundary; None: no timestamps
    paged_entity: str | None = None  # an entity whose pages the vendor links by a token or a URL; None: it has no such

    @abstractmethod
    def __init__(self, directory: Path) -> None:
        """Start the vendor; ``directory`` is the scenario's own."""

    @abstractmethod
    def close(self) -> None:
        """Stop it."""

    @abstractmethod
    def connect(self) -> Connector:
        """Build a connector that the vendor knows, on a transport whose waits cost no time."""

    @abstractmethod
    def truth(self, entity: str) -> Truth:
        """Return what the vendor holds of an entity now."""

    @abstractmethod
    def change(self) -> None:
        """Create, change and delete records of every entity that is read incrementally."""

    @abstractmethod
    def breaking_a_page(self) -> AbstractContextManager[None]:
        """Make every answer (or file) after the login break off in the middle, for a while."""

    def unknown(self) -> Connector:
        """Build a connector whose credential the vendor refuses. Needed unless ``auth.type`` is ``none``."""
        raise AssertionError("a vendor with credentials needs Scenario.unknown")

    def circling(self) -> AbstractContextManager[None]:
        """Make every page lead back to a page already served. Needed with ``paged_entity``."""
        raise AssertionError("a vendor with paged_entity needs Scenario.circling")

    def requests(self) -> int:
        """Count the requests the vendor answered so far."""
        return 0

    def moments(self) -> Sequence[float]:
        """Read one entity at the vendor's own rate limit; return when each request went out, in seconds.

        Needed with ``rate_limit``.
        """
        raise AssertionError("a vendor with a rate limit needs Scenario.moments")

    @property
    @abstractmethod
    def secrets(self) -> Sequence[str]:
        """Every credential in use, those of the present session included."""


def scenario_of(connector_id: str, directory: Path) -> Scenario:
    """Start a connector's scenario; say what to write when there is none."""
    try:
        module = importlib.import_module(f"tests.contract.scenarios.{connector_id}")
    except ModuleNotFoundError as error:
        raise AssertionError(
            f"the connector {connector_id!r} is registered and has no scenario: write "
            f"tests/contract/scenarios/{connector_id}.py (docs/connectors.md, 'Prove it')"
        ) from error
    made: Scenario = module.VendorScenario(directory)
    return made
