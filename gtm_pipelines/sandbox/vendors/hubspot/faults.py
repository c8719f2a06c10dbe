"""What may be switched on to go wrong at HubSpot, beside what any vendor may suffer; its limits are here too."""

from __future__ import annotations

from pydantic import Field

from gtm_pipelines.sandbox.faults import Faults


class HubspotFaults(Faults):
    """What only HubSpot does."""

    search_cap: int = Field(10_000, ge=1, description="a search shows so many results and no more")
    search_lag_s: int = Field(0, ge=0, description="the index does not know what changed in so many last seconds")
    shuffle_search: bool = Field(default=False, description="each page of a search comes in reverse order")
    requests_per_ten_seconds: int = Field(190, ge=1, description="429 TEN_SECONDLY_ROLLING beyond")
    searches_per_second: int = Field(5, ge=1, description="429 SECONDLY beyond; searches tell no limits")
    daily_requests: int = Field(650_000, ge=1, description="the day's allowance; beyond it 429 DAILY")
    quota_spent: bool = Field(default=False, description="429 DAILY until switched off")
    migrating_next: int = Field(0, ge=0, description="477 with Retry-After for so many requests")
    partial_batch_next: int = Field(0, ge=0, description="so many batches lose their first record to an internal error")
    association_page: int = Field(500, ge=1, description="associations of one record on a page")
    expire_session_after: int | None = Field(
        None, ge=0, description="so many requests later every OAuth access token has expired, once"
    )
    revoke_refresh: bool = Field(default=False, description="the refresh token is refused: the app was uninstalled")
    revoke_token: bool = Field(default=False, description="401 for the private app's token")
    token_error_next: int = Field(0, ge=0, description="503 from the token endpoint")
    forbid_object: list[str] = Field(default_factory=list, description="objects that answer 403 MISSING_SCOPES")
    hide_property: list[str] = Field(default_factory=list, description="properties not there, as contacts.phone")
