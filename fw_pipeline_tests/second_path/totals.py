"""All questions with a tag, or two, that existed on the day when somebody counted them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from functools import cache

import polars as pl

from fw_pipeline_tests.second_path.figures import read

Totals = Mapping[str, tuple[int, str]]
"""By tag or pair of tags: the questions, and whether that is `exact` or `at most`."""


@cache
def totals() -> Mapping[tuple[str, date], Totals]:
    """The counts of everything that was ever asked, by origin and month of the day."""
    found: dict[tuple[str, date], dict[str, tuple[int, str]]] = {}
    rows = read("question_totals").filter(pl.col("asked_from").is_null())
    for origin, day, tagged, questions, side in rows.select(
        "origin", "observed_on", "tagged", "questions", "side"
    ).rows():
        month = date.fromisoformat(day).replace(day=1)
        found.setdefault((origin, month), {})[tagged] = (int(questions), side)
    return found
