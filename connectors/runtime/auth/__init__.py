"""Ways to authenticate, as ``httpx.Auth`` generators: static credentials, OAuth 2 grants, signed assertions."""

from httpx import Auth

from connectors.runtime.auth.jwt_bearer import JwtBearer
from connectors.runtime.auth.msal import MsalClientCredentials
from connectors.runtime.auth.oauth2 import OAuth2ClientCredentials, OAuth2Refresh
from connectors.runtime.auth.static import StaticAuth, basic, bearer, header, query, together
from connectors.runtime.auth.tokens import Session, TokenAuth

__all__ = [
    "Auth",
    "JwtBearer",
    "MsalClientCredentials",
    "OAuth2ClientCredentials",
    "OAuth2Refresh",
    "Session",
    "StaticAuth",
    "TokenAuth",
    "basic",
    "bearer",
    "header",
    "query",
    "together",
]
