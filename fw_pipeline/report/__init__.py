"""The report: from the published tables to one page and its charts.

Pure: it reads through the function that it is given, and returns the files to write.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

import polars as pl

from fw_pipeline.months import FIRST_MONTH, Window
from fw_pipeline.report import answer, claim_cards, page, page_tables, render
from fw_pipeline.report.charts import (
    claim_charts,
    ecosystem_charts,
    forecast_charts,
    hub_charts,
    lead_chart,
    momentum_charts,
    source_charts,
)
from fw_pipeline.report.figure import TITLES, Event, Figure, events_within, solid, sql, sql_of_claim

if TYPE_CHECKING:
    from fw_pipeline.transform import Model  # reading models takes longer than most answers

__all__ = ["Picture", "Report", "build"]

Read = Callable[[str], pl.DataFrame]

_UNDRAWABLE = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{202a}-\x{202e}\x{2066}-\x{2069}\x{fffe}\x{ffff}]"
"""Control characters, and those that change the direction of text."""

FINE, PLAIN = 1.5, 1.0
"""Scales of the bitmaps for a chart of the sources and for a claim; claims are many, and large bitmaps take time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A chart, to be shown with the tables that it is drawn from."""

    title: str
    summary: str
    """What the figures show, in words."""
    svg: str
    shows: tuple[str, ...]
    """Names of the tables."""


@dataclass(frozen=True, slots=True)
class Report:
    """The page and everything that belongs to it."""

    files: Mapping[str, bytes]
    """By name: `index.html` first, then the charts as pictures, data, SQL and pages to embed."""
    pictures: tuple[Picture, ...]


def build(read: Read, models: Sequence[Model], keep: render.Keep = render.anew) -> Report:
    """Return the page, and every chart as picture, data and SQL.

    Args:
        read: runs one SQL query on the published file and returns its rows.
        models: the SQL models, to say how each claim was measured.
        keep: keeps pictures from one report to the next, so that only those that changed are drawn.
    """
    read = _drawable(read)
    published, dated = read(page_tables.ORIGINS), read(sql("events"))
    figures = _figures(read, dated, published)
    every_verdict = read(sql("verdicts"))
    headlines = read(sql("headlines"))
    cards = claim_cards.cards(read(sql("claims")), every_verdict, headlines)
    of_claims = _claim_figures(cards, every_verdict, dated, models)
    beyond = _beyond(read, dated, published)
    scales = [(figure, FINE) for figure in (*figures, *beyond)]
    scales += [(figure, PLAIN) for figure in of_claims.values() if figure is not None]
    drawings = {figure.name: render.drawn(figure, keep=keep) for figure, _ in scales}
    narrow = {figure.name: render.drawn(figure, render.NARROW, keep) for figure in figures}
    content = page.Content(
        answer=answer.answer(read),
        figures=figures,
        cards=cards,
        claim_figures=of_claims,
        beyond=page.Beyond(
            beyond,
            weights=momentum_charts.weights(read(sql("weights"))),
            predictions=forecast_charts.predictions(read(sql("predictions"))),
            errors=forecast_charts.errors(read(sql("forecast_errors"))),
        ),
        method=_method(read, published, every_verdict),
        measures={model.doc.claim.id: model.sql for model in models if model.doc.claim},
        pictures=drawings,
        narrow=narrow,
        months=_months(headlines),
    )
    files = {"index.html": page.page(content, render.bundle(keep))}
    pictures = []
    for figure, scale in scales:
        drawing = drawings[figure.name]
        picture = Picture(figure.title, figure.summary, solid(render.framed(figure, drawing)), figure.shows)
        files.update(_chart_files(figure, picture.svg, render.png(picture.svg, scale=scale, keep=keep)))
        files[f"embed/{figure.name}.html"] = page.embedded(figure, drawing, narrow.get(figure.name))
        pictures.append(picture)
    return Report(files, tuple(pictures))


def _method(read: Read, published: pl.DataFrame, every_verdict: pl.DataFrame) -> page.Method:
    used: dict[str, set[str]] = {}
    for frame in (every_verdict, read(sql("series"))):
        for source, series in frame.select("source", "series").drop_nulls().unique().iter_rows():
            used.setdefault(source, set()).add(series)
    return page.Method(
        sources=page_tables.sources(read(sql("sources"))),
        troubles=page_tables.troubles(read(sql("troubles"))),
        glossary=page_tables.glossary(used),
        crossings=page_tables.crossings(read(sql("crossovers"))),
        reconciled=page_tables.reconciled(read(sql("reconciliation"))),
        strips=page_tables.coverage(read(sql("coverage"))),
        origins=page_tables.credited(published),
    )


def _drawable(read: Read) -> Read:
    """Return `read` with characters that SVG cannot contain replaced: one in a name would abort the process."""

    def rows(query: str) -> pl.DataFrame:
        texts = pl.col(pl.String).str.replace_all(_UNDRAWABLE, "\ufffd")
        lists = pl.col(pl.List(pl.String)).list.eval(pl.element().str.replace_all(_UNDRAWABLE, "\ufffd"))
        return read(query).with_columns(texts, lists)

    return rows


def _figures(read: Read, dated: pl.DataFrame, published: pl.DataFrame) -> list[Figure]:
    """Return the first chart and those of the findings, in page order; a chart without figures is omitted."""
    lines, questions, downloads = read(sql("lead")), read(sql("questions")), read(sql("downloads"))
    at_venues, site = read(sql("venues")), read(sql("site"))
    found = answer.leads(lines, read(sql("crossovers")))
    of_pypi = page_tables.credit_line(published, "pypi")
    whole = published.filter(~pl.col("origin").fill_null("").str.contains("sample"))
    drawn = (
        lead_chart.first_chart(lines, found, page_tables.credit_line(whole, "stackoverflow", "papers", "pypi")),
        source_charts.downloads(downloads, found.get("pypi"), _events(dated, downloads), of_pypi),
        source_charts.questions(
            questions, site, _events(dated, questions), page_tables.credit_line(published, "stackoverflow")
        ),
        ecosystem_charts.venues(
            at_venues, found.get("papers"), _events(dated, at_venues), page_tables.credit_line(published, "papers")
        ),
        hub_charts.models(read(sql("models")), page_tables.credit_line(published, "huggingface")),
        ecosystem_charts.packages(read(sql("packages")), of_pypi),
        forecast_charts.finding(read(sql("foretold")), of_pypi),
    )
    return [figure for figure in drawn if figure.rows.height]


def _beyond(read: Read, dated: pl.DataFrame, published: pl.DataFrame) -> list[Figure]:
    """Return the charts that go beyond the article; a chart without figures is omitted."""
    both = page_tables.credit_line(published, "stackoverflow", "pypi")
    all_three = page_tables.credit_line(published, "stackoverflow", "papers", "pypi")
    momentum, composite = read(sql("momentum")), read(sql("composite"))
    drawn = (
        forecast_charts.forecasts(read(sql("forecasts")), both),
        hub_charts.exclusivity(read(sql("exclusivity")), page_tables.credit_line(published, "huggingface")),
        momentum_charts.momentum(momentum, _events(dated, momentum), both),
        momentum_charts.composite(composite, _events(dated, composite), all_three),
    )
    return [figure for figure in drawn if figure.rows.height]


def _events(dated: pl.DataFrame, rows: pl.DataFrame) -> Sequence[Event]:
    first, last = rows["month"].min(), rows["month"].max()
    assert first is None or isinstance(first, date)
    assert last is None or isinstance(last, date)
    return events_within(dated, _frameworks(rows), first, last)


def _frameworks(rows: pl.DataFrame) -> Sequence[str]:
    return rows["framework"].unique().to_list() if "framework" in rows.columns else ("pytorch", "tensorflow")


def _claim_figures(
    cards: Sequence[claim_cards.Card], every_verdict: pl.DataFrame, dated: pl.DataFrame, models: Sequence[Model]
) -> dict[str, Figure | None]:
    marked = events_within(dated, list(TITLES), FIRST_MONTH, date.max)
    templates = claim_charts.templates(marked)
    found = {}
    for card in cards:
        rows = every_verdict.filter(pl.col("claim") == card.claim)
        figure = claim_charts.claim_chart(card, rows, sql_of_claim(card.claim), templates, marked)
        shows = tuple(model.name for model in models if model.doc.claim and model.doc.claim.id == card.claim)
        found[card.claim] = figure and replace(figure, shows=shows)
    return found


def _chart_files(figure: Figure, picture: str, bitmap: bytes) -> Iterator[tuple[str, bytes]]:
    stem = f"charts/{figure.name}"
    yield f"{stem}.svg", picture.encode()
    yield f"{stem}.png", bitmap
    yield f"{stem}.csv", figure.csv.encode()
    yield f"{stem}.sql", figure.sql.encode()
    yield f"{stem}.vl.json", solid(json.dumps(figure.full_spec(), indent=1)).encode()


def _months(headlines: pl.DataFrame) -> tuple[date, ...]:
    last = headlines["as_of"].max()
    return Window.of(FIRST_MONTH, max(last, claim_cards.THEN) if isinstance(last, date) else claim_cards.THEN).months()
