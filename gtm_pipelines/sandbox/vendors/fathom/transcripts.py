"""What was said in a meeting: drawn, line by line, from the world's chance, so that it never changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox.vendors.fathom.rows import rows_of

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

_LINES = """
SELECT i, gen.pick(recording_id, concat('speaks', i), 2) AS speaker,
    printf('%02d:%02d:%02d', s // 3600, s // 60 % 60, s % 60) AS at,
    concat_ws(' ',
        ['So,', 'Right —', 'Yes.', 'Well,'][1 + gen.pick(recording_id, concat('opens', i), 4)],
        ['the numbers of last quarter look', 'what we would need from you is', 'the café team told us it was',
            'our pipeline at the moment seems'][1 + gen.pick(recording_id, concat('says', i), 4)],
        ['better than we thought.', 'a plan in writing.', 'hard to compare.',
            'ready for a trial.'][1 + gen.pick(recording_id, concat('ends', i), 4)]) AS text
FROM (
    SELECT recording_id, l.i, l.i * greatest(1, (end_s - start_s) // utterances) AS s
    FROM fathom.meeting, range(0, (SELECT utterances FROM fathom.meeting WHERE recording_id = ?)) l(i)
    WHERE recording_id = ?
)
ORDER BY i
"""


def said(tenant: Tenant, recording_id: int, invitees: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return a meeting's lines; speakers are the invitees, or nobody known where nobody was invited."""
    known = [(each["name"] or each["email"] or "Guest", each["email"]) for each in invitees[:2]]
    speakers = [*known, ("Speaker 1", None), ("Speaker 2", None)]
    return [
        {
            "speaker": {
                "display_name": speakers[line["speaker"]][0],
                "matched_calendar_invitee_email": speakers[line["speaker"]][1],
            },
            "text": line["text"],
            "timestamp": line["at"],
        }
        for line in rows_of(tenant, _LINES, [recording_id, recording_id])
    ]
