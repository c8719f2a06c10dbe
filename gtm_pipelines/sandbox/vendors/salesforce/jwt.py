"""JWT bearer: assertions signed by a key whose public half was given to the sandbox beforehand.

``PUT /<tenant>/_jwt_key`` with a PEM public key is the sandbox's "use digital signatures" of a connected app. Without
it every assertion is answered as Salesforce answers an app nobody approved.
"""

from __future__ import annotations

import base64
import binascii
import json
from time import time
from typing import TYPE_CHECKING, Any

from gtm_pipelines.sandbox import store
from gtm_pipelines.sandbox.vendors.salesforce.errors import OAuthError

if TYPE_CHECKING:
    from pathlib import Path

    from gtm_pipelines.sandbox.tenants import Tenant

_LONGEST_LIFE_S = 300
_CLOCK_SLACK_S = 30


def key_path(tenant: Tenant) -> Path:
    """Where the tenant's public key is kept."""
    return tenant.world.path.parent / "jwt_public.pem"


def check(tenant: Tenant, assertion: str, client_id: str) -> None:
    """Raise OAuthError unless the assertion is signed, fresh and for this app."""
    try:
        public_key = key_path(tenant).read_bytes()
    except FileNotFoundError:
        raise OAuthError("invalid_grant", "user hasn't approved this consumer") from None
    try:
        head, body, seal = assertion.split(".")
        header, claims, signature = json.loads(_decoded(head)), json.loads(_decoded(body)), _decoded(seal)
    except ValueError:
        raise OAuthError("invalid_grant", "invalid assertion") from None
    _check_signature(public_key, header, f"{head}.{body}".encode(), signature)
    _check_claims(claims, client_id)


def store_key(tenant: Tenant, pem: bytes) -> None:
    """Keep the public key; raise ValueError if it is none."""
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    load_pem_public_key(pem)
    store.replace(key_path(tenant), pem)


def _check_signature(public_key: bytes, header: Any, signed: bytes, signature: bytes) -> None:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    key = load_pem_public_key(public_key)
    if not isinstance(header, dict) or header.get("alg") != "RS256" or not isinstance(key, RSAPublicKey):
        raise OAuthError("invalid_grant", "invalid assertion: use RS256")
    try:
        key.verify(signature, signed, PKCS1v15(), SHA256())
    except InvalidSignature:
        raise OAuthError("invalid_grant", "invalid assertion signature") from None


def _check_claims(claims: Any, client_id: str) -> None:
    if not isinstance(claims, dict) or claims.get("iss") != client_id:
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not claims.get("sub"):
        raise OAuthError("invalid_grant", "user hasn't approved this consumer")
    audience = claims.get("aud")
    if audience not in {"https://login.salesforce.com", "https://test.salesforce.com"} and "/salesforce" not in str(
        audience
    ):
        raise OAuthError("invalid_grant", "audience is invalid")
    expires = str(claims.get("exp", ""))
    if (
        not expires.isdecimal()
        or not time() - _CLOCK_SLACK_S <= int(expires) <= time() + _LONGEST_LIFE_S + _CLOCK_SLACK_S
    ):
        raise OAuthError("invalid_grant", "expired authorization code")


def _decoded(part: str) -> bytes:
    try:
        return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except binascii.Error as error:
        raise ValueError(str(error)) from None
