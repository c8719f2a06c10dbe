"""Spoiled records: one at the head of a page, to see whether it takes the page down with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from gtm_pipelines.sandbox.wire import Reply

if TYPE_CHECKING:
    from gtm_pipelines.sandbox.faults import Faults, Poison

_LISTS = ("records", "customers", "messages", "activities")
_DEEP = 200
_WIDE = 10_001
_LARGE = 2 << 20
_FIELDS = {"salesforce": ("Id", "SystemModstamp", "AnnualRevenue"), "customerio": ("id", "timestamp", "created")}


def poisoned(vendor: str, reply: Reply, faults: Faults) -> Reply:
    """Put the poisons asked for at the head of a page of records; any other answer is left alone and they wait."""
    try:
        page = orjson.loads(reply.body)
    except orjson.JSONDecodeError:
        return reply
    name = next((each for each in _LISTS if isinstance(page, dict) and page.get(each)), None)
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


def _spoiled(vendor: str, kind: Poison, record: dict[str, object], place: int) -> bytes:
    """The record as JSON text, made wrong in one way; its id is its own unless the id is what is wrong."""
    key, stamp, amount = _FIELDS[vendor]
    record[key] = _other_id(str(record.get(key, "")), place)
    match kind:
        case (
            "null_id"
            | "missing_id"
            | "number_id"
            | "null_timestamp"
            | "bad_timestamp"
            | "future_timestamp"
            | "new_field"
            | "type_change"
        ):
            _alter(kind, record, key, stamp)
            return orjson.dumps(record)
        case "nul_character":
            return _with(record, '"Poison":"a\\u0000b"')
        case "lone_surrogate":
            return _with(record, '"Poison":"a\\ud800b"')
        case "big_number":
            return _with(record, f'"{amount}":1e400,"Poison":{"9" * 4301}')
        case "too_deep":
            return _with(record, '"Poison":' + "[" * _DEEP + "]" * _DEEP)
        case "too_wide":
            return _with(record, ",".join(f'"k{number}":1' for number in range(_WIDE)))
        case "too_large":
            return _with(record, f'"Poison":"{"x" * _LARGE}"')
        case "duplicate_key":
            return _with(record, '"Poison":"first","Poison":"last"')
        case "not_an_object":
            return b'"a text where a record should be"'


def _alter(kind: Poison, record: dict[str, object], key: str, stamp: str) -> None:
    wrong: dict[str, dict[str, object]] = {
        "null_id": {key: None},
        "number_id": {key: 1},
        "null_timestamp": {stamp: None},
        "bad_timestamp": {stamp: "0000-00-00"},
        "future_timestamp": {stamp: "2999-01-01T00:00:00.000+0000" if stamp == "SystemModstamp" else 32_472_144_000},
        "new_field": {"Brand_New__c": {"a": [1, 2]}},
        "type_change": {"Email": {"value": "x@y.example"}, "email": {"value": "x@y.example"}},
    }
    record.update(wrong.get(kind, {}))
    if kind == "missing_id":
        del record[key]


def _with(record: dict[str, object], member: str) -> bytes:
    return orjson.dumps(record)[:-1] + f",{member}}}".encode()


def _other_id(record_id: str, place: int) -> str:
    """An id of the same shape that no real record has."""
    return f"{record_id[:5]}PSN{place:02d}{record_id[10:]}" if len(record_id) > 10 else f"psn{place}"  # noqa: PLR2004  long enough to keep its shape
