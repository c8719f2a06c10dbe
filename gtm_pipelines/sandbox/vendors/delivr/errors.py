"""Delivr.ai's way of saying no."""

from __future__ import annotations

from typing import Any


class DelivrError(Exception):
    """An answer ``{"error": …}``, where the audiences' codes come with more beside it."""

    def __init__(self, status: int, error: str, *, beside: dict[str, Any] | None = None, **headers: str) -> None:
        super().__init__(error)
        self.status = status
        self.body = {"error": error, **(beside or {})}
        self.headers = headers

    @classmethod
    def invalid(cls, error: str) -> DelivrError:
        """Make the error for a request that cannot be answered."""
        return cls(400, error)

    @classmethod
    def not_found(cls) -> DelivrError:
        """Make the error for what is not there."""
        return cls(404, "not found")
