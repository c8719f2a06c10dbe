"""Whether the paths a mapping reads occur in what was read or stored: a misspelt field is valid, and maps nothing.

Only looks and says; whether a mapping is well formed is :mod:`quality.mapping`'s to judge.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gtm_pipelines.control_plane import Connection
    from gtm_pipelines.settings import Settings
    from quality.mapping import Mapping

_WAIT_S = 5
_STEP = re.compile(r'\."([^"]+)"')  # of a JSON path, as a mapping's is written
_EXISTS = {
    "duckdb": "json_exists(payload, ?)",
    "postgres": "jsonb_path_exists(payload, CAST('strict ' || ? AS jsonpath), '{}', true)",
}


def paths_of(mapping: Mapping, entity: str, target: str, field: str) -> list[str]:
    """Return the paths into the record that one field of a target reads; those into a list's element are left out."""
    from quality.mapping.paths import Root, parse

    found: list[str] = []
    for each in mapping.targets(entity) or ():
        if each.label != target:
            continue
        for at, value in each.values():
            label = ".".join(map(str, at)).removeprefix("fields.")
            if label == field or label.startswith(f"{field}."):
                found += value.paths()
        if field == "when" and each.when is not None:
            found.append(each.when.path)
        if field == "for_each" and each.for_each is not None:
            found.append(each.for_each)
    return [path for path in dict.fromkeys(found) if parse(path).root is Root.RECORD]


def find_unmet(mapping: Mapping, entity: str, payloads: Sequence[str]) -> str | None:
    """Return a sentence about what of a mapping none of an entity's records has; None when there is nothing.

    Of paths that stand in for each other one is enough.
    """
    from connectors.runtime import paths

    records = [payload.encode() for payload in payloads]
    unmet = [
        " or ".join(choice)
        for choice in _choices(mapping, entity)
        if not any(paths.find(record, _in_brackets(path)) for path in choice for record in records)
    ]
    return f"none of {len(payloads):,} records has {', '.join(unmet)}" if payloads and unmet else None


def _choices(mapping: Mapping, entity: str) -> list[tuple[str, ...]]:
    """Return the paths into a record that each part of an entity's mapping reads."""
    from quality.mapping.paths import Root, parse

    found: list[tuple[str, ...]] = []
    for target in mapping.targets(entity) or ():
        found += [value.paths() for _, value in target.values()]
        found += [(path,) for path in (target.when and target.when.path, target.for_each) if path]
    of_records = (tuple(path for path in choice if parse(path).root is Root.RECORD) for choice in found)
    return [choice for choice in dict.fromkeys(of_records) if choice]


def _in_brackets(path: str) -> str:
    """Return a mapping's path as a path of the runtime: ``$['a']['b'][0]``."""
    from quality.mapping.paths import parse

    return _STEP.sub(r"['\1']", parse(path).json)


def find_unseen(settings: Settings, connection: Connection, entity: str, wanted: Sequence[str]) -> str | None:
    """Return a sentence about the paths no stored record has; None when there are none, or nothing is stored."""
    from gtm_pipelines.warehouse import WarehouseBusyError, has_warehouse, names, open_warehouse
    from quality.mapping.paths import parse

    if not wanted or not has_warehouse(settings, connection.tenant):
        return None
    try:
        with open_warehouse(settings, connection.tenant, wait=_WAIT_S) as warehouse:
            served = warehouse.served
            if not served.has_table(names.raw_schema(connection.name), names.entity_table(entity)):
                return None
            table = warehouse.raw_table(connection.name, entity)
            tests = ", ".join(f"coalesce(bool_or({_EXISTS[served.dialect]}), false)" for _ in wanted)
            ((stored, *seen),) = served.rows(
                f"SELECT count(payload), {tests} FROM {table}",
                [parse(path).json for path in wanted],
            )
    except WarehouseBusyError:
        return f"whether stored records have {' or '.join(wanted)} was not checked: the warehouse is in use"
    unseen = [path for path, is_seen in zip(wanted, seen, strict=True) if not is_seen]
    return f"none of the {stored:,} stored {entity} records has {' or '.join(unseen)}" if stored and unseen else None
