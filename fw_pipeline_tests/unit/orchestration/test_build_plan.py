"""The plan of the build: every table after what it reads, each with its columns, and the rules of its document."""

from __future__ import annotations

import pytest

from fw_pipeline.definitions import load_models
from fw_pipeline.orchestration.build_plan import Table, all_tables
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS
from fw_pipeline.transform.seeds import seeds


@pytest.fixture(scope="module")
def plan() -> tuple[Table, ...]:
    return all_tables(SOURCES, load_models())


def test_each_table_is_made_once_and_after_what_it_reads(plan: tuple[Table, ...]) -> None:
    made = [table.relation for table in plan]
    models = {model.name for model in load_models()}
    assert sorted(made) == sorted({*models, MEASUREMENTS, FORECASTS, *(f"meta.{seed.name}" for seed in seeds())})
    before = {f"raw.{source}" for source in SOURCES}
    for table in plan:
        assert {*table.reads} <= before, table.relation
        before.add(table.relation)


def test_measurements_read_every_claim_and_forecasts_their_series(plan: tuple[Table, ...]) -> None:
    by_name = {table.relation: table for table in plan}
    assert {*by_name[MEASUREMENTS].reads} == {model.name for model in load_models() if model.doc.claim}
    assert by_name[FORECASTS].reads == (FORECAST_SERIES,)
    changed_by_a_fetch = [seed.name for seed in seeds() if seed.after_fetch]
    assert changed_by_a_fetch
    assert all(by_name[f"meta.{name}"].reads == tuple(f"raw.{it}" for it in SOURCES) for name in changed_by_a_fetch)


def test_a_model_keeps_the_rules_of_its_document_and_an_empty_table_breaks_none_where_that_is_allowed(
    plan: tuple[Table, ...],
) -> None:
    by_name = {table.relation: table for table in plan}
    for model in load_models():
        rules = by_name[model.name].rules
        assert len({rule.name for rule in rules}) == len(rules) > len(model.doc.expectations), model.name
        assert {rule.holds_on_none for rule in rules} == {model.doc.may_be_empty is not None}, model.name
        assert by_name[model.name].columns.keys() == model.doc.columns.keys()
