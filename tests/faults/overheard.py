"""What a sandbox hears of secrets: whatever a client sends to be let in, and the tokens it is given for it.

Tokens that the vendors' logins make up while the pipeline runs are known to nobody else.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any
from unittest import mock
from urllib.parse import parse_qsl

from gtm_pipelines.sandbox import server
from gtm_pipelines.sandbox.app import build_app
from gtm_pipelines.sandbox.vendors import vendors

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_TELLING = re.compile(r"authorization|key|token|secret|cookie")
_GRANTED = ("access_token", "refresh_token", "id_token", "client_secret", "assertion")


class Overhearing:
    """The sandbox, listened to: ``heard`` has every secret by the vendor that heard it."""

    def __init__(self, app: ASGIApp) -> None:
        """Listen to an app that answers for vendors."""
        self._app = app
        self.heard: dict[str, set[str]] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand everything on."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        heard = self.heard.setdefault("/".join(path.split("/")[1:3]), set())
        heard.update(_offered(scope))
        is_login = any(path.endswith(f"/{each.login_path}") for each in vendors().values() if each.login_path)
        asked, answered = bytearray(), bytearray()

        async def hear() -> Message:
            message = await receive()
            asked.extend(message.get("body", b"") if is_login else b"")
            return message

        async def tell(message: Message) -> None:
            answered.extend(message.get("body", b"") if is_login else b"")
            await send(message)

        await self._app(scope, hear, tell)
        if is_login:
            heard.update(_granted(dict(parse_qsl(asked.decode()))), _granted(_read(bytes(answered))))


@contextmanager
def overheard(worlds: Path) -> Iterator[tuple[str, dict[str, set[str]]]]:
    """Serve the worlds, and give the address and what is heard there."""
    listening: list[Overhearing] = []

    def build(directory: Path) -> ASGIApp:
        listening.append(Overhearing(build_app(directory)))
        return listening[0]

    with mock.patch.object(server, "build_app", build), server.running(worlds) as url:
        yield url, listening[0].heard


def _offered(scope: Scope) -> Iterator[str]:
    """Tell what a client sends to be let in."""
    for name, value in ((each[0].decode("latin-1"), each[1].decode("latin-1")) for each in scope["headers"]):
        if _TELLING.search(name):
            scheme, _, rest = value.partition(" ")
            yield rest or scheme
            if scheme.lower() == "basic":
                yield from filter(None, base64.b64decode(rest).decode().split(":"))


def _granted(fields: dict[str, Any]) -> Iterator[str]:
    return (str(fields[name]) for name in _GRANTED if fields.get(name))


def _read(body: bytes) -> dict[str, Any]:
    try:
        return dict(json.loads(body))
    except ValueError:  # a refusal, in no form
        return {}
