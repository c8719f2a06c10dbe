"""SQL that draws what stands at many paths out of one JSON document, all paths in one call.

Each column made here is a list with one item per path. Planning a statement takes time in proportion to its length, and
is most of what few records cost: so what is done to every path is written once, over the list. The texts of a document
go through five layers, each computing what the next ones use more than once:

- ``drawn``: the text at each path, as DuckDB extracts it;
- ``trimmed``: without the spaces around it;
- ``flagged``: whether any of the record's texts is blank, has a line break at an end, or may be an object or array;
- ``typed``: the JSON type at each path, asked for only where some text may be an object or array;
- ``cleaned``: the texts that mappings read: null where there is only white space, or an object or array.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import ClassVar

from quality.normalise import text

_CONTAINERS = "('OBJECT', 'ARRAY')"
_BEGINS_CONTAINER = "starts_with(x, '{') OR starts_with(x, '[')"


@dataclass(slots=True)
class DrawnJson:
    """The JSON values at some paths of a document, each path once."""

    function: ClassVar[str] = "json_extract"

    document: str  # the SQL of the document
    alias: str
    places: dict[str, int] = field(default_factory=dict)

    def place(self, json_path: str) -> int:
        """Return the position (from 1) of a path in the lists, drawing it if nobody did before."""
        return self.places.setdefault(json_path, len(self.places) + 1)

    def value(self, json_path: str) -> str:
        """Return the SQL of what stands at a path, as it was drawn."""
        return f"{self.alias}[{self.place(json_path)}]"

    def drawn(self) -> list[str]:
        """Return the column that holds what stands at the paths."""
        return [f"{self.function}({self.document}, {self._listed}) AS {self.alias}"] if self.places else []

    @property
    def _listed(self) -> str:
        return "[" + ", ".join(text.literal(path) for path in self.places) + "]"


@dataclass(slots=True)
class DrawnTexts(DrawnJson):
    """The texts at some paths of a document, and how each layer makes them of those before."""

    function: ClassVar[str] = "json_extract_string"

    def text(self, json_path: str) -> str:
        """Return the SQL of a path's text: trimmed, and null when it is absent, blank or a container."""
        return f"{self.alias}_texts[{self.place(json_path)}]"

    def verbatim(self, json_path: str) -> str:
        """Return the SQL of a path's text with its white space: null when it is absent, blank or a container."""
        is_nothing = f"{self._is_container(json_path)} OR {self._trimmed(json_path)} = ''"
        return f"CASE WHEN {is_nothing} THEN NULL ELSE {self.value(json_path)} END"

    def presence(self, json_path: str) -> str:
        """Return the SQL of a path's text for conditions, where a container is as present as any text."""
        return text.trim_rest_sql(self._trimmed(json_path))

    def container(self, json_path: str) -> str:
        """Return the SQL of the object or array at a path, as text; null for any other value."""
        return f"CASE WHEN {self._is_container(json_path)} THEN {self.value(json_path)} END"

    def trimmed(self) -> list[str]:
        """Return the column of the texts without the spaces around them."""
        return [f"list_transform({self.alias}, lambda x: trim(x)) AS {self.alias}_trimmed"] if self.places else []

    def flagged(self) -> list[str]:
        """Return the column that tells whether any text of the record needs more than DuckDB's own trim."""
        odd = f"{text.has_rest_sql('x')} OR {_BEGINS_CONTAINER}"
        return [f"{_any_of(f'{self.alias}_trimmed', odd)} AS {self.alias}_is_odd"] if self.places else []

    def typed(self) -> list[str]:
        """Return the column of the JSON types; null where no text begins like an object or an array."""
        looks = f"{self.alias}_is_odd AND {_any_of(f'{self.alias}_trimmed', _BEGINS_CONTAINER)}"
        types = f"CASE WHEN {looks} THEN json_type({self.alias}_document, {self._listed}) END"
        return [f"{types} AS {self.alias}_types"] if self.places else []

    def cleaned(self) -> list[str]:
        """Return the column of the texts that mappings read."""
        trimmed, types, rest = f"{self.alias}_trimmed", f"{self.alias}_types", text.trim_rest_sql("x")
        unless = f"CASE WHEN coalesce({types}[i] IN {_CONTAINERS}, false) THEN NULL ELSE {rest} END"
        cases = (
            f"WHEN NOT {self.alias}_is_odd THEN {trimmed}",
            f"WHEN {types} IS NULL THEN list_transform({trimmed}, lambda x: {rest})",
            f"ELSE list_transform({trimmed}, lambda x, i: {unless})",
        )
        return [f"CASE {' '.join(cases)} END AS {self.alias}_texts"] if self.places else []

    def _trimmed(self, json_path: str) -> str:
        return f"{self.alias}_trimmed[{self.place(json_path)}]"

    def _is_container(self, json_path: str) -> str:
        return f"{self.alias}_types[{self.place(json_path)}] IN {_CONTAINERS}"


def _any_of(texts: str, condition: str) -> str:
    """Return the SQL that tells whether a condition on ``x`` holds for any of a list."""
    return f"list_contains(list_transform({texts}, lambda x: {condition}), true)"
