"""The small tables: what they hold, and one line for each thing that can be wrong with a file of them."""

from __future__ import annotations

import csv
import re
import shutil
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from fw_pipeline.catalog.frameworks import FRAMEWORKS, LANGUAGES, PACKAGES, POPULATIONS
from fw_pipeline.errors import PipelineError
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.paths import SEEDS_DIR
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.seeds import Seed, seeds
from fw_pipeline_tests.support.recorded_files import SHIPPED
from fw_pipeline_tests.support.relations import models

TABLES: Mapping[str, Seed] = {seed.name: seed for seed in seeds()}
RECORDED = [name for name, seed in TABLES.items() if seed.document.rows_from == "recorded"]
SEEDS = [name for name, seed in TABLES.items() if seed.document.rows_from == "seeds"]


@dataclass(frozen=True)
class Folders:
    """Settings with the folders that a test names."""

    recorded_dir: Path = SHIPPED
    seeds_dir: Path = SEEDS_DIR


def rows(name: str, folder: Path | None = None) -> list[dict[str, Any]]:
    """Return the rows of a table that is read from a file; of a file in `folder`, if that is given."""
    folders = Folders() if folder is None else Folders(folder, folder)
    return TABLES[name].frame(Pipeline(SOURCES, (), given=cast("Settings", folders))).to_dicts()


def file_of(name: str) -> Path:
    return (SHIPPED if name in RECORDED else SEEDS_DIR) / f"{name}.csv"


def only(name: str, **wanted: Any) -> dict[str, Any]:
    (found,) = [row for row in rows(name) if all(row[column] == value for column, value in wanted.items())]
    return found


# --- What is there


def test_every_file_beside_the_figures_is_a_table_and_a_seed() -> None:
    files = {path.stem for path in SHIPPED.glob("*.csv")} - set(SOURCES)
    assert files == set(RECORDED)
    assert {path.stem for path in SEEDS_DIR.glob("*.csv")} == set(SEEDS)


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
        assert row["first_question"].utcoffset() == timedelta(0)


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


@pytest.fixture(scope="module")
def pipeline(tmp_path_factory: pytest.TempPathFactory) -> Pipeline:
    place = tmp_path_factory.mktemp("pipeline")
    return Pipeline(SOURCES, models(), given=read({"FW_DATA_DIR": str(place)}, dotenv=place / "none"))


@pytest.mark.parametrize("name", sorted(TABLES))
def test_every_table_keeps_the_grain_the_nulls_and_the_values_of_its_document(name: str, pipeline: Pipeline) -> None:
    made = TABLES[name].frame(pipeline)
    document = TABLES[name].document
    assert made.height or document.may_be_empty
    assert not made.select(document.grain).is_duplicated().any()
    filled = [column for column, its in document.columns.items() if not its.nullable]
    assert {column: made[column].null_count() for column in filled} == dict.fromkeys(filled, 0)
    limited = {column: its.values for column, its in document.columns.items() if its.values}
    for column, values in limited.items():
        assert {*made[column].drop_nulls()} <= {*(SOURCES if values == "sources" else values)}, column


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
        ("composite_weights", ',1,3,2,"Every', ',heavy,3,2,"Every', "weight is 'heavy', which is not a number"),
        ("composite_weights", ',1,3,2,"Every', ',-1,3,2,"Every', "the weight -1.0 is below zero"),
        ("composite_weights", ',1,3,2,"Every', ',nan,3,2,"Every', "weight is 'nan', which is not a number"),
        ("composite_weights", ',1,3,2,"Every', ',1,3,4,"Every', "4 months of a window of 3 cannot be asked for"),
        ("composite_weights", "three sources,stackoverflow", "three sources,reddit", "source is 'reddit', not one"),
        ("composite_weights", "three sources,stackoverflow,", "three sources,", "has not as many cells as the header"),
        ("headline_series", "pypi,2,", "pypi,second,", "rank is 'second', which is not a whole number"),
        ("headline_series", "pypi,2,", "pypi,0,", "rank 0 is below 1"),
        ("headline_series", "pypi,2,", "pypi,1,", "(pypi, 1) is in line"),
        ("headline_series", "pypi,2,", "conda,2,", "source is 'conda', not one of: huggingface"),
        ("headline_series", "pypi,2,", "pypi,,", "rank is empty"),
        ("packages", "torch,pytorch,core,", "torch,pytorch,kernel,", "role is 'kernel', not one of: core, dep"),
    ],
)  # fmt: skip
def test_a_bad_line_is_told_with_its_file_and_number(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    text = file_of(name).read_text(encoding="utf-8")
    assert old in text
    folder = tmp_path / file_of(name).parent.name
    folder.mkdir()
    (folder / f"{name}.csv").write_text(text.replace(old, new, 1), encoding="utf-8")
    line = text[: text.index(old)].count("\n") + 1
    with pytest.raises(PipelineError) as raised:
        rows(name, folder)
    assert str(raised.value).startswith(f"{folder.name}/{name}.csv line {line}: ")
    assert told in str(raised.value)
    assert str(raised.value).endswith("; correct the line, or restore the file from the repository")
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("name", sorted([*RECORDED, *SEEDS]))
def test_a_line_that_is_there_twice_is_told(tmp_path: Path, name: str) -> None:
    lines = file_of(name).read_text(encoding="utf-8").splitlines()
    (tmp_path / f"{name}.csv").write_text("\n".join([*lines, lines[1]]) + "\n", encoding="utf-8")
    with pytest.raises(PipelineError, match=rf"/{name}\.csv line {len(lines) + 1}: \(.*\) is in line 2 already"):
        rows(name, tmp_path)


def test_a_composite_without_any_weight_is_refused(tmp_path: Path) -> None:
    text = file_of("composite_weights").read_text(encoding="utf-8")
    (tmp_path / "composite_weights.csv").write_text(re.sub(r",1,(\d+),", r",0,\1,", text), encoding="utf-8")
    with pytest.raises(PipelineError, match="no weight at all"):
        rows("composite_weights", tmp_path)


def test_every_provider_and_population_that_counts_all_there_is_has_a_rank_and_no_sample_has_one() -> None:
    ranked = {row["definition"] for row in rows("headline_series")}
    providers = SOURCES["stackoverflow"].providers
    assert {f"questions in the month, {name}" for name in providers} <= ranked
    assert {f"models by tag, created in the month, hub{of}" for of in ("", ", parquet")} <= ranked
    papers = [it for it in POPULATIONS if it.source == "papers"]
    assert {f"papers in the month, {it.name}" for it in papers if not it.is_sample} <= ranked
    assert not any(definition.endswith(it.name) for it in POPULATIONS if it.is_sample for definition in ranked)


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
        rows("events", tmp_path)
    assert told in str(raised.value)
    assert str(raised.value).endswith("; restore it from the repository")


def test_a_definition_of_the_headline_has_one_rank(tmp_path: Path) -> None:
    text = file_of("headline_series").read_text(encoding="utf-8")
    (tmp_path / "headline_series.csv").write_text(text.replace("StarScout, all", "clickpy, all"), encoding="utf-8")
    with pytest.raises(PipelineError, match=r"\(pypi, downloads per day of the package, clickpy, all\) is in line"):
        rows("headline_series", tmp_path)


def test_files_that_a_folder_of_ones_own_holds_are_read_from_there(tmp_path: Path) -> None:
    shutil.copy(SHIPPED / "events.csv", tmp_path / "events.csv")
    with (tmp_path / "events.csv").open("a", encoding="utf-8") as stream:
        stream.write("2026-01-01,something,all,somebody\n")
    assert len(rows("events", tmp_path)) == len(rows("events")) + 1
