"""A check that does not hold says what to do about the table as it is: an empty one has no failing rows to look at."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from dagster import AssetCheckEvaluation, AssetCheckSeverity, Definitions, asset, define_asset_job

from fw_pipeline import expectations
from fw_pipeline.orchestration.checks import table_checks
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.orchestration.running import failure_lines
from fw_pipeline.settings import read

RULES = expectations.implied((), ("share",), values={"share": (1, 2)})


def checked(
    folder: Path, sql: str | None, relation: str = "marts.x"
) -> tuple[Sequence[AssetCheckEvaluation], list[str]]:
    """Return what the checks of a table say, and the lines that a user reads, once it is built from SQL."""
    pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(folder)}, dotenv=Path("none")))

    @asset(key=relation.split("."))
    def table() -> None:
        if sql:
            with pipeline.writing() as writer:
                writer.build(relation, sql, description="", columns={})

    definitions = Definitions(
        assets=[table], asset_checks=[table_checks(relation, RULES)], jobs=[define_asset_job("build")],
        resources={"pipeline": pipeline},
    )  # fmt: skip
    done = definitions.resolve_job_def("build").execute_in_process(raise_on_error=False)
    return done.get_asset_check_evaluations(), failure_lines(done.all_events)


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("select 1 as share where false", "its sources have months: mend its SQL or what it reads; if none is right"),
        ("select 3 as share", "look at the failing rows; if the figures are wrong, fetch those months again"),
        (None, "build it: fw-pipeline rebuild"),
    ],
)
def test_the_remedy_fits_what_is_there(tmp_path: Path, sql: str | None, remedy: str) -> None:
    evaluations, lines = checked(tmp_path, sql)
    broken = [each for each in evaluations if not each.passed]
    assert broken
    for each in broken:
        assert str(each.metadata["remedy"].value).startswith(remedy)
        assert ("failing rows" in each.metadata) is ("failing rows" in remedy)
    assert lines
    assert all(f"; nothing was published; {remedy}" in line for line in lines), lines


def test_a_table_without_rows_is_one_line(tmp_path: Path) -> None:
    evaluations, lines = checked(tmp_path, "select 1 as share where false")
    assert sum(not each.passed for each in evaluations) == len(RULES) > 1
    [line] = lines
    assert line.startswith("marts.x: rule at_least_one_row does not hold: no rows. Without rows every other rule would")


def test_a_table_of_a_source_without_months_is_a_warning_that_says_so_and_keeps_nobody(tmp_path: Path) -> None:
    evaluations, lines = checked(tmp_path, "select 1 as share where false", "raw.pypi")
    assert lines == []
    assert {each.severity for each in evaluations} == {AssetCheckSeverity.WARN}
    assert {each.passed for each in evaluations} == {False}, "never green with no data"
    assert {each.metadata["observed"].value for each in evaluations} == {"no rows: no month of pypi has come in"}
