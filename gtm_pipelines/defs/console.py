"""What a run prints beside its event log: warnings and errors, credentials masked, stacks only of the unexpected."""

from __future__ import annotations

import logging
import sys

import dagster as dg

_FAILURE = f"{dg.Failure.__module__}.{dg.Failure.__qualname__}: "
_STACK = "\n\nStack Trace:\n"


class _Told(logging.Formatter):
    """Leaves out where a failure was raised that says what happened; an error that escaped keeps it."""

    def format(self, record: logging.LogRecord) -> str:
        text = super().format(record)
        return text.partition(_STACK)[0] if _FAILURE in text else text


@dg.logger(
    config_schema={"level": dg.Field(str, default_value="WARNING", description="The least that is printed.")},
    description="Warnings and errors on stderr, credentials masked.",
)
def redacted_console(context: dg.InitLoggerContext) -> logging.Logger:
    """Return the console logger of a run; Dagster's own prints every event a second time."""
    from connectors.runtime.redaction import RedactingFormatter

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(RedactingFormatter(_Told("%(asctime)s %(levelname)s %(message)s")))
    made = logging.getLogger("gtm_pipelines.run")
    made.setLevel(context.logger_config["level"])
    made.handlers = [handler]
    made.propagate = False
    return made
