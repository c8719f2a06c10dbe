"""A vendor in memory for descriptors: a function per path, a clock of its own, and a diary of what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from connectors.connector import Connector, ConnectorContext, Cursor, Mode, Page, SyncOptions
from connectors.declarative.engine import generic
from connectors.manifest import parse_manifest
from connectors.runtime.classification import Do, decide, error_for
from connectors.runtime.messages import Request, Response
from tests.stand_ins import MemoryStore

NOW = datetime(2026, 3, 10, 12, 0, tzinfo=UTC)
BASE = "https://api.acme.com/v1"
HEAD = """\
id: acme
name: Acme
description: Things of an Acme workspace.
category: crm
version: 1.0.0
kind: generic
allowed_hosts: [api.acme.com]
auth:
  type: api_key
  delivery: {place: header, name: X-Api-Key, field: api_key}
  fields:
    - {name: api_key, label: API key}
settings:
  - {name: history_days, label: Days, type: integer}
  - {name: folders, label: Folders, type: list, default: [inbox, sent]}
health_check: {path: /me}
ingestion:
  base_url: https://api.acme.com/v1
  pagination: {type: cursor, token_path: next, param: start, page_size: 3, page_size_param: limit}
"""

Answer = Any
Handler = Callable[[Request], Answer]


class Vendor:
    """Answers by path; a path it does not know is a 404. An answer is a body, (status, body) or a ready Response."""

    def __init__(self, **handlers: Handler) -> None:
        self.now = NOW
        self.asked: list[Request] = []
        self.handlers: dict[str, Handler] = {"/me": lambda _: {}}
        self.handlers |= {"/" + name: handler for name, handler in handlers.items()}

    def send(self, request: Request, _auth: Any = None, classify: Any = None) -> Response:
        self.asked.append(request)
        path = urlsplit(request.url.removeprefix(BASE)).path
        handler = self.handlers.get(path)
        answer = handler(request) if handler else (404, {})
        status, body = answer if isinstance(answer, tuple) else (200, answer)
        headers = {"content-type": "application/json", "date": format_datetime(self.now, usegmt=True)}
        response = Response(status, headers, json.dumps(body).encode(), request.url)
        verdict = decide(response, classify)
        if verdict.do is not Do.ACCEPT:
            raise error_for(verdict, response, request.label)
        return response

    def paths(self) -> list[str]:
        """Return the paths asked so far, the probe left out."""
        return [path for request in self.asked if (path := urlsplit(request.url).path.removeprefix("/v1")) != "/me"]


class Read(list[Page]):
    """The pages of one read."""

    @property
    def cursor(self) -> Cursor | None:
        return next((page.cursor for page in reversed(self) if page.cursor is not None), None)

    @property
    def keys(self) -> list[str]:
        return [str(key) for page in self for key in page.rows["external_id"].to_pylist()]

    @property
    def deleted(self) -> set[str]:
        return {row["external_id"] for page in self for row in page.rows.to_pylist() if row["is_deleted"]}


def connect(vendor: Vendor, text: str, **settings: Any) -> Connector:
    handed: Any = vendor  # it stands where the transport does
    context = ConnectorContext(settings, handed, MemoryStore(api_key="key-of-acme"), lambda: NOW)
    return generic(parse_manifest(HEAD + text), Path("missing.yml"))(context)


def read(
    made: Connector,
    entity: str,
    cursor: Any = None,
    mode: Mode = Mode.INCREMENTAL,
    *,
    at: datetime = NOW,
    page_size: int | None = None,
) -> Read:
    """Read to the end; the last page, and no other, says that none follow."""
    pages = Read(made.sync(made.authenticate(), cursor, SyncOptions(entity, mode, at, page_size)))
    assert [page.has_more for page in pages] == [True] * (len(pages) - 1) + [False]
    return pages


def check_resumable(made: Connector, entity: str, pages: Read, *, at: datetime = NOW) -> None:
    """Stopping after any page and going on from its cursor loses nothing."""
    whole = set(pages.keys)
    for number, page in enumerate(pages):
        if page.cursor is not None:
            assert json.loads(json.dumps(page.cursor)) == page.cursor
            before = Read(pages[: number + 1]).keys
            assert whole <= {*before, *read(made, entity, page.cursor, at=at).keys}, f"after page {number + 1}"


def iso(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def paged(rows: list[Any], request: Request, size: int = 3) -> dict[str, Any]:
    """Answer with one page of ``rows``, named by ``start``."""
    params: Any = request.params or {}
    start = int(params.get("start") or 0)
    more = {"next": str(start + size)} if start + size < len(rows) else {}
    return {"data": rows[start : start + size], **more}


def always(answer: Answer) -> Handler:
    """Return a handler that gives the same answer to whatever it is asked."""
    return lambda _: answer
