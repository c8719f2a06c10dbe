"""Writes the two reviewed files anew: ``python -m tests.graph.write``."""

from __future__ import annotations

import json
from pathlib import Path

from gtm_pipelines.defs.tables import COLUMNS_FILE
from tests.graph.columns import Columns, refined_columns

GRAPH_FILE = Path(__file__).with_name("asset_graph.txt")


def columns_text(columns: Columns) -> str:
    """Return the columns as JSON with one column per line, so that a change reads as one line."""
    tables = []
    for table, rows in columns.items():
        body = ",\n".join(f"  {json.dumps(row, ensure_ascii=False)}" for row in rows)
        tables.append(f"{json.dumps(table)}: [\n{body}\n]")
    return "{\n" + ",\n".join(tables) + "\n}\n"


def main() -> None:
    """Write the columns first: the definitions read them."""
    COLUMNS_FILE.write_text(columns_text(refined_columns()), encoding="utf-8")
    from gtm_pipelines.definitions import defs
    from tests.graph.graph import graph_text

    GRAPH_FILE.write_text(graph_text(defs), encoding="utf-8")


if __name__ == "__main__":
    main()
