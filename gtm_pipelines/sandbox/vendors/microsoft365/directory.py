"""The directory: its organization and its accounts, listed, one by one, and by what changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gtm_pipelines.sandbox.vendors.microsoft365 import asked, rounds
from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError
from gtm_pipelines.sandbox.vendors.microsoft365.login import DIRECTORY, INITIAL_DOMAIN
from gtm_pipelines.sandbox.vendors.microsoft365.rounds import Round, Row

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_OLDEST = 2  # an account from before there were types of users
_USUAL = (
    "businessPhones",
    "displayName",
    "givenName",
    "id",
    "jobTitle",
    "mail",
    "mobilePhone",
    "surname",
    "userPrincipalName",
)
_KNOWN = frozenset(
    {*_USUAL, "companyName", "accountEnabled", "userType", "createdDateTime", "department", "assignedLicenses"}
)
_MOST = 999
_USUAL_SIZE = 100


def organization(call: Call) -> dict[str, Any]:
    """Answer ``GET /organization`` with its one organization and the domains it has proven to own."""
    domains = [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": True,
            "isInitial": False,
            "name": "seller.example",
            "type": "Managed",
        },
        {
            "capabilities": "Email",
            "isDefault": False,
            "isInitial": False,
            "name": "Seller-Group.example",
            "type": "Managed",
        },
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": False,
            "isInitial": True,
            "name": INITIAL_DOMAIN,
            "type": "Managed",
        },
    ]
    whole = {
        "id": DIRECTORY,
        "displayName": "Seller",
        "countryLetterCode": "US",
        "tenantType": "AAD",
        "verifiedDomains": domains,
    }
    select = asked.selected(call, whole.keys())
    return {"@odata.context": f"{call.origin}/v1.0/$metadata#organization", "value": [asked.narrowed(whole, select)]}


def users(tenant: Tenant, call: Call, *, is_delta: bool) -> dict[str, Any]:
    """Answer ``GET /users`` and ``GET /users/delta``."""
    if is_delta:
        refused = {"$top", "$orderby", "$expand", "$search"} & call.query.keys()
        if refused:
            raise GraphError.bad(
                f"{', '.join(sorted(refused))} is not supported with change tracking.", "Request_UnsupportedQuery"
            )
    wanted = asked.size(call, _USUAL_SIZE, _MOST, top=not is_delta)
    fresh = Round("users", wanted, select=asked.selected(call, _KNOWN))
    if is_delta:
        here = rounds.begun(tenant, call, "users", lambda: fresh, owner=("users",))
    else:
        here = rounds.resumed(call.query["$skiptoken"], "users") if "$skiptoken" in call.query else fresh
    rows, links = rounds.page(tenant, call, here, lambda place: _read(tenant, place), is_delta=is_delta)
    context = f"{call.origin}/v1.0/$metadata#users"
    return {"@odata.context": context, **links, "value": [_user(row, here.select) for row in rows]}


def user(tenant: Tenant, call: Call, name: str) -> dict[str, Any]:
    """Answer ``GET /users/{id or user principal name}``."""
    return _user(find(tenant, name), asked.selected(call, _KNOWN))


def find(tenant: Tenant, raw_name: str) -> Row:
    """Return the account of this id or user principal name; raise GraphError when there is none."""
    name = unquote(raw_name)
    found = _rows(tenant, "NOT is_deleted AND (id = ? OR lower(upn) = lower(?))", [name, name])
    if not found:
        message = f"Resource '{name}' does not exist or one of its queried reference-property objects are not present."
        raise GraphError(404, "Request_ResourceNotFound", message)
    return found[0]


def _read(tenant: Tenant, place: Round) -> list[Row]:
    changed = "NOT is_deleted" if place.since is None else f"changed_step > {place.since:d}"
    return _rows(tenant, f"{changed} AND n > ? ORDER BY n LIMIT {place.size + 1:d}", [place.after])


def _rows(tenant: Tenant, condition: str, parameters: list[Any]) -> list[Row]:
    with tenant.world.cursor() as cursor:
        reader = cursor.execute(f"SELECT *, n AS serial FROM microsoft365.account WHERE {condition}", parameters)
        names = [each[0] for each in reader.description or ()]
        return [dict(zip(names, row, strict=True)) for row in reader.fetchall()]


def _user(row: Row, select: tuple[str, ...]) -> dict[str, Any]:
    if row["is_deleted"]:
        return {"id": row["id"], "@removed": {"reason": "changed"}}
    names = [name for name in (row["given"], row["surname"]) if name]
    whole = {
        "id": row["id"],
        "businessPhones": [row["phone"]] if row["phone"] else [],
        "displayName": " ".join(names),
        "givenName": row["given"],
        "jobTitle": row["title"],
        "mail": row["mail"],
        "mobilePhone": row["mobile"],
        "surname": row["surname"],
        "userPrincipalName": row["upn"],
        "companyName": None,
        "accountEnabled": row["is_enabled"],
        "userType": "Guest" if row["kind"] == "guest" else None if row["n"] == _OLDEST else "Member",
        "department": None,
    }
    return asked.narrowed(whole, select or _USUAL)
