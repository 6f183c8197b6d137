"""`run` on the recorded figures: what is published, and one line with the exit status for everything that is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.cli.run_commands import _finish
from fw_pipeline.orchestration.jobs import Launched
from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.warehouse import query
from fw_pipeline_tests.support.command import Done, fw_pipeline


def rows(data: Path, sql: str) -> list[tuple[object, ...]]:
    return query(data / "warehouse.duckdb", sql).rows()


def content(data: Path) -> dict[str, pl.DataFrame]:
    """Every table of the published file, without the marks of the moment."""
    listed = rows(data, "select schema_name || '.' || table_name from duckdb_tables() order by all")
    moment = "columns(lambda c: c not in ('observed_at', 'run_id', 'vintage', 'at', 'evidence', 'listing', 'turn'))"
    return {
        str(name): query(data / "warehouse.duckdb", f"select {moment} from {name} order by all") for (name,) in listed
    }


def assert_same(one: dict[str, pl.DataFrame], other: dict[str, pl.DataFrame]) -> None:
    assert list(one) == list(other)
    different = [name for name in one if not one[name].equals(other[name])]
    assert different == []


def verdict(data: Path, claim: str, definition: str, as_of: str) -> tuple[float, str]:
    found = rows(
        data,
        "select value, verdict from marts.verdicts "
        f"where claim = '{claim}' and definition = '{definition}' and as_of = date '{as_of}-01'",
    )
    assert len(found) == 1, found
    return found[0]  # type: ignore[return-value]


def test_tensorflow_questions_are_twice_pytorchs_as_of_2022_06_and_no_more_in_2023(recorded_once: Path) -> None:
    definition = "questions in the month, recorded"
    value, said = verdict(recorded_once, "C2", definition, "2022-06")
    assert (round(value, 1), said) == (1.9, "supported")
    value, said = verdict(recorded_once, "C2", definition, "2023-01")
    assert (round(value, 2), said) == (1.33, "refuted")
    value, said = verdict(recorded_once, "C2", definition, "2023-05")
    assert (round(value, 2), said) == (1.02, "refuted")


def test_the_published_file_holds_every_recorded_figure(recorded_once: Path) -> None:
    assert rows(recorded_once, "select count(*) from raw.stackoverflow") == [(442,)]
    assert rows(recorded_once, "select count(*) from raw.pypi") == [(5178,)]
    venues = """
        select count(distinct (month, venue)) from (
            select month, venue from raw.papers where population = 'nine venues'
            union all select month, venue from raw.papers_unpartitioned where population = 'nine venues'
        )
    """
    assert rows(recorded_once, venues) == [(35,)]
    yearly = """
        select year(month), sum(questions) from raw.stackoverflow
        where tagged = 'tensorflow' and year(month) in (2018, 2020, 2022) group by all order by all
    """
    assert rows(recorded_once, yearly) == [(2018, 14307), (2020, 20629), (2022, 11301)]


def test_torch_passes_tensorflow_in_the_month_that_each_series_shows(recorded_once: Path) -> None:
    passed = rows(
        recorded_once,
        """
        select series, strftime(crossed, '%Y-%m') from marts.crossovers
        where source = 'pypi' and leader = 'tensorflow' and challenger = 'pytorch' and metric = 'downloads_per_day'
        """,
    )
    found = {series: month for series, month in passed}  # noqa: C416 - rows are not typed as pairs
    assert found["StarScout, all"] == "2024-01"
    assert found["top-pypi-packages (BigQuery), pip"] == "2024-03"


def test_a_gap_is_no_zero_and_says_why(recorded_once: Path) -> None:
    found = {
        str(month)[:7]: (status, reason)
        for month, status, reason in rows(
            recorded_once, "select month, status, reason from meta.coverage where source = 'pypi'"
        )
    }
    assert found["2016-04"][0] == "gap"
    assert "not recorded" in str(found["2016-04"][1])
    assert found["2024-09"][0] == "partial"
    assert found["2025-05"][0] == "gap"
    assert found["2023-01"][0] == "present"
    zero = "select count(*) from marts.framework_metrics where source = 'pypi' and value = 0"
    assert rows(recorded_once, zero) == [(0,)]
    missing = "select value, gap_reason is not null from marts.framework_metrics where source = 'pypi' "
    assert set(rows(recorded_once, missing + "and month = date '2016-04-01'")) == {(None, True)}


def test_a_sample_does_not_carry_a_claim_about_the_whole(recorded_once: Path) -> None:
    samples = "('1000 most downloaded', 'recent and trending, open licence', 'papers with code sample')"
    said = rows(recorded_once, f"select distinct verdict from marts.verdicts where series in {samples}")
    assert said == [("insufficient_data",)]
    why = rows(recorded_once, f"select why from marts.verdicts where series in {samples} and claim = 'C11'")
    assert len(why) > 1
    assert all("sample" in str(line).lower() for (line,) in why)


@pytest.mark.long
def test_a_second_run_changes_nothing_and_says_which_months_it_cannot_reach(recorded: Path) -> None:
    before = content(recorded)
    vintages = sorted(path.name for path in (recorded / "raw").rglob("*.parquet"))
    done = fw_pipeline(recorded, "run", "--source", "stackoverflow", "--from", "2023-04", "--to", "2023-07")
    assert done.status == 1
    assert len(done.complaints) == 1
    assert "stackoverflow 2023-06 to 2023-07: the recorded figures end in 2023-05" in done.complaints[0]
    assert sorted(path.name for path in (recorded / "raw").rglob("*.parquet")) == vintages
    assert_same(before, content(recorded))
    said = " ".join(done.out.split())
    assert said.startswith("Is TensorFlow dying a slow death?"), "a run ends with the answer"
    assert "PyTorch passed TensorFlow in downloads in January 2024" in said
    assert done.err.splitlines()[-2] == f"report    {recorded / 'report' / 'index.html'}"


def own_recorded(data: Path) -> Path:
    """Give a data folder recorded figures of its own, to spoil."""
    folder = data / "recorded"
    shutil.copytree(PROJECT_DIR / "data" / "recorded", folder, dirs_exist_ok=True)
    return folder


def spoil(data: Path, name: str, change: Callable[[list[str]], list[str]]) -> None:
    path = own_recorded(data) / name
    path.write_text("\n".join(change(path.read_text(encoding="utf-8").splitlines())) + "\n", encoding="utf-8")


def replaced(old: str, new: str) -> Callable[[list[str]], list[str]]:
    def change(lines: list[str]) -> list[str]:
        found = next(number for number, line in enumerate(lines) if line.startswith(old))
        return [*lines[:found], lines[found].replace(old, new, 1), *lines[found + 1 :]]

    return change


BAD_ROW = ("pypi.csv", replaced("2020-05-01,torch,", "2020-05-01,tortch,"))
"""A package that nobody knows; every other fault is put to the provider itself."""


@pytest.mark.long
def test_in_an_empty_folder_one_source_with_a_bad_row_is_published_without_its_month_and_without_the_others(
    tmp_path: Path,
) -> None:
    spoil(tmp_path, *BAD_ROW)
    done = fw_pipeline(tmp_path, "run", "--source", "pypi", "--from", "2020-04", "--to", "2020-06")
    assert done.status == 1
    (line,) = done.complaints
    assert line.startswith("fw-pipeline: pypi (recorded) 2020-05: ")
    assert "; " in line
    assert done.err.splitlines()[-1] == (
        f"published {tmp_path / 'warehouse.duckdb'}: pypi 2020-04 to 2020-06 (2 months); "
        "not huggingface, papers, stackoverflow, of which no month has come in; "
        "not all that was asked for: the line above says why"
    )
    assert (tmp_path / "report" / "index.html").exists()
    assert rows(tmp_path, "select distinct month::varchar from raw.pypi order by all") == [
        ("2020-04-01",),
        ("2020-06-01",),
    ]
    [(comment,)] = rows(tmp_path, "select comment from duckdb_tables() where table_name = 'stackoverflow_comparison'")
    assert str(comment).endswith(" Empty here: no month of stackoverflow has come in.")
    assert rows(tmp_path, "select source from meta.sources where why_none is null") == [("pypi",)]
    assert rows(tmp_path, "select distinct verdict from marts.verdicts where claim = 'C2'") == [("insufficient_data",)]
    warned = "select distinct severity, passed from meta.validations where contains(observed, 'has come in')"
    assert rows(tmp_path, warned) == [("warning", False)], "never green with no data"


@pytest.mark.long
def test_a_truncated_vintage_is_one_line_and_the_next_good_run_repairs_that_and_a_bad_row(recorded: Path) -> None:
    before = content(recorded)
    vintage = next(v for v in VintageStore(recorded).vintages("pypi") if str(v.month) == "2020-05-01")
    vintage.path.write_bytes(vintage.path.read_bytes()[:100])
    shutil.rmtree(recorded / ".work")
    done = fw_pipeline(recorded, "rebuild")
    assert done.status == 1
    assert len(done.complaints) == 1
    assert "pypi 2020-05: vintage" in done.complaints[0]
    assert "fetch it again" in done.complaints[0]
    assert_same(before, content(recorded))
    spoil(recorded, *BAD_ROW)
    assert fw_pipeline(recorded, "run", "--source", "pypi").status == 1
    refused = "select reason from meta.coverage where source = 'pypi' and month = date '2020-05-01'"
    assert "unknown name 'tortch'" in str(rows(recorded, refused)), "its damaged vintage was set aside"
    shutil.rmtree(recorded / "recorded")
    assert fw_pipeline(recorded, "run", "--source", "pypi").status == 0
    after = content(recorded)
    for history in (
        "raw.pypi_vintages",
        "marts.drift",
        "marts.figure_history",
        "meta.builds",
        "meta.loads",
        "meta.statements",
        "meta.validations",
    ):
        before.pop(history), after.pop(history)  # the other file was another observation of the same figures
    assert_same(before, after)


def test_each_failure_is_one_line_with_its_remedy_without_a_traceback_or_a_secret(recorded: Path) -> None:
    (own_recorded(recorded) / "papers.csv").unlink()
    (recorded / "recorded" / "pypi.csv").write_bytes(b"\xff\xfe broken")
    done: Done = fw_pipeline(recorded, "run", "--source", "papers", "--source", "pypi", HF_TOKEN="hf_do_not_print_me")
    assert done.status == 1
    papers, pypi = sorted(done.complaints)
    assert "papers.csv is missing" in papers
    assert "restore it from the repository" in papers
    assert "pypi.csv line 1 is not valid UTF-8" in pypi
    assert "Traceback" not in done.err
    assert "hf_do_not_print_me" not in done.err + done.out


def test_a_run_that_fails_says_so_where_the_file_here_is_of_another_data_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / ".work").mkdir()
    (tmp_path / ".work" / "published-version").write_text("version\ns3://bucket/a")
    published = tmp_path / "warehouse.duckdb"
    published.touch()
    settings = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))
    with pytest.raises(SystemExit):
        _finish(settings, Launched(published=False, failures=("pypi: no answer; run again",)))
    said = f"{published} was published for s3://bucket/a, and none for {tmp_path}: the line above says why"
    assert capsys.readouterr().err.splitlines()[-1] == f"nothing was published, and {said}"
