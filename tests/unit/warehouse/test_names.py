"""Names: what a tenant, a connection and a vendor's entity become, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from dlt.common.normalizers.naming.snake_case import NamingConvention
from hypothesis import given
from hypothesis import strategies as st

from gtm_pipelines.settings import Settings
from gtm_pipelines.tenancy import InvalidNameError
from gtm_pipelines.warehouse import names


@pytest.mark.parametrize(
    ("entity", "table"),
    [
        ("Contact", "contact"),
        ("OpportunityContactRole", "opportunitycontactrole"),
        ("Invoice__c", "invoice_c"),
        ("people", "people"),
        ("audit_log", "audit_log"),
    ],
)
def test_entities_keep_the_name_people_know(entity: str, table: str) -> None:
    assert names.entity_table(entity) == table


def test_entities_that_would_share_a_table_get_different_ones() -> None:
    spellings = [
        "My_Obj__c",
        "My__Obj__c",
        "my obj c",
        "my.obj.c",
        "My-Obj-c",
        "méObj",
        "m_Obj",
        "9lives",
        "_x",
        "x",
        "✓",
    ]
    assert len({names.entity_table(each) for each in spellings}) == len(spellings)


@given(st.text(min_size=1, max_size=200))
def test_every_table_name_survives_dlt_unchanged(entity: str) -> None:
    table = names.entity_table(entity)
    assert NamingConvention().normalize_table_identifier(table) == table
    assert 0 < len(table) <= names.LONGEST_TABLE


@given(st.from_regex(r"[a-z][a-z0-9]{0,9}(_[a-z0-9]{1,4}){0,3}", fullmatch=True))
def test_every_schema_and_pipeline_name_survives_dlt_unchanged(name: str) -> None:
    try:
        schema = names.raw_schema(name)
    except InvalidNameError:
        return
    naming = NamingConvention()
    assert naming.normalize_table_identifier(schema) == schema
    assert naming.normalize_table_identifier(names.STAGING_LAYOUT % schema) == names.STAGING_LAYOUT % schema


@pytest.mark.parametrize(
    "hostile", ["../acme", "acme/../../x", "Acme", "acme\n", "a__b", "", "con", "a" * 31, 'a"b', "main"]
)
def test_hostile_tenants_and_connections_never_reach_a_path_or_a_schema(hostile: str) -> None:
    for build in (names.raw_schema, names.view_schema):
        with pytest.raises(InvalidNameError):
            build(hostile)
    for path in (names.warehouse_file, names.published_file, names.spill_directory):
        with pytest.raises(InvalidNameError):
            path(Settings(home=Path("x")), hostile)


def test_a_connection_cannot_take_the_schema_of_anothers_raw_tables() -> None:
    with pytest.raises(InvalidNameError, match="kept for raw tables"):
        names.view_schema("raw_salesforce")


@given(st.text(min_size=1).filter(lambda text: "\x00" not in text))
def test_a_quoted_identifier_stays_one_identifier(text: str) -> None:
    quoted = names.quote(text)
    assert quoted[1:-1].replace('""', "") == text.replace('"', "")
    assert quoted[0] == quoted[-1] == '"'
