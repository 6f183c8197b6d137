"""A month as a whole: it answers what was asked, covers what its last vintage did, and has not lost half of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import polars as pl
import pytest

from fw_pipeline.contract import Batch
from fw_pipeline.ingestion.committer import NOTICEABLE, covers_less, shrunk, unfit
from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES

JAN, FEB = date(2022, 1, 1), date(2022, 2, 1)
QUESTIONS, DOWNLOADS = SOURCES["stackoverflow"].table, SOURCES["pypi"].table


def asked(questions: Mapping[str, int], month: date = JAN) -> pl.DataFrame:
    rows = [(month, tag, count, "counted", "x", None) for tag, count in questions.items()]
    return pl.DataFrame(rows, schema=QUESTIONS.schema, orient="row")


def downloaded(*days: int) -> pl.DataFrame:
    rows = [(JAN, f"package {place}", "all", "x", 9, JAN, count, "counted", None) for place, count in enumerate(days)]
    return pl.DataFrame(rows, schema=DOWNLOADS.schema, orient="row")


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (Batch(JAN, asked({"pytorch": 1}), ()), None),
        (Batch(None, asked({"pytorch": 1}), ()), None),
        (Batch(JAN, asked({}), (), gap="nothing was recorded"), None),
        (Batch(JAN, asked({}), ()), "the answer holds no figure"),
        (Batch(JAN, asked({"pytorch": 1}, FEB), ()), "the answer holds figures of another month"),
        (Batch(FEB, asked({"pytorch": 1}, FEB), ()), "the provider answered a month that was not asked for"),
    ],
)
def test_an_answer_to_another_question_is_told_apart(batch: Batch, says: str | None) -> None:
    assert unfit(batch, Window.of(JAN, JAN)) == says


@pytest.mark.parametrize(
    ("before", "here", "lost"),
    [
        ({"pytorch": 600}, {"pytorch": 400}, None),
        ({"pytorch": 600}, {"pytorch": 300}, None),
        ({"pytorch": 600}, {"pytorch": 299}, "questions of pytorch fell from 600 to 299"),
        ({"pytorch": 600, "keras": 700}, {"pytorch": 600}, "questions of keras fell from 700 to 0"),
        ({"pytorch": NOTICEABLE - 1}, {"pytorch": 0}, None),
        ({"pytorch": 90, "keras": 5000}, {"pytorch": 1, "keras": 1}, "questions of keras fell from 5,000 to 1"),
    ],
)
def test_a_third_less_is_drift_and_half_of_what_is_noticeable_is_a_loss(
    before: dict[str, int], here: dict[str, int], lost: str | None
) -> None:
    found = shrunk(Batch(JAN, asked(here), ()), asked(before), QUESTIONS)
    assert found is None if lost is None else found is not None and found.startswith(lost)


def test_fewer_days_than_the_last_vintage_covers_are_no_news_and_tables_without_days_have_none() -> None:
    whole, part = downloaded(31, 31), downloaded(31, 30)
    assert covers_less(Batch(JAN, part, ()), whole)
    assert not covers_less(Batch(JAN, whole, ()), part)
    assert not covers_less(Batch(JAN, asked({"pytorch": 1}), ()), asked({"pytorch": 2}))
