"""Every measurement of every claim by hand, and the two golden tables that follow from them."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date
from functools import cache
from itertools import chain
from pathlib import Path

from fw_pipeline_tests.by_hand import ahead, authors_and_releases, models, packages, papers, trends
from fw_pipeline_tests.by_hand.measured import Measured, definition, documents, headline, last_words, verdict

GOLDEN = Path(__file__).parents[1] / "golden"
MONTHS = {"2023-01": date(2023, 1, 1), "2026-08": date(2026, 8, 1)}
"""The month in which the article appeared, and the last one of a recorded figure."""

VERDICTS = ("judged", "claim", "definition", "headline", "as_of", "value", "n", "verdict")
HEADLINES = ("judged", "claim", "verdict")
Row = tuple[str, ...]


@cache
def measurements() -> tuple[Measured, ...]:
    until = max(MONTHS.values())
    counted = (ahead.c1, ahead.c2, trends.c3, trends.c4, trends.c6, trends.c8, trends.c21, ahead.c25, ahead.c26)
    other = (papers.c1, models.c1, models.c11_to_c13, papers.c21, packages.c17, packages.c18)
    rest = (authors_and_releases.c5, authors_and_releases.c9, authors_and_releases.c15)
    by_claim = [compute() for compute in (*counted, *other, *rest)]
    return tuple(chain(*by_claim, papers.c14(until), packages.unmeasured(until)))


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
    found = measurements()
    by_claim = {claim: [one for one in found if one.claim == claim] for claim in documents()}
    return in_order(
        (judged, claim, headline(claim, mine, month))
        for judged, month in MONTHS.items()
        for claim, mine in by_claim.items()
    )


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
