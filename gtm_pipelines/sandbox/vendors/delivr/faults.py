"""What may be switched on to go wrong at Delivr.ai, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class DelivrFaults(Faults):
    """What only Delivr.ai does."""

    revoke_key: bool = Field(default=False, description="401 for the key pair")
    tier: str = Field("resolution_full_profile", description="the highest tier of events this account has bought")
    drift_next: int = Field(
        0, ge=0, description="before so many later pages of events, a late event lands ahead of them"
    )
    credits_spent: bool = Field(default=False, description="402 for whatever is billed")
    cursor_stale_next: int = Field(
        0, ge=0, description="so many following pages of audiences find their build replaced"
    )
    busy_next: int = Field(0, ge=0, description="503 busy for so many pages of audiences")
    not_ready: list[str] = Field(default_factory=list, description="ids of audiences that are being built: 409")
