"""A month as a whole: it answers what was asked, covers what its last vintage did, and has not lost half of it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.contract import Batch
from fw_pipeline.ingestion.committer import LISTED_REFS, NOTICEABLE, Committer, Ingested, covers_less, shrunk, unfit
from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES

JAN, FEB = date(2022, 1, 1), date(2022, 2, 1)
QUESTIONS, DOWNLOADS = SOURCES["stackoverflow"].table, SOURCES["pypi"].table


def asked(questions: Mapping[str, int], month: date = JAN) -> pl.DataFrame:
    rows = [(month, tag, count, "counted", "x", None) for tag, count in questions.items()]
    return pl.DataFrame(rows, schema=QUESTIONS.schema, orient="row")


def downloaded(*days: int) -> pl.DataFrame:
    rows = [(JAN, f"package {place}", "all", "x", 9, JAN, count, "counted", None) for place, count in enumerate(days)]
    return pl.DataFrame(rows, schema=DOWNLOADS.schema, orient="row")


@pytest.mark.parametrize(
    ("batch", "says"),
    [
        (Batch(JAN, asked({"pytorch": 1}), ()), None),
        (Batch(None, asked({"pytorch": 1}), ()), None),
        (Batch(JAN, asked({}), (), gap="nothing was recorded"), None),
        (Batch(JAN, asked({}), ()), "the answer holds no figure"),
        (Batch(JAN, asked({"pytorch": 1}, FEB), ()), "the answer holds figures of another month"),
        (Batch(FEB, asked({"pytorch": 1}, FEB), ()), "the provider answered a month that was not asked for"),
    ],
)
def test_an_answer_to_another_question_is_told_apart(batch: Batch, says: str | None) -> None:
    assert unfit(batch, Window.of(JAN, JAN)) == says


@pytest.mark.parametrize(
    ("before", "here", "lost"),
    [
        ({"pytorch": 600}, {"pytorch": 400}, None),
        ({"pytorch": 600}, {"pytorch": 300}, None),
        ({"pytorch": 600}, {"pytorch": 299}, "questions of pytorch fell from 600 to 299"),
        ({"pytorch": 600, "keras": 700}, {"pytorch": 600}, "questions of keras fell from 700 to 0"),
        ({"pytorch": NOTICEABLE - 1}, {"pytorch": 0}, None),
        ({"pytorch": 90, "keras": 5000}, {"pytorch": 1, "keras": 1}, "questions of keras fell from 5,000 to 1"),
    ],
)
def test_a_third_less_is_drift_and_half_of_what_is_noticeable_is_a_loss(
    before: dict[str, int], here: dict[str, int], lost: str | None
) -> None:
    found = shrunk(Batch(JAN, asked(here), ()), asked(before), QUESTIONS)
    assert found is None if lost is None else found is not None and found.startswith(lost)


def test_fewer_days_than_the_last_vintage_covers_are_no_news_and_tables_without_days_have_none() -> None:
    whole, part = downloaded(31, 31), downloaded(31, 30)
    assert covers_less(Batch(JAN, part, ()), whole)
    assert not covers_less(Batch(JAN, whole, ()), part)
    assert not covers_less(Batch(JAN, asked({"pytorch": 1}), ()), asked({"pytorch": 2}))


def commit(store: VintageStore, data: Path, *batches: Batch) -> Ingested:
    settings = read({"FW_DATA_DIR": str(data)}, dotenv=Path("none"))
    chosen = choose(SOURCES["stackoverflow"], settings)
    window = Window.of(JAN, date(2022, 3, 1))
    fetch, evidence = asking(chosen, window, settings, now=datetime(2026, 11, 2, tzinfo=UTC), run_id="a")
    committer = Committer(chosen, fetch, evidence, store, run_id="a", force=False, done=lambda _: None)
    committer.commit(batches)
    return committer.result


def test_a_vintage_that_cannot_be_read_is_set_aside_and_keeps_no_month_from_being_written(tmp_path: Path) -> None:
    months = [JAN, FEB, date(2022, 3, 1)]
    batches = [Batch(month, asked({"pytorch": 500}, month), ("evidence/x",)) for month in months]
    store = VintageStore(tmp_path)
    commit(store, tmp_path, batches[0])
    (damaged,) = store.vintages("stackoverflow")
    pl.read_parquet(damaged.path).drop("questions").write_parquet(damaged.path, metadata={"provider": "recorded"})
    assert commit(store, tmp_path, *batches).months("present") == months
    assert [it.month for it in store.vintages("stackoverflow")] == months
    assert damaged.path.with_suffix(".unreadable").is_file()
    [line] = map(str, store.unreadable)
    assert "its columns are not those of the contract" in line


def test_much_evidence_is_named_in_a_list(tmp_path: Path) -> None:
    refs = tuple(f"evidence/{number}" for number in range(LISTED_REFS + 1))
    store = VintageStore(tmp_path)
    commit(
        store, tmp_path, *(Batch(month, asked({"keras": 5}, month), it) for month, it in ((JAN, refs[1:]), (FEB, refs)))
    )
    few, many = (store.read("stackoverflow", it)["evidence"].item() for it in store.vintages("stackoverflow"))
    assert few == ";".join(refs[1:])
    assert many.startswith("evidence/stackoverflow/recorded/a/evidence-of-2022-02.txt.")
