"""What is not a record: owners, the property catalogue, the account itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.hubspot import paging
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults
from gtm_pipelines.sandbox.vendors.hubspot.records import iso
from gtm_pipelines.sandbox.vendors.hubspot.tokens import PORTAL

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.vendors.hubspot.catalogue import CrmObject, Property
    from gtm_pipelines.sandbox.wire import Call

_FIELD_TYPES = {
    "string": "text", "number": "number", "enumeration": "select", "datetime": "date", "bool": "booleancheckbox",
}  # fmt: skip


def owners(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``GET /crm/v3/owners``: the active ones, or with ``archived=true`` the others."""
    limit = paging.limit(call.query.get("limit"), default=100, most=500)
    turn = paging.turn(call.query.get("after"), tenant.faults_of(HubspotFaults))
    archived = call.query.get("archived", "").lower() == "true"
    rows: list[tuple[Any, ...]] = []
    if not turn.is_empty:
        with tenant.world.cursor() as cursor:
            rows = cursor.execute(
                "SELECT id, email, first_name, last_name, user_id, created_ms, updated_ms, archived FROM hubspot.owner "
                f"WHERE archived = ? AND id > ? AND (? IS NULL OR email = ?) ORDER BY id LIMIT {limit + 1}",
                [archived, turn.reads_after, call.query.get("email"), call.query.get("email")],
            ).fetchall()
    last = rows[limit - 1][0] if len(rows) > limit else None
    return {"results": [_owner(row) for row in rows[:limit]], **paging.following(turn, last, call, tenant.id)}


def properties(tenant: Tenant, kind: CrmObject) -> dict[str, Any]:
    """Answer ``GET /crm/v3/properties/{object}``."""
    hidden = tenant.faults_of(HubspotFaults).hide_property
    return {"results": [_property(each) for each in kind.properties if f"{kind.name}.{each.name}" not in hidden]}


def details() -> dict[str, Any]:
    """Answer ``GET /account-info/…/details``."""
    return {
        "portalId": PORTAL,
        "accountType": "DEVELOPER_TEST",
        "timeZone": "Europe/Dublin",
        "companyCurrency": "EUR",
        "additionalCurrencies": [],
        "utcOffset": "+00:00",
        "utcOffsetMilliseconds": 0,
        "uiDomain": "app.hubspot.com",
        "dataHostingLocation": "na1",
    }


def _owner(row: tuple[Any, ...]) -> dict[str, Any]:
    key, email, first_name, last_name, user, created, updated, archived = row
    return {
        "id": str(key),
        "email": email,
        "type": "PERSON",
        "firstName": first_name,
        "lastName": last_name,
        "userId": None if archived else user,
        "userIdIncludingInactive": user,
        "createdAt": iso(created),
        "updatedAt": iso(updated),
        "archived": archived,
    }


def _property(each: Property) -> dict[str, Any]:
    is_ours = not each.name.startswith("customerio")
    return {
        "name": each.name,
        "label": each.name.removeprefix("hs_").replace("_", " ").capitalize(),
        "type": each.type,
        "fieldType": "calculation_rollup" if each.calculated else _FIELD_TYPES[each.type],
        "description": "",
        "groupName": "information",
        "options": [],
        "displayOrder": -1,
        "calculated": each.calculated,
        "externalOptions": False,
        "hasUniqueValue": each.name in {"email", "hs_object_id"},
        "hidden": False,
        "hubspotDefined": is_ours,
        "modificationMetadata": {
            "archivable": not is_ours,
            "readOnlyDefinition": is_ours,
            "readOnlyValue": each.calculated,
        },
        "formField": False,
    }
