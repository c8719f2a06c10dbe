"""The exit codes of ``gtm``, and how an error becomes one line and a code."""

from __future__ import annotations

import sys
import traceback
from enum import IntEnum


class Exit(IntEnum):
    """What the shell is told. Documented in docs/cli.md."""

    OK = 0
    FAILED = 1
    USAGE = 2
    PARTIAL = 3
    LATER = 4


_OURS = ("gtm_pipelines.", "connectors.", "quality.")
_USAGE = frozenset(
    {
        "AlreadyExistsError",
        "CannotListenError",
        "ExportRefusedError",
        "InvalidInputError",
        "InvalidNameError",
        "NotFoundError",
        "SettingsError",
        "UnknownConnectorError",
        "UnknownEntityError",
        "UnknownPersonError",
        "UsageError",
    }
)
_LATER = frozenset({"BusyError", "Deferred", "InstanceBusyError", "LockTimeoutError", "WarehouseBusyError"})


class UsageError(Exception):
    """The command was asked for something that cannot be; the message says what can."""


class CommandError(Exception):
    """The command could not do its work; the message is one sentence that names the mend."""


def outcome_of(statuses: list[str]) -> Exit:
    """Return the exit code of several syncs: all well, all failed, some of each, or only put off."""
    kinds = {_KINDS.get(status, Exit.FAILED) for status in statuses}
    if kinds <= {Exit.OK}:
        return Exit.OK
    return kinds.pop() if len(kinds) == 1 else Exit.PARTIAL


_KINDS = {
    "ok": Exit.OK,
    "partial": Exit.PARTIAL,
    "failed": Exit.FAILED,
    "deferred": Exit.LATER,
    "skipped_locked": Exit.LATER,
}


def report_error(error: BaseException, *, debug: bool) -> Exit:
    """Print ``error`` to stderr as one line without secrets, or with ``debug`` as a traceback; return its exit code."""
    from connectors.runtime.redaction import redact

    names = {kind.__name__ for kind in type(error).__mro__}
    is_ours = type(error).__module__.startswith(_OURS)
    text = " ".join(str(error).split()) or type(error).__name__
    if debug:
        sys.stderr.write(redact("".join(traceback.format_exception(error))))
    if is_ours:
        sys.stderr.write(redact(f"error: {text}\n"))
    else:
        sys.stderr.write(redact(f"unexpected error: {type(error).__name__}: {text} (gtm --debug … shows where)\n"))
    if names & _USAGE and is_ours:
        return Exit.USAGE
    return Exit.LATER if names & _LATER and is_ours else Exit.FAILED
