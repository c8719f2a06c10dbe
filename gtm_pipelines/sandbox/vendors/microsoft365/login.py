"""The login: OpenID discovery, instance discovery and the client-credentials grant of the v2 token endpoint."""

from __future__ import annotations

import secrets
from secrets import compare_digest
from threading import Lock
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError, LoginError
from gtm_pipelines.sandbox.vendors.microsoft365.faults import Microsoft365Faults
from gtm_pipelines.sandbox.wire import Call, Reply, as_json

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.tenants import Tenant

DIRECTORY = "5e11e4a0-0000-4000-a000-00000000d1ce"
INITIAL_DOMAIN = "seller.onmicrosoft.com"
CLIENT_ID = "5a4db0c5-0000-4000-a000-000000c11e47"
TOKEN_PATH = f"{DIRECTORY}/oauth2/v2.0/token"
_SCOPE = "https://graph.microsoft.com/.default"
_LIFETIME_S = 3599
_HEAD = "eyJ0eXAiOiJKV1QiLCJhbGciOiJSUzI1NiJ9"


def client_secret(tenant: str) -> str:
    """Return the secret of the tenant's registered app; fixed, for this is a sandbox."""
    return f"sandbox-m365-{tenant}"


class Tokens:
    """Access tokens that are good now; they end when told to, or with the server."""

    def __init__(self) -> None:
        self._open: set[str] = set()
        self._lock = Lock()

    def open(self) -> str:
        """Return a new token: three parts as a signed one has, which a client must not look into."""
        token = f"{_HEAD}.{secrets.token_urlsafe(40)}.{secrets.token_urlsafe(32)}"
        with self._lock:
            self._open.add(token)
        return token

    def is_open(self, token: str) -> bool:
        """Say whether the token is good."""
        with self._lock:
            return token in self._open

    def expire(self) -> None:
        """End every token."""
        with self._lock:
            self._open.clear()


def answer(tenant: Tenant, call: Call, parts: list[str]) -> Reply:
    """Answer one request of the login, which lies at a host of its own in the world and below one root here."""
    if parts == ["common", "discovery", "instance"]:
        return as_json(_instances(tenant, call))
    directory, *rest = parts
    try:
        _check_directory(directory)
        if rest == ["v2.0", ".well-known", "openid-configuration"]:
            return as_json(_configuration(tenant, call))
        if rest == ["oauth2", "v2.0", "token"]:
            return _token(tenant, call)
    except LoginError as error:
        return error.reply(tenant.world.now())
    raise GraphError(404, "NotFound", "there is nothing at this address of the login")


def _check_directory(name: str) -> None:
    if name not in {DIRECTORY, INITIAL_DOMAIN}:
        said = f"Tenant '{name[:60]}' not found. Check to make sure you have the correct tenant ID."
        raise LoginError(400, "invalid_request", 90002, said)


def check(tenant: Tenant, call: Call) -> None:
    """Raise GraphError unless the request carries a good access token."""
    tokens, faults = tenant.state(Tokens), tenant.faults_of(Microsoft365Faults)
    if faults.take("expire_tokens_next"):
        tokens.expire()
    scheme, _, token = call.headers.get("authorization", "").partition(" ")
    if scheme != "Bearer" or not token:
        raise GraphError(401, "InvalidAuthenticationToken", "Access token is empty.", www_authenticate="Bearer")
    if not tokens.is_open(token):
        raise GraphError(
            401,
            "InvalidAuthenticationToken",
            "Lifetime validation failed, the token is expired.",
            www_authenticate="Bearer",
        )


def _token(tenant: Tenant, call: Call) -> Reply:
    faults = tenant.faults_of(Microsoft365Faults)
    if faults.take("token_error_next"):
        return Reply(503, b"Service Unavailable", {"content-type": "text/plain"}, "token_error_next")
    form = dict(parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True))
    if call.method != "POST" or "grant_type" not in form:
        raise LoginError(
            400, "invalid_request", 900144, "The request body must contain the following parameter: 'grant_type'."
        )
    if form["grant_type"] != "client_credentials":
        raise LoginError(400, "unsupported_grant_type", 70003, "The app requested an unsupported grant type.")
    if not compare_digest(form.get("client_id", "").encode(), CLIENT_ID.encode()):
        raise LoginError(
            400,
            "unauthorized_client",
            700016,
            f"Application with identifier '{form.get('client_id', '')[:60]}' was not found in the directory.",
        )
    if faults.revoke_secret or not compare_digest(
        form.get("client_secret", "").encode(), client_secret(tenant.id).encode()
    ):
        raise LoginError(
            401,
            "invalid_client",
            7000215,
            "Invalid client secret provided. Ensure the secret being sent is the client secret value.",
        )
    if _SCOPE not in form.get("scope", "").split():
        raise LoginError(
            400,
            "invalid_scope",
            1002012,
            "The provided value for scope is not valid. Client credential flows must use /.default.",
        )
    granted = {
        "token_type": "Bearer",
        "expires_in": _LIFETIME_S,
        "ext_expires_in": _LIFETIME_S,
        "access_token": tenant.state(Tokens).open(),
    }
    reply = as_json(granted, cache_control="no-store, no-cache")
    return Reply(reply.status, reply.body, reply.headers, "client_credentials")


def _configuration(tenant: Tenant, call: Call) -> dict[str, Any]:
    here = f"{call.origin}/{tenant.id}/microsoft365/{DIRECTORY}"
    return {
        "token_endpoint": f"{here}/oauth2/v2.0/token",
        "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
        "jwks_uri": f"{here}/discovery/v2.0/keys",
        "response_modes_supported": ["query", "fragment", "form_post"],
        "subject_types_supported": ["pairwise"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "response_types_supported": ["code", "id_token", "code id_token", "id_token token"],
        "scopes_supported": ["openid", "profile", "email", "offline_access"],
        "issuer": f"{here}/v2.0",
        "authorization_endpoint": f"{here}/oauth2/v2.0/authorize",
        "device_authorization_endpoint": f"{here}/oauth2/v2.0/devicecode",
        "tenant_region_scope": "EU",
        "cloud_instance_name": "microsoftonline.com",
        "msgraph_host": "graph.microsoft.com",
    }


def _instances(tenant: Tenant, call: Call) -> dict[str, Any]:
    here = f"{call.origin}/{tenant.id}/microsoft365/{DIRECTORY}"
    hosts = ["login.microsoftonline.com", "login.windows.net", "login.microsoft.com", "sts.windows.net"]
    return {
        "tenant_discovery_endpoint": f"{here}/v2.0/.well-known/openid-configuration",
        "api-version": "1.1",
        "metadata": [{"preferred_network": hosts[0], "preferred_cache": "login.windows.net", "aliases": hosts}],
    }
