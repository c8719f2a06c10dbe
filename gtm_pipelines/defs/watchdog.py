"""A run or step process does not outlive the process that started it.

Dagster's default launcher leaves a step running when its run worker is killed, while the run is already marked failed
and may be retried beside it. Leases fence such a writer; this ends it. Nothing here runs in the process of a person's
own command, which has no multiprocessing parent.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

GRACE_SECONDS = 1.0

_armed = threading.Event()


def die_with_parent(
    *, grace_seconds: float = GRACE_SECONDS, leave: Callable[[int], None] = os._exit
) -> threading.Thread | None:
    """Watch the parent process; when it is gone, ask this one to stop, and end it after a grace. Armed at most once."""
    parent = multiprocessing.parent_process()
    if parent is None or _armed.is_set():
        return None
    _armed.set()

    def watch() -> None:
        parent.join()
        threading.Timer(grace_seconds, leave, args=(1,)).start()
        os.kill(os.getpid(), signal.SIGTERM)  # lets Dagster write the end of the run where it still can

    watcher = threading.Thread(target=watch, name="die-with-parent", daemon=True)
    watcher.start()
    return watcher
