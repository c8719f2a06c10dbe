"""What may be switched on to go wrong at Salesforce, beside what any vendor may suffer."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class SalesforceFaults(Faults):
    """What only Salesforce does."""

    expire_session_after: int | None = Field(
        None, ge=0, description="so many requests later every session has expired, once"
    )
    expire_locator: int = Field(0, ge=0, description="so many following pages answer INVALID_QUERY_LOCATOR")
    quota_spent: bool = Field(default=False, description="403 REQUEST_LIMIT_EXCEEDED until switched off")
    daily_requests: int = Field(100_000, ge=1, description="the day's allowance; spent requests answer as quota_spent")
    query_timeout_next: int = Field(0, ge=0, description="400 QUERY_TIMEOUT for so many queries")
    hide_entity: list[str] = Field(default_factory=list, description="objects this user may not see")
    hide_field: list[str] = Field(default_factory=list, description="fields this user may not see, as Contact.Phone")
    forbid_entity: list[str] = Field(default_factory=list, description="objects that answer 403 INSUFFICIENT_ACCESS")
    rotate_refresh_tokens: bool = Field(
        default=False, description="each refresh token works once; reuse revokes them all"
    )
    lose_rotated_next: int = Field(0, ge=0, description="the token answer with the new refresh token never arrives")
    revoke_refresh: bool = Field(default=False, description="invalid_grant for every refresh")
    token_error_next: int = Field(0, ge=0, description="503 from the token endpoint")
    token_redirect_next: int = Field(0, ge=0, description="a redirect from the token endpoint")
