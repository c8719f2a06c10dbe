"""The ASGI app: reads requests, finds the tenant, lets the vendor answer, and lets faults strike on the way.

The vendors' code is synchronous and runs in threads; only this module and ``disruption.py`` speak ASGI.
"""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from http import HTTPStatus
from time import perf_counter
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from starlette.concurrency import run_in_threadpool
from starlette.routing import Router

from gtm_pipelines.sandbox import control, disruption
from gtm_pipelines.sandbox.poison import poisoned
from gtm_pipelines.sandbox.store import NoWorldError
from gtm_pipelines.sandbox.tenants import Tenant, Tenants
from gtm_pipelines.sandbox.vendors import vendors
from gtm_pipelines.sandbox.wire import Call, as_json
from gtm_pipelines.tenancy import InvalidNameError

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping, Sequence
    from pathlib import Path

    from starlette.types import ASGIApp, Receive, Scope, Send

    from gtm_pipelines.sandbox.vendor import Answer, Vendor


def build_app(directory: Path) -> ASGIApp:
    """Build the sandbox over the worlds in ``directory``. Nothing is opened before the first request."""
    tenants = Tenants(directory)

    @asynccontextmanager
    async def lifespan(_: object) -> AsyncIterator[None]:
        yield
        tenants.close()

    return Router(default=_Sandbox(tenants), lifespan=lifespan)


class _Sandbox:
    def __init__(self, tenants: Tenants) -> None:
        self._tenants = tenants

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        call, name, vendor = _located(scope, await _body(receive))
        try:
            tenant = await run_in_threadpool(self._tenants.get, name)
        except (NoWorldError, InvalidNameError) as error:
            await disruption.send(send, as_json({"error": str(error)}, 404), None)
            return
        known = vendors().get(vendor)
        if known is None or known.answer is None or known.id not in tenant.world.vendors:
            await disruption.send(send, await run_in_threadpool(control.answer, tenant, call), None)
            return
        await _vendor(tenant, known, known.answer, call, send)


async def _vendor(tenant: Tenant, vendor: Vendor, answer: Answer, call: Call, send: Send) -> None:
    """Let a vendor answer, with its faults, and write it down."""
    began = perf_counter()
    faults = tenant.faults[vendor.id]
    if faults.slow_ms:
        await asyncio.sleep(faults.slow_ms / 1000)
    is_read = call.path != vendor.login_path
    reply = disruption.before(vendor, faults) if is_read else None
    if reply is None:
        reply = await run_in_threadpool(answer, tenant, call)
    is_good = reply.status == HTTPStatus.OK  # only a good answer is worth spoiling
    fault = disruption.after(faults) if is_read and is_good else None
    if is_good and faults.poison_next:
        reply = poisoned(vendor, reply, faults)
    reply.headers["date"] = await run_in_threadpool(control.world_date, tenant)
    tenant.ledger.add(
        vendor=vendor.id,
        method=call.method,
        path=call.path,
        query=dict(call.query),
        status=reply.status,
        bytes=len(reply.body),
        milliseconds=round((perf_counter() - began) * 1000, 2),
        note=fault or reply.note,
    )
    await disruption.send(send, reply, fault)


async def _body(receive: Receive) -> bytes:
    parts = []
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        if not message.get("more_body"):
            return b"".join(parts)


def _located(scope: Scope, body: bytes) -> tuple[Call, str, str]:
    """Read a request as a call, the tenant's name and the vendor's (or an underscored path of the sandbox's own).

    Some vendors' clients know a host and no path before the vendor's own; there their credential says whose it is.
    """
    raw_path = scope.get("raw_path", scope["path"].encode()).split(b"?")[0]
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    parts = raw_path.decode("latin-1").lstrip("/").split("/")
    name, vendor, path = _claimed(parts, headers) or (parts[0], "".join(parts[1:2]), "/".join(parts[2:]))
    pairs = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    call = Call(
        method=scope["method"],
        path="/".join(filter(None, (vendor, path))) if vendor.startswith("_") else path,
        query=dict(pairs),
        headers=headers,
        body=body,
        origin=f"{scope['scheme']}://{headers.get('host', '127.0.0.1')}",
        size=len(raw_path) + len(scope["query_string"]) + sum(len(key) + len(value) for key, value in scope["headers"]),
        pairs=pairs,
    )
    return call, name, vendor


def _claimed(parts: Sequence[str], headers: Mapping[str, str]) -> tuple[str, str, str] | None:
    """Return tenant, vendor and path of a request that a vendor knows as its own by its path and credential."""
    for vendor in vendors().values():
        tenant = vendor.claims(parts, headers) if vendor.claims is not None else None
        if tenant is not None:
            return tenant, vendor.id, "/".join(parts)
    return None
