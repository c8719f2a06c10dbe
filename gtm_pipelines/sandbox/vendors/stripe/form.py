"""Stripe's parameters: form fields and query alike, with brackets for what is inside what.

``created[gte]=1``, ``types[]=a&types[]=b`` or ``types[0]=a``, ``metadata[crm_id]=003``.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gtm_pipelines.sandbox.wire import Call

_PART = re.compile(r"\[([^\[\]]*)\]")


def parameters(call: Call) -> dict[str, Any]:
    """Return the parameters of a request, nested as their brackets say; lists are lists."""
    given = list(call.pairs)
    if call.method == "POST":
        given += parse_qsl(call.body.decode("utf-8", "replace"), keep_blank_values=True)
    return _nested(given)


def texts(value: Any) -> list[str]:
    """Return the texts of a parameter that may be given once or several times."""
    return [each for each in value if isinstance(each, str)] if isinstance(value, list) else [str(value)]


def _nested(pairs: Iterable[tuple[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        head = name.partition("[")[0]
        inner = _PART.findall(name)
        match inner:
            case [place] if place == "" or place.isdecimal():  # a list
                found.setdefault(head, []).append(value)
                continue
        steps = [head, *inner]
        level = found
        for step in steps[:-1]:
            level = level.setdefault(step, {})
        level[steps[-1]] = value
    return found
