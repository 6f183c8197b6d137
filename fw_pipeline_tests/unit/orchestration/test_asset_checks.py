"""A rule that does not hold says what to do about the table as it is, and keeps what reads the table from being built.

The build is the real one, on a few tables that are made by SQL.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    AssetSelection,
    DagsterInstance,
    Definitions,
    ExecuteInProcessResult,
    asset,
    define_asset_job,
)

from fw_pipeline import quality
from fw_pipeline.orchestration.asset_checks import NO_WARNINGS, RULES_HOLD, raw_checks
from fw_pipeline.orchestration.asset_metadata import Place
from fw_pipeline.orchestration.build_plan import Table
from fw_pipeline.orchestration.build_step import build_step
from fw_pipeline.orchestration.pipeline import Pipeline, failure_lines
from fw_pipeline.orchestration.runs import run_job
from fw_pipeline.orchestration.sensors import alert_of
from fw_pipeline.quality import AT_LEAST_ONE_ROW, Expectation
from fw_pipeline.settings import read
from fw_pipeline.warehouse import Built, Writer

RULES = quality.implied((), ("share",), values={"share": (1, 2)})
SMALL = quality.declared(
    [{"type": "expect_column_values_to_be_between", "column": "share", "max_value": 1, "severity": "warning",
      "name": "small", "reason": "It was small so far."}],
    columns=("share",),
)  # fmt: skip


@dataclass
class House:
    """A data folder, and the tables that can be built in it; `published` is what publishes."""

    folder: Path
    sql: dict[str, str]
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: Sequence[Expectation] = RULES

    def __post_init__(self) -> None:
        self.pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(self.folder)}, dotenv=Path("none")))

        @asset(key="publish", deps=[relation.split(".") for relation in self.sql])
        def publish() -> None:
            """Stand for publishing."""

        self.definitions = Definitions(
            assets=[build_step([self._table(relation) for relation in self.sql]), publish],
            jobs=[define_asset_job("rebuild"), define_asset_job("checks", AssetSelection.all_asset_checks())],
            resources={"pipeline": self.pipeline},
        )

    def _table(self, relation: str) -> Table:
        place = Place(relation.partition(".")[0], {}, frozenset())
        reads = tuple(self.reads.get(relation, ()))
        return Table(
            relation=relation, reads=reads, make=partial(self._make, relation), rules=tuple(self.rules),
            description="", columns={}, place=place,
        )  # fmt: skip

    def _make(self, relation: str, writer: Writer, _: Pipeline) -> Built:
        return writer.build(relation, self.sql[relation], description="", columns={})

    def run(self, job: str = "rebuild", only: Iterable[str] = ()) -> ExecuteInProcessResult:
        keys = [AssetKey(relation.split(".")) for relation in only] or None
        return self.definitions.resolve_job_def(job).execute_in_process(raise_on_error=False, asset_selection=keys)

    def rows(self, relation: str) -> list[Any] | None:
        with self.pipeline.writing() as writer:
            return writer.frame(f"from {relation}").rows() if writer.has(relation) else None

    def validations(self) -> list[tuple[Any, ...]]:
        with self.pipeline.writing() as writer:
            return writer.frame("select expectation, passed from meta.validations order by all").rows()


def materialised(done: ExecuteInProcessResult) -> list[str]:
    return [event.asset_key.to_user_string() for event in done.get_asset_materialization_events() if event.asset_key]


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("select 1 as share where false", "its sources have months: mend its SQL or what it reads; if none is right"),
        ("select 3 as share", "look at the failing rows; if the figures are wrong, fetch those months again"),
    ],
)
def test_the_remedy_fits_what_is_there(tmp_path: Path, sql: str, remedy: str) -> None:
    done = House(tmp_path, {"marts.x": sql}).run()
    [check] = done.get_asset_check_evaluations()
    assert (check.check_name, check.passed, check.severity) == (RULES_HOLD, False, AssetCheckSeverity.ERROR)
    records: Any = check.metadata["rules that do not hold"]
    assert all(record.data["remedy"].startswith(remedy) for record in records.records)
    assert ("rows against share_in_set" in check.metadata) is ("failing rows" in remedy)
    [line] = failure_lines(done.all_events)
    assert f"; nothing was published; {remedy}" in line


def test_a_table_that_is_checked_before_it_is_built_says_that_it_is_not_there(tmp_path: Path) -> None:
    done = House(tmp_path, {"marts.x": "select 1 as share"}).run("checks")
    [line] = failure_lines(done.all_events)
    assert line.startswith("marts.x: rule at_least_one_row does not hold: not built yet")
    assert line.endswith("; nothing was published; build it: fw-pipeline rebuild")


def test_checks_can_be_run_without_building(tmp_path: Path) -> None:
    house = House(tmp_path, {"marts.x": "select 1 as share"})
    assert house.run().success
    house.sql["marts.x"] = "select 3 as share"
    done = house.run("checks")
    assert done.success
    assert [check.passed for check in done.get_asset_check_evaluations()] == [True]
    assert (house.rows("marts.x"), materialised(done)) == ([(1,)], [])


def test_a_table_without_rows_is_one_line(tmp_path: Path) -> None:
    house = House(tmp_path, {"marts.x": "select 1 as share where false"})
    [line] = failure_lines(house.run().all_events)
    assert line.startswith("marts.x: rule at_least_one_row does not hold: no rows. Without rows every other rule would")
    assert len(house.validations()) == len(RULES) > 1, "each rule is on record"
    assert not any(passed for _, passed in house.validations())


def test_a_table_of_a_source_without_months_is_a_warning_that_says_so_and_keeps_nobody(tmp_path: Path) -> None:
    pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none")))
    with pipeline.writing() as writer:
        writer.build("raw.pypi", "select 1 as share where false", description="", columns={})

    @asset(key=["raw", "pypi"])
    def raw() -> None:
        """Stand for the source."""

    definitions = Definitions(
        assets=[raw], asset_checks=[raw_checks({"raw.pypi": RULES})], jobs=[define_asset_job("build")],
        resources={"pipeline": pipeline},
    )  # fmt: skip
    done = definitions.resolve_job_def("build").execute_in_process(raise_on_error=False)
    assert done.success
    [check] = done.get_asset_check_evaluations()
    assert (check.passed, check.severity) == (False, AssetCheckSeverity.WARN), "never green with no data"
    records: Any = check.metadata["rules that do not hold"]
    assert {record.data["observed"] for record in records.records} == {"no rows: no month of pypi has come in"}


def test_a_warning_is_a_check_of_its_own_and_keeps_nothing_from_being_built(tmp_path: Path) -> None:
    sql = {"marts.x": "select 2 as share", "marts.y": "select share from marts.x"}
    done = House(tmp_path, sql, {"marts.y": ["marts.x"]}, (*RULES, *SMALL)).run()
    assert done.success
    assert materialised(done) == ["marts/x", "marts/y", "publish"]
    checks = {(check.asset_key.path[1], check.check_name): check for check in done.get_asset_check_evaluations()}
    assert {key: check.passed for key, check in checks.items()} == {
        ("x", RULES_HOLD): True, ("x", NO_WARNINGS): False, ("y", RULES_HOLD): True, ("y", NO_WARNINGS): False,
    }  # fmt: skip
    assert checks["x", NO_WARNINGS].severity is AssetCheckSeverity.WARN
    assert checks["x", NO_WARNINGS].description == "small: 1 of 1 rows. It was small so far."


CHAIN = {"marts.above": ["marts.x"], "marts.top": ["marts.above", "marts.other"]}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("select 3 as share", "marts.x: rule share_in_set does not hold: 1 of 1 rows"),
        ("select nothing from nowhere", "marts.x: Catalog Error: Table with name nowhere does not exist!"),
    ],
)
def test_what_reads_a_table_that_failed_stays_as_it_was_the_rest_is_built_and_nothing_is_published(
    tmp_path: Path, wrong: str, complaint: str
) -> None:
    tables = ("marts.x", "marts.above", "marts.other", "marts.top")
    house = House(tmp_path, dict.fromkeys(tables, "select 1 as share"), CHAIN)
    assert house.run().success
    house.sql |= {"marts.x": wrong, **dict.fromkeys(tables[1:], "select 2 as share")}
    done = house.run()
    assert not done.success
    [line] = failure_lines(done.all_events)
    assert line.startswith(complaint)
    assert {relation: house.rows(relation) for relation in tables[1:]} == {
        "marts.above": [(1,)], "marts.other": [(2,)], "marts.top": [(1,)],
    }  # fmt: skip
    assert "publish" not in materialised(done)
    assert {"marts/other"} <= set(materialised(done)) <= {"marts/x", "marts/other"}


def test_one_table_can_be_built_alone_and_says_that_the_published_file_is_unchanged(tmp_path: Path) -> None:
    house = House(tmp_path, {"marts.x": "select 1 as share", "marts.y": "select 2 as share"})
    done = house.run(only=["marts.y"])
    [made] = done.asset_materializations_for_node("build")
    assert (made.asset_key.path, made.metadata["dagster/row_count"].value) == (["marts", "y"], 1)
    assert made.metadata["published file"].value == "unchanged until publish runs"
    assert house.rows("marts.x") is None
    whole = house.run()
    assert all("published file" not in made.metadata for made in whole.asset_materializations_for_node("build"))


def test_a_rule_that_does_not_hold_is_told_of_with_its_reason(tmp_path: Path) -> None:
    house = House(tmp_path, {"marts.x": "select 3 as share"})
    with DagsterInstance.ephemeral() as instance:
        ran = run_job(house.definitions, "rebuild", instance=instance)
        run = instance.get_run_by_id(ran.run_id)
        assert run is not None
        alert = alert_of(instance, run, None)
    assert alert.subject == "rebuild failed"
    assert alert.lines == ran.failures
    [line] = alert.lines
    assert line.startswith("marts.x: rule share_in_set does not hold: 1 of 1 rows. The documentation lists every value")


def test_each_check_says_its_rules_and_why_they_hold(tmp_path: Path) -> None:
    graph = House(tmp_path, {"marts.x": "select 1 as share"}, rules=(*RULES, *SMALL)).definitions.resolve_asset_graph()
    specs = {
        name: graph.get_check_spec(AssetCheckKey(AssetKey(["marts", "x"]), name)) for name in (RULES_HOLD, NO_WARNINGS)
    }
    assert f"`{AT_LEAST_ONE_ROW.name}`: {AT_LEAST_ONE_ROW.reason}" in str(specs[RULES_HOLD].description)
    assert specs[NO_WARNINGS].description == "* `small`: It was small so far."
    assert (specs[RULES_HOLD].blocking, specs[NO_WARNINGS].blocking) == (True, False)
