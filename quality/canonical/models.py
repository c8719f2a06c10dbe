"""Person, Account and Activity: the one definition. DDL, checks, docs and the check of every mapping derive from it.

A column is required when it may not be null. A row with a bad value in a required column is rejected; a bad value in an
optional column is set aside, and the row lands without it. Patterns use only syntax that Python, Polars and DuckDB
read in the same way.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import pandera.polars as pa
import polars as pl

from quality.canonical.column import Sensitivity
from quality.normalise import domain, email, phone

Moment = Annotated[pl.Datetime, "us", "UTC"]

_EARLIEST = datetime(1900, 1, 1, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_LONGEST_KEY = 512


def _text(description: str, longest: int, *, personal: bool = False, required: bool = False, **more: Any) -> Any:
    """Return a column of text of 1 to ``longest`` characters. Blank text is stored as null, so "" is never valid."""
    transform = more.pop("transform", "trim")
    return pa.Field(
        nullable=not required,
        str_length={"min_value": 1, "max_value": longest},
        description=description,
        metadata=_metadata(personal=personal, mapped=True, transform=transform),
        **more,
    )


def _typed(description: str, transform: str, *, required: bool = False, **more: Any) -> Any:
    """Return a mapped column that is not text."""
    metadata = _metadata(personal=False, mapped=True, transform=transform)
    return pa.Field(nullable=not required, description=description, metadata=metadata, **more)


def _ours(description: str, *, required: bool = True, **more: Any) -> Any:
    """Return a column that we set and no mapping may."""
    metadata = _metadata(personal=False, mapped=False, transform="none")
    return pa.Field(nullable=not required, description=description, metadata=metadata, **more)


def _metadata(*, personal: bool, mapped: bool, transform: str) -> dict[str, Any]:
    sensitivity = Sensitivity.PERSONAL if personal else Sensitivity.INTERNAL
    return {"sensitivity": sensitivity, "is_mapped": mapped, "transform": transform}


class Canonical(pa.DataFrameModel):
    """What every canonical row carries: its key, where it comes from, and whether it is gone there."""

    source: str = _ours("The connection the row was read through; with external_id the key of the row.")
    external_id: str = _text("The record's id at the source, unique per source and kind.", _LONGEST_KEY, required=True)
    connector: str = _ours("The connector the connection uses.")
    tenant_id: str = _ours("The tenant the row belongs to.")
    source_updated_at: Moment = _ours("When the source last changed the record, as the source says.", required=False)
    is_deleted: bool = _ours("True when the source deleted the record, or no longer yields this row.")

    class Config:
        """Nothing but the columns named here, in these types."""

        strict = True
        coerce = False


class Person(Canonical):
    """A contact, lead, user or profile, as one source sees it."""

    email: str = _text(
        "E-mail address, trimmed and in lower case.",
        email.LONGEST,
        personal=True,
        transform="email",
        str_matches=email.PATTERN,
    )
    first_name: str = _text("Given name.", 300, personal=True)
    last_name: str = _text("Family name.", 300, personal=True)
    title: str = _text("Job title.", 500, personal=True)
    phone: str = _text("Telephone number in E.164.", 16, personal=True, transform="phone", str_matches=phone.PATTERN)
    account_external_id: str = _text("external_id of the person's account at the same source.", _LONGEST_KEY)
    properties: str = _text("JSON object of further vendor fields the mapping names.", 1_000_000, personal=True)


class Account(Canonical):
    """A company or organisation, as one source sees it."""

    name: str = _text("The company's name.", 500, required=True)
    domain: str = _text(
        "Registrable domain of the company's site, ASCII, lower case.",
        domain.LONGEST,
        transform="domain",
        str_matches=domain.PATTERN,
    )
    industry: str = _text("Industry, in the source's words.", 300)
    employee_count: pl.Int64 = _typed("Number of employees.", "integer", ge=0, le=100_000_000)
    annual_revenue: pl.Float64 = _typed("Revenue of a year, in the source's currency.", "number", ge=0, le=1e15)
    properties: str = _text("JSON object of further vendor fields the mapping names.", 1_000_000)


class Activity(Canonical):
    """Something that happened with a person or an account: a call, an e-mail opened, a meeting, a stage change."""

    type: str = _text("What happened, in the source's words, as email_opened.", 200, required=True)
    channel: str = _text("How it happened: email, call, meeting, web…", 100)
    occurred_at: Moment = _typed("When it happened.", "timestamp", required=True, ge=_EARLIEST, lt=_LATEST)
    person_external_id: str = _text("external_id of the person at the same source.", _LONGEST_KEY, personal=True)
    account_external_id: str = _text("external_id of the account at the same source.", _LONGEST_KEY)
    properties: str = _text("JSON object of further vendor fields the mapping names.", 1_000_000, personal=True)
