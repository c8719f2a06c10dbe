"""Encryption keys in memory: their one accepted spelling, their ids, and the ring of those that are loaded.

The first key of a ring seals; all of them open. That is what lets a fleet rotate without a gap: load the new key
everywhere beside the old one, then put it first, then rewrap, then drop the old one.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable
from typing import TYPE_CHECKING, NoReturn

from gtm_pipelines.control_plane.errors import KeyMissingError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cryptography.hazmat.primitives.ciphers.aead import AESGCM
    from pydantic import SecretStr

_KEY = re.compile(r"[0-9a-f]{64}")
HOW_TO = (
    "make one with `gtm keys new`, set CONNECTOR_ENCRYPTION_KEY to it, and keep a copy outside this machine: "
    "stored credentials cannot be read without it"
)


class Key:
    """One AES-256 key and its id, a keyed hash that tells nothing about the key. Never printed, never pickled."""

    __slots__ = ("aead", "kid")

    def __init__(self, material: SecretStr) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.kid = ""  # so that an error reporter can print even a key that was refused
        if not _KEY.fullmatch(material.get_secret_value()):
            raise KeyMissingError(f"the encryption key must be exactly 64 lower-case hex digits; {HOW_TO}")
        self.aead: AESGCM = AESGCM(bytes.fromhex(material.get_secret_value()))
        self.kid = hmac.digest(bytes.fromhex(material.get_secret_value()), b"gtm-vault-kid-1", hashlib.sha256)[:8].hex()

    def __repr__(self) -> str:
        return f"Key(kid={self.kid})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("an encryption key is not pickled: each process reads it from its own environment")


class KeyRing:
    """The loaded keys: ``primary`` seals, every one opens."""

    __slots__ = ("_keys", "primary")

    def __init__(self, primary: SecretStr, previous: Sequence[SecretStr] = ()) -> None:
        self._keys: dict[str, Key] = {}
        self.primary = Key(primary)
        self._keys = {key.kid: key for key in (self.primary, *map(Key, previous))}

    def find(self, kid: str) -> Key | None:
        """Return the key with this id if it is loaded."""
        return self._keys.get(kid)

    def kids(self) -> tuple[str, ...]:
        """List the ids of the loaded keys, the sealing one first."""
        return tuple(self._keys)

    def __repr__(self) -> str:
        return f"KeyRing({', '.join(self._keys)})"

    def __reduce__(self) -> NoReturn:
        raise TypeError("encryption keys are not pickled: each process reads them from its own environment")


RingSource = Callable[[], KeyRing]
"""Loads the ring when a secret is first touched; raises KeyMissingError."""


def ring_source(primary: SecretStr | None, previous: Sequence[SecretStr] = ()) -> RingSource:
    """Make the loader of a ring: nothing is parsed, and nothing can fail, before the first secret is touched."""
    loaded: list[KeyRing] = []

    def load() -> KeyRing:
        if not loaded:
            if primary is None:
                raise KeyMissingError(f"CONNECTOR_ENCRYPTION_KEY is not set; {HOW_TO}")
            _forbid_core_dumps()
            loaded.append(KeyRing(primary, previous))
        return loaded[0]

    return load


def _forbid_core_dumps() -> None:
    """Keep this process, which now holds keys, from writing its memory to disk when it crashes."""
    try:
        import resource
    except ImportError:
        return
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
