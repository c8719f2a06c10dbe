"""How an entity's changes are asked for: deltas of every kind, and what is read beside them.

An entity's own endpoint says how it is read whole. A delta may have an endpoint of its own, for vendors that list in
one place and search in another.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.declarative.pages import Pagination
from connectors.declarative.words import (
    Body,
    Duration,
    Endpoint,
    JsonPath,
    Moment,
    Name,
    Param,
    Span,
    Strict,
    TimeFormat,
    Where,
    WrittenTime,
)


class DiesWith(Strict):
    """The answer that a page token gets once the vendor has dropped it."""

    status: Annotated[int, Field(ge=400, le=599)]
    code: Annotated[str, Field(min_length=1, max_length=80)] | None = None


class Ties(Strict):
    """The question that lists the rows of one instant by id, one page at a time; ``tie.*`` are its placeholders."""

    endpoint: Endpoint
    first_id: Annotated[str, Field(max_length=80)] = ""


class Restart(Strict):
    """A query that gives no more than ``most_rows``, or whose cursor dies: it is asked again from the last row.

    With ``each_page`` that is done after every full page: where a page token is a number of rows to pass over, a row
    that changes meanwhile leaves its place, and the first of the next page would be passed over with the others.
    """

    most_rows: Annotated[int, Field(ge=1, le=1_000_000)]
    each_page: bool = False
    dies_with: DiesWith | None = None
    ties: Ties | None = None


class SecondPass(Strict):
    """Everything is read once more ``behind`` the present, when the vendor's index has caught up."""

    behind: Span


class TimestampFilter(Strict):
    """Ask for what changed since the watermark. ``inclusive`` says that the vendor's filter is ``>=``."""

    type: Literal["timestamp_filter"]
    param: Param | None = None
    until_param: Param | None = None
    format: WrittenTime = "iso8601"
    inclusive: bool = False
    ordered: bool = False  # rows come oldest first, so each page is a safe place to resume
    endpoint: Endpoint | None = None
    pagination: Pagination | None = None
    items: JsonPath | None = None
    first: Moment | None = None  # where a search that must have a start begins when there is no watermark
    window: Span | None = None
    history: Span | None = None
    history_setting: Name | None = None
    restart: Restart | None = None
    second_pass: SecondPass | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.restart is not None and not (self.inclusive and self.ordered):
            raise ValueError("restart needs ordered: true and inclusive: true, or rows would be lost at each restart")
        if (self.window is None) != (self.history is None):
            raise ValueError("window and history go together: windows need a beginning")
        if self.history_setting is not None and self.history is None:
            raise ValueError("history_setting needs history, which stands in when the setting is empty")
        if self.endpoint is None and (self.items is not None or self.pagination is not None):
            raise ValueError("a delta's pagination and items belong to an endpoint of its own")
        return self


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


class Events(Strict):
    """Ask the vendor's event log which objects changed, then read those: by ``fetch``, or from the event itself."""

    type: Literal["events"]
    endpoint: Endpoint
    pagination: Pagination | None = None
    items: JsonPath
    at: JsonPath
    at_format: TimeFormat = "iso8601"
    format: WrittenTime = "iso8601"
    object_id: JsonPath
    where: Where | None = None
    gone: Where | None = None
    retention: Span
    most_changes: Annotated[int, Field(ge=1, le=100_000)] = 20_000
    fetch: Endpoint | None = None
    snapshot: JsonPath | None = None

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if (self.fetch is None) == (self.snapshot is None):
            raise ValueError("say how a changed object is read: fetch or snapshot, one of them")
        if "delta.since" not in self.endpoint.names():
            raise ValueError("the event log is asked from {{delta.since}}, which its endpoint does not use")
        return self


TokenDelta = SinceId | DeltaCursor | DeltaToken
"""Deltas whose place is one mark of the vendor's, and not a time of ours."""

Delta = Annotated[TimestampFilter | SinceId | DeltaCursor | DeltaToken | Events, Field(discriminator="type")]


class Deletes(Strict):
    """Another place that tells which records are gone: an event log, or a list of the archived."""

    endpoint: Endpoint
    pagination: Pagination | None = None
    items: JsonPath
    as_: Annotated[Literal["tombstones", "records"], Field(alias="as")] = "tombstones"
    key: JsonPath | None = None
    at: JsonPath | None = None
    at_format: TimeFormat = "iso8601"
    format: WrittenTime = "iso8601"
    lag: Duration = timedelta(0)
    where: Where | None = None
    retention: Span | None = None
    every: Span | None = None

    @model_validator(mode="after")
    def _key_or_records(self) -> Self:
        if (self.as_ == "tombstones") != (self.key is not None):
            raise ValueError("tombstones need the key path of what is gone; records have the entity's own")
        if self.retention is not None and not self.is_incremental:
            raise ValueError("retention is about a log asked from {{delta.since}}, which the endpoint does not use")
        return self

    @property
    def is_incremental(self) -> bool:
        """Whether each read asks from where the last one ended."""
        return "delta.since" in self.endpoint.names()


class MergedIds(Strict):
    """Where a record names the ids it has absorbed; with ``split`` they stand in one text."""

    path: JsonPath
    split: Annotated[str, Field(min_length=1, max_length=3)] | None = None


class Every(Strict):
    """How often something is due."""

    every: Span


class Batch(Strict):
    """Many parents in one request: ``parent.<name>`` is the list of their ``member``, each filled in."""

    size: Annotated[int, Field(ge=1, le=1_000)]
    name: Name
    member: Body | str


SettingName = Annotated[str, Field(pattern=r"^settings\.[a-z][a-z0-9_]*$")]


class Parent(Strict):
    """Fan-out: one walk per record of another entity. ``values`` name paths into the parent's record."""

    entity: Name
    values: Annotated[dict[Name, JsonPath], Field(min_length=1, max_length=5)]
    scope_key: Name | None = None  # ids are unique only within this value: they become value:id, % and : escaped
    where: Where | None = None
    each: Annotated[dict[Name, SettingName], Field(max_length=1)] = Field(default_factory=dict)
    scope_ids: bool = True  # false: ids are the vendor's own everywhere, and only tokens are kept by scope
    own_cursor: bool = False
    changed_only: bool = False
    batch: Batch | None = None

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if self.own_cursor and (self.changed_only or self.batch is not None):
            raise ValueError("own_cursor is a token for each parent: neither changed_only nor batch goes with it")
        if self.own_cursor and self.scope_key is None:
            raise ValueError("own_cursor needs scope_key: the value its token is kept under")
        if self.batch is not None and (self.scope_key is not None or self.each):
            raise ValueError("a batch mixes parents, so it has neither scope_key nor each")
        if self.scope_key is not None and self.scope_key not in self.values:
            raise ValueError(f"scope_key {self.scope_key!r} is not among parent.values")
        return self
