"""Resolution: canonical rows to golden people, accounts and activities.

Reads ``canonical.*`` and ``canonical.pending``, writes ``golden.*``. What makes two records one, and which value
survives, is not decided here but in ``quality.identity``.
"""

from gtm_pipelines.resolution.explanation import UnknownPersonError, Why, WhyKey, why
from gtm_pipelines.resolution.report import KindReport, ResolutionReport
from gtm_pipelines.resolution.resolve import resolve_tenant

__all__ = ["KindReport", "ResolutionReport", "UnknownPersonError", "Why", "WhyKey", "resolve_tenant", "why"]
