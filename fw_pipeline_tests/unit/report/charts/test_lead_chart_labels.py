"""The axes and labels of the first chart: ratios double at every step, years stand at their middle."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from fw_pipeline.report.charts.lead_chart_labels import BANDS, HEIGHT, LEAST, NAMES, Scale, drawn_lines
from fw_pipeline.report.claim_cards import THEN
from fw_pipeline.report.figure import TITLES


def rows(*figures: tuple[date, float | None, str, str]) -> pl.DataFrame:
    schema = {"month": pl.Date, "ratio": pl.Float64, "period": pl.String, "stretch": pl.String}
    return pl.DataFrame(figures, schema=schema, orient="row")


FOUND = rows(
    (date(2018, 1, 1), 0.25, "month", "pypi 1"),
    (date(2018, 2, 1), 0.5, "month", "pypi 1"),
    (date(2020, 1, 1), None, "month", "pypi 2"),
    (date(2025, 1, 1), 3.0, "year", "papers 1"),
)


def test_each_step_up_is_twice_as_much_and_nothing_lies_outside() -> None:
    scale = Scale(FOUND)
    assert (scale.top, scale.bottom) == (4.0, 0.25)
    heights = [scale.point(THEN, ratio)[1] for ratio in (4, 2, 1, 0.5, 0.25, LEAST / 100)]
    assert heights == pytest.approx([HEIGHT * part for part in (0, 0.25, 0.5, 0.75, 1, 1)])


def test_a_year_stands_at_its_middle_and_the_axis_ends_with_the_last_one() -> None:
    scale = Scale(FOUND)
    assert (scale.first, scale.last) == (date(2018, 1, 1), date(2025, 12, 1))
    assert scale.point(date(2025, 1, 1), 1, "year") == scale.point(date(2025, 7, 1), 1)
    assert scale.point(scale.first, 1)[0] == 0
    assert scale.point(scale.last, 1)[0] == 1


def test_labels_avoid_every_stretch_the_level_and_the_month_of_the_article() -> None:
    scale = Scale(FOUND)
    lines = drawn_lines(FOUND, scale)
    assert [len(line) for line in lines] == [2, 0, 2, 2, 2]
    assert lines[-2] == [(0, HEIGHT / 2), (1, HEIGHT / 2)]
    assert {x for x, _ in lines[-1]} == {scale.point(THEN, 1)[0]}


def test_the_bands_of_widths_meet_and_each_source_that_is_drawn_has_a_name() -> None:
    ends = [(first, last) for first, _, last in BANDS.values()]
    assert [last for _, last in ends[:-1]] == [first for first, _ in ends[1:]]
    assert not {*NAMES} & {*TITLES}
