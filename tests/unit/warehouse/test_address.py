"""Reading GTM_WAREHOUSE_URL: what the drivers are given, and what a broken one is told."""

from __future__ import annotations

import pytest
from psycopg2.extensions import parse_dsn

from connectors.runtime.redaction import redact
from gtm_pipelines.warehouse import WarehouseError
from gtm_pipelines.warehouse.postgres.address import parse

FULL = "postgresql://gtm:p%40ss%2Fword@db.example.com:6432/ware?sslmode=verify-full&connect_timeout=3"


def test_what_libpq_reads_from_our_address_is_what_it_read_from_the_users() -> None:
    given, made = parse_dsn(FULL), parse_dsn(parse(FULL).uri)
    assert made.items() >= given.items()
    assert (made["connect_timeout"], made["keepalives_idle"]) == ("3", "30")


def test_dlt_begins_under_the_role_and_is_given_the_host_it_wants_on_a_socket() -> None:
    given = parse("postgresql://gtm@/ware?host=/run/pg&options=-cwork_mem%3D1MB")
    made = parse_dsn(given.for_dlt("acme__writer_1", 30))
    assert made["options"].startswith("-cwork_mem=1MB -crole=acme__writer_1 -clock_timeout=30s -cstatement_timeout=0 ")
    assert "-ctcp_keepalives_idle=60" in made["options"].split()
    assert (made["host"], made["dbname"]) == ("/run/pg", "ware")


@pytest.mark.parametrize(
    "broken",
    [
        "mysql://gtm:hush-hush@db/ware",
        "postgresql://gtm:hush-hush@db",
        "postgresql://gtm:hush@hush@db/ware",
        "postgresql://gtm:hush-hush@db:port:1/ware?x",
    ],
)
def test_a_broken_address_is_told_the_right_form_and_not_repeated(broken: str) -> None:
    with pytest.raises(WarehouseError, match="percent-encoded") as caught:
        parse(broken)
    assert "hush" not in str(caught.value)


def test_the_password_is_a_secret_from_then_on() -> None:
    parse(FULL)
    assert "p@ss/word" not in redact("could not log in with p@ss/word")
    assert "word" not in repr(parse(FULL))
