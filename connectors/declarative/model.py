"""The parts of a manifest that hold for an API as a whole: its errors, quotas, polling, webhooks and signals.

How one entity is read is in :mod:`connectors.declarative.changes` and :mod:`connectors.declarative.pages`, the words
all of them use in :mod:`connectors.declarative.words`, and the manifest around them is :mod:`connectors.manifest`.

The language is closed: names, paths, ``{{placeholders}}`` and numbers within stated ranges. An unknown key or a number
out of range is refused. A vendor that would need a condition here needs a ``source.py`` instead.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.declarative.changes import Delta
from connectors.declarative.pages import Pagination
from connectors.declarative.words import Duration, Endpoint, HeaderName, JsonPath, Name, Span, Strict, Template, Where


class FieldSpec(Strict):
    """One field of the vendor's catalogue."""

    source: JsonPath
    type: Literal["string", "number", "integer", "boolean", "timestamp", "date", "json"] = "string"
    label: str = ""


class Polling(Strict):
    """What all polled entities share; an entity's own section wins."""

    mode: Literal["polling", "webhook", "polling_and_webhook"] = "polling"
    base_url: Annotated[str, Field(max_length=300)] | None = None
    headers: dict[HeaderName, Template] = Field(default_factory=dict)
    pagination: Pagination | None = None
    delta: Delta | None = None


class ErrorRule(Strict):
    """What an answer with this status, this code, or something ``at`` a place of its body means at this vendor.

    With ``at``, ``code`` is what stands there; without, it is any structured code of the answer.
    """

    status: Annotated[int, Field(ge=200, le=599)] | None = None
    at: JsonPath | None = None
    code: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    then: Literal["retry", "defer", "refresh", "reauthorise", "resync", "skip", "stop"]
    reason: Name
    wait: Span | None = None

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.code is None and self.at is None:
            raise ValueError("an error rule needs a status, a code or a place in the body")
        if self.wait is not None and self.then not in ("retry", "defer"):
            raise ValueError("only what is retried or deferred has a wait")
        return self


class Lookup(Strict):
    """A list of words that the account is asked for before it is read: names of properties, of custom fields."""

    endpoint: Endpoint
    items: JsonPath
    value: JsonPath
    pagination: Pagination | None = None
    where: Where | None = None
    prefix: Annotated[str, Field(max_length=40)] = ""
    always: Annotated[list[str], Field(max_length=200)] = Field(default_factory=list)


class Place(Strict):
    """Where an answer tells a number: a header, one part of a structured header, a place in the body, or a constant."""

    header: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,60}$")] | None = None
    part: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,20}$")] | None = None
    path: JsonPath | None = None
    value: Annotated[int, Field(ge=1)] | None = None
    as_: Annotated[Literal["seconds", "epoch_s", "iso8601"], Field(alias="as")] = "seconds"

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if sum(each is not None for each in (self.header, self.path, self.value)) != 1:
            raise ValueError("say where the number is: header, path or value, one of them")
        if self.part is not None and self.header is None:
            raise ValueError("part names a piece of a header")
        return self


class QuotaSpec(Strict):
    """What the account may still spend at the vendor, where it says so, and the share that is left to the customer."""

    leave: Annotated[str, Field(pattern=r"^\d{1,2}%$")]
    remaining: Place | None = None
    used: Place | None = None
    limit: Place
    resets: Place | None = None
    window: Span | None = None
    ask: Endpoint | None = None

    @model_validator(mode="after")
    def _ends(self) -> Self:
        if (self.remaining is None) == (self.used is None):
            raise ValueError("say what is left: remaining or used, one of them")
        if (self.resets is None) == (self.window is None):
            raise ValueError("say when the quota is whole again: resets or window, one of them")
        return self

    @property
    def share(self) -> float:
        """The part left to the customer, from 0 to 0.99."""
        return int(self.leave.rstrip("%")) / 100


class HealthCheck(Endpoint):
    """The cheapest authenticated call."""


class Webhook(Strict):
    """How the vendor signs and names what it pushes."""

    scheme: Literal["hmac_sha256", "hmac_sha1", "standard_webhooks", "shared_token"]
    signature_header: HeaderName
    timestamp_header: HeaderName | None = None
    encoding: Literal["hex", "base64"] = "hex"
    signed: Template = "{{body}}"
    tolerance: Duration = timedelta(seconds=300)
    event_id: JsonPath
    event_type: JsonPath
    entity: Name | None = None


class SignalRule(Strict):
    """One row of a signal table: when a path holds one of these values, the outcome is ``then``."""

    path: JsonPath
    among: Annotated[list[str | int | bool], Field(min_length=1, max_length=200)]
    then: Name


class Signals(Strict):
    """Which records are signals, how urgent, and the sentence that sums one up."""

    entity: Name
    types: Annotated[list[SignalRule], Field(min_length=1, max_length=100)]
    priorities: Annotated[list[SignalRule], Field(max_length=100)] = Field(default_factory=list)
    summary: Template
