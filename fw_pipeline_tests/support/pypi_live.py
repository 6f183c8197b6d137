"""Runs a live PyPI provider against the fake services as the pipeline does, and shows what it left behind."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.contract import Provider
from fw_pipeline.ingestion.committer import Ingested
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import ProviderSelection, choose
from fw_pipeline.months import Window, parse_month
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Logged, Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

REAL = Path(__file__).parents[2] / "../shared/real/pypi"

UNHURRIED = {"pace": "0", "first_wait": "0", "longest_wait": "0", "tries": "2", "patience": "30"}


@dataclass
class Desk:
    """One data folder, one provider and the fake services."""

    data: Path
    services: FakeServices
    provider: Provider

    def __post_init__(self) -> None:
        self.log: list[str] = []
        self.runs = 0

    def run(self, first: str, last: str, *, now: datetime = NOW, **options: str) -> Ingested:
        """Ingest some months; every run has its own id."""
        self.runs += 1
        name = self.provider.name
        settings = read(
            {
                "FW_DATA_DIR": str(self.data),
                "FW_PROVIDERS": f"pypi={name}",
                "FW_CLICKPY_URL": f"{self.services.url}/clickpy",
                "FW_PYPISTATS_URL": f"{self.services.url}/pypistats",
            },
            dotenv=Path("none"),
        )
        source = replace(SOURCES["pypi"], providers=MappingProxyType({name: self.provider}))
        chosen = choose(source, settings)
        chosen = ProviderSelection(chosen.source, chosen.provider, {**chosen.options, **UNHURRIED, **options})
        window = Window.of(parse_month(first), parse_month(last))
        run_id = f"run-{self.runs}"
        return ingest(
            chosen,
            window,
            settings,
            run_id=run_id,
            now=now,
            log=self.log.append,
            say=self.log.append,
            done=lambda _: None,
            patience=5,
        )

    @property
    def asked(self) -> list[Logged]:
        """The requests that arrived for this provider."""
        return self.services.of(self.provider.name)

    def rows(self) -> pl.DataFrame:
        """The current figures, as the raw table would have them."""
        store = VintageStore(self.data)
        latest = {vintage.month: vintage for vintage in store.vintages("pypi")}
        frames = [store.read("pypi", vintage) for vintage in latest.values()]
        return pl.concat(frames) if frames else pl.DataFrame()

    def detail(self) -> pl.DataFrame:
        """The daily listing beside the current figures."""
        latest = {vintage.month: vintage for vintage in VintageStore(self.data).vintages("pypi")}
        return pl.concat([pl.read_parquet(vintage.detail) for vintage in latest.values()])

    def months(self) -> list[str]:
        """The months with figures."""
        rows = self.rows()
        return sorted({f"{month:%Y-%m}" for month in rows["month"]}) if rows.height else []

    def one(self, month: str, package: str, installers: str = "all") -> dict[str, Any]:
        """The one row of a month, package and kind of installers."""
        wanted = (pl.col("month") == parse_month(month)) & (pl.col("package") == package)
        return self.rows().filter(wanted & (pl.col("installers") == installers)).row(0, named=True)


class LossyWorld(World):
    """A world in which two days of April are kept as zeros for every package."""

    def downloads(self, package: str, day: date, *, mirrors: bool = True) -> int | None:
        """Return the downloads of a package on a day."""
        found = super().downloads(package, day, mirrors=mirrors)
        return 0 if found and day in {date(2023, 4, 10), date(2023, 4, 30)} else found


def edited(change: Callable[[dict[str, Any]], Any]) -> Fault:
    """Answer truly, with the JSON changed in place by a function."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        body = json.loads(true.body)
        change(body)
        return replace(true, body=json.dumps(body).encode())

    return fault


def lines(got: Ingested) -> list[str]:
    """The failures, as a user reads them; each must be one line."""
    said = [str(failure) for failure in got.failures]
    assert all(line.isprintable() for line in said)
    return said


def statuses(got: Ingested) -> dict[str, str]:
    """The status of every month."""
    return {f"{outcome.month:%Y-%m}": outcome.status for outcome in got.outcomes if isinstance(outcome.month, date)}
