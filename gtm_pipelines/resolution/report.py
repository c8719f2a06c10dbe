"""What a resolution did, in the words it is printed with."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel


class KindReport(BaseModel):
    """One kind's resolution: ``looked_at`` records were compared again because ``changed`` ones concerned them."""

    changed: int = 0
    looked_at: int = 0
    founded: int = 0  # golden ids given out
    retired: int = 0  # golden ids merged into others, or left without records
    moved: int = 0  # records that belong to another golden entity than before
    written: int = 0  # golden rows new or changed
    total: int = 0  # golden rows now
    seconds: float = 0.0


class ResolutionReport(BaseModel):
    """One run of resolution over one tenant."""

    tenant: str
    is_full: bool
    started_at: datetime
    person: KindReport
    account: KindReport
    activity: KindReport
    seconds: float
    steps: dict[str, float]  # seconds per step
