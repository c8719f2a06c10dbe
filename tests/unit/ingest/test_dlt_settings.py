"""dlt goes by our settings in each of its parts, whatever the environment of the process says."""

from __future__ import annotations

from typing import Any

import pytest
from dlt.common.configuration.resolve import resolve_configuration
from dlt.common.configuration.specs import RuntimeConfiguration
from dlt.common.data_writers.buffered import BufferedDataWriter
from dlt.common.destination.configuration import ParquetFormatConfiguration
from dlt.load.configuration import LoaderConfiguration
from dlt.normalize.configuration import ItemsNormalizerConfiguration, NormalizeConfiguration

from gtm_pipelines.ingest import dlt_settings

SECTIONS: dict[type[Any], tuple[str, ...]] = {
    RuntimeConfiguration: ("runtime",),
    LoaderConfiguration: ("load",),
    NormalizeConfiguration: ("normalize",),
    ItemsNormalizerConfiguration: ("normalize", "parquet_normalizer"),
    BufferedDataWriter.BufferedDataWriterConfiguration: ("normalize", "data_writer"),
    ParquetFormatConfiguration: ("normalize", "data_writer"),
}


def asked() -> dict[str, set[Any]]:
    """What each setting is in the parts of dlt that have one of its name."""
    dlt_settings.configure()
    found: dict[str, set[Any]] = {}
    for spec, sections in SECTIONS.items():
        known = resolve_configuration(spec(), sections=sections, accept_partial=True)
        plain = {name: getattr(known, name) for name in known.get_resolvable_fields()}
        for name, value in plain.items():
            if isinstance(value, str | float | int):
                found.setdefault(name, set()).add(value)
    return found


def test_every_setting_is_one_that_dlt_knows_and_takes() -> None:
    known = asked()
    assert {name: known.get(name) for name in dlt_settings._SETTINGS} == {
        name: {value} for name, value in dlt_settings._SETTINGS.items()
    }


def test_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    before = asked()
    for name in ("LOAD__WORKERS", "WORKERS", "RUNTIME__LOG_LEVEL", "LOAD__RAISE_ON_MAX_RETRIES"):
        monkeypatch.setenv(name, "7")
    assert asked() == before
