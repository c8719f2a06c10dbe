"""Dagster: partitions, assets, checks, jobs, schedules and sensors. Thin: what an asset does is one call of a stage."""
