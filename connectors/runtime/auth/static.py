"""Credentials that are sent as they are: a key in a header or the query, a bearer token, a Basic pair.

The value is read from the store when the request is made, not when the connector is built, so a replaced key is used
at once. A key in the query is a vendor's demand, never our choice: URLs end up in other people's logs.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import httpx

from connectors.runtime.auth.oauth2 import required

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence

    from connectors.connector import CredentialStore


class StaticAuth(httpx.Auth):
    """Applies one function to each request; no state, no second try."""

    def __init__(self, apply: Callable[[httpx.Request], None]) -> None:
        self.apply = apply

    def auth_flow(self, request: httpx.Request) -> Generator[httpx.Request, httpx.Response, None]:
        """Put the credential on ``request`` and send it."""
        self.apply(request)
        yield request


def header(store: CredentialStore, field: str, name: str, prefix: str = "") -> StaticAuth:
    """Send the stored ``field`` in header ``name``, after ``prefix``."""

    def apply(request: httpx.Request) -> None:
        request.headers[name] = prefix + required(store.read(), field)

    return StaticAuth(apply)


def bearer(store: CredentialStore, field: str) -> StaticAuth:
    """Send the stored ``field`` as ``Authorization: Bearer``."""
    return header(store, field, "Authorization", "Bearer ")


def query(store: CredentialStore, field: str, name: str) -> StaticAuth:
    """Send the stored ``field`` as query parameter ``name``."""

    def apply(request: httpx.Request) -> None:
        request.url = request.url.copy_set_param(name, required(store.read(), field))

    return StaticAuth(apply)


def basic(store: CredentialStore, user_field: str, password_field: str | None = None) -> StaticAuth:
    """Send ``user:password`` as HTTP Basic; without ``password_field`` the password is empty (``key:``)."""

    def apply(request: httpx.Request) -> None:
        fields = store.read()
        password = required(fields, password_field) if password_field else ""
        pair = f"{required(fields, user_field)}:{password}".encode()
        request.headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"

    return StaticAuth(apply)


def together(ways: Sequence[StaticAuth]) -> StaticAuth:
    """Send several credentials with each request, as a key and its secret in two headers; none at all is no auth."""

    def apply(request: httpx.Request) -> None:
        for way in ways:
            way.apply(request)

    return StaticAuth(apply)
