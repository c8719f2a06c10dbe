"""What may be switched on to go wrong at Stripe, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class StripeFaults(Faults):
    """What only Stripe does."""

    requests_per_second: float = Field(25, gt=0, description="the account's limit in test mode")
    revoke_key: bool = Field(default=False, description="401 for the secret key")
    forbid: list[str] = Field(default_factory=list, description="first path segments a restricted key may not read")
    lock_timeout_next: int = Field(0, ge=0, description="409 lock_timeout for so many requests")
    should_retry: str | None = Field(None, description="the Stripe-Should-Retry of every error; null sends none")
    retention_days: int = Field(30, ge=1, description="how long events are kept")
    forget_cursor_next: int = Field(0, ge=0, description="so many starting_after are unknown, as if deleted meanwhile")
