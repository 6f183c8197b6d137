"""The report: from the published tables to one page and its charts. Pure: it reads by one function and writes nothing."""

from __future__ import annotations

import json
from collections.abc import Callable

import polars as pl

from fw_pipeline.report import charts, events, page, render, verdicts
from fw_pipeline.report.figures import Figure, sql
from fw_pipeline.report.palette import solid

__all__ = ["build"]


def build(read: Callable[[str], pl.DataFrame]) -> dict[str, bytes]:
    """Return every file of the report by its name: `index.html` first, then the charts as pictures and data.

    Args:
        read: runs one SQL query on the published file and returns its rows.
    """
    figures = _figures(read)
    drawings = {figure.name: render.drawn(figure) for figure in figures}
    cards = verdicts.cards(read(sql("claims")), read(sql("verdicts")), read(sql("headlines")))
    files = {"index.html": page.page(cards, figures, drawings, render.bundle())}
    for figure in figures:
        picture = solid(render.framed(figure, drawings[figure.name]))
        files |= {
            f"charts/{figure.name}.svg": picture.encode(),
            f"charts/{figure.name}.png": render.png(picture),
            f"charts/{figure.name}.csv": figure.csv.encode(),
            f"charts/{figure.name}.sql": figure.sql.encode(),
            f"charts/{figure.name}.vl.json": solid(json.dumps(figure.full_spec(), indent=1)).encode(),
        }
    return files


def _figures(read: Callable[[str], pl.DataFrame]) -> list[Figure]:
    dated = read(sql("events"))
    found = []
    for name, chart in (("questions", charts.questions), ("downloads", charts.downloads)):
        rows = read(sql(name))
        marked = events.for_chart(dated, rows["framework"].unique().to_list(), rows["month"].min(), rows["month"].max())
        found.append(chart(rows, marked))
    found.append(charts.venues(read(sql("venues"))))
    return found
