"""What the activity log tells: whose profile changed, who is gone, and whether a page reaches back to a moment.

The log comes newest first and knows no filter by time, so a read of it ends where a page says that everything older is
known. An entry whose time cannot be read, or that stands where it does not belong, must not end it: what lies behind
would be lost without a word. Which profiles are then read, and what they become, is source.py's.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.errors import Stop
from connectors.runtime.timestamps import parse

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from connectors.vendors.customerio.workspace import Workspace

_PROOF = 2  # entries at the end of a page that must be older
_GONE = "profile_delete"
_MERGED = "profile_merge"
_CHANGES = ("attribute_change", "profile_create", "device_change", "unsubscribed_email", _MERGED, _GONE)


def reaches_back(moments: Sequence[datetime | None], since: datetime) -> bool:
    """Tell whether a page of these moments goes back beyond ``since``: its end does, or where it is in no order, all.

    Moments are None where a page does not say them readably. A last entry that is older all alone proves nothing.
    """
    known = [moment for moment in moments if moment is not None]
    in_order = all(newer >= older for newer, older in pairwise(known))
    return bool(known) and max(known[-_PROOF:] if in_order else known) < since


def later(left: datetime | None, right: datetime | None) -> datetime | None:
    """Return the later of two moments, either of which may be unknown."""
    return max((moment for moment in (left, right) if moment is not None), default=None)


class _Activity(msgspec.Struct):
    """What of an activity tells that a profile changed; whatever it holds, one entry is no reason to read no other."""

    type: Any = None
    timestamp: Any = None
    customer_identifiers: Any = None

    @property
    def moment(self) -> datetime | None:
        try:
            return parse(self.timestamp, "epoch_s")
        except (ValueError, OverflowError):
            return None

    @property
    def cio_id(self) -> str | None:
        found = self.customer_identifiers.get("cio_id") if isinstance(self.customer_identifiers, dict) else None
        return str(found) if found else None


class _Log(msgspec.Struct):
    activities: list[_Activity] | None = None


@dataclass
class Changes:
    """Whose profiles changed since a moment, and who is gone, each with when."""

    newest: datetime | None = None
    ids: dict[str, datetime] = field(default_factory=dict)
    gone: dict[str, datetime] = field(default_factory=dict)

    @classmethod
    def since(cls, workspace: Workspace, since: datetime | None) -> Changes:
        """Look at the newest page of the log, and into each kind of change where that page does not reach back.

        Without ``since`` only what the newest entry is matters: everyone is about to be read.
        """
        found = cls()
        body, more = next(workspace.activities())
        if since is None:
            found.take(body, None)
            return found
        reached = found.take(body, since) or not more
        walks = [] if reached else [workspace.activities(kind) for kind in _CHANGES]
        for walk in [*walks, workspace.activities(_GONE, of_deleted=True)]:
            for page, _ in walk:
                if found.take(page, since):
                    break
        return found

    def take(self, body: bytes, since: datetime | None) -> bool:
        """Note one page; return whether it reaches back beyond ``since``."""
        try:
            log = msgspec.json.decode(body, type=_Log).activities or []
        except msgspec.DecodeError as error:
            raise Stop("malformed_page", "the activity log is not in its usual form") from error
        moments = [each.moment for each in log]
        for each, moment in zip(log, moments, strict=True):
            self.newest = later(self.newest, moment)
            when = moment or self.newest or since  # an entry without a time is not older than the one before it
            if since is not None and when is not None and when >= since:
                self._note(each, when)
        return since is not None and reaches_back(moments, since)

    def _note(self, entry: _Activity, when: datetime) -> None:
        if entry.cio_id is None or entry.type not in _CHANGES:
            return
        self.ids[entry.cio_id] = max(when, self.ids.get(entry.cio_id, when))
        if entry.type == _GONE:
            self.gone[entry.cio_id] = when
