"""What a model may not be: each way to get one wrong is refused with one line that names the file and the remedy."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from fw_pipeline.errors import PipelineError
from fw_pipeline.transform import MEASUREMENTS, load, relations_read
from fw_pipeline_tests.support.model_files import CLAIM, DOC, REGISTERED, one, put, refused
from fw_pipeline_tests.support.relations import DDL, models


def test_path_is_name_and_upstream_is_what_the_sql_reads(tmp_path: Path) -> None:
    sql = "with a as (select * from RAW.pypi), b as (select a.month from a, meta.months as m) select * from b"
    model = one(tmp_path, sql)
    assert (model.name, model.schema, model.table) == ("staging.x", "staging", "x")
    assert model.upstream == ("meta.months", "raw.pypi")
    assert model.doc.columns["month"].type == "DATE"


def test_each_model_comes_after_what_it_reads_and_judgement_after_all_claims(tmp_path: Path) -> None:
    put(tmp_path, "marts/a_last", f"select month from {MEASUREMENTS}")
    put(tmp_path, "marts/b", "select month from staging.z")
    put(tmp_path, "claims/c02_x", "select month from marts.b", DOC + CLAIM)
    put(tmp_path, "staging/z")
    assert [model.name for model in load(tmp_path, REGISTERED)] == [
        "staging.z",
        "marts.b",
        "claims.c02_x",
        "marts.a_last",
    ]


def test_sql_without_its_document_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/x", doc=None)
    assert refused(tmp_path) == "marts/x.sql: has no x.yml beside it; write marts/x.yml"


def test_a_document_without_its_sql_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/x")
    (tmp_path / "marts/x.sql").unlink()
    assert refused(tmp_path) == "marts/x.yml: has no x.sql beside it; write marts/x.sql"


@pytest.mark.parametrize("name", ["elsewhere/x", "marts/deep/x", "x"])
def test_a_file_outside_the_schemas_is_refused(tmp_path: Path, name: str) -> None:
    put(tmp_path, name)
    assert "lies in no schema" in refused(tmp_path)


def test_a_file_that_is_no_table_name_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "marts/Two words")
    assert "is no name of a table" in refused(tmp_path)


@pytest.mark.parametrize(
    ("sql", "call"),
    [
        ("select current_date as month from raw.pypi", "current_date"),
        ("select month from raw.pypi where month < today()", "current_date"),
        ("with a as (select now() as month from raw.pypi) select month from a", "now"),
        ("select month from raw.pypi where random() < 0.5", "rand"),
        ("select month from raw.pypi where age(month) > interval 1 year", "age"),
    ],
)
def test_what_gives_another_value_for_the_same_rows_is_refused(tmp_path: Path, sql: str, call: str) -> None:
    put(tmp_path, "staging/x", sql)
    assert f"staging/x.sql: calls {call}, which gives another value for the same rows" in refused(tmp_path)


def test_the_age_between_two_moments_is_always_the_same(tmp_path: Path) -> None:
    assert one(tmp_path, "select month from raw.pypi where age(month, date '2020-01-01') > interval 1 year")


@pytest.mark.parametrize("sample", ["tablesample 3 rows", "using sample 10%"])
def test_a_sample_is_refused_as_it_is_another_one_each_time(tmp_path: Path, sample: str) -> None:
    put(tmp_path, "staging/x", f"select month from raw.pypi {sample}")
    assert "draws a sample" in refused(tmp_path)


def test_every_function_is_known_that_gives_another_value_for_the_same_rows() -> None:
    query = "select distinct function_name from duckdb_functions() where stability != 'CONSISTENT'"
    for (name,) in duckdb.execute(query).fetchall():
        if name != "error":  # gives no value at all
            with pytest.raises(PipelineError, match="another value for the same rows"):
                relations_read("x", f"select {name}() from raw.pypi")


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert "is not there" in refused(tmp_path / "dbt_like_sql")


@pytest.mark.parametrize(
    ("sql", "words"),
    [
        ("select month from (raw.pypi", "not valid SQL"),
        ("select 1; select 2", "is not one select statement"),
        ("", "is not one select statement"),
        ("drop table raw.pypi", "is not one select statement"),
        ("create table x.y as select 1", "is not one select statement"),
        ("select month from pypi", "reads pypi without its schema"),
        ("select month from 'pypi.csv'", "reads pypi.csv without its schema"),
        ("select month from read_csv('pypi.csv')", "reads through read_csv()"),
        ("select month from raw.pipi", "did you mean raw.pypi"),
        ("select month from raw.nothing_like_it", "register it, or add the model"),
        ("select month from marts.x", "which is a backward read"),
        ("select month from meta.m", "which is a backward read"),
        (f"select month from {MEASUREMENTS}", "which is a backward read"),
        ("select month from raw.pypi_vintages", None),
        ("select month from detail.papers, unnest([1]), range(3)", None),
    ],
)
def test_sql_of_staging_that_reads_what_it_must_not_is_refused(tmp_path: Path, sql: str, words: str | None) -> None:
    put(tmp_path, "marts/x", "select month from meta.months")
    put(tmp_path, "meta/m", "select month from meta.months")
    put(tmp_path, "staging/s", sql)
    if words is None:
        assert {model.name for model in load(tmp_path, REGISTERED)} == {"marts.x", "meta.m", "staging.s"}
    else:
        line = refused(tmp_path)
        assert words in line
        assert "staging" in line


@pytest.mark.parametrize(
    ("reader", "read", "allowed"),
    [
        ("marts/r", "raw.pypi", False),
        ("marts/r", "raw.pypi_vintages", True),
        ("marts/r", "detail.papers", False),
        ("marts/r", "claims.c02_x", False),
        ("marts/r", MEASUREMENTS, True),
        ("marts/r", "meta.m", True),
        ("meta/r", "raw.pypi", True),
        ("meta/r", "marts.x", False),
        ("meta/r", MEASUREMENTS, False),
        ("claims/r", "marts.x", True),
        ("claims/r", "raw.pypi", False),
        ("claims/r", "claims.c02_x", False),
        ("claims/r", MEASUREMENTS, False),
    ],
)
def test_the_order_of_the_schemas_is_kept(tmp_path: Path, reader: str, read: str, allowed: bool) -> None:
    put(tmp_path, "marts/x", "select month from meta.months")
    put(tmp_path, "meta/m", "select month from meta.months")
    put(tmp_path, "claims/c02_x", "select month from meta.months", DOC + CLAIM)
    put(tmp_path, reader, f"select month from {read}", DOC + CLAIM if reader.startswith("claims") else DOC)
    if allowed:
        assert len(load(tmp_path, REGISTERED)) == 4
    else:
        assert refused(tmp_path).startswith(f"{reader.replace('/', '.')}: reads {read}, which is a backward read")


def test_a_circle_is_refused_and_named(tmp_path: Path) -> None:
    put(tmp_path, "marts/x", "select month from marts.y")
    put(tmp_path, "marts/y", "select month from marts.x")
    line = refused(tmp_path)
    assert "reads itself" in line
    assert "marts.x" in line
    assert "marts.y" in line


def test_a_claim_that_reads_its_own_judgement_is_a_circle(tmp_path: Path) -> None:
    put(tmp_path, "marts/verdicts", f"select month from {MEASUREMENTS}")
    put(tmp_path, "claims/c02_x", "select month from marts.verdicts", DOC + CLAIM)
    assert "reads itself" in refused(tmp_path)


def test_a_model_that_hides_a_table_of_the_pipeline_is_refused(tmp_path: Path) -> None:
    put(tmp_path, "meta/months", "select month from raw.pypi")
    assert "meta.months: is a model and also a table that the pipeline makes" in refused(tmp_path)


def test_the_relations_that_models_read_are_all_there() -> None:
    known = models()
    names = {model.name for model in known}
    assert {relation for model in known for relation in model.upstream} <= names | set(DDL)


def test_reading_models_needs_no_database_and_no_dagster() -> None:
    heavy = {"duckdb", "dagster", "great_expectations", "pandas"}
    code = f"import sys, fw_pipeline.transform; print(*sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()
