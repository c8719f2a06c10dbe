"""What a descriptor's error table tells a person: what is to be done, and by whom."""

from __future__ import annotations

from typing import Any

import pytest

from connectors.declarative.model import ErrorRule
from connectors.declarative.verdicts import classifier
from connectors.runtime.messages import Response


@pytest.mark.parametrize(
    ("then", "told"),
    [
        ("retry", "just now"),
        ("defer", "goes on later by itself"),
        ("refresh", "session"),
        ("reauthorise", "connect the account again"),
        ("resync", "read in full"),
        ("skip", "the others"),
        ("stop", "README"),
    ],
)
def test_a_rule_says_what_happens_next_and_not_only_that_something_was_refused(then: Any, told: str) -> None:
    judge = classifier([ErrorRule(status=429, then=then, reason="quota_spent")])
    assert judge is not None
    verdict = judge(Response(429, {}, b"{}", "https://api.acme.com/v1/people"))
    assert verdict is not None
    assert (verdict.do, verdict.code) == (then, "quota_spent")
    assert told in verdict.message
