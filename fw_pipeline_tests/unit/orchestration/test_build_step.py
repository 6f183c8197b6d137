"""The build makes each table after what it reads; one that fails keeps what reads it as it was, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from dagster import (
    AssetCheckSeverity,
)

from fw_pipeline.orchestration.asset_checks import NO_WARNINGS, RULES_HOLD
from fw_pipeline.orchestration.pipeline import failure_lines
from fw_pipeline_tests.support.built_tables import RULES, SMALL, House, materialised


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
