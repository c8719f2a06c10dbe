"""What may be switched on to go wrong at Fathom, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class FathomFaults(Faults):
    """What only Fathom does."""

    requests_per_minute: int = Field(60, gt=0, description="what one user may ask in a minute")
    heavy_per_minute: int = Field(30, gt=0, description="how many of these may ask for content")
    revoke_key: bool = Field(default=False, description="401 for the key")
    arrive_next: int = Field(0, ge=0, description="before so many later pages, a meeting is made and heads the list")
    missing_transcript_status: int = Field(
        200, ge=200, le=404, description="how a transcript that is not there yet is answered: 200 is an empty list"
    )
