"""OAuth 2: the refresh-token grant with rotation, and the client-credentials grant."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import httpx

from connectors.errors import Reauthorise
from connectors.runtime.auth.tokens import TokenAuth
from connectors.runtime.redaction import Secret

if TYPE_CHECKING:
    from collections.abc import Mapping

    from connectors.connector import Clock, CredentialStore


class OAuth2Refresh(TokenAuth):
    """Renews the access token with the stored refresh token; a rotated one replaces it, an omitted one stays."""

    def token_request(self, fields: Mapping[str, Secret]) -> httpx.Request:
        """Build the ``refresh_token`` grant from ``client_id``, ``client_secret`` (optional) and ``refresh_token``."""
        form = {"grant_type": "refresh_token", "refresh_token": required(fields, "refresh_token")}
        form["client_id"] = required(fields, "client_id")
        if fields.get("client_secret"):
            form["client_secret"] = fields["client_secret"].reveal()
        return token_post(self._token_url, form)

    def changed_fields(self, answer: Mapping[str, object]) -> dict[str, Secret]:
        """Return the rotated refresh token when the vendor sent one."""
        rotated = answer.get("refresh_token")
        return {"refresh_token": Secret(rotated)} if isinstance(rotated, str) and rotated else {}


class OAuth2ClientCredentials(TokenAuth):
    """Logs in with the client's own id and secret, in the form or as HTTP Basic."""

    def __init__(
        self,
        store: CredentialStore,
        token_url: str,
        *,
        clock: Clock,
        scope: str = "",
        basic: bool = False,
        **options: Any,
    ) -> None:
        super().__init__(store, token_url, clock=clock, **options)
        self._scope = scope
        self._basic = basic

    def token_request(self, fields: Mapping[str, Secret]) -> httpx.Request:
        """Build the ``client_credentials`` grant."""
        client, secret = required(fields, "client_id"), required(fields, "client_secret")
        form = {"grant_type": "client_credentials"}
        if self._scope:
            form["scope"] = self._scope
        if not self._basic:
            return token_post(self._token_url, form | {"client_id": client, "client_secret": secret})
        pair = base64.b64encode(f"{client}:{secret}".encode()).decode()
        return token_post(self._token_url, form, {"Authorization": f"Basic {pair}"})


def required(fields: Mapping[str, Secret], name: str) -> str:
    """Return the text of a stored field; raise Reauthorise when the connection has none."""
    value = fields.get(name)
    if not value:
        raise Reauthorise("credential_missing", f"the connection has no {name}: connect the account again")
    return value.reveal()


def token_post(url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx.Request:
    """Build a form-encoded token request."""
    return httpx.Request("POST", url, data=dict(form), headers={"Accept": "application/json", **(headers or {})})
