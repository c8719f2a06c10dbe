"""HubSpot's credentials: a private app's token, and OAuth access tokens got with a refresh token."""

from __future__ import annotations

import re
import secrets
from secrets import compare_digest
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gtm_pipelines.sandbox.vendors.hubspot.errors import HubspotError
from gtm_pipelines.sandbox.vendors.hubspot.faults import HubspotFaults
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

CLIENT_ID = "sandbox-hubspot-app"
PORTAL = 4_242_001
_LIFETIME_S = 1800
_WELL_FORMED = re.compile(r"[A-Za-z0-9._~-]{10,512}")
_CDN = b"<!DOCTYPE html><html><head><title>530</title></head><body>error code: 1016</body></html>"


def client_secret(tenant: str) -> str:
    """Return the secret of the app the tenant has installed; fixed, for this is a sandbox."""
    return f"sandbox-hubspot-secret-{tenant}"


def refresh_token(tenant: str) -> str:
    """Return the tenant's refresh token; HubSpot's live until the app is uninstalled."""
    return f"na1-sandbox-refresh-{tenant}"


def private_app_token(tenant: str) -> str:
    """Return the token of the tenant's private app."""
    return f"pat-na1-sandbox-{tenant}"


class AccessTokens:
    """OAuth access tokens that are good now."""

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._lock = Lock()

    def issue(self) -> str:
        """Return a new access token."""
        token = f"CN{secrets.token_urlsafe(40)}"
        with self._lock:
            self._open.add(token)
        return token

    def knows(self, token: str) -> bool:
        """Say whether the token is good."""
        with self._lock:
            return token in self._open

    def expire(self) -> None:
        """End every session."""
        with self._lock:
            self._open.clear()


def check(tenant: Tenant, call: Call) -> Reply | None:
    """Let a request through whose token is good; a malformed one is stopped by the CDN, in its own words."""
    faults = tenant.faults_of(HubspotFaults)
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise HubspotError(401, "INVALID_AUTHENTICATION", "Authentication credentials not found.")
    if not _WELL_FORMED.fullmatch(token):
        return Reply(530, _CDN, {"content-type": "text/html; charset=UTF-8"}, "malformed token")
    if compare_digest(token.encode(), private_app_token(tenant.id).encode()) and not faults.revoke_token:
        return None
    if faults.expire_session_after is not None:
        if faults.expire_session_after == 0:
            tenant.state(AccessTokens).expire()
            faults.expire_session_after = None
        else:
            faults.expire_session_after -= 1
    if not tenant.state(AccessTokens).knows(token):
        category = "EXPIRED_AUTHENTICATION" if token.startswith("CN") else "INVALID_AUTHENTICATION"
        raise HubspotError(401, category, "The token used to make this call is expired or not known.")
    return None


def answer(tenant: Tenant, call: Call) -> Reply:
    """Answer ``POST /oauth/…/token``."""
    faults = tenant.faults_of(HubspotFaults)
    if faults.take("token_error_next"):
        return Reply(503, b"Service Unavailable", {"content-type": "text/plain"}, "token_error_next")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if call.method != "POST" or form.get("grant_type") != "refresh_token":
        return _refused("BAD_GRANT_TYPE", "unsupported_grant_type", "missing or unknown grant type")
    client = (form.get("client_id", ""), form.get("client_secret", ""))
    if client != (CLIENT_ID, client_secret(tenant.id)):
        return _refused("BAD_CLIENT_ID", "invalid_client", "missing or unknown client")
    if faults.revoke_refresh or form.get("refresh_token") != refresh_token(tenant.id):
        return _refused("BAD_REFRESH_TOKEN", "invalid_grant", "missing or invalid refresh token")
    return as_json(
        {
            "token_type": "bearer",
            "refresh_token": refresh_token(tenant.id),
            "access_token": tenant.state(AccessTokens).issue(),
            "expires_in": _LIFETIME_S,
        }
    )


def introspect(tenant: Tenant, token: str) -> dict[str, Any]:
    """Answer ``GET /oauth/v1/access-tokens/{token}``."""
    if not tenant.state(AccessTokens).knows(token):
        raise HubspotError(404, "NOT_FOUND", "access token not found")
    return {
        "token": token,
        "user": f"integration@{tenant.id}.example",
        "hub_domain": f"{tenant.id}.example",
        "scopes": ["oauth", "crm.objects.contacts.read", "crm.objects.companies.read", "crm.objects.deals.read"],
        "hub_id": PORTAL,
        "app_id": 111,
        "expires_in": _LIFETIME_S,
        "user_id": 222,
        "token_type": "access",
    }


def _refused(status: str, error: str, message: str) -> Reply:
    said = {"status": status, "message": message, "error": error, "error_description": message}
    return as_json(said, 400)
