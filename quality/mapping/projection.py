"""Compiles one target of one entity to one vectorised DuckDB SELECT over ``raw_batch``.

The statement is a chain of layers, each computing what the next ones use more than once. The first five draw the texts
at the target's paths out of each record (:mod:`quality.mapping.drawing`); ``given`` picks each value's text;
``prepared`` and ``read`` apply its transform; the last SELECT lays the columns out.

A value that was given and could not be read is null and listed in ``_issues``; forms SQL cannot decide (``phone``,
``domain``) leave what was given in ``_given_<field>`` for :data:`quality.mapping.readers.COMPLETIONS`. No record is
left out: ``_applies`` is false where ``when`` says no.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from quality.canonical import columns
from quality.mapping import paths, readers
from quality.mapping.drawing import DrawnJson, DrawnTexts
from quality.mapping.model import Constant, Target, Transform, Value
from quality.normalise import text

if TYPE_CHECKING:
    from collections.abc import Iterable

    from quality.canonical import Column
    from quality.mapping.model import Condition

ISSUE_TYPE = "STRUCT(field VARCHAR, rule VARCHAR, value VARCHAR)[]"
"""The type of ``_issues``."""

RAW_BATCH = "raw_batch"
"""The relation a projection reads: external_id, source_updated_at, is_deleted, payload (never null)."""

_TEXT_LAYERS = (DrawnTexts.trimmed, DrawnTexts.flagged, DrawnTexts.typed, DrawnTexts.cleaned)
_INDENT = "\n  "


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


class _Check(NamedTuple):
    """One way in which a value can turn out unusable: an entry of ``_issues`` for the rows that meet ``condition``."""

    field: str  # as the issue names it
    rule: str
    shown: str  # the column that holds the offending value
    condition: str


class _Plan:
    """One target on its way to SQL.

    Each value is registered under a name, with the SQL of its column in every layer: what was ``given`` (g_<name>, text
    or null), the container ``boxed`` in its place (b_<name>), what reading needs more than once ``prepared``
    (d_<name>), and what was ``read`` (c_<name>).
    """

    def __init__(self, target: Target, region: str) -> None:
        self.target = target
        self.region = region
        self.record, self.element = DrawnTexts("payload", "r"), DrawnTexts("fan.value", "e")
        self.record_json, self.element_json = DrawnJson("payload", "rj"), DrawnJson("fan.value", "ej")
        self.given: dict[str, str] = {}
        self.boxed: dict[str, str] = {}
        self.prepared: dict[str, str] = {}
        self.read: dict[str, str] = {}
        self.checks: list[_Check] = []

    def statement(self, entity: str, constants: dict[str, str]) -> str:
        """Return the whole SELECT."""
        target = self.target
        output = {column.name: constants.get(column.name) or self._column(column) for column in columns(target.target)}
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

    def _column(self, column: Column) -> str:
        """Return the SQL of one of the contract's columns."""
        target = self.target
        if column.name in {"source_updated_at", "is_deleted"}:
            return column.name
        if column.name == "external_id":
            return self._key("external_id", target.external_id) if target.external_id else "record_id"
        if column.name == "properties":
            return self._properties()
        if column.name in target.fields:
            return self._field(column.name, target.fields[column.name], column.transform)
        return f"NULL::{column.type}"

    def _layers(self, output: dict[str, str]) -> str:
        """Put the layers together; every expression was registered by now."""
        passed = ["record_id", "source_updated_at", "is_deleted"]
        drawn = ["external_id AS record_id", "source_updated_at", "is_deleted"]
        for source in (self.record, self.element, self.record_json, self.element_json):
            drawn += source.drawn()
        documents = ["payload AS r_document"] if self.record.places else []
        fan = ""
        if self.target.for_each:
            documents += ["fan.value AS e_document", "fan.key AS fan_key"]
            container = text.literal(paths.parse(self.target.for_each).json)
            # a null element is absent, and a container that is a scalar has no elements
            fan = f", json_each(payload, {container}) AS fan WHERE fan.key IS NOT NULL AND fan.type <> 'NULL'"
        verbatim = [source.alias for source in (self.record_json, self.element_json) if source.places]
        if self.target.for_each:
            verbatim.append("fan_key")
        layers = {
            "drawn": drawn + documents,
            **{layer.__name__: ["*", *layer(self.record), *layer(self.element)] for layer in _TEXT_LAYERS},
            "given": [*passed, *verbatim, *_named(self.given, "g_"), *_named(self.boxed, "b_")],
            "prepared": ["*", *_named(self.prepared, "d_")],
            "read": ["*", *_named(self.read, "c_")],
        }
        sources = [f"{RAW_BATCH}{fan}", *list(layers)[:-1]]
        steps = [
            f"{name} AS ({_select(each, source)})" for (name, each), source in zip(layers.items(), sources, strict=True)
        ]
        return f"WITH {', '.join(steps)} " + _select([f"{sql} AS {name}" for name, sql in output.items()], "read")

    # --- values

    def _field(self, name: str, value: Value, natural: str) -> str:
        transform = value.transform or Transform(natural)
        self._give(name, value, name, verbatim=transform is Transform.NONE)
        self._read(name, transform)
        if transform not in readers.COMPLETIONS:
            self._check_read(name, transform, name)
        return f"c_{name}"

    def _key(self, name: str, value: Value) -> str:
        transform = value.transform or Transform.TRIM
        self._give(name, value, name, verbatim=transform is Transform.NONE)
        self._read(name, transform)
        return f"c_{name}"

    def _read(self, name: str, transform: Transform) -> None:
        """Register the reading of a given text."""
        prepared = readers.prepare_sql(transform, f"g_{name}")
        if prepared is not None:
            self.prepared[name] = prepared
        self.read[name] = readers.read_sql(transform, readers.Text(f"g_{name}", f"d_{name}", self.region))

    def _check_read(self, name: str, transform: Transform, label: str) -> None:
        """Register the check that what was given could be read, for a transform that cannot read every text."""
        if transform in readers.RULES:
            condition = f"g_{name} IS NOT NULL AND c_{name} IS NULL"
            self.checks.append(_Check(label, readers.RULES[transform], f"g_{name}", condition))

    def _give(self, name: str, value: Value, label: str, *, verbatim: bool = False) -> None:
        """Register the text of a value, null when absent or blank, and the container that stands in its place.

        Issues name the value by ``label``.
        """
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
            condition = f"g_{name} IS NULL AND b_{name} IS NOT NULL"
            self.checks.append(_Check(label, "not_scalar", f"b_{name}", condition))

    def _pick(self, path: str, *, verbatim: bool = False) -> str:
        """Return the SQL of one path's text: null when absent, blank or a container."""
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return "fan_key"
        texts = self._texts(parsed)
        return texts.verbatim(parsed.json) if verbatim else texts.text(parsed.json)

    def _box(self, path: str) -> str:
        """Return the SQL of the container at a path; nothing for the key of an element, which is always text."""
        parsed = paths.parse(path)
        return "" if parsed.root is paths.Root.KEY else self._texts(parsed).container(parsed.json)

    def _texts(self, path: paths.Path) -> DrawnTexts:
        return self.element if path.root is paths.Root.ELEMENT else self.record

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
        self._give(key, value, label, verbatim=transform is Transform.NONE)
        self._read(key, transform)
        self._check_read(key, transform, label)
        return f"to_json(c_{key})"

    def _verbatim(self, path: str) -> str:
        """Return the SQL of a path's JSON as the vendor wrote it, null for a JSON null."""
        parsed = paths.parse(path)
        if parsed.root is paths.Root.KEY:
            return "to_json(fan_key)"
        drawn = self.element_json if parsed.root is paths.Root.ELEMENT else self.record_json
        found = drawn.value(parsed.json)
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
        return "fan_key" if parsed.root is paths.Root.KEY else self._texts(parsed).presence(parsed.json)

    def _left_over(self, name: str) -> str:
        """Return what was given for a field whose transform SQL may leave undecided."""
        value = self.target.fields.get(name)
        return f"CASE WHEN c_{name} IS NULL THEN g_{name} END" if value else "NULL::VARCHAR"

    def _issues(self) -> str:
        """List what was given and could not be read; built only for the rows that have something to list."""
        if not self.checks:
            return f"NULL::{ISSUE_TYPE}"
        anything = " OR ".join(f"({check.condition})" for check in self.checks)
        listed = ", ".join(_issue(check) for check in self.checks)
        return f"CASE WHEN {anything} THEN list_filter([{listed}], lambda x: x IS NOT NULL) END"


def _issue(check: _Check) -> str:
    value = f"left({check.shown}, {readers.LONGEST_SHOWN})"
    issue = f"{{'field': {text.literal(check.field)}, 'rule': {text.literal(check.rule)}, 'value': {value}}}"
    return f"CASE WHEN {check.condition} THEN {issue} END"


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
