"""``{{name}}`` and nothing more: placeholders from a declared list, filled in where they can do no harm.

No expressions, filters or calls. A value in a path becomes one encoded segment; in a query it is a parameter's value;
in a header it may hold no control character; in a JSON body a lone placeholder keeps its value's type. Scheme, host and
names are never templates.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote

from connectors.errors import SkipRecord, Stop

_PLACEHOLDER = re.compile(r"\{\{ ?([a-z][a-z0-9_]*(?:\.[a-z][a-z0-9_]*)?) ?\}\}")
_LITERAL_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@-]*")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Values = Mapping[str, Any]


class TemplateError(ValueError):
    """A template outside the grammar; the message says what is allowed."""


def names(text: str) -> list[str]:
    """Return the placeholders of ``text``; raise TemplateError when it holds any other braces."""
    if "{{" in _PLACEHOLDER.sub("", text) or "}}" in _PLACEHOLDER.sub("", text):
        raise TemplateError(f"{text!r}: a placeholder is {{{{name}}}} or {{{{group.name}}}}, without filters or calls")
    return _PLACEHOLDER.findall(text)


def names_in(value: Any) -> Iterator[str]:
    """Yield the placeholders of a nested structure's strings."""
    if isinstance(value, str):
        yield from names(value)
    elif isinstance(value, Mapping):
        for inner in value.values():
            yield from names_in(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from names_in(inner)


def check_path(path: str) -> str:
    """Return ``path`` when it is a path template: ``/`` and segments of plain characters and placeholders."""
    if not path.startswith("/"):
        raise TemplateError(f"{path!r}: a path starts with '/'")
    for segment in path.split("/")[1:]:
        names(segment)
        plain = _PLACEHOLDER.sub("", segment)
        if not _LITERAL_PATH.fullmatch(plain) or segment in (".", ".."):
            raise TemplateError(
                f"{path!r}: a path holds plain characters and placeholders, no query and no dot segments"
            )
    return path


def render_path(path: str, values: Values) -> str:
    """Fill ``path``; each value stays inside its segment. Raise SkipRecord for a value that cannot be one."""

    def fill(match: re.Match[str]) -> str:
        value = text_of(_value(values, match[1]))
        if value.strip() in ("", ".", "..") or _CONTROL.search(value):
            raise SkipRecord("bad_path_value", f"the value of {match[1]} cannot stand in a URL's path")
        return quote(value, safe="")

    return _PLACEHOLDER.sub(fill, path)


def render_text(text: str, values: Values) -> str | None:
    """Fill a query or header value; None when one of its placeholders has no value, so that it is left out."""
    if any(values.get(name) is None for name in names(text)):
        return None
    return _PLACEHOLDER.sub(lambda match: text_of(values[match[1]]), text)


def render_header(text: str, values: Values) -> str | None:
    """Fill a header value; raise Stop when it would hold a control character."""
    value = render_text(text, values)
    if value is not None and _CONTROL.search(value):
        raise Stop("bad_header_value", "a header value holds a control character: check the connection's settings")
    return value


def render_body(body: Any, values: Values) -> Any:
    """Fill a JSON body; members whose placeholder has no value are left out."""
    if isinstance(body, Mapping):
        filled = {key: render_body(inner, values) for key, inner in body.items()}
        return {key: inner for key, inner in filled.items() if inner is not None or body[key] is None}
    if isinstance(body, list):
        return [inner for inner in (render_body(inner, values) for inner in body) if inner is not None]
    if isinstance(body, str):
        alone = _PLACEHOLDER.fullmatch(body)
        return values.get(alone[1]) if alone else render_text(body, values)
    return body


def text_of(value: Any) -> str:
    """Return a value as it is written in a URL: booleans in JSON's words, lists joined by commas."""
    if isinstance(value, list):
        return ",".join(text_of(each) for each in value)
    return str(value).lower() if isinstance(value, bool) else str(value)


def _value(values: Values, name: str) -> Any:
    value = values.get(name)
    if value is None:
        raise SkipRecord("bad_path_value", f"{name} has no value")
    return value
