"""The first files of a new connector: a folder that holds to every rule of a folder, with its vendor still to describe.

The files beside this one are templates (``string.Template``); ``$id`` and ``$name`` are filled in, nothing else.
"""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from connectors import registry

_TEMPLATES = Path(__file__).parent
_FILES = ("connector.yml", "mapping.yml", "icon.svg", "README.md")
_ID = re.compile(r"[a-z][a-z0-9]{0,29}")


class ScaffoldError(ValueError):
    """The folder cannot be made; the message says why."""


def write_connector(connector: str, name: str, vendors: Path = registry.VENDORS) -> list[Path]:
    """Write the folder of ``connector`` and return its files; raise ScaffoldError, writing nothing."""
    if not _ID.fullmatch(connector):
        raise ScaffoldError(f"{connector!r} cannot be a connector's id: small letters and digits, a letter first")
    if not name.strip() or not name.isprintable() or any(sign in name for sign in '"\\<>&{}'):
        raise ScaffoldError(f"{name!r} cannot be a vendor's name: it stands in YAML and in a drawing, unquoted")
    folder = vendors / connector
    if folder.exists():
        raise ScaffoldError(f"{folder} is there already")
    values = {"id": connector, "name": name}
    texts = {each: Template((_TEMPLATES / each).read_text(encoding="utf-8")).substitute(values) for each in _FILES}
    folder.mkdir(parents=True)
    for each, text in {"__init__.py": f'"""{name}."""\n', **texts}.items():
        (folder / each).write_text(text, encoding="utf-8")
    return [folder / each for each in ("__init__.py", *_FILES)]
