"""What a run prints beside its event log: warnings and errors, with credentials masked."""

from __future__ import annotations

import logging
import sys

import dagster as dg


@dg.logger(
    config_schema={"level": dg.Field(str, default_value="WARNING", description="The least that is printed.")},
    description="Warnings and errors on stderr, credentials masked.",
)
def redacted_console(context: dg.InitLoggerContext) -> logging.Logger:
    """Return the console logger of a run; Dagster's own prints every event a second time."""
    from connectors.runtime.redaction import RedactingFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s")))
    made = logging.getLogger("gtm_pipelines.run")
    made.setLevel(context.logger_config["level"])
    made.handlers = [handler]
    made.propagate = False
    return made
