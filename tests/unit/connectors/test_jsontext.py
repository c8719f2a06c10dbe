"""Looking at JSON as text finds what reading it would."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from connectors.runtime.jsontext import is_too_deep

LIMIT = 6
PIECES = ["{", "}", "[", "]", "{}", "[]", "[{}]", '"', '"a"', '"]"', '"[{"', r'"\""', "\\", ",", "1"]


def deepest(raw: bytes) -> int:
    """How deep containers nest, a byte at a time; a quote without an end is no string."""
    depth = most = at = 0
    while at < len(raw):
        if raw[at : at + 1] == b'"':
            end = at + 1
            while end < len(raw) and raw[end : end + 1] != b'"':
                end += 2 if raw[end : end + 1] == b"\\" else 1
            at = end if end < len(raw) else at
        elif raw[at : at + 1] in (b"{", b"["):
            depth += 1
            most = max(most, depth)
        elif raw[at : at + 1] in (b"}", b"]"):
            depth -= 1
        at += 1
    return most


@given(st.lists(st.sampled_from(PIECES), max_size=60))
@example(["["] * LIMIT + ["]"] * LIMIT)
@example(["["] * (LIMIT + 1) + ["]"] * (LIMIT + 1))
@example(["{", "["] * LIMIT + ["]", "}"] * LIMIT)
@example(["[", '"]"'] * (LIMIT + 1) + ["]"] * (LIMIT + 1))
@example(["[{}]"] * 40)
def test_nesting_is_seen_as_a_reader_would_meet_it(pieces: list[str]) -> None:
    raw = "".join(pieces).encode()
    assert is_too_deep(raw, LIMIT) == (deepest(raw) > LIMIT)
