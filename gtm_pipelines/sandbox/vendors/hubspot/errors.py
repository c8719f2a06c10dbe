"""HubSpot's way of saying no."""

from __future__ import annotations

from typing import Any
from uuid import uuid4


class HubspotError(Exception):
    """An answer ``{"status": "error", "message", "correlationId", "category", …}`` with an HTTP status."""

    def __init__(self, status: int, category: str, message: str, **more: Any) -> None:
        super().__init__(message)
        self.status = status
        self.body = {"status": "error", "message": message, "correlationId": str(uuid4()), "category": category, **more}
        self.headers: dict[str, str] = {}

    @classmethod
    def invalid(cls, message: str) -> HubspotError:
        """Make the error for a request that cannot be read."""
        return cls(400, "VALIDATION_ERROR", message)

    @classmethod
    def not_found(cls, message: str = "resource not found") -> HubspotError:
        """Make the error for a path or a record that is not there."""
        return cls(404, "OBJECT_NOT_FOUND", message)

    @classmethod
    def busy(cls, policy: str, **headers: str) -> HubspotError:
        """Make the error for a limit that is reached; ``policy`` is HubSpot's name of the limit."""
        made = cls(
            429,
            "RATE_LIMITS",
            f"You have reached your {policy.lower()} limit.",
            errorType="RATE_LIMIT",
            policyName=policy,
        )
        made.headers = {name.replace("_", "-"): value for name, value in headers.items()}
        return made
