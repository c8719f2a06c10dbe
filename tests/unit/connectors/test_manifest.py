"""A manifest is a closed language: what it says is checked, where it is wrong is said (FAULTS S11, S14, 5.4)."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from connectors.connector import DeleteDetection
from connectors.declarative.strict_yaml import load_text
from connectors.manifest import Manifest, ManifestError, parse_manifest
from tests.unit.connectors.described import HEAD
from tests.unit.connectors.manifests import ACME


def changed(old: str, new: str) -> str:
    assert old in ACME
    return ACME.replace(old, new, 1)


def test_a_complete_descriptor_becomes_typed_entities() -> None:
    manifest = parse_manifest(ACME)
    people = manifest.spec("people").entity()
    assert (people.lag, people.settle) == (timedelta(minutes=10), timedelta(minutes=5))
    assert people.delete_detection is DeleteDetection.FULL_DIFF
    assert manifest.auth.fields[0].name == "api_key"


@pytest.mark.parametrize(
    ("old", "new", "key", "says"),
    [
        ("lag: 10m", "lag: 10 minutes", "entities[0].lag", "a duration is a number and a unit"),
        ("settle: 5m", "settel: 5m", "entities[0].settel", "this key is not known here"),
        ("page_size: 200", "page_size: 1000000000", "ingestion.pagination.page_size", "less than or equal to 10000"),
        ("page_size: 200", "page_size: 0", "ingestion.pagination.page_size", "greater than or equal to 1"),
        ("page_size: 200", 'page_size: "200"', "ingestion.pagination.page_size", "valid integer"),
        ("version: 1.0.0", "version: one", "version", "pattern"),
        ("/me}", "/me, method: TRACE}", "health_check.method", "'GET' or 'POST'"),
    ],
)
def test_a_fault_is_named_by_file_line_and_key(old: Any, new: Any, key: Any, says: Any) -> None:
    line = ACME[: ACME.index(old)].count("\n") + 1
    with pytest.raises(ManifestError) as caught:
        parse_manifest(changed(old, new), "vendors/acme/connector.yml")
    assert str(caught.value).startswith(f"vendors/acme/connector.yml:{line}: {key}: ")
    assert says in str(caught.value)


def test_a_missing_key_is_named_at_the_section_that_lacks_it() -> None:
    with pytest.raises(ManifestError, match=r"connector\.yml:19: entities\[0\]\.description: this key is missing"):
        parse_manifest(changed("    description: People of the workspace.\n", ""))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("name: Acme\n", "name: Acme\nname: Other\n"),
        ("name: Acme\n", "name: &a Acme\n"),
        ("name: Acme\n", "name: !!python/object/apply:os.system Acme\n"),
        ("name: Acme\n", "name: !include /etc/passwd\n"),
        ("name: Acme\n", "<<: {name: Acme}\n"),
        ("name: Acme\n", "name: NO\nkind2: x\n"),
        ("name: Acme\n", "name: .inf\nx: 1\n"),
        ("name: Acme\n", "name: 012\nextra: 1\n"),
        ("id: acme", "id: ../acme"),
        ("id: acme", "id: Acme"),
        ("https://api.acme.com/v1", "https://{{settings.workspace}}.acme.com/v1"),
        ("https://api.acme.com/v1", "{{settings.workspace}}://api.acme.com/v1"),
        ("https://api.acme.com/v1", "http://api.acme.com/v1"),
        ("https://api.acme.com/v1", "https://api.acme.com@evil.com"),
        ("[api.acme.com,", '["*",'),
        ("[api.acme.com,", '["*.com",'),
        ("name: X-Api-Key", "name: Host"),
        ("name: X-Api-Key", "name: Content-Length"),
        ("name: X-Api-Key", "name: Transfer-Encoding"),
        ("name: X-Api-Key", "name: Cookie"),
        ("name: X-Api-Key", "name: 'X-A: b'"),
        ("field: api_key}", "field: other_key}"),
        ("{{settings.workspace}}", "{{settings.other}}"),
        ("{{settings.workspace}}", '{{ "x"*10**9 }}'.replace('"', "'")),
        ("{{settings.workspace}}", "{{settings.workspace|upper}}"),
        ("{{settings.workspace}}", "{{settings.__class__}}"),
        ("{{settings.workspace}}", "{% for x in y %}"),
        ("{{settings.workspace}}", "../.."),
        ("{{settings.workspace}}", "a?x=1#b"),
        ("{{settings.workspace}}", "%2e%2e"),
        ("{{parent.person}}", "{{parent.other}}"),
        ("entity: people, values", "entity: notes, values"),
        ("entity: people, values", "entity: nobody, values"),
        ("    lag: 10m\n", ""),
        ("    timestamp: updated_at\n", ""),
        ("items: data", "items: $..*"),
        ("items: data", "items: data[?(@.a)]"),
        ("key: id", "key: ''"),
        ("key: id", "key: []"),
        ("  - name: notes", "  - name: people"),
        ("  - name: notes", "  - name: People"),
        ("health_check: {path: /me}", ""),
        ("health_check: {path: /me}", "health_check: {path: me}"),
        ("    pagination: {type: none}\n", "    pagination: {type: telepathy}\n"),
        ("page_size: 200,", "page_size: 200, max_pages: 0,"),
        ("token_path: next,", ""),
        ("{status: 400, code: cursor_expired, then: resync", "{then: resync"),
        ("then: resync", "then: ignore"),
        ("    lag: 10m", "    lag: 0s"),
        ("    lag: 10m", "    lag: 999999d"),
    ],
)
def test_a_hostile_or_mistaken_descriptor_is_refused_with_its_file_and_line(old: Any, new: Any) -> None:
    with pytest.raises(ManifestError, match=r"^connector\.yml:\d+: "):
        parse_manifest(changed(old, new))


def test_an_inclusive_filter_needs_no_lag() -> None:
    text = changed("    lag: 10m\n", "").replace("param: updated_since}", "param: updated_since, inclusive: true}")
    assert parse_manifest(text).spec("people").lag == timedelta(0)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 20_000,
        "a: " + "{b: " * 40 + "1" + "}" * 40,
        "a: &x [1]\nb: [*x, *x]",
        "a: &x [*x]",
        "x" * (256 * 1024 + 1),
        "a: [1",
        "a: 1\n---\nb: 2",
        "? [a]\n: 1",
        "a: \x00",
    ],
)
def test_yaml_that_could_hurt_is_refused_quickly(text: Any) -> None:
    started = time.perf_counter()
    with pytest.raises(ManifestError, match=r"^f\.yml:\d+: "):
        load_text(text, "f.yml")
    assert time.perf_counter() - started < 1.0


def test_yaml_words_stay_what_is_written() -> None:
    text = "a: NO\nb: 012\nc: 12:30:45\nd: 2026-01-01\ne: .inf\nf: 'true'\ng: true\nh: -5\ni: 1.5\nj: null\nk: 1_000"
    assert load_text(text, "f.yml").data == {
        "a": "NO", "b": "012", "c": "12:30:45", "d": "2026-01-01", "e": ".inf", "f": "true", "g": True, "h": -5,
        "i": 1.5, "j": None, "k": "1_000",
    }  # fmt: skip


def test_the_language_as_the_guide_shows_it_is_the_language() -> None:
    """docs/connectors.md shows each part once; what it shows must load."""
    guide = (Path(__file__).parents[3] / "docs" / "connectors.md").read_text(encoding="utf-8")
    shown = [block.partition("```")[0] for block in guide.split("```yaml\n")[1:]]
    users = "  - {name: users, description: Users., endpoint: {path: /users}, items: value, key: id}\n"
    for text in (shown[0], HEAD + shown[1] + users):
        assert parse_manifest(text).entities


def sections(annotation: Any) -> Iterator[type[BaseModel]]:
    """Every section of the language that a field may hold, and those in it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for each in annotation.model_fields.values():
            yield from sections(each.annotation)
    for inner in get_args(annotation):
        yield from sections(inner)


def test_the_page_for_authors_lists_every_key_of_the_language() -> None:
    page = (Path(__file__).parents[3] / "docs/connectors.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"\w+", page.partition("## Every key")[2]))
    keys = {each.alias or name for section in sections(Manifest) for name, each in section.model_fields.items()}
    assert keys - listed == set()
    assert {get_args(each)[0] for section in sections(Manifest) for each in types_of(section)} - listed == set()


def types_of(section: type[BaseModel]) -> list[Any]:
    """The words by which sections of one place are told apart, as of ``pagination.type``."""
    field = section.model_fields.get("type")
    return [field.annotation] if field and len(get_args(field.annotation)) == 1 else []
