"""Delivr.ai's API over a world: the public one below ``/api``, and the older one below ``/v1``.

Both descriptions of the vendor are public and contradict each other; the sandbox speaks both. What is billed is noted
in the ledger as ``charged N``.
"""

from __future__ import annotations

from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.delivr import audiences, events, intent
from gtm_pipelines.sandbox.vendors.delivr.errors import DelivrError
from gtm_pipelines.sandbox.vendors.delivr.faults import DelivrFaults
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_BILLED = ("rows", "results")


def api_key(tenant: str) -> str:
    """Return the organisation's key; fixed, for this is a sandbox."""
    return f"dlvr_sandbox-{tenant}"


def api_secret(tenant: str) -> str:
    """Return the secret that belongs to the key."""
    return f"delivr-secret-{tenant}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/delivr/``."""
    try:
        body = _reads(tenant, call)
    except DelivrError as error:
        reply = as_json(error.body, error.status, **error.headers)
        return Reply(reply.status, reply.body, reply.headers, str(error))
    billed = body.get("response", body)
    charged = next((len(billed[name]) for name in _BILLED if name in billed), None)
    reply = as_json(body)
    return Reply(reply.status, reply.body, reply.headers, "" if charged is None else f"charged {charged}")


def _reads(tenant: Tenant, call: Call) -> dict[str, Any]:
    parts = call.path.strip("/").split("/")
    is_known = _is(call, "x-api-key", api_key(tenant.id)) and (
        parts[0] != "api" or _is(call, "x-api-secret", api_secret(tenant.id))
    )
    if not is_known or tenant.faults_of(DelivrFaults).revoke_key:
        raise DelivrError(401, "unauthorized")
    match call.method, parts:
        case "GET", ["api", *rest]:
            return _public(tenant, call, rest)
        case "POST", ["api", "v1", "intent", "people"]:
            return intent.people(tenant, call)
        case "GET", ["v1", "health"]:
            return {"status": "ok"}
        case "GET", ["v1", "intent-signals"]:
            return intent.signals(tenant, call)
    raise DelivrError.not_found()


def _public(tenant: Tenant, call: Call, parts: list[str]) -> dict[str, Any]:
    match parts:
        case ["v1", "whoami"]:
            return {"response": _whoami(tenant.id)}
        case ["v3", "events", tier]:
            return events.rows(tenant, call, tier)
        case ["v3", "events", tier, "schema"]:
            return events.schema(tenant, tier)
        case ["v1", "event_counts"]:
            return events.counts(tenant, call)
        case ["v1", "audiences", *rest]:
            return audiences.answer(tenant, call, rest)
        case ["v1", "taxonomy", "topics"]:
            return intent.topics(tenant)
    raise DelivrError.not_found()


def _whoami(tenant: str) -> dict[str, Any]:
    return {
        "api_client_id": f"client-{tenant}",
        "organization": {"organization_id": f"org-{tenant}", "name": f"Sandbox of {tenant}"},
        "projects": [{"project_id": events.project_id(tenant), "name": "Website"}],
    }


def _is(call: Call, header: str, expected: str) -> bool:
    return compare_digest(call.headers.get(header, "").encode(), expected.encode())
