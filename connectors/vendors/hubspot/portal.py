"""The calls that put a HubSpot record together: its properties' names, its batch read, its associations.

Which records are read, and what becomes of them, is told elsewhere.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any

import msgspec

from connectors.errors import Retry, Stop
from connectors.landing import slice_records
from connectors.runtime import paths
from connectors.runtime.messages import Request, Response
from connectors.runtime.pagination import follow_token

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from connectors.connector import Credentials
    from connectors.declarative.account import Account

IDS_PER_READ = 100
IDS_PER_ASSOCIATION = 1_000
RECORDS_PER_LIST = 100
_OWN = "HUBSPOT_DEFINED"
_PRIMARY = frozenset({1, 5})  # contact to company, deal to company; an account numbers its own labels from 1 as well
_MOST_ROUNDS = 1_000
_PARTIAL = 207
_NOT_THERE = "OBJECT_NOT_FOUND"
_ATTEMPTS = 3

Associated = dict[str, list[dict[str, Any]]]
"""By id of the one end: the other ends with the types they are associated by, the primary one first."""


class _Other(msgspec.Struct, rename="camel"):
    to_object_id: int | str
    association_types: list[dict[str, Any]] = []


class _Next(msgspec.Struct):
    after: str | int | None = None


class _Paging(msgspec.Struct):
    next: _Next | None = None


class _End(msgspec.Struct):
    id: str | int


class _Result(msgspec.Struct, rename={"source": "from"}):
    source: _End
    to: list[_Other] = []
    paging: _Paging | None = None


class _Results(msgspec.Struct):
    results: list[_Result] = []


class Portal:
    """One HubSpot account in one dated version of its API."""

    def __init__(self, account: Account, credentials: Credentials) -> None:
        self._account = account
        self._root = f"{credentials.base_url}/crm"
        self._version = str(account.settings.get("api_version") or "")
        if not self._version.replace("-", "").isalnum():
            raise Stop("bad_setting", "the setting 'api_version' is a dated version, as 2026-03")

    def properties(self, kind: str) -> list[dict[str, Any]]:
        """Return the account's own catalogue of an object's properties."""
        answer = self._send(Request("GET", f"{self._root}/properties/{self._version}/{kind}"))
        found = [msgspec.json.decode(each) for each in slice_records(answer.content, "results")]
        return [each for each in found if isinstance(each, dict) and isinstance(each.get("name"), str)]

    def read(self, kind: str, ids: Sequence[str], properties: Sequence[str]) -> Iterator[msgspec.Raw]:
        """Yield whole records as they are written; one that is gone meanwhile is left out without a word."""
        for start in range(0, len(ids), IDS_PER_READ):
            chosen = [{"id": key} for key in ids[start : start + IDS_PER_READ]]
            asked = {"properties": list(properties), "propertiesWithHistory": [], "inputs": chosen}
            url = f"{self._root}/objects/{self._version}/{kind}/batch/read"
            yield from slice_records(self._send(Request("POST", url, json=asked, safe=True)).content, "results")

    def associated(self, kind: str, target: str, ids: Sequence[str]) -> Associated:
        """Return what records are associated with; one with more than a page of them is asked for again."""
        found: Associated = defaultdict(list)
        inputs = [{"id": key} for key in ids]
        for _ in range(_MOST_ROUNDS):
            if not inputs:
                break
            following = []
            for start in range(0, len(inputs), IDS_PER_ASSOCIATION):
                for each in self._associations(kind, target, inputs[start : start + IDS_PER_ASSOCIATION]):
                    key = str(each.source.id)
                    found[key] += [_other(one) for one in each.to]
                    if each.paging and each.paging.next and each.paging.next.after:
                        following.append({"id": key, "after": str(each.paging.next.after)})
            if following == inputs:
                raise Stop("pagination_loop", "HubSpot sends back to a page of associations that was read already")
            inputs = following
        else:
            raise Stop("too_many_pages", f"a record of {kind} has more {target} than can be read")
        return {key: sorted(others, key=_rank) for key, others in found.items()}

    def every_id(self, kind: str) -> Iterator[list[str]]:
        """Yield the ids of all live records of an object, some at a time."""
        ids: list[str] = []
        asked = Request(
            "GET",
            f"{self._root}/objects/{self._version}/{kind}",
            params={"limit": RECORDS_PER_LIST, "archived": "false", "properties": "hs_object_id"},
        )
        for page in follow_token(self._send, asked, at="paging.next.after", param="after"):
            ids += [str(msgspec.json.decode(each)) for each in paths.find(page.content, "results[*].id")]
            if len(ids) >= IDS_PER_ASSOCIATION:
                yield ids
                ids = []
        if ids:
            yield ids

    def _associations(self, kind: str, target: str, inputs: list[dict[str, str]]) -> list[_Result]:
        url = f"{self._root}/associations/{self._version}/{kind}/{target}/batch/read"
        answer = self._send(Request("POST", url, json={"inputs": inputs}, safe=True))
        try:
            return msgspec.json.decode(answer.content, type=_Results).results
        except msgspec.DecodeError as error:
            raise Stop("malformed_page", "the answer about associations is not in its usual form") from error

    def _send(self, request: Request) -> Response:
        """Send a request; an answer that leaves something out for trouble of HubSpot's own is asked for again.

        What a batch leaves out would pass for gone, so only what is said not to be there may be missing.
        """
        for _ in range(_ATTEMPTS):
            response = self._account.send(request)
            if response.status != _PARTIAL or not _is_troubled(response.content):
                return response
        raise Retry("partial_answer", "HubSpot keeps answering a part of a batch only", status=_PARTIAL)


def _is_troubled(body: bytes) -> bool:
    """Return whether a batch was answered in part for another reason than that the rest is not there."""
    said = [msgspec.json.decode(each) for each in paths.find(body, "errors[*].category")]
    return any(category != _NOT_THERE for category in said)


def _other(one: _Other) -> dict[str, Any]:
    """Return one end in a form that does not depend on how the vendor orders it; the id is text, as ids are."""
    types = sorted(one.association_types, key=lambda each: (str(each.get("category")), str(each.get("typeId"))))
    return {"toObjectId": str(one.to_object_id), "associationTypes": types}


def _rank(other: dict[str, Any]) -> tuple[bool, int, str]:
    is_primary = any(
        each.get("category") == _OWN and each.get("typeId") in _PRIMARY for each in other["associationTypes"]
    )
    return (not is_primary, len(other["toObjectId"]), other["toObjectId"])
