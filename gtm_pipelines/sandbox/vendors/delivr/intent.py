"""Intent: who researches a topic as of the last finished day, and on the older API each signal by itself."""

from __future__ import annotations

import base64
import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from gtm_pipelines.sandbox.vendors.delivr.errors import DelivrError
from gtm_pipelines.sandbox.vendors.delivr.faults import DelivrFaults
from gtm_pipelines.sandbox.vendors.delivr.rows import rows_of

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_PEOPLE = 500
_SIGNALS = 100
_RECENT = "occurred_s <= now_s AND occurred_s > now_s - 14 * 86400"


def topics(tenant: Tenant) -> dict[str, Any]:
    """Answer ``GET /api/v1/taxonomy/topics``."""
    found = rows_of(
        tenant, "SELECT topic_id, topic_id AS parent, name, category_name, 'active' AS status FROM delivr.topic", []
    )
    return {"response": {"topics": found}}


def people(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``POST /api/v1/intent/people``: a page of the people on one topic, the keenest first."""
    faults = tenant.faults_of(DelivrFaults)
    asked = _body(call)
    topic, size = asked.get("topic_id"), asked.get("page_size", 50)
    if not isinstance(topic, str) or not rows_of(tenant, "FROM delivr.topic WHERE topic_id = ?", [topic]):
        raise DelivrError(422, "unknown topic_id")
    if not isinstance(size, int) or not 1 <= size <= _PEOPLE:
        raise DelivrError.invalid("page_size must be between 1 and 500")
    of_topic, offset = _place(asked.get("cursor"), [topic, 0])
    if of_topic != topic:
        raise DelivrError.invalid("the cursor is of another topic")
    if faults.credits_spent:
        raise DelivrError(402, "insufficient credits")
    found = rows_of(
        tenant,
        "SELECT hem, CASE WHEN perc_score >= 60 THEN 'high' ELSE 'medium' END AS score, perc_score, "
        "email AS seen_email "
        "FROM (SELECT hem, gen.pick(min(_person), topic_id, 100) AS perc_score FROM delivr.signal, gen.world "
        f"WHERE topic_id = ? AND {_RECENT} GROUP BY hem, topic_id) JOIN delivr.profile USING (hem) "
        f"ORDER BY perc_score DESC, hem LIMIT {size + 1} OFFSET {offset}",
        [topic],
    )
    if asked.get("resolve") is not True:
        found = [{name: value for name, value in each.items() if name != "seen_email"} for each in found]
    page: dict[str, Any] = {"topic_id": topic, "results": found[:size]}
    if len(found) > size:
        page["next_cursor"] = asked.get("cursor") if faults.repeat_token and offset else _token([topic, offset + size])
    return {"response": page}


def signals(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``GET /v1/intent-signals``: signals since a moment, oldest first."""
    faults = tenant.faults_of(DelivrFaults)
    try:
        since = datetime.fromisoformat(call.query.get("since", "1970-01-01T00:00:00Z")).astimezone(UTC).timestamp()
    except ValueError:
        raise DelivrError.invalid("since must be an ISO 8601 time") from None
    limit = call.query.get("limit", str(_SIGNALS))
    if not re.fullmatch(r"[1-9]\d{0,2}", limit):
        raise DelivrError.invalid("limit must be between 1 and 999")
    after_s, after_id = _place(call.query.get("cursor"), [0, ""])
    found = rows_of(
        tenant,
        "SELECT s.id, p.hem[:16] AS personId, "
        "CASE WHEN gen.chance(s._person, 'delivr named', 0.8) THEN email END AS personEmail, "
        "coalesce(company_domain, split_part(email, '@', 2)) AS accountDomain, url AS contentUrl, "
        "t.name AS contentTopic, "
        "delivr.iso(occurred_s * 1000) AS occurredAt, dwell_s AS dwellTimeSeconds, session_id AS sessionId, occurred_s "
        "FROM delivr.signal s JOIN delivr.profile p USING (hem) JOIN delivr.topic t USING (topic_id), gen.world "
        "WHERE occurred_s <= now_s AND occurred_s >= ? AND (occurred_s, s.id) > (?, ?) "
        f"ORDER BY occurred_s, s.id LIMIT {int(limit) + 1}",
        [since, after_s, after_id],
    )
    page = found[: int(limit)]
    last = [page[-1]["occurred_s"], page[-1]["id"]] if len(found) > len(page) else None
    again = call.query.get("cursor") if faults.repeat_token else None
    records = [{name: value for name, value in each.items() if name != "occurred_s"} for each in page]
    return {"data": records, "nextCursor": (again or _token(last)) if last else None}


def _body(call: Call) -> dict[str, Any]:
    try:
        asked = orjson.loads(call.body or b"{}")
    except orjson.JSONDecodeError:
        raise DelivrError.invalid("invalid body") from None
    if not isinstance(asked, dict):
        raise DelivrError.invalid("invalid body")
    return asked


def _token(place: list[Any]) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(place)).decode()


def _place(token: Any, default: list[Any]) -> list[Any]:
    """Read a cursor; raise DelivrError for what no answer ever gave out."""
    if not token:
        return default
    try:
        place: list[Any] = orjson.loads(base64.urlsafe_b64decode(str(token)))
    except ValueError:
        raise DelivrError.invalid("invalid cursor") from None
    return place
