"""The sandbox's own paths, which no vendor has: moving time, switching faults, reading the truth and the ledger."""

from __future__ import annotations

from email.utils import format_datetime
from typing import TYPE_CHECKING, Any

import orjson
from pydantic import ValidationError

from gtm_pipelines.sandbox import exports, faults, ground_truth, motion
from gtm_pipelines.sandbox.vendors import vendors
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.sandbox.tenants import Tenant

_MOST_STEPS = 400


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer ``/<tenant>/_…``; wrong use is answered with 400 and one sentence."""
    acts = _acts()
    act = acts.get(f"{call.method} {call.path}")
    if act is None:
        return as_json({"error": f"the sandbox has no {call.method} {call.path}; it has {', '.join(acts)}"}, 404)
    try:
        return act(tenant, call)
    except (ValueError, LookupError) as error:
        return as_json({"error": str(error)}, 400)


def _advance(tenant: Tenant, call: Call) -> Reply:
    steps = int(call.query.get("steps", "1"))
    if not 1 <= steps <= _MOST_STEPS:
        raise ValueError(f"steps must be 1 to {_MOST_STEPS}, not {steps}")
    with tenant.world.cursor() as cursor:
        moved = motion.move(cursor, tenant.world.path.parent, steps)
    tenant.start_day()
    return as_json(moved.as_dict())


def _files(tenant: Tenant, call: Call) -> Reply:
    del call
    folder = tenant.world.path.parent / "files"
    with tenant.world.cursor() as cursor:
        exports.write(cursor, folder)
    return as_json({"folder": str(folder)})


def _truth(tenant: Tenant, call: Call) -> Reply:
    import pyarrow as pa

    with tenant.world.cursor() as cursor:
        table = ground_truth.table(cursor, call.path.rpartition("/")[2])
    if call.query.get("format") != "arrow":
        return as_json(table.to_pylist())
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return Reply(200, sink.getvalue().to_pybytes(), {"content-type": "application/vnd.apache.arrow.stream"})


def _faults(tenant: Tenant) -> Reply:
    return as_json({name: each.model_dump() for name, each in tenant.faults.items()})


def _set_faults(tenant: Tenant, given: Any) -> None:
    """Replace the faults of each vendor named; the others stay. Nothing changes if any of them cannot be read."""
    if not isinstance(given, dict):
        raise ValueError('faults are given per vendor, as in {"salesforce": {"rate_limit_next": 3}}')  # noqa: TRY004  answered as 400 like other wrong values
    known = vendors()
    unknown = given.keys() - known.keys()
    if unknown:
        raise ValueError(f"no such vendor: {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    try:
        read = {vendor: faults.read(known[vendor].faults, named) for vendor, named in given.items()}
    except ValidationError as error:
        raise ValueError("; ".join(f"{each['loc'][0]}: {each['msg']}" for each in error.errors())) from None
    tenant.faults.update(read)


def _put_faults(tenant: Tenant, call: Call) -> Reply:
    _set_faults(tenant, orjson.loads(call.body))
    return _faults(tenant)


def _clear_faults(tenant: Tenant, call: Call) -> Reply:
    del call
    _set_faults(tenant, {vendor: {} for vendor in vendors()})
    return _faults(tenant)


def _clear_ledger(tenant: Tenant, call: Call) -> Reply:
    del call
    tenant.ledger.clear()
    return as_json([])


_ACTS: dict[str, Callable[[Tenant, Call], Reply]] = {
    "POST _advance": _advance,
    "POST _files": _files,
    "GET _now": lambda tenant, _: as_json({"now": tenant.world.now().isoformat()}),
    "GET _faults": lambda tenant, _: _faults(tenant),
    "PUT _faults": _put_faults,
    "DELETE _faults": _clear_faults,
    "GET _ledger": lambda tenant, call: as_json(tenant.ledger.entries(call.query.get("vendor"))),
    "DELETE _ledger": _clear_ledger,
    **{f"GET _truth/{name}": _truth for name in ground_truth.TABLES},
}


def _acts() -> dict[str, Callable[[Tenant, Call], Reply]]:
    """Return the sandbox's own paths, and those that vendors add."""
    theirs = {path: act for vendor in vendors().values() for path, act in vendor.acts.items()}
    return {**theirs, **_ACTS}


def world_date(tenant: Tenant) -> str:
    """Write the world's present as a ``Date`` header."""
    return format_datetime(tenant.world.now(), usegmt=True)
