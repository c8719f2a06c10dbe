"""What may be switched on to go wrong at a GraphQL API, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class GraphqlFaults(Faults):
    """What only a GraphQL API does: most of it inside a 200."""

    throttled_next: int = Field(0, ge=0, description="THROTTLED with a cost, inside 200, for so many requests")
    rate_limited_next: int = Field(
        0, ge=0, description="RATE_LIMITED inside 200 with Retry-After, for so many requests"
    )
    partial_next: int = Field(0, ge=0, description="data with one field missing, and the error that says so")
    internal_error_next: int = Field(0, ge=0, description="no data and INTERNAL_SERVER_ERROR inside 200")
    null_cursor_next: int = Field(0, ge=0, description="pages that have a next one and do not say where")
    cost_maximum: float = Field(100_000, gt=0, description="points the bucket holds")
    cost_restore_rate: float = Field(50_000, gt=0, description="points that come back in a second")
    most_cost: float = Field(5_000, gt=0, description="points one query may cost")
    revoke_token: bool = Field(default=False, description="401 for the token")
    no_introspection: bool = Field(default=False, description="the schema is not told")
