"""Joins connectors and quality: tenants, storage, stages, orchestration and the ``gtm`` command."""
