"""A small published warehouse for the tests of the report: three claims, a gap, an interpolated month, hostile text."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

import duckdb
import polars as pl

from fw_pipeline import report
from fw_pipeline.months import next_month
from fw_pipeline_tests.support.relations import DDL, empty_warehouse, insert, models

Read = Callable[[str], pl.DataFrame]

HOSTILE = "</script><script>window.taken=1</script><img src=x onerror=window.taken=1> & \"quoted\", 'single'"
"""Text from a source that would run, if it were not escaped."""

ENDLESS = HOSTILE + "\N{COLLISION SYMBOL}[x](y)*_`|" + "Wide" * 2500
"""The same, ten thousand characters long and without a place to break."""

RELATIONS = (
    "meta.claims",
    "meta.composite_weights",
    "meta.coverage",
    "meta.definitions",
    "meta.events",
    "meta.headline_series",
    "meta.outages",
    "meta.published_figures",
    "meta.sources",
    "marts.composite",
    "marts.crossovers",
    "marts.deployment",
    "marts.ecosystem_downloads",
    "marts.forecast_errors",
    "marts.forecast_series",
    "marts.forecasts",
    "marts.framework_metrics",
    "marts.headline_verdicts",
    "marts.huggingface_exclusivity",
    "marts.momentum",
    "marts.predictions",
    "marts.pytorch_vs_tensorflow",
    "marts.reconciliation",
    "marts.research_adoption",
    "marts.verdicts",
    "staging.papers",
)

_COPIES = itertools.count()

GAP, INTERPOLATED = date(2022, 4, 1), date(2022, 9, 1)

BREAK = date(2022, 11, 1)
"""From this month on questions are counted in another way."""


def months(first: date, count: int) -> Iterator[date]:
    month = first
    for _ in range(count):
        yield month
        month = next_month(month)


def empty() -> duckdb.DuckDBPyConnection:
    """Return a warehouse with every relation that the report reads, and not a row in it."""
    raw = [name for name in DDL if name.startswith("raw.") and not name.endswith("_vintages")]
    return empty_warehouse((*RELATIONS, *raw), models())


def small() -> duckdb.DuckDBPyConnection:
    """Return a warehouse with a year and a half of figures and three claims, for a test to change.

    It is a copy, in a database of its own, of the one that is filled once.
    """
    made, name = _small(), f"copy_{next(_COPIES)}"
    made.execute(f"attach ':memory:' as {name}")
    made.execute(f"copy from database memory to {name}")
    copy = made.cursor()
    copy.execute(f"use {name}; set timezone = 'UTC'")
    return copy


@functools.cache
def _small() -> duckdb.DuckDBPyConnection:
    connection = empty()
    _questions(connection)
    _downloads(connection)
    _papers(connection)
    _models(connection)
    _pairs(connection)
    _claims(connection)
    _beyond(connection)
    _rest(connection)
    return connection


def reader(connection: duckdb.DuckDBPyConnection) -> Read:
    return lambda sql: pl.DataFrame(connection.sql(sql).pl())


def report_of(connection: duckdb.DuckDBPyConnection) -> report.Report:
    return report.build(reader(connection), models())


def with_endless_names() -> duckdb.DuckDBPyConnection:
    """Return the small warehouse, with names and sentences that are hostile and ten thousand characters long."""
    connection = small()
    named = {
        "meta.claims": ("title", "quote", "reason"),
        "meta.coverage": ("reason",),
        "meta.definitions": ("formula", "meaning", "unit"),
        "meta.events": ("event", "reference"),
        "marts.crossovers": ("series", "metric"),
        "marts.headline_verdicts": ("why",),
        "marts.huggingface_exclusivity": ("series",),
        "marts.reconciliation": ("metric", "reason", "citation", "definition"),
        "marts.verdicts": ("definition", "formula", "series", "why", "sentence", "takes"),
        "raw.stackoverflow": ("origin",),
        "marts.framework_metrics": ("series", "gap_reason"),
    }
    for relation, columns in named.items():
        longer = ", ".join(f"{column} = {column} || $endless" for column in columns)
        connection.execute(f"update {relation} set {longer}", {"endless": ENDLESS})
    return connection


def _questions(connection: duckdb.DuckDBPyConnection) -> None:
    for place, month in enumerate(months(date(2022, 1, 1), 17)):
        for tag, questions in (("tensorflow", 900 - 20 * place), ("pytorch", 500), ("keras", 300)):
            lost = month == GAP and tag == "tensorflow"
            cells: dict[str, Any] = {
                "source": "stackoverflow",
                "metric": "questions",
                "segment": int(month >= BREAK),
                "value": None if lost else questions,
                "denominator": 100_000,
                "share": None if lost else questions / 100_000,
                "is_estimated": month == INTERPOLATED,
                "is_share_estimated": month == INTERPOLATED,
                "gap_reason": HOSTILE if lost else None,
            }
            insert(connection, "marts.framework_metrics", [_metric(month, tag, "recorded", **cells)])
    outage = {"source": "stackoverflow", "kind": "break", "series": "recorded", "first_day": BREAK, "last_day": BREAK}
    insert(connection, "meta.outages", [{**outage, "effect": HOSTILE, "bias": "later is higher"}])
    insert(
        connection,
        "raw.stackoverflow",
        [{"month": date(2022, 1, 1), "tagged": "keras", "questions": 300, "origin": "nschloe/stackoverflow-trends"}],
    )


def _metric(month: date, framework: str, series: str, **cells: Any) -> dict[str, Any]:
    return {"month": month, "framework": framework, "series": series, "is_partial": False} | {
        "segment": 0,
        "before_release": False,
        **cells,
    }


def _downloads(connection: duckdb.DuckDBPyConnection) -> None:
    for place, month in enumerate(months(date(2022, 1, 1), 17)):
        for series in ("A, all", "B, pip"):
            for framework, value in (("tensorflow", 500_000.0), ("pytorch", 100_000.0 * (place + 1)), ("jax", 9e4)):
                for metric in ("downloads_per_day", "family_downloads_per_day"):
                    cells = {"source": "pypi", "metric": metric, "value": value}
                    insert(connection, "marts.framework_metrics", [_metric(month, framework, series, **cells)])


def _papers(connection: duckdb.DuckDBPyConnection) -> None:
    for year, pytorch, tensorflow in ((2020, 60, 40), (2021, 150, 50)):
        month = date(year, 6, 1)
        for has_pytorch, has_tensorflow, is_total, papers in (
            (True, False, False, pytorch),
            (False, True, False, tensorflow),
            (None, None, True, 1000),
        ):
            row = {"month": month, "series": "nine venues", "venue": "CVPR", "has_pytorch": has_pytorch}
            row |= {"has_tensorflow": has_tensorflow, "is_total": is_total, "papers": papers}
            insert(connection, "staging.papers", [row])
        adopted = {"series": "nine venues", "period": "year", "starts": date(year, 1, 1), "metric": "papers"}
        adopted |= {"scope": "all", "pytorch": pytorch, "tensorflow": tensorflow, "is_sample": False}
        sampled = {**adopted, "series": "a sample", "pytorch": 50 * pytorch, "is_sample": True}
        insert(connection, "marts.research_adoption", [adopted, sampled])


def _pairs(connection: duckdb.DuckDBPyConnection) -> None:
    """Quote the series of the small warehouse in `marts.pytorch_vs_tensorflow`, as its model does."""
    connection.execute("update marts.framework_metrics set is_headline = series in ('recorded', 'A, all')")
    connection.execute(
        """
        insert into marts.pytorch_vs_tensorflow by name
        select month, source, metric, series, max(segment) as segment,
            max(value) filter (where framework = 'pytorch') as pytorch,
            max(value) filter (where framework = 'tensorflow') as tensorflow,
            pytorch / tensorflow as ratio,
            max(gap_reason) as note
        from marts.framework_metrics
        where is_headline and metric in ('questions', 'downloads_per_day')
        group by month, source, metric, series
        """
    )
    for month, pytorch, tensorflow in ((date(2020, 6, 1), 60, 40), (date(2021, 6, 1), 150, 50)):
        row = {"month": month, "source": "papers", "metric": "papers", "series": "nine venues", "segment": 0}
        pair = {"pytorch": pytorch, "tensorflow": tensorflow, "ratio": pytorch / tensorflow}
        insert(connection, "marts.pytorch_vs_tensorflow", [{**row, **pair}])
    hub = {
        "month": date(2022, 4, 1),
        "source": "huggingface",
        "metric": "models",
        "series": "hub, by tag",
        "segment": 0,
    }
    insert(connection, "marts.pytorch_vs_tensorflow", [{**hub, "pytorch": 1200.0, "tensorflow": 100.0, "ratio": 12.0}])
    preferred: dict[str, Any] = {"source": "pypi", "rank": 1, "metric": "downloads_per_day"}
    preferred |= {"definition": "downloads per day of the package, A, all"}
    insert(connection, "meta.headline_series", [preferred])
    companions: dict[str, Any] = {
        "formula": "downloads of companion packages",
        "series": "A, all",
        "as_of": date(2023, 5, 1),
    }
    insert(
        connection, "marts.ecosystem_downloads", [{**companions, "pytorch": 30.0, "tensorflow": 10.0, "packages": 4}]
    )
    deployment: dict[str, Any] = {
        "source": "pypi",
        "measure": "downloads of serving and edge packages",
        "series": "A, all",
    }
    deployment |= {"month": date(2023, 5, 1), "pytorch": 10.0, "tensorflow": 40.0, "has_both_sides": True}
    insert(connection, "marts.deployment", [deployment])


def _models(connection: duckdb.DuckDBPyConnection) -> None:
    for denominator in ("all models", "pytorch or tensorflow"):
        for safetensors in (False, True):
            row: dict[str, Any] = {
                "series": "a sample",
                "is_sample": True,
                "scope": "all that were seen",
                "month": date(2025, 3, 1),
                "denominator": denominator,
                "safetensors_is_pytorch": safetensors,
                "jax_counts": False,
                "models": 100,
                "pytorch_only_share": 0.7,
                "in_both_share": 0.2,
                "tensorflow_only_share": 0.1,
                "in_neither_share": 0.0,
            }
            insert(connection, "marts.huggingface_exclusivity", [row])
    for metric, value in (("huggingface models pytorch only", 0.85), ("huggingface models tensorflow only", 0.08)):
        insert(connection, "meta.published_figures", [{"metric": metric, "as_of": "2021-12", "value": value}])


def _claims(connection: duckdb.DuckDBPyConnection) -> None:
    claims: list[dict[str, Any]] = [
        {"claim": "C10", "title": "Twice the effort", "quote": HOSTILE, "kind": "not_measurable", "reason": HOSTILE},
        {"claim": "C2", "title": "Twice the questions", "quote": "almost twice as many", "kind": "measured"},
        {"claim": "C3", "title": "No growth", "quote": "not been growing", "kind": "measured"},
    ]
    insert(connection, "meta.claims", claims)
    definition: dict[str, Any] = {"meaning": "What it says.", "unit": "times", "rule": "at least", "threshold": 1.5}
    for claim, formula, headline in (("C2", "a month", True), ("C2", "a year", False), ("C3", "slope", True)):
        row = {"claim": claim, "formula": formula, "least_n": 200, "headline": headline, **definition}
        insert(connection, "meta.definitions", [row])
    for place, month in enumerate(months(date(2022, 7, 1), 11)):
        value = 2.0 - place / 10
        for formula, found in (("a month", value), ("a year", 1.9)):
            insert(connection, "marts.verdicts", [_verdict("C2", formula, month, found)])
        insert(connection, "marts.headline_verdicts", [_headline("C2", month, _decided(value))])
    insert(connection, "marts.verdicts", [_verdict("C3", "slope", date(2023, 3, 1), 1.6)])
    insert(connection, "marts.headline_verdicts", [_headline("C3", date(2023, 3, 1), "supported")])
    insert(connection, "marts.headline_verdicts", [_headline("C3", date(2023, 5, 1), "supported")])
    not_measurable = {"claim": "C10", "verdict": "not_measurable", "why": "no source", "headline": True}
    insert(connection, "marts.verdicts", [{"definition": "not measurable", **not_measurable}])
    insert(connection, "marts.headline_verdicts", [_headline("C10", date(2023, 5, 1), "not_measurable")])


def _headline(claim: str, month: date, verdict: str, **cells: Any) -> dict[str, Any]:
    """Return a row of `marts.headline_verdicts`; one that decides does so by Stack Overflow."""
    votes = {"supported": "sources_for", "refuted": "sources_against"}
    decided = {votes[verdict]: ["stackoverflow"], "measured": month} if verdict in votes else {}
    return {"claim": claim, "as_of": month, "verdict": verdict, "why": f"It is {verdict}.", **decided, **cells}


def grow_old(connection: duckdb.DuckDBPyConnection, claim: str, definition: str) -> None:
    """Add a month in which the last figure of a claim is too old to decide."""
    carried = {"carried_verdict": "refuted", "carried_measured": date(2023, 5, 1)}
    why = {"why": "No verdict: the last figure is old.", "definitions_undecided": [definition]}
    row = _headline(claim, date(2027, 1, 1), "insufficient_data", **carried, **why)
    insert(connection, "marts.headline_verdicts", [row])


def look_ahead(connection: duckdb.DuckDBPyConnection) -> None:
    """Make C3 a claim with a prediction, which had not come true in January 2023 and has since."""
    due = {"claim": "C3", "formula": "size", "headline": True, "due": date(2028, 1, 1), "meaning": "What it says."}
    insert(connection, "meta.definitions", [due])
    for month, verdict in ((date(2023, 1, 1), "not_yet"), (date(2023, 5, 1), "came_true")):
        row = {**_verdict("C3", "size", month, 1.6), "verdict": verdict, "due": date(2028, 1, 1)}
        insert(connection, "marts.verdicts", [row])
    connection.execute("update marts.headline_verdicts set ahead_verdict = 'came_true' where claim = 'C3'")
    connection.execute("update marts.headline_verdicts set came_true_since = date '2023-04-01' where claim = 'C3'")
    then = _headline("C3", date(2023, 1, 1), "supported", ahead_verdict="not_yet")
    insert(connection, "marts.headline_verdicts", [then])


def _decided(value: float) -> str:
    return "supported" if value >= 1.5 else "refuted"


def _verdict(claim: str, formula: str, month: date, value: float) -> dict[str, Any]:
    return {
        "claim": claim,
        "definition": f"{formula}, recorded",
        "formula": formula,
        "series": "recorded",
        "as_of": month,
        "source": "stackoverflow",
        "value": value,
        "low": value,
        "high": value,
        "threshold": 1.5,
        "rule": "at least",
        "n": 1234,
        "least_n": 200,
        "verdict": _decided(value),
        "sentence": f"{value:.2f} questions for each one",
        "takes": "at least 1.5",
        "headline": formula != "a year",
    }


def _beyond(connection: duckdb.DuckDBPyConnection) -> None:
    for place, month in enumerate(months(date(2022, 1, 1), 12)):
        for framework, change in (("tensorflow", -0.2), ("pytorch", 0.1 * place)):
            lost = month == GAP
            row: dict[str, Any] = {"month": month, "source": "stackoverflow", "metric": "questions", "measure": "share"}
            row |= {"series": "recorded", "framework": framework, "pairs": 2 if lost else 12}
            row |= {"left_out": HOSTILE, "reason": HOSTILE} if lost else {"change": change}
            row |= {} if lost else {"change_low": change - 0.1, "change_high": change + 0.1}
            insert(connection, "marts.momentum", [row])
            sources = ["pypi", "stackoverflow"] if place < 6 else ["papers", "pypi", "stackoverflow"]
            mean = {"composite": "both", "month": month, "framework": framework, "sources": sources}
            mean |= {"reason": HOSTILE} if lost else {"score": 90.0 + place, "weights": HOSTILE}
            insert(connection, "marts.composite", [mean])
    key: dict[str, Any] = {"claim": "C25", "formula": "ratio of downloads", "series": "A, all", "unit": "times"}
    for month in months(date(2022, 1, 1), 13):
        value = None if month == GAP else 0.5
        insert(connection, "marts.forecast_series", [{**key, "month": month, "value": value}])
    for place, month in enumerate(months(date(2023, 2, 1), 24), start=1):
        ahead = {**key, "made_as_of": date(2023, 1, 1), "horizon": place, "month": month}
        insert(connection, "marts.forecasts", [{**ahead, "forecast": 0.7, "low": 0.4, "high": 1.2}])
    told: dict[str, Any] = {"claim": "C25", "prediction": HOSTILE, "formula": "ratio of downloads", "series": "A, all"}
    told |= {"horizon": 12, "month": date(2024, 1, 1), "forecast": 0.7, "low": 0.4, "high": 1.2, "threshold": 1.0}
    insert(connection, "marts.predictions", [{**told, "answer": "cannot be told", "why": HOSTILE}])
    weight = {"composite": "both", "source": "pypi", "definition": "d", "weight": 3.0, "window_months": 3}
    other = {**weight, "source": "stackoverflow", "weight": 1.0, "reason": HOSTILE}
    unused = {**weight, "composite": "without any score"}
    insert(connection, "meta.composite_weights", [weight, other, unused])


def _rest(connection: duckdb.DuckDBPyConnection) -> None:
    insert(
        connection,
        "meta.events",
        [
            {"day": date(2022, 10, 20), "event": HOSTILE, "frameworks": "tensorflow", "reference": "somebody"},
            {"day": date(2022, 11, 30), "event": "Another", "frameworks": "all", "reference": "somebody"},
            {"day": date(2010, 1, 1), "event": "Before everything", "frameworks": "all", "reference": "somebody"},
        ],
    )
    for month in months(date(2015, 11, 1), 91):
        status = "gap" if month == date(2016, 4, 1) else "present"
        row = {"source": "pypi", "month": month, "status": status, "reason": HOSTILE if status == "gap" else None}
        insert(connection, "meta.coverage", [row])
    crossing: dict[str, Any] = {"source": "pypi", "metric": "downloads_per_day", "series": "A, all"}
    crossing |= {"leader": "tensorflow", "challenger": "pytorch", "led_first": True}
    crossing |= {"months_observed": 91, "lasted": True, "is_headline": True}
    seen = {"first_month": date(2017, 1, 1), "last_month": date(2024, 7, 1), "crossed": date(2024, 1, 1)}
    insert(connection, "marts.crossovers", [{**crossing, **seen}])
    figure: dict[str, Any] = {"claim": "C3", "metric": "first month", "as_of": "2024-01", "unit": "month (YYYYMM)"}
    figure |= {"published": 202401.0, "measured": 202403.0, "tolerance": 0.0, "difference": 2.0}
    insert(
        connection,
        "marts.reconciliation",
        [{**figure, "within_tolerance": False, "reason": HOSTILE, "citation": HOSTILE}],
    )
