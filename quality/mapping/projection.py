"""Compiles one target of one entity to one vectorised DuckDB SELECT over ``raw_batch``.

The statement is in layers, each computing what the next uses more than once: ``drawn`` reads each record's JSON, all
paths in one call; ``trimmed``, ``looked``, ``typed`` and ``told`` make texts of them, all of a record's at once;
``given`` picks each value's text; ``prepared`` and ``read`` apply the transforms; the last layer lays the columns out.
A value that was given and could not be read is null and listed in ``_issues``; forms SQL cannot decide (``phone``,
``domain``) leave what was given in ``_given_<field>`` for :data:`COMPLETIONS`. No record is left out: ``_applies`` is
false where ``when`` says no.

Few records cost what planning the statement does, which goes by its length: what is done to every path is said once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from quality.canonical import columns
from quality.mapping import paths, readers
from quality.mapping.model import Constant, Target, Transform, Value
from quality.normalise import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quality.mapping.model import Condition

ISSUE_TYPE = "STRUCT(field VARCHAR, rule VARCHAR, value VARCHAR)[]"
"""The type of ``_issues``."""

RAW_BATCH = "raw_batch"
"""The relation a projection reads: external_id, source_updated_at, is_deleted, payload (never null)."""

_INDENT = "\n  "
_CONTAINERS = "('OBJECT', 'ARRAY')"
_BEGINS_CONTAINER = "starts_with(x, '{') OR starts_with(x, '[')"


def compile_projection(
    target: Target, *, entity: str, source: str, connector: str, tenant: str, region: str = "US"
) -> str:
    """Return the SELECT that turns ``raw_batch`` into rows of the target's kind, in the kind's column order.

    Beside the contract's columns it gives ``_entity``, ``_record_id``, ``_merged_into``, ``_references``, ``_applies``,
    ``_issues`` and ``_given_<field>`` for each field of :data:`quality.mapping.readers.COMPLETIONS` the kind has.
    """
    plan = _Plan(target, region)
    constants = {"source": source, "connector": connector, "tenant_id": tenant}
    return plan.statement(entity, {name: text.literal(value) for name, value in constants.items()})


@dataclass(slots=True)
class _Drawn:
    """The paths read from one JSON document, each once."""

    document: str  # the SQL of the document
    alias: str
    function: str = "json_extract_string"
    places: dict[str, int] = field(default_factory=dict)

    def place(self, json_path: str) -> int:
        """Return the position (from 1) of a path in the drawn lists."""
        return self.places.setdefault(json_path, len(self.places) + 1)

    def sql(self) -> list[str]:
        """Return the column that draws what stands at the paths."""
        if not self.places:
            return []
        return [f"{self.function}({self.document}, {self._listed}) AS {self.alias}"]

    def trimmed(self) -> list[str]:
        """Return the texts trimmed."""
        return [f"list_transform({self.alias}, lambda x: trim(x)) AS {self.alias}_trimmed"] if self.places else []

    def looked(self) -> list[str]:
        """Return whether any of them is not yet what is said: blank, with a break at an end, or maybe a container."""
        odd = f"{text.has_rest_sql('x')} OR {_BEGINS_CONTAINER}"
        return [f"{_any_of(f'{self.alias}_trimmed', odd)} AS {self.alias}_is_odd"] if self.places else []

    def typed(self) -> list[str]:
        """Return the types of all where some text begins like an object or an array."""
        looks = f"{self.alias}_is_odd AND {_any_of(f'{self.alias}_trimmed', _BEGINS_CONTAINER)}"
        types = f"CASE WHEN {looks} THEN json_type({self.alias}_document, {self._listed}) END"
        return [f"{types} AS {self.alias}_types"] if self.places else []

    def told(self) -> list[str]:
        """Return the texts that are said: null where nothing but white space is, or a container."""
        trimmed, types, rest = f"{self.alias}_trimmed", f"{self.alias}_types", text.trim_rest_sql("x")
        unless = f"CASE WHEN coalesce({types}[i] IN {_CONTAINERS}, false) THEN NULL ELSE {rest} END"
        cases = (
            f"WHEN NOT {self.alias}_is_odd THEN {trimmed}",
            f"WHEN {types} IS NULL THEN list_transform({trimmed}, lambda x: {rest})",
            f"ELSE list_transform({trimmed}, lambda x, i: {unless})",
        )
        return [f"CASE {' '.join(cases)} END AS {self.alias}_told"] if self.places else []

    @property
    def _listed(self) -> str:
        return "[" + ", ".join(text.literal(path) for path in self.places) + "]"


def _any_of(texts: str, condition: str) -> str:
    """Return the SQL that tells whether a condition on ``x`` holds for any of a list."""
    return f"list_contains(list_transform({texts}, lambda x: {condition}), true)"


class _Plan:
    """One target on its way to SQL."""

    def __init__(self, target: Target, region: str) -> None:
        self.target = target
        self.region = region
        self.record, self.element = _Drawn("payload", "r"), _Drawn("fan.value", "e")
        self.record_json = _Drawn("payload", "rj", "json_extract")
        self.element_json = _Drawn("fan.value", "ej", "json_extract")
        self.given: dict[str, str] = {}  # name: SQL over the drawn layer, text or null
        self.boxed: dict[str, str] = {}  # name: SQL of the container that stands where text should
        self.prepared: dict[str, str] = {}  # name: SQL over the given layer, for what reading needs more than once
        self.read: dict[str, str] = {}  # name: SQL over the given and prepared layers
        self.checks: list[tuple[str, str, str]] = []  # field, rule, SQL of "given but not read"

    def statement(self, entity: str, constants: dict[str, str]) -> str:
        """Return the whole SELECT."""
        target = self.target
        output: dict[str, str] = {}
        for column in columns(target.target):
            if column.name in constants:
                output[column.name] = constants[column.name]
            elif column.name in {"source_updated_at", "is_deleted"}:
                output[column.name] = column.name
            elif column.name == "external_id":
                output["external_id"] = (
                    self._key("external_id", target.external_id) if target.external_id else "record_id"
                )
            elif column.name == "properties":
                output["properties"] = self._properties()
            elif column.name in target.fields:
                output[column.name] = self._field(column.name, target.fields[column.name], column.transform)
            else:
                output[column.name] = f"NULL::{column.type}"
        output["_entity"] = text.literal(entity)
        output["_record_id"] = "record_id"
        output["_merged_into"] = self._key("merged_into", target.merged_into) if target.merged_into else "NULL::VARCHAR"
        output["_references"] = self._references()
        output["_applies"] = self._applies(target.when) if target.when else "true"
        output["_issues"] = self._issues()
        for column in columns(target.target):
            if Transform(column.transform) in readers.COMPLETIONS:
                output[f"_given_{column.name}"] = self._left_over(column.name)
        return self._layers(output)

    def _layers(self, output: dict[str, str]) -> str:
        """Put the layers together; every expression was registered by now."""
        passed = ["record_id", "source_updated_at", "is_deleted"]
        drawn = ["external_id AS record_id", "source_updated_at", "is_deleted"]
        for source in (self.record, self.element, self.record_json, self.element_json):
            drawn += source.sql()
        documents = ["payload AS r_document"] if self.record.places else []
        fan = ""
        if self.target.for_each:
            documents += ["fan.value AS e_document", "fan.key AS fan_key"]
            container = text.literal(paths.parse(self.target.for_each).json)
            # a null element is absent, and a container that is a scalar has no elements
            fan = f", json_each(payload, {container}) AS fan WHERE fan.key IS NOT NULL AND fan.type <> 'NULL'"
        texts = (_Drawn.trimmed, _Drawn.looked, _Drawn.typed, _Drawn.told)
        verbatim = [source.alias for source in (self.record_json, self.element_json) if source.places]
        if self.target.for_each:
            verbatim.append("fan_key")
        given = [*passed, *verbatim, *_named(self.given, "g_"), *_named(self.boxed, "b_")]
        prepared = ["*", *_named(self.prepared, "d_")]
        read = ["*", *_named(self.read, "c_")]
        layers = {
            "drawn": drawn + documents,
            **{step.__name__: ["*", *step(self.record), *step(self.element)] for step in texts},
            "given": given,
            "prepared": prepared,
            "read": read,
        }
        sources = [f"{RAW_BATCH}{fan}", *layers]
        steps = [
            f"{name} AS ({_select(each, source)})"
            for (name, each), source in zip(layers.items(), sources, strict=False)
        ]
        return f"WITH {', '.join(steps)} " + _select([f"{sql} AS {name}" for name, sql in output.items()], "read")

    # --- values

    def _field(self, name: str, value: Value, natural: str) -> str:
        transform = value.transform or Transform(natural)
        self._give(name, value, verbatim=transform is Transform.NONE)
        self._read(name, transform)
        if transform in readers.RULES and transform not in readers.COMPLETIONS:
            self.checks.append((name, readers.RULES[transform], f"g_{name} IS NOT NULL AND c_{name} IS NULL"))
        return f"c_{name}"

    def _key(self, name: str, value: Value) -> str:
        key = name.replace(".", "_")
        transform = value.transform or Transform.TRIM
        self._give(key, value, verbatim=transform is Transform.NONE)
        self._read(key, transform)
        return f"c_{key}"

    def _read(self, name: str, transform: Transform) -> None:
        """Register the reading of a given text."""
        prepared = readers.prepare_sql(transform, f"g_{name}")
        if prepared is not None:
            self.prepared[name] = prepared
        self.read[name] = readers.read_sql(transform, readers.Text(f"g_{name}", f"d_{name}", self.region))

    def _give(self, name: str, value: Value, *, verbatim: bool = False) -> None:
        """Register the text of a value, null when absent or blank, and the container that stands in its place."""
        if value.const is not None:
            sql = text.literal(_text(value.const))
        elif value.join:
            parts = [text.literal(_text(p.const)) if isinstance(p, Constant) else self._pick(p) for p in value.join]
            separator = f" || {text.literal(value.separator)} || " if value.separator else " || "
            sql = separator.join(parts)
        else:
            sql = _first(self._pick(path, verbatim=verbatim) for path in value.source)
        self.given[name] = f"{text.literal(value.prefix)} || {sql}" if value.prefix else sql
        boxes = [box for path in value.paths() if (box := self._box(path))]
        if boxes:
            self.boxed[name] = _first(boxes)
            self.checks.append((name, "not_scalar", f"g_{name} IS NULL AND b_{name} IS NOT NULL"))

    def _pick(self, path: str, *, verbatim: bool = False) -> str:
        """Return the SQL of one path's text: null when absent, blank or a container."""
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return "fan_key"
        drawn, place = self._place(parsed)
        if not verbatim:
            return f"{drawn.alias}_told[{place}]"
        is_nothing = f"{drawn.alias}_types[{place}] IN {_CONTAINERS} OR {drawn.alias}_trimmed[{place}] = ''"
        return f"CASE WHEN {is_nothing} THEN NULL ELSE {drawn.alias}[{place}] END"

    def _box(self, path: str) -> str:
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return ""
        drawn, place = self._place(parsed)
        return f"CASE WHEN {drawn.alias}_types[{place}] IN {_CONTAINERS} THEN {drawn.alias}[{place}] END"

    def _place(self, path: paths.Path) -> tuple[_Drawn, int]:
        drawn = self.element if path.root is paths.Root.ELEMENT else self.record
        return drawn, drawn.place(path.json)

    # --- the rest of a row

    def _properties(self) -> str:
        """JSON object of the properties; null when the target has none."""
        if not self.target.properties:
            return "NULL::JSON"
        pairs = []
        for number, (name, value) in enumerate(self.target.properties.items()):
            pairs += [text.literal(name), self._property(f"properties.{name}", f"p{number}", value)]
        return f"json_object({', '.join(pairs)})"

    def _property(self, label: str, key: str, value: Value) -> str:
        transform = value.transform or Transform.NONE
        is_verbatim = value.transform is None and not value.join and not value.prefix
        if is_verbatim and value.const is not None:
            return f"to_json({_constant(value.const)})"
        if is_verbatim:
            return _first(self._verbatim(path) for path in value.source)
        self._give(key, value, verbatim=transform is Transform.NONE)
        self.checks = [(label if name == key else name, rule, sql) for name, rule, sql in self.checks]
        self._read(key, transform)
        if transform in readers.RULES:
            self.checks.append((label, readers.RULES[transform], f"g_{key} IS NOT NULL AND c_{key} IS NULL"))
        return f"to_json(c_{key})"

    def _verbatim(self, path: str) -> str:
        """Return the SQL of a path's JSON as the vendor wrote it, null for a JSON null."""
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return "to_json(fan_key)"
        drawn = self.element_json if parsed.root is paths.Root.ELEMENT else self.record_json
        found = f"{drawn.alias}[{drawn.place(parsed.json)}]"
        return f"CASE WHEN {found}::VARCHAR <> 'null' THEN {found} END"

    def _references(self) -> str:
        """JSON array of ``connector:external_id``; null when the record names none."""
        names = []
        for number, reference in enumerate(self.target.references):
            names.append(self._key(f"reference_{number}", reference.source))
        if not names:
            return "NULL::JSON"
        prefixes = [text.literal(f"{reference.connector}:") for reference in self.target.references]
        listed = ", ".join(f"{prefix} || {name}" for prefix, name in zip(prefixes, names, strict=True))
        present = f"coalesce({', '.join(names)}) IS NOT NULL"
        return f"CASE WHEN {present} THEN to_json(list_filter([{listed}], lambda x: x IS NOT NULL)) END"

    def _applies(self, when: Condition) -> str:
        self.given["when"] = self._condition_text(when.path)
        if when.exists is not None:
            return f"g_when IS {'NOT ' if when.exists else ''}NULL"
        wanted = when.in_ if when.in_ is not None else (when.equals,)
        listed = ", ".join(text.literal(_text(value)) for value in wanted if value is not None)
        return f"coalesce(g_when IN ({listed}), false)"

    def _condition_text(self, path: str) -> str:
        """Return the text of a path, a container being as present as any text."""
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return "fan_key"
        drawn, place = self._place(parsed)
        return text.trim_rest_sql(f"{drawn.alias}_trimmed[{place}]")

    def _left_over(self, name: str) -> str:
        """Return what was given for a field whose transform SQL may leave undecided."""
        value = self.target.fields.get(name)
        return f"CASE WHEN c_{name} IS NULL THEN g_{name} END" if value else "NULL::VARCHAR"

    def _issues(self) -> str:
        """List what was given and could not be read; built only for the rows that have something to list."""
        if not self.checks:
            return f"NULL::{ISSUE_TYPE}"
        anything = " OR ".join(f"({check})" for _, _, check in self.checks)
        listed = ", ".join(self._issue(*check) for check in self.checks)
        return f"CASE WHEN {anything} THEN list_filter([{listed}], lambda x: x IS NOT NULL) END"

    def _issue(self, name: str, rule: str, check: str) -> str:
        column = "b_" if rule == "not_scalar" else "g_"
        key = check.split(" ", 1)[0].removeprefix("g_")
        value = f"left({column}{key}, {readers.LONGEST_SHOWN})"
        issue = f"{{'field': {text.literal(name)}, 'rule': {text.literal(rule)}, 'value': {value}}}"
        return f"CASE WHEN {check} THEN {issue} END"


def _first(expressions: Iterable[str]) -> str:
    listed = list(expressions)
    return f"coalesce({', '.join(listed)})" if len(listed) > 1 else listed[0]


def _text(value: object) -> str:
    """Spell a constant as JSON text extraction would."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _constant(value: object) -> str:
    return text.literal(value) if isinstance(value, str) else _text(value)


def _select(expressions: list[str], source: str) -> str:
    """Return a SELECT; every name and literal in it was quoted where it was made."""
    listed = f",{_INDENT}".join(expressions)
    return f"SELECT{_INDENT}{listed} FROM {source}"


def _named(expressions: dict[str, str], prefix: str) -> list[str]:
    return [f"{sql} AS {prefix}{name}" for name, sql in expressions.items()]
