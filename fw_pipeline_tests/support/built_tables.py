"""A few tables made by SQL in a data folder, built and checked by the real build."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from dagster import (
    AssetKey,
    AssetSelection,
    Definitions,
    ExecuteInProcessResult,
    asset,
    define_asset_job,
)

from fw_pipeline import quality
from fw_pipeline.orchestration.asset_metadata import Place
from fw_pipeline.orchestration.build_plan import Table
from fw_pipeline.orchestration.build_step import build_step
from fw_pipeline.orchestration.pipeline import Pipeline
from fw_pipeline.quality import Expectation
from fw_pipeline.settings import read
from fw_pipeline.warehouse import Built, Writer

RULES = quality.implied((), ("share",), values={"share": (1, 2)})

SMALL = quality.declared(
    [{"type": "expect_column_values_to_be_between", "column": "share", "max_value": 1, "severity": "warning",
      "name": "small", "reason": "It was small so far."}],
    columns=("share",),
)  # fmt: skip


@dataclass
class House:
    """A data folder, and the tables that can be built in it; `published` is what publishes."""

    folder: Path
    sql: dict[str, str]
    reads: Mapping[str, Sequence[str]] = field(default_factory=dict)
    rules: Sequence[Expectation] = RULES

    def __post_init__(self) -> None:
        self.pipeline = Pipeline({}, (), given=read({"FW_DATA_DIR": str(self.folder)}, dotenv=Path("none")))

    @property
    def definitions(self) -> Definitions:
        """The code location, with the SQL as it is now."""

        @asset(key="publish", deps=[relation.split(".") for relation in self.sql])
        def publish() -> None:
            """Stand for publishing."""

        return Definitions(
            assets=[build_step([self._table(relation) for relation in self.sql]), publish],
            jobs=[define_asset_job("rebuild"), define_asset_job("checks", AssetSelection.all_asset_checks())],
            resources={"pipeline": self.pipeline},
        )

    def _table(self, relation: str) -> Table:
        place = Place(relation.partition(".")[0], {}, frozenset())
        reads = tuple(self.reads.get(relation, ()))
        return Table(
            relation=relation, reads=reads, inputs=reads, make=partial(self._make, relation), rules=tuple(self.rules),
            description="", columns={}, place=place, sql=self.sql[relation],
        )  # fmt: skip

    def _make(self, relation: str, writer: Writer, _: Pipeline) -> Built:
        return writer.build(relation, self.sql[relation], description="", columns={})

    def run(self, job: str = "rebuild", only: Iterable[str] = ()) -> ExecuteInProcessResult:
        keys = [AssetKey(relation.split(".")) for relation in only] or None
        return self.definitions.resolve_job_def(job).execute_in_process(raise_on_error=False, asset_selection=keys)

    def rows(self, relation: str) -> list[Any] | None:
        with self.pipeline.writing() as writer:
            return writer.frame(f"from {relation}").rows() if writer.has(relation) else None

    def validations(self) -> list[tuple[Any, ...]]:
        with self.pipeline.writing() as writer:
            return writer.frame("select expectation, passed from meta.validations order by all").rows()


def materialised(done: ExecuteInProcessResult) -> list[str]:
    return [event.asset_key.to_user_string() for event in done.get_asset_materialization_events() if event.asset_key]
