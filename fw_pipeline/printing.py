"""How the command line shows rows: as a table for eyes, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from math import isfinite
from typing import TYPE_CHECKING, Any

import click

from fw_pipeline.plain import visible

if TYPE_CHECKING:
    import polars as pl


def show(frame: pl.DataFrame, shape: str, *, title: str | None = None) -> None:
    """Print a frame as a table, as JSON records (`json`), or as CSV (`csv`).

    Names in the data come from outside: what a terminal would obey is shown as an escape. A CSV that goes into a file
    or a pipe is verbatim.
    """
    if shape == "json":
        click.echo(_as_json(frame.to_dicts()))
    elif shape == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(frame.columns)
        for row in frame.rows():
            writer.writerow([json.dumps(cell, default=str) if isinstance(cell, list | dict) else cell for cell in row])
        # not click.echo: in a pipe it takes out of the data what looks like a colour
        sys.stdout.write(visible(out.getvalue()) if sys.stdout.isatty() else out.getvalue())
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", header_style="bold")
        for name, kind in frame.schema.items():
            table.add_column(Text(visible(name)), justify="right" if kind.is_numeric() else "left", overflow="fold")
        for row in frame.rows():
            table.add_row(*(Text("" if cell is None else visible(_shown(cell))) for cell in row))
        Console(width=None if sys.stdout.isatty() else 240).print(table)


def _as_json(records: list[dict[str, Any]]) -> str:
    """Write JSON that every parser takes: a number that is none becomes its name, and so do control characters."""
    told = json.dumps(_finite(records), default=str, ensure_ascii=False, indent=1)
    return "".join(c if c.isprintable() or c == "\n" else json.dumps(c)[1:-1] for c in told)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _finite(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_finite(inner) for inner in value]
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _shown(cell: Any) -> str:
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)
