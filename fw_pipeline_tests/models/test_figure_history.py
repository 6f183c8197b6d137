"""The history of figures, compared with a plain loop over the vintages."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fw_pipeline_tests.support.relations import empty_warehouse, insert, models

MONTHS = (date(2021, 7, 1), date(2021, 8, 1))
PROVIDERS = ("api", "dump")
KEYS = ("jax", "keras")

seen = st.dictionaries(st.sampled_from(KEYS), st.integers(0, 3), min_size=1)
"""What a vintage has: questions by tag."""
looks = st.lists(st.tuples(st.sampled_from(MONTHS), st.sampled_from(PROVIDERS), seen), min_size=1, max_size=12)
"""Vintages in the order of writing, each of a month and a provider."""


def at(turn: int) -> datetime:
    return datetime(2022, 1, 1, tzinfo=UTC) + timedelta(days=turn)


def by_hand(vintages: list[tuple[date, str, dict[str, int]]]) -> list[tuple[Any, ...]]:
    """Return the rows of each figure: a row for each run of vintages that gave the same value."""
    rows = []
    for month, provider in sorted({(month, provider) for month, provider, _ in vintages}):
        own = [(turn, had) for turn, (of, by, had) in enumerate(vintages) if (of, by) == (month, provider)]
        for key in KEYS:
            values = [(turn, had.get(key)) for turn, had in own]
            while values and values[0][1] is None:
                values.pop(0)
            before = None
            for value, run in groupby(values, key=lambda one: one[1]):
                turns = [turn for turn, _ in run]
                days = (None, None) if value is None else (at(turns[0]).date(), at(turns[-1]).date())
                counts = (len(turns), at(values[0][0]), len(values), turns[-1] == own[-1][0])
                rows.append((month, provider, key, at(turns[0]), value, before, values[0][1], *days, *counts))
                before = value
    return rows


@settings(max_examples=25)
@given(vintages=looks)
def test_each_value_has_a_row_and_each_vintage_that_confirms_it_is_counted(
    vintages: list[tuple[date, str, dict[str, int]]],
) -> None:
    (model,) = (model for model in models() if model.name == "marts.figure_history")
    with empty_warehouse(model.upstream) as connection:
        last = {(month, provider): turn for turn, (month, provider, _) in enumerate(vintages)}
        for turn, (month, provider, had) in enumerate(vintages):
            is_current = last[month, provider] == turn
            shared = {"month": month, "provider": provider, "vintage": at(turn), "observed_on": at(turn).date()}
            rows = [{**shared, "tagged": tag, "questions": n, "is_current": is_current} for tag, n in had.items()]
            insert(connection, "raw.stackoverflow_vintages", rows)
        found = connection.execute(f"""
            select month, provider, key, vintage, value, previous_value, first_value, observed_on, last_observed_on,
                vintages, first_seen, vintages_seen, is_current
            from ({model.sql}) order by all
        """).fetchall()
    assert found == sorted(by_hand(vintages), key=lambda row: row[:4])
