"""Associations: inside listed records, and by the batch, one direction at a time."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.hubspot import paging
from gtm_pipelines.sandbox.vendors.hubspot.catalogue import CrmObject, Kind, find_kind, find_object
from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

Found = dict[int, list[tuple[int, bool]]]
_MOST = 1_000
_INLINE = 100


def found_object(name: str) -> CrmObject:
    """Return the object called ``name``; raise HubspotError when there is none."""
    kind = find_object(name)
    if kind is None:
        raise HubspotError.invalid(f"Unable to infer object type from: {name}")
    return kind


def add_inline(tenant: Tenant, kind: CrmObject, records: list[dict[str, Any]], names: list[str]) -> None:
    """Put ``associations`` into records as the list does: at most a hundred each, none at all where there are none."""
    for name in names:
        target = found_object(name)
        types = find_kind(kind.name, target.name)
        if types is None:
            continue
        found = _associated(tenant, kind, target, [int(each["id"]) for each in records])
        for each in records:
            to = found.get(int(each["id"]), [])
            shown = [
                {"id": str(key), "type": word}
                for key, is_primary in to[:_INLINE]
                for word in _words(types, is_primary=is_primary)
            ]
            if shown:
                more = {"paging": {"next": {"after": str(to[_INLINE - 1][0])}}} if len(to) > _INLINE else {}
                each.setdefault("associations", {})[target.name] = {"results": shown, **more}


def batch(tenant: Tenant, source: str, target: str, given: dict[str, Any], *, flat: bool) -> tuple[dict[str, Any], int]:
    """Answer ``POST …/associations/{from}/{to}/batch/read``, in v4's form or (``flat``) in v3's."""
    kind, to_kind = found_object(source), found_object(target)
    types = find_kind(kind.name, to_kind.name)
    inputs = given.get("inputs")
    if types is None:
        raise HubspotError.invalid(f"No association types exist from {source} to {target}")
    if not isinstance(inputs, list) or not all(isinstance(each, dict) and "id" in each for each in inputs):
        raise HubspotError.invalid("inputs is required")
    if len(inputs) > _MOST:
        raise HubspotError.invalid(f"The maximum number of inputs is {_MOST}")
    asked = {int(each["id"]): int(each.get("after") or 0) for each in inputs if str(each["id"]).isdecimal()}
    found = _associated(tenant, kind, to_kind, list(asked))
    size = tenant.faults_of(HubspotFaults).association_page
    results = [
        {"from": {"id": str(key)}, **_page([each for each in found[key] if each[0] > after], types, size, flat=flat)}
        for key, after in asked.items()
        if key in found
    ]
    now = tenant.world.now().strftime("%Y-%m-%dT%H:%M:%S.000Z")
    answer: dict[str, Any] = {"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now}
    lone = [str(key) for key in asked if key not in found]
    if not lone:
        return answer, 200
    errors = [
        {
            "status": "error",
            "category": "OBJECT_NOT_FOUND",
            "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
            "message": f"No {to_kind.singular} is associated with {kind.singular} {key}.",
            "context": {"fromObjectId": [key], "fromObjectType": [kind.type_id], "toObjectType": [to_kind.type_id]},
        }
        for key in lone
    ]
    return {**answer, "numErrors": len(errors), "errors": errors}, 207


def of_one(tenant: Tenant, source: str, key: str, target: str, query: dict[str, str]) -> dict[str, Any]:
    """Answer ``GET /crm/v4/objects/{from}/{id}/associations/{to}``."""
    kind, to_kind = found_object(source), found_object(target)
    types = find_kind(kind.name, to_kind.name)
    if types is None or not key.isdecimal():
        raise HubspotError.not_found()
    after = int(query.get("after") or 0)
    size = paging.limit(query.get("limit"), default=500, most=500)
    to = _associated(tenant, kind, to_kind, [int(key)]).get(int(key), [])
    shown = _page([each for each in to if each[0] > after], types, size, flat=False)
    return {"results": shown.pop("to"), **shown}


def _page(to: list[tuple[int, bool]], types: Kind, size: int, *, flat: bool) -> dict[str, Any]:
    shown: list[dict[str, Any]] = []
    for key, is_primary in to[:size]:
        if flat:
            shown += [{"id": str(key), "type": word} for word in _words(types, is_primary=is_primary)]
        else:
            shown.append({"toObjectId": key, "associationTypes": _labels(types, is_primary=is_primary)})
    more = {"paging": {"next": {"after": str(to[size - 1][0])}}} if len(to) > size else {}
    return {"to": shown, **more}


def _labels(types: Kind, *, is_primary: bool) -> list[dict[str, Any]]:
    plain = {"category": "HUBSPOT_DEFINED", "typeId": types.plain, "label": None}
    if not is_primary or types.primary is None:
        return [plain]
    return [{"category": "HUBSPOT_DEFINED", "typeId": types.primary, "label": "Primary"}, plain]


def _words(types: Kind, *, is_primary: bool) -> list[str]:
    if types.primary is None:
        return [types.name]
    return [types.name, f"{types.name}_unlabeled"] if is_primary else [f"{types.name}_unlabeled"]


def _associated(tenant: Tenant, kind: CrmObject, target: CrmObject, keys: list[int]) -> Found:
    """Return whom live records are associated with, live ones only, by id."""
    with tenant.world.cursor() as cursor:
        rows = cursor.execute(
            f"""
            WITH asked AS (SELECT unnest(?::BIGINT[]) AS id)
            SELECT near, far, bool_or(is_primary) FROM (
                SELECT from_id AS near, to_id AS far, is_primary FROM hubspot.association
                WHERE from_type = $2 AND to_type = $3 AND from_id IN (FROM asked)
                UNION ALL
                SELECT to_id, from_id, is_primary FROM hubspot.association
                WHERE to_type = $2 AND from_type = $3 AND to_id IN (FROM asked)
            )
            WHERE near IN (SELECT id FROM {kind.table} WHERE NOT archived)
              AND far IN (SELECT id FROM {target.table} WHERE NOT archived)
            GROUP BY near, far ORDER BY near, far
            """.replace("unnest(?::BIGINT[])", "unnest($1::BIGINT[])"),
            [keys, kind.name, target.name],
        ).fetchall()
    found: Found = defaultdict(list)
    for near, far, is_primary in rows:
        found[near].append((far, is_primary))
    return found
