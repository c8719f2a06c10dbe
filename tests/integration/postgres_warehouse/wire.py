"""The wire between the pipeline and its database, which can be cut: a socket that hands everything on until told to.

What happens, happens once, at a chosen moment: the line is cut before a message is handed on, or when it was done but
the answer is not there yet, or something is done to the server instead.
"""

from __future__ import annotations

import contextlib
import shutil
import socket
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

_CHUNK = 1 << 16
_PATIENCE_S = 20
_NAME = ".s.PGSQL.5432"


class Wire:
    """A socket folder that leads to a server. Inside the block it is open."""

    def __init__(self, server: Path) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gtm-wire-"))
        self._server = str(server / _NAME)
        self._lines: list[tuple[socket.socket, socket.socket]] = []
        self._lock = threading.Lock()
        self._is_due: Callable[[bytes], bool] = lambda _: False
        self._happens: Callable[[], None] | None = None
        self._is_answered = False
        self._is_met = False
        self._done = threading.Event()
        self._listening = socket.socket(socket.AF_UNIX)

    def __enter__(self) -> Self:
        self._listening.bind(str(self.folder / _NAME))
        self._listening.listen()
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listening.close()
        self.cut()
        shutil.rmtree(self.folder)

    def fault(
        self, is_due: Callable[[bytes], bool], happens: Callable[[], None] | None = None, *, answered: bool = False
    ) -> None:
        """At the first message that ``is_due`` says: do what ``happens``, or else cut every line.

        With ``answered`` the server has done what it was asked, and the answer is lost.
        """
        self._is_due, self._happens, self._is_answered = is_due, happens, answered
        self._is_met, self._done = False, threading.Event()

    def happened(self) -> bool:
        """Tell whether the moment came; what happens at it is over then."""
        return self._done.wait(_PATIENCE_S)

    def cut(self) -> None:
        """Cut every line that there is; new ones can be had."""
        lines, self._lines = self._lines, []
        for line in lines:
            for end in line:
                with contextlib.suppress(OSError):
                    end.shutdown(socket.SHUT_RDWR)
                end.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                client, _ = self._listening.accept()
                there = socket.socket(socket.AF_UNIX)
                try:
                    there.connect(self._server)
                except OSError:
                    client.close()  # as a server that is not there does
                    continue
                self._lines.append((client, there))
                lost = threading.Event()
                threading.Thread(target=self._ask, args=(client, there, lost), daemon=True).start()
                threading.Thread(target=self._answer, args=(client, there, lost), daemon=True).start()

    def _ask(self, client: socket.socket, there: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while said := client.recv(_CHUNK):
                if self._is_now(said):
                    self._come_to_pass(lost)
                there.sendall(said)
        self._end(client, there)

    def _answer(self, client: socket.socket, there: socket.socket, lost: threading.Event) -> None:
        with contextlib.suppress(OSError):
            while said := there.recv(_CHUNK):
                if lost.is_set():
                    self.cut()
                    break
                client.sendall(said)
        self._end(client, there)

    def _is_now(self, said: bytes) -> bool:
        with self._lock:
            if self._is_met or not self._is_due(said):
                return False
            self._is_met = True
            return True

    def _come_to_pass(self, lost: threading.Event) -> None:
        if self._is_answered:
            lost.set()
        elif self._happens is not None:
            self._happens()
        else:
            self.cut()
        self._done.set()

    @staticmethod
    def _end(*line: socket.socket) -> None:
        """One side hung up, so the other one has, too."""
        for end in line:
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()


def message(number: int) -> Callable[[bytes], bool]:
    """The so-manieth message, whatever it says."""
    left = [number]

    def is_due(_: bytes) -> bool:
        left[0] -= 1
        return left[0] == 0

    return is_due


def saying(*texts: bytes) -> Callable[[bytes], bool]:
    """The first message with the last of these texts in it that comes after one with each of the others, in order."""
    wanted = list(texts)

    def is_due(said: bytes) -> bool:
        while wanted and wanted[0] in said:
            del wanted[0]
        return not wanted

    return is_due
