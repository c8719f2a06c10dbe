"""A small disk of a test's own: a tmpfs that nobody else sees and that is gone with the process that made it.

Run as a program, this file mounts it and does there what it is told on its input, line by line. Root mounts it in a
mount namespace of its own; whoever may not, in a user namespace, where one may mount for oneself. Both keep their user
id: Postgres refuses to run as root, be it the root of a namespace. What belongs here is the disk and its being full;
what lies on it does not.
"""

from __future__ import annotations

import ctypes
import json
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

_NEW_MOUNTS, _NEW_USERS = 0x20000, 0x10000000  # CLONE_NEWNS, CLONE_NEWUSER
_PRIVATE = 0x4000 | 1 << 18  # MS_REC | MS_PRIVATE: nothing of it is seen elsewhere
_DUMPABLE = 4  # PR_SET_DUMPABLE
_BALLAST = "ballast"


class SmallDiskError(RuntimeError):
    """The disk could not be made, or what was asked of it failed; the message is the system's own."""


class SmallDisk:
    """A tmpfs of so many bytes. Where root asks for it ``user`` works on it, and may be left to mount it, too."""

    def __init__(self, size: int, user: str = "", *, mounted_by_root: bool = True) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="gtm-disk-"))
        command = [sys.executable, __file__, str(self.folder), str(size), user, "mounted" * mounted_by_root]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            self._answer()
        except SmallDiskError as error:
            self.close()
            raise SmallDiskError(
                f"{error}; to have a small disk, root must be let mount, or `unshare -Urm` work"
            ) from None

    def run(self, *command: str | Path) -> str:
        """Run a command that sees the disk; return what it says."""
        return str(self._ask("run", *map(str, command)))

    def copy(self, source: Path, name: str, *leave_out: str) -> Path:
        """Copy a folder to the disk, without the files that match one of ``leave_out``."""
        self._ask("copy", str(source), name, *leave_out)
        return self.folder / name

    @contextmanager
    def full(self, but: int = 0) -> Iterator[None]:
        """Let there be no room but so many bytes, until the block ends."""
        self._ask("fill", str(but))
        try:
            yield
        finally:
            self._ask("clear")

    def close(self) -> None:
        """Let it vanish; whatever runs on it has to have ended."""
        self._process.communicate()
        self.folder.rmdir()

    def _ask(self, *asked: str) -> Any:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(asked) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        done, said = json.loads(self._process.stdout.readline() or '[false, "the disk has gone"]')
        if not done:
            raise SmallDiskError(said)
        return said


def _serve(folder: Path, size: int, user: str, *, by_root: bool) -> None:
    """Mount the disk, and do there what is asked."""
    works = {"run": _run, "copy": _copy, "fill": _fill, "clear": _clear}
    outside = _mounts()
    _tell(partial(_mount, folder, size, user, by_root=by_root))
    if _mounts() == outside:
        return  # nothing here is ours
    os.chdir(folder)
    for line in sys.stdin:
        what, *asked = json.loads(line)
        _tell(works[what], *asked)
    _end_all()


def _tell(work: Any, *asked: Any) -> None:
    try:
        answer = [True, work(*asked)]
    except (OSError, subprocess.CalledProcessError) as error:
        answer = [False, f"{error} {getattr(error, 'stdout', '')}"]
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


def _mount(folder: Path, size: int, user: str, *, by_root: bool) -> None:
    if os.geteuid() != 0 or not user:
        _mount_for_oneself(folder, size)
        return
    works = pwd.getpwnam(user)
    os.chown(folder, works.pw_uid, works.pw_gid)
    is_mounted = by_root and _may_mount()
    if is_mounted:
        _system("mount", b"none", b"/", None, _PRIVATE, None)
        _mount_at(folder, size, works.pw_uid, works.pw_gid)
    os.initgroups(user, works.pw_gid)
    os.setgid(works.pw_gid)
    os.setuid(works.pw_uid)
    _system("prctl", _DUMPABLE, 1)  # a process that changed its user has its /proc taken away
    if not is_mounted:
        _mount_for_oneself(folder, size)


def _may_mount() -> bool:
    """Leave for mounts of our own, if this root may: that of a container often may not."""
    try:
        _system("unshare", _NEW_MOUNTS)
    except PermissionError:
        return False
    return True


def _mount_for_oneself(folder: Path, size: int) -> None:
    uid, gid = os.geteuid(), os.getegid()
    _system("unshare", _NEW_USERS | _NEW_MOUNTS)
    for name, said in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path("/proc/self", name).write_bytes(said.encode())
    _mount_at(folder, size, uid, gid)


def _mount_at(folder: Path, size: int, uid: int, gid: int) -> None:
    options = f"size={size},mode=0700,uid={uid},gid={gid}"
    _system("mount", b"tmpfs", os.fsencode(folder), b"tmpfs", 0, options.encode())


def _system(call: str, *arguments: bytes | int | None) -> None:
    long = [ctypes.c_ulong(each) if isinstance(each, int) else each for each in arguments]
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*long) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{call}: {os.strerror(number)}")


def _end_all() -> None:
    """End what still runs on the disk, if whoever asked for it was killed."""
    here = _mounts()
    for other in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):  # ended meanwhile, or not ours to look at
            if int(other.name) != os.getpid() and _mounts(other.name) == here:
                os.kill(int(other.name), signal.SIGQUIT)  # Postgres takes its shared memory with it


def _mounts(process: str = "self") -> Path:
    """Return what tells apart whose mounts a process sees."""
    return Path("/proc", process, "ns", "mnt").readlink()


def _run(*command: str) -> str:
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.stdout


def _copy(source: str, name: str, *leave_out: str) -> None:
    shutil.copytree(source, name, ignore=shutil.ignore_patterns(*leave_out))


def _fill(but: str) -> None:
    room = os.statvfs(".")
    with Path(_BALLAST).open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, room.f_bavail * room.f_frsize - int(but))


def _clear() -> None:
    Path(_BALLAST).unlink()


if __name__ == "__main__":
    _serve(Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3], by_root=bool(sys.argv[4]))
