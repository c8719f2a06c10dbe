"""What a connector's folder must hold, as plain functions: each returns nothing, or raises NotConformant.

Nothing here builds a connector or opens a socket; a folder is judged by what lies in it.
"""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from connectors.conformance.checks import NotConformant

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

LARGEST_ICON = 8_192
_SVG = "{http://www.w3.org/2000/svg}"
_DRAWN = {"svg", "g", "path", "circle", "rect", "ellipse", "polygon", "polyline", "line", "title", "desc"}
_README_SECTIONS = ("Connect", "What is read", "Limits")


def check_icon(text: str) -> None:
    """An icon is a small drawing that runs nothing and loads nothing: it is shown inside our own pages."""
    if len(text.encode()) > LARGEST_ICON:
        raise NotConformant(f"the icon is larger than {LARGEST_ICON} bytes")
    if "<!" in text or "<?" in text.lstrip()[2:]:
        raise NotConformant("the icon declares something beside its drawing")
    try:
        root = ET.fromstring(text)  # noqa: S314 - our own file, and declarations were refused above
    except ET.ParseError as error:
        raise NotConformant("the icon is not XML") from error
    if root.tag != f"{_SVG}svg" or "viewBox" not in root.attrib:
        raise NotConformant("the icon is not an SVG with a viewBox")
    for element in root.iter():
        name = element.tag.removeprefix(_SVG)
        active = [key for key in element.attrib if key.lower().startswith("on") or "href" in key.lower()]
        if name not in _DRAWN or active or "url(" in "".join(element.attrib.values()):
            raise NotConformant(f"the icon holds <{name}> with {active}: only plain shapes are shown")


def check_readme(text: str, entities: Sequence[str]) -> None:
    """A README says how to connect, what is read and what the limits are, and names every entity."""
    for section in _README_SECTIONS:
        if not re.search(rf"^## {section}\b", text, re.MULTILINE):
            raise NotConformant(f"the README has no section '## {section}'")
    if unnamed := [name for name in entities if name not in text]:
        raise NotConformant(f"the README does not name {', '.join(unnamed)}")


def check_entity_names(names: Sequence[str], normalise: Mapping[str, str]) -> None:
    """Entity names become table names: each survives normalisation, and no two become one."""
    seen: dict[str, str] = {}
    for name in names:
        table = normalise[name]
        if not re.fullmatch(r"[a-z][a-z0-9_]*", table):
            raise NotConformant(f"{name} becomes {table!r}, which is no table name")
        if table in seen:
            raise NotConformant(f"{name} and {seen[table]} both become the table {table}")
        seen[table] = name


def check_mapped(entities: Sequence[str], mapped: Sequence[str]) -> None:
    """Every entity is mapped or left out by name, and the mapping knows no others."""
    if unsaid := set(entities) - set(mapped):
        raise NotConformant(f"the mapping says nothing of {', '.join(sorted(unsaid))}: map it, or leave it out with []")
    if unknown := set(mapped) - set(entities):
        raise NotConformant(f"the mapping speaks of {', '.join(sorted(unknown))}, which the connector does not read")


def check_code(kind: str, source: Path) -> None:
    """Code is there only for a native connector, and its first lines say what forced it."""
    if kind == "generic":
        if source.exists():
            raise NotConformant("a generic connector has no source.py: say kind: native, or describe it")
        return
    if not source.exists():
        raise NotConformant("a native connector needs a source.py")
    text = source.read_text(encoding="utf-8")
    if "Code, " not in (ast.get_docstring(ast.parse(text)) or "")[:300]:
        raise NotConformant("source.py does not open by saying what forced code ('… Code, because …')")


def check_vendor_imports(vendor: str, sources: Sequence[Path]) -> None:
    """A vendor imports no other vendor, and nothing of the pipeline around it."""
    for source in sources:
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            for name in names:
                others = name.startswith("connectors.vendors.") and name.split(".")[2] != vendor
                if others or name.split(".")[0] in {"gtm_pipelines", "quality", "dagster", "dlt", "httpx", "duckdb"}:
                    raise NotConformant(f"{source.name} imports {name}")
