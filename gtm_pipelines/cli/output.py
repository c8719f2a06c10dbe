"""How results are printed: tables for people, JSON for programs, progress on stderr so that it mixes with neither."""

from __future__ import annotations

import json
import sys
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of tables.", rich_help_panel="Output")]

_PIPE_WIDTH = 160
_ANY_WIDTH = 10_000


def console(*, stderr: bool = False) -> Console:
    """Return a console; one that writes into a pipe is wide and plain."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else _PIPE_WIDTH, highlight=False)


def emit(data: Any, *, as_json: bool, show: Callable[[Console], None]) -> None:
    """Print ``data`` as JSON, or let ``show`` draw it."""
    if as_json:
        from pydantic_core import to_jsonable_python

        sys.stdout.write(json.dumps(to_jsonable_python(data), indent=2, ensure_ascii=False) + "\n")
    else:
        show(console())


def table(columns: Sequence[str], rows: Sequence[Sequence[Any]], *, title: str | None = None) -> Table:
    """Build a table; columns whose name starts with ``#`` are numbers and stand to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    drawn = Table(title=title, box=SIMPLE_HEAD, title_justify="left", title_style="bold", pad_edge=False)
    for column in columns:
        number = column.startswith("#")
        drawn.add_column(column.lstrip("#"), justify="right" if number else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*(cell(value) for value in row))
    return drawn


def show_rows(out: Console, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Draw a query's rows as a table where the console is wide enough, else one below the other, a line per column."""
    drawn = table(columns, rows)
    if not rows:
        out.print(f"no rows; the columns are {', '.join(columns)}" if columns else "no rows", markup=False)
    elif out.measure(drawn, options=out.options.update(width=_ANY_WIDTH)).maximum <= out.width:
        out.print(drawn)
    else:
        for number, row in enumerate(rows, start=1):
            out.rule(f"row {number}", align="left", style="dim")
            grid = table(["column", "value"], list(zip(columns, row, strict=True)))
            grid.show_header, grid.box = False, None
            out.print(grid)


def cell(value: Any) -> str:
    """Return a value as a table shows it, with rich's markup switched off."""
    from rich.markup import escape

    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.2f}"
    if isinstance(value, datetime):
        return f"{value.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"
    return escape(str(value)) if not isinstance(value, list) else ", ".join(cell(each) for each in value)


def ago(moment: datetime | None, now: datetime) -> str:
    """Return how long ago ``moment`` was, or how far ahead it is, in words an operator reads at a glance."""
    if moment is None:
        return "never"
    seconds = (now - moment).total_seconds()
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if abs(seconds) >= size:
            return f"{seconds / size:.0f} {unit} ago" if seconds > 0 else f"in {-seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s ago" if seconds >= 0 else f"in {-seconds:.0f} s"


@contextmanager
def progress(what: str, *, quiet: bool = False) -> Iterator[Callable[[str], None]]:
    """Show on stderr that work goes on; yields what replaces the line. Silent in a pipe, or if ``quiet``."""
    if quiet or not sys.stderr.isatty():
        yield lambda _: None
        return
    with console(stderr=True).status(what) as status:
        yield status.update
