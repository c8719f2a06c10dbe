"""Close's way of saying no: ``{"error": …}``, or ``{"errors": […], "field-errors": {…}}`` for wrong fields."""

from __future__ import annotations

from typing import Any


class CloseError(Exception):
    """An answer with an error; ``fields`` are its field errors."""

    def __init__(self, status: int, message: str, *, fields: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.fields = fields

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body."""
        if self.fields is not None:
            return {"errors": [], "field-errors": self.fields}
        return {"error": str(self)}

    @classmethod
    def field(cls, name: str, fault: str) -> CloseError:
        """Make the error for a wrong field of a request."""
        return cls(400, f"{name}: {fault}", fields={name: fault})
