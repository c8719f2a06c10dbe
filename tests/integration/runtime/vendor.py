"""A scripted vendor on loopback: answers bytes as told, keeps a ledger of what was asked, and when."""

from __future__ import annotations

import socket
import socketserver
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass
class Asked:
    """One request as it arrived, and the virtual time it arrived at."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes
    at: float


@dataclass
class Reply:
    """What to answer: a normal response, raw bytes, or a drip of single bytes."""

    status: int = 200
    body: bytes = b"{}"
    headers: Mapping[str, str] = field(default_factory=dict)
    raw: bytes | None = None
    drip: float | None = None
    reset: bool = False
    hang: bool = False

    def data(self) -> bytes:
        if self.raw is not None:
            return self.raw
        headers = {"Content-Type": "application/json", "Content-Length": str(len(self.body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
        return f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}\r\n{head}\r\n".encode() + self.body


class Vendor:
    """Answers from a script; the last reply is repeated. A callable in the script sees the request."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.asked: list[Asked] = []
        self.script: list[Reply | Callable[[Asked], Reply]] = [Reply()]
        self._now = now
        self._lock = threading.Lock()
        vendor = self

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                while vendor.serve(self):
                    pass

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler, bind_and_activate=True)
        self._server.daemon_threads = True
        self.origin = f"http://127.0.0.1:{self._server.server_address[1]}"
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def serve(self, handler: socketserver.StreamRequestHandler) -> bool:
        line = handler.rfile.readline().decode("latin-1").split()
        if not line:
            return False
        headers: dict[str, str] = {}
        while (text := handler.rfile.readline().decode("latin-1").strip()) != "":
            name, _, value = text.partition(":")
            headers[name.lower()] = value.strip()
        body = handler.rfile.read(int(headers.get("content-length", 0)))
        asked = Asked(line[0], line[1], headers, body, self._now())
        with self._lock:
            self.asked.append(asked)
            step = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        reply = step if isinstance(step, Reply) else step(asked)
        return self._answer(handler, reply)

    def _answer(self, handler: socketserver.StreamRequestHandler, reply: Reply) -> bool:
        try:
            if reply.reset:
                handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01\x00\x00\x00\x00\x00\x00\x00")
                handler.connection.close()
                return False
            if reply.hang:
                time.sleep(2)
                return False
            data = reply.data()
            if reply.drip is None:
                handler.wfile.write(data)
                return reply.raw is None
            for at in range(len(data)):
                handler.wfile.write(data[at : at + 1])
                time.sleep(reply.drip)
        except OSError:
            return False
        return True

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
