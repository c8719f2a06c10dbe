"""Turns a SOQL tree into DuckDB SQL over a world's tables, checking every name against the catalogue.

Salesforce's habits are kept where they bite integrations: text compares without case, ``!=`` matches null, ids may be
given with 15 characters, a datetime field refuses a quoted or date-only value, nulls sort first.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from gtm_pipelines.sandbox.vendors.salesforce.catalogue import Field, SObject, find_object
from gtm_pipelines.sandbox.vendors.salesforce.errors import SalesforceError
from gtm_pipelines.sandbox.vendors.salesforce.ids import eighteen
from gtm_pipelines.sandbox.vendors.salesforce.soql.syntax import (
    Aggregate,
    Comparison,
    Condition,
    FieldsFunction,
    Junction,
    Literal,
    Membership,
    Not,
    Order,
    Path,
    Query,
    Span,
)

_TEXT = frozenset({"string", "textarea", "email", "phone", "url", "picklist"})
_IDS = frozenset({"id", "reference"})
_NUMBERS = frozenset({"int", "double", "currency"})
_UNSORTABLE = frozenset({"textarea", "address"})
_MOST_OFFSET = 2000
_MOST_FIELDS_ROWS = 200
_WIRE_DATETIME = "strftime({}, '%Y-%m-%dT%H:%M:%S.000+0000')"


@dataclass(frozen=True, slots=True)
class Visibility:
    """What this user may not see: objects, and fields written ``Contact.Phone``. All names in lower case."""

    objects: frozenset[str] = frozenset()
    fields: frozenset[str] = frozenset()

    def find_object(self, name: str) -> SObject | None:
        """Return the object unless it does not exist or is hidden."""
        return None if name.lower() in self.objects else find_object(name)

    def find_field(self, entity: SObject, name: str) -> Field | None:
        """Return the field unless it does not exist or is hidden."""
        return None if f"{entity.name}.{name}".lower() in self.fields else entity.find(name)

    def fields_of(self, entity: SObject) -> list[Field]:
        """Every field this user sees."""
        return [each for each in entity.fields if f"{entity.name}.{each.name}".lower() not in self.fields]


@dataclass(frozen=True, slots=True)
class Statement:
    """A translated query. ``rows`` yields one JSON text per record, ``count`` one number; both take ``parameters``."""

    entity: SObject
    rows: str
    count: str
    parameters: tuple[object, ...]
    is_count: bool
    limit: int | None


def translate(query: Query, *, version: str, with_deleted: bool, now: datetime, visible: Visibility) -> Statement:
    """Translate ``query``; raise SalesforceError for names, types and clauses Salesforce would refuse."""
    entity = visible.find_object(query.entity)
    if entity is None:
        raise SalesforceError.no_object(query.entity)
    return _Translator(entity, version, now, visible).statement(query, with_deleted=with_deleted)


@dataclass
class _Translator:
    entity: SObject
    version: str
    now: datetime
    visible: Visibility
    parameters: list[object] = field(default_factory=list)

    def statement(self, query: Query, *, with_deleted: bool) -> Statement:
        if query.offset > _MOST_OFFSET:
            raise SalesforceError(400, "NUMBER_OUTSIDE_VALID_RANGE", "Maximum SOQL offset allowed is 2000")
        selected = self._expand(query)
        conditions = []
        if self.entity.has("IsDeleted") and not with_deleted:
            conditions.append("NOT t.IsDeleted")
        if query.where is not None:
            floor = _floor(query.where)
            if floor is not None and self.entity.has("SystemModstamp"):
                # Implied by the rest; said aloud, it lets DuckDB skip the row groups before the page.
                conditions.append(f"t.SystemModstamp >= {_timestamp(floor)}")
            conditions.append(self._condition(query.where))
        source = f"{self.entity.table} t" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
        order = f" ORDER BY {', '.join(map(self._order, query.order))}" if query.order else ""
        window = (f" LIMIT {query.limit}" if query.limit is not None else "") + (
            f" OFFSET {query.offset}" if query.offset else ""
        )
        count = f"SELECT count(*) FROM (SELECT 1 FROM {source}{window})"
        if any(isinstance(each, Aggregate) for each in selected):
            rows = f"SELECT to_json({self._aggregates(selected)})::VARCHAR FROM {source}"
            count = "SELECT 1"
        else:
            # Sorting happens inside, on what the table stores; only the page's rows are turned into JSON.
            rows = f"SELECT to_json({self._record(selected)})::VARCHAR FROM (SELECT * FROM {source}{order}{window}) t"
        return Statement(
            self.entity, rows, count, tuple(self.parameters), is_count=not query.selected, limit=query.limit
        )

    # Selection.

    def _expand(self, query: Query) -> list[Path | Aggregate]:
        selected: list[Path | Aggregate] = []
        for each in query.selected:
            if not isinstance(each, FieldsFunction):
                selected.append(each)
                continue
            if each.which != "STANDARD" and (query.limit is None or query.limit > _MOST_FIELDS_ROWS):
                raise SalesforceError.malformed("The SOQL FIELDS function must have a LIMIT of at most 200")
            wanted = {"ALL": (True, False), "STANDARD": (False,), "CUSTOM": (True,)}.get(each.which)
            if wanted is None:
                raise SalesforceError.malformed(f"unexpected token: '{each.which}'")
            selected += [(found.name,) for found in self.visible.fields_of(self.entity) if found.is_custom in wanted]
        seen = set()
        for each in selected:
            key = str(each).lower()
            if key in seen:
                raise SalesforceError(
                    400,
                    "INVALID_FIELD",
                    f"duplicate field selected: {'.'.join(each) if isinstance(each, tuple) else each.alias}",
                )
            seen.add(key)
        return selected

    def _record(self, selected: list[Path | Aggregate]) -> str:
        """Write the SQL struct of one record, attributes first, a nested struct for each parent stepped to."""
        own: dict[str, str] = {}
        parents: dict[str, list[str]] = {}
        for each in selected:
            if isinstance(each, Aggregate):
                continue
            if len(each) == 1:
                found = self._field(self.entity, each[0])
                own[found.name] = _wire(found, "t")
            else:
                reference = self._reference(each[0])
                parents.setdefault(reference.name, []).append(each[1])
                own[reference.relationship] = ""
        for name, wanted in parents.items():
            reference = self._field(self.entity, name)
            own[reference.relationship] = self._parent(
                reference, lambda parent, names=wanted: self._nested(parent, names)
            )
        values = [
            f"'attributes': {self._attributes(self.entity, 't')}",
            *(f"'{name}': {value}" for name, value in own.items()),
        ]
        return "{" + ", ".join(values) + "}"

    def _attributes(self, entity: SObject, row: str) -> str:
        return (
            f"{{'type': '{entity.name}', 'url': '/services/data/{self.version}/sobjects/{entity.name}/' || {row}.Id}}"
        )

    def _nested(self, parent: SObject, names: list[str]) -> str:
        values = [f"'attributes': {self._attributes(parent, 'parent')}"]
        for name in names:
            found = self._field(parent, name)
            values.append(f"'{found.name}': {_wire(found, 'parent')}")
        return "to_json({" + ", ".join(values) + "})"

    def _aggregates(self, selected: list[Path | Aggregate]) -> str:
        values = ["'attributes': {'type': 'AggregateResult'}"]
        for each in selected:
            if not isinstance(each, Aggregate):
                raise SalesforceError.malformed(f"Field must be grouped or aggregated: {each[-1]}")
            found, expression = self._resolve(each.path)
            inner = f"DISTINCT {expression}" if each.function == "COUNT_DISTINCT" else expression
            result = f"{each.function.removesuffix('_DISTINCT').lower()}({inner})"
            is_moment = found.type == "datetime" and each.function in {"MIN", "MAX"}
            values.append(f"'{each.alias}': {_WIRE_DATETIME.format(result) if is_moment else result}")
        return "{" + ", ".join(values) + "}"

    # Names.

    def _field(self, entity: SObject, name: str) -> Field:
        found = self.visible.find_field(entity, name)
        if found is None:
            raise SalesforceError.no_field(name, entity.name)
        return found

    def _reference(self, relationship: str) -> Field:
        for each in self.visible.fields_of(self.entity):
            if each.relationship and each.relationship.lower() == relationship.lower():
                return each
        raise SalesforceError(400, "INVALID_FIELD", f"Didn't understand relationship '{relationship}' in field path.")

    def _parent(self, reference: Field, value: object) -> str:
        """Write SQL for a value of the record that ``reference`` points to, whichever object it is of."""
        lookups = []
        for name in reference.parents:
            parent = self.visible.find_object(name)
            if parent is None:
                raise SalesforceError.no_object(name)
            expression = value(parent) if callable(value) else value
            lookups.append(f'(SELECT {expression} FROM {parent.table} parent WHERE parent.Id = t."{reference.name}")')
        return f"coalesce({', '.join(lookups)})"

    def _resolve(self, path: Path) -> tuple[Field, str]:
        *above, name = path
        if [step.lower() for step in above] in ([], [self.entity.name.lower()]):  # Contact.Name in a query on Contact
            found = self._field(self.entity, name)
            return found, found.sql("t")
        first, *further = above
        if further:  # one step up is what the sandbox follows
            raise SalesforceError(400, "INVALID_FIELD", f"Didn't understand relationship '{first}' in field path.")
        reference = self._reference(first)
        found = self._field(self.visible.find_object(reference.parents[0]) or self.entity, name)
        return found, self._parent(reference, lambda parent: self._field(parent, name).sql("parent"))

    # Conditions.

    def _condition(self, condition: Condition) -> str:
        if isinstance(condition, Junction):
            return "(" + f" {condition.word} ".join(map(self._condition, condition.conditions)) + ")"
        if isinstance(condition, Not):
            return f"NOT coalesce({self._condition(condition.condition)}, false)"
        if isinstance(condition, Membership):
            return self._membership(condition)
        return self._comparison(condition)

    def _comparison(self, condition: Comparison) -> str:
        found, expression = self._resolve(condition.path)
        value, operator = condition.value, condition.operator
        if isinstance(value, Span):
            return self._span(found, expression, operator, value)
        if value is None or value == "":
            if operator not in {"=", "!="}:
                raise SalesforceError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {found.name} field")
            return f"{expression} IS {'NOT ' if operator == '!=' else ''}NULL"
        bound = self._bound(found, value)
        if operator == "LIKE":
            if found.type not in _TEXT:
                raise SalesforceError(400, "INVALID_QUERY_FILTER_OPERATOR", f"invalid operator on {found.type} field")
            return f"{expression} ILIKE {bound} ESCAPE '\\'"
        if found.type in _TEXT:
            expression, bound = f"lower({expression})", f"lower({bound})"
        return f"{expression} {'IS DISTINCT FROM' if operator == '!=' else operator} {bound}"

    def _membership(self, condition: Membership) -> str:
        found, expression = self._resolve(condition.path)
        bound = [
            self._bound(found, value) for value in condition.values if value is not None and not isinstance(value, Span)
        ]
        if found.type in _TEXT:
            expression, bound = f"lower({expression})", [f"lower({each})" for each in bound]
        parts = [f"{expression} IN ({', '.join(bound)})"] if bound else []
        if None in condition.values:
            parts.append(f"{expression} IS NULL")
        either = f"coalesce({' OR '.join(parts) or 'false'}, false)"
        return f"NOT {either}" if condition.negated else either

    def _span(self, found: Field, expression: str, operator: str, span: Span) -> str:
        if found.type not in {"date", "datetime"}:
            raise _wrong_type(found)
        today = self.now.replace(hour=0, minute=0, second=0, microsecond=0)
        first, last = {
            "TODAY": (0, 0), "YESTERDAY": (-1, -1), "TOMORROW": (1, 1),
            "LAST_N_DAYS": (-span.days, 0), "NEXT_N_DAYS": (1, span.days),
        }[span.name]  # fmt: skip
        start, end = _timestamp(today + timedelta(days=first)), _timestamp(today + timedelta(days=last + 1))
        inside = f"({expression} >= {start} AND {expression} < {end})"
        return {
            "=": inside, "!=": f"NOT {inside}", ">": f"{expression} >= {end}", ">=": f"{expression} >= {start}",
            "<": f"{expression} < {start}", "<=": f"{expression} < {end}",
        }[operator]  # fmt: skip

    def _bound(self, found: Field, value: Literal) -> str:
        """Write SQL for a literal compared with a field, refusing types Salesforce refuses."""
        if found.type == "datetime" and isinstance(value, datetime):
            return _timestamp(value)
        if found.type == "date" and isinstance(value, date) and not isinstance(value, datetime):
            return f"DATE '{value.isoformat()}'"
        if found.type == "boolean" and isinstance(value, bool):
            return str(value).lower()
        if found.type in _NUMBERS and isinstance(value, int | float) and not isinstance(value, bool):
            return repr(value)
        if found.type in _TEXT | _IDS and isinstance(value, str):
            self.parameters.append(eighteen(value) if found.type in _IDS else value)
            return f"${len(self.parameters)}"
        raise _wrong_type(found)

    def _order(self, order: Order) -> str:
        found, expression = self._resolve(order.path)
        if found.type in _UNSORTABLE:
            raise SalesforceError.malformed(f"field '{found.name}' can not be sorted in a query call")
        value = f"lower({expression})" if found.type in _TEXT else expression
        return f"{value} {'DESC' if order.descending else 'ASC'} NULLS {'LAST' if order.nulls_last else 'FIRST'}"


def _wire(found: Field, row: str) -> str:
    """Write the field's value as it travels in JSON."""
    value = found.sql(row)
    return _WIRE_DATETIME.format(value) if found.type == "datetime" else value


def _timestamp(moment: datetime) -> str:
    return f"TIMESTAMP '{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}'"


def _wrong_type(found: Field) -> SalesforceError:
    kind = {"datetime": "dateTime"}.get(found.type, found.type)
    quoting = "be enclosed in quotes" if found.type in _TEXT | _IDS else "not be enclosed in quotes"
    message = f"value of filter criterion for field '{found.name}' must be of type {kind} and should {quoting}"
    return SalesforceError(400, "INVALID_FIELD", message)


def _floor(condition: Condition) -> datetime | None:
    """Return the earliest SystemModstamp that can satisfy ``condition``, or None when it bounds nothing."""
    if isinstance(condition, Comparison):
        is_bound = (
            condition.path[-1].lower() == "systemmodstamp"
            and len(condition.path) == 1
            and condition.operator in {"=", ">", ">="}
        )
        return condition.value if is_bound and isinstance(condition.value, datetime) else None
    if isinstance(condition, Junction):
        floors = [_floor(each) for each in condition.conditions]
        known = [each for each in floors if each is not None]
        if condition.word == "AND":
            return max(known, default=None)
        return min(known) if len(known) == len(floors) else None
    return None
