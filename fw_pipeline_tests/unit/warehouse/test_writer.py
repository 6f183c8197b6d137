"""Tables of the working file: what was loaded, what each was made from, and the outcomes of rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import polars as pl
import pytest

from fw_pipeline.raw import VintageStore
from fw_pipeline.sources import DETAIL_TABLES, SOURCES
from fw_pipeline.warehouse import Warehouse, WarehouseError
from fw_pipeline.warehouse.metadata_tables import BOOKS
from fw_pipeline.warehouse.tables import Built, Proof
from fw_pipeline.warehouse.writer import Writer
from fw_pipeline_tests.unit.warehouse.test_database_files import JANUARY, NOW, add

FEBRUARY = date(2022, 2, 1)


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[Writer]:
    with Warehouse(tmp_path).writing() as opened:
        yield opened


def test_what_was_made_is_told_with_its_rows_and_columns(writer: Writer) -> None:
    frame = pl.DataFrame({"name": ["a", "b"], "share": [0.5, None]})
    made = writer.seed("meta.small", frame, description="", columns={})
    assert made == Built(2, {"name": "VARCHAR", "share": "DOUBLE"})
    built = writer.build("marts.x", "select name from meta.small", description="", columns={})
    assert built == Built(2, {"name": "VARCHAR"})
    assert writer.frame("select name from marts.x where name > ?", ["a"]).rows() == [("b",)]


def test_a_mark_changes_with_the_definition_and_with_the_rows_that_are_read_and_with_nothing_else(
    writer: Writer,
) -> None:
    def built(sql: str, comment: str = "") -> str:
        writer.build("marts.x", sql, description=comment, columns={})
        return writer.mark("definition", ["marts.x"])

    first = built("from (values (1, null), (2, 'b')) as t (a, b)")
    assert built("from (values (2, 'b'), (1, null)) as t (a, b)", "another comment") == first, "the same rows"
    assert writer.mark("definition", ["marts.x", "marts.x"]) == first
    others = [
        built("from (values (1, null), (2, 'B')) as t (a, b)"),
        built("from (values (1, null), (2, 'b'), (2, 'b')) as t (a, b)"),
        built("from (values (null, '1'), (2, 'b')) as t (a, b)"),
        built("from (values (1, null), (2, 'b')) as t (a, c)"),
        built("from (values (1::bigint, null), (2, 'b')) as t (a, b)"),
        built("select 1 as a, 'b' as b where false"),
        writer.mark("definition", []),
        writer.mark("definition", ["marts.y"]),
        writer.mark("another definition", ["marts.x"]),
    ]
    assert len({first, *others}) == len(others) + 1


def test_it_is_recorded_what_a_table_was_made_from_until_it_is_made_again(writer: Writer) -> None:
    assert writer.made_from("marts.x") is None
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert writer.made_from("marts.x") == ""
    writer.note_made_from("marts.x", "a mark")
    assert writer.made_from("marts.x") == "a mark"
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert writer.made_from("marts.x") == ""


def test_outcomes_of_rules_are_kept_with_the_rows_that_they_are_about(writer: Writer) -> None:
    writer.build("marts.x", "select 1 as a", description="", columns={})
    writer.note_checks("marts.x", [("b", "critical", False, 3, "three", "m1"), ("c", "warning", True, 0, "", "m2")])
    writer.note_checks("marts.x", [("b", "critical", True, 0, "", "m3")])
    writer.note_checks("marts.x", [])
    proofs = {
        "b": Proof("m3", passed=True, unexpected=0, observed=""),
        "c": Proof("m2", passed=True, unexpected=0, observed=""),
    }
    assert writer.proofs("marts.x") == proofs
    writer.build("marts.x", "select 1 as a", description="said otherwise", columns={})
    assert writer.proofs("marts.x") == proofs, "the same rows"
    writer.forget_checks({"marts.x": ["c"]})
    assert [*writer.proofs("marts.x")] == ["c"]
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.proofs("marts.x") == {}


def test_records_of_an_earlier_version_are_replaced(writer: Writer) -> None:
    writer._run("create table meta.builds (relation varchar, turn bigint)")
    writer._run("create table meta.validations (relation varchar, expectation varchar)")
    writer._run("insert into meta.builds values ('marts.x', 1)")
    assert writer.made_from("marts.x") is None
    writer.build("marts.x", "select 1 as a", description="", columns={})
    writer.note_checks("marts.x", [("b", "critical", True, 0, "", "m")])
    assert [*writer.proofs("marts.x")] == ["b"]


def test_what_a_query_reads_is_known_without_its_own_parts(writer: Writer) -> None:
    sql = "with part as (from staging.a) select * from part where a in (select b from raw.c union from meta.d)"
    assert writer.read_by(sql) == {"staging.a", "raw.c", "meta.d"}


def test_listings_of_which_there_is_none_are_empty_tables(tmp_path: Path) -> None:
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        table = DETAIL_TABLES["pypi_daily"]
        assert writer.frame(f"from detail.{table.name}").is_empty()
        assert writer.frame(f"from detail.{table.name}").schema.names() == list(table.schema)
        assert writer.frame("select comment from duckdb_tables() where schema_name = 'detail'").rows() == [
            (table.description,)
        ]


def test_a_source_is_loaded_again_only_where_its_vintages_changed(tmp_path: Path) -> None:
    add(tmp_path, 10)
    loads = "select source, vintages from meta.loads"
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame(loads).rows() == [("stackoverflow", 1)]
        writer._run("delete from raw.stackoverflow")
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame("from raw.stackoverflow").is_empty(), "nothing came, so nothing was loaded"
        add(tmp_path, 11, days=1)
        writer.load_raw_if_changed("stackoverflow")
        assert writer.frame("select questions from raw.stackoverflow").rows() == [(11,)]
        assert writer.frame(loads).rows() == [("stackoverflow", 2)]


def test_every_column_of_every_raw_table_has_its_words(tmp_path: Path) -> None:
    add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("stackoverflow")
        sql = "select table_name, column_name from duckdb_columns() where schema_name = 'raw' and comment is null"
        assert writer.frame(sql).rows() == []
        tables = "select table_name from duckdb_tables() where schema_name = 'raw' and comment is not null order by all"
        names = [f"stackoverflow{suffix}" for suffix in ("", "_unpartitioned", "_vintages")]
        assert [row[0] for row in writer.frame(tables).rows()] == names


def test_what_is_made_is_known_at_once_and_so_are_the_books(writer: Writer) -> None:
    assert not writer.has("marts.x")
    writer.build("marts.x", "select 1 as a", description="", columns={})
    assert all(map(writer.has, ["marts.x", "meta.builds", "meta.validations"]))
    writer.seed("meta.small", pl.DataFrame({"a": [1]}), description="", columns={})
    assert writer.has("meta.small")
    writer.build("marts.x", "select 2 as a", description="", columns={})
    assert writer.frame("from marts.x").rows() == [(2,)]


def test_words_stand_beside_what_they_are_said_of(writer: Writer) -> None:
    words = {"a": "It's a.", "gone": "No column is called so."}
    writer.build("marts.x", "select 1 as a, 2 as b", description="It's x.", columns=words)
    writer.seed("meta.small", pl.DataFrame({"a": [1]}), description="Small.", columns=words)
    said = dict(writer.frame("select schema_name || '.' || table_name, comment from duckdb_tables()").rows())
    assert said["marts.x"] == "It's x."
    assert said["meta.small"] == "Small."
    assert said["meta.builds"] == BOOKS["meta.builds"].description
    columns = writer.frame("select table_name, column_name, comment from duckdb_columns() where comment is not null")
    found = {(of, name): comment for of, name, comment in columns.rows()}
    assert found["x", "a"] == found["small", "a"] == "It's a."
    assert ("x", "b") not in found
    assert {name: found["builds", name] for name in BOOKS["meta.builds"].columns} == BOOKS["meta.builds"].words


def test_the_raw_tables_say_which_rows_they_hold(tmp_path: Path) -> None:
    add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("stackoverflow")
        said = dict(writer.frame("select table_name, comment from duckdb_tables() where schema_name = 'raw'").rows())
        marks = "select column_name, comment from duckdb_columns() where column_name in ('vintage', 'is_current')"
        assert dict(writer.frame(marks).rows()) == {
            "vintage": "When the vintage was written (UTC).",
            "is_current": "Whether it is the current one.",
        }
    about = SOURCES["stackoverflow"].table.description
    grain = "One row for: provider, month, tagged"
    assert said == {
        "stackoverflow": f"{about} The current vintage of each provider. {grain}.",
        "stackoverflow_vintages": f"{about} Every vintage. {grain}, vintage.",
        "stackoverflow_unpartitioned": (
            f"{about} Figures that belong to no month partition: undated, or before November 2015."
        ),
    }


def test_the_listings_of_current_vintages_are_loaded_and_no_others(tmp_path: Path) -> None:
    table = DETAIL_TABLES["pypi_daily"]
    newer, older = date(2026, 10, 2), date(2026, 10, 1)
    vintages = [
        ("clickpy", JANUARY, 1, None),
        ("clickpy", JANUARY, 2, newer),
        ("clickpy", JANUARY, 5, older),  # an old snapshot that is loaded after a newer one
        ("pypistats", JANUARY, 3, None),
        ("clickpy", FEBRUARY, 4, None),
    ]
    for day, (provider, month, downloads, taken) in enumerate(vintages):
        counted = pl.DataFrame({"day": [month], "package": ["torch"], "installers": ["all"], "downloads": [downloads]})
        rows = pl.DataFrame({"month": [month], "observed_on": [taken]}).cast({"observed_on": pl.Date})
        VintageStore(tmp_path).add(
            "pypi",
            month,
            pl.concat([SOURCES["pypi"].table.schema.to_frame(eager=True), rows], how="diagonal"),
            provider=provider,
            observed_at=NOW + timedelta(days=day),
            evidence=(f"e/{day}",),
            run_id="run",
            detail=counted.cast(pl.Schema(table.schema)),
            detail_name=table.name,
        )
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        assert writer.frame("select downloads from detail.pypi_daily order by all").rows() == [(2,), (3,), (4,)]
        said = writer.frame("select comment from duckdb_tables() where schema_name = 'detail'")
        assert said.rows() == [(table.description,)]


@pytest.mark.parametrize(
    ("sql", "remedy"),
    [
        ("select a from marts.gone", "mend dbt_like_sql/marts/x.sql, or build what it reads: fw-pipeline rebuild"),
        ("select 'one'::integer", "mend dbt_like_sql/marts/x.sql"),
        ("select 9223372036854775807 + 1", "mend dbt_like_sql/marts/x.sql"),
    ],
)
def test_sql_that_fails_is_named_by_its_file(tmp_path: Path, sql: str, remedy: str) -> None:
    with pytest.raises(WarehouseError) as raised, Warehouse(tmp_path).writing() as writer:
        writer.build("marts.x", sql, description="", columns={})
    assert (raised.value.subject, raised.value.remedy) == ("marts.x", remedy)


def test_the_working_file_is_open_as_the_same_figures_need_it(tmp_path: Path) -> None:
    with Warehouse(tmp_path).writing() as writer:
        settings = ("TimeZone", "threads", "temp_directory", "memory_limit", "enable_external_file_cache")
        found = [writer.frame(f"select current_setting('{name}')").item() for name in settings]
    assert found == ["UTC", 1, str(tmp_path / ".work" / "spill"), "3.7 GiB", False]
