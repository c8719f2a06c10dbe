"""Faults that can be switched on, per tenant and vendor: what they are called, what they mean, how many are left.

Names that end in ``_next`` count requests and switch themselves off. Faults of the transport strike reads only, never
the token endpoint, which has its own. The vendors' code asks :meth:`Faults.take`; ``disruption.py`` plays those of the
transport.
"""

from __future__ import annotations

from threading import Lock
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PrivateAttr

Poison = Literal[
    "null_id", "missing_id", "number_id", "nul_character", "lone_surrogate", "big_number", "too_deep", "too_wide",
    "too_large", "duplicate_key", "not_an_object", "future_timestamp", "bad_timestamp", "null_timestamp", "new_field",
    "type_change",
]  # fmt: skip


class Faults(BaseModel):
    """What any vendor may suffer."""

    model_config = ConfigDict(extra="forbid", validate_assignment=True)

    slow_ms: int = Field(0, ge=0, le=60_000, description="every answer waits this long")
    rate_limit_next: int = Field(0, ge=0, description="429 for so many requests")
    retry_after: str | None = Field("1", description="the Retry-After of a 429, as text; null sends none")
    server_error_next: int = Field(0, ge=0, description="server errors for so many requests")
    server_error_status: int = Field(503, ge=500, le=599, description="the status of a server error")
    status_next: int = Field(0, ge=0, description="an empty answer with `status` for so many requests")
    status: int = Field(204, ge=200, le=599, description="what `status_next` answers with")
    html_login_next: int = Field(0, ge=0, description="a login page with 200 instead of JSON")
    reset_before_next: int = Field(0, ge=0, description="the connection is reset before the first byte")
    reset_next: int = Field(0, ge=0, description="the connection is reset in the middle of the body")
    truncate_next: int = Field(0, ge=0, description="half the body under a Content-Length that agrees")
    gzip_cut_next: int = Field(0, ge=0, description="a gzip body cut in the middle")
    hang_next: int = Field(0, ge=0, description="headers, then nothing")
    drip_next: int = Field(0, ge=0, description="one byte a second")
    bomb_next: int = Field(0, ge=0, description="a small gzip body that unpacks to 1 GiB")
    redirect_next: int = Field(0, ge=0, description="a redirect to `redirect_to`")
    redirect_to: str = Field("http://127.0.0.1:9/", description="where a redirect leads")
    duplicate_page: int = Field(0, ge=0, description="so many following pages repeat the page before them")
    empty_page: int = Field(0, ge=0, description="so many following pages are empty but have a next")
    repeat_token: bool = Field(default=False, description="the next token is always the one just used")
    poison_next: list[Poison] = Field(
        default_factory=list, description="one spoiled record each, at the head of the next page"
    )

    _lock: Lock = PrivateAttr(default_factory=Lock)

    def take(self, name: str) -> bool:
        """Use up one of a counted fault; say whether there was one."""
        with self._lock:
            left = getattr(self, name)
            if not left:
                return False
            setattr(self, name, left - 1)
            return True

    def take_poisons(self) -> list[Poison]:
        """Use up every poison asked for."""
        with self._lock:
            taken, self.poison_next = self.poison_next, []
            return taken


def read(model: type[Faults], given: dict[str, Any]) -> Faults:
    """Read a vendor's faults; a single name may stand for a list. Raises pydantic's ValidationError."""
    lists = {name for name, each in model.model_fields.items() if each.default_factory is list}
    listed = {name: [text] if name in lists and isinstance(text, str) else text for name, text in given.items()}
    return model.model_validate(listed)
