"""Customer.io's way of saying no."""

from __future__ import annotations


class CustomerioError(Exception):
    """An answer ``{"errors": [{"detail", "status"}]}``."""

    def __init__(self, status: int, detail: str, **headers: str) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers

    @classmethod
    def not_found(cls) -> CustomerioError:
        """Make the error for a path or a thing that is not there."""
        return cls(404, "not found")

    @classmethod
    def invalid(cls, detail: str) -> CustomerioError:
        """Make the error for a request that cannot be read."""
        return cls(400, detail)
