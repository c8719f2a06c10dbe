"""A descriptor's error table, compiled into the hook that the runtime asks what an answer means."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from connectors.runtime import paths
from connectors.runtime.classification import Classify, Do, Verdict, structured_codes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from connectors.declarative.model import ErrorRule
    from connectors.runtime.messages import Response


_SAYS = {
    Do.RETRY: "the vendor cannot answer just now",
    Do.DEFER: "what the vendor allows in a period is used up: the sync goes on later by itself",
    Do.REFRESH: "the vendor refuses the session",
    Do.REAUTHORISE: "the vendor refuses the credential: connect the account again",
    Do.RESYNC: "the vendor no longer keeps the place this read stopped at: it is read in full",
    Do.SKIP: "the vendor refuses this one and is asked for the others",
    Do.STOP: "the vendor refuses what is asked for: the connector's README says what to do",
}
"""What a person is told, by what the table says is to be done; the reason stands before it."""


def classifier(rules: Sequence[ErrorRule]) -> Classify | None:
    """Compile the error table; the first rule that fits decides. None when there is none."""
    if not rules:
        return None
    says_codes = any(rule.code and not rule.at for rule in rules)

    def classify(response: Response) -> Verdict | None:
        codes = structured_codes(response) if says_codes else ()
        for rule in rules:
            if rule.status in (None, response.status) and _fits(rule, response, codes):
                wait = rule.wait.total_seconds() if rule.wait else None
                do = Do(rule.then)
                return Verdict(do, rule.reason, _SAYS[do], wait)
        return None

    return classify


def _fits(rule: ErrorRule, response: Response, codes: Sequence[str]) -> bool:
    if rule.at is None:
        return rule.code in (None, *codes)
    found = _at(response, rule.at)
    return bool(found) if rule.code is None else rule.code in found


def _at(response: Response, path: str) -> list[str]:
    """Return the values at a place of the body as text, less empty and false ones; none of a body that is no JSON."""
    if not paths.may_hold(response.content, path):  # every page passes here
        return []
    try:
        found = paths.find(response.content, path)
    except (msgspec.DecodeError, RecursionError):
        return []
    texts = [bytes(each).decode("utf-8", "replace").strip() for each in found]
    return [text.strip('"') for text in texts if text not in ("null", "[]", "{}", '""', "false")]
