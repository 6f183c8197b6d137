"""A rule that does not hold says what to do about the table as it is, and keeps what reads the table from being built.

The build is the real one, on a few tables that are made by SQL.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckKey,
    AssetCheckSeverity,
    AssetKey,
    DagsterInstance,
    Definitions,
    asset,
    define_asset_job,
)

from fw_pipeline import quality
from fw_pipeline.orchestration.asset_checks import NO_WARNINGS, RULES_HOLD, raw_checks
from fw_pipeline.orchestration.failures import failure_lines
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.runs import run_job
from fw_pipeline.orchestration.sensors import alert_of
from fw_pipeline.quality import AT_LEAST_ONE_ROW
from fw_pipeline.settings import read
from fw_pipeline_tests.support.built_tables import RULES, SMALL, House, materialised


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


def test_a_rule_that_reads_the_clock_is_refused_with_its_name(tmp_path: Path) -> None:
    rule = {"type": "failing_rows", "sql": "select 1 from marts.x where current_date > '2026-01-01'", "name": "recent"}
    rules = quality.declared([{**rule, "reason": "It is new."}], columns=("share",))
    [line] = failure_lines(House(tmp_path, {"marts.x": "select 1 as share"}, rules=rules).run().all_events)
    assert line.startswith("marts.x: rule recent: calls current_date, which gives another value for the same rows; ")


def test_a_rule_is_run_again_where_anything_that_it_reads_has_changed_and_nowhere_else(tmp_path: Path) -> None:
    rule = {"type": "failing_rows", "sql": "select share from marts.y where share > 1", "name": "low_elsewhere"}
    rules = quality.declared([{**rule, "reason": "It was low so far."}], columns=("share",))
    house = House(tmp_path, {"marts.y": "select 1 as share", "marts.x": "select 1 as share"}, rules=rules)
    ran: list[str] = []
    house.pipeline.progress = lambda stage, what: ran.append(what) if stage == "check" else None
    assert house.run().success
    assert ran == ["marts.y: 1 of 1 rules hold", "marts.x: 1 of 1 rules hold"]
    assert house.run().success
    assert len(ran) == 2, "nothing has changed"
    house.sql["marts.y"] = "select 2 as share"
    done = house.run()
    assert ran[2:] == ["marts.y: 0 of 1 rules hold", "marts.x: 0 of 1 rules hold"], "x reads y by its rule alone"
    assert [check.passed for check in done.get_asset_check_evaluations()] == [False, False]


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
