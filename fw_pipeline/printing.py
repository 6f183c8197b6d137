"""How the command line shows rows: as a table for eyes, as JSON or CSV for programs."""

from __future__ import annotations

import csv
import io
import json
import sys
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    import polars as pl


def show(frame: pl.DataFrame, shape: str, *, title: str | None = None) -> None:
    """Print a frame as a table, as JSON records (`json`), or as CSV (`csv`)."""
    if shape == "json":
        click.echo(json.dumps(frame.to_dicts(), default=str, ensure_ascii=False, indent=1))
    elif shape == "csv":
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(frame.columns)
        for row in frame.rows():
            writer.writerow([json.dumps(cell, default=str) if isinstance(cell, list | dict) else cell for cell in row])
        click.echo(out.getvalue(), nl=False)
    else:
        from rich.console import Console
        from rich.table import Table
        from rich.text import Text

        table = Table(title=title, title_justify="left", header_style="bold")
        for name, kind in frame.schema.items():
            table.add_column(name, justify="right" if kind.is_numeric() else "left", overflow="fold")
        for row in frame.rows():
            table.add_row(*(Text("" if cell is None else _shown(cell)) for cell in row))
        Console(width=None if sys.stdout.isatty() else 240).print(table)


def _shown(cell: Any) -> str:
    return f"{cell:,.4g}" if isinstance(cell, float) else str(cell)
