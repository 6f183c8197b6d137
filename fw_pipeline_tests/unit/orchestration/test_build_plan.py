"""The plan of the build: every table after what it reads, each with its columns, and the rules of its document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fw_pipeline.definitions import load_models
from fw_pipeline.orchestration.asset_metadata import Place
from fw_pipeline.orchestration.build_plan import Table, all_tables
from fw_pipeline.orchestration.pipeline import Pipeline, registered
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import FORECAST_SERIES, FORECASTS, MEASUREMENTS, relations_read
from fw_pipeline.transform.seeds import seeds
from fw_pipeline.warehouse import Built, Writer, tables


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


NAMES = ("marts.a", "marts.b", "marts.c", "marts.d")
FORMS = (
    "select n, n * 2 as twice from {} order by all",
    "select max(n) > 2 as any_large, 1 as n from {}",
    "select n % 2 as n, count(*) as rows from {} group by all order by all",
    "select n from {} where n > 1 order by n desc",
)
ROWS = st.lists(st.integers(0, 4), max_size=4)


@st.composite
def projects(draw: st.DrawFn) -> Mapping[str, tuple[str, str]]:
    """Return a small project: what each table reads, and its form; each reads the small table or an earlier one."""
    reads = {name: draw(st.sampled_from(("meta.small", *NAMES[:place]))) for place, name in enumerate(NAMES)}
    return {name: (reads[name], draw(st.sampled_from(FORMS))) for name in NAMES}


def build(data: Path, rows: Sequence[int], project: Mapping[str, tuple[str, str]]) -> tuple[list[str], dict[str, Any]]:
    """Build what would not come out the same; return its names, and what every table holds then."""
    pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(data)}, dotenv=Path("none")))
    made = []
    with pipeline.writing() as writer:
        frame = pl.DataFrame({"n": rows}, schema={"n": pl.Int64})
        writer.seed("meta.small", frame, description="", columns={})
        for name, (reads, form) in project.items():
            sql = form.format(reads)

            def make(writer: Writer, _: Pipeline, name: str = name, sql: str = sql) -> Built:
                return writer.build(name, sql, description="", columns={})

            table = Table(
                relation=name, reads=(reads,), inputs=(reads,), make=make, rules=(), description="", columns={},
                place=Place("marts", {}, frozenset()), sql=sql,
            )  # fmt: skip
            if table.renew(writer, pipeline):
                made.append(name)
        return made, {name: writer.frame(f"from {name}").rows() for name in (*NAMES, "meta.builds")}


@settings(max_examples=12, deadline=None)
@given(states=st.lists(st.tuples(ROWS, projects()), min_size=2, max_size=4))
def test_whatever_changes_the_tables_are_those_of_a_build_from_nothing(
    states: Sequence[tuple[Sequence[int], Mapping[str, tuple[str, str]]]],
) -> None:
    with TemporaryDirectory() as folder:
        for place, (rows, project) in enumerate(states):
            _, found = build(Path(folder) / "kept", rows, project)
            _, anew = build(Path(folder) / f"anew{place}", rows, project)
            assert {name: sorted(map(repr, rows)) for name, rows in found.items()} == {
                name: sorted(map(repr, rows)) for name, rows in anew.items()
            }
        assert build(Path(folder) / "kept", rows, project)[0] == [], "nothing has changed"


def test_a_change_goes_as_far_as_something_comes_out_otherwise(tmp_path: Path) -> None:
    project = {
        "marts.a": ("meta.small", FORMS[0]), "marts.b": ("meta.small", FORMS[1]), "marts.c": ("marts.b", FORMS[0]),
        "marts.d": ("marts.a", FORMS[2]),
    }  # fmt: skip
    assert build(tmp_path, [3, 4], project)[0] == [*NAMES]
    assert build(tmp_path, [4, 4], project)[0] == ["marts.a", "marts.b", "marts.d"], "a large one is there as before"
    assert build(tmp_path, [4, 4], project | {"marts.b": ("meta.small", FORMS[3])})[0] == ["marts.b", "marts.c"]


def test_other_code_makes_every_table_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = dict.fromkeys(NAMES, ("meta.small", FORMS[0]))
    assert build(tmp_path, [3], project)[0] == [*NAMES]
    monkeypatch.setattr(tables, "CODE_VERSION", "another")
    assert build(tmp_path, [3], project)[0] == [*NAMES]


def test_a_comment_that_is_worded_otherwise_makes_a_table_anew(tmp_path: Path, plan: tuple[Table, ...]) -> None:
    table = next(table for table in plan if table.relation == "marts.drift")
    assert "fraction" in table.comments["relative_change"], "the comment says more than the meaning"

    def make(writer: Writer, _: Pipeline) -> Built:
        return writer.build(table.relation, "select 1 as a", description="", columns={})

    first = replace(table, inputs=(), make=make)
    second = replace(first, comments={**table.comments, "relative_change": "in percent"})
    pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none")))
    with pipeline.writing() as writer:
        assert [bool(it.renew(writer, pipeline)) for it in (first, first, second)] == [True, False, True]


def test_every_rule_reads_what_is_registered_or_made(plan: tuple[Table, ...]) -> None:
    known = {*registered(SOURCES), *(table.relation for table in plan)}
    rules = {(table.relation, rule.name): rule for table in plan for rule in table.rules}
    read = {key: relations_read("", str(rule.kwargs["sql"])) for key, rule in rules.items() if "sql" in rule.kwargs}
    assert {key: names for key, names in read.items() if not names or names - known} == {}
    assert read["marts.framework_metrics", "no_sample_leads"] == {"marts.framework_metrics", "meta.populations"}
