"""Stripe's way of saying no: a status, and an ``error`` with its type and sometimes a code and the parameter."""

from __future__ import annotations

from typing import Any


class StripeError(Exception):
    """An answer ``{"error": {"type", "code", "message", "param"}}``."""

    def __init__(self, status: int, message: str, *, code: str | None = None, param: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.param = param

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        told = {"code": self.code, "message": str(self), "param": self.param, "type": "invalid_request_error"}
        return {"error": {name: value for name, value in told.items() if value is not None}}

    @classmethod
    def missing(cls, kind: str, object_id: str, param: str, status: int = 404) -> StripeError:
        """Make the error for an object there is not, or no more."""
        return cls(status, f"No such {kind}: '{object_id}'", code="resource_missing", param=param)

    @classmethod
    def unknown_parameter(cls, name: str) -> StripeError:
        """Make the error for a parameter the path does not take."""
        return cls(400, f"Received unknown parameter: {name}", code="parameter_unknown", param=name)
