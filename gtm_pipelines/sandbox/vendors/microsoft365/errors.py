"""Graph's way of saying no, and the login's."""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import uuid4

from gtm_pipelines.sandbox.wire import Reply, as_json

if TYPE_CHECKING:
    from datetime import datetime


class GraphError(Exception):
    """An answer ``{"error": {"code", "message", "innerError"}}``; header names are given with underscores."""

    def __init__(self, status: int, code: str, message: str, **headers: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.headers = headers

    def reply(self, now: datetime) -> Reply:
        """Write it as Graph does; the inner error names the request for Microsoft's support."""
        inner = {
            "date": now.strftime("%Y-%m-%dT%H:%M:%S"),
            "request-id": str(uuid4()),
            "client-request-id": str(uuid4()),
        }
        body = {"error": {"code": self.code, "message": self.message, "innerError": inner}}
        reply = as_json(body, self.status, **self.headers)
        return Reply(reply.status, reply.body, reply.headers, self.code)

    @classmethod
    def bad(cls, message: str, code: str = "BadRequest") -> GraphError:
        """Make the error for a request that cannot be read."""
        return cls(400, code, message)

    @classmethod
    def no_segment(cls, segment: str) -> GraphError:
        """Make the error for a path that Graph does not have."""
        return cls(400, "BadRequest", f"Resource not found for the segment '{segment}'.")

    @classmethod
    def no_item(cls) -> GraphError:
        """Make the error for a thing of a mailbox that is not there."""
        return cls(404, "ErrorItemNotFound", "The specified object was not found in the store.")


class LoginError(Exception):
    """A refusal of the token endpoint: ``{"error", "error_description": "AADSTS…", "error_codes"}``."""

    def __init__(self, status: int, error: str, number: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = error
        self.number = number
        self.message = message

    def reply(self, now: datetime) -> Reply:
        """Write it as the login does, trace and all."""
        trace, correlation, stamp = uuid4(), uuid4(), now.strftime("%Y-%m-%d %H:%M:%SZ")
        body = {
            "error": self.error,
            "error_description": f"AADSTS{self.number}: {self.message} Trace ID: {trace} Correlation ID: {correlation} "
            f"Timestamp: {stamp}",
            "error_codes": [self.number],
            "timestamp": stamp,
            "trace_id": str(trace),
            "correlation_id": str(correlation),
            "error_uri": f"https://login.microsoftonline.com/error?code={self.number}",
        }
        reply = as_json(body, self.status, cache_control="no-store, no-cache")
        return Reply(reply.status, reply.body, reply.headers, f"AADSTS{self.number}")
