"""Changing one parameter of a request for its next page."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from connectors.runtime.messages import Request


def with_param(request: Request, name: str, value: str) -> Request:
    """Return ``request`` with query parameter ``name`` set to ``value``, in place of any it had."""
    params = request.params or {}
    if isinstance(params, Mapping):
        return dataclasses.replace(request, params={**params, name: value})
    kept = [(key, old) for key, old in params if key != name]
    return dataclasses.replace(request, params=[*kept, (name, value)])
