"""One value that holds everything identity decides by, and a version that changes when any of it does."""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import blake2b

from quality.identity import keys
from quality.identity.rules import ACCOUNT_RULES, PERSON_RULES, Rule
from quality.identity.survivorship import ACCOUNT_FIELDS, PERSON_FIELDS, SOURCE_PRIORITY, FieldPolicy


@dataclass(frozen=True, slots=True)
class IdentityPolicy:
    """Rules, survivorship and source priority of one tenant's resolution."""

    person_rules: tuple[Rule, ...] = PERSON_RULES
    account_rules: tuple[Rule, ...] = ACCOUNT_RULES
    person_fields: tuple[FieldPolicy, ...] = PERSON_FIELDS
    account_fields: tuple[FieldPolicy, ...] = ACCOUNT_FIELDS
    source_priority: tuple[str, ...] = SOURCE_PRIORITY

    def rules(self, kind: str) -> tuple[Rule, ...]:
        """Return the rules of ``person`` or ``account``."""
        return self.person_rules if kind == "person" else self.account_rules

    def fields(self, kind: str) -> tuple[FieldPolicy, ...]:
        """Return the survivorship of ``person`` or ``account``."""
        return self.person_fields if kind == "person" else self.account_fields

    def version(self) -> str:
        """Content hash of the policy and of the key definitions; another version means golden is built afresh."""
        text = "\n".join(
            [
                repr(self),
                keys.alike(),
                *(keys.select(kind) + keys.contradictions(kind) for kind in ("person", "account")),
            ]
        )
        return blake2b(text.encode(), digest_size=8).hexdigest()


DEFAULT_POLICY = IdentityPolicy()
