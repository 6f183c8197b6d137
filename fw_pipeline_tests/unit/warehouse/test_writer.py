"""The writer of the working file: what is loaded of the vintages on disk, what is built, and what fails."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fw_pipeline.atomic_files import StorageError
from fw_pipeline.raw import VintageStore
from fw_pipeline.sources import DETAIL_TABLES, SOURCES
from fw_pipeline.warehouse import Warehouse, WarehouseError
from fw_pipeline.warehouse import writer as writer_module
from fw_pipeline.warehouse.tables import Built
from fw_pipeline.warehouse.writer import IN_PLACE, Writer
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


def test_listings_of_which_there_is_none_are_empty(tmp_path: Path) -> None:
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        table = DETAIL_TABLES["pypi_daily"]
        assert writer.frame(f"from detail.{table.name}").is_empty()
        assert writer.frame(f"from detail.{table.name}").schema.names() == list(table.schema)
        said = writer.frame("select comment from duckdb_views() where schema_name = 'detail'")
        assert said.rows() == [(f"{table.description} {IN_PLACE}",)]


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


def test_other_code_loads_everything_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as opened:
        opened.load_raw_if_changed("stackoverflow")
        opened._run("update raw.stackoverflow_vintages set questions = 1")
        monkeypatch.setattr(writer_module, "CODE_VERSION", "another")
        opened.load_raw_if_changed("stackoverflow")
        assert opened.frame("select questions from raw.stackoverflow").rows() == [(10,)]


looks = st.lists(
    st.tuples(
        st.sampled_from(["api", "dump", None]),
        st.sampled_from([None, JANUARY, FEBRUARY]),
        st.sampled_from([None, date(2026, 10, 1), date(2026, 10, 2)]),
    ),
    min_size=1,
    max_size=4,
)
"""Vintages that come in before a load: provider, month, and day of counting; no provider: one of the month is lost."""


@settings(max_examples=6, deadline=None)
@given(turns=st.lists(looks, min_size=2, max_size=5))
def test_what_is_kept_of_earlier_loads_is_what_a_load_from_nothing_gives(
    turns: list[list[tuple[str | None, date | None, date | None]]],
) -> None:
    def loaded(writer: Writer) -> list[object]:
        writer.load_raw("stackoverflow")
        names = [f"raw.stackoverflow{suffix}" for suffix in ("", "_vintages", "_unpartitioned")]
        return [writer.frame(f"from {name}").rows() for name in names]

    with TemporaryDirectory() as folder, Warehouse(Path(folder)).writing() as writer:
        store, day = VintageStore(Path(folder)), 0
        for turn in turns:
            for provider, month, taken in turn:
                day += 1
                if provider:
                    add(Path(folder), day, days=day, month=month, provider=provider, taken=taken)
                for vintage in store.vintages_of("stackoverflow", month)[:1] if provider is None else ():
                    store.set_aside(vintage)
            kept = loaded(writer)
        writer._run("delete from meta.loads")
        assert kept == loaded(writer)


def test_a_vintage_is_read_once_and_found_damaged_when_all_are_read_anew(tmp_path: Path) -> None:
    old = add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("stackoverflow")
        old.write_bytes(b"PAR1")
        add(tmp_path, 11, days=1, month=FEBRUARY)
        writer.load_raw("stackoverflow")
        counted = "select questions, is_current from raw.stackoverflow_vintages order by all"
        assert writer.frame(counted).rows() == [(10, True), (11, True)]
        writer._run("update meta.loads set code = 'of an earlier version'")
        with pytest.raises(StorageError, match=f"vintage {old.name} cannot be read"):
            writer.load_raw("stackoverflow")


def test_every_column_of_every_raw_table_has_its_words(tmp_path: Path) -> None:
    add(tmp_path, 10)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("stackoverflow")
        sql = "select table_name, column_name from duckdb_columns() where schema_name = 'raw' and comment is null"
        assert writer.frame(sql).rows() == []
        tables = "select table_name from duckdb_tables() where schema_name = 'raw' and comment is not null order by all"
        names = [f"stackoverflow{suffix}" for suffix in ("", "_unpartitioned", "_vintages")]
        assert [row[0] for row in writer.frame(tables).rows()] == names


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


LISTING = DETAIL_TABLES["pypi_daily"]


def add_listing(
    data: Path, month: date, downloads: int, *, provider: str = "clickpy", taken: date | None = None, day: int = 0
) -> None:
    """Add a vintage without figures whose listing says so many downloads."""
    counted = pl.DataFrame({"day": [month], "package": ["torch"], "installers": ["all"], "downloads": [downloads]})
    rows = pl.DataFrame({"month": [month], "observed_on": [taken]}).cast({"observed_on": pl.Date})
    VintageStore(data).add(
        "pypi",
        month,
        pl.concat([SOURCES["pypi"].table.schema.to_frame(eager=True), rows], how="diagonal"),
        provider=provider,
        observed_at=NOW + timedelta(days=day),
        evidence=(f"e/{day}",),
        run_id="run",
        detail=counted.cast(pl.Schema(LISTING.schema)),
        detail_name=LISTING.name,
    )


def test_the_listings_of_current_vintages_are_read_and_no_others(tmp_path: Path) -> None:
    newer, older = date(2026, 10, 2), date(2026, 10, 1)
    vintages = [
        ("clickpy", JANUARY, 1, None),
        ("clickpy", JANUARY, 2, newer),
        ("clickpy", JANUARY, 5, older),  # an old snapshot that is loaded after a newer one
        ("pypistats", JANUARY, 3, None),
        ("clickpy", FEBRUARY, 4, None),
    ]
    for day, (provider, month, downloads, taken) in enumerate(vintages):
        add_listing(tmp_path, month, downloads, provider=provider, taken=taken, day=day)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        assert writer.frame("select downloads from detail.pypi_daily order by all").rows() == [(2,), (3,), (4,)]
        said = writer.frame("select comment from duckdb_views() where schema_name = 'detail'")
        assert said.rows() == [(f"{LISTING.description} {IN_PLACE}",)]


def test_a_listing_is_read_where_its_file_is_even_after_the_folder_was_moved(tmp_path: Path) -> None:
    before, after = tmp_path / "before", tmp_path / "it's after"
    add_listing(before, JANUARY, 2)
    with Warehouse(before).writing() as writer:
        writer.load_raw("pypi")
        mark = writer.contents("detail.pypi_daily")
    before.rename(after)
    with Warehouse(after).writing() as writer:
        writer.load_raw_if_changed("pypi")
        assert writer.frame("select downloads from detail.pypi_daily").rows() == [(2,)]
        assert writer.contents("detail.pypi_daily") == mark  # nothing that reads it has to be made again
    add_listing(after, JANUARY, 3, day=1)
    with Warehouse(after).writing() as writer:
        writer.load_raw_if_changed("pypi")
        assert writer.frame("select downloads from detail.pypi_daily").rows() == [(3,)]
        assert writer.contents("detail.pypi_daily") != mark


def test_a_listing_that_is_gone_is_named_and_not_taken_for_a_full_disk(tmp_path: Path) -> None:
    add_listing(tmp_path, JANUARY, 2)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
    for path in (tmp_path / "raw").rglob("*.detail.parquet"):
        path.unlink()
    with pytest.raises(WarehouseError, match=r"marts\.x: .*No files found"), Warehouse(tmp_path).writing() as writer:
        writer.build("marts.x", "from detail.pypi_daily", description="", columns={})


def test_a_damaged_listing_is_named_once_with_its_remedy_and_the_figures_stay(tmp_path: Path) -> None:
    for day, month in enumerate((JANUARY, FEBRUARY)):
        add_listing(tmp_path, month, 2 + day, day=day)
    [damaged] = (tmp_path / "raw" / "pypi" / "2022-01").glob("*.detail.parquet")
    damaged.write_bytes(damaged.read_bytes()[:100])
    told = (
        r"^pypi 2022-01: listing .* cannot be read: not a Parquet file; fetch it again: "
        "fw-pipeline run --source pypi --from 2022-01 --to 2022-01 --again$"
    )
    with pytest.raises(StorageError, match=told), Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        assert writer.frame("select month from raw.pypi order by all").rows() == [(JANUARY,), (FEBRUARY,)]
        assert writer.frame("select downloads from detail.pypi_daily").rows() == [(3,)]


def test_a_listing_that_is_damaged_inside_is_named_when_a_model_reads_it(tmp_path: Path) -> None:
    add_listing(tmp_path, JANUARY, 2)
    [damaged] = (tmp_path / "raw" / "pypi" / "2022-01").glob("*.detail.parquet")
    content = bytearray(damaged.read_bytes())
    content[4:60] = bytes(56)
    damaged.write_bytes(content)
    told = r"^pypi 2022-01: listing .*\.detail\.parquet cannot be read: .*; fetch it again: .* --again$"
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
    with pytest.raises(StorageError, match=told), Warehouse(tmp_path).writing() as writer:
        writer.build("marts.x", "select * from detail.pypi_daily", description="", columns={})
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        assert writer.frame("from detail.pypi_daily").is_empty()


def test_a_lost_listing_is_told_with_its_months_and_comes_again_with_the_same_answer(tmp_path: Path) -> None:
    for day, month in enumerate((JANUARY, FEBRUARY)):
        add_listing(tmp_path, month, 2 + day, provider="pypistats", day=day)
    add_listing(tmp_path, FEBRUARY, 3, provider="pypistats", day=1)
    [lost] = (tmp_path / "raw" / "pypi" / "2022-02").glob("*.detail.parquet")
    lost.unlink()
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw_if_changed("pypi")
        again = "fetch it again: fw-pipeline run --source pypi --from 2022-02 --to 2022-02 --again"
        assert writer.lost == [f"pypi: 1 month has lost the listing (2022-02); {again}"]
        [(said,)] = writer.frame("select comment from duckdb_views() where schema_name = 'detail'").rows()
        assert said.endswith("1 month has lost the listing (2022-02): what reads it lacks them.")
    add_listing(tmp_path, FEBRUARY, 3, provider="pypistats", day=1)
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw_if_changed("pypi")
        assert writer.lost == []
        assert writer.frame("select downloads from detail.pypi_daily order by all").rows() == [(2,), (3,)]


def test_a_listing_that_an_earlier_version_kept_in_the_file_becomes_a_view(tmp_path: Path) -> None:
    add_listing(tmp_path, JANUARY, 2)
    with Warehouse(tmp_path).writing() as writer:
        writer.seed("detail.pypi_daily", pl.DataFrame({"downloads": [1]}), description="", columns={})
    with Warehouse(tmp_path).writing() as writer:
        writer.load_raw("pypi")
        assert writer.frame("select downloads from detail.pypi_daily").rows() == [(2,)]
        assert "detail.pypi_daily" in writer.drop_unknown({"meta.builds"})
        assert not writer.has("detail.pypi_daily")


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
