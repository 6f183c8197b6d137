"""The build makes each table after what it reads; one that fails keeps what reads it as it was, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from dagster import (
    AssetCheckSeverity,
)

from fw_pipeline.orchestration.asset_checks import NO_WARNINGS, RULES_HOLD
from fw_pipeline.orchestration.failures import failure_lines
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


CHAIN = {
    "marts.above": ["marts.x"],
    "marts.top": ["marts.above", "marts.other", "marts.x"],
    "marts.below": ["marts.top", "marts.above"],
}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ("select 3 as share", "marts.x: rule share_in_set does not hold: 1 of 1 rows"),
        ("select nothing from nowhere", "marts.x: Catalog Error: Table with name nowhere does not exist!"),
    ],
)
def test_what_reads_a_table_that_failed_stays_as_it_was_the_rest_is_built_and_nothing_is_published(
    tmp_path: Path, wrong: str, complaint: str, capfd: pytest.CaptureFixture[str]
) -> None:
    tables = ("marts.x", "marts.above", "marts.other", "marts.top", "marts.below")
    house = House(tmp_path, dict.fromkeys(tables, "select 1 as share"), CHAIN)
    assert house.run().success
    house.sql |= {"marts.x": wrong, **dict.fromkeys(tables[1:], "select 2 as share")}
    done = house.run()
    assert not done.success
    [line] = failure_lines(done.all_events)
    assert line.startswith(complaint)
    assert re.findall(r"marts.\w+ is not built.*", capfd.readouterr().err) == [
        "marts.above is not built: marts.x failed",
        "marts.top is not built: marts.x failed; it reads marts.above, which was not built",
        "marts.below is not built: it reads marts.top, which was not built; it reads marts.above, which was not built",
    ]
    assert {relation: house.rows(relation) for relation in tables[1:]} == {
        "marts.above": [(1,)], "marts.other": [(2,)], "marts.top": [(1,)], "marts.below": [(1,)],
    }  # fmt: skip
    assert "publish" not in materialised(done)
    assert {"marts/other"} <= set(materialised(done)) <= {"marts/x", "marts/other"}


def test_a_table_that_would_come_out_the_same_is_kept_with_what_was_proved_of_it(tmp_path: Path) -> None:
    sql = {"marts.x": "select 1 as share", "marts.above": "select min(share) as share from marts.x"}
    house = House(tmp_path, sql | {"marts.other": "select 1 as share"}, CHAIN)
    told: list[tuple[str, str]] = []
    house.pipeline.progress = lambda stage, what: told.append((stage, what.partition(":")[0]))

    def again(**changed: str) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        house.sql |= {f"marts.{name}": sql for name, sql in changed.items()}
        told.clear()
        done = house.run()
        assert done.success
        assert [check.passed for check in done.get_asset_check_evaluations()] == [True] * 3, "each check has its result"
        made = done.asset_materializations_for_node("build")
        return {"/".join(it.asset_key.path): it.metadata["made"].value for it in made}, [*told]

    first, _ = again()
    assert first == dict.fromkeys(["marts/x", "marts/above", "marts/other"], "anew")
    kept, steps = again()
    assert {*kept.values()} == {"earlier: nothing has changed that it is made from"}
    assert steps == [("keep", name) for name in ("marts.x", "marts.above", "marts.other")]
    _, steps = again(x="select 1 as share union all select 2")
    assert steps == [
        ("build", "marts.x"), ("check", "marts.x"), ("build", "marts.above"), ("keep", "marts.other"),
    ], "what comes out equal stops the change there, and its rules hold as before"  # fmt: skip
    house.rules = [*RULES, *SMALL]
    done = house.run()
    [warned] = [check for check in done.get_asset_check_evaluations() if not check.passed]
    assert (warned.asset_key.path, warned.check_name) == (["marts", "x"], NO_WARNINGS)
    assert told[-6:].count(("check", "marts.x")) == 1, "a new rule is run"


def test_one_table_can_be_built_alone_and_says_that_the_published_file_is_unchanged(tmp_path: Path) -> None:
    house = House(tmp_path, {"marts.x": "select 1 as share", "marts.y": "select 2 as share"})
    done = house.run(only=["marts.y"])
    [made] = done.asset_materializations_for_node("build")
    assert (made.asset_key.path, made.metadata["dagster/row_count"].value) == (["marts", "y"], 1)
    assert made.metadata["published file"].value == "unchanged until publish runs"
    assert house.rows("marts.x") is None
    whole = house.run()
    assert all("published file" not in made.metadata for made in whole.asset_materializations_for_node("build"))
