"""The JWT bearer grant (RFC 7523): a short-lived assertion signed with the connection's own key, no refresh token."""

from __future__ import annotations

import base64
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from connectors.errors import Reauthorise
from connectors.runtime.auth.oauth2 import required, token_post
from connectors.runtime.auth.tokens import TokenAuth
from connectors.runtime.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    import httpx

    from connectors.connector import Clock, CredentialStore

_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_VALID_FOR = timedelta(minutes=3)  # Salesforce refuses assertions that live longer


class JwtBearer(TokenAuth):
    """Signs an assertion (RS256) with the stored ``private_key`` (PEM) for ``client_id`` acting as ``username``."""

    def __init__(self, store: CredentialStore, token_url: str, *, clock: Clock, audience: str, **options: Any) -> None:
        super().__init__(store, token_url, clock=clock, **options)
        self._audience = audience

    def token_request(self, fields: Mapping[str, Secret]) -> httpx.Request:
        """Build the grant with a fresh assertion."""
        claims = {
            "iss": required(fields, "client_id"),
            "sub": required(fields, "username"),
            "aud": self._audience,
            "exp": int((self._clock() + _VALID_FOR).timestamp()),
        }
        assertion = Secret(sign_rs256(claims, required(fields, "private_key")))
        return token_post(self._token_url, {"grant_type": _GRANT, "assertion": assertion.reveal()})


def sign_rs256(claims: Mapping[str, Any], private_key: str) -> str:
    """Return ``claims`` as a compact RS256 JWT; raise Reauthorise when ``private_key`` is no RSA key in PEM."""
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import padding, rsa

    try:
        key = serialization.load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError):
        raise Reauthorise("bad_private_key", "the private key is not an unencrypted RSA key in PEM form") from None
    if not isinstance(key, rsa.RSAPrivateKey):
        raise Reauthorise("bad_private_key", "the private key is not an RSA key")
    head = _segment({"alg": "RS256", "typ": "JWT"})
    signed = f"{head}.{_segment(claims)}"
    signature = key.sign(signed.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed}.{_unpadded(signature)}"


def _segment(value: Mapping[str, Any]) -> str:
    return _unpadded(json.dumps(value, separators=(",", ":")).encode())


def _unpadded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
