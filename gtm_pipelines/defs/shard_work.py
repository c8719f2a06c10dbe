"""Work on several tenants of one run at once, each ending in its own way.

Tenants share a step but not a fate: every tenant's outcome is handed back, the good ones are recorded as they finish,
and the step fails at its end naming those that failed.
"""

from __future__ import annotations

import multiprocessing
import os
import random
import threading
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeVar

import dagster as dg

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

EXIT_WITHIN_SECONDS = 8.0
RETRIES = 2
FIRST_PAUSE_SECONDS = 10.0

Outcome = TypeVar("Outcome")


def each_tenant(
    tenants: Sequence[str], work: Callable[[str], Outcome], *, threads: int
) -> Iterator[tuple[str, Outcome | BaseException]]:
    """Call ``work`` for each tenant in a few threads; yield (tenant, what it returned or raised) as they finish.

    When the run is cancelled, tenants not begun are dropped and those at work are left to the end of the process:
    a sync may be cut at any instant and loses nothing.
    """
    pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="tenant")
    futures: dict[Future[Outcome], str] = {pool.submit(work, tenant): tenant for tenant in tenants}
    try:
        for future in as_completed(futures):
            error = future.exception()
            yield futures[future], error if error is not None else future.result()
    except BaseException:
        pool.shutdown(wait=False, cancel_futures=True)
        _leave_soon()
        raise
    pool.shutdown()


@contextmanager
def retried_when_busy(context: dg.AssetExecutionContext) -> Iterator[None]:
    """Ask for the step to be run again, later each time, when the control plane is locked for longer than it waits.

    Not a RetryPolicy: Dagster obeys one for interruptions too, so that a run told to stop would begin again. A tenant's
    own fault is never retried in its run.
    """
    from gtm_pipelines.control_plane import BusyError

    try:
        yield
    except BusyError as error:
        pause = FIRST_PAUSE_SECONDS * 2**context.retry_number * random.uniform(0.5, 1.5)  # noqa: S311  jitter
        raise dg.RetryRequested(max_retries=RETRIES, seconds_to_wait=pause) from error


def _leave_soon() -> None:
    """End a run worker that was told to stop, even while a vendor keeps one of its threads waiting."""
    if multiprocessing.parent_process() is not None:
        timer = threading.Timer(EXIT_WITHIN_SECONDS, os._exit, args=(1,))
        timer.daemon = True
        timer.start()


def fail_for(faults: dict[str, str]) -> None:
    """Raise the failure of a step in which ``faults`` (tenant: what happened) occurred; nothing when there are none.

    It is not retried here: the transport has already retried what can be, and the next tick reads on from the cursor.
    """
    if faults:
        raise dg.Failure(
            description="\n".join(f"{tenant}: {fault}" for tenant, fault in sorted(faults.items())),
            metadata={"failed": dg.MetadataValue.json(dict(sorted(faults.items())))},
            allow_retries=False,
        )


def describe(error: BaseException) -> str:
    """Return an unexpected error as one line without secrets."""
    from connectors.runtime.redaction import redact

    return redact(f"{type(error).__name__}: {error}".splitlines()[0])


def reason_of(event: dg.DagsterEvent) -> str:
    """Return in words why a step failed: what :func:`fail_for` said, or the error that escaped."""
    data = event.step_failure_data
    if data.user_failure_data is not None and data.user_failure_data.description:
        return data.user_failure_data.description
    return data.error.message.strip() if data.error is not None else "no reason was recorded"
