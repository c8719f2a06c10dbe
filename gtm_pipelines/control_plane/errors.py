"""What can go wrong in the control plane, by what the caller must do next. Messages never hold a secret."""

from __future__ import annotations


class ControlPlaneError(Exception):
    """Base of the control plane's errors; the message is one sentence that names the mend."""


class NotFoundError(ControlPlaneError):
    """The tenant, connection or override that was named does not exist in this tenant's scope."""


class AlreadyExistsError(ControlPlaneError):
    """The name is taken."""


class InvalidInputError(ControlPlaneError, ValueError):
    """A value that cannot be stored: a schedule, a field name, settings that are not JSON."""


class BusyError(ControlPlaneError):
    """Another process kept the control plane locked for longer than we wait; trying again is right."""


class UnreachableError(ControlPlaneError):
    """The database cannot be reached, or went away in the middle: what was written is there whole or not at all."""


class UnboundRoleError(ControlPlaneError):
    """The database's user is above row-level security, so that nothing would keep tenants apart there."""


class SchemaVersionError(ControlPlaneError):
    """The database was written by a version of this software that we do not know."""


def no_such_connection(tenant: str, name: str) -> NotFoundError:
    """Build the error of a connection that a tenant does not have."""
    return NotFoundError(f"tenant {tenant} has no connection {name}; `gtm connections list {tenant}` shows what it has")


class LeaseLostError(ControlPlaneError):
    """The lease was taken over, or its connection removed: stop, and write nothing more."""


class LockTimeoutError(ControlPlaneError):
    """Another worker held the lock of this connection's credentials for the whole wait; trying again is right."""


class VaultError(ControlPlaneError):
    """Base of what the vault refuses; ``code`` is a stable machine word."""

    code = "vault"


class KeyMissingError(VaultError):
    """No encryption key, or one that is not 64 lower-case hex digits."""

    code = "key_missing"


class WrongKeyError(VaultError):
    """A well-formed key, but not one this control plane was set up with. Nothing was changed."""

    code = "wrong_key"


class UnknownKeyError(VaultError):
    """A record is sealed under a key that is not loaded: transient while a rotation is under way."""

    code = "unknown_kid"


class TamperedError(VaultError):
    """A stored record was altered, moved, rolled back, or is not an envelope at all. No plaintext is given."""

    code = "tampered"


class KeyExhaustedError(VaultError):
    """A key has sealed as many records as is safe with random nonces; it must be rotated."""

    code = "key_exhausted"
