"""The ``gtm`` command: a thin shell over the functions Dagster calls too. Heavy imports stay inside the commands."""
