"""The vendors of the sandbox: every package in this folder with a ``vendor.py`` is one, found by being there."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

    from gtm_pipelines.sandbox.vendor import Vendor


@cache
def vendors() -> dict[str, Vendor]:
    """Return every vendor by its id, in the order of their ids."""
    names = sorted(path.parent.name for path in Path(__file__).parent.glob("*/vendor.py"))
    found: dict[str, Vendor] = {name: import_module(f"{__name__}.{name}.vendor").VENDOR for name in names}
    for name, vendor in found.items():
        if vendor.id != name:
            raise ValueError(f"the vendor in vendors/{name} calls itself {vendor.id!r}")
    return found


def chosen(ids: Collection[str] | None) -> list[Vendor]:
    """Return the vendors called ``ids``, or all; raise ValueError for one there is not."""
    known = vendors()
    unknown = set(ids or ()) - known.keys()
    if unknown:
        raise ValueError(f"the sandbox has no {', '.join(sorted(unknown))}; there are {', '.join(known)}")
    return [vendor for name, vendor in known.items() if ids is None or name in ids]
