"""The recorded figures: all of them are there, and a month without figures says why."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.catalog.frameworks import PACKAGES
from fw_pipeline.months import Window, parse_month
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.recorded_files import SHIPPED, Bench

FACTS = Path(__file__).parents[3] / ".." / "shared" / "facts"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench.at(tmp_path)


# --- What is there


@pytest.mark.parametrize(
    ("source", "rows"),
    [("stackoverflow", 442), ("pypi", 5178), ("papers", 35 * 3 + 633), ("huggingface", 850 + 211 + 2)],
)
def test_no_recorded_figure_is_lost_on_the_way(bench: Bench, source: str, rows: int) -> None:
    answer = bench.ask(source)
    assert answer.failed is None
    assert answer.refused == []
    assert answer.rows.height == rows
    assert answer.rows.schema == SOURCES[source].table.schema
    assert all(batch.rows.schema == SOURCES[source].table.schema for batch in answer.batches)
    for month, figures in answer.months.items():
        if month is not None:
            assert figures["month"].unique().to_list() == [month]


def test_stack_overflow_years_add_up_and_interpolated_points_are_marked(bench: Bench) -> None:
    rows = bench.ask("stackoverflow").rows
    of = rows.filter(tagged="tensorflow").group_by(pl.col("month").dt.year()).agg(pl.col("questions").sum())
    years = dict(of.iter_rows())
    assert (years[2018], years[2020], years[2022]) == (14307, 20629, 11301)
    estimated = rows.filter(method="interpolated")
    assert estimated.height == 6
    assert estimated["observed_on"].null_count() == 6
    assert rows.filter(tagged="*").height == 91
    seen = rows.filter((pl.col("month") >= date(2020, 4, 1)) & (pl.col("method") != "interpolated"))
    assert (seen["observed_on"] == seen["month"].dt.offset_by("1mo")).all()
    late = rows.filter((pl.col("month") < date(2020, 4, 1)) & (pl.col("method") != "interpolated"))
    assert late["observed_on"].is_null().all()
    assert late["method"].str.ends_with("taken about 2020-04 (inferred)").all()


def test_pypi_figures_say_what_window_they_cover(bench: Bench) -> None:
    rows = bench.ask("pypi").rows
    months = rows.filter(pl.col("method").str.starts_with("calendar month"))
    assert (months["window_start"] == months["month"]).all()
    assert (months["days_covered"] == months["month"].dt.days_in_month()).all()
    added = rows.filter(pl.col("origin").str.starts_with("dashdown"))
    assert added["method"].str.starts_with("calendar month").all()
    assert sorted(added["month"].unique()) == [date(2026, month, 1) for month in range(3, 7)]
    windows = rows.filter(
        ~pl.col("method").str.starts_with("calendar month")
        & ~pl.col("origin").is_in(added["origin"].unique().to_list())
    )
    assert (windows["method"] == windows["days_covered"].cast(pl.String) + "-day window").all()
    taken = rows.filter(pl.col("origin").str.starts_with("top-pypi-packages"))
    day_after = pl.col("window_start") + pl.duration(days="days_covered")
    assert taken.filter(pl.col("observed_on") == day_after).height == taken.height > 0
    assert rows.filter(origin="StarScout")["observed_on"].is_null().all()
    first = rows.filter(package="torch", month=date(2024, 1, 1), installers="all")["downloads"].item()
    assert first > rows.filter(package="tensorflow", month=date(2024, 1, 1), installers="all")["downloads"].item()


def test_venues_keep_all_papers_beside_those_that_name_a_framework(bench: Bench) -> None:
    rows = bench.ask("papers").rows.filter(population="nine venues").explode("frameworks")
    assert rows.select("month", "venue").n_unique() == 35
    assert rows["venue"].n_unique() == 9
    assert rows.group_by("month", "venue").agg(pl.len())["len"].unique().to_list() == [3]
    year = rows.filter(pl.col("month").dt.year() == 2020).group_by("frameworks").agg(pl.col("papers").sum())
    papers = dict(year.iter_rows())
    assert round(papers["pytorch"] / (papers["pytorch"] + papers["tensorflow"]), 3) == 0.767
    assert round(papers["pytorch"] / papers["*"], 3) == 0.219


def test_papers_with_code_sample_is_whole_and_names_frameworks_by_the_catalogue(bench: Bench) -> None:
    rows = bench.ask("papers").rows.filter(population="papers with code sample")
    assert rows["repositories"].sum() == 2296
    named = dict(rows.group_by(pl.col("frameworks").list.join(";")).agg(pl.col("repositories").sum()).iter_rows())
    assert (named["pytorch"], named["tensorflow"], named[""]) == (960, 304, 909)
    assert rows["method"].str.contains("counted under each").all()


def test_hugging_face_samples_and_library_counts_are_whole(bench: Bench) -> None:
    rows = bench.ask("huggingface").rows
    models = dict(rows.group_by("population").agg(pl.col("models").sum()).iter_rows())
    assert models["1000 most downloaded"] == 999
    assert models["recent and trending, open licence"] == 15904
    counts = rows.filter(pl.col("population").str.starts_with("hub, by "))
    assert counts.height == 213
    assert counts["formats"].null_count() == 213
    early = counts.filter(observed_on=date(2022, 4, 1))
    assert dict(early.select("library", "models").iter_rows()) == {"PyTorch": 31939, "TensorFlow": 2669}
    assert early["method"].str.contains("inferred").all()
    assert rows.filter(~pl.col("population").str.starts_with("hub, by "))["formats"].null_count() == 0
    assert set(rows["observed_on"].unique()) == {
        date(2022, 4, 1),
        date(2025, 2, 1),
        date(2025, 3, 24),
        date(2026, 8, 22),
    }


def test_figures_without_a_month_partition_come_apart_and_last(bench: Bench) -> None:
    for source, rows in (("papers", 93), ("huggingface", 280)):
        answer = bench.ask(source, Window.of(date(2023, 1, 1), date(2023, 1, 1)))
        assert [batch.month for batch in answer.batches] == [date(2023, 1, 1), None]
        assert answer.months[None].height == rows
    early = bench.ask("papers").months[None].filter(population="nine venues")
    assert early.select("month", "venue").unique().rows() == [(date(2015, 6, 1), "CVPR")]


@pytest.mark.skipif(not FACTS.is_dir(), reason="the collection that the files were made from is not here")
def test_recorded_counts_equal_the_collection_they_were_made_from(bench: Bench) -> None:
    questions = pl.read_csv(FACTS / "stackoverflow_questions.csv")
    ours = bench.ask("stackoverflow").rows
    assert sorted(zip(ours["month"].dt.strftime("%Y-%m"), ours["tagged"], ours["questions"], strict=True)) == sorted(
        zip(questions["month"], questions["tag"].fill_null("*"), questions["questions"], strict=True)
    )
    columns = ["package", "downloads", "window_start", "installers", "origin"]
    files = ("pypi_downloads", "pypi_top_packages_deployment", "pypi_clickpy_2026")
    downloads = pl.concat(pl.read_csv(FACTS / f"{name}.csv", try_parse_dates=True).select(columns) for name in files)
    known = downloads.filter(
        pl.col("package").is_in([it.name for it in PACKAGES]),
        pl.col("window_start") < date(2026, 7, 1),  # a month that was not over
    )
    assert sorted(bench.ask("pypi").rows.select(columns).rows()) == sorted(known.rows())


def test_the_readme_counts_the_rows_that_are_there() -> None:
    text = (SHIPPED / "README.md").read_text(encoding="utf-8")
    told = {
        name: int(rows.replace(",", ""))
        for name, rows in re.findall(r"^\| `(\w+)\.csv` \| ([\d,]+) \|", text, re.MULTILINE)
    }
    assert told == {path.stem: pl.read_csv(path, infer_schema=False).height for path in SHIPPED.glob("*.csv")}
    for source in SOURCES:
        for origin in pl.read_csv(SHIPPED / f"{source}.csv", infer_schema=False)["origin"].unique():
            assert re.search(re.escape(origin.split(" (")[0]), text, re.IGNORECASE), f"{origin} is not in the README"


# --- A month without figures says why, and is never a zero


def test_a_month_before_the_source_kept_records_is_out_of_reach_and_says_why(bench: Bench) -> None:
    pypi, hub = bench.reach("pypi"), bench.reach("huggingface")
    assert pypi.why_not(date(2015, 12, 1)) == "download records begin in 2016-01"
    assert hub.why_not(date(2022, 2, 1)) == "creation dates begin on 2022-03-02"
    assert pypi.why_not(date(2016, 1, 1)) is hub.why_not(date(2022, 3, 1)) is None


def test_the_outage_that_emptied_a_month_is_its_reason(bench: Bench) -> None:
    gap = bench.ask("pypi").gaps[date(2016, 4, 1)]
    assert gap == "downloads not recorded from 2016-03-06 to 2016-05-21 (jantman/pypi-download-stats#16)"


def test_an_outage_that_only_bent_figures_is_not_a_reason_for_none(bench: Bench) -> None:
    gaps = bench.ask("pypi").gaps
    assert gaps[date(2024, 12, 1)] == gaps[date(2025, 5, 1)] == "the recorded figures have none for this month"
    assert set(gaps) == {date(2016, 4, 1), date(2024, 12, 1), date(2025, 5, 1)}


def test_gaps_hold_no_row_and_point_to_the_evidence(bench: Bench) -> None:
    gaps = [batch for batch in bench.ask("pypi").batches if batch.gap]
    assert gaps
    assert all(
        batch.rows.is_empty() and batch.rows.schema == SOURCES["pypi"].table.schema and batch.evidence for batch in gaps
    )
    assert bench.ask("stackoverflow").gaps == {}


@pytest.mark.parametrize("spoil", [None, b"source,first_day\npypi,x\n", b"source,first_day,last_day,effect\n\xff\n"])
def test_without_its_reason_a_gap_is_refused_and_the_rest_is_unharmed(bench: Bench, spoil: bytes | None) -> None:
    whole = bench.ask("pypi")
    path = bench.folder / "outages.csv"
    path.unlink() if spoil is None else path.write_bytes(spoil)
    answer = bench.ask("pypi")
    assert answer.failed is None
    assert [refusal.month for refusal in answer.refused] == [date(2016, 4, 1), date(2024, 12, 1), date(2025, 5, 1)]
    assert all("outages.csv" in refusal.cause for refusal in answer.refused)
    assert {month: rows.height for month, rows in answer.months.items()} == {
        month: rows.height for month, rows in whole.months.items()
    }


# --- Reach, cost and evidence


@pytest.mark.parametrize(
    ("source", "first", "last"),
    [
        ("stackoverflow", "2015-11", "2023-05"),
        ("pypi", "2016-01", "2026-06"),
        ("papers", "2015-11", "2024-08"),
        ("huggingface", "2022-03", "2026-08"),
    ],
)
def test_reach_ends_with_the_last_figure_and_says_how_to_get_more(
    bench: Bench, source: str, first: str, last: str
) -> None:
    reach = bench.reach(source)
    assert reach.window == Window.of(parse_month(first), parse_month(last))
    assert reach.why_not(reach.window.end) == f"the recorded figures end in {last}; set FW_MODE=live"
    answered = [month for month in [*bench.ask(source).months, *bench.ask(source).gaps] if month]
    assert sorted(answered) == list(reach.window.months())


def test_a_month_that_is_refused_is_still_in_reach(bench: Bench) -> None:
    for tag in ("*", "keras", "pytorch", "scikit-learn", "tensorflow"):
        bench.edit("stackoverflow", f"2023-05-01,{tag},", f"2023-05-01,{tag},-1,m,o,\n")
    assert bench.reach("stackoverflow").window.end == date(2023, 6, 1)
    assert [refusal.month for refusal in bench.ask("stackoverflow").refused] == [date(2023, 5, 1)]


def test_the_evidence_is_the_file_word_for_word_and_kept_once(bench: Bench) -> None:
    for _ in range(2):
        answer = bench.ask("stackoverflow")
        (ref,) = {ref for batch in answer.batches for ref in batch.evidence}
        assert ref.startswith("evidence/stackoverflow/recorded/")
    kept = bench.fetch("stackoverflow").evidence.find("recorded/stackoverflow.csv")
    assert kept is not None
    assert kept.ref == ref
    assert kept.read() == (SHIPPED / "stackoverflow.csv").read_bytes()
    assert len(list(bench.data.rglob("*stackoverflow.csv*"))) == 1


@pytest.mark.parametrize("source", list(SOURCES))
def test_recorded_asks_nobody(bench: Bench, source: str) -> None:
    plan = SOURCES[source].providers["recorded"].plan(bench.fetch(source))
    assert plan.requests == 0
    assert "no request" in plan.text


def test_the_registry_names_its_sources_rightly() -> None:
    for name, source in SOURCES.items():
        assert source.name == name
        assert next(iter(source.providers)) == "recorded"
        assert all(provider.source == name and key == provider.name for key, provider in source.providers.items())
    assert {name: source.live for name, source in SOURCES.items()} == {
        "stackoverflow": "clickhouse+api",
        "huggingface": "api",
        "papers": "archive",
        "pypi": "clickpy",
    }
