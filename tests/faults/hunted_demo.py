"""The hunt for secrets after a whole demo: four tenants, every source, through Dagster, on each kind of database.

``python -m tests.faults.hunted_demo`` runs the real ``gtm demo`` in a copy of the project, with a home directory and a
folder for temporary files of its own, logging all it can; then it looks through everything that was left. Not looked
through is the sandbox's folder: there the vendors live. One secret has a place where it must be: the demo keeps the
encryption key in ``.env``, and it may be nowhere else.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from gtm_pipelines.cli.demo import EVERYTHING, TENANTS
from gtm_pipelines.sandbox import accounts, database
from gtm_pipelines.settings import PROJECT_ROOT, read_env_file
from tests.faults.hunt import Found, Hunt, Needles, hunt
from tests.faults.overheard import overheard
from tests.postgres import Server

KEY = "the encryption key"
KINDS = ("duckdb", "postgres")
_PRODUCT = ("connectors", "deploy", "gtm_pipelines", "quality", "sql", "dagster.yaml", "workspace.yaml")
_LOGINS = ("salesforce", "hubspot", "microsoft365")  # who give tokens
_LIMIT_S = 1800


class NothingProvenError(Exception):
    """The demo failed, or left so little that finding nothing in it would prove nothing."""


@dataclass(frozen=True)
class Demo:
    """One demo's folder: ``root`` has a copy of the project and everything that was written."""

    root: Path

    @property
    def project(self) -> Path:
        """The copy of the project."""
        return self.root / "project"

    @property
    def home(self) -> Path:
        """GTM_HOME, where the demo puts it by itself."""
        return self.project / ".gtm"

    @property
    def worlds(self) -> Path:
        """The vendors' side."""
        return self.home / "sandbox"

    def run(self, size: int, **databases: str) -> dict[str, str]:
        """Run the demo to its end and return every secret that there was, by name."""
        for name in _PRODUCT:
            copy = shutil.copytree if (PROJECT_ROOT / name).is_dir() else shutil.copy2
            copy(PROJECT_ROOT / name, self.project / name)
        ours = {file: file.stat().st_mtime_ns for file in self.project.rglob("*") if file.is_file()}
        with overheard(self.worlds) as (url, heard):
            self._start(size, GTM_SANDBOX_URL=url, **databases)
            known = dict(_of_accounts(url, self.worlds))
        for file, changed_at in ours.items():
            if file.stat().st_mtime_ns == changed_at:
                file.unlink()  # what remains was written by the demo
        return {**known, **_issued(heard, set(known.values())), KEY: self._key()}

    def _start(self, size: int, **environment: str) -> None:
        said = self.root / "said"
        user, scratch = self.root / "user", self.root / "tmp"
        for each in (said, user, scratch):
            each.mkdir()
        command = [sys.executable, "-m", "gtm_pipelines.cli", "demo", "--size", str(size)]
        with (said / "stdout").open("wb") as out, (said / "stderr").open("wb") as errors:
            done = subprocess.run(
                command,
                cwd=self.project,
                env={
                    "PATH": os.environ["PATH"],
                    "HOME": str(user),
                    "TMPDIR": str(scratch),
                    "PYTHONDONTWRITEBYTECODE": "1",
                    "GTM_LOG_LEVEL": "DEBUG",
                    **environment,
                },
                stdout=out,
                stderr=errors,
                timeout=_LIMIT_S,
                check=False,
            )
        if done.returncode:
            raise NothingProvenError(f"gtm demo failed: {(said / 'stderr').read_text()[-3000:]}")

    def _key(self) -> str:
        return read_env_file(self.project / ".env")["CONNECTOR_ENCRYPTION_KEY"]

    def faults(self, done: Hunt) -> list[Found]:
        """Return what was found where it must not be."""
        place = str((self.project / ".env").relative_to(self.root))
        kept = [each for each in done.found if (each.where, each.secret, each.form) == (place, KEY, "plain")]
        if len(kept) != 1:
            raise NothingProvenError("the encryption key was not found where it is kept")
        if not done.sealed:
            raise NothingProvenError("no sealed credential was met: it was not looked where they are kept")
        return [each for each in done.found if each not in kept]


def _of_accounts(url: str, worlds: Path) -> Iterator[tuple[str, str]]:
    """Tell every credential that a connection is given."""
    known = [(tenant, vendor, account) for tenant in TENANTS for vendor, account in accounts(url, tenant).items()]
    for tenant, vendor, account in [*known, (EVERYTHING, "sql", database(worlds, EVERYTHING))]:
        yield from ((f"{tenant}'s {vendor} {name}", value) for name, value in account.credentials.items())


def _issued(heard: Mapping[str, set[str]], known: set[str]) -> dict[str, str]:
    """Name every secret that only the sandbox heard of."""
    issued = {place: sorted(offered - known) for place, offered in heard.items()}
    without = [each for each in _LOGINS if not issued.get(f"{EVERYTHING}/{each}")]
    if without:
        raise NothingProvenError(f"no token of {', '.join(without)} was heard of")
    return {f"token {number} of {place}": each for place in issued for number, each in enumerate(issued[place], 1)}


@contextmanager
def on_postgres(root: Path) -> Iterator[tuple[dict[str, str], dict[str, str]]]:
    """Give three databases whose owners need passwords, as variables, and the passwords by name.

    The server logs all that it is sent. What it holds, and how it lies on its disk, is left below ``root``.
    """
    server = Server()
    hba = server.folder / "pg_hba.conf"
    addresses, passwords = {}, {}
    for part in ("warehouse", "control", "dagster"):
        password = f"kanarie/{part}@p+{secrets.token_hex(6)}"
        with server.session("postgres") as cursor:
            cursor.execute(f"CREATE ROLE {part} LOGIN PASSWORD '{password}'")
            cursor.execute(f"ALTER ROLE {part} SET log_statement = 'all'")
            cursor.execute(f"CREATE DATABASE {part} OWNER {part}")
        hba.write_text(f"local all {part} scram-sha-256\n" + hba.read_text())
        addresses[f"GTM_{part.upper()}_URL"] = (
            f"postgresql://{part}:{quote(password, safe='')}@/{part}?host={server.folder}"
        )
        passwords[f"the {part} database's password"] = password
    server.psql("ALTER ROLE warehouse CREATEROLE")
    server.psql("SELECT pg_reload_conf()")
    yield addresses, passwords
    left = root / "server"
    left.mkdir()
    for part in ("warehouse", "control", "dagster"):
        dump = (server.programs / "pg_dump", "--inserts", "-f", left / f"{part}.sql", server.dsn(part))
        subprocess.run([str(each) for each in dump], check=True)
    server.stop()
    shutil.copytree(server.folder, left / "data", ignore=shutil.ignore_patterns(".s.PGSQL*"))


def trial(root: Path, kind: str, size: int) -> list[Found]:
    """Play one demo, look through what it left, say what that was, and return what should not be there."""
    began = time.monotonic()
    demo = Demo(root)
    demo.project.mkdir()
    if kind == "postgres":
        with on_postgres(root) as (addresses, passwords):
            known = {**demo.run(size, **addresses), **passwords}
    else:
        known = demo.run(size)
    needles = Needles(known)
    done = hunt(root, needles, leave_out=demo.worlds)
    faults = demo.faults(done)
    print(
        f"{kind}: {len(known)} secrets in {len(needles)} spellings, looked for in {done.files} files, "
        f"{done.tables} tables and {done.packed} packed places, {done.bytes / 1e6:,.0f} MB: {len(faults)} found "
        f"in {time.monotonic() - began:.0f} s",
        flush=True,
    )
    for fault in faults:
        print(f"  {fault}")
    return faults


def main() -> int:
    """Hunt on the databases asked for; exit 1 when anything was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", choices=KINDS, help="only this kind of database")
    parser.add_argument("--size", type=int, default=400, help="people in each tenant's world")
    asked = parser.parse_args()
    faults = []
    for kind in [asked.on] if asked.on else KINDS:
        root = Path(tempfile.mkdtemp(prefix="gtm-hunt-"))
        print(f"{kind}: a demo in {root}, which stays if anything is found", flush=True)
        found = trial(root, kind, asked.size)
        faults += found
        if not found:
            shutil.rmtree(root)
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
