"""Where PyTorch stands against TensorFlow in a source, as a clause."""

from __future__ import annotations

from datetime import date
from typing import Any

import polars as pl
import pytest

from fw_pipeline.report import leads


def of(source: str, ratios: dict[date, float], *, period: str = "month") -> pl.DataFrame:
    rows = [
        {
            "month": month,
            "period": period,
            "source": source,
            "pytorch": 100 * ratio,
            "tensorflow": 100.0,
            "ratio": ratio,
        }
        for month, ratio in ratios.items()
    ]
    return pl.DataFrame(rows)


def crossing(**cells: Any) -> pl.DataFrame:
    row = {"source": "pypi", "is_headline": True, "leader": "tensorflow", "lasted": None, "settled": None}
    return pl.DataFrame([{**row, "crossed": None, **cells}], schema_overrides={"settled": pl.Date, "crossed": pl.Date})


JANUARY, JUNE = date(2024, 1, 1), date(2024, 6, 1)


@pytest.mark.parametrize(
    ("ratios", "crossed", "said"),
    [
        ({JANUARY: 0.5, JUNE: 0.8}, crossing(), "is behind TensorFlow in downloads (1 to 1.2 in June 2024)"),
        ({JANUARY: 0.5, JUNE: 0.98}, crossing(), "drew level in downloads by June 2024"),
        ({JANUARY: 1.0, JUNE: 1.02}, crossing(), "is level in downloads by June 2024"),
        (
            {JANUARY: 0.5, JUNE: 2.0},
            crossing(crossed=JANUARY, lasted=False),
            "is ahead of TensorFlow in downloads (2.0 to 1 in June 2024)",
        ),
        ({JANUARY: 0.5, JUNE: 2.0}, crossing(crossed=JUNE), "passed TensorFlow in downloads in June 2024"),
        (
            {JANUARY: 0.5, JUNE: 2.0},
            crossing(crossed=JANUARY, lasted=False, settled=date(2024, 3, 1)),
            "passed TensorFlow in downloads in March 2024",
        ),
        (
            {JANUARY: 0.5, JUNE: 0.8},
            crossing(crossed=JANUARY, lasted=True, settled=JANUARY),
            "is behind TensorFlow in downloads (1 to 1.2 in June 2024)",
        ),
    ],
)
def test_a_lead_is_said_as_the_figures_are(ratios: dict[date, float], crossed: pl.DataFrame, said: str) -> None:
    found = leads.leads(of("pypi", ratios), crossed)
    assert leads.together(found) == f"PyTorch {said}"


def test_years_of_papers_count_from_the_last_one_in_which_tensorflow_was_ahead() -> None:
    years = {
        date(year, 1, 1): ratio for year, ratio in ((2017, 0.1), (2018, 1.2), (2019, 0.9), (2020, 2.0), (2021, 3.0))
    }
    found = leads.leads(of("papers", years, period="year"), crossing())
    assert leads.together(found) == "PyTorch passed TensorFlow in papers in 2020"
    ahead = leads.leads(of("papers", {date(2021, 1, 1): 3.0}, period="year"), crossing())
    assert leads.together(ahead) == "PyTorch is ahead of TensorFlow in papers (3.0 to 1 in 2021)"
