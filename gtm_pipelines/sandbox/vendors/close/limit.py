"""Close's request limit."""

from __future__ import annotations

from gtm_pipelines.sandbox.per_second import PerSecond


class Limiter(PerSecond):
    """So many requests a second for a key."""
