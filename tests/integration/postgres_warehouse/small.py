"""A Postgres whose whole disk is small: its tables, its log of changes and everything else that it writes."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.postgres import Server
from tests.small_disk import SmallDisk, SmallDiskError

if TYPE_CHECKING:
    from collections.abc import Iterator

_SEGMENT = 1 << 20  # of the log of changes; 16 MB would be half of the room
_ROOM = 24 << 20
_ENOUGH = 512  # bytes of the log: what the server notes by itself fits, and no work does
_NO_DATA = ("log", "postmaster.*", ".*", "0000????????????????????")  # the last is the log of changes
_SETTINGS = "-c autovacuum=off -c wal_writer_delay=10s"  # so that it is the pipeline's session that meets the end
_LEFT = """
SELECT (('x' || substr(max(name), 9, 8))::bit(32)::bigint * 4096 + ('x' || substr(max(name), 17))::bit(32)::bigint + 1)
    * 1048576 - (pg_current_wal_insert_lsn() - '0/0')
FROM pg_ls_waldir()
"""


class SmallServer(Server):
    """A copy of what another server has; its socket and what it tells of itself lie outside, where there is room."""

    def __init__(self, original: Server) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gtm-pg-"))
        self.folder.chmod(0o777)
        self._server = original._server  # its programs, and its user
        original.stop()
        try:
            self.disk = SmallDisk(_size(original.folder) + _ROOM, original.system_user)
            self._data = self.disk.copy(original.folder, "data", *_NO_DATA)
        finally:
            original.start()
        self.disk.run(self.programs / "pg_resetwal", "--wal-segsize=1", "-D", self._data)
        self.start()

    def start(self) -> None:
        """Start it again, with its data."""
        self._control("-l", str(self.folder / "log"), "-o", f"-h '' -k {self.folder} {_SETTINGS}", "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it, or see that it has ended: it goes down by itself when it cannot write its log of changes."""
        with suppress(SmallDiskError):
            self._control("stop", "-m", mode)
        with pytest.raises(SmallDiskError, match="no server running"):
            self._control("status")

    @contextmanager
    def log_full(self) -> Iterator[None]:
        """Let there be some room for tables, and none for the log of changes, which a standby that is gone holds back.

        The next statement that changes anything makes the server go down, and it cannot come up before there is room.
        """
        with self.disk.full(but=_SEGMENT // 2):
            with self.session("postgres") as cursor:
                cursor.execute("SELECT pg_create_physical_replication_slot('gone', true)")
                cursor.execute(_LEFT)
                while (left := int((cursor.fetchone() or [0])[0])) > _ENOUGH:
                    cursor.execute("SELECT pg_logical_emit_message(false, '', repeat('x', %s), true)", [left // 2])
                    cursor.execute(_LEFT)
            yield

    def close(self) -> None:
        """End it, with all that it had."""
        self.stop("immediate")
        self.disk.close()
        shutil.rmtree(self.folder)

    def _control(self, *arguments: str) -> None:
        self.disk.run(self.programs / "pg_ctl", "-w", "-D", self._data, *arguments)


def _size(folder: Path) -> int:
    return sum(
        (Path(place) / file).stat().st_size
        for place, _, files in os.walk(folder)
        for file in files
        if "pg_wal" not in place
    )
