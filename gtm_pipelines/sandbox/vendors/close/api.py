"""Close's API over a world: what each path answers and when it refuses."""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.close import events, lists, records, search
from gtm_pipelines.sandbox.vendors.close.errors import CloseError
from gtm_pipelines.sandbox.vendors.close.faults import CloseFaults
from gtm_pipelines.sandbox.vendors.close.limit import Limiter
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_CUSTOMISED = ("lead", "contact", "opportunity", "activity", "shared")
_LABELS = {"lead": ["Potential", "Qualified", "Customer", "Bad Fit"], "opportunity": ["Active", "Won", "Lost"]}
_STATUSES = {
    kind: [{"id": f"stat_{label.lower().replace(' ', '')}", "label": label} for label in labels]
    for kind, labels in _LABELS.items()
}


def api_key(tenant: str) -> str:
    """Return an API key of the organisation; fixed, for this is a sandbox."""
    return f"api_sandbox.{tenant}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/close/``; every answer tells what the limit leaves."""
    faults = tenant.faults_of(CloseFaults)
    left = tenant.state(Limiter).admit(faults.requests_per_second)
    told = {"ratelimit": f"limit={int(faults.requests_per_second)}, remaining={max(left, 0)}, reset=1"}
    if left < 0:
        return _said(CloseError(429, "API call count exceeded"), told | {"retry-after": "1"})
    try:
        reply = as_json(_reads(tenant, call, faults))
    except CloseError as error:
        return _said(error, told)
    reply.headers.update(told)
    return reply


def _said(error: CloseError, headers: dict[str, str]) -> Reply:
    reply = as_json(error.body, error.status)
    return Reply(reply.status, reply.body, reply.headers | headers, str(error))


def _reads(tenant: Tenant, call: Call, faults: CloseFaults) -> Any:
    if _given_key(call) != api_key(tenant.id) or faults.revoke_key:
        raise CloseError(401, "Unauthorized")
    if not call.path.startswith("api/v1/"):
        raise _missing()
    if not call.path.endswith("/"):
        raise CloseError(404, "The requested URL was not found on the server: it ends with a slash.")
    parts = call.path.removeprefix("api/v1/").strip("/").split("/")
    if parts[0] in faults.forbid:
        raise CloseError(403, "You don't have permission to do this.")
    if call.method == "POST" and parts == ["data", "search"]:
        return search.search(tenant, call)
    if call.method != "GET":
        raise CloseError(405, "The method is not allowed for the requested URL.")
    return _got(tenant, call, parts)


def _got(tenant: Tenant, call: Call, parts: list[str]) -> Any:
    match parts:
        case ["me"]:
            return records.rows(tenant, records.Asked("user", order="n", limit=1))[0]
        case ["event"]:
            return events.events(tenant, call.query)
        case ["status", kind] if kind in _STATUSES:
            return {"data": _STATUSES[kind], "has_more": False}
        case [name, record_id] if name in lists.LISTINGS and "_" in record_id:
            return records.one(tenant, name, record_id)
    return _list(tenant, call, parts)


def _list(tenant: Tenant, call: Call, parts: list[str]) -> Any:
    match parts:
        case [name] if name in lists.LISTINGS:
            return lists.listed(tenant, name, call.query)
        case ["activity", kind]:
            return lists.listed(tenant, "activity", call.query, kind)
        case ["custom_field", kind] if kind in _CUSTOMISED:  # the shared ones are in no list but their own
            return lists.listed(tenant, "custom_field", call.query, kind)
        case ["custom_field_schema", kind] if kind in _CUSTOMISED[:-1]:
            return lists.schema(tenant, kind)
    raise _missing()


def _given_key(call: Call) -> str:
    """Read the key, which is the user of HTTP Basic with an empty password."""
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    try:
        return base64.b64decode(value).decode().removesuffix(":") if scheme == "Basic" else ""
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _missing() -> CloseError:
    return CloseError(404, "The requested URL was not found on the server.")
