"""Which value of a field survives when records disagree: policy as data, and the order it means in SQL.

Live records always come before deleted ones, and a final tie is broken by the record's own key, so that the same members
always give the same golden row. What lost is kept by the stage, not judged here.
"""

from __future__ import annotations

from dataclasses import dataclass

_ORDER = {
    "stated": "is_inferred",
    "priority": "priority",
    "recency": "source_updated_at DESC NULLS LAST",
    "completeness": "completeness DESC",
}


@dataclass(frozen=True, slots=True)
class FieldPolicy:
    """Fields that survive together (a first name never with another record's last name) and what decides, in order."""

    fields: tuple[str, ...]
    criteria: tuple[str, ...]

    def __post_init__(self) -> None:
        unknown = set(self.criteria) - set(_ORDER)
        if unknown:
            raise ValueError(
                f"survivorship of {self.fields}: unknown criteria {sorted(unknown)}; known: {sorted(_ORDER)}"
            )

    @property
    def order(self) -> str:
        """The ORDER BY list that puts the surviving record first."""
        return ", ".join(["is_deleted", *(_ORDER[name] for name in self.criteria), "source", "external_id"])


TRUSTED = ("priority", "recency", "completeness")
RECENT = ("recency", "priority", "completeness")

PERSON_FIELDS = (
    FieldPolicy(("email",), TRUSTED),
    FieldPolicy(("first_name", "last_name"), ("completeness", *TRUSTED[:2])),
    FieldPolicy(("title",), RECENT),
    FieldPolicy(("phone",), TRUSTED),
    FieldPolicy(("account_id",), ("stated", *RECENT)),  # an account read off the mail domain yields to a stated one
)

ACCOUNT_FIELDS = (
    FieldPolicy(("name",), TRUSTED),
    FieldPolicy(("domain",), TRUSTED),
    FieldPolicy(("industry",), TRUSTED),
    FieldPolicy(("employee_count",), RECENT),
    FieldPolicy(("annual_revenue",), RECENT),
)

SOURCE_PRIORITY = ("salesforce", "hubspot", "dynamics", "stripe", "customerio", "file")
"""Connectors from most to least trusted; one not named here comes after all that are."""


def priorities(connectors: tuple[str, ...]) -> list[tuple[str, int]]:
    """Number connectors from most to least trusted."""
    return [(connector, position) for position, connector in enumerate(connectors, start=1)]
