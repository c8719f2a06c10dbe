"""The deterministic rules by which two records are one person or one company, each with its confidence and its limits.

A rule joins records that share a key (:mod:`quality.identity.keys`). Level 0 rules are strong: a shared key is enough.
Higher levels are weak: they join whole groups found below them, one level after the other, and never a set of groups
that contradicts itself (:func:`quality.identity.keys.contradictions`).

A record may carry a key loosely, when it was read off something else (:mod:`quality.identity.keys`). The rule itself
does not join such a record; the weaker rule that ``loosens`` it does, where the names do not disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

NO_LIMIT = 1_000_000_000
"""For a rule whose keys are trusted however many records share them."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One way of knowing. A key with more owners or more distinct qualifiers than the limits is a hub: it joins nobody.

    The qualifier is what should agree among owners of one key: the person's name on an e-mail address or a phone, the
    company's name on a domain, the source of the record a reference points at, the mailbox on a name. With ``agree``
    set it has to: owners are joined only with owners of an equal qualifier.
    """

    name: str
    level: int
    confidence: float
    max_owners: int
    max_qualifiers: int
    agree: bool = False
    meaning: str = ""
    loosens: str = ""  # the rule whose loosely carried keys this one joins by


PERSON_RULES = (
    Rule("merged", 0, 1.0, NO_LIMIT, NO_LIMIT, meaning="the vendor merged one record into the other"),
    Rule("reference", 0, 0.98, 25, 1, meaning="one record names the other, found in one source only"),
    Rule("email", 0, 0.96, 50, 4, meaning="same mailbox, borne by at most four names"),
    Rule("phone", 1, 0.9, 20, 4, agree=True, meaning="same phone and same name, borne by at most four names"),
    Rule(
        "email_tag",
        1,
        0.88,
        50,
        4,
        meaning="same mailbox but for a plus-tag, names that do not disagree",
        loosens="email",
    ),
    Rule("phone_typo", 1, 0.82, 20, 4, agree=True, meaning="same phone, names one letter apart"),
    Rule("phone_read", 1, 0.8, 20, 4, meaning="same phone, and the mailbox of one spells the name", loosens="phone"),
    Rule("name_account", 2, 0.75, 100, 6, meaning="same name at the same golden account, in at most six mailboxes"),
    Rule(
        "name_account_read",
        3,
        0.65,
        100,
        6,
        meaning="same name at the same golden account; name read off a mailbox, or account found by the company's name",
        loosens="name_account",
    ),
)

ACCOUNT_RULES = (
    Rule("merged", 0, 1.0, NO_LIMIT, NO_LIMIT, meaning="the vendor merged one record into the other"),
    Rule("reference", 0, 0.98, 25, 1, meaning="one record names the other, found in one source only"),
    Rule("domain", 0, 0.95, 200, 12, meaning="same registrable domain, borne by at most twelve company names"),
    Rule("name", 1, 0.7, 50, NO_LIMIT, meaning="same company name, with no two domains among them"),
)
