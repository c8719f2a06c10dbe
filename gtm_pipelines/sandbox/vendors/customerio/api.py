"""Customer.io's App API over a world: what each path answers and when it refuses."""

from __future__ import annotations

from secrets import compare_digest
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gtm_pipelines.sandbox.vendors.customerio import history, people
from gtm_pipelines.sandbox.vendors.customerio.errors import CustomerioError
from gtm_pipelines.sandbox.vendors.customerio.faults import CustomerioFaults
from gtm_pipelines.sandbox.vendors.customerio.limit import Limiter
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_MUST_BE_ENCODED = frozenset("+@&")


def app_api_key(tenant: str) -> str:
    """Return the workspace's App API key; fixed, for this is a sandbox."""
    return f"sandbox-cio-{tenant}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/customerio/``."""
    try:
        return as_json(_reads(tenant, call))
    except CustomerioError as error:
        reply = as_json(
            {"errors": [{"detail": error.detail, "status": str(error.status)}]}, error.status, **error.headers
        )
        return Reply(reply.status, reply.body, reply.headers, error.detail)


def _reads(tenant: Tenant, call: Call) -> dict[str, Any]:
    faults = tenant.faults_of(CustomerioFaults)
    if tenant.state(Limiter).admit(faults.requests_per_second) < 0:
        raise CustomerioError(429, "too many requests", retry_after="1")
    scheme, _, key = call.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not compare_digest(key.encode(), app_api_key(tenant.id).encode()) or faults.revoke_key:
        raise CustomerioError(401, "unauthorized")
    version, _, path = call.path.rstrip("/").partition("/")
    parts = path.split("/")
    if version != "v1":
        raise CustomerioError.not_found()
    if parts[0] in faults.forbid_path:
        raise CustomerioError(403, "forbidden")
    return _resource(tenant, call, parts)


def _resource(tenant: Tenant, call: Call, parts: list[str]) -> dict[str, Any]:
    match call.method, parts:
        case "POST", ["customers", *rest] if rest in ([], ["attributes"]):
            return people.attributes(tenant, call) if rest else people.search(tenant, call)
        case "GET", ["customers", raw_id, what]:
            return _about(tenant, call, raw_id, what)
        case "GET", ["activities" | "messages" as what]:
            return _history(tenant, call, what, _whose(tenant, call))
        case "GET", ["segments", segment, "membership"]:
            return people.members(tenant, call, segment)
        case "GET", _:
            return _setup(tenant, parts)
    raise CustomerioError.not_found()


def _history(tenant: Tenant, call: Call, what: str, cio_id: str | None) -> dict[str, Any]:
    return (history.activities if what == "activities" else history.messages)(tenant, call, cio_id)


def _about(tenant: Tenant, call: Call, raw_id: str, what: str) -> dict[str, Any]:
    """One person's history. An id with + @ & left bare in the path finds nobody, and says so with an empty list."""
    lists = {"activities": "activities", "messages": "messages", "segments": "segments"}
    if what in lists and _MUST_BE_ENCODED & set(raw_id):
        return {lists[what]: []}
    found = people.profiles(tenant, people.id_type(call), [_folded(call, unquote(raw_id))])
    if not found:
        raise CustomerioError.not_found()
    cio_id = found[0]["identifiers"]["cio_id"]
    match what:
        case "attributes":
            return {"customer": found[0]}
        case "activities" | "messages":
            return _history(tenant, call, what, cio_id)
        case "segments":
            return {"segments": people.segments_of(tenant, cio_id)}
    raise CustomerioError.not_found()


def _whose(tenant: Tenant, call: Call) -> str | None:
    """Return the cio_id that ``customer_id`` of a query means; one nobody has matches nothing."""
    asked = call.query.get("customer_id")
    if asked is None:
        return None
    found = people.profiles(tenant, people.id_type(call), [_folded(call, asked)])
    return str(found[0]["identifiers"]["cio_id"]) if found else ""


def _folded(call: Call, given: str) -> str:
    return given.lower() if call.query.get("id_type") == "email" else given


def _setup(tenant: Tenant, parts: list[str]) -> dict[str, Any]:
    """Answer with what the workspace was set up with: no paging, no filter."""
    match parts:
        case ["campaigns" | "newsletters" | "segments" as what]:
            return {what: _table(tenant, what.removesuffix("s"))}
        case ["broadcasts"]:
            return {"broadcasts": []}
        case ["workspaces"]:
            return {"workspaces": [{"id": 1, "name": f"Sandbox of {tenant.id}"}]}
        case ["campaigns" | "segments" as what, number] if number.isdecimal():
            found = [each for each in _table(tenant, what.removesuffix("s")) if each["id"] == int(number)]
            if found:
                return {what.removesuffix("s"): found[0]}
        case ["campaigns", number, "actions"] if number.isdecimal():
            actions = [
                {"id": str(40 + each), "campaign_id": int(number), "type": "email"}
                for each in range(12)
                if each % 6 == int(number) - 1
            ]
            return {"actions": actions, "next": ""}
    raise CustomerioError.not_found()


def _table(tenant: Tenant, name: str) -> list[dict[str, Any]]:
    with tenant.world.cursor() as cursor:
        reader = cursor.execute(f"SELECT * FROM customerio.{name} ORDER BY id")
        names = [each[0] for each in reader.description or ()]
        return [dict(zip(names, row, strict=True)) for row in reader.fetchall()]
