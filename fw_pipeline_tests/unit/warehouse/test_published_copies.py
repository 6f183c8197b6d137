"""A replay holds what had been observed by a month; an export holds whole tables, which it describes."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import duckdb
import pytest

from fw_pipeline.warehouse import Warehouse, WarehouseError, observed_later, query, replayed
from fw_pipeline.warehouse.published_copies import CopiedTable, copy_tables, described
from fw_pipeline_tests.support.command import fw_pipeline
from fw_pipeline_tests.support.relations import DDL

JUNE = date(2022, 6, 1)
STEPS = [("marts.seen", "select month, tagged, questions from raw.stackoverflow")]


def published(place: Path, rows: list[dict[str, Any]]) -> Path:
    """A published file with these vintages of Stack Overflow, the last of each month being the current one."""
    file = place / "warehouse.duckdb"
    with duckdb.connect(str(file)) as connection:
        connection.execute("create schema raw; create schema marts")
        for source in ("stackoverflow", "huggingface", "papers", "pypi"):
            for suffix in ("", "_vintages"):
                connection.execute(f"create table raw.{source}{suffix} ({DDL[f'raw.{source}{suffix}']})")
        for row in rows:
            connection.execute(
                """
                insert into raw.stackoverflow_vintages
                (month, tagged, questions, provider, observed_on, vintage, is_current)
                values (?, 'tensorflow', ?, 'api', ?, ?, ?)
                """,
                [row["month"], row["questions"], row["on"], row["vintage"], row["current"]],
            )
        connection.execute("""
            insert into raw.stackoverflow by name
            select * exclude (vintage, is_current) from raw.stackoverflow_vintages where is_current
        """)
    return file


def vintage(month: date, questions: int, on: str | None, written: str, *, current: bool) -> dict[str, Any]:
    return {"month": month, "questions": questions, "on": on, "vintage": f"{written} 00:00:00+00", "current": current}


TWICE = [
    vintage(JUNE, 900, "2022-07-03", "2022-07-03", current=False),
    vintage(JUNE, 850, "2022-07-20", "2022-07-20", current=False),
    vintage(JUNE, 600, "2026-01-01", "2026-01-01", current=True),
    vintage(date(2022, 5, 1), 1000, "2026-01-01", "2026-01-01", current=True),
]


@pytest.mark.parametrize(("as_of", "expected"), [(JUNE, 850), (date(2023, 1, 1), 850), (date(2026, 1, 1), 600)])
def test_a_month_counts_as_it_had_been_observed_by_then(tmp_path: Path, as_of: date, expected: int) -> None:
    file = published(tmp_path, TWICE)
    with replayed(file, STEPS, as_of) as then:
        seen = dict(query(then, "select month, questions from marts.seen").rows())
        assert seen == {JUNE: expected, date(2022, 5, 1): 1000}
        later = query(
            then, f"select count(*) from raw.stackoverflow_vintages where questions = 600 and {expected} <> 600"
        )
        assert later.item() == 0
    assert not then.exists()
    assert dict(query(file, "select month, questions from raw.stackoverflow").rows())[JUNE] == 600


@pytest.mark.parametrize(
    ("as_of", "differs"), [(date(2022, 5, 1), False), (JUNE, True), (date(2023, 1, 1), True), (date(2026, 1, 1), False)]
)
def test_a_replay_is_only_made_where_it_differs(tmp_path: Path, as_of: date, *, differs: bool) -> None:
    assert observed_later(published(tmp_path, TWICE), as_of) is differs


def test_where_nobody_says_the_day_that_of_the_vintage_counts(tmp_path: Path) -> None:
    rows = [vintage(JUNE, 900, None, "2022-07-03", current=False), vintage(JUNE, 600, None, "2026-01-01", current=True)]
    with replayed(published(tmp_path, rows), STEPS, JUNE) as then:
        assert query(then, "select questions from marts.seen").item() == 900


def test_a_recount_of_a_month_does_not_change_what_could_be_said_then(recorded: Path) -> None:
    """The real file: June 2022 counted once more, four years later, with a third of its questions gone."""
    with duckdb.connect(str(recorded / "warehouse.duckdb")) as connection:
        connection.execute("""
            insert into raw.stackoverflow_vintages by name
            select * replace (
                questions * 2 // 3 as questions, date '2026-09-01' as observed_on, vintage + interval 1 day as vintage
            )
            from raw.stackoverflow_vintages where month = date '2022-06-01' and tagged != 'pytorch' and is_current
        """)
        connection.execute("""
            update raw.stackoverflow_vintages set is_current = observed_on is not distinct from date '2026-09-01'
            where month = date '2022-06-01'
        """)
        # what a build on these vintages would publish
        connection.execute("update marts.verdicts set value = 1.27, verdict = 'refuted' where claim = 'C2'")
    done = fw_pipeline(recorded, "verdicts", "--claim", "C2", "--as-of", "2022-06", "--format", "json")
    assert done.status == 0, done.err
    month = {row["definition"]: row for row in json.loads(done.out)}["questions in the month, recorded"]
    assert month["value"] == pytest.approx(1.904, abs=0.001)
    assert month["verdict"] == "supported"


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    warehouse = Warehouse(tmp_path_factory.mktemp("words"))
    with warehouse.writing() as writer:
        writer.build("marts.x", "select 1 as a", description="It's x.", columns={"a": "A number."})
    warehouse.publish()
    return warehouse.published


def test_a_table_is_described_and_copied_while_others_read(small: Path, tmp_path: Path) -> None:
    with duckdb.connect(str(small), read_only=True) as reader:
        (table,) = (found for found in described(small) if found.name == "marts.x")
        assert table.comment == "It's x."
        assert [(column.name, column.type, column.comment) for column in table.columns] == [
            ("a", "INTEGER", "A number.")
        ]
        assert copy_tables(small, ["marts.x"], tmp_path, "csv") == [
            CopiedTable(table.name, table.comment, table.columns, rows=1)
        ]
        assert reader.execute("from marts.x").fetchall() == [(1,)]
    assert (tmp_path / "marts/x.csv").read_text(encoding="utf-8") == "a\n1\n"


def test_what_cannot_be_read_or_is_not_there_is_one_line(small: Path, tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match=r"^published file: \S+/gone does not exist; make it: fw-pipeline run$"):
        described(tmp_path / "gone")
    damaged = tmp_path / "damaged.duckdb"
    damaged.write_bytes(b"no database" * 1000)
    with pytest.raises(WarehouseError, match=r"^published file: .*; make it anew: fw-pipeline rebuild$"):
        described(damaged)
    with pytest.raises(WarehouseError, match=r"^export: marts.gone is no longer published; run it again$"):
        copy_tables(small, ["marts.x", "marts.gone"], tmp_path / "out", "parquet")
