"""The words of the descriptor language: durations, paths, names, templates, and the sections every other one uses.

A value outside its range is refused and not bent; every message says what is allowed.
"""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from connectors.connector import DeleteDetection
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


def _positive(length: timedelta) -> timedelta:
    if length <= timedelta(0):
        raise ValueError("this duration is 1s or longer")
    return length


def _moment(value: Any) -> Any:
    try:
        moment = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        raise ValueError("a moment is written as 2005-01-01T00:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError("a moment needs its zone, as in 2005-01-01T00:00:00Z")
    return moment


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
    if isinstance(value, list) and value and not any(isinstance(each, list) for each in value):
        return [_scalar(each) for each in value]
    if isinstance(value, str):
        return _template(value)
    if not isinstance(value, int):
        raise ValueError("a value is text, a whole number, true/false or a list of them")  # noqa: TRY004  pydantic reads ValueError
    return value


def _body(value: Any) -> Any:
    list(template.names_in(value))
    return value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
Span = Annotated[timedelta, BeforeValidator(_duration), AfterValidator(_positive)]
"""A duration that is not nothing."""
JsonPath = Annotated[str, Field(min_length=1, max_length=300), AfterValidator(_path)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9]*(_[a-z0-9]+)*$", max_length=60)]
EntityName = Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)*$", max_length=60)]
Param = Annotated[str, Field(pattern=r"^[A-Za-z_$][A-Za-z0-9_.$\[\]-]{0,80}$")]
Template = Annotated[str, Field(max_length=2000), AfterValidator(_template)]
PathTemplate = Annotated[str, Field(max_length=500), AfterValidator(template.check_path)]
Scalar = Annotated[Any, AfterValidator(_scalar)]
"""A template, a whole number, a boolean, or a list of them (a parameter that is repeated)."""
HeaderName = Annotated[str, AfterValidator(header_name)]
Body = Annotated[dict[str, Any], AfterValidator(_body)]
TimeFormat = Literal["iso8601", "epoch_s", "epoch_ms"]
"""How records hold times."""
WrittenTime = Literal["iso8601", "iso8601_s", "iso8601_us", "epoch_s", "epoch_ms", "date"]
"""How a vendor's filter takes times; each form has a unit, below which it cannot tell two moments apart."""
Moment = Annotated[datetime, BeforeValidator(_moment)]
Detection = Annotated[DeleteDetection, Field(strict=False)]
"""How deletes are learned of, by the word for it."""


class Strict(BaseModel):
    """Base of all sections: unknown keys refused, no silent conversions, immutable."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True)


class Where(Strict):
    """Only items whose value at ``path`` is one of ``among``."""

    path: JsonPath
    among: Annotated[list[str | int | bool], Field(min_length=1, max_length=200)]

    def takes(self, item: bytes) -> bool:
        """Return whether ``item`` is one of them; true is not 1."""
        found = paths.find_one(item, self.path)
        return any(type(found) is type(each) and found == each for each in self.among)


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

    def names(self) -> set[str]:
        """Return the placeholders it uses."""
        return set(template.names_in([self.path, dict(self.query), dict(self.headers), self.body]))
