"""What lies in the folder of every registered connector, and proof that these checks can fail too."""

from __future__ import annotations

from pathlib import Path

import pytest

from connectors import registry
from connectors.conformance import folder as static_checks
from connectors.conformance.checks import NotConformant
from quality.mapping import load_mapping

CONNECTORS = registry.ids()
GOOD_ICON = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0"/></svg>'


def folder(connector_id: str) -> Path:
    return registry.mapping_path(connector_id).parent


def names(connector_id: str) -> list[str]:
    return [entity.name for entity in registry.entities(connector_id)]


def as_tables(entities: list[str]) -> dict[str, str]:
    from dlt.common.normalizers.naming.snake_case import NamingConvention

    naming = NamingConvention()
    return {name: naming.normalize_identifier(name) for name in entities}


def test_there_are_connectors_to_judge() -> None:
    assert {"customerio", "file", "salesforce"} <= set(CONNECTORS)


@pytest.mark.parametrize("connector_id", CONNECTORS)
class TestFolder:
    """One vendor, one folder, one shape."""

    def test_the_manifest_is_read_and_bears_the_folders_name(self, connector_id: str) -> None:
        assert registry.manifest(connector_id).id == connector_id == folder(connector_id).name

    def test_the_icon_is_a_plain_drawing(self, connector_id: str) -> None:
        static_checks.check_icon(registry.icon(connector_id))

    def test_the_readme_says_what_a_person_needs(self, connector_id: str) -> None:
        static_checks.check_readme((folder(connector_id) / "README.md").read_text(), names(connector_id))

    def test_entities_become_tables_of_their_own(self, connector_id: str) -> None:
        static_checks.check_entity_names(names(connector_id), as_tables(names(connector_id)))

    def test_the_mapping_fits_the_canonical_model_and_every_entity(self, connector_id: str) -> None:
        mapping = load_mapping(registry.mapping_path(connector_id))
        static_checks.check_mapped(names(connector_id), list(mapping.entities))

    def test_code_is_there_only_for_what_forced_it(self, connector_id: str) -> None:
        static_checks.check_code(registry.manifest(connector_id).kind, folder(connector_id) / "source.py")

    def test_it_imports_no_other_vendor(self, connector_id: str) -> None:
        static_checks.check_vendor_imports(connector_id, sorted(folder(connector_id).glob("*.py")))


@pytest.mark.parametrize(
    ("icon", "found"),
    [
        (GOOD_ICON.replace("<path", "<script"), "only plain shapes"),
        (GOOD_ICON.replace("<path", '<path onload="x()"'), "onload"),
        (GOOD_ICON.replace('d="M0 0"', 'fill="url(https://evil.example)"'), "only plain shapes"),
        ("<!DOCTYPE svg []>" + GOOD_ICON, "declares something"),
        (GOOD_ICON.replace('viewBox="0 0 1 1"', ""), "viewBox"),
        (GOOD_ICON.replace("M0 0", "M0 0 " * 3_000), "larger"),
        ("<html/>", "not an SVG"),
        ("<svg", "not XML"),
    ],
)
def test_an_icon_that_could_do_more_than_be_seen_is_found(icon: str, found: str) -> None:
    static_checks.check_icon(GOOD_ICON)
    with pytest.raises(NotConformant, match=found):
        static_checks.check_icon(icon)


def test_two_entities_of_one_table_are_found() -> None:
    with pytest.raises(NotConformant, match="both become"):
        static_checks.check_entity_names(["Contact", "contact"], as_tables(["Contact", "contact"]))


def test_an_entity_that_the_mapping_forgets_or_invents_is_found() -> None:
    with pytest.raises(NotConformant, match="says nothing of deals"):
        static_checks.check_mapped(["deals"], [])
    with pytest.raises(NotConformant, match="does not read"):
        static_checks.check_mapped([], ["deals"])


def test_a_readme_without_its_sections_is_found() -> None:
    good = "# Vendor\n\n## Connect\n\n## What is read\n\nthings\n\n## Limits\n"
    static_checks.check_readme(good, ["things"])
    with pytest.raises(NotConformant, match="## Limits"):
        static_checks.check_readme(good.replace("## Limits", "## Fees"), ["things"])
    with pytest.raises(NotConformant, match="does not name deals"):
        static_checks.check_readme(good, ["deals"])


@pytest.mark.parametrize(
    ("kind", "text", "found"),
    [
        ("generic", '"""A connector."""', "has no source.py"),
        ("native", '"""A connector."""', "what forced code"),
        ("native", None, "needs a source.py"),
    ],
)
def test_code_without_a_reason_is_found(tmp_path: Path, kind: str, text: str | None, found: str) -> None:
    source = tmp_path / "source.py"
    if text is not None:
        source.write_text(text)
    with pytest.raises(NotConformant, match=found):
        static_checks.check_code(kind, source)


@pytest.mark.parametrize(
    "line", ["import httpx", "from connectors.vendors.salesforce import soql", "import quality.mapping"]
)
def test_an_import_across_a_wall_is_found(tmp_path: Path, line: str) -> None:
    source = tmp_path / "source.py"
    source.write_text(line)
    with pytest.raises(NotConformant, match="imports"):
        static_checks.check_vendor_imports("file", [source])
