"""From a descriptor's ``auth`` section to what signs the requests. No I/O."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from connectors.declarative import template
from connectors.errors import SkipRecord, Stop
from connectors.runtime import auth

if TYPE_CHECKING:
    from connectors.connector import ConnectorContext, CredentialStore
    from connectors.manifest import Delivery, Manifest


def build_auth(manifest: Manifest, context: ConnectorContext) -> auth.Auth:
    """Build the described way of authenticating."""
    described = manifest.auth
    if described.type == "oauth2":
        return _oauth(manifest, context)
    ways = [_static(context.credentials, delivery) for delivery in described.all_deliveries if delivery.field]
    return ways[0] if len(ways) == 1 else auth.together(ways)


def _static(store: CredentialStore, delivery: Delivery) -> auth.StaticAuth:
    field = delivery.field or ""
    if delivery.place == "header":
        return auth.header(store, field, delivery.name or "", delivery.prefix)
    if delivery.place == "query":
        return auth.query(store, field, delivery.name or "")
    if delivery.place == "basic":
        return auth.basic(store, field, delivery.password_field)
    return auth.bearer(store, field)


def _oauth(manifest: Manifest, context: ConnectorContext) -> auth.TokenAuth:
    described = manifest.auth
    if described.grant == "msal":
        return _msal(manifest, context)
    url = str(context.settings.get("token_url") or described.token_url)
    options: dict[str, Any] = {"clock": context.clock, "lifetime": described.token_lifetime}
    if described.grant == "client_credentials":
        return auth.OAuth2ClientCredentials(context.credentials, url, scope=described.scope, **options)
    if described.grant == "jwt_bearer":
        return auth.JwtBearer(context.credentials, url, audience=described.audience or url, **options)
    return auth.OAuth2Refresh(context.credentials, url, **options)


def _msal(manifest: Manifest, context: ConnectorContext) -> auth.TokenAuth:
    described, settings = manifest.auth, context.settings
    scheme, _, rest = (described.authority or "").partition("://")
    host, _, path = rest.partition("/")
    try:
        directory = template.render_path(f"/{path}", {f"settings.{name}": value for name, value in settings.items()})
    except SkipRecord as error:
        raise Stop("bad_setting", f"the address to sign in at cannot be made: {error.message}") from error
    stands_at = str(settings["token_url"]) if settings.get("token_url") else None
    return auth.MsalClientCredentials(
        context.credentials,
        f"{scheme}://{host}{directory}",
        clock=context.clock,
        scope=described.scope,
        stands_at=stands_at,
        lifetime=described.token_lifetime,
    )
