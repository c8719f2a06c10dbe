"""A mailbox: its calendar and its mail, item by item and by what changed."""

from __future__ import annotations

import base64
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from gtm_pipelines.sandbox.vendors.microsoft365 import asked, directory, items, rounds
from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError
from gtm_pipelines.sandbox.vendors.microsoft365.faults import Microsoft365Faults
from gtm_pipelines.sandbox.vendors.microsoft365.rounds import Round, Row

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

FOLDERS = {"inbox": "Inbox", "sentitems": "Sent Items", "archive": "Archive", "drafts": "Drafts"}
_MOST = 1000
_USUAL_SIZE = 10
_NOT_TRACKED = {"$orderby", "$filter", "$select", "$expand", "$search"}


def mailbox(tenant: Tenant, name: str) -> Row:
    """Return the account that owns a mailbox; raise GraphError when it has none or it may not be seen."""
    owner = directory.find(tenant, name)
    faults, names = tenant.faults_of(Microsoft365Faults), {owner["id"], owner["upn"], owner["mail"]}
    if owner["kind"] != "member" or names & set(faults.unlicense_mailbox):
        raise GraphError(
            404, "MailboxNotEnabledForRESTAPI", "The mailbox is either inactive, soft-deleted, or is hosted on-premise."
        )
    if names & set(faults.forbid_mailbox):
        raise GraphError(403, "ErrorAccessDenied", "Access is denied. Check credentials and try again.")
    return owner


def calendar(tenant: Tenant, call: Call, owner: Row, *, is_delta: bool) -> dict[str, Any]:
    """Answer ``calendarView`` and ``calendarView/delta``: what lies in a window, occurrences of series included."""
    if is_delta and _NOT_TRACKED & call.query.keys():
        raise GraphError.bad(
            "The following parameters are not supported with change tracking over the 'CalendarView' resource: "
            "'$orderby, $filter, $select, $expand, $search'.",
            "ErrorInvalidUrlQuery",
        )
    what = f"calendar {owner['n']}"

    def fresh() -> Round:
        window = (asked.moment(call, "startDateTime"), asked.moment(call, "endDateTime"))
        return Round(
            what,
            asked.size(call, _USUAL_SIZE, _MOST, top=not is_delta),
            select=asked.selected(call, items.EVENT),
            window=window,
        )

    here = _place(tenant, call, what, fresh, owner, is_delta=is_delta)
    rows, links = rounds.page(tenant, call, here, lambda place: _events(tenant, owner, place), is_delta=is_delta)
    shown = [items.event(call, owner, row, here.select, is_delta=is_delta) for row in rows]
    return {"@odata.context": f"{call.origin}/v1.0/$metadata#Collection(event)", **links, "value": shown}


def events(tenant: Tenant, call: Call, owner: Row) -> dict[str, Any]:
    """Answer ``events``: single meetings and the masters of series, wherever in time they lie."""
    what = f"events {owner['n']}"

    def fresh() -> Round:
        sized = asked.size(call, _USUAL_SIZE, _MOST)
        return Round(what, sized, select=asked.selected(call, items.EVENT), starts_from=asked.starts_from(call))

    here = _place(tenant, call, what, fresh, owner, is_delta=False)
    rows, links = rounds.page(tenant, call, here, lambda place: _started(tenant, owner, place), is_delta=False)
    shown = [items.event(call, owner, row, here.select, is_delta=False) for row in rows]
    return {"@odata.context": f"{call.origin}/v1.0/$metadata#Collection(event)", **links, "value": shown}


def messages(tenant: Tenant, call: Call, owner: Row, folder: str | None, *, is_delta: bool) -> dict[str, Any]:
    """Answer the messages of a folder (None: of all), as a list or by what changed."""
    if folder is not None and folder not in FOLDERS:
        raise GraphError.no_item()
    what = f"mail {owner['n']} {folder}"

    def fresh() -> Round:
        sized = asked.size(call, _USUAL_SIZE, _MOST)
        return Round(what, sized, select=asked.selected(call, items.MESSAGE), received_from=asked.received_from(call))

    here = _place(tenant, call, what, fresh, owner, is_delta=is_delta)
    rows, links = rounds.page(
        tenant, call, here, lambda place: _messages(tenant, owner, folder, place), is_delta=is_delta
    )
    shown = [items.message(call, owner, row, here.select) for row in rows]
    return {"@odata.context": f"{call.origin}/v1.0/$metadata#Collection(message)", **links, "value": shown}


def folders(owner: Row) -> dict[str, Any]:
    """Answer ``mailFolders``."""
    shown = [
        {"id": items.folder_id(owner, name), "displayName": called, "parentFolderId": None, "childFolderCount": 0}
        for name, called in FOLDERS.items()
    ]
    return {"value": shown}


def own_calendar(owner: Row) -> dict[str, Any]:
    """Answer ``calendar``, the one each mailbox has."""
    name = " ".join(each for each in (owner["given"], owner["surname"]) if each)
    whose = {"name": name, "address": owner["mail"]}
    return {
        "id": f"AAkALgAAAAAAHYQDEapCl{owner['id'][:8]}",
        "name": "Calendar",
        "isDefaultCalendar": True,
        "owner": whose,
    }


def item(tenant: Tenant, call: Call, owner: Row, kind: str, raw_id: str) -> dict[str, Any]:
    """Answer ``events/{id}`` and ``messages/{id}``, wherever the item lies by now."""
    known = items.EVENT if kind == "events" else items.MESSAGE
    select = asked.selected(call, known)
    table = "event" if kind == "events" else "message"
    found = _rows(tenant, table, "mailbox = ? AND hash = ? AND NOT is_removed", [owner["n"], _hash(raw_id)])
    if not found:
        raise GraphError.no_item()
    if table == "message":
        return items.message(call, owner, found[0], select)
    return items.event(call, owner, found[0], select, is_delta=False)


def _place(tenant: Tenant, call: Call, what: str, fresh: Any, owner: Row, *, is_delta: bool) -> Round:
    if is_delta:
        return rounds.begun(tenant, call, what, fresh, owner=(owner["mail"], owner["upn"], owner["id"]))
    return rounds.resumed(call.query["$skiptoken"], what) if "$skiptoken" in call.query else replace(fresh(), what=what)


def _events(tenant: Tenant, owner: Row, place: Round) -> list[Row]:
    """Read what of a calendar is new in the window, and what is gone from it."""
    start, end = place.window or (0, 0)
    inside = f"(start_s < {end:d} AND last_end_s > {start:d})"
    left = f"(is_removed OR NOT {inside})"
    chosen = f"NOT {left}"
    if place.since is not None:
        was_inside = f"was_start_s BETWEEN {start:d} AND {end:d}"
        chosen = f"changed_step > {place.since:d} AND (NOT {left} OR is_removed OR {was_inside})"
    condition = f"mailbox = ? AND serial > ? AND {chosen} ORDER BY serial LIMIT {place.size + 1:d}"
    return _rows(tenant, "event", condition, [owner["n"], place.after], left)


def _started(tenant: Tenant, owner: Row, place: Round) -> list[Row]:
    chosen = "kind IN ('singleInstance', 'seriesMaster') AND NOT is_removed AND start_s >= ? AND serial > ?"
    condition = f"mailbox = ? AND {chosen} ORDER BY serial LIMIT {place.size + 1:d}"
    return _rows(tenant, "event", condition, [owner["n"], place.starts_from or 0, place.after])


def _messages(tenant: Tenant, owner: Row, folder: str | None, place: Round) -> list[Row]:
    """Read what of a folder is new in it, and what is gone from it."""
    left = "is_removed" if folder is None else f"(is_removed OR folder <> '{folder}')"
    chosen = f"NOT {left}"
    if place.since is not None:
        was_here = "true" if folder is None else f"coalesce(was_in, folder) = '{folder}'"
        chosen = f"changed_step > {place.since:d} AND (NOT {left} OR {was_here})"
    if place.received_from is not None:
        chosen = f"({chosen}) AND received_s >= {place.received_from:d}"
    condition = f"mailbox = ? AND serial > ? AND {chosen} ORDER BY serial LIMIT {place.size + 1:d}"
    return _rows(tenant, "message", condition, [owner["n"], place.after], left)


def _rows(tenant: Tenant, table: str, condition: str, parameters: list[Any], left: str = "false") -> list[Row]:
    with tenant.world.cursor() as cursor:
        chosen = f"*, microsoft365.{table}_id(hash) AS id, {left} AS is_gone"
        reader = cursor.execute(f"SELECT {chosen} FROM microsoft365.{table} WHERE {condition}", parameters)
        names = [each[0] for each in reader.description or ()]
        return [dict(zip(names, row, strict=True)) for row in reader.fetchall()]


def _hash(raw_id: str) -> int:
    """Read an id, of the kind that stays or of the kind that names the folder too, as what the world knows it by."""
    try:
        return int(base64.b64decode(unquote(raw_id)[items.ID_HEAD :], validate=True), 16)
    except ValueError:
        raise GraphError(400, "ErrorInvalidIdMalformed", "Id is malformed.") from None
