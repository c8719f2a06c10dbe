"""Which marts there are: one per file of ``sql/marts``, a query under a header that states grain, key and owner."""

from __future__ import annotations

from pathlib import PurePosixPath

from gtm_pipelines.warehouse import sql_files

SCHEMA = "marts"


def mart_files() -> dict[str, str]:
    """Return the file of each mart by its name, as ``person_360``."""
    return {PurePosixPath(path).stem: path for path in sql_files.files(SCHEMA)}
