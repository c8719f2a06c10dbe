"""The names everything is scoped by refuse what a path, a schema or dlt would change."""

from __future__ import annotations

import pytest

from gtm_pipelines.tenancy import ConnectionName, InvalidNameError, TenantId


@pytest.mark.parametrize("name", ["acme", "acme_eu", "a1", "x" * 30])
def test_plain_words_are_names(name: str) -> None:
    assert TenantId(name) == name
    assert ConnectionName(name) == name


@pytest.mark.parametrize(
    "name",
    [
        "",
        "Acme",
        "acme__eu",
        "acme_",
        "_acme",
        "1acme",
        "acme-eu",
        "acme eu",
        "acme\n",
        "../evil",
        "x" * 31,
        "\u0430cme",  # a Cyrillic letter
        "ß",
        *("raw", "golden", "pg_catalog", "null", "con"),
    ],
)
def test_what_folds_escapes_or_is_reserved_is_no_name(name: str) -> None:
    for kind in (TenantId, ConnectionName):
        with pytest.raises(InvalidNameError, match="is not a"):
            kind(name)


def test_a_connection_cannot_take_the_schema_of_another_ones_raw_tables() -> None:
    assert TenantId("raw_salesforce") == "raw_salesforce"
    with pytest.raises(InvalidNameError, match="kept for raw tables"):
        ConnectionName("raw_salesforce")
