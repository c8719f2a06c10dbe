"""Faults of the transport: what happens to a request before a vendor sees it, and to an answer on its way out."""

from __future__ import annotations

import asyncio
import gzip
import socket
import struct
import zlib
from functools import cache
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from gtm_pipelines.sandbox.wire import Reply

if TYPE_CHECKING:
    from starlette.types import Send

    from gtm_pipelines.sandbox.faults import Faults
    from gtm_pipelines.sandbox.vendor import Vendor

_LOGIN_PAGE = b"<!DOCTYPE html><html><head><title>Login</title></head><body><form>Please log in</form></body></html>"
_JSON = {"content-type": "application/json"}
_HANG_S = 3600
_BOMB_BYTES = 1 << 30
_GZIP_HEADER = bytes.fromhex("1f8b08000000000002ff")
_RESET = struct.pack("ii", 1, 0)  # linger for no time: closing sends RST


def before(vendor: Vendor, faults: Faults) -> Reply | None:
    """Return the answer of a fault that strikes before the vendor looks at the request, if one is due."""
    if faults.take("rate_limit_next"):
        waits = {"retry-after": faults.retry_after} if faults.retry_after is not None else {}
        return Reply(429, vendor.busy, {**_JSON, **waits}, "rate_limit_next")
    if faults.take("server_error_next"):
        return Reply(faults.server_error_status, vendor.down, dict(_JSON), "server_error_next")
    if faults.take("status_next"):
        return Reply(faults.status, b"", {}, "status_next")
    if faults.take("html_login_next"):
        return Reply(200, _LOGIN_PAGE, {"content-type": "text/html;charset=UTF-8"}, "html_login_next")
    if faults.take("redirect_next"):
        return Reply(302, b"", {"location": faults.redirect_to}, "redirect_next")
    return None


def after(faults: Faults) -> str | None:
    """Return the name of the fault that strikes a good answer on its way out, if one is due."""
    names = ("reset_before_next", "reset_next", "truncate_next", "gzip_cut_next", "hang_next", "drip_next", "bomb_next")
    return next((name for name in names if faults.take(name)), None)


async def send(send: Send, reply: Reply, fault: str | None) -> None:
    """Send an answer the way ``fault`` has it."""
    if fault is None:
        await _whole(send, reply)
    else:
        await _WAYS[fault](send, reply)


async def _start(send: Send, reply: Reply, length: int | None, **more: str) -> None:
    headers = {
        **reply.headers,
        **({} if length is None else {"content-length": str(length)}),
        **{name.replace("_", "-"): value for name, value in more.items()},
    }
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": raw})


async def _whole(send: Send, reply: Reply) -> None:
    await _start(send, reply, len(reply.body))
    await send({"type": "http.response.body", "body": reply.body})


async def _reset_before(send: Send, reply: Reply) -> None:
    del reply
    _abort(send)


async def _reset(send: Send, reply: Reply) -> None:
    await _start(send, reply, len(reply.body))
    await send({"type": "http.response.body", "body": reply.body[: len(reply.body) // 2], "more_body": True})
    await asyncio.sleep(0.05)  # let the half reach the client before the reset throws away what is on its way
    _abort(send)


async def _truncate(send: Send, reply: Reply) -> None:
    await _whole(send, Reply(reply.status, reply.body[: len(reply.body) // 2], reply.headers))


async def _gzip_cut(send: Send, reply: Reply) -> None:
    packed = gzip.compress(reply.body, 1)
    await _whole(send, Reply(reply.status, packed[: len(packed) // 2], {**reply.headers, "content-encoding": "gzip"}))


async def _hang(send: Send, reply: Reply) -> None:
    await _start(send, reply, len(reply.body))
    await send({"type": "http.response.body", "body": b"", "more_body": True})
    await asyncio.sleep(_HANG_S)


async def _drip(send: Send, reply: Reply) -> None:
    await _start(send, reply, len(reply.body))
    for at in range(len(reply.body)):
        await send({"type": "http.response.body", "body": reply.body[at : at + 1], "more_body": True})
        await asyncio.sleep(1)
    await send({"type": "http.response.body", "body": b""})


async def _bomb(send: Send, reply: Reply) -> None:
    packed = await run_in_threadpool(_bomb_bytes)
    await _whole(send, Reply(reply.status, packed, {**reply.headers, "content-encoding": "gzip"}))


@cache
def _bomb_bytes() -> bytes:
    """Write 1 GiB of spaces as gzip: one flushed block over and over, which takes no time to pack."""
    block = b" " * (1 << 20)
    times = _BOMB_BYTES // len(block)
    packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
    packed = packer.compress(block) + packer.flush(zlib.Z_FULL_FLUSH)
    checksum = 0
    for _ in range(times):
        checksum = zlib.crc32(block, checksum)
    end = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS).flush()
    return _GZIP_HEADER + packed * times + end + struct.pack("<II", checksum, _BOMB_BYTES)


def _abort(send: Send) -> None:
    """Reset the connection. ASGI has no word for it, so this reaches for the transport of uvicorn's request cycle."""
    cycle = getattr(send, "__self__")  # noqa: B009  ``send`` is a bound method under uvicorn, which its type does not say
    transport = cycle.transport
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    transport.abort()


_WAYS = {
    "reset_before_next": _reset_before,
    "reset_next": _reset,
    "truncate_next": _truncate,
    "gzip_cut_next": _gzip_cut,
    "hang_next": _hang,
    "drip_next": _drip,
    "bomb_next": _bomb,
}
