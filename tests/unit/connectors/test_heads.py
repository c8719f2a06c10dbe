"""Reading the fields of many records at once: what is taken for alike is, and everything else is left to others."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from connectors.runtime.heads import Fields, Heads, read_alike, read_heads

FIELDS = Fields("id", "at", "gone")


def alike(*records: bytes, fields: Fields = FIELDS) -> Heads | None:
    return read_alike(records, b"[" + b",".join(records) + b"]", fields)


def test_records_of_one_form_are_read_whatever_their_values() -> None:
    record = b'{"id":"a","at":"2026-01-01","gone":false,"n":1.50,"of":{"x":null,"y":[1,2]},"t":"\\u00e9 \\" \\/"}'
    other = b'{"id":7,"at":null,"gone":1,"n":"text","of":{"x":[[]],"y":-0.0},"t":12345678901234567890}'
    assert alike(record, other) == (["a", 7], ["2026-01-01", None], [False, 1])


def test_a_field_that_no_record_has_is_nothing() -> None:
    assert alike(b'{"id":"a"}', b'{"id":"b"}') == (["a", "b"], [None, None], [None, None])


@pytest.mark.parametrize(
    "record",
    [
        b'{"id":"b","at":1,"n":1,"n":1,"of":{"x":1}}',
        b'{"id":"b","at":1,"n":1,"of":{"x":1},"of":{"x":1}}',
        b'{"id":"b","at":1,"n":1,"of":{"x":1,"x":1}}',
        b'{"id":"b","at":1,"n":1,"\\u006e":1,"of":{"x":1}}',
        b'{"id":"b","at":1,"n":{"x":1,"x":2},"of":{"x":1}}',
        b'{"id":"b","at":1,"n":[{"x":1,"x":2}],"of":{"x":1}}',
        b'{"id":"b","at":1,"n":1,"of":{"x":1}, "more":1}',
        b'{"id":"b","at":1,"n":1,"of":{"x":1},"more":1}',
        b'{"id":"b","at":1,"n": 1,"of":{"x":1}}',
        b'{"id":"b","n":1,"at":1,"of":{"x":1}}',
        b'{"id":"b","at":1,"n":1}',
        b'{"id":"b","at":1,"n":1,"of":null}',
        b'{"id":"\\u0062","at":1,"n":1,"of":{"x":1}}',
        b'{"id":{"x":1},"at":1,"n":1,"of":{"x":1}}',
        b'{"id":1.0,"at":1,"n":1,"of":{"x":1}}',
        b"[]",
        b"{}",
    ],
)
def test_a_record_of_any_other_form_or_spelling_is_left_to_others(record: bytes) -> None:
    first = b'{"id":"a","at":1,"n":1,"of":{"x":1}}'
    assert alike(first, first) is not None
    assert alike(first, record) is None


@pytest.mark.parametrize(
    "record",
    [
        b'{"id":"a","id":"a"}',
        b'{"name":"no id"}',
        b'{"id":{"x":1}}',
        b'{"id":"a","two\\nlines":1}',
        b'{"id":"a","deep":' + b'{"x":' * 9 + b"1" + b"}" * 10,
        b'{"id":"a",' + b",".join(b'"k%d":1' % n for n in range(1000)) + b"}",
        b"[1]",
        b"1e99999",
    ],
)
def test_a_first_record_that_gives_no_form_is_left_to_others(record: bytes) -> None:
    assert alike(record, record) is None


def test_what_is_taken_for_alike_repeats_no_key_and_reads_as_it_says() -> None:
    chance, taken = random.Random(7), 0
    for _ in range(3_000):
        form = [_key(chance) for _ in range(chance.randint(1, 4))]
        records = [_record(chance, form) for _ in range(3)]
        heads = alike(*records)
        if heads is None:
            continue
        taken += 1
        read = [json.loads(record, object_pairs_hook=_once) for record in records]
        assert heads.ids == [each["id"] for each in read]
        assert heads.times == [each.get("at") for each in read]
        assert heads == read_heads(b"[" + b",".join(records) + b"]", FIELDS)
    assert taken > 100, "hardly anything was alike: the test proves nothing"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    assert len(pairs) == len({key for key, _ in pairs}), pairs
    return dict(pairs)


def _key(chance: random.Random) -> str:
    return chance.choice(["id", "at", "n", "of", "é", "a:b", 'q"'])


def _record(chance: random.Random, form: list[str]) -> bytes:
    keys = ["id", *(form if chance.random() < 0.8 else [_key(chance) for _ in form])]
    space = " " if chance.random() < 0.05 else ""
    return (
        "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{space}{_value(chance, key)}" for key in keys) + "}"
    ).encode()


def _value(chance: random.Random, key: str) -> str:
    if key == "of":
        return chance.choice(['{"x":1}', '{"x":"}"}', '{"x":1}', '{"x":1,"x":2}', "null"])
    if key in {"id", "at"}:
        return chance.choice(['"a"', '"b"', "7"])
    return chance.choice(["1", "1.50", '"text"', '"\\""', '"a\\":1"', "[]", '[{"x":1}]', "null", "true", '{"y":2}'])
