"""Which mailboxes are read, and how each of them answered.

A mailbox that cannot be read is left out and said. When none can, that is an error: nothing read would look like peace.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.errors import ConnectorError, Stop
from connectors.vendors.microsoft365.graph import path_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from connectors.vendors.microsoft365.graph import Graph

_SELECT = "id,mail,userPrincipalName,accountEnabled,userType"
_PAGE = 999
_NAMED = 5
_WHY = {
    "no_mailbox": "without a mailbox that Graph can read",
    "mailbox_forbidden": "that this app may not read",
    "item_gone": "that the mailbox does not have",
}
_BY_STATUS = {
    403: "mailbox_forbidden",
    404: "no_mailbox",
}  # Graph has many codes for these, and not all are written down


class _User(msgspec.Struct, rename="camel"):
    id: str
    mail: str | None = None
    user_principal_name: str | None = None
    account_enabled: bool | None = None
    user_type: str | None = None


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox: the id of its owner, and the address people know it by."""

    id: str
    address: str


@dataclass(slots=True)
class Answers:
    """How the mailboxes of one read answered."""

    answered: int = 0
    left_out: dict[str, list[str]] = field(default_factory=dict)

    def refuse(self, address: str, scope: str, error: ConnectorError) -> bool:
        """Note what cannot be read, and say whether that is the whole mailbox; raise what is about something else."""
        code = error.code if error.code in _WHY else _BY_STATUS.get(error.status or 0)
        if code is None:
            raise error
        is_whole = code != "item_gone"
        self.left_out.setdefault(code, []).append(address if is_whole else scope)
        return is_whole

    def notices(self) -> tuple[str, ...]:
        """Say which mailboxes were left out; raise Stop when all of them were."""
        said = tuple(
            f"left out, {len(names)} {_WHY[code]}: {', '.join(names[:_NAMED])}{' …' if names[_NAMED:] else ''}"
            for code, names in sorted(self.left_out.items())
        )
        if self.left_out and not self.answered:
            raise Stop("no_mailbox", f"not one mailbox could be read; {'; '.join(said)}")
        return said


def mailboxes(graph: Graph, wanted: Sequence[str]) -> Iterator[Mailbox]:
    """Yield the mailboxes to read: those of enabled members of the directory, or of them those called ``wanted``."""
    names = {name.strip().lower() for name in wanted if name.strip()}
    missing = set(names)
    for page in graph.pages(graph.base + path_of("users"), {"$select": _SELECT, "$top": _PAGE}):
        for raw in page.records:
            user = _read(raw)
            known = {user.id.lower(), (user.mail or "").lower(), (user.user_principal_name or "").lower()}
            missing -= known
            if (known & names) if names else (user.account_enabled and user.user_type != "Guest"):
                yield Mailbox(user.id, user.mail or user.user_principal_name or user.id)
    if missing:
        raise Stop("bad_setting", f"the directory has no account called {', '.join(sorted(missing)[:_NAMED])}")


def own_domains(graph: Graph, given: Sequence[str]) -> frozenset[str]:
    """Return the domains whose addresses are colleagues': the setting's, or those the organization has verified."""
    chosen = {name.strip().lower().removeprefix("@") for name in given if name.strip()}
    if not chosen:
        answer = graph.get(path_of("organization"), {"$select": "id,verifiedDomains"}).json()
        organizations: list[Mapping[str, Any]] = answer.get("value") or [] if isinstance(answer, dict) else []
        chosen = {str(each["name"]).lower() for one in organizations for each in one.get("verifiedDomains") or ()}
    if not chosen:
        raise Stop("no_domains", "the organization names no verified domain: set 'internal_domains'")
    return frozenset(chosen)


def _read(raw: msgspec.Raw) -> _User:
    try:
        return msgspec.json.decode(raw, type=_User)
    except msgspec.DecodeError:
        raise Stop("malformed_page", "an account of the directory has no readable id") from None
