"""What a mapping file may say, and how it is told what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from quality.mapping import Mapping, MappingError, Override, load_mapping, overlay, parse_mapping

ROOT = Path(__file__).parents[3]
GOOD = """\
entities:
  Contact:
    - target: person
      fields:
        email: Email
        phone: [Phone, Mobile]
      properties: {source: LeadSource}
  Account:
    - target: account
      fields: {name: Name}
  Opportunity: []
"""


def fault(text: str) -> str:
    with pytest.raises(MappingError) as caught:
        parse_mapping(text, name="mapping.yml")
    return str(caught.value)


def person(*lines: str) -> str:
    return "entities:\n  C:\n    - target: person\n" + "".join(f"      {line}\n" for line in lines)


def test_the_example_of_the_docs_is_a_mapping() -> None:
    text = (ROOT / "docs" / "mappings.md").read_text().split("```yaml\n")[1].split("```")[0]
    assert set(parse_mapping(text).entities) == {"Contact", "Lead", "messages", "Opportunity"}


def test_a_file_is_read_with_its_name_in_errors(tmp_path: Path) -> None:
    file = tmp_path / "custom.yml"
    file.write_text("\ufeff" + GOOD, encoding="utf-8")
    assert load_mapping(file) == parse_mapping(GOOD)
    file.write_text("entities: 5")
    with pytest.raises(MappingError, match=r"custom\.yml line 1, entities"):
        load_mapping(file)


def test_a_file_that_changed_is_read_anew(tmp_path: Path) -> None:
    """A text that was checked is not checked again; another text is another mapping."""
    file = tmp_path / "mapping.yml"
    file.write_text(GOOD, encoding="utf-8")
    before = load_mapping(file)
    assert load_mapping(file) is before
    file.write_text(GOOD.replace("email: Email", "email: Mail"), encoding="utf-8")
    assert load_mapping(file).version() != before.version()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            person("fields: {emial: X}"),
            "line 4, entities.C[0].fields.emial: person has no field 'emial'; did you mean 'email'?",
        ),
        (person("fields: {tenant_id: X}"), "person has no field 'tenant_id'"),
        (
            person("fields:", "  email: {source: X, transform: number}"),
            "line 5, entities.C[0].fields.email.transform: number does not",
        ),
        (person("fields: {}", "colour: red"), "line 5, entities.C[0].colour: unknown key"),
        (person("fields:", "  email: {path: X}"), "line 5, entities.C[0].fields.email.path: unknown key"),
        (person("fields: {email: {source: X, const: Y}}"), "exactly one of source, const and join is needed"),
        (person("fields: {email: {source: X, separator: Y}}"), "separator belongs to join"),
        (person("fields: {email: 5}"), "write a path, a list of paths, or a mapping"),
        (person("fields: {email: a..b}"), "'a..b' is not a path: write names joined by dots"),
        (person('fields: {email: "@.email"}'), "'@.email' speaks of an element, but the target has no for_each"),
        (person("fields: {}", "when: {path: A}"), "exactly one of exists, equals and in is needed"),
        (person("fields: {}", "when: {path: A, in: []}"), "in needs at least one value"),
        (person("properties: {p: {source: A, transform: phone}}"), "phone is not offered for properties"),
        (person("external_id: {source: A, transform: number}"), "number does not give a key"),
        (person("references: [{connector: Up, source: A}]"), "entities.C[0].references[0].connector"),
        (person("fields: {}", "name: A B"), "entities.C[0].name"),
        (person("external_id: {join: [a, {cons: 3}]}"), "line 4, entities.C[0].external_id.join[1]"),
        (person("fields: {}", "fields: {}"), "line 5: the key 'fields' is given twice"),
        ("entities: {C: [{target: account, fields: {}}]}", "account needs name"),
        ("entities: {C: [{target: activity, fields: {}}]}", "activity needs type and occurred_at"),
        (
            "entities: {C: [{target: deal, fields: {}}]}",
            "entities.C[0].target: Input should be 'person', 'account' or 'activity'",
        ),
        (
            "entities: {C: [{target: person}, {target: person}]}",
            "a second target called 'person': give one of them a name",
        ),
        (
            "entities: {C: [{target: person, shared: true}, {target: person, name: other}]}",
            "entities.C[0].shared: either every person of C is shared or none",
        ),
        ("entities: {C: &a [], D: *a}", "anchors and aliases are not read"),
        ("entities: {C: !!python/object:os.system []}", "is not read: remove it"),
        ("entities: {C: [}", "not valid YAML"),
        ("entities: {\x07: []}", "not valid YAML"),
        ("? [a]\n: b", "a key must be plain text"),
        ("", "the whole file"),
        ("entities: {C: []}\n# " + "x" * 300_000, "larger than 256 KiB"),
    ],
)
def test_a_fault_names_file_line_key_and_mend(text: str, told: str) -> None:
    message = fault(text)
    assert message.startswith("mapping.yml line ")
    assert told in message


def test_every_fault_of_a_file_is_told_at_once() -> None:
    assert len(fault(person("fields: {emial: X, titel: Y}")).splitlines()) == 2


def test_words_older_yaml_takes_for_booleans_and_dates_stay_text() -> None:
    mapping = parse_mapping(
        person("fields: {}", "when: {path: A, in: [yes, on, 2026-01-01, 007, 0x10, true, 1.5, ~]}".replace(", ~", ""))
    )
    condition = mapping.entities["C"][0].when
    assert condition is not None
    assert condition.in_ == ("yes", "on", "2026-01-01", "007", "0x10", True, 1.5)


def test_a_version_is_of_content_not_of_spelling() -> None:
    spelled = GOOD.replace("email: Email", 'email: {source: ["Email"]}')
    assert parse_mapping(spelled).version() == parse_mapping(GOOD).version()


def test_a_change_moves_the_version_of_its_own_entity_only() -> None:
    before, after = parse_mapping(GOOD), parse_mapping(GOOD.replace("email: Email", "email: Mail"))
    assert before.version() != after.version()
    assert before.entity_version("Contact") != after.entity_version("Contact")
    assert before.entity_version("Account") == after.entity_version("Account")


def over(*overrides: Override) -> Mapping:
    return overlay(parse_mapping(GOOD), overrides)


def test_an_override_replaces_its_field_and_nothing_else() -> None:
    plain, laid = (
        parse_mapping(GOOD),
        over(Override("Contact", "person", "email", {"source": "Mail__c", "transform": "email"})),
    )
    assert laid.entities["Contact"][0].fields["email"].source == ("Mail__c",)
    assert laid.entities["Contact"][0].fields["phone"] == plain.entities["Contact"][0].fields["phone"]
    assert laid.entity_version("Account") == plain.entity_version("Account")


def test_overrides_reach_properties_and_other_keys_and_take_fields_away() -> None:
    laid = over(
        Override("Contact", "person", "properties.tier", "Tier__c"),
        Override("Contact", "person", "phone", None),
        Override("Contact", "person", "when", {"path": "Type", "equals": "A"}),
    )
    target = laid.entities["Contact"][0]
    assert (set(target.properties), set(target.fields)) == ({"source", "tier"}, {"email"})
    assert target.when is not None


def test_a_tenant_may_map_what_the_file_leaves_out() -> None:
    laid = over(
        Override("Opportunity", "activity", "type", {"const": "deal"}),
        Override("Opportunity", "activity", "occurred_at", "CreatedDate"),
    )
    assert [target.target for target in laid.entities["Opportunity"]] == ["activity"]


def test_no_override_is_the_mapping_itself() -> None:
    mapping = parse_mapping(GOOD)
    assert overlay(mapping, []) is mapping


def test_overrides_may_come_as_plain_dicts() -> None:
    laid = overlay(
        parse_mapping(GOOD), [{"entity": "Account", "target": "account", "field": "industry", "spec": "Industry"}]
    )
    assert "industry" in laid.entities["Account"][0].fields


def test_an_override_that_breaks_the_mapping_is_refused_by_name() -> None:
    with pytest.raises(MappingError, match=r"overrides \(Account.account.name\).*account needs name"):
        over(Override("Account", "account", "name", None))
    with pytest.raises(MappingError, match="has no field 'emial'"):
        over(Override("Contact", "person", "emial", "X"))
