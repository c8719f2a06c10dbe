"""Fathom's external API over a world: what each path answers and when it refuses."""

from __future__ import annotations

from http import HTTPStatus
from secrets import compare_digest
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.fathom import meetings
from gtm_pipelines.sandbox.vendors.fathom.faults import FathomFaults
from gtm_pipelines.sandbox.vendors.fathom.limit import Limiter
from gtm_pipelines.sandbox.vendors.fathom.rows import rows_of
from gtm_pipelines.sandbox.vendors.fathom.transcripts import said
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_CONTENT = (
    "include_transcript",
    "include_summary",
    "include_action_items",
    "include_crm_matches",
    "include_highlights",
)
_PAGE = 20


def api_key(tenant: str) -> str:
    """Return the user's key; fixed, for this is a sandbox."""
    return f"sandbox-fathom-{tenant}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer one request below ``/<tenant>/fathom/``."""
    faults = tenant.faults_of(FathomFaults)
    if not _is_known(tenant, call) or faults.revoke_key:
        return as_json({"error": "Unauthorized"}, 401)
    limits = {False: faults.requests_per_minute, True: faults.heavy_per_minute}
    is_heavy = "/recordings/" in call.path or any(call.query.get(name, "").lower() == "true" for name in _CONTENT)
    limiter = tenant.state(Limiter)
    told = limiter.admit(limits, is_heavy=is_heavy)
    if told is None:
        refused = as_json({"error": "Rate limit exceeded"}, 429)
        return Reply(429, refused.body, {**refused.headers, **limiter.refusal(limits[is_heavy])}, "limit reached")
    try:
        reply = _reads(tenant, call)
    except meetings.BadRequestError:
        reply = as_json({"error": "Bad request"}, 400)
    return Reply(reply.status, reply.body, {**reply.headers, **told}, reply.note)


def _reads(tenant: Tenant, call: Call) -> Reply:
    match call.method, call.path.strip("/").split("/"):
        case "GET", ["external", "v1", "meetings"]:
            return as_json(meetings.listed(tenant, call))
        case "GET", ["external", "v1", "recordings", recording, ("transcript" | "summary") as what]:
            return _content(tenant, recording, what)
        case "GET", ["external", "v1", ("teams" | "team_members" | "meeting_types") as what]:
            return as_json(_paged(call, _people(tenant, what)))
    return as_json({"error": "Not found"}, 404)


def _content(tenant: Tenant, recording: str, what: str) -> Reply:
    """Answer with what was said or its summary; where that is still being written, with nothing yet."""
    meeting = meetings.one(tenant, recording)
    if meeting is None:
        return as_json({"error": "Not found"}, 404)
    if what == "summary":
        return as_json({"summary": meetings.summary_of(meeting)})
    if meeting["transcript_s"] > meeting["now_s"]:
        status = tenant.faults_of(FathomFaults).missing_transcript_status
        return as_json({"transcript": []} if status == HTTPStatus.OK else {"error": "Not found"}, status)
    number = meeting["recording_id"]
    return as_json({"transcript": said(tenant, number, meetings.invitees_of(tenant, [number])[number])})


def _people(tenant: Tenant, what: str) -> list[dict[str, Any]]:
    colleagues = rows_of(tenant, "FROM fathom.colleague ORDER BY i", [])
    if what == "team_members":
        return [
            {"name": each["name"], "email": each["email"], "created_at": meetings.moment(each["created_s"])}
            for each in colleagues
        ]
    if what == "meeting_types":
        return []
    first = {each["team"]: each for each in reversed(colleagues) if each["team"]}
    return [{"name": team, "created_at": meetings.moment(each["created_s"])} for team, each in sorted(first.items())]


def _paged(call: Call, found: list[dict[str, Any]]) -> dict[str, Any]:
    page = meetings.page_of(call)
    following = meetings.cursor_of(page + 1) if len(found) > page * _PAGE else None
    return {"limit": _PAGE, "next_cursor": following, "items": found[(page - 1) * _PAGE : page * _PAGE]}


def _is_known(tenant: Tenant, call: Call) -> bool:
    given = call.headers.get("x-api-key") or call.headers.get("authorization", "").removeprefix("Bearer ")
    return compare_digest(given.encode(), api_key(tenant.id).encode())
