"""The claims on authors and releases, which have no months: C5, C9 and C15."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from fw_pipeline_tests.by_hand.figures import RECORDED
from fw_pipeline_tests.by_hand.measured import Beside, Measured


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


def c15() -> Iterator[Measured]:
    rows = pl.read_csv(RECORDED / "cohorts.csv")
    authors = {
        (base, later): n for base, later, n in rows.select("base_framework", "later_framework", "authors").rows()
    }
    ((method, origin),) = rows.select("method", "origin").unique().rows()
    began = {name: sum(n for (base, _), n in authors.items() if base == name) for name in ("tensorflow", "pytorch")}
    alone = authors["tensorflow", "pytorch"]
    for formula, part, whole in (
        ("moved to pytorch alone", alone, began["tensorflow"]),
        ("moved to pytorch alone or beside tensorflow", alone + authors["tensorflow", "both"], began["tensorflow"]),
        ("pytorch authors who stayed", authors["pytorch", "pytorch"], began["pytorch"]),
    ):
        beside = Beside("authors", date(2018, 1, 1), part, whole, note=f"{method} ({origin})")
        yield Measured("C15", formula, "recorded", date(2022, 5, 1), part / whole, whole, beside=beside)
