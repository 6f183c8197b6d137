"""The claims on authors and releases, which have no months: C5, C9 and C15."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import date

import polars as pl

from fw_pipeline_tests.second_path.figures import RECORDED
from fw_pipeline_tests.second_path.measured import Beside, Measured


def released(*events: str) -> tuple[list[date], Beside]:
    """The days of some releases, and what the calendar of events says of them."""
    rows = pl.read_csv(RECORDED / "events.csv").filter(pl.col("event").is_in(events)).sort("day")
    days = [date.fromisoformat(day) for day in rows["day"]]
    said = [f"{day}: {reference}" for day, reference in rows.select("day", "reference").rows()]
    names = rows["frameworks"] if len(events) > 1 else [""]
    note = "; ".join(f"{name} {words}".strip() for name, words in zip(names, said, strict=True))
    return days, Beside("releases", None, None, None, note=note)


def c5() -> Iterator[Measured]:
    (keras, tensorflow), beside = released("Keras first released", "TensorFlow released as open source")
    for formula in ("months between the releases", "months between the releases by the half year"):
        months = (tensorflow - keras).days / 30.4375
        yield Measured("C5", formula, None, date(2015, 11, 1), months, 2, beside=beside)


def c9() -> Iterator[Measured]:
    (day,), beside = released("TensorFlow released as open source")
    year = day.year + (day.timetuple().tm_yday - 1) / 365
    yield Measured("C9", "release date as a year", None, date(2015, 11, 1), year, 1, beside=beside)


def wilson(part: int, whole: int) -> tuple[float, float]:
    """The 95 percent interval of a share."""
    z, share = 1.96, part / whole
    middle = share + z**2 / (2 * whole)
    half = z * math.sqrt(share * (1 - share) / whole + z**2 / (4 * whole**2))
    return (middle - half) / (1 + z**2 / whole), (middle + half) / (1 + z**2 / whole)


def c15() -> Iterator[Measured]:
    rows = pl.read_csv(RECORDED / "author_cohorts.csv")
    authors = {
        (base, later): n for base, later, n in rows.select("base_framework", "later_framework", "authors").rows()
    }
    ((method, origin, until),) = rows.select("method", "origin", "until").unique().rows()
    began = {name: sum(n for (base, _), n in authors.items() if base == name) for name in ("tensorflow", "pytorch")}
    alone = authors["tensorflow", "pytorch"]
    for formula, part, whole in (
        ("moved to pytorch alone", alone, began["tensorflow"]),
        ("moved to pytorch alone or beside tensorflow", alone + authors["tensorflow", "both"], began["tensorflow"]),
        ("pytorch authors who stayed", authors["pytorch", "pytorch"], began["pytorch"]),
    ):
        beside = Beside("authors", date(2018, 1, 1), part, whole, note=f"{method} ({origin})")
        low, high = wilson(part, whole)
        where = ("C15", formula, "recorded", date.fromisoformat(until))
        yield Measured(*where, part / whole, whole, low=low, high=high, beside=beside)
