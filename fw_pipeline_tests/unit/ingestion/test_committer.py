"""Months are judged together and written one by one: what is wrong with one harms no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.contract import Batch
from fw_pipeline.ingestion.committer import LISTED_REFS, Committer, MonthOutcome
from fw_pipeline.ingestion.providers import asking, choose
from fw_pipeline.months import Window
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES

NOW = datetime(2026, 11, 2, 6, 0, tzinfo=UTC)
MONTHS = tuple(date(2022, number, 1) for number in (1, 2, 3, 4))


def committer(data: Path, noted: list[MonthOutcome]) -> Committer:
    settings = read({"FW_DATA_DIR": str(data)}, dotenv=Path("none"))
    chosen = choose(SOURCES["stackoverflow"], settings)
    fetch, evidence = asking(chosen, Window(MONTHS[0], date(2022, 5, 1)), settings, now=NOW, run_id="a")
    return Committer(chosen, fetch, evidence, VintageStore(data), run_id="a", force=False, done=noted.append)


def batch(month: date, questions: int, evidence: tuple[str, ...] = ("evidence/x",)) -> Batch:
    row = {"month": month, "tagged": "pytorch", "questions": questions, "method": "counted", "origin": "x"}
    return Batch(month, pl.DataFrame([row], schema=SOURCES["stackoverflow"].table.schema), evidence)


def test_each_month_is_written_rejected_or_a_gap(tmp_path: Path) -> None:
    noted: list[MonthOutcome] = []
    one = committer(tmp_path, noted)
    gap = replace(batch(MONTHS[2], 1), rows=SOURCES["stackoverflow"].table.schema.to_frame(), gap="lost")
    one.commit([batch(MONTHS[0], 500), batch(MONTHS[1], -5), gap, batch(MONTHS[3], 700)])
    assert {outcome.month: outcome.status for outcome in noted} == dict(
        zip(MONTHS, ("present", "refused", "gap", "present"), strict=True)
    )
    assert one.result.outcomes == noted
    assert ["-5" in str(failure) for failure in one.result.failures] == [True]
    assert [it.month for it in VintageStore(tmp_path).vintages("stackoverflow")] == [MONTHS[0], MONTHS[3]]


def test_a_vintage_that_cannot_be_read_keeps_no_other_month_from_being_written(tmp_path: Path) -> None:
    committer(tmp_path, []).commit([batch(MONTHS[1], 500)])
    store = VintageStore(tmp_path)
    (damaged,) = store.vintages("stackoverflow")
    pl.read_parquet(damaged.path).drop("questions").write_parquet(damaged.path, metadata={"provider": "recorded"})
    with pytest.raises(StorageError, match="its columns are not those of the contract"):
        committer(tmp_path, []).commit([batch(MONTHS[0], 500), batch(MONTHS[1], 501)])
    assert [it.month for it in store.vintages("stackoverflow")] == [MONTHS[0], MONTHS[1]]


def test_much_evidence_is_named_in_a_list(tmp_path: Path) -> None:
    refs = tuple(f"evidence/{number}" for number in range(LISTED_REFS + 1))
    committer(tmp_path, []).commit([batch(MONTHS[0], 500, refs[1:]), batch(MONTHS[1], 500, refs)])
    store = VintageStore(tmp_path)
    few, many = (store.read("stackoverflow", it)["evidence"].item() for it in store.vintages("stackoverflow"))
    assert few == ";".join(refs[1:])
    assert many.startswith("evidence/stackoverflow/recorded/a/evidence-of-2022-02.txt.")
