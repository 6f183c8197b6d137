"""The small recorded tables: what they hold, and one line for each thing that can be wrong with a file of them."""

from __future__ import annotations

import csv
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from fw_pipeline.catalog.frameworks import FRAMEWORKS, LANGUAGES, PACKAGES
from fw_pipeline.definitions import load_models
from fw_pipeline.errors import PipelineError
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.context import Pipeline
from fw_pipeline.transform.seed_csv import RecordedTable
from fw_pipeline.transform.seed_tables import RECORDED_TABLES
from fw_pipeline.transform.seeds import SEEDS
from fw_pipeline_tests.support.recorded_files import SHIPPED

TABLES: Mapping[str, RecordedTable] = {table.name: table for table in RECORDED_TABLES}


def rows(name: str) -> list[dict[str, Any]]:
    return TABLES[name].read(SHIPPED)


def only(name: str, **wanted: Any) -> dict[str, Any]:
    (found,) = [row for row in rows(name) if all(row[column] == value for column, value in wanted.items())]
    return found


# --- What is there


def test_every_file_beside_the_figures_is_a_table_and_a_seed() -> None:
    files = {path.stem for path in SHIPPED.glob("*.csv")} - set(SOURCES)
    assert files == set(TABLES)
    assert files <= {seed.name for seed in SEEDS}


def test_stack_overflow_has_two_breaks_and_each_says_which_way_it_bends() -> None:
    breaks = [row for row in rows("outages") if row["source"] == "stackoverflow"]
    assert [(row["first_day"], row["bias"]) for row in breaks] == [
        (date(2019, 4, 1), "later is higher"),
        (date(2020, 4, 1), "later is higher"),
    ]
    assert {row["kind"] for row in breaks} == {"break"}


def test_what_stalled_one_server_is_said_of_every_series_that_reads_it() -> None:
    stalled = Counter(row["series"] for row in rows("outages") if "stalled" in row["effect"])
    assert stalled == {"clickpy": 3, "top-pypi-packages (ClickHouse)": 2, "dashdown-pypi-stats": 1}


def test_all_authors_are_split_and_nothing_is_known_after_the_middle_of_2019() -> None:
    found = {(row["base_framework"], row["later_framework"]): row["authors"] for row in rows("author_cohorts")}
    assert [found["tensorflow", later] for later in ("pytorch", "both", "tensorflow")] == [120, 75, 177]
    assert [found["pytorch", later] for later in ("pytorch", "both", "tensorflow")] == [164, 24, 35]
    assert {row["until"] for row in rows("author_cohorts")} == {date(2019, 6, 1)}


def test_pairs_of_tags_are_whole_and_single_tags_of_2018_are_bounds() -> None:
    listings = rows("question_listings")
    assert {row["side"] for row in listings if ";" in row["tagged"]} == {"exact"}
    bounds = [row for row in listings if row["side"] == "at least"]
    assert {row["tagged"] for row in bounds} == {"keras", "pytorch", "tensorflow"}
    assert {row["origin"] for row in bounds} == {"madelinezec/PLS-NLP-Stackoverflow"}
    low = next(row for row in bounds if row["tagged"] == "pytorch" and row["month"] == date(2018, 1, 1))
    later = only("question_listings", tagged="pytorch", month=date(2018, 1, 1), side="exact")
    assert (low["questions"], later["questions"]) == (48, 64)


def test_a_listing_never_has_more_than_one_of_the_tags_alone() -> None:
    listings = rows("question_listings")
    alone = {(row["origin"], row["month"], row["tagged"]): row["questions"] for row in listings}
    for (origin, month, tagged), questions in alone.items():
        first = tagged.split(";")[0]
        assert questions <= alone.get((origin, month, first), questions), (origin, month, tagged)


def test_totals_bound_what_the_list_of_related_tags_leaves_out() -> None:
    assert (
        only("question_totals", tagged="tensorflow;c++", origin="samuel-fringeli/stackoverflow-tags")["questions"]
        == 936
    )
    absent = only("question_totals", tagged="tensorflow;julia", observed_on=date(2021, 11, 30))
    assert (absent["side"], absent["questions"]) == ("at most", 375)
    family = only("question_totals", tagged="tensorflow;haskell", observed_on=date(2023, 6, 3))
    assert (family["side"], family["questions"]) == ("at most", 2)
    assert "too high" in family["method"]
    year = only("question_totals", tagged="tensorflow", asked_from=date(2018, 1, 1))
    assert (year["side"], year["questions"]) == ("at most", 18271)


def test_no_bound_contradicts_a_recorded_figure() -> None:
    with (SHIPPED / "pypi.csv").open(encoding="utf-8", newline="") as stream:
        figures = {
            (f"{row['origin']}, {row['installers']}", row["month"], row["package"]): int(row["downloads"])
            for row in csv.DictReader(stream)
        }
    bounds = [row for row in rows("bounds") if row["source"] == "pypi"]
    assert bounds
    for row in bounds:
        assert (row["series"], f"{row['month']}", row["key"]) not in figures, "a package in the list has a figure"
        assert (row["side"], bool(row["days_covered"])) == ("at most", True)
    assert {row["key"] for row in bounds} <= {it.name for it in PACKAGES}


def test_projects_of_google_by_framework() -> None:
    projects = [set(row["frameworks"]) for row in rows("google_projects")]
    named = [project for project in projects if project]
    assert (len(projects), len(named)) == (136, 120)
    assert sum("tensorflow" in project for project in named) == 98
    assert sum(project == {"tensorflow"} for project in named) == 73
    assert Counter(row["is_sample"] for row in rows("google_projects")) == {False: 58, True: 78}


def test_samples_are_windows_of_a_few_days() -> None:
    for row in rows("question_samples"):
        assert 7 < (row["last_question"] - row["first_question"]).days < 12
        assert row["first_question"].tzinfo is UTC


def test_bindings_name_languages_that_are_asked_for_and_where_each_is_documented() -> None:
    bindings = rows("bindings")
    assert {row["language"] for row in bindings} <= set(LANGUAGES)
    assert {row["framework"] for row in bindings} <= {it.name for it in FRAMEWORKS}
    official = {(row["framework"], row["language"]) for row in bindings if row["kind"] == "official"}
    assert {("tensorflow", "javascript"), ("tensorflow", "java"), ("tensorflow", "c++")} <= official
    community = {row["language"] for row in bindings if (row["framework"], row["kind"]) == ("tensorflow", "community")}
    assert community == {"julia", "rust", "scala", "haskell"}


def test_what_was_computed_from_a_series_here_says_so() -> None:
    computed = {row["computed_from"] for row in rows("published_figures")}
    assert computed == {None, "recorded", "nine venues", "StarScout", "top-pypi-packages"}
    nearly_twice = only("published_figures", source="Analytics India Magazine 2022: nearly twice")
    assert (nearly_twice["value"], nearly_twice["tolerance"]) == (2, 0.25)


# --- What is wrong is one line


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("outages", "stackoverflow,2019-04-01,", "stackoverflow,,", "first_day is empty"),
        ("outages", "stackoverflow,2019-04-01,2019-04-01", "stackoverflow,2019-04,2019-04-01", "'2019-04', which"),
        ("outages", "2019-04-01,2019-04-01", "2019-04-01,2019-03-01", "last_day 2019-03-01 lies before first_day"),
        ("outages", "later is higher", "later is worse", "'later is worse', not one of: later is higher, later"),
        ("outages", "distorted,clickpy,", "distorted,clickpy,later is lower", "only a break has one"),
        ("outages", ",lost,", ",losst,", "kind is 'losst', not one of: break, distorted, lost"),
        ("bounds", ",at most,", ",,", "side is empty"),
        ("bounds", ",at most,", ",exact,", "side is 'exact', not one of: at least, at most"),
        ("bounds", ",2018-01-01,", ",2018-01-31,", "month 2018-01-31 is not the first day of a month"),
        ("question_listings", ",exact,", ",at most,", "side is 'at most', not one of: at least, exact"),
        ("question_totals", "2021-11-30,", "2021-11-31,", "'2021-11-31', which is not a date"),
        ("question_totals", ",exact,", ",about,", "side is 'about'"),
        ("author_cohorts", ",24,", ",24.5,", "authors is '24.5', which is not a whole number"),
        ("google_projects", ",true,", ",yes,", "is_sample is 'yes', which is not true or false"),
        ("question_samples", "2023-03-26 08:32:22,", "26 March,", "first_question is '26 March', which is not a time"),
        ("bindings", ",official,", ",semi-official,", "kind is 'semi-official'"),
        ("published_figures", ",1.88,", ",x,", "value is 'x', which is not a number"),
        ("events", "2019-09-30,TensorFlow 2.0,", "2019-09-30,", "has not as many cells as the header"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_with_its_file_and_number(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    text = (SHIPPED / f"{name}.csv").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / f"{name}.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    with pytest.raises(PipelineError) as raised:
        TABLES[name].read(tmp_path)
    assert str(raised.value).startswith(f"recorded {name}.csv line {line}: ")
    assert told in str(raised.value)
    assert str(raised.value).endswith("; correct the line, or restore the file from the repository")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", sorted(TABLES))
def test_a_line_that_is_there_twice_is_told(tmp_path: Path, name: str) -> None:
    lines = (SHIPPED / f"{name}.csv").read_text(encoding="utf-8").splitlines()
    (tmp_path / f"{name}.csv").write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    with pytest.raises(
        PipelineError, match=rf"recorded {name}\.csv line {len(lines) + 1}: \(.*\) is in line 2 already"
    ):
        TABLES[name].read(tmp_path)


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (None, "cannot be read"),
        (b"\xff", "cannot be read"),
        (b"", "has the columns '', not 'day,event"),
        (b"day,what\n", "has the columns 'day,what', not 'day,event,frameworks,reference'"),
    ],
)
def test_a_file_that_is_no_such_table_is_told(tmp_path: Path, body: bytes | None, told: str) -> None:
    if body is not None:
        (tmp_path / "events.csv").write_bytes(body)
    with pytest.raises(PipelineError) as raised:
        TABLES["events"].read(tmp_path)
    assert told in str(raised.value)
    assert str(raised.value).endswith("; restore it from the repository")


def test_a_package_that_is_admitted_twice_is_one_line(tmp_path: Path) -> None:
    settings = read({"FW_DATA_DIR": str(tmp_path)}, dotenv=Path("none"))
    made = Pipeline(SOURCES, load_models(), given=settings, clock=lambda: datetime(2026, 11, 22, tzinfo=UTC))
    (seed,) = [seed for seed in SEEDS if seed.name == "packages"]
    twice = replace(seed, rows=lambda pipeline: [*seed.rows(pipeline), *seed.rows(pipeline)][: len(PACKAGES) + 1])
    with pytest.raises(PipelineError) as raised:
        twice.frame(made)
    assert str(raised.value) == "meta.packages: tensorflow is there twice; leave one of them in the catalogue"


def test_files_that_a_folder_of_ones_own_holds_are_read_from_there(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "events.csv", tmp_path / "events.csv")
    with (tmp_path / "events.csv").open("a", encoding="utf-8") as stream:
        stream.write("2026-01-01,something,all,somebody\n")
    assert len(TABLES["events"].read(tmp_path)) == len(rows("events")) + 1
