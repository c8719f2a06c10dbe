"""An entity read once per parent, each with a place of its own: mailboxes, folders, children of what changed."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from connectors.connector import Mode, SyncOptions
from connectors.errors import Resync, Stop
from connectors.manifest import ManifestError
from connectors.runtime.messages import Request
from tests.unit.connectors.described import (
    BASE,
    NOW,
    Read,
    Vendor,
    ago,
    always,
    check_resumable,
    connect,
    iso,
    paged,
    read,
)

MAIL = """\
errors:
  - {status: 404, code: MailboxNotEnabled, then: skip, reason: no_mailbox}
entities:
  - name: users
    description: Users.
    endpoint: {path: /users}
    items: data
    key: id
  - name: mails
    description: Mails of users.
    parent:
      {entity: users, values: {user: id}, scope_key: user, own_cursor: true, where: {path: enabled, among: [true]}}
    endpoint: {path: "/users/{{parent.user}}/delta", headers: {Prefer: odata.maxpagesize=2}}
    pagination: {type: next_url, path: next}
    items: value
    key: id
    cursor: token
    deleted: "['@removed']"
    delete_detection: both
    delta: {type: delta_token, link: true, token_path: delta}
"""


class Mailboxes:
    """Each user's mails as a log of changes; a link says how far one has read, and links can be forgotten."""

    def __init__(self, vendor: Vendor, **logs: list[str]) -> None:
        self.logs = logs
        self.users = [{"id": user, "enabled": True} for user in logs]
        self.refused: dict[str, tuple[int, Any]] = {}
        self.forgotten: set[str] = set()
        vendor.handlers["/users"] = lambda request: paged(self.users, request)
        for user in logs:
            vendor.handlers[f"/users/{user}/delta"] = self.delta

    def delta(self, request: Request) -> Any:
        user = urlsplit(request.url).path.split("/")[3]
        assert dict(request.headers or {})["Prefer"] == "odata.maxpagesize=2"
        if user in self.refused:
            return self.refused[user]
        query = parse_qs(urlsplit(request.url).query)
        kind, start = ("from", 0) if not query else next((kind, int(values[0])) for kind, values in query.items())
        if kind == "since" and user in self.forgotten:
            return 410, {"error": {"code": "syncStateNotFound"}}
        log = self.logs[user]
        page = [{"id": each.removeprefix("-"), **_removed(each)} for each in log[start : start + 2]]
        at = f"{BASE}/users/{user}/delta"
        if start + 2 < len(log):
            return {"value": page, "next": f"{at}?from={start + 2}"}
        return {"value": page, "delta": f"{at}?since={len(log)}"}


def _removed(each: str) -> dict[str, Any]:
    return {"@removed": {"reason": "deleted"}} if each.startswith("-") else {}


def mailboxes(**logs: list[str]) -> tuple[Any, Mailboxes, Vendor]:
    vendor = Vendor()
    boxes = Mailboxes(vendor, **logs)
    return connect(vendor, MAIL), boxes, vendor


def link(user: str, place: int) -> str:
    return f"{BASE}/users/{user}/delta?since={place}"


def test_each_mailbox_goes_on_from_its_own_link() -> None:
    made, boxes, vendor = mailboxes(ann=["m1", "m2", "m3"], bob=["m1"])
    first = read(made, "mails", mode=Mode.FULL)
    assert first.keys == ["ann:m1", "ann:m2", "ann:m3", "bob:m1"]
    assert first.cursor == {"scopes": {"ann": link("ann", 3), "bob": link("bob", 1)}}
    check_resumable(made, "mails", first)
    boxes.logs["bob"] += ["m2", "-m1"]
    vendor.asked.clear()
    second = read(made, "mails", first.cursor)
    assert (second.keys, second.deleted) == (["bob:m2", "bob:m1"], {"bob:m1"})
    assert [request.url for request in vendor.asked[1:]] == [link("ann", 3), link("bob", 1)]
    assert all(page.seen_whole == () for page in second)


def test_a_mailbox_whose_link_is_lost_is_read_again_by_itself_and_proves_what_is_gone() -> None:
    made, boxes, _ = mailboxes(ann=["m1", "m2", "m3"], bob=["m1"])
    first = read(made, "mails")
    boxes.forgotten = {"ann"}
    boxes.logs["ann"] = ["m2", "m4"]
    second = read(made, "mails", first.cursor)
    assert second.keys == ["ann:m2", "ann:m4"]
    assert [prefix for page in second for prefix in page.seen_whole] == ["ann:"]
    assert second.cursor == {"scopes": {"ann": link("ann", 2), "bob": link("bob", 1)}}


def test_a_mailbox_that_forgets_even_a_first_read_is_an_error() -> None:
    made, boxes, vendor = mailboxes(ann=["m1"])
    vendor.handlers["/users/ann/delta"] = lambda _: (410, {})
    with pytest.raises(Stop, match="first read"):
        read(made, "mails")
    assert boxes.users


@pytest.mark.parametrize("refusal", [(404, {"error": {"code": "MailboxNotEnabled"}}), (404, {})])
def test_a_mailbox_that_cannot_be_read_is_left_out_with_a_notice_and_keeps_its_place(refusal: Any) -> None:
    made, boxes, _ = mailboxes(ann=["m1"], bob=["m1"])
    first = read(made, "mails")
    boxes.refused["ann"] = refusal
    boxes.logs["bob"].append("m2")
    second = read(made, "mails", first.cursor)
    assert second.keys == ["bob:m2"]
    assert [notice for page in second for notice in page.notices if "ann" in notice]
    assert second.cursor == {"scopes": {"ann": link("ann", 1), "bob": link("bob", 2)}}
    assert not any(page.seen_whole for page in second)


def test_a_user_who_is_gone_or_disabled_takes_the_link_along() -> None:
    made, boxes, _ = mailboxes(ann=["m1"], bob=["m1"])
    first = read(made, "mails")
    boxes.users[0]["enabled"] = False
    assert read(made, "mails", first.cursor).cursor == {"scopes": {"bob": link("bob", 1)}}


def test_a_read_that_breaks_off_keeps_the_links_of_all_mailboxes() -> None:
    made, boxes, _ = mailboxes(ann=["m1"], bob=["m1"], cid=["m1"])
    first = read(made, "mails")
    boxes.logs["ann"].append("m2")
    boxes.refused["bob"] = (403, {})
    done = Read()
    with pytest.raises(Stop, match="permission_denied"):
        done.extend(made.sync(made.authenticate(), first.cursor, SyncOptions("mails", Mode.INCREMENTAL, NOW)))
    assert all(page.has_more for page in done)
    assert done.keys == ["ann:m2"]
    assert done.cursor == {"scopes": {"ann": link("ann", 2), "bob": link("bob", 1), "cid": link("cid", 1)}}


FOLDERS = MAIL.replace("own_cursor: true,", "own_cursor: true, each: {folder: settings.folders},").replace(
    '"/users/{{parent.user}}/delta"', '"/users/{{parent.user}}/{{parent.folder}}"'
)


@pytest.mark.parametrize("scoped", [True, False])
def test_a_list_setting_multiplies_the_scopes(*, scoped: bool) -> None:
    vendor = Vendor(users=lambda _: {"data": [{"id": "ann", "enabled": True}]})
    for folder in ("inbox", "sent"):
        answer = {"value": [{"id": folder[0]}], "delta": f"{BASE}/users/ann/{folder}?x=1"}
        vendor.handlers[f"/users/ann/{folder}"] = always(answer)
    text = FOLDERS if scoped else FOLDERS.replace("own_cursor: true,", "own_cursor: true, scope_ids: false,")
    pages = read(connect(vendor, text), "mails")
    assert pages.keys == (["ann:inbox:i", "ann:sent:s"] if scoped else ["i", "s"])
    assert set((pages.cursor or {})["scopes"]) == {"ann:inbox", "ann:sent"}
    assert [prefix for page in pages for prefix in page.seen_whole] == (["ann:inbox:", "ann:sent:"] if scoped else [])


CHILDREN = """\
entities:
  - name: calls
    description: Calls.
    endpoint: {path: /calls, query: {since: "{{delta.since}}"}}
    items: data
    key: id
    timestamp: at
    cursor: at
    delta: {type: timestamp_filter, inclusive: true, ordered: true}
  - name: transcripts
    description: Transcripts of calls.
    parent: {entity: calls, values: {call: id}, changed_only: true}
    endpoint: {path: "/calls/{{parent.call}}/transcript"}
    pagination: {type: none}
    items: $
    key: id
    cursor: parent
"""


def test_children_are_read_for_the_parents_that_changed() -> None:
    calls = [{"id": f"c{n}", "at": iso(ago(days=9 - n))} for n in range(7)]
    vendor = Vendor()

    def listed(request: Request) -> Any:
        since = str(dict(request.params or {}).get("since", ""))
        return paged([call for call in calls if call["at"][:19] >= since[:19]], request)

    vendor.handlers["/calls"] = listed
    for call in calls:
        vendor.handlers[f"/calls/{call['id']}/transcript"] = always({"id": f"t-{call['id']}"})
    made = connect(vendor, CHILDREN)
    first = read(made, "transcripts", mode=Mode.FULL)
    assert first.keys == [f"t-c{n}" for n in range(7)]
    assert first.cursor == {"parent": {"watermark": ago(days=3).isoformat()}}
    check_resumable(made, "transcripts", first)
    calls[4]["at"] = iso(ago(days=1))
    calls.sort(key=lambda call: call["at"])
    assert read(made, "transcripts", first.cursor).keys == ["t-c6", "t-c4"]


def test_a_resync_of_the_parents_is_one_of_the_children() -> None:
    vendor = Vendor(calls=lambda _: (410, {}))
    with pytest.raises(Resync):
        read(connect(vendor, CHILDREN), "transcripts", {"parent": {"watermark": ago(days=1).isoformat()}})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("scope_key: user, own_cursor", "own_cursor", "own_cursor needs scope_key"),
        ("own_cursor: true, ", "", "needs parent.own_cursor"),
        ("own_cursor: true,", "own_cursor: true, changed_only: true,", "neither changed_only nor batch"),
        ("own_cursor: true,", "own_cursor: true, each: {folder: settings.nothing},", "no setting"),
        ("own_cursor: true,", "own_cursor: true, each: {folder: nothing},", "pattern"),
        ("scope_key: user", "scope_key: other", "not among parent.values"),
        ("    delta: {type: delta_token, link: true, token_path: delta}\n", "", "no other delta has it"),
    ],
)
def test_scopes_that_cannot_be_kept_apart_are_refused(old: Any, new: Any, says: Any) -> None:
    assert old in MAIL
    with pytest.raises(ManifestError, match=says):
        connect(Vendor(), MAIL.replace(old, new, 1))


NOTES = """\
errors:
  - {status: 403, code: NotYours, then: skip, reason: not_yours}
entities:
  - name: people
    description: People.
    endpoint: {path: /people}
    items: data
    key: id
  - name: notes
    description: Notes of people.
    parent: {entity: people, values: {person: id}, scope_key: person}
    endpoint: {path: "/people/{{parent.person}}/notes"}
    pagination: {type: none}
    items: data
    key: id
    timestamp: at
    delete_detection: full_diff
"""
STAMPED = NOTES.replace(
    "    delete_detection: full_diff\n",
    "    cursor: at\n    delta: {type: timestamp_filter, param: since, inclusive: true}\n",
)
REFUSED = always((403, {"error": {"code": "NotYours"}}))


def people(*names: str) -> Vendor:
    """Return a vendor where each of these has one note, written a day ago."""
    vendor = Vendor(people=lambda request: paged([{"id": name} for name in names], request))
    for name in names:
        vendor.handlers[f"/people/{name}/notes"] = always({"data": [{"id": "n", "at": iso(ago(days=1))}]})
    return vendor


@pytest.mark.parametrize("sweep", ["", "    sweep: {every: 6h}\n"])
def test_a_parent_that_may_not_be_read_takes_away_the_proof_of_what_is_absent(sweep: str) -> None:
    vendor = people("ann", "bob")
    vendor.handlers["/people/bob/notes"] = REFUSED
    mode = Mode.INCREMENTAL if sweep else Mode.FULL
    pages = read(connect(vendor, NOTES + sweep), "notes", mode=mode)
    assert pages.keys == ["ann:n"]
    assert [each.external_id for page in pages for each in page.unreadable] == [None]
    assert not any(page.seen_whole for page in pages)


def test_a_full_read_of_mailboxes_proves_nothing_of_one_that_cannot_be_read() -> None:
    made, boxes, _ = mailboxes(ann=["m1"], bob=["m1"])
    boxes.refused["ann"] = (404, {"error": {"code": "MailboxNotEnabled"}})
    pages = read(made, "mails", mode=Mode.FULL)
    assert [each.external_id for page in pages for each in page.unreadable] == [None]


def test_many_parents_that_may_not_be_read_are_one_unreadable_record_and_a_notice_each() -> None:
    """Parents are no records: they do not fail the entity as unreadable records in such a number would."""
    vendor = people("ann", "bob", "cid")
    for name in ("bob", "cid"):
        vendor.handlers[f"/people/{name}/notes"] = REFUSED
    pages = read(connect(vendor, NOTES), "notes", mode=Mode.FULL)
    assert sum(len(page.unreadable) for page in pages) == 1
    assert sum(len(page.notices) for page in pages) == 2


def test_a_mark_that_parents_share_waits_for_one_that_may_not_be_read() -> None:
    vendor = people("ann", "bob")
    vendor.handlers["/people/bob/notes"] = REFUSED
    before = {"watermark": ago(days=5).isoformat()}
    pages = read(connect(vendor, STAMPED), "notes", before)
    assert pages.keys == ["ann:n"]
    assert pages.cursor in (None, before)


def test_the_place_among_parents_waits_for_one_that_may_not_be_read() -> None:
    calls = [{"id": f"c{n}", "at": iso(ago(days=9 - n))} for n in range(3)]
    vendor = Vendor(calls=lambda request: paged(calls, request))
    vendor.handlers |= {f"/calls/c{n}/transcript": always({"id": f"t-c{n}"}) for n in range(3)}
    vendor.handlers["/calls/c1/transcript"] = REFUSED
    pages = read(connect(vendor, NOTES[: NOTES.index("entities:")] + CHILDREN), "transcripts")
    assert pages.keys == ["t-c0", "t-c2"]
    assert pages.cursor is None


def test_an_unreadable_record_is_known_by_the_id_its_row_would_have() -> None:
    vendor = people("ann")
    vendor.handlers["/people/ann/notes"] = always({"data": [{"id": "n", "at": "no time"}]})
    pages = read(connect(vendor, NOTES), "notes")
    assert {each.external_id for page in pages for each in page.unreadable} == {"ann:n"}


def test_a_scope_with_a_colon_is_not_within_another() -> None:
    names = ["a", "a:b", "a%3Ab"]
    vendor = Vendor(users=always({"data": [{"id": name, "enabled": True} for name in names]}))
    vendor.handlers |= {
        f"/users/{quote(name, safe='')}/delta": always({"value": [{"id": "m"}], "delta": f"{BASE}/users/x"})
        for name in names
    }
    pages = read(connect(vendor, MAIL), "mails")
    assert pages.keys == ["a:m", "a%3Ab:m", "a%253Ab:m"]
    assert [prefix for page in pages for prefix in page.seen_whole] == ["a:", "a%3Ab:", "a%253Ab:"]
