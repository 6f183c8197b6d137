"""Lineage: every column of a model reaches back to the columns that it is made of, and to no others."""

from __future__ import annotations

from pathlib import Path

import pytest

from fw_pipeline.transform import lineage
from fw_pipeline_tests.support.model_files import one
from fw_pipeline_tests.support.relations import models


@pytest.mark.parametrize(
    ("sql", "origins"),
    [
        ("select window_start as month from raw.pypi", {("raw.pypi", "window_start")}),
        ("with a as (select * from raw.pypi) select a.month from a", {("raw.pypi", "month")}),
        ("select max(p.month + days_covered) as month from raw.pypi p where downloads > 0",
         {("raw.pypi", "month"), ("raw.pypi", "days_covered")}),
        ("select m.month from raw.pypi p join meta.months m on p.month = m.month", {("meta.months", "month")}),
        ("select month from raw.pypi union all select month from meta.months",
         {("raw.pypi", "month"), ("meta.months", "month")}),
        ("select window_start as d from raw.pypi union all by name select month as d from meta.months", set()),
        ("select date '2020-01-01' as month from raw.pypi", set()),
        ("select month as a, a + 1 as month from raw.pypi", {("raw.pypi", "month")}),
        ("select (select max(m.month) from meta.months m where m.month < p.window_start) as month from raw.pypi p",
         {("meta.months", "month")}),
        ("select u.x as month from raw.pypi p, unnest([p.window_start]) as u(x)", {("raw.pypi", "window_start")}),
    ],
)  # fmt: skip
def test_lineage_follows_a_value_to_its_columns_and_nothing_else(
    tmp_path: Path, sql: str, origins: set[tuple[str, str]]
) -> None:
    model = one(tmp_path, sql)
    assert set(lineage(model, [model])["month"]) == origins


def test_lineage_of_the_product_reaches_back_to_raw_columns() -> None:
    known = models()
    staged = next(model for model in known if model.name == "staging.pypi")
    assert lineage(staged, known)["downloads_per_day"] == (("raw.pypi", "days_covered"), ("raw.pypi", "downloads"))
    assert ("raw.pypi", "origin") in lineage(staged, known)["series"]
