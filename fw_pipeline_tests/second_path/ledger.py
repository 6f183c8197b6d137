"""Every measurement of every claim by hand, and the two golden tables that follow from them."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from itertools import chain
from pathlib import Path

from fw_pipeline_tests.second_path import (
    ahead,
    authors_and_releases,
    deployment,
    languages,
    models,
    packages,
    papers,
    projects,
    trends,
)
from fw_pipeline_tests.second_path.figures import FIRST, span
from fw_pipeline_tests.second_path.headlines import headlines
from fw_pipeline_tests.second_path.judging import verdict
from fw_pipeline_tests.second_path.measured import Measured, definition, documents, last_words

GOLDEN = Path(__file__).parents[1] / "golden"
LAST = date(2026, 8, 1)
"""The last month of a recorded figure: the newest closed month that does not move with the clock."""
MONTHS = {"2023-01": date(2023, 1, 1), f"{LAST:%Y-%m}": LAST}
"""The month in which the article appeared, and the last one."""
JUDGED = sorted({*MONTHS.values(), *(date(year, 6, 1) for year in (2017, 2018, 2020, 2022)), date(2023, 5, 1)})
"""The months of the golden headlines."""

NOTHING_RECORDED = {
    *(
        ("C15", f"{formula} after another year")
        for formula in (
            "moved to pytorch alone", "moved to pytorch alone or beside tensorflow", "pytorch authors who stayed",
        )
    ),
    *(("C16", f"tensorflow in the {what} of google") for what in ("models", "repositories")),
    ("C19", "questions on deployment tags in the month"),
    ("C20", "change of the ratio of questions on deployment tags"),
    ("C22", "questions on tensorflow.js"),
    ("C24", "languages in pairs of tags"),
    ("C24", "languages in pairs and tags of their own"),
}  # fmt: skip
"""Formulas that only a live source can measure."""

VERDICTS = ("judged", "claim", "definition", "headline", "as_of", "value", "n", "verdict")
HEADLINES = ("judged", "claim", "verdict", "measured", "ahead_verdict", "carried_verdict", "carried_measured")
Row = tuple[str, ...]


@cache
def measurements() -> tuple[Measured, ...]:
    counted = (ahead.c1, ahead.c2, trends.c3, trends.c4, trends.c6, trends.c8, trends.c21, ahead.c25, ahead.c26)
    other = (papers.c1, models.c1, models.c11_to_c13, papers.c21, packages.c17, packages.c18)
    rest = (authors_and_releases.c5, authors_and_releases.c9, authors_and_releases.c15, projects.c16)
    read_elsewhere = (deployment.c19_and_c20, languages.recorded)
    by_claim = [compute() for compute in (*counted, *other, *rest, *read_elsewhere)]
    found = tuple(chain(*by_claim, papers.c14(LAST)))
    return (*found, *unmeasured(found))


def unmeasured(found: Iterable[Measured]) -> Iterator[Measured]:
    """The formulas for which the recorded figures hold nothing: each gets a row that says so."""
    measured = {(one.claim, one.formula) for one in found}
    for claim, document in documents().items():
        for formula in (known["formula"] for known in document["definitions"]):
            if (claim, formula) not in measured:
                assert (claim, formula) in NOTHING_RECORDED, f"{claim}: {formula}"
                yield Measured(claim, formula, None, LAST, None, 0, blocked=True)


def number(claim: str) -> int:
    return int(claim[1:])


def written(value: float | None) -> str:
    """Six significant digits: what both paths must agree on."""
    return "" if value is None else f"{value:.6g}"


def verdict_rows() -> list[Row]:
    """The last word of each definition as of each of the months. What was never measured has no month of its own."""
    rows = []
    for judged, month in MONTHS.items():
        for one in last_words(measurements(), month):
            counts = str(definition(one.claim, one.formula)["headline"]).lower()
            as_of = "" if one.value is None and one.series is None else f"{one.as_of:%Y-%m}"
            rows.append(
                (judged, one.claim, one.definition, counts, as_of, written(one.value), str(one.n), verdict(one))
            )
    return in_order(rows)


def headline_rows() -> list[Row]:
    return in_order(
        (
            f"{month:%Y-%m}",
            claim,
            said.verdict,
            month_of(said.measured),
            said.ahead or "",
            said.carried or "",
            month_of(said.carried_measured),
        )
        for (claim, month), said in headlines(measurements(), span(FIRST, LAST)).items()
        if month in JUDGED
    )


def month_of(day: date | None) -> str:
    return "" if day is None else f"{day:%Y-%m}"


def in_order(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: (row[0], number(row[1]), row[2:]))


def read_golden(name: str) -> list[Row]:
    with (GOLDEN / f"{name}.csv").open(encoding="utf-8", newline="") as stream:
        return [tuple(row) for row in csv.reader(stream)][1:]


def write_golden() -> None:
    GOLDEN.mkdir(exist_ok=True)
    for name, columns, rows in (("verdicts", VERDICTS, verdict_rows()), ("headlines", HEADLINES, headline_rows())):
        with (GOLDEN / f"{name}.csv").open("w", encoding="utf-8", newline="") as stream:
            csv.writer(stream, lineterminator="\n").writerows([columns, *rows])
