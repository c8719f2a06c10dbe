"""Members of audiences: each audience read whole, once for each time it was built.

A page's cursor belongs to one build. When the audience is rebuilt meanwhile, it alone is read from its beginning; one
that is being built waits for a later read. What a build no longer has is gone from that audience and no other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec

from connectors.connector import Mode, Page
from connectors.declarative.reading import main
from connectors.errors import Resync, Retry, SkipRecord
from connectors.landing import RAW_SCHEMA, land_slices
from connectors.vendors.delivr.records import beside, scoped

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.connector import Cursor
    from connectors.declarative.account import Account
    from connectors.landing import Landed, RecordShape
    from connectors.manifest import EntitySpec

_TRIES = 3
_EMPTY = RAW_SCHEMA.empty_table()


class _Audience(msgspec.Struct):
    id: Any = None
    date_updated_path: str | None = None  # when its output was built; never, where there is none


_DECODER = msgspec.json.Decoder(_Audience)


def read_members(
    account: Account, spec: EntitySpec, shape: RecordShape, wanted: Sequence[str], cursor: Cursor | None
) -> Iterator[Page]:
    """Yield the members of every wanted audience that was built since it was last read."""
    is_full = account.options.mode is Mode.FULL
    before: Mapping[str, str] = {} if is_full else dict((cursor or {}).get("builds") or {})
    listed, is_whole = _builds(account)
    builds = {key: build for key, build in listed.items() if not wanted or key in wanted}
    gone = before.keys() - builds.keys() if is_whole else set()
    read, is_clear = dict(before), True
    for key in sorted(gone):
        yield Page(_EMPTY, None, has_more=True, seen_whole=(f"{key}:",))  # the audience itself is gone
    for key, build in builds.items():
        if read.get(key) == build:
            continue
        try:
            for landed in _members(account, spec, shape, key):
                is_clear = is_clear and all(each.external_id for each in landed.unreadable)
                yield Page(landed.table, None, has_more=True, unreadable=landed.unreadable)
        except SkipRecord:
            notice = f"audience {key} is being built; its members are read once it is"
            yield Page(_EMPTY, None, has_more=True, notices=(notice,))
            is_whole = False
            continue
        read[key] = build
        yield Page(_EMPTY, {"builds": dict(read)}, has_more=True, seen_whole=(f"{key}:",))
    if is_clear:  # else a member without a key might be anybody: nobody is called gone, and the next read says it again
        read = {key: build for key, build in read.items() if key not in gone}
    proven = ("",) if is_full and is_whole else ()  # it remembers no audience, so it cannot name the gone ones
    yield Page(_EMPTY, {"builds": read} if read else None, has_more=False, seen_whole=proven)


def _builds(account: Account) -> tuple[dict[str, str], bool]:
    """Return every audience that was ever built with the time of its build, and whether all could be read."""
    builds: dict[str, str] = {}
    is_whole = True
    audiences = account.manifest.spec("audiences")
    for part in main(account, audiences, {}):
        is_whole = is_whole and not part.unreadable
        payloads: list[Any] = part.rows["payload"].to_pylist()
        for payload in payloads:
            found = _DECODER.decode(payload)
            if found.date_updated_path:
                builds[str(found.id)] = found.date_updated_path
    return builds, is_whole


def _members(account: Account, spec: EntitySpec, shape: RecordShape, key: str) -> Iterator[Landed]:
    """Yield an audience's pages, from the beginning again when it is rebuilt meanwhile."""
    way = account.whole(spec)
    for _ in range(_TRIES):
        try:
            for response in account.walk(way, {"audience.id": key}):
                records = [beside(each, audience_id=key) for each in way.slices(response)]
                yield scoped(land_slices(records, shape), key)
        except Resync as error:
            if error.code != "cursor_stale":
                raise
        else:
            return
    raise Retry("cursor_stale", f"audience {key} was rebuilt {_TRIES} times while it was read")
