"""What a source is: a table says what each of its columns means, and a provider why it cannot answer a month."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from fw_pipeline.contract import PROVENANCE, SHARED_COLUMNS, STATEMENT, Availability, DetailTable, Source, Table
from fw_pipeline.months import Window
from fw_pipeline.sources import SOURCES


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_every_column_of_a_raw_table_is_explained_and_nothing_else_is(source: Source) -> None:
    table = source.table
    assert {*table.columns} | {*SHARED_COLUMNS} == {*table.schema} | {*PROVENANCE}
    assert not {*table.columns} & {*SHARED_COLUMNS}
    assert {*table.required} <= {*table.measures}
    assert {*table.nullable} | {*table.known} <= {*table.key}
    assert {*table.largest} <= {*table.measures}


@pytest.mark.parametrize("source", SOURCES.values(), ids=list(SOURCES))
def test_a_source_has_the_providers_that_it_names(source: Source) -> None:
    assert {*source.live.split("+")} <= {*source.providers}
    assert all((name, source.name) == (it.name, it.source) for name, it in source.providers.items())


def test_rows_of_a_thing_that_is_counted_again_differ_by_the_day_on_which_it_was_counted() -> None:
    once = Table({"month": pl.Date, "name": pl.String}, {"n": pl.Int64}, "", {}, required=("n",))
    again = Table(once.key, once.measures, "", {}, required=("n",), counted_again=True)
    assert once.identity == ("month", "name")
    assert again.identity == ("month", "name", "observed_on")
    assert once.schema.names() == ["month", "name", "n", *STATEMENT]


def test_a_month_out_of_reach_has_its_reason_before_and_after() -> None:
    reach = Availability(Window(date(2022, 1, 1), date(2022, 3, 1)), "not yet begun", "not yet over")
    told = [reach.why_not(date(*month, 1)) for month in ((2021, 12), (2022, 1), (2022, 2), (2022, 3))]
    assert told == ["not yet begun", None, None, "not yet over"]


def test_a_listing_has_a_type_and_words_for_each_column() -> None:
    listing = DetailTable("papers", "Papers.", {"title": (pl.String, "Its title."), "day": (pl.Date, "Its day.")})
    assert listing.schema == pl.Schema({"title": pl.String, "day": pl.Date})
    assert listing.words == {"title": "Its title.", "day": "Its day."}
