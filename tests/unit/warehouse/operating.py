"""What whoever runs the server does beside us: a session above all rights, in the database of a warehouse."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from tests import postgres

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import psycopg2.extensions

    from gtm_pipelines.settings import Settings


def operator(settings: Settings) -> AbstractContextManager[psycopg2.extensions.cursor]:
    """Open the session; every statement stands for itself."""
    return postgres.shared().session(database(settings))


def database(settings: Settings) -> str:
    """Return the name of a warehouse's database."""
    return urlsplit(settings.warehouse_url or "").path.removeprefix("/")
