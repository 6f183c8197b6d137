"""Models of the Hub become the figures of a month: what is not known of every model is no sum, an old pile is named."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import polars as pl
import pytest

from fw_pipeline.contract import Batch
from fw_pipeline.errors import MonthRejected
from fw_pipeline.sources.huggingface.hub_counts import (
    FIRST_MONTH,
    HUGGINGFACE_MODELS,
    MODELS,
    OLDEST,
    TABLE,
    Look,
    counted,
    models_until,
)

MAY = date(2023, 5, 1)
LOOK = Look(
    "api", "counted", "the Hub", date(2023, 7, 2), datetime(2023, 7, 1, tzinfo=UTC), datetime(2023, 7, 2, tzinfo=UTC)
)


def models(*cells: dict[str, Any]) -> pl.DataFrame:
    """Return models, each of PyTorch's format unless it says otherwise."""
    usual = {"created_at": datetime(2023, 5, 9, tzinfo=UTC), "library": "transformers", "formats": ["pytorch"]}
    rows = [{"model_id": str(place), "downloads_30d": 10, "likes": 1} | usual | own for place, own in enumerate(cells)]
    return pl.DataFrame(rows, schema=dict(MODELS))


def batch(month: date, found: pl.DataFrame) -> Batch:
    made = counted(month, found, LOOK, evidence=["e/1"])
    assert isinstance(made, Batch)
    return made


def test_models_are_counted_by_library_and_formats_and_listed_one_by_one() -> None:
    made = batch(MAY, models({}, {}, {"formats": []}, {"library": None}))
    seen = made.rows.select("library", "formats", "models", "downloads_30d", "likes").rows()
    assert seen == [
        (None, ["pytorch"], 1, 10, 1),
        ("transformers", [], 1, 10, 1),
        ("transformers", ["pytorch"], 2, 20, 2),
    ]
    assert made.rows.schema == TABLE.schema
    assert made.detail is not None
    assert made.detail.schema == HUGGINGFACE_MODELS.schema
    assert made.detail.height == 4


def test_a_sum_of_which_a_part_is_not_known_is_null() -> None:
    (row,) = batch(MAY, models({}, {"downloads_30d": None})).rows.select("models", "downloads_30d", "likes").rows()
    assert row == (2, None, 2)


def test_models_from_before_the_hub_kept_dates_are_named_in_the_month_that_they_fall_into() -> None:
    old, new = {"created_at": OLDEST}, {"created_at": OLDEST + timedelta(days=3)}
    assert set(batch(FIRST_MONTH, models(old, old, new)).rows["method"]) == {
        "counted; 2 of the month are older: the Hub dates them 2022-03-02"
    }
    assert set(batch(FIRST_MONTH, models(new)).rows["method"]) == {"counted"}


def test_a_month_without_any_model_is_no_zero() -> None:
    refused = counted(MAY, models(), LOOK, evidence=[])
    assert isinstance(refused, MonthRejected)
    assert "no model was created in this month" in str(refused)


@pytest.mark.parametrize(
    ("month", "says"),
    [
        (date(2023, 6, 1), None),
        (date(2023, 7, 1), "it was not over when the Hub was looked at (2023-07-02 00:00 UTC)"),
    ],
)
def test_a_month_that_was_not_over_is_not_whole(month: date, says: str | None) -> None:
    assert LOOK.lacks(month) == says


def test_a_look_that_ends_early_does_not_have_the_last_month_whole() -> None:
    stale = Look("parquet", "", "", LOOK.observed_on, datetime(2023, 6, 29, tzinfo=UTC), LOOK.seen_at)
    assert stale.lacks(date(2023, 6, 1)) == "what was seen of the Hub ends on 2023-06-29"
    assert stale.lacks(MAY) is None


def test_the_size_of_the_hub_is_estimated_between_counts_and_never_falls() -> None:
    assert models_until(datetime(2024, 9, 26, tzinfo=UTC)) == 1_000_000
    assert models_until(datetime(2021, 1, 1, tzinfo=UTC)) == 0
    sizes = [models_until(datetime(year, 1, 1, tzinfo=UTC)) for year in range(2022, 2030)]
    assert sizes == sorted(sizes)
