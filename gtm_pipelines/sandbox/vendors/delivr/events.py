"""Pixel events: windows of at most 25 hours, both ends inclusive, paged by offset, with the columns of a tier.

Offsets count rows of the present moment: an event that arrives late moves those behind it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.delivr.errors import DelivrError
from gtm_pipelines.sandbox.vendors.delivr.faults import DelivrFaults
from gtm_pipelines.sandbox.vendors.delivr.rows import rows_of

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_LONGEST_MS = 25 * 3_600_000
_ROWS = 300
_PLAIN = {
    "event_timestamp": "delivr.iso(event_ms)",
    "event_type": "event_type",
    "pixel_id": "pixel_id",
    "url": "url",
    "session_id": "session_id",
    "visitor_id": "visitor_id",
}
_HEM = {**_PLAIN, "hem": "hem"}
_PROFILE = {
    name: f"p.{name}" for name in ("email", "first_name", "last_name", "job_title", "company_name", "company_domain")
}
TIERS = {
    "web_event": _PLAIN,
    "resolution_hem": _HEM,
    "resolution_hem_pte": _HEM,
    "resolution_full_profile": {**_HEM, **_PROFILE},
}
_RANK = list(TIERS)
_LATE = """
INSERT INTO delivr.event BY NAME
SELECT concat('late', (SELECT count(*) FROM delivr.event)) AS serial, min(event_ms) + 1 AS event_ms,
    min(event_ms) + 1 AS arrived_ms, 'px_site' AS pixel_id, 'page_view' AS event_type,
    concat('https://seller.example/late/', (SELECT count(*) FROM delivr.event)) AS url,
    min_by(session_id, event_ms) AS session_id, min_by(visitor_id, event_ms) AS visitor_id,
    min_by(hem, event_ms) AS hem, min_by(_person, event_ms) AS _person
FROM delivr.event WHERE event_ms BETWEEN ? AND ? AND hem IS NOT NULL
HAVING count(*) > 0
"""


def columns(tenant: Tenant, tier: str) -> dict[str, str]:
    """Return a tier's columns with their SQL; raise DelivrError for a tier there is not or that was not bought."""
    if tier not in TIERS:
        raise DelivrError.not_found()
    if _RANK.index(tier) > _RANK.index(tenant.faults_of(DelivrFaults).tier):
        raise DelivrError(403, f"the plan does not include {tier}")
    return TIERS[tier]


def schema(tenant: Tenant, tier: str) -> dict[str, Any]:
    """Answer ``GET /api/v3/events/{tier}/schema``."""
    return {"columns": [{"name": name, "type": "string"} for name in columns(tenant, tier)]}


def rows(tenant: Tenant, call: Call, tier: str) -> dict[str, Any]:
    """Answer ``GET /api/v3/events/{tier}``."""
    known, faults = columns(tenant, tier), tenant.faults_of(DelivrFaults)
    index, scope = _scope(tenant, call)
    low, high = _window(call)
    limit, offset = whole(call, "limit", _ROWS, least=1), whole(call, "offset", 0)
    picked = _picked(call, "select", known) or list(known)
    if call.query.get("dry_run") == "true":
        return _preview(tenant, tier, low, high)
    if faults.credits_spent:
        raise DelivrError(402, "insufficient credits")
    if offset and faults.take("drift_next"):
        rows_of(tenant, _LATE, [low, high])
    if offset and faults.take("duplicate_page"):
        offset = max(0, offset - limit)
    distinct = _picked(call, "distinct", known)
    resolved = "" if known is _PLAIN else "AND hem IS NOT NULL"
    same = ", ".join(known[name] for name in distinct)
    first_of = f"QUALIFY row_number() OVER (PARTITION BY {same} ORDER BY event_ms, serial) = 1" if distinct else ""
    found = rows_of(
        tenant,
        f"SELECT {', '.join(f'{known[name]} AS {name}' for name in picked)} "
        "FROM delivr.event e LEFT JOIN delivr.profile p USING (hem), gen.world "
        f"WHERE event_ms BETWEEN ? AND ? AND arrived_ms <= now_s * 1000 AND {scope} {resolved} "
        f"{first_of} ORDER BY event_ms, serial LIMIT {limit} OFFSET {offset}",
        [low, high],
    )
    return {
        "index_name": index,
        "index_value": call.query[index],
        "start_ms": low,
        "end_ms": high,
        "limit": limit,
        "offset": offset,
        "rows": found,
        "meta": {"files_scanned": 3, "buckets_scanned": 1, "took_ms": 41},
    }


def counts(tenant: Tenant, call: Call) -> dict[str, Any]:
    """Answer ``GET /api/v1/event_counts``."""
    _, scope = _scope(tenant, call)
    low, high = _window(call)
    (found,) = rows_of(
        tenant,
        "SELECT count(*) AS n FROM delivr.event e, gen.world "
        f"WHERE event_ms BETWEEN ? AND ? AND arrived_ms <= now_s * 1000 AND {scope}",
        [low, high],
    )
    return {"count": found["n"], "meta": {"files_scanned": 3, "buckets_scanned": 1, "took_ms": 9}}


def whole(call: Call, name: str, default: int, *, least: int = 0) -> int:
    """Read a whole number of the query; raise DelivrError for anything else."""
    given = call.query.get(name, str(default))
    if not given.isdecimal() or int(given) < least:
        raise DelivrError.invalid(f"{name} must be an integer >= {least}")
    return int(given)


def project_id(tenant: str) -> str:
    """Return the tenant's one project, a UUID."""
    return f"5b0e0000-0000-4000-8000-{tenant.encode().hex()[:12]:0>12}"


def _scope(tenant: Tenant, call: Call) -> tuple[str, str]:
    """Return which index a request names, and the condition on events it means."""
    if call.query.get("pixel_id") in {"px_site", "px_docs"}:
        return "pixel_id", f"pixel_id = '{call.query['pixel_id']}'"
    if call.query.get("project_id") == project_id(tenant.id):
        return "project_id", "true"
    raise DelivrError.invalid("pixel_id or project_id is required")


def _window(call: Call) -> tuple[int, int]:
    if "start_ms" not in call.query or "end_ms" not in call.query:
        raise DelivrError.invalid("start_ms and end_ms are required")
    low, high = whole(call, "start_ms", 0), whole(call, "end_ms", 0)
    if high < low:
        raise DelivrError.invalid("end_ms is before start_ms")
    if high - low > _LONGEST_MS and call.query.get("include_cold") != "true":
        raise DelivrError.invalid("the time window must not exceed 25 hours")
    return low, high


def _picked(call: Call, name: str, known: dict[str, str]) -> list[str]:
    picked = [each for each in call.query.get(name, "").split(",") if each]
    for each in picked:
        if each in known:
            continue
        above = next((tier for tier in _RANK if each in TIERS[tier]), None)
        raise DelivrError.invalid(f"{each} needs /api/v3/events/{above}" if above else f"unknown field {each}")
    return picked


def _preview(tenant: Tenant, tier: str, low: int, high: int) -> dict[str, Any]:
    (found,) = rows_of(tenant, "SELECT count(*) AS n FROM delivr.event WHERE event_ms BETWEEN ? AND ?", [low, high])
    scope = {"start_ms": low, "end_ms": high}
    return {
        "dry_run": True,
        "meter": tier,
        "records_to_charge": found["n"],
        "records_fidelity": "upper_bound",
        "scope": scope,
    }
