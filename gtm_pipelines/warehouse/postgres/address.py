"""``GTM_WAREHOUSE_URL`` taken apart: what each driver needs to reach the server, and no password in any message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import exc
from sqlalchemy.engine import make_url

from connectors.runtime.redaction import Secret
from gtm_pipelines.warehouse.protocol import WarehouseError

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_NETWORK = {
    "connect_timeout": "10",
    "keepalives_idle": "30",
    "keepalives_interval": "10",
    "keepalives_count": "3",
    "tcp_user_timeout": "60000",
    "application_name": "gtm-pipelines",
}
"""libpq's settings for a network that may fail; the address overrides each of them."""
_FORM = "write postgresql://user:password@host/database, with @ : / ? # % in the password percent-encoded"


@dataclass(frozen=True, slots=True)
class Address:
    """A Postgres database."""

    _url: URL

    @property
    def uri(self) -> str:
        """As libpq takes it."""
        return self._url.render_as_string(hide_password=False)

    @property
    def database(self) -> str:
        """The database's name."""
        return str(self._url.database)

    def under(self, role: str) -> str:
        """As libpq takes it, for sessions that begin under a role and fall back to it when they are reset."""
        options = f"{self._url.query.get('options', '')} -crole={role}".strip()
        return self._url.update_query_dict({"options": options}).render_as_string(hide_password=False)

    def for_dlt(self, role: str) -> str:
        """As dlt takes it: it wants a host and a password even where a local socket needs neither."""
        url = self._url if self._url.host else self._url.set(host="localhost")
        with_password = url if url.password else url.set(password="none")  # noqa: S106  no secret: the server asks none
        return Address(with_password).under(role)


def parse(url: str) -> Address:
    """Read the address; nothing of it is repeated in an error, because a password may be anywhere in a broken one."""
    try:
        parsed = make_url(url)
    except (exc.ArgumentError, ValueError):
        raise WarehouseError(f"GTM_WAREHOUSE_URL is no database address: {_FORM}") from None
    if parsed.drivername not in {"postgresql", "postgres", "postgresql+psycopg2"} or not parsed.database:
        raise WarehouseError(f"GTM_WAREHOUSE_URL names no Postgres database: {_FORM}")
    if url.partition("?")[0].count("@") > 1:  # the rest of the password would be taken for the host, and shown
        raise WarehouseError(f"GTM_WAREHOUSE_URL has more than one @: {_FORM}")
    if parsed.password:
        Secret(str(parsed.password))  # known from now on, so that no message or log shows it
    settings = {name: value for name, value in _NETWORK.items() if name not in parsed.query}
    return Address(parsed.set(drivername="postgresql").update_query_dict(settings))
