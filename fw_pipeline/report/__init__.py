"""The report: from the published tables to one page and its charts.

Pure: it reads by the function that it is given, and returns what is to be written.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import date

import polars as pl

from fw_pipeline.contract import FIRST_MONTH, Window
from fw_pipeline.report import charts, claim_charts, events, origins, overview, page, render, tables, venues, verdicts
from fw_pipeline.report.figures import Event, Figure, sql, sql_of_claim
from fw_pipeline.report.palette import solid

__all__ = ["build"]

Read = Callable[[str], pl.DataFrame]


def build(read: Read) -> dict[str, bytes]:
    """Return every file of the report by its name: `index.html` first, then the charts as pictures, data and SQL.

    Args:
        read: runs one SQL query on the published file and returns its rows.
    """
    published = read(sql("origins"))
    figures = _figures(read, published)
    every_verdict = read(sql("verdicts"))
    headlines = read(sql("headlines"))
    cards = verdicts.cards(read(sql("claims")), every_verdict, headlines, read(sql("standings")))
    of_claims = _claim_figures(cards, every_verdict)
    drawings = {figure.name: render.drawn(figure) for figure in figures}
    content = page.Content(
        cards=cards,
        figures=figures,
        pictures=drawings,
        claim_figures=of_claims,
        crossings=tables.crossings(read(sql("crossovers"))),
        reconciled=tables.reconciled(read(sql("reconciliation"))),
        strips=tables.coverage(read(sql("coverage"))),
        origins=origins.credited(published),
        months=_months(headlines),
    )
    files = {"index.html": page.page(content, render.bundle())}
    for figure in [*figures, *(each for each in of_claims.values() if each is not None)]:
        files.update(_chart_files(figure, drawings.get(figure.name)))
    return files


def _figures(read: Read, published: pl.DataFrame) -> list[Figure]:
    """Return the charts of the sources, in the order of the page; one without any figure is left out."""
    dated = read(sql("events"))
    questions, downloads = read(sql("questions")), read(sql("downloads"))
    drawn = (
        charts.questions(questions, _events(dated, questions), origins.credit_line(published, "stackoverflow")),
        overview.ratios(read(sql("ratios")), origins.credit_line(published, "stackoverflow", "papers", "pypi")),
        charts.downloads(downloads, _events(dated, downloads), origins.credit_line(published, "pypi")),
        venues.venues(read(sql("venues")), origins.credit_line(published, "papers")),
        overview.exclusivity(read(sql("exclusivity")), origins.credit_line(published, "huggingface")),
    )
    return [figure for figure in drawn if figure.rows.height]


def _events(dated: pl.DataFrame, rows: pl.DataFrame) -> Sequence[Event]:
    first, last = rows["month"].min(), rows["month"].max()
    assert first is None or isinstance(first, date)
    assert last is None or isinstance(last, date)
    return events.for_chart(dated, rows["framework"].unique().to_list(), first, last)


def _claim_figures(cards: Sequence[verdicts.Card], every_verdict: pl.DataFrame) -> dict[str, Figure | None]:
    templates = claim_charts.templates()
    return {
        card.claim: claim_charts.claim_chart(
            card, every_verdict.filter(pl.col("claim") == card.claim), sql_of_claim(card.claim), templates
        )
        for card in cards
    }


def _chart_files(figure: Figure, drawing: str | None) -> Iterator[tuple[str, bytes]]:
    """Yield the files of one chart. Those of a claim have no bitmap: there are many, and a bitmap takes the longest."""
    stem = f"charts/{figure.name}"
    picture = solid(render.framed(figure, drawing or render.drawn(figure)))
    yield f"{stem}.svg", picture.encode()
    if drawing is not None:
        yield f"{stem}.png", render.png(picture)
    yield f"{stem}.csv", figure.csv.encode()
    yield f"{stem}.sql", figure.sql.encode()
    yield f"{stem}.vl.json", solid(json.dumps(figure.full_spec(), indent=1)).encode()


def _months(headlines: pl.DataFrame) -> tuple[date, ...]:
    last = headlines["as_of"].max()
    return Window.of(FIRST_MONTH, max(last, verdicts.THEN) if isinstance(last, date) else verdicts.THEN).months()
