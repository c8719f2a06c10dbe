"""What a person may say when launching a sync: the run tag decides the mode, this form refines it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import dagster as dg
from pydantic import Field

from connectors.connector import Mode

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

MODE_TAG = "sync/mode"
SCOPE_TAG = "sync/scope"
REASON_TAG = "sync/reason"
DUE = "due"


class SyncRequest(dg.ConfigurableResource[None]):
    """The form of a sync, one for the whole run. Everything may be left out."""

    entities: list[str] = Field(
        default=[],
        description='Read only these entities, written as "Contact" or "salesforce/Contact". Empty reads every entity '
        "selected in the run.",
    )
    reason: str = Field(
        default="",
        max_length=200,
        description="Why the sync is run by hand; kept as a tag of the run.",
    )

    def narrowed(self, connector: str, selected: Iterable[str]) -> list[str]:
        """Return those of ``selected`` entities of ``connector`` that the form asks for."""
        if not self.entities:
            return sorted(selected)
        return sorted(name for name in selected if name in self.entities or f"{connector}/{name}" in self.entities)

    def unknown(self, known: Mapping[str, Iterable[str]]) -> list[str]:
        """Return what the form names that no connector of ``known`` (connector: entities) has."""
        spellings = {
            spelling
            for connector, names in known.items()
            for name in names
            for spelling in (name, f"{connector}/{name}")
        }
        return sorted(set(self.entities) - spellings)


def mode_of(tags: Mapping[str, str]) -> Mode:
    """Return the mode a run's tags ask for; incremental unless they say otherwise."""
    asked = tags.get(MODE_TAG, Mode.INCREMENTAL)
    try:
        return Mode(asked)
    except ValueError:
        raise dg.Failure(
            f"the run tag {MODE_TAG}={asked!r} is not a mode: use {' or '.join(Mode)}", allow_retries=False
        ) from None
