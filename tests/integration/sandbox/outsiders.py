"""What stands outside the sandbox in these tests: the way official clients reach it, and a handle on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import requests
from requests.adapters import HTTPAdapter


class ToTheSandbox(HTTPAdapter):
    """Stands where DNS and TLS stand in the world: ``https://acme.my.salesforce.com`` is the sandbox's acme."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self._url = url

    def send(self, request: requests.PreparedRequest, *args: Any, **kwargs: Any) -> requests.Response:
        assert request.url is not None
        host, _, path = request.url.removeprefix("https://").partition("/")
        base = (
            f"{self._url}/{host.partition('.')[0]}/salesforce" if host.endswith(".salesforce.com") else f"http://{host}"
        )
        request.url = f"{base}/{path}"
        return super().send(request, *args, **kwargs)


@dataclass(frozen=True)
class Served:
    """A running sandbox."""

    directory: Path
    url: str

    def faults(self, tenant: str = "acme", **vendors: dict[str, Any]) -> None:
        httpx.put(f"{self.url}/{tenant}/_faults", json=vendors).raise_for_status()

    def ledger(self, tenant: str = "acme", vendor: str = "salesforce") -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = httpx.get(f"{self.url}/{tenant}/_ledger", params={"vendor": vendor}).json()
        return entries

    def token(self, tenant: str = "acme", **form: str) -> httpx.Response:
        asked = {
            "grant_type": "refresh_token",
            "client_id": "sandbox-client",
            "client_secret": f"sandbox-secret-{tenant}",
            "refresh_token": f"sandbox-refresh-{tenant}",
        } | form
        return httpx.post(f"{self.url}/{tenant}/salesforce/services/oauth2/token", data=asked)


def outside_session(url: str) -> requests.Session:
    """Return a session in which Salesforce's hosts lead to the sandbox at ``url``."""
    session = requests.Session()
    session.trust_env = False
    session.mount("https://", ToTheSandbox(url))
    return session
