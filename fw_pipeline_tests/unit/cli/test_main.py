"""The command line on the recorded figures: the answers, the exit status, and one line for everything that is wrong."""

from __future__ import annotations

import csv
import io
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.paths import PROJECT_DIR
from fw_pipeline.raw import VintageStore
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


def test_verdicts_answer_as_a_table_as_json_and_as_csv(recorded_once: Path) -> None:
    table = fw_pipeline(recorded_once, "verdicts")
    assert (table.status, "C2" in table.out) == (0, True)
    assert "last: refuted 2023-05" in table.out, "the last verdict that figures carried"
    as_json = json.loads(fw_pipeline(recorded_once, "verdicts", "--format", "json").out)
    as_csv = list(csv.DictReader(io.StringIO(fw_pipeline(recorded_once, "verdicts", "--format", "csv").out)))
    assert [row["claim"] for row in as_json] == [row["claim"] for row in as_csv]
    assert {row["verdict"] for row in as_json} <= {
        "supported", "refuted", "mixed", "not_yet", "came_true", "insufficient_data", "not_measurable",
    }  # fmt: skip
    last = next(row for row in as_json if row["claim"] == "C2")
    assert (last["verdict"], last["carried_verdict"], last["carried_measured"]) == (
        "insufficient_data", "refuted", "2023-05-01",
    )  # fmt: skip


def test_the_verdicts_fit_80_columns_and_say_what_decided_without_contradicting_themselves(
    recorded_once: Path,
) -> None:
    lines = fw_pipeline(recorded_once, "verdicts").out.splitlines()
    assert lines[1].split() == ["claim", "title", "verdict", "figures", "of", "why"]
    assert max(map(len, lines)) <= 80
    headlines = json.loads(fw_pipeline(recorded_once, "verdicts", "--format", "json").out)
    for row in headlines:
        [line] = [line for line in lines if line.split()[:1] == [row["claim"]]]
        agreeing = {"supported": "sources_for", "came_true": "sources_for", "refuted": "sources_against"}
        if row["verdict"] in agreeing:
            cast = sum(len(row[f"sources_{vote}"]) for vote in ("for", "against", "mixed"))
            assert f"{len(row[agreeing[row['verdict']]])} of {cast} source" in line
            assert row["measured"][:7] in line
        else:
            assert " of " not in line.partition("not ")[2], line
    [predicted] = [line for line in lines if line.startswith("C25 ")]
    assert "came true        2026-06     1 of 1 source; since" in predicted


def test_one_claim_begins_with_quote_sentence_and_the_verdicts_of_then_and_now(recorded_once: Path) -> None:
    told = fw_pipeline(recorded_once, "verdicts", "--claim", "C2").out
    assert max(map(len, told.splitlines())) <= 80
    first = " ".join(told.partition("By each definition")[0].split())
    assert first.startswith(
        "C2 Twice as many questions on TensorFlow as on PyTorch "
        'said "almost twice as many questions about StackOverflow every month as PyTorch" '
        "in short No verdict: the last figures that decide are of May 2023, when it was refuted: 1.02 questions"
    )
    assert (
        " 2023-01 refuted by figures of 2023-01; 1 of 1 source (the article appeared in this month)"
        " 2026-10 not enough data; last: refuted 2023-05 judged by The article speaks of" in first
    )
    then = fw_pipeline(recorded_once, "verdicts", "--claim", "C2", "--as-of", "2023-01").out
    assert "in short   Refuted: 1.33 questions on TensorFlow for each one on PyTorch" in then
    assert then.count("refuted by figures of 2023-01") == 1
    assert "votes      against stackoverflow" in then
    models = fw_pipeline(recorded_once, "verdicts", "--claim", "C11", "--as-of", "2025-04").out
    assert "\N{GREATER-THAN OR EQUAL TO} 0.9316" in models
    assert "A sample: " in models, "what keeps a definition from deciding is a note below"


def test_a_figure_that_is_too_old_is_shown_and_said_to_be(recorded_once: Path) -> None:
    record = json.loads(fw_pipeline(recorded_once, "verdicts", "--claim", "C2", "--format", "json").out)
    assert {(row["as_of"], row["verdict"], row["counts"]) for row in record} == {("2023-05-01", "refuted", False)}
    assert "refuted (old)" in fw_pipeline(recorded_once, "verdicts", "--claim", "C2").out


def test_verdicts_as_of_a_month_are_those_of_that_month(recorded_once: Path) -> None:
    def headline(as_of: str) -> str:
        found = json.loads(fw_pipeline(recorded_once, "verdicts", "--as-of", as_of, "--format", "json").out)
        return str(next(row["verdict"] for row in found if row["claim"] == "C2"))

    assert headline("2022-06") == "supported"
    assert headline("2023-01") == "refuted"
    never = fw_pipeline(recorded_once, "verdicts", "--as-of", "2014-01", "--claim", "C2", "--explain")
    assert (never.status, never.out) == (1, "")
    assert "claim 2014-01: no verdict is given as of this month; choose a month from 2015-11 to" in never.err


def test_status_is_a_line_for_each_source_with_the_months_that_are_published(recorded_once: Path) -> None:
    done = fw_pipeline(recorded_once, "status")
    lines = done.out.splitlines()
    assert lines[1].split() == ["source", "provider", "months", "last", "month", "behind", "stale", "next"]
    assert max(map(len, lines)) <= 80
    assert len(lines) < 15
    told = json.loads(fw_pipeline(recorded_once, "status", "--format", "json").out)
    published = rows(recorded_once, "select source, months from meta.sources order by source")
    assert sorted((row["source"], row["months"]) for row in told) == published
    assert re.search(r"^stackoverflow +recorded +91 +2023-05 +\d+ +no +1 *$", done.out, re.MULTILINE)
    assert "  1  the recorded figures end in 2023-05; set FW_MODE=live" in lines


def test_the_months_of_status_say_what_would_complete_them(recorded_once: Path) -> None:
    done = fw_pipeline(recorded_once, "status", "--months", "--format", "json")
    months = json.loads(done.out)
    assert {row["status"] for row in months} == {"present", "partial", "gap", "missing"}
    late = next(row for row in months if row["source"] == "stackoverflow" and row["month"] == "2024-01-01")
    assert late["status"] == "missing"
    assert "FW_MODE=live" in late["reason"]
    table = fw_pipeline(recorded_once, "status", "--months").out
    [stretch] = re.findall(r"^stackoverflow +2023-06 .*missing +(.*)$", table, re.MULTILINE)
    notes = dict(re.findall(r"^ +(\d+) +(.+)$", table, re.MULTILINE))
    assert [notes[number].partition(":")[0] for number in stretch.split()] == [late["reason"], "set FW_MODE=live"]


def test_sql_reads_the_published_file_and_nothing_else(recorded_once: Path) -> None:
    done = fw_pipeline(recorded_once, "sql", "select count(*) as n from raw.pypi", "--format", "csv")
    assert (done.status, done.out) == (0, "n\n5178\n")
    refused = fw_pipeline(recorded_once, "sql", "select * from read_csv('/etc/passwd')")
    assert (refused.status, len(refused.complaints), refused.out) == (1, 1, "")


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "--from", "2023-13"], "write it YYYY-MM"),
        (["run", "--from", "2022-05", "--to", "2022-01"], "no range of closed months"),
        (["run", "--to", "2031-01"], "no range of closed months"),
        (["run", "--from", "2015-10"], "between 2015-11"),
        (["run", "--source", "npm"], "choose from stackoverflow"),
        (["verdicts", "--as-of", "june"], "write it YYYY-MM"),
        (["sql"], "Missing argument"),
        (["ui", "--port", "0"], "0 is not in the range"),
        (["status", "--months", "--settings"], "ask one of them"),
        (["no-such-command"], "No such command"),
    ],
)
def test_a_wrong_call_exits_2_and_says_what_is_right(tmp_path: Path, arguments: list[str], says: str) -> None:
    done = fw_pipeline(tmp_path / "data", *arguments)
    assert done.status == 2
    assert says in done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "data").exists()


def test_an_unknown_setting_exits_2_with_its_name(tmp_path: Path) -> None:
    done = fw_pipeline(tmp_path / "data", "run", FW_MODUS="live")
    assert done.status == 2
    assert "FW_MODUS is unknown; did you mean FW_MODE?" in done.err


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
    for history in ("raw.pypi_vintages", "marts.drift", "meta.loads", "meta.statements", "meta.validations"):
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
