"""Exports of the published file: every row and column, described and credited, all of it or nothing."""

from __future__ import annotations

import csv
import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import duckdb
import polars as pl
import pytest

from fw_pipeline.cli.export import COLUMNS, DICTIONARY, LICENCES, export
from fw_pipeline.errors import PipelineError
from fw_pipeline.warehouse import described, query
from fw_pipeline_tests.support.command import called, fw_pipeline

BESIDE = {DICTIONARY, COLUMNS, LICENCES}


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def published(recorded_once: Path) -> Path:
    return recorded_once / "warehouse.duckdb"


@pytest.fixture(scope="module")
def as_csv(published: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Every table as CSV, in a folder whose name needs quoting."""
    folder = tmp_path_factory.mktemp("it's here") / "as csv"
    export(published, folder, "csv")
    return folder


def test_no_table_view_or_column_of_the_published_file_is_without_a_comment(published: Path) -> None:
    silent = """
        select schema_name || '.' || table_name as name from duckdb_tables() where coalesce(trim(comment), '') = ''
        union all
        select schema_name || '.' || view_name from duckdb_views() where not internal and coalesce(comment, '') = ''
        union all
        select schema_name || '.' || table_name || '.' || column_name from duckdb_columns()
        where not internal and coalesce(trim(comment), '') = ''
    """
    assert query(published, silent)["name"].to_list() == []
    everywhere = "select distinct schema_name as s from duckdb_columns() where not internal order by all"
    schemas = query(published, everywhere)["s"].to_list()
    assert schemas == ["claims", "detail", "marts", "meta", "raw", "staging"]


def test_comments_say_the_grain_the_unit_and_the_values(published: Path) -> None:
    tables = {table.name: table for table in described(published)}
    assert tables["meta.coverage"].comment.endswith("One row for: source, month.")
    assert "One row for: provider, month, tagged." in tables["raw.stackoverflow"].comment
    words = {column.name: column.comment for column in tables["marts.framework_metrics"].columns}
    assert words["share"] == "Value over denominator. Unit: share."
    assert words["source"].endswith("One of: stackoverflow, huggingface, papers, pypi.")


def test_the_command_writes_every_table_as_parquet_with_the_same_rows_types_and_comments(
    published: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "out"
    done = called(published.parent, "export", "--to", str(folder))
    assert done.status == 0, done.err
    tables = described(published)
    assert files(folder) == BESIDE | {table.file("parquet") for table in tables}
    assert f"{len(tables)} tables" in done.err
    with duckdb.connect(str(published), read_only=True) as connection:
        for table in tables:
            path = folder / table.file("parquet")
            assert connection.execute(f"describe from '{path}'").fetchall() == [
                (*row[:2], "YES", *row[3:]) for row in connection.execute(f"describe {table.name}").fetchall()
            ]
            sums = "select count(*), sum(hash(it)) from (from {}) as it"
            before, after = (connection.execute(sums.format(at)).fetchall() for at in (table.name, f"'{path}'"))
            assert before == after, table.name
            kept = connection.execute(f"select decode(value) from parquet_kv_metadata('{path}')").fetchall()
            assert (table.comment,) in kept


def test_csv_has_lists_and_structures_as_json_and_tells_null_from_an_empty_text(published: Path, as_csv: Path) -> None:
    with (as_csv / "marts/headline_verdicts.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    expected = query(published, "from marts.headline_verdicts").to_dicts()
    assert [json.loads(row["definitions_for"]) for row in rows] == [row["definitions_for"] for row in expected]
    header = (as_csv / "detail/papers.csv").read_text(encoding="utf-8")
    papers = next(table for table in described(published) if table.name == "detail.papers")
    assert header == ",".join(column.name for column in papers.columns) + "\n"
    with (as_csv / "raw/huggingface.csv").open(encoding="utf-8", newline="") as stream:
        formats = Counter(row["formats"] for row in csv.DictReader(stream))
    known = query(published, "select formats from raw.huggingface")["formats"]
    assert formats["[]"] == known.list.len().eq(0).sum() > 0
    assert formats[""] == known.null_count()
    assert '["pytorch","safetensors"]' in formats
    plain = pl.read_csv(as_csv / "marts/framework_metrics.csv", infer_schema_length=None)
    assert plain["value"].null_count() == query(published, "from marts.framework_metrics")["value"].null_count() > 0


def test_the_dictionary_describes_every_exported_column(published: Path, as_csv: Path) -> None:
    with (as_csv / COLUMNS).open(encoding="utf-8", newline="") as stream:
        rows = [tuple(row.values()) for row in csv.DictReader(stream)]
    tables = described(published)
    assert rows == [(it.name, column.name, column.type, column.comment) for it in tables for column in it.columns]
    page = (as_csv / DICTIONARY).read_text(encoding="utf-8")
    for table in tables:
        [count] = query(published, f"select count(*) as n from {table.name}")["n"]
        assert f"\n## {table.name}\n\n{table.comment}\n\n`{table.file('csv')}`, {count:,} rows\n" in page


def test_the_licences_name_every_origin_and_what_is_share_alike(published: Path, as_csv: Path) -> None:
    page = (as_csv / LICENCES).read_text(encoding="utf-8")
    tables = ("stackoverflow", "huggingface", "huggingface_unpartitioned", "papers", "papers_unpartitioned", "pypi")
    union = " union ".join(f"select origin from raw.{table}" for table in tables)
    origins = [origin for origin in query(published, union)["origin"] if origin]
    assert len(origins) > 8
    assert [origin for origin in origins if f"| {origin} |" not in page] == []
    alike = page.partition("## Share-alike")[2].partition("## ")[0]
    assert "* Papers with Code links dump" in alike
    assert "CC BY-SA 4.0" in alike
    assert "nschloe" not in alike


def test_moments_are_written_in_utc_wherever_the_machine_is(recorded_once: Path, tmp_path: Path) -> None:
    asked = ("export", "--format", "csv", "--to", str(tmp_path / "a"), "--table", "raw.papers")
    assert fw_pipeline(recorded_once, *asked, TZ="America/New_York").status == 0
    written = pl.read_csv(tmp_path / "a" / "raw" / "papers.csv", infer_schema=False)["observed_at"]
    (seen,) = query(recorded_once / "warehouse.duckdb", "select distinct observed_at from raw.papers")["observed_at"]
    assert written.unique().to_list() == [f"{seen:%Y-%m-%d %H:%M:%S.%f}".rstrip("0") + "+00"]


def test_one_table_or_one_schema_can_be_had_alone(published: Path, tmp_path: Path) -> None:
    export(published, tmp_path / "a", "csv", only=["marts.verdicts", "detail"])
    assert files(tmp_path / "a") - BESIDE == {
        "marts/verdicts.csv",
        "detail/huggingface_models.csv",
        "detail/papers.csv",
        "detail/pypi_daily.csv",
        "detail/stackoverflow_questions.csv",
    }
    assert "## marts.drift" not in (tmp_path / "a" / DICTIONARY).read_text(encoding="utf-8")


def test_an_earlier_export_is_replaced_as_a_whole(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export(published, folder, "parquet", only=["marts.verdicts", "marts.drift"])
    export(published, folder, "csv", only=["marts.verdicts"])
    assert files(folder) - BESIDE == {"marts/verdicts.csv"}
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_a_folder_with_anything_else_in_it_is_refused_and_left_alone(published: Path, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    export(published, folder, "csv", only=["marts.verdicts"])
    (folder / "marts" / "notes.txt").write_text("mine")
    before = files(folder)
    done = called(published.parent, "export", "--to", str(folder), "--format", "csv")
    assert (done.status, len(done.complaints)) == (1, 1)
    assert "holds marts/notes.txt, which is not of an earlier export; name another folder with --to" in done.err
    assert files(folder) == before
    (tmp_path / "file").write_text("x")
    with pytest.raises(PipelineError, match="is a file; name another folder"):
        export(published, tmp_path / "file", "csv")


def test_what_cannot_be_exported_is_one_line_and_leaves_nothing(published: Path, tmp_path: Path) -> None:
    with pytest.raises(PipelineError, match=r"no table or schema 'marts\.verdict'; did you mean marts\.verdicts\?"):
        export(published, tmp_path / "out", "csv", only=["marts.verdict"])
    nothing = called(tmp_path / "empty", "export")
    assert (nothing.status, len(nothing.complaints)) == (1, 1)
    assert "make it: fw-pipeline run" in nothing.err
    (tmp_path / "blocked").write_text("x")
    with pytest.raises(PipelineError, match="blocked is a file; name another folder"):
        export(published, tmp_path / "blocked" / "below", "csv")
    assert [path.name for path in tmp_path.iterdir()] == ["blocked"]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte, where this machine allows one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.geteuid() != 0 or os.system(f"mount -t tmpfs -o size=1m tmpfs '{folder}' 2>/dev/null") != 0:
        pytest.skip("only root may mount a small file system")
    yield folder
    os.system(f"umount '{folder}'")


def test_a_full_disk_is_one_line_and_the_earlier_export_stands(published: Path, tiny_disk: Path) -> None:
    folder = tiny_disk / "out"
    export(published, folder, "csv", only=["meta.frameworks"])
    before = {name: (folder / name).read_bytes() for name in files(folder)}
    with pytest.raises(PipelineError, match=r"cannot write \w+\.csv in .*: No space left on device; free space"):
        export(published, folder, "csv")
    assert {name: (folder / name).read_bytes() for name in files(folder)} == before
    assert [path.name for path in tiny_disk.iterdir()] == ["out"]
