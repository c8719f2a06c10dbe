"""Placeholders and nothing more (FAULTS S07-S10)."""

from __future__ import annotations

from typing import Any
from urllib.parse import unquote

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.declarative import template
from connectors.errors import SkipRecord, Stop


@pytest.mark.parametrize(
    "text",
    [
        "{{ 7*7 }}", "{{a.b.c}}", "{{a|upper}}", "{{a()}}", "{{a['b']}}", "{{__class__}}", "{{A}}", "{{", "}}", "{{}}",
        "{{a}}}}", "{{{{a}}}}", "{{a\n}}", "{{ a.}}", "{{1a}}",
    ],
)  # fmt: skip
def test_s10_anything_but_a_name_between_braces_is_refused(text: Any) -> None:
    with pytest.raises(template.TemplateError):
        template.names(text)


@given(st.text(min_size=1, max_size=40))
@example("../../admin")
@example("a?x=1#b")
@example("%2e%2e%2f")
@example("a/b")
def test_s08_a_value_stays_inside_its_segment(value: Any) -> None:
    try:
        path = template.render_path("/a/{{x}}/b", {"x": value})
    except SkipRecord:
        return
    segments = path.split("/")
    assert len(segments) == 4
    assert unquote(segments[2]) == value
    assert path.isascii()
    assert "?" not in path
    assert "#" not in path


@pytest.mark.parametrize("value", ["", ".", "..", " ", "a\r\nb", "a\0b", None])
def test_s08_a_value_that_would_bend_the_path_costs_its_record(value: Any) -> None:
    with pytest.raises(SkipRecord):
        template.render_path("/a/{{x}}", {"x": value})


def test_s09_a_header_value_with_a_line_break_is_refused() -> None:
    with pytest.raises(Stop):
        template.render_header("{{x}}", {"x": "a\r\nHost: b"})


def test_a_body_keeps_types_and_drops_what_has_no_value() -> None:
    body = {
        "a": "{{n}}",
        "b": {"c": "id-{{n}}", "d": "{{none}}"},
        "e": ["{{n}}", "{{none}}", None],
        "f": None,
        "g": "x",
    }
    filled = template.render_body(body, {"n": 5, "none": None})
    assert filled == {"a": 5, "b": {"c": "id-5"}, "e": [5], "f": None, "g": "x"}
