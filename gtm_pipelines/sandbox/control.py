"""The sandbox's own paths, which no vendor has: moving time, switching faults, reading the truth and the ledger."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from gtm_pipelines.sandbox import exports, faults, ground_truth, motion
from gtm_pipelines.sandbox.salesforce import jwt, oauth
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_MOST_STEPS = 400


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer ``/<tenant>/_…``; wrong use is answered with 400 and one sentence."""
    try:
        return _answer(tenant, call)
    except (ValueError, LookupError) as error:
        return as_json({"error": str(error)}, 400)


def _answer(tenant: Tenant, call: Call) -> Reply:
    match call.method, call.path.split("/"):
        case "POST", ["_advance"]:
            return as_json(_advance(tenant, int(call.query.get("steps", "1"))))
        case "POST", ["_files"]:
            with tenant.world.cursor() as cursor:
                exports.write(cursor, tenant.world.path.parent / "files")
            return as_json({"folder": str(tenant.world.path.parent / "files")})
        case "GET", ["_now"]:
            return as_json({"now": tenant.world.now().isoformat()})
        case "GET", ["_truth", name] if name in ground_truth.TABLES:
            return _truth(tenant, name, call.query.get("format", "json"))
        case "GET", ["_faults"]:
            return as_json(_faults(tenant))
        case "PUT", ["_faults"]:
            _set_faults(tenant, orjson.loads(call.body))
            return as_json(_faults(tenant))
        case "DELETE", ["_faults"]:
            _set_faults(tenant, dict.fromkeys(faults.VENDORS, {}))
            return as_json(_faults(tenant))
        case "GET", ["_ledger"]:
            return as_json(tenant.ledger.entries(call.query.get("vendor")))
        case "DELETE", ["_ledger"]:
            tenant.ledger.clear()
            return as_json([])
        case "PUT", ["_jwt_key"]:
            jwt.store_key(tenant, call.body)
            return as_json({"stored": True})
        case "POST", ["_reconnect"]:
            oauth.reset_refresh_tokens(tenant)
            tenant.sessions.expire()
            return as_json({"refresh_token": "as at first"})
    return as_json({"error": f"the sandbox has no {call.method} {call.path}"}, 404)


def _advance(tenant: Tenant, steps: int) -> dict[str, Any]:
    if not 1 <= steps <= _MOST_STEPS:
        raise ValueError(f"steps must be 1 to {_MOST_STEPS}, not {steps}")
    with tenant.world.cursor() as cursor:
        moved = motion.move(cursor, tenant.world.path.parent, steps)
    tenant.sessions.start_day()
    return moved.as_dict()


def _truth(tenant: Tenant, name: str, form: str) -> Reply:
    import pyarrow as pa  # noqa: PLC0415  slow to import, only needed here

    with tenant.world.cursor() as cursor:
        table = ground_truth.table(cursor, name)
    if form != "arrow":
        return as_json(table.to_pylist())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Reply(200, sink.getvalue().to_pybytes(), {"content-type": "application/vnd.apache.arrow.stream"})


def _faults(tenant: Tenant) -> dict[str, Any]:
    return {"salesforce": tenant.salesforce_faults.model_dump(), "customerio": tenant.customerio_faults.model_dump()}


def _set_faults(tenant: Tenant, given: Any) -> None:
    """Replace the faults of each vendor named; the others stay. Nothing changes if any of them cannot be read."""
    if not isinstance(given, dict):
        raise ValueError('faults are given per vendor, as in {"salesforce": {"rate_limit_next": 3}}')  # noqa: TRY004  answered as 400 like other wrong values
    unknown = given.keys() - faults.VENDORS.keys()
    if unknown:
        raise ValueError(f"no such vendor: {', '.join(sorted(unknown))}; there are {', '.join(faults.VENDORS)}")
    try:
        read = {vendor: faults.read(vendor, named) for vendor, named in given.items()}
    except ValidationError as error:
        raise ValueError("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None
    for vendor, each in read.items():
        setattr(tenant, f"{vendor}_faults", each)


def world_date(tenant: Tenant) -> str:
    """The world's present as a ``Date`` header."""
    return format_datetime(tenant.world.now(), usegmt=True)
