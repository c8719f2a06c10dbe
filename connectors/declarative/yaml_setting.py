"""A setting whose value is a YAML document, or the path of one: what the entities of a connection are."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pydantic import ValidationError

from connectors.declarative.strict_yaml import DescriptorError, Document, faults, load_file, load_text
from connectors.errors import Stop

if TYPE_CHECKING:
    from pydantic import TypeAdapter

T = TypeVar("T")

_SUFFIXES = (".yml", ".yaml", ".json")


def read_setting(text: str, name: str, form: TypeAdapter[T]) -> T:
    """Return what the text of setting ``name`` says; raise Stop naming the file or setting, the line and the key."""
    try:
        document = load_file(Path(text)) if _is_path(text) else load_text(text, name)
        return _validated(document, form)
    except DescriptorError as error:
        raise Stop("bad_setting", str(error)) from None


def _is_path(text: str) -> bool:
    return text.startswith("/") and "\n" not in text and text.endswith(_SUFFIXES)


def _validated(document: Document, form: TypeAdapter[T]) -> T:
    try:
        found = form.validate_python(document.data)
    except ValidationError as error:
        raise DescriptorError(faults(document, error)) from None
    if not found:
        raise DescriptorError(f"{document.name}:1: there is nothing in it: name at least one entity")
    return found
