"""Microsoft Graph over a world: what each path answers and when it refuses. The login lies below the same root."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.microsoft365 import asked, directory, login, outlook
from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.vendors.microsoft365.rounds import Row


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/microsoft365/``."""
    parts = call.path.rstrip("/").split("/")
    try:
        if parts[0] not in {"v1.0", "beta"}:
            return login.answer(tenant, call, parts)
        login.check(tenant, call)
        reply = as_json(_resource(tenant, call, parts[1:]))
    except GraphError as error:
        return error.reply(tenant.world.now())
    return Reply(reply.status, reply.body, reply.headers, "" if asked.wants_immutable(call) else "ids that change")


def _resource(tenant: Tenant, call: Call, parts: list[str]) -> dict[str, Any]:
    if call.method != "GET":
        said = f"Specified HTTP method '{call.method}' is not allowed for the request target."
        raise GraphError(405, "Request_BadRequest", said)
    match parts:
        case ["organization"]:
            return directory.organization(call)
        case ["users"]:
            return directory.users(tenant, call, is_delta=False)
        case ["users", "delta" | "delta()" | "microsoft.graph.delta()"]:
            return directory.users(tenant, call, is_delta=True)
        case ["users", name]:
            return directory.user(tenant, call, name)
        case ["users", name, *rest]:
            return _mailbox(tenant, call, name, rest)
    raise GraphError.no_segment(parts[0] if parts else "")


def _mailbox(tenant: Tenant, call: Call, name: str, parts: list[str]) -> dict[str, Any]:
    owner = outlook.mailbox(tenant, name)
    is_delta = parts[-1] in {"delta", "delta()", "microsoft.graph.delta()"}
    if parts[0] in {"calendar", "calendars"}:  # everybody has one calendar, whichever way it is called
        parts = parts[1:] if parts[0] == "calendar" else parts[2:]
    plain = parts[:-1] if is_delta else parts
    if is_delta and plain not in (["calendarView"], ["mailFolders", *plain[1:2], "messages"]):
        raise GraphError.no_segment("delta")
    match plain:
        case ["calendarView"]:
            return outlook.calendar(tenant, call, owner, is_delta=is_delta)
        case ["mailFolders", folder, "messages"]:
            return outlook.messages(tenant, call, owner, folder.lower(), is_delta=is_delta)
        case ["events" | "messages" as kind, item]:
            return outlook.item(tenant, call, owner, kind, item)
    return _collection(tenant, call, owner, plain)


def _collection(tenant: Tenant, call: Call, owner: Row, parts: list[str]) -> dict[str, Any]:
    match parts:
        case []:
            return outlook.own_calendar(owner)
        case ["events"]:
            return outlook.events(tenant, call, owner)
        case ["mailFolders"]:
            return outlook.folders(owner)
        case ["messages"]:
            return outlook.messages(tenant, call, owner, None, is_delta=False)
    raise GraphError.no_segment(parts[0])
