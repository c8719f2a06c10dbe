"""One sealed value: AES-256-GCM, bound to the place it is stored in. Pure; knows no table.

Stored form: ``gtm1.<kid>.<nonce>.<ciphertext and tag>``, base64url without padding. The associated data is a JSON array
of kid, tenant, connection, field and the row's version: plain concatenation would make ("t1", "23") equal ("t12", "3"),
and without the version an old ciphertext could be put back unseen.
"""

from __future__ import annotations

import base64
import binascii
import json
import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from connectors.runtime.redaction import Secret
from gtm_pipelines.control_plane.errors import TamperedError, UnknownKeyError

if TYPE_CHECKING:
    from gtm_pipelines.control_plane.vault.keys import Key, KeyRing

_PREFIX = "gtm1"
_NONCE_BYTES = 12
_TAG_BYTES = 16
_KID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value is stored; moving the ciphertext anywhere else makes it unreadable."""

    tenant: str
    connection: str
    field: str
    version: int

    def associated_data(self, kid: str) -> bytes:
        """Encode the place unambiguously."""
        return _array("gtm-vault", 1, kid, self.tenant, self.connection, self.field, self.version)

    def __str__(self) -> str:
        return f"credential {self.field!r} of {self.tenant}/{self.connection}"


@dataclass(frozen=True, slots=True)
class CanaryPlace:
    """Where a key's canary is stored: beside the key's id, for no tenant."""

    def associated_data(self, kid: str) -> bytes:
        """Encode the place so that no credential's place equals it."""
        return _array("gtm-vault-canary", 1, kid)

    def __str__(self) -> str:
        return "the vault's canary"


def seal(secret: Secret, place: Place | CanaryPlace, key: Key) -> str:
    """Encrypt ``secret`` for ``place`` under a fresh random nonce."""
    nonce = os.urandom(_NONCE_BYTES)
    sealed = key.aead.encrypt(nonce, secret.reveal().encode(), place.associated_data(key.kid))
    return ".".join((_PREFIX, key.kid, _encode(nonce), _encode(sealed)))


def unseal(envelope: str, place: Place | CanaryPlace, ring: KeyRing) -> Secret:
    """Decrypt what :func:`seal` made for the same place; raise UnknownKeyError or TamperedError, never guess."""
    from cryptography.exceptions import InvalidTag

    kid, nonce, sealed = _parts(envelope, place)
    key = ring.find(kid)
    if key is None:
        raise UnknownKeyError(
            f"{place} is sealed under key {kid}, which is not loaded (loaded: {', '.join(ring.kids())}); "
            "load that key beside the present one until the rotation is finished"
        )
    try:
        return Secret(key.aead.decrypt(nonce, sealed, place.associated_data(kid)).decode())
    except InvalidTag:
        raise TamperedError(
            f"{place} does not decrypt where it is stored: it was altered, moved or rolled back; "
            "find out how, then enter the credential again"
        ) from None


def kid_of(envelope: str, place: Place | CanaryPlace) -> str:
    """Return the id of the key an envelope says it was sealed under."""
    return _parts(envelope, place)[0]


def _parts(envelope: str, place: Place | CanaryPlace) -> tuple[str, bytes, bytes]:
    match envelope.split("."):
        case prefix, kid, first, second if prefix == _PREFIX and _KID.fullmatch(kid):
            nonce, sealed = _decode(first, place), _decode(second, place)
            if len(nonce) == _NONCE_BYTES and len(sealed) >= _TAG_BYTES:
                return kid, nonce, sealed
    raise _malformed(place)


def _encode(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _decode(text: str, place: Place | CanaryPlace) -> bytes:
    """Accept only the spelling we write: Python's decoder skips junk and ignores padding bits."""
    try:
        raw = base64.urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
    except (binascii.Error, UnicodeEncodeError):
        raise _malformed(place) from None
    if _encode(raw) != text:
        raise _malformed(place)
    return raw


def _malformed(place: Place | CanaryPlace) -> TamperedError:
    return TamperedError(
        f"{place} is not a sealed value (cut off, altered, or written in clear): nothing unsealed is ever accepted; "
        "enter the credential again"
    )


def _array(*parts: str | int) -> bytes:
    return json.dumps(parts, separators=(",", ":")).encode()
