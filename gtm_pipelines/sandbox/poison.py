"""Spoiled records: one at the head of a page, to see whether it takes the page down with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from gtm_pipelines.sandbox.wire import Reply

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.faults import Faults, Poison
    from gtm_pipelines.sandbox.vendor import Vendor

_DEEP = 200
_DIGITS = 4301
_WIDE = 10_001
_LARGE = 2 << 20


def poisoned(vendor: Vendor, reply: Reply, faults: Faults) -> Reply:
    """Put the poisons asked for at the head of a page of records; any other answer is left alone and they wait."""
    try:
        page = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return reply
    name = next((each for each in vendor.lists if isinstance(page, dict) and page.get(each)), None)
    if name is None:
        return reply
    kinds = faults.take_poisons()
    model = page[name][0]
    spoiled = [_spoiled(vendor, kind, dict(model), place) for place, kind in enumerate(kinds)]
    whole = reply.body
    mark = f'"{name}":['.encode()
    at = whole.index(mark) + len(mark)
    body = whole[:at] + b",".join(spoiled) + b"," + whole[at:]
    return Reply(reply.status, body, reply.headers, "poison " + " ".join(kinds))


def _spoiled(vendor: Vendor, kind: Poison, record: dict[str, object], place: int) -> bytes:
    """Write the record as JSON text, made wrong in one way; its id is its own unless the id is what is wrong."""
    key, stamp, amount = vendor.poison
    record[key] = _other_id(str(record.get(key, "")), place)
    if kind == "not_an_object":
        return b'"a text where a record should be"'
    member = _member(kind, amount)
    if member is not None:
        return orjson.dumps(record)[:-1] + f",{member}}}".encode()
    _alter(kind, record, key, stamp)
    return orjson.dumps(record)


def _member(kind: Poison, amount: str) -> str | None:
    """Write what a kind adds to the record's text, where no JSON writer would write it."""
    match kind:
        case "nul_character" | "lone_surrogate":
            return f'"Poison":"a\\u{"0000" if kind == "nul_character" else "d800"}b"'
        case "big_number":
            return f'"{amount}":1e400,"Poison":{"9" * _DIGITS}'
        case "too_deep":
            return '"Poison":' + "[" * _DEEP + "]" * _DEEP
        case "too_wide":
            return ",".join(f'"k{number}":1' for number in range(_WIDE))
        case "too_large" | "duplicate_key":
            return f'"Poison":"{"x" * _LARGE}"' if kind == "too_large" else '"Poison":"first","Poison":"last"'
    return None


def _alter(kind: Poison, record: dict[str, object], key: str, stamp: str) -> None:
    future: object = "2999-01-01T00:00:00.000+0000" if isinstance(record.get(stamp), str) else 32_472_144_000
    wrong: dict[str, dict[str, object]] = {
        "null_id": {key: None},
        "number_id": {key: 1},
        "null_timestamp": {stamp: None},
        "bad_timestamp": {stamp: "0000-00-00"},
        "future_timestamp": {stamp: future},
        "new_field": {"Brand_New__c": {"a": [1, 2]}},
        "type_change": {"Email": {"value": "x@y.example"}, "email": {"value": "x@y.example"}},
    }
    record.update(wrong.get(kind, {}))
    if kind == "missing_id":
        del record[key]


def _other_id(record_id: str, place: int) -> str:
    """Make an id of the same shape that no real record has."""
    return f"{record_id[:5]}PSN{place:02d}{record_id[10:]}" if len(record_id) > 10 else f"psn{place}"  # noqa: PLR2004  long enough to keep its shape
