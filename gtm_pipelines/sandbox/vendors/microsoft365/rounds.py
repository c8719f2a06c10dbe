"""Pages and rounds: the opaque tokens of ``@odata.nextLink`` and ``@odata.deltaLink``, and what they stand for.

A round tells what changed after one step of the world up to another; a plain list is a round that leads to no next. A
token holds all of that, so that a page costs the same however far in it is and the server remembers nothing.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import orjson

from gtm_pipelines.sandbox.vendors.microsoft365.errors import GraphError
from gtm_pipelines.sandbox.vendors.microsoft365.faults import Microsoft365Faults

if TYPE_CHECKING:
    from collections.abc import Callable

    from gtm_pipelines.sandbox.tenants import Tenant
    from gtm_pipelines.sandbox.wire import Call

_KEY = b"the sandbox seals its tokens"
Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """One walk over one collection. ``since`` None: from the beginning."""

    what: str  # the collection, as users or calendar 3
    size: int
    upto: int = 0
    since: int | None = None
    after: int = -1  # the serial of the last record served
    before: int = -1  # where the page before began, for the fault that serves a page twice
    told: int = 0  # how many records the pages before served
    turn: int = 0  # makes tokens of one place differ
    select: tuple[str, ...] = ()
    window: tuple[int, int] | None = None
    received_from: int | None = None
    starts_from: int | None = None

    def token(self) -> str:
        """Write it so that nobody is tempted to read it."""
        text = base64.urlsafe_b64encode(orjson.dumps(asdict(self))).rstrip(b"=")
        seal = hmac.new(_KEY, text, hashlib.sha256).hexdigest()[:12]
        return f"{text.decode()}{seal}"


def resumed(given: str, what: str) -> Round:
    """Read a token; raise GraphError for one that no answer ever gave, or that belongs to another collection."""
    text, seal = given[:-12].encode(), given[-12:]
    if not hmac.compare_digest(hmac.new(_KEY, text, hashlib.sha256).hexdigest()[:12].encode(), seal.encode()):
        raise GraphError.bad("Badly formed token.")
    held = orjson.loads(base64.urlsafe_b64decode(text + b"=" * (-len(text) % 4)))
    found = Round(**{**held, "select": tuple(held["select"]), "window": held["window"] and tuple(held["window"])})
    if found.what != what:
        raise GraphError.bad("The token was given for another resource.")
    return found


def begun(tenant: Tenant, call: Call, what: str, fresh: Callable[[], Round], *, owner: tuple[str, ...]) -> Round:
    """Return the round that a request to a delta function means; ``owner`` are the names of the mailbox it is about."""
    faults = tenant.faults_of(Microsoft365Faults)
    if "$skiptoken" in call.query:
        return resumed(call.query["$skiptoken"], what)
    if "$deltatoken" not in call.query:
        return replace(fresh(), what=what, upto=step(tenant))
    if call.query["$deltatoken"] == "latest":
        return replace(fresh(), what=what, since=step(tenant), upto=step(tenant))
    known = resumed(call.query["$deltatoken"], what)
    lost = next((name for name in owner if name in faults.expire_delta), None)
    if lost is not None:
        faults.expire_delta = [name for name in faults.expire_delta if name != lost]
        raise GraphError(
            410,
            "syncStateNotFound" if what == "users" else "SyncStateNotFound",
            "The sync state generation is not found; a full synchronization is needed.",
            location=f"{call.origin}/{tenant.id}/microsoft365/{call.path}?$deltatoken=",
        )
    since = known.upto - 1 if faults.take("replay_next") else known.upto
    return replace(known, since=since, upto=step(tenant), after=-1, before=-1, told=0, turn=0)


def step(tenant: Tenant) -> int:
    """Return how many days the world has seen."""
    with tenant.world.cursor() as cursor:
        (found,) = cursor.execute("SELECT step FROM gen.world").fetchall()[0]
    return int(found)


def page(
    tenant: Tenant, call: Call, here: Round, read: Callable[[Round], list[Row]], *, is_delta: bool
) -> tuple[list[Row], dict[str, str]]:
    """Return the records at ``here`` and the link that follows; ``read`` gives up to size + 1 rows with ``serial``."""
    faults = tenant.faults_of(Microsoft365Faults)
    again = replace(here, turn=here.turn + 1)
    starts = here.after == -1 and here.turn == 0
    if (starts and faults.take("empty_round_start")) or (not starts and faults.take("empty_page")):
        return [], _next(tenant, call, again)
    if not starts and faults.take("duplicate_page"):
        return read(replace(here, after=here.before))[: here.size], _next(tenant, call, again)
    rows = read(here)
    if is_delta and here.received_from is not None:  # documented: a delta of messages with $filter returns up to 5,000
        rows = rows[: faults.filtered_mails_most - here.told]
    if len(rows) > here.size:
        rows = rows[: here.size]
        following = replace(here, after=rows[-1]["serial"], before=here.after, told=here.told + len(rows), turn=0)
        return rows, _next(tenant, call, here if faults.repeat_token else following)
    if not is_delta:
        return rows, {}
    following = replace(here, after=-1, before=-1, told=0, turn=0)
    return rows, {"@odata.deltaLink": _link(tenant, call, "$deltatoken", following)}


def _next(tenant: Tenant, call: Call, following: Round) -> dict[str, str]:
    return {"@odata.nextLink": _link(tenant, call, "$skiptoken", following)}


def _link(tenant: Tenant, call: Call, name: str, following: Round) -> str:
    return f"{call.origin}/{tenant.id}/microsoft365/{call.path}?{name}={quote(following.token())}"
