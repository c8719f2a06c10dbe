from __future__ import annotations

from dataclasses import replace

import pytest

from connectors import registry
from quality import canonical
from quality.identity import DEFAULT_POLICY, FieldPolicy, IdentityPolicy
from quality.identity.guards import PLACEHOLDER_COMPANIES, PLACEHOLDER_NAMES
from quality.identity.nicknames import FULL_NAMES
from quality.normalise import company, person


def test_a_changed_rule_limit_or_order_of_trust_is_another_version() -> None:
    rules = DEFAULT_POLICY.person_rules
    versions = {
        DEFAULT_POLICY.version(),
        IdentityPolicy(person_rules=(replace(rules[0], max_owners=3), *rules[1:])).version(),
        IdentityPolicy(source_priority=("file",)).version(),
        IdentityPolicy(person_fields=DEFAULT_POLICY.person_fields[1:]).version(),
    }
    assert len(versions) == 4
    assert IdentityPolicy().version() == DEFAULT_POLICY.version()


def test_an_unknown_criterion_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"\('title',\).*'newest'.*recency"):
        FieldPolicy(("title",), ("newest",))


@pytest.mark.parametrize("kind", ["person", "account"])
def test_every_canonical_field_survives_by_a_stated_policy(kind: str) -> None:
    """Except ``properties``, which stay with their record, and a stated account, which becomes a golden one."""
    governed = {field for policy in DEFAULT_POLICY.fields(kind) for field in policy.fields}
    mapped = {column.name for column in canonical.columns(kind) if column.is_mapped}
    left_out = {"external_id", "properties", "account_external_id"}
    assert governed - {"account_id"} == mapped - left_out


@pytest.mark.parametrize("kind", ["person", "account"])
def test_rules_are_listed_from_most_to_least_sure_and_weaker_levels_are_less_sure(kind: str) -> None:
    rules = DEFAULT_POLICY.rules(kind)
    assert [rule.confidence for rule in rules] == sorted((rule.confidence for rule in rules), reverse=True)
    assert [rule.level for rule in rules] == sorted(rule.level for rule in rules)
    assert all(rule.meaning for rule in rules)


def test_word_lists_are_written_in_the_form_they_are_compared_in() -> None:
    assert {person.normal_form(name) for name in FULL_NAMES} == set(FULL_NAMES)
    assert not set(FULL_NAMES) & set(FULL_NAMES.values())
    assert all(company.normal_form(name) == name for name in PLACEHOLDER_COMPANIES)
    assert all(name == name.lower() for name in PLACEHOLDER_NAMES)


def test_every_connector_has_its_place_in_the_order_of_trust() -> None:
    assert sorted(DEFAULT_POLICY.source_priority) == registry.ids()
