"""``make bench``: both warehouses; every connector's full sync; Salesforce contacts to golden beside the plain way.

All figures come from one run on one machine, each piece in a process of its own; the server is another process, so that
CPU seconds are the reader's alone. Absolute figures move with the machine; the ratios are what to compare. With
``--only growth``, and only then: what Dagster's storage grows by.
"""

from __future__ import annotations

import argparse
import contextlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx

from gtm_pipelines import sandbox
from tests.benchmarks import growth, measure, sources, warehouses
from tests.benchmarks.work import TENANT

_SERVER = """
import sys
from pathlib import Path
from gtm_pipelines import sandbox
directory, size, vendors = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3:] or None
sandbox.create_world(directory, "bench", size=size, seed=7, vendors=vendors)
with sandbox.running(directory) as url:
    print(url, flush=True)
    sys.stdin.read()
"""


@contextlib.contextmanager
def served(directory: Path, people: int, *vendors: str) -> Iterator[str]:
    """Serve a world of ``people``, known to ``vendors`` or to all, from a process of its own."""
    command = [sys.executable, "-c", _SERVER, str(directory), str(people), *vendors]
    with subprocess.Popen(
        command, cwd=measure.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        try:
            # DuckDB may tell its progress first
            yield next(line.strip() for line in server.stdout if line.startswith("http"))
        finally:
            server.terminate()


def token_for(url: str) -> str:
    """Log in to the sandbox's Salesforce as the plain reader would."""
    credentials = sandbox.accounts(url, TENANT)["salesforce"].credentials
    form = {"grant_type": "refresh_token", **credentials}
    answer = httpx.post(f"{url}/{TENANT}/salesforce/services/oauth2/token", data=form)
    return str(answer.raise_for_status().json()["access_token"])


def every_source(scratch: Path, people: int) -> list[str]:
    """Measure the first full sync of every connector; return the table's lines."""
    worlds = scratch / "every" / "worlds"
    lines = []
    with served(worlds, people) as url:
        sources.lift_limits(url)
        for name in sources.names(url):
            home = str(scratch / "every" / name)
            cost = measure.run(
                "tests.benchmarks.sources:full_sync", connector=name, home=home, worlds=str(worlds), url=url
            )
            told = cost.result
            lines.append(
                f"| {name} | {told['rows']:,} | {told['requests']:,} | {told['seconds']:.1f} | {told['cpu']:.1f} "
                f"| {told['rows'] / told['seconds']:,.0f} | {told['rows'] / told['cpu']:,.0f} | {cost.peak_mb:,.0f} "
                f"| {told['status']} |"
            )
            lines += [f"  {name}: {fault}" for fault in told["faults"]]
    return lines


def row(name: str, rows: int, cost: measure.Cost) -> str:
    """One line of the table."""
    return (
        f"| {name} | {rows:,} | {cost.wall:.1f} | {cost.cpu:.1f} | {rows / cost.wall:,.0f} | {rows / cost.cpu:,.0f} | "
        f"{cost.peak_mb:,.0f} |"
    )


def main() -> int:
    """Measure and print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--people", type=int, default=275_000, help="people in the world; three in four are contacts")
    parser.add_argument("--slow", action="store_true", help="also run dlt's default loader file, which takes minutes")
    parser.add_argument("--source-people", type=int, default=8_000, help="people in the world every connector reads")
    parser.add_argument("--warehouse-people", type=int, default=50_000, help="people whom both warehouses hold")
    parser.add_argument("--only", choices=["contacts", "sources", "warehouses", "growth"], help="one table")
    parser.add_argument("--runs", type=int, default=3, help="growth: runs of each kind that are measured")
    asked = parser.parse_args()
    if asked.only == "growth":
        with tempfile.TemporaryDirectory(prefix="gtm-bench-") as scratch:
            print("\n".join(growth.table(Path(scratch), asked.runs, tenants=4)))
        return 0
    if asked.only in {None, "warehouses"}:
        with (
            tempfile.TemporaryDirectory(prefix="gtm-bench-") as scratch,
            served(Path(scratch) / "worlds", asked.warehouse_people, "salesforce") as url,
        ):
            print("\n".join(warehouses.table(Path(scratch), url)) + "\n")
    if asked.only in {None, "sources"}:
        with tempfile.TemporaryDirectory(prefix="gtm-bench-") as scratch:
            print(f"first full sync of every connector, {asked.source_people:,} people in the world\n")
            print(
                "| connector | records | requests | wall s | CPU s | records/s | records/s per core | peak MB | ended |"
            )
            print("|---|---:|---:|---:|---:|---:|---:|---:|---|")
            print("\n".join(every_source(Path(scratch), asked.source_people)) + "\n")
    if asked.only in {None, "contacts"}:
        contacts_beside_the_plain_way(asked)
    return 0


def contacts_beside_the_plain_way(asked: argparse.Namespace) -> None:
    """Measure landing and refinement of contacts, and the plain reading beside them."""
    with (
        tempfile.TemporaryDirectory(prefix="gtm-bench-") as scratch,
        served(Path(scratch) / "worlds", asked.people, "salesforce") as url,
    ):
        home = f"{scratch}/home"
        measure.run("tests.benchmarks.work:connect", home=home, url=url)
        ours = measure.run("tests.benchmarks.work:land", home=home, url=url, entities=["Contact"])
        idle = measure.run("tests.benchmarks.work:idle", home=home, url=url, entities=["Contact"])
        others = measure.run("tests.benchmarks.work:land", home=home, url=url, entities=["Account"])
        golden = measure.run("tests.benchmarks.work:refresh", home=home, url=url)
        httpx.post(f"{url}/{TENANT}/_advance", timeout=60).raise_for_status()
        changed = measure.run("tests.benchmarks.work:land", home=home, url=url, entities=["Contact", "Account"])
        again = measure.run("tests.benchmarks.work:refresh", home=home, url=url)
        plain = {}
        for file_format in ["parquet", *(["insert_values"] if asked.slow else [])]:
            directory = Path(scratch) / file_format
            directory.mkdir()
            plain[file_format] = measure.run(
                "tests.benchmarks.plain:run",
                instance_url=f"{url}/{TENANT}/salesforce",
                token=token_for(url),
                directory=str(directory),
                file_format=file_format,
            )
    contacts, accounts = ours.result["rows"], others.result["rows"]
    print("| work | records | wall s | CPU s | records/s | records/s per core | peak MB |")
    print("|---|---:|---:|---:|---:|---:|---:|")
    print(row("landing contacts, ours", contacts, ours))
    for file_format, cost in plain.items():
        print(row(f"landing contacts, dlt rest_api ({file_format})", cost.result["rows"], cost))
    print(row("raw → golden and marts", contacts + accounts, golden))
    print(
        f"\nafter a day at the vendor: {changed.result['changed']:,} records changed, synced in {changed.wall:.1f} s, "
        f"refreshed in {again.wall:.1f} s {again.result['seconds']}; the first refresh took {golden.result['seconds']}"
    )
    print(f"idle sync: {idle.result['cpu'] * 1000:.0f} ms CPU, its {idle.result['requests']} requests included")
    for file_format, cost in plain.items():
        print(
            f"ours against rest_api ({file_format}): {cost.wall / ours.wall:.1f} times the speed, "
            f"{cost.cpu / ours.cpu:.1f} times less CPU, {cost.peak_mb / ours.peak_mb:.1f} times less memory"
        )
    print(f"golden: {golden.result['counts']}")


if __name__ == "__main__":
    sys.exit(main())
