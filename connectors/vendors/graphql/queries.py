"""The queries of a connection: their form, and what is wrong with one, said with its name. Nothing is sent here."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import Field, TypeAdapter, model_validator

from connectors.connector import DeleteDetection, Entity
from connectors.declarative.words import Detection, Duration, EntityName, JsonPath, Strict
from connectors.declarative.yaml_setting import read_setting
from connectors.errors import Stop
from connectors.runtime import paths

_BESIDE = re.compile(r"\.(?:nodes|edges)(?:\[\*\](?:\.node)?)?$")
_OTHER = re.compile(r"(?:[\s,\ufeff]|#[^\n]*\n)*(?:mutation|subscription)\b")
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$", max_length=80)]


class Paging(Strict):
    """How one query is asked for page after page, and which of its variables say so."""

    kind: Literal["relay", "offset", "none"] = "relay"
    size: Annotated[int, Field(ge=1, le=10_000)] = 100
    first: Variable = "first"
    after: Variable = "after"
    page_info: JsonPath | None = None  # relay; left out, pageInfo beside nodes or edges
    limit: Variable = "limit"
    offset: Variable = "offset"
    total: JsonPath | None = None  # offset: where the answer says how many there are in all

    def variables(self) -> tuple[str, ...]:
        """Return the variables the query must declare."""
        return {"relay": (self.first, self.after), "offset": (self.limit, self.offset), "none": ()}[self.kind]


class Query(Strict):
    """One entity: its query, where its records stand, and how they change and go."""

    query: Annotated[str, Field(min_length=1, max_length=100_000)]
    items: JsonPath
    key: JsonPath = "id"
    timestamp: JsonPath | None = None
    timestamp_format: Literal["iso8601", "epoch_s", "epoch_ms"] = "iso8601"
    deleted: JsonPath | None = None
    deletes: Detection = DeleteDetection.NONE
    paging: Paging = Field(default_factory=Paging)
    since: Variable | None = None
    until: Variable | None = None
    time_format: Literal["iso8601", "epoch_s", "epoch_ms"] = "iso8601"
    ordered: bool = False  # the oldest change first, so that each page is a place to resume
    lag: Duration = timedelta(minutes=10)
    settle: Duration = timedelta(0)
    variables: dict[Variable, Any] = Field(default_factory=dict)
    description: Annotated[str, Field(max_length=1000)] = ""

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if _OTHER.match(self.query):
            raise ValueError("only a query is read from: a mutation or subscription would be sent with every sync")
        if self.since is not None and self.timestamp is None:
            raise ValueError("'since' needs 'timestamp': where a record says when it changed")
        if self.since is not None and self.lag <= timedelta(0):
            raise ValueError("'since' needs a 'lag' above 0: an API that filters by 'later than' would lose ties")
        if self.deletes.is_observed and self.deleted is None:
            raise ValueError(f"deletes: {self.deletes} needs 'deleted': where a record says that it is gone")
        if self.paging.kind == "relay" and self.paging.page_info is None and not _BESIDE.search(self.items):
            raise ValueError("relay paging needs paging.page_info, unless items ends in .nodes or .edges[*].node")
        named = [*self.paging.variables(), *self.variables, *(v for v in (self.since, self.until) if v)]
        if missing := [name for name in named if not re.search(rf"\${name}\b", self.query)]:
            raise ValueError(f"the query declares no ${missing[0]}")
        return self

    @property
    def page_info(self) -> str:
        """Where the answer says whether there is a next page."""
        return self.paging.page_info or _BESIDE.sub(".pageInfo", self.items)

    @property
    def container(self) -> str:
        """The part of ``items`` that must be there even when there are no records."""
        steps = paths.parse(self.items)
        return self.items if True not in steps else self.items.split("[*]", 1)[0].split(".*", 1)[0]

    def entity(self, name: str) -> Entity:
        """Return the entity as the contract shows it."""
        return Entity(
            name=name,
            description=self.description or f"What the query {name} of this connection returns",
            key=self.key,
            cursor=self.timestamp if self.since else None,
            lag=self.lag if self.since else timedelta(0),
            settle=self.settle,
            delete_detection=self.deletes,
        )


Queries = dict[EntityName, Query]
_QUERIES: TypeAdapter[Queries] = TypeAdapter(Queries)


def read_queries(setting: Any) -> Queries:
    """Read the setting ``queries``: text, or the path of a file; raise Stop naming the query and the key at fault."""
    text = str(setting or "").strip()
    if not text:
        raise Stop("bad_setting", "the setting 'queries' is empty: write at least one query, entity by entity")
    return read_setting(text, "queries", _QUERIES)
