"""A local cloud of the vendors: real wire protocols over one synthetic world per tenant, whose truth is known.

What belongs here: the world, its vendors' protocols, faults that can be switched on. What does not: anything the
pipeline itself needs; no other package imports this one except the command line. The names below are loaded when first
touched.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.access import accounts, database, spreadsheets
    from gtm_pipelines.sandbox.app import build_app
    from gtm_pipelines.sandbox.exports import files
    from gtm_pipelines.sandbox.ground_truth import Truth, truth
    from gtm_pipelines.sandbox.judging import Judgement, judge
    from gtm_pipelines.sandbox.motion import Advance, advance
    from gtm_pipelines.sandbox.server import running, serve
    from gtm_pipelines.sandbox.vendor import Account
    from gtm_pipelines.sandbox.world import create_world

__all__ = [
    "Account",
    "Advance",
    "Judgement",
    "Truth",
    "accounts",
    "advance",
    "build_app",
    "create_world",
    "database",
    "files",
    "judge",
    "running",
    "serve",
    "spreadsheets",
    "truth",
]

_HOMES = {
    "Account": "vendor",
    "Advance": "motion",
    "Judgement": "judging",
    "Truth": "ground_truth",
    "accounts": "access",
    "advance": "motion",
    "build_app": "app",
    "create_world": "world",
    "database": "access",
    "files": "exports",
    "judge": "judging",
    "running": "server",
    "serve": "server",
    "spreadsheets": "access",
    "truth": "ground_truth",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
