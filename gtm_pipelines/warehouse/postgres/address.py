"""``GTM_WAREHOUSE_URL`` taken apart: what each driver needs to reach the server, and no password in any message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote, urlencode

from connectors.runtime.redaction import Secret
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from gtm_pipelines.settings import Settings

_NETWORK = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "gtm-pipelines",
}
"""libpq's settings for a network that may fail; the address overrides each of them."""
SESSION = {
    "statement_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "tcp_keepalives_idle": "60",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "6",
}
"""Settings of our sessions, which a server may have set otherwise for all. While it holds the tenant's lock a session
may be silent for long, because it computes: no timeout may end it. But it must end soon once its machine is gone, which
the server notices by keepalives alone."""

_SCHEMES = ("postgresql://", "postgres://")
_FORM = "write postgresql://user:password@host/database, with @ : / ? # % in the password percent-encoded"


@dataclass(frozen=True, slots=True, repr=False)
class Address:
    """A Postgres database, by libpq's own parameters."""

    _parts: dict[str, str]

    @property
    def uri(self) -> str:
        """As libpq takes it."""
        parts = dict(self._parts)
        user, password = parts.pop("user", ""), parts.pop("password", "")
        login = quote(user, safe="") + (f":{quote(password, safe='')}" if password else "")
        host, port = parts.pop("host", ""), parts.pop("port", "")
        if host.startswith("/"):  # a folder with a socket cannot stand in the middle of an address
            parts["host"], host = host, ""
        database = quote(parts.pop("dbname"), safe="")
        at = f"{host}:{port}" if port else host
        return f"postgresql://{login}{'@' if login else ''}{at}/{database}?{urlencode(parts, quote_via=quote)}"

    @property
    def database(self) -> str:
        """The database's name."""
        return self._parts["dbname"]

    def for_dlt(self, role: str, lock_wait_s: float) -> str:
        """As dlt takes it, for sessions that begin under a role and fall back to it when they are reset.

        They wait for a lock so long and no longer. It wants a host and a password even where a socket needs neither.
        """
        settings = {"role": role, "lock_timeout": f"{lock_wait_s:g}s", **SESSION}
        given = self._parts.get("options", "")
        options = " ".join([given, *(f"-c{name}={value}" for name, value in settings.items())])
        parts = {**self._parts, "options": options.strip()}
        parts.setdefault("password", "none")
        uri = Address(parts).uri
        return uri.replace("@/", "@localhost/", 1) if "@/" in uri else uri


def address_of(settings: Settings) -> Address:
    """Return the address of the warehouse that the settings name."""
    return parse(settings.warehouse_url or "")


def parse(url: str) -> Address:
    """Read the address; nothing of it is repeated in an error, because a password may be anywhere in a broken one."""
    from psycopg2 import ProgrammingError
    from psycopg2.extensions import parse_dsn

    if not url.startswith(_SCHEMES):
        raise WarehouseError(f"GTM_WAREHOUSE_URL names no Postgres database: {_FORM}")
    try:
        parts = {str(name): str(value) for name, value in parse_dsn(url).items()}
    except ProgrammingError:
        raise WarehouseError(f"GTM_WAREHOUSE_URL is no database address: {_FORM}") from None
    if not parts.get("dbname"):
        raise WarehouseError(f"GTM_WAREHOUSE_URL names no database: {_FORM}")
    if url.partition("?")[0].count("@") > 1:  # the rest of the password would be taken for the host, and shown
        raise WarehouseError(f"GTM_WAREHOUSE_URL has more than one @: {_FORM}")
    if "password" in parts:
        Secret(parts["password"])  # known from now on, so that no message or log shows it
    return Address({**_NETWORK, **parts})
