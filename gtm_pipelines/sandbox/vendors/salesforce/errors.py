"""Salesforce's way of saying no."""

from __future__ import annotations


class SalesforceError(Exception):
    """An answer with an error array: HTTP status, ``errorCode`` and message, as the REST API sends them."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message

    @classmethod
    def malformed(cls, message: str) -> SalesforceError:
        """Make the error for a query that cannot be read."""
        return cls(400, "MALFORMED_QUERY", message)

    @classmethod
    def no_field(cls, name: str, entity: str) -> SalesforceError:
        """Make the error for a field the object lacks or hides from this user: Salesforce does not say which."""
        return cls(
            400,
            "INVALID_FIELD",
            f"No such column '{name}' on entity '{entity}'. If you are attempting to use a custom field, be sure to "
            "append the '__c' after the custom field name. Please reference your WSDL or the describe call for the "
            "appropriate names.",
        )

    @classmethod
    def no_object(cls, name: str) -> SalesforceError:
        """Make the error for an object that does not exist or is hidden, in a query."""
        return cls(
            400,
            "INVALID_TYPE",
            f"sObject type '{name}' is not supported. If you are attempting to use a custom object, be sure to append "
            "the '__c' after the entity name. Please reference your WSDL or the describe call for the appropriate "
            "names.",
        )

    @classmethod
    def not_found(cls, message: str = "The requested resource does not exist") -> SalesforceError:
        """Make the error for a resource that is not there."""
        return cls(404, "NOT_FOUND", message)


class OAuthError(Exception):
    """An answer of the token endpoint: HTTP 400 with ``error`` and ``error_description``."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(description)
        self.error = error
        self.description = description
