"""After a whole turn with logging at DEBUG, no credential stands in clear in anything the pipeline wrote.

That the hunt would find one is shown in test_hunt.py.
"""

from __future__ import annotations

import io
import logging
from pathlib import Path

from tests.faults import actors
from tests.faults.hunt import Needles, hunt
from tests.faults.stage import KEY, TENANT, staged

SECRETS = [f"sandbox-secret-{TENANT}", f"sandbox-refresh-{TENANT}", f"sandbox-cio-{TENANT}", KEY]


def test_no_credential_is_written_in_clear(tmp_path: Path) -> None:
    written = io.StringIO()
    handler, root = logging.StreamHandler(written), logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    try:
        with staged(tmp_path, size=60, seed=4) as stage:
            settings = stage.home("home")
            assert actors.sync_all(settings) == ["ok", "ok", "ok"]
            actors.refresh(settings)
    finally:
        root.removeHandler(handler)
        root.setLevel(level)
    assert (settings.home / "control.db").stat().st_size > 0
    (settings.home / "everything.log").write_text(written.getvalue())
    done = hunt(settings.home, Needles({str(number): secret for number, secret in enumerate(SECRETS)}))
    assert done.found == []
    assert done.sealed
    assert done.tables
