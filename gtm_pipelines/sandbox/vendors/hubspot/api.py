"""HubSpot's API: every request comes in here. Paths of v3, v4 and of the dated versions lead to the same answers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.hubspot import account, associations, records, search, tokens
from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults
from gtm_pipelines.sandbox.vendors.hubspot.limits import Limits, usage
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

DATED = ("2026-03", "2026-09")
_LONGEST_URL = 16_384
_AREAS = ("objects", "associations", "owners", "properties")
Answer = tuple[dict[str, Any], int]


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request as HubSpot would."""
    parts = [part for part in call.path.split("/") if part]
    try:
        match parts:
            case ["oauth", "v1" | "v3" | "2026-03" | "2026-09", "token"]:
                return tokens.answer(tenant, call)
            case ["oauth", "v1", "access-tokens", token]:
                return as_json(tokens.introspect(tenant, token))
        return _authorised(tenant, call, parts)
    except HubspotError as error:
        return Reply(
            error.status,
            as_json(error.body).body,
            {"content-type": "application/json;charset=utf-8", **error.headers},
            str(error.body.get("policyName") or error.body["category"]),
        )


def _authorised(tenant: Tenant, call: Call, parts: list[str]) -> Reply:
    faults = tenant.faults_of(HubspotFaults)
    refusal = tokens.check(tenant, call)
    if refusal is not None:
        return refusal
    if call.size > _LONGEST_URL:
        return Reply(414, b"", {"content-type": "text/plain"}, "uri too long")
    if faults.take("migrating_next"):
        return Reply(477, b"", {"content-type": "text/plain", "retry-after": "2"}, "migrating_next")
    headers = tenant.state(Limits).admit(faults, is_search=parts[-1:] == ["search"])
    shown, status = _resource(tenant, call, parts)
    reply = as_json(shown, status)
    reply.headers.update(headers)
    return reply


def _resource(tenant: Tenant, call: Call, parts: list[str]) -> Answer:
    match _undated(parts):
        case ["account-info", "details"]:
            return account.details(), 200
        case ["account-info", "api-usage", "daily", *_]:
            return {"results": [usage(tenant)]}, 200
        case ["objects", name, *rest]:
            return _objects(tenant, call, name, rest)
        case ["associations", source, target, "batch", "read"] if call.method == "POST":
            _check_scope(tenant, source)
            flat = parts[1] == "v3"
            return associations.batch(tenant, source, target, records.body(call), flat=flat)
        case ["owners"]:
            _check_scope(tenant, "owners")
            return account.owners(tenant, call), 200
        case ["properties", name]:
            _check_scope(tenant, name)
            return account.properties(tenant, associations.found_object(name)), 200
    raise HubspotError.not_found()


def _undated(parts: list[str]) -> list[str]:
    """Take the version out of a path: it stands before the area (v3, v4) or after it (a date)."""
    match parts:
        case ["crm", "v3" | "v4", area, *rest] if area in _AREAS:
            return [area, *rest]
        case ["crm", area, version, *rest] if area in _AREAS and version in DATED:
            return [area, *rest]
        case ["account-info", version, *rest] if version in ("v3", *DATED):
            return ["account-info", *rest]
    raise HubspotError.not_found(f"No such path: /{'/'.join(parts)}")


def _objects(tenant: Tenant, call: Call, name: str, rest: list[str]) -> Answer:
    _check_scope(tenant, name)
    kind = associations.found_object(name)
    match call.method, rest:
        case "GET", []:
            return records.listed(tenant, call, kind), 200
        case "POST", ["search"]:
            return search.answer(tenant, kind, records.body(call)), 200
        case "POST", ["batch", "read"]:
            return records.batch(tenant, call, kind)
        case "GET", [key]:
            return records.one(tenant, call, kind, key), 200
        case "GET", [key, "associations", target]:
            return associations.of_one(tenant, name, key, target, dict(call.query)), 200
    raise HubspotError(405, "METHOD_NOT_ALLOWED", "the sandbox is read only")


def _check_scope(tenant: Tenant, name: str) -> None:
    if name in tenant.faults_of(HubspotFaults).forbid_object:
        scope = f"crm.objects.{name}.read"
        raise HubspotError(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call.",
            errors=[
                {"message": "One or more of these scopes are required.", "context": {"requiredGranularScopes": [scope]}}
            ],
        )
