"""Marts: the views analysts open first, and the checks that say whether the tables under them hold.

Everything here is SQL in ``sql/marts`` and ``sql/checks``; this package only runs it. Marts are views, so that building
them costs nothing however large the tenant is; who needs one stored reads it into a table of their own.
"""

from gtm_pipelines.marts.build import build_marts, marts_are_current
from gtm_pipelines.marts.checks import CheckResult, run_checks
from gtm_pipelines.marts.files import mart_files

__all__ = ["CheckResult", "build_marts", "mart_files", "marts_are_current", "run_checks"]
