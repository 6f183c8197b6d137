"""Every mart on generated figures: shares, sets, grains and rules hold, and what must not matter does not.

Raw rows come from the contract, the small tables are the real ones, and the SQL is that of the product.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from fw_pipeline.raw import VintageStore
from fw_pipeline.sources import SOURCES
from fw_pipeline.transform import Model
from fw_pipeline.warehouse import Warehouse
from fw_pipeline_tests.support.claims_warehouse import before_models, build, in_memory
from fw_pipeline_tests.support.raw_rows import OBSERVED, framed, rows
from fw_pipeline_tests.support.relations import models

Figures = dict[str, pl.DataFrame]
"""Raw rows by source."""

figures = st.fixed_dictionaries({source: rows(source) for source in SOURCES})

BUILDS = settings(max_examples=2, phases=[Phase.explicit, Phase.reuse, Phase.generate])
"""An example is two builds of every table, and takes three seconds: few are tried, and none is made smaller."""


@dataclass(frozen=True)
class House:
    """The models, and the small tables beside the figures."""

    known: tuple[Model, ...] = field(repr=False)
    small: Mapping[str, pl.DataFrame] = field(repr=False)

    @property
    def marts(self) -> list[Model]:
        return [model for model in self.known if model.schema == "marts"]

    def built(self, made: Figures, vintages: int = 1) -> duckdb.DuckDBPyConnection:
        """Build everything on some figures, each of which was observed so many times."""
        found = dict(self.small)
        for source, frame in made.items():
            found[f"raw.{source}"] = frame
            found[f"raw.{source}_unpartitioned"] = frame.clear()
            seen = [OBSERVED + timedelta(days=day) for day in range(vintages)]
            found[f"raw.{source}_vintages"] = pl.concat(
                frame.with_columns(vintage=pl.lit(at), is_current=pl.lit(at == seen[-1])) for at in seen
            )
        connection = in_memory(found)
        build(connection, self.known, [model.name for model in self.known])
        return connection

    def tables(self, connection: duckdb.DuckDBPyConnection, *without: str) -> dict[str, list[tuple[Any, ...]]]:
        """Return the rows of every mart, floating-point numbers to nine digits: they are added up in any order."""
        found = {}
        for model in self.marts:
            if model.name not in without:
                cells = ", ".join(
                    f'round("{name}", 9) as "{name}"' if column.type == "DOUBLE" else f'"{name}"'
                    for name, column in model.doc.columns.items()
                )
                found[model.name] = connection.execute(f"select {cells} from {model.name} order by all").fetchall()
        return found


@pytest.fixture(scope="module")
def house() -> House:
    known = models()
    everything = before_models()
    return House(known, {name: frame for name, frame in everything.items() if not name.startswith("raw.")})


@settings(BUILDS, max_examples=4)
@given(made=figures)
def test_shares_are_shares_grains_are_grains_and_every_declared_rule_holds(house: House, made: Figures) -> None:
    connection = house.built(made)
    for model in house.known:
        grain = ", ".join(f'"{name}"' for name in model.doc.grain)
        twice = f"select {grain}, count(*) from {model.name} group by all having count(*) > 1"
        assert connection.execute(twice).fetchall() == [], model.name
        for name, column in model.doc.columns.items():
            if column.unit is not None and column.unit.startswith("share"):
                beyond = f'select "{name}" from {model.name} where "{name}" not between 0 and 1 or isnan("{name}")'
                assert connection.execute(beyond).fetchall() == [], f"{model.name}.{name}"
            if not column.nullable:
                holes = f'select * from {model.name} where "{name}" is null'
                assert connection.execute(holes).fetchall() == [], f"{model.name}.{name}"
    for model in house.marts:
        for rule in model.doc.expectations:
            if rule["type"] == "failing_rows":
                assert connection.execute(rule["sql"]).fetchall() == [], f"{model.name}: {rule['name']}"


@BUILDS
@given(made=figures, seed=st.integers(0, 2**32))
def test_the_order_of_rows_and_another_look_that_saw_the_same_do_not_matter(
    house: House, made: Figures, seed: int
) -> None:
    turned = {source: frame.sample(fraction=1, shuffle=True, seed=seed) for source, frame in made.items()}
    once, again = house.built(made), house.built(turned, vintages=3)
    of_vintages = ("marts.figure_history", "marts.drift", "marts.drift_rates")
    assert house.tables(again, *of_vintages) == house.tables(once, *of_vintages)
    changes = "select * exclude (vintages_seen) from marts.drift order by all"
    values = "select * exclude (vintages, vintages_seen) from marts.figure_history order by all"
    for kept in (changes, values):
        assert again.execute(kept).fetchall() == once.execute(kept).fetchall(), kept
    confirmed = again.execute("select distinct vintages, vintages_seen, is_current from marts.figure_history")
    assert confirmed.fetchall() == [(3, 3, True)]


@BUILDS
@given(made=figures)
def test_what_is_not_known_stays_null_and_changes_nothing_else(house: House, made: Figures) -> None:
    unknown = {
        **made,
        "papers": made["papers"].with_columns(repositories=pl.lit(None, dtype=pl.Int64)),
        "huggingface": made["huggingface"].with_columns(formats=pl.lit(None, dtype=pl.List(pl.String))),
    }
    known, lost = house.built(made), house.built(unknown)
    for counted in ("research_adoption where metric = 'repositories'", "huggingface_exclusivity where models > 0"):
        assert lost.execute(f"select * from marts.{counted}").fetchall() == []
    of_tags = "select * from marts.models_by_framework where starts_with(formula, 'models by tag') and models > 0"
    assert lost.execute(of_tags).fetchall() == []
    for name in ("marts.stackoverflow_comparison", "marts.pypi_adoption"):
        assert house.tables(lost)[name] == house.tables(known)[name]


@settings(BUILDS, max_examples=3)
@given(made=figures, chance=st.randoms(use_true_random=False))
def test_a_vintage_that_came_twice_counts_once(
    tmp_path_factory: pytest.TempPathFactory, made: Figures, chance: random.Random
) -> None:
    data = tmp_path_factory.mktemp("vintages")
    store, warehouse = VintageStore(data), Warehouse(data)
    for source, frame in made.items():
        own = frame.select(SOURCES[source].table.schema.names())
        for (month,), part in own.partition_by("month", as_dict=True).items():
            store.add(
                source, month, part, provider="generated", observed_at=OBSERVED, evidence=("evidence/x",), run_id="run"
            )
    for turn in range(2):
        with warehouse.writing() as writer:
            for source, frame in made.items():
                assert writer.load_raw(source) == frame.height
                loaded = writer.frame(f"from raw.{source}")
                assert sorted(map(repr, loaded.rows())) == sorted(map(repr, framed(source, frame.to_dicts()).rows()))
                count = writer.frame(f"select count(*) as n from raw.{source}_vintages")["n"][0]
                assert count == frame.height * (turn + 1)
        for path in sorted((data / "raw").rglob("*.parquet")) if turn == 0 else ():
            later = OBSERVED + timedelta(minutes=chance.randint(1, 10_000))
            shutil.copyfile(path, path.with_name(f"{later:%Y%m%dT%H%M%S%fZ}-again.parquet"))


def test_a_path_below_the_data_folder_is_made_of_nothing_that_came_from_outside(tmp_path: Path) -> None:
    made = [
        {"month": OBSERVED.date().replace(day=1), "tagged": "../../'; --\n\u202e🙂", "questions": 1, "method": "m"}
        | {"origin": "/etc/passwd", "observed_on": None}
    ]
    frame = framed("stackoverflow", made)
    VintageStore(tmp_path).add(
        "stackoverflow",
        made[0]["month"],  # type: ignore[arg-type]
        frame,
        provider="api",
        observed_at=OBSERVED,
        evidence=("../x",),
        run_id="run",
    )
    written = [path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file()]
    assert written == ["raw/stackoverflow/2023-07/20230705T060000000000Z-run.parquet"]
