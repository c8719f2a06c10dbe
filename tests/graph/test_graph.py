"""The asset graph and the columns of refined tables are reviewed files; definitions load light and alone."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from gtm_pipelines.defs.composition import compose
from gtm_pipelines.defs.tables import COLUMNS_FILE
from tests.graph.columns import refined_columns
from tests.graph.graph import graph_text
from tests.graph.write import GRAPH_FILE, columns_text

ROOT = Path(__file__).parents[2]
ANEW = "; if the change is meant, write it anew with `python -m tests.graph.write` and review the difference"

LOAD = """
import sys, time
def hook(event, args):
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        raise SystemExit(f"{event} while loading the definitions")
sys.addaudithook(hook)
from gtm_pipelines.definitions import defs
heavy = {"dlt", "duckdb", "httpx", "pandera", "polars", "pyarrow", "simple_salesforce"} & set(sys.modules)
vendors = [name for name in sys.modules if name.startswith("connectors.vendors.")]
print(time.process_time(), sorted(heavy), vendors, sep="|")
"""


def test_the_asset_graph_is_the_reviewed_one() -> None:
    assert graph_text(compose()) == GRAPH_FILE.read_text(), f"the asset graph differs from {GRAPH_FILE.name}" + ANEW


def test_the_columns_of_refined_tables_are_those_their_sources_say() -> None:
    said = columns_text(refined_columns())
    assert said == COLUMNS_FILE.read_text(), f"columns differ from {COLUMNS_FILE.name}" + ANEW


def test_definitions_load_under_three_seconds_without_network_secret_or_vendor_code(tmp_path: Path) -> None:
    """Seconds are CPU seconds of a fresh process, which the machine's other work does not lengthen."""
    environment = {"PATH": "/usr/bin:/bin", "PYTHONPATH": str(ROOT)}
    for _ in range(2):  # the first run compiles, as an installation does once
        done = subprocess.run(
            [sys.executable, "-c", LOAD], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr[-2000:] + done.stdout[-500:]
    seconds, heavy, vendors = done.stdout.strip().split("|")
    assert float(seconds) < 3.0
    assert (heavy, vendors) == ("[]", "[]")


def test_every_asset_says_what_it_is_and_whose() -> None:
    graph = compose().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.owners, key
        assert node.kinds, key
        assert "dagster/column_schema" in node.metadata, key


@pytest.mark.parametrize(("job", "mode"), [("incremental_sync", "incremental"), ("full_sync", "full")])
def test_the_mode_of_a_sync_job_is_its_tag(job: str, mode: str) -> None:
    assert compose().resolve_job_def(job).tags["sync/mode"] == mode


def test_full_sync_opens_with_its_form() -> None:
    """An operator who never saw the form finds its two fields in the launchpad."""
    job = compose().resolve_job_def("full_sync")
    assert isinstance(job.partitions_def, dg.DynamicPartitionsDefinition)
    assert job.partitions_def.name == "tenants"
    form: Any = job.run_config_schema.config_type
    for step in ("resources", "request", "config"):
        form = form.fields[step].config_type
    assert set(form.fields) == {"entities", "reason"}


def test_the_code_location_loads_as_the_ui_loads_it() -> None:
    """Names that clash between steps and jobs show only when everything is loaded."""
    compose().get_repository_def().load_all_definitions()
