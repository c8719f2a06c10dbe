"""What may be switched on to go wrong at Close, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class CloseFaults(Faults):
    """What only Close does. Its caps and lifetimes can be made small, so that small worlds meet them."""

    requests_per_second: float = Field(60, gt=0, description="the key's limit")
    revoke_key: bool = Field(default=False, description="401 for the API key")
    forbid: list[str] = Field(default_factory=list, description="first path segments that answer 403")
    search_cap: int = Field(10_000, ge=1, description="the rows one search gives, however many it finds")
    cursor_seconds: float = Field(30, ge=0, description="how long a search's cursor lives")
    expire_cursor_next: int = Field(0, ge=0, description="so many cursors of searches have expired")
    max_skip: int = Field(250_000, ge=0, description="the largest _skip of a list")
    search_fields: int = Field(
        100, ge=1, description="how many fields a search may name; Close tells nobody its number"
    )
    retention_days: int = Field(30, ge=1, description="how long the event log is kept")
