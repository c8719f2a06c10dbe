"""Salesforce's token endpoint: refresh_token (with rotation when switched on), client_credentials, JWT bearer.

Rotation is strict: a refresh token works once, and one that comes back a second time revokes every token of its line,
as the OAuth security guidance asks. Which tokens were used is in the world's file, so that a restart forgets nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from secrets import compare_digest
from threading import Lock
from time import time
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gtm_pipelines.sandbox.vendors.salesforce import jwt
from gtm_pipelines.sandbox.vendors.salesforce.errors import OAuthError
from gtm_pipelines.sandbox.vendors.salesforce.faults import SalesforceFaults
from gtm_pipelines.sandbox.vendors.salesforce.sessions import Sessions
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

CLIENT_ID = "sandbox-client"
_JWT_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_rotation = Lock()


def client_secret(tenant: str) -> str:
    """Return the secret of the tenant's connected app; fixed, for this is a sandbox."""
    return f"sandbox-secret-{tenant}"


def refresh_token(tenant: str, serial: int = 0) -> str:
    """Return the tenant's refresh token: fixed at first, then one per rotation."""
    first = f"sandbox-refresh-{tenant}"
    if serial == 0:
        return first
    seal = hmac.new(client_secret(tenant).encode(), str(serial).encode(), hashlib.sha256).hexdigest()[:24]
    return f"{first}.{serial}.{seal}"


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer ``POST /services/oauth2/token``."""
    faults = tenant.faults_of(SalesforceFaults)
    if faults.take("token_error_next"):
        return Reply(503, b"Service Unavailable", {"content-type": "text/plain"}, "token_error_next")
    if faults.take("token_redirect_next"):
        return Reply(302, b"", {"location": faults.redirect_to}, "token_redirect_next")
    if call.method != "POST":
        return as_json({"error": "invalid_request", "error_description": "must use HTTP POST"}, 400)
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    grant = form.get("grant_type", "")
    note = grant.rpartition(":")[2]
    try:
        granted = _granted(tenant, call, grant, form)
    except OAuthError as error:
        return Reply(
            400,
            as_json({"error": error.error, "error_description": error.description}).body,
            {"content-type": "application/json"},
            f"{note} {error.error}",
        )
    if "refresh_token" in granted and faults.take("lose_rotated_next"):
        return Reply(504, b"Gateway Timeout", {"content-type": "text/plain"}, "lose_rotated_next")
    reply = as_json(granted, cache_control="no-store")
    return Reply(reply.status, reply.body, reply.headers, note)


def _granted(tenant: Tenant, call: Call, grant: str, form: dict[str, str]) -> dict[str, Any]:
    if grant == "refresh_token":
        _check_client(tenant, *_client(call, form))
        return _token(tenant, call, **_refresh(tenant, form.get("refresh_token", "")))
    if grant == "client_credentials":
        _check_client(tenant, *_client(call, form))
        return _token(tenant, call, api_instance_url="https://api.salesforce.com")
    if grant == _JWT_GRANT:
        jwt.check(tenant, form.get("assertion", ""), CLIENT_ID)
        return {name: value for name, value in _token(tenant, call).items() if name not in {"issued_at", "signature"}}
    raise OAuthError("unsupported_grant_type", "grant type not supported")


def _client(call: Call, form: dict[str, str]) -> tuple[str, str]:
    scheme, _, encoded = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return form.get("client_id", ""), form.get("client_secret", "")
    try:
        client, _, secret = base64.b64decode(encoded, validate=True).decode().partition(":")
    except ValueError:
        return "", ""
    return client, secret


def _check_client(tenant: Tenant, client: str, secret: str) -> None:
    if not compare_digest(client.encode(), CLIENT_ID.encode()):
        raise OAuthError("invalid_client_id", "client identifier invalid")
    if not compare_digest(secret.encode(), client_secret(tenant.id).encode()):
        raise OAuthError("invalid_client", "invalid client credentials")


def _refresh(tenant: Tenant, offered: str) -> dict[str, str]:
    """Check a refresh token; return the new one if tokens rotate."""
    serial = _serial(tenant.id, offered)
    with _rotation, tenant.world.cursor() as cursor:
        known = cursor.execute(
            "SELECT is_used, is_revoked FROM salesforce.refresh_token WHERE serial = ?", [serial]
        ).fetchall()
        if not known or tenant.faults_of(SalesforceFaults).revoke_refresh or known[0][1]:
            raise OAuthError("invalid_grant", "expired access/refresh token")
        if known[0][0]:
            cursor.execute("UPDATE salesforce.refresh_token SET is_revoked = true")
            raise OAuthError("invalid_grant", "token reused; every token of its line is revoked")
        if not tenant.faults_of(SalesforceFaults).rotate_refresh_tokens:
            return {}
        cursor.execute("UPDATE salesforce.refresh_token SET is_used = true WHERE serial = ?", [serial])
        cursor.execute("INSERT INTO salesforce.refresh_token VALUES (?, false, false)", [serial + 1])
        return {"refresh_token": refresh_token(tenant.id, serial + 1)}


def _serial(tenant: str, offered: str) -> int:
    """Read which of the tenant's refresh tokens this is; -1 if none."""
    match offered.split("."):
        case _, number, _ if number.isdecimal():
            serial = int(number)
        case _:
            serial = 0
    return serial if compare_digest(offered.encode(), refresh_token(tenant, serial).encode()) else -1


def reset_refresh_tokens(tenant: Tenant) -> None:
    """Connect anew: the first refresh token works again and no other does."""
    with _rotation, tenant.world.cursor() as cursor:
        cursor.execute("DELETE FROM salesforce.refresh_token")
        cursor.execute("INSERT INTO salesforce.refresh_token VALUES (0, false, false)")


def _token(tenant: Tenant, call: Call, **more: str) -> dict[str, Any]:
    instance = f"{call.origin}/{tenant.id}/salesforce"
    identity = f"{instance}/id/00DHs0000000001MAA/005Hs0000000000IAA"
    issued_at = str(int(time() * 1000))
    signature = hmac.new(client_secret(tenant.id).encode(), (identity + issued_at).encode(), hashlib.sha256).digest()
    return {
        "access_token": tenant.state(Sessions).open(tenant.id),
        "signature": base64.b64encode(signature).decode(),
        "scope": "refresh_token api",
        "instance_url": instance,
        "id": identity,
        "token_type": "Bearer",
        "issued_at": issued_at,
        **more,
    }
