"""Which value of a field survives when records disagree: policy as data, and the one number it comes down to.

Live records always come before deleted ones, and a final tie is broken by the record's own key, so that the same
members always give the same golden row. What lost is kept beside what won (:mod:`quality.identity.golden`).
"""

from __future__ import annotations

from dataclasses import dataclass

NODE_BITS = 40
"""The lowest bits of a rank are the record's number, so that no two ranks are equal."""

_CRITERIA = {
    # name: (expression that is smaller for the better record, bits it takes)
    "stated": ("CAST(basis AS HUGEINT)", 2),
    "priority": ("CAST(priority AS HUGEINT)", 10),
    "recency": ("CAST(18014398509481983 - greatest(coalesce(epoch_us(source_updated_at), 0), 0) AS HUGEINT)", 54),
    "completeness": ("CAST(15 - completeness AS HUGEINT)", 4),
}


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """Fields that survive together (a first name never with another record's last name) and what decides, in order."""

    fields: tuple[str, ...]
    criteria: tuple[str, ...]

    def __post_init__(self) -> None:
        """Refuse criteria nobody knows."""
        unknown = sorted(set(self.criteria) - set(_CRITERIA))
        if unknown:
            raise ValueError(f"survivorship of {self.fields}: unknown criteria {unknown}; known: {sorted(_CRITERIA)}")

    @property
    def rank(self) -> str:
        """SQL of a number that is smallest for the record that survives; no two records have the same."""
        expression = "CAST(is_deleted AS HUGEINT)"
        for name in self.criteria:
            term, bits = _CRITERIA[name]
            expression = f"({expression} * {1 << bits} + {term})"
        return f"{expression} * {1 << NODE_BITS} + node"


TRUSTED = ("priority", "recency", "completeness")
RECENT = ("recency", "priority", "completeness")

PERSON_FIELDS = (
    FieldPolicy(("email",), TRUSTED),
    FieldPolicy(("first_name", "last_name"), ("completeness", "priority", "recency")),
    FieldPolicy(("title",), RECENT),
    FieldPolicy(("phone",), TRUSTED),
    FieldPolicy(
        ("account_id",), ("stated", *RECENT)
    ),  # one of the mail domain yields to a stated one, one of a name to both
)

ACCOUNT_FIELDS = (
    FieldPolicy(("name",), TRUSTED),
    FieldPolicy(("domain",), TRUSTED),
    FieldPolicy(("industry",), TRUSTED),
    FieldPolicy(("employee_count",), RECENT),
    FieldPolicy(("annual_revenue",), RECENT),
)

SOURCE_PRIORITY = (
    *("salesforce", "hubspot", "close"),  # kept by people whose work it is
    *("microsoft365", "stripe"),  # what a mailbox or a paying customer calls itself
    *("sql", "graphql", "customerio", "fathom", "file"),
    "delivr",  # bought, not told
)
"""Connectors from most to least trusted; one not named here comes after all that are."""


def priorities(connectors: tuple[str, ...]) -> list[tuple[str, int]]:
    """Return each connector with its place in the order of trust."""
    return [(connector, position) for position, connector in enumerate(connectors, start=1)]
