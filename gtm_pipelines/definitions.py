"""Dagster's entry point: composes the definitions and does nothing else."""

from gtm_pipelines.defs.composition import compose

defs = compose()
