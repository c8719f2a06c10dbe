"""How a vendor's pages follow each other, as a descriptor says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from connectors.declarative.words import HeaderName, JsonPath, Param, Strict


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


class LastIdPages(_Pages):
    """By the id of the last record of the page before (Stripe's ``starting_after``)."""

    type: Literal["last_id"]
    param: Param
    id_path: JsonPath = "id"
    more_path: JsonPath | None = None


class SinglePage(_Pages):
    """Everything in one answer."""

    type: Literal["none"]


Pagination = Annotated[
    OffsetPages | NumberedPages | CursorPages | LinkHeaderPages | NextUrlPages | LastIdPages | SinglePage,
    Field(discriminator="type"),
]
