"""The spreadsheets as the sandbox knows them: views over the truth."""

from __future__ import annotations

from gtm_pipelines.sandbox.vendor import Vendor

VENDOR = Vendor(id="file")
