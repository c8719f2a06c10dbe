"""The rules of the house that import-linter cannot say."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("connectors", "quality", "gtm_pipelines")
SOURCES = [path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))]

WHERE_ALLOWED = {
    # connectors/runtime/databases/ streams through dlt's sql_database, whose statements SQLAlchemy writes
    "dlt": ("connectors/dlt_source.py", "connectors/runtime/databases/", "gtm_pipelines/ingest/"),
    "httpx": ("connectors/runtime/",),
    "dagster": ("gtm_pipelines/defs/", "gtm_pipelines/definitions.py"),
    "duckdb": ("gtm_pipelines/warehouse/", "gtm_pipelines/sandbox/", "gtm_pipelines/ingest/spool"),
    # Dagster's own storage speaks to its files through SQLAlchemy; ours only keeps what it opened
    "sqlalchemy": (
        "connectors/runtime/databases/",
        "gtm_pipelines/control_plane/",
        "gtm_pipelines/defs/sqlite_storage.py",
    ),
}


@cache
def imported_roots(path: Path) -> set[str]:
    """Top-level names a file imports anywhere in it, type-checking blocks left out."""
    tree = ast.parse(path.read_text())
    typing_only = {
        id(child)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        for child in ast.walk(node)
    }
    roots: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            roots |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            roots.add(node.module.split(".")[0])
    return roots


@pytest.mark.parametrize("library", sorted(WHERE_ALLOWED))
def test_a_library_is_imported_only_where_it_belongs(library: str) -> None:
    strays = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if library in imported_roots(path) and not str(path.relative_to(ROOT)).startswith(WHERE_ALLOWED[library])
    ]
    assert strays == []


def test_only_settings_reads_the_environment() -> None:
    reading = re.compile(r"os\.environ|os\.getenv|getenv\(")
    strays = [
        str(path.relative_to(ROOT))
        for path in SOURCES
        if path.name != "settings.py" and reading.search(path.read_text())
    ]
    assert strays == []


def test_every_module_opens_by_saying_what_belongs_in_it() -> None:
    silent = [str(p.relative_to(ROOT)) for p in SOURCES if len(ast.get_docstring(ast.parse(p.read_text())) or "") < 3]
    assert silent == []


def test_importing_any_module_does_no_io() -> None:
    """Every module is imported in a fresh process without a key, where a socket or a subprocess fails the import."""
    modules = [".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__") for path in SOURCES]
    modules = [name for name in modules if ".migrations." not in name]
    program = f"""
import importlib, sys
def hook(event, args):
    if event == "subprocess.Popen" and args[1][:2] == ["file", "-b"]:
        return  # platform.architecture(), which dlt and dagster ask of Python itself
    if event in ("socket.connect", "subprocess.Popen", "socket.bind"):
        raise SystemExit(f"{{event}} while importing {{current}}")
sys.addaudithook(hook)
for current in {modules!r}:
    importlib.import_module(current)
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
