"""The closed language of a descriptor's reading part: endpoints, deltas, pagination, fan-out, webhooks, signals.

Names, paths, ``{{placeholders}}`` and numbers within stated ranges; unknown keys are refused, numbers out of range are
refused and not bent. When a descriptor wants an ``if``, its vendor wants a ``source.py``. The manifest around these
sections is :mod:`connectors.manifest`. Webhooks and signals are described here and run elsewhere.
"""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.declarative import template
from connectors.runtime import paths

_DURATION = re.compile(r"(\d{1,6})(s|m|h|d)")
_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=400)
_FORBIDDEN_HEADERS = frozenset(
    {
        "authorization", "connection", "content-length", "cookie", "expect", "host", "keep-alive",
        "proxy-authorization", "te", "trailer", "transfer-encoding", "upgrade",
    }
)  # fmt: skip
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,60}")


def _duration(value: Any) -> Any:
    if value == 0:
        return timedelta(0)
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise ValueError("a duration is a number and a unit, as in 90s, 10m, 2h or 30d")
    length = timedelta(**{_UNITS[match[2]]: int(match[1])})
    if length > _LONGEST:
        raise ValueError("a duration is at most 400d")
    return length


def _path(value: str) -> str:
    paths.parse(value)
    return value


def _template(value: str) -> str:
    template.names(value)
    return value


def header_name(value: str) -> str:
    """Return ``value`` when a descriptor may set a header of that name."""
    if not _HEADER.fullmatch(value) or value.lower() in _FORBIDDEN_HEADERS:
        raise ValueError(f"{value!r} is not a header a descriptor may set")
    return value


def _scalar(value: Any) -> Any:
    if isinstance(value, str):
        return _template(value)
    if not isinstance(value, int):
        raise ValueError("a value is text, a whole number or true/false")  # noqa: TRY004  pydantic reads ValueError
    return value


def _body(value: Any) -> Any:
    list(template.names_in(value))
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
JsonPath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_path)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
Param = Annotated[str, Field(pattern=r"^[A-Za-z_$][A-Za-z0-9_.$\[\]-]{0,80}$")]
Template = Annotated[str, Field(max_length=2000), AfterValidator(_template)]
PathTemplate = Annotated[str, Field(max_length=500), AfterValidator(template.check_path)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
"""A template, a whole number or a boolean."""
HeaderName = Annotated[str, AfterValidator(header_name)]
Body = Annotated[dict[str, Any], AfterValidator(_body)]
TimeFormat = Literal["iso8601", "epoch_s", "epoch_ms"]


class Strict(BaseModel):
    """Base of all sections: unknown keys refused, no silent conversions, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Endpoint(Strict):
    """Where and how to ask. A query, header or body value whose placeholder has no value is left out."""

    path: PathTemplate
    method: Literal["GET", "POST"] = "GET"
    query: dict[Param, Scalar] = Field(default_factory=dict)
    headers: dict[HeaderName, Template] = Field(default_factory=dict)
    body: Body | None = None

    @model_validator(mode="after")
    def _body_needs_post(self) -> Self:
        if self.body is not None and self.method != "POST":
            raise ValueError("a body needs method: POST")
        return self


class TimestampFilter(Strict):
    """Ask for what changed since the watermark. ``inclusive`` says that the vendor's filter is ``>=``."""

    type: Literal["timestamp_filter"]
    param: Param | None = None
    until_param: Param | None = None
    format: TimeFormat = "iso8601"
    inclusive: bool = False
    ordered: bool = False  # rows come oldest first, so each page is a safe place to resume


class SinceId(Strict):
    """Ask for records after the highest id seen; for logs whose ids only grow."""

    type: Literal["since_id"]
    param: Param | None = None


class DeltaCursor(Strict):
    """The vendor's own position in its change log, given with every page."""

    type: Literal["cursor"]
    token_path: JsonPath
    param: Param | None = None


class DeltaToken(Strict):
    """A token (or with ``link`` a URL) that the vendor gives on the last page only."""

    type: Literal["delta_token"]
    token_path: JsonPath
    param: Param | None = None
    link: bool = False


Delta = Annotated[TimestampFilter | SinceId | DeltaCursor | DeltaToken, Field(discriminator="type")]


class _Pages(Strict):
    page_size: Annotated[int, Field(ge=1, le=10_000)] = 100
    page_size_param: Param | None = None
    max_pages: Annotated[int, Field(ge=1, le=1_000_000)] = 100_000


class OffsetPages(_Pages):
    """By offset. Rows shift under it, so it cannot drive an incremental read by itself."""

    type: Literal["offset"]
    param: Param = "offset"
    first: Annotated[int, Field(ge=0, le=1)] = 0
    more_path: JsonPath | None = None


class NumberedPages(_Pages):
    """By page number."""

    type: Literal["page"]
    param: Param = "page"
    first: Annotated[int, Field(ge=0, le=1)] = 1
    more_path: JsonPath | None = None


class CursorPages(_Pages):
    """By a token in the answer, sent back as a query parameter or at a place in the body."""

    type: Literal["cursor"]
    token_path: JsonPath | None = None
    token_header: HeaderName | None = None
    param: Param | None = None
    body_path: Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*$")] | None = None
    more_path: JsonPath | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> Self:
        if (self.token_path is None) == (self.token_header is None):
            raise ValueError("say where the token is: token_path or token_header, one of them")
        if (self.param is None) == (self.body_path is None):
            raise ValueError("say where the token goes: param or body_path, one of them")
        return self


class LinkHeaderPages(_Pages):
    """By the ``Link: <…>; rel="next"`` header."""

    type: Literal["link_header"]


class NextUrlPages(_Pages):
    """By a URL in the body, at the same origin."""

    type: Literal["next_url"]
    path: JsonPath


class SinglePage(_Pages):
    """Everything in one answer."""

    type: Literal["none"]


Pagination = Annotated[
    OffsetPages | NumberedPages | CursorPages | LinkHeaderPages | NextUrlPages | SinglePage, Field(discriminator="type")
]


class Parent(Strict):
    """Fan-out: one walk per record of another entity. ``values`` name paths into the parent's record."""

    entity: Name
    values: Annotated[dict[Name, JsonPath], Field(min_length=1, max_length=5)]
    scope_key: Name | None = None  # the child's id is unique only within this value: ids become value:id


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
    """What an answer with this status, structured code or both means at this vendor."""

    status: Annotated[int, Field(ge=200, le=599)] | None = None
    code: Annotated[str, Field(min_length=1, max_length=80)] | None = None
    then: Literal["retry", "defer", "refresh", "reauthorise", "resync", "skip", "stop"]
    reason: Name

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if self.status is None and self.code is None:
            raise ValueError("an error rule needs a status, a code or both")
        return self


class HealthCheck(Strict):
    """The cheapest authenticated call."""

    path: PathTemplate
    method: Literal["GET", "POST"] = "GET"
    query: dict[Param, Scalar] = Field(default_factory=dict)
    body: Body | None = None


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
