"""Figures and bounds in a reader's words."""

from __future__ import annotations

import pytest

from fw_pipeline.report import formatting


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "share", "\N{EN DASH}"),
        (0.7668, "share", "76.7%"),
        (0.00486, "share of questions", "0.49%"),
        (-0.231, "share", "\N{MINUS SIGN}23.1%"),
        (1.3315, "times", "1.33"),
        (739, "questions", "739"),
        (1348, None, "1,348"),
        (15_100_000, None, "15.1 million"),
        (0.00878, "times", "0.00878"),
        (2015.86, "year", "2015.86"),
        (0.0, "times", "0"),
        (0.0, "share", "0.0%"),
    ],
)
def test_figures_are_written_with_the_digits_that_carry_meaning(
    value: float | None, unit: str | None, text: str
) -> None:
    assert formatting.figure(value, unit) == text


@pytest.mark.parametrize(
    ("low", "high", "text"),
    [
        (0.9316, 0.936, "\N{GREATER-THAN OR EQUAL TO} 93.2%"),
        (None, 0.9316, "\N{LESS-THAN OR EQUAL TO} 93.2%"),
        (0.473, 0.574, "47.3% to 57.4%"),
        (0.9316, 0.9316, "93.2%"),
    ],
)
def test_a_bound_is_written_as_a_bound(low: float | None, high: float | None, text: str) -> None:
    assert formatting.bounded(0.9316 if 0.9316 in {low, high} else 0.5, low, high, "share") == text
