"""Meetings, newest first, ten a page. The cursor is a page number in disguise, so rows shift under whoever walks."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.fathom.faults import FathomFaults
from gtm_pipelines.sandbox.vendors.fathom.rows import rows_of
from gtm_pipelines.sandbox.vendors.fathom.transcripts import said

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_PAGE = 10
_ARRIVES = """
INSERT INTO fathom.meeting BY NAME
SELECT max(recording_id) + 1 AS recording_id, 'Impromptu Zoom Meeting' AS title, now_s AS created_s,
    now_s AS visible_s, now_s - 900 AS scheduled_s, now_s - 900 AS start_s, now_s AS end_s,
    0 AS host, 20 AS utterances, now_s AS transcript_s
FROM fathom.meeting, gen.world GROUP BY now_s
"""


class BadRequestError(Exception):
    """A parameter that cannot be read."""


def listed(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``GET /meetings``."""
    faults = tenant.faults_of(FathomFaults)
    page = page_of(call)
    if page > 1 and faults.take("arrive_next"):
        rows_of(tenant, _ARRIVES, [])
    if page > 1 and faults.take("duplicate_page"):
        page -= 1
    conditions, values = _filters(call)
    found = rows_of(
        tenant,
        f"SELECT m.*, now_s FROM fathom.meeting m, gen.world WHERE {' AND '.join(conditions)} "
        f"ORDER BY created_s DESC, recording_id DESC LIMIT {_PAGE + 1} OFFSET {(page - 1) * _PAGE}",
        values,
    )
    following = page if faults.repeat_token and page > 1 else page + 1
    return {
        "limit": _PAGE,
        "next_cursor": cursor_of(following) if len(found) > _PAGE else None,
        "items": _meetings(tenant, call, found[:_PAGE]),
    }


def one(tenant: Tenant, recording_id: str) -> dict[str, Any] | None:
    """Return a meeting's row, or None where there is no such recording to be seen."""
    if not recording_id.isdecimal():
        return None
    found = rows_of(
        tenant,
        "SELECT m.*, now_s FROM fathom.meeting m, gen.world WHERE recording_id = ? AND visible_s <= now_s",
        [int(recording_id)],
    )
    return found[0] if found else None


def invitees_of(tenant: Tenant, ids: list[int]) -> dict[int, list[dict[str, Any]]]:
    """Return who was invited, by recording."""
    rows = rows_of(
        tenant,
        "SELECT * FROM fathom.invitee WHERE list_contains(?::BIGINT[], recording_id) ORDER BY recording_id, position",
        [ids],
    )
    return {each: [row for row in rows if row["recording_id"] == each] for each in ids}


def summary_of(meeting: dict[str, Any]) -> dict[str, Any] | None:
    """Return a meeting's summary; it comes with the transcript."""
    if meeting["transcript_s"] > meeting["now_s"]:
        return None
    text = f"## Meeting Purpose\n\n{meeting['title']}\n\n## Next Steps\n\n  - Send the proposal\n"
    return {"template_name": "General", "markdown_formatted": text}


def page_of(call: Call) -> int:
    """Read the page that ``cursor`` means."""
    cursor = call.query.get("cursor")
    if not cursor:
        return 1
    try:
        page = orjson.loads(base64.b64decode(cursor))["page_num"]
    except (ValueError, KeyError, TypeError):
        raise BadRequestError from None
    return int(page)


def cursor_of(page: int) -> str:
    """Write a page number as the vendor's cursor."""
    return base64.b64encode(orjson.dumps({"page_num": page})).decode()


def moment(seconds: int) -> str:
    """Write a moment as the vendor does."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _filters(call: Call) -> tuple[list[str], list[Any]]:
    conditions = ["visible_s <= now_s"]
    values: list[Any] = []
    for name, operator in (("created_after", ">"), ("created_before", "<")):
        if name in call.query:
            conditions.append(f"created_s {operator} ?")
            values.append(_seconds(call.query[name]))
    recorders = [value for name, value in call.pairs if name == "recorded_by[]"]
    if recorders:
        conditions.append("host IN (SELECT i FROM fathom.colleague WHERE list_contains(?::VARCHAR[], email))")
        values.append(recorders)
    domains = [value for name, value in call.pairs if name == "calendar_invitees_domains[]"]
    if domains:
        conditions.append(
            "recording_id IN (SELECT recording_id FROM fathom.invitee "
            "WHERE list_contains(?::VARCHAR[], lower(split_part(email, '@', 2))))"
        )
        values.append(domains)
    return conditions, values


def _seconds(given: str) -> float:
    try:
        return datetime.fromisoformat(given).astimezone(UTC).timestamp()
    except ValueError:
        raise BadRequestError from None


def _meetings(tenant: Tenant, call: Call, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    ids = [each["recording_id"] for each in found]
    invited = invitees_of(tenant, ids)
    hosts = {each["i"]: each for each in rows_of(tenant, "FROM fathom.colleague", [])}
    items = rows_of(
        tenant,
        "SELECT * FROM fathom.action_item WHERE list_contains(?::BIGINT[], recording_id) ORDER BY position",
        [ids],
    )
    made = []
    for each in found:
        meeting = _meeting(each, hosts[each["host"]], invited[each["recording_id"]])
        if _wants(call, "summary"):
            meeting["default_summary"] = summary_of(each)
        if _wants(call, "action_items"):
            own = [item for item in items if item["recording_id"] == each["recording_id"]]
            meeting["action_items"] = [_item(item, hosts[item["assignee"]], meeting["url"]) for item in own]
        if _wants(call, "highlights"):
            meeting["highlights"] = []
        if _wants(call, "crm_matches"):
            meeting["crm_matches"] = _matches(tenant, each)
        if _wants(call, "transcript"):
            ready = each["transcript_s"] <= each["now_s"]
            meeting["transcript"] = said(tenant, each["recording_id"], invited[each["recording_id"]]) if ready else None
        made.append(meeting)
    return made


def _wants(call: Call, what: str) -> bool:
    return call.query.get(f"include_{what}", "").lower() == "true"


def _meeting(row: dict[str, Any], host: dict[str, Any], invited: list[dict[str, Any]]) -> dict[str, Any]:
    has_guests = any(each["is_external"] for each in invited)
    return {
        "title": row["title"],
        "meeting_title": row["meeting_title"],
        "meeting_type": None,
        "recording_id": row["recording_id"],
        "url": f"https://fathom.video/calls/{row['recording_id']}",
        "share_url": f"https://fathom.video/share/{row['recording_id']:x}",
        "meeting_url": None if row["meeting_title"] is None else "https://meet.example/abc-defg-hij",
        "created_at": moment(row["created_s"]),
        "scheduled_start_time": moment(row["scheduled_s"]),
        "scheduled_end_time": moment(row["scheduled_s"] + 1800),
        "recording_start_time": moment(row["start_s"]),
        "recording_end_time": moment(row["end_s"]),
        "calendar_invitees_domains_type": "one_or_more_external" if has_guests else "only_internal",
        "shared_with": "all_teams",
        "transcript_language": "en",
        "calendar_invitees": [_invitee(each) for each in invited],
        "recorded_by": {
            "name": host["name"],
            "email": host["email"],
            "email_domain": host["email"].split("@")[1],
            "team": host["team"],
        },
    }


def _invitee(row: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": row["name"],
        "email": row["email"],
        "email_domain": row["email"].split("@")[1].lower() if row["email"] else None,
        "is_external": row["is_external"],
        "matched_speaker_display_name": None,
    }


def _item(row: dict[str, Any], assignee: dict[str, Any], url: str) -> dict[str, Any]:
    return {
        "description": row["description"],
        "user_generated": row["user_generated"],
        "completed": row["completed"],
        "recording_timestamp": f"00:{row['position'] + 2:02d}:10",
        "recording_playback_url": f"{url}?timestamp={60 * (row['position'] + 2) + 10}",
        "assignee": {name: assignee[name] for name in ("name", "email", "team")},
    }


def _matches(tenant: Tenant, row: dict[str, Any]) -> dict[str, Any]:
    """Return what the linked CRM knows; meetings nobody was invited to match nothing."""
    found = rows_of(tenant, "SELECT n, name FROM truth.company WHERE n = ?", [row["_company"]])
    companies = [{"name": each["name"], "record_url": f"https://crm.example/companies/{each['n']}"} for each in found]
    return {"contacts": [], "companies": companies if row["meeting_title"] else [], "deals": [], "error": None}
