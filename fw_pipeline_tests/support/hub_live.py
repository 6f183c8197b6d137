"""Runs a live provider of the Hub against the fake services as the pipeline does, and shows what it left behind."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from math import ceil
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.catalog.frameworks import HUB_NAMES
from fw_pipeline.ingestion.committer import Ingested
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import ProviderSelection, choose
from fw_pipeline.months import Window, parse_month
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.huggingface import models_parquet
from fw_pipeline_tests.support.fake_services.messages import Logged, Request, Response
from fw_pipeline_tests.support.fake_services.server import FakeServices

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

REAL = Path(__file__).parents[2] / "../shared/real/huggingface"
LISTING = "/huggingface/api/models"
UNHURRIED = {"first_wait": "0", "longest_wait": "0", "tries": "2", "patience": "30"}

Counts = dict[tuple[str | None, tuple[str, ...]], int]
Row = dict[str, Any]


@dataclass
class Desk:
    """One data folder, one provider of the Hub, and the fake services."""

    data: Path
    services: FakeServices
    provider: str = "api"
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log: list[str] = []
        self.runs = 0

    def run(self, first: str, last: str, *, now: datetime = NOW, path: str = "", **options: str) -> Ingested:
        """Ingest some months; every run has its own id."""
        self.runs += 1
        settings = read(
            {
                "FW_DATA_DIR": str(self.data),
                "FW_PROVIDERS": f"huggingface={self.provider}" + (f":{path}" if path else ""),
                "FW_HUGGINGFACE_URL": f"{self.services.url}/huggingface",
                **self.secrets,
            },
            dotenv=Path("none"),
        )
        chosen = choose(SOURCES["huggingface"], settings)
        scratch = {"scratch": str(self.data / "scratch")}
        chosen = ProviderSelection(
            chosen.source, chosen.provider, {**chosen.options, **UNHURRIED, **scratch, **options}
        )
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

    def asked(self) -> list[Logged]:
        """Return the requests that arrived since the last call."""
        found = self.services.of("huggingface")
        self.services.requests.clear()
        return found

    def rows(self) -> pl.DataFrame:
        """The current figures, as the raw table would have them."""
        store = VintageStore(self.data)
        latest = {vintage.month: vintage for vintage in store.vintages("huggingface")}
        frames = [store.read("huggingface", vintage) for vintage in latest.values()]
        return pl.concat(frames) if frames else pl.DataFrame()

    def counts(self) -> dict[str, Counts]:
        """The models by month, library and formats."""
        found: dict[str, Counts] = {}
        for row in self.rows().iter_rows(named=True):
            key = (row["library"], tuple(row["formats"]))
            found.setdefault(f"{row['month']:%Y-%m}", {})[key] = row["models"]
        return found

    def detail(self) -> pl.DataFrame:
        """The listing beside the current figures."""
        latest = {vintage.month: vintage for vintage in VintageStore(self.data).vintages("huggingface")}
        return pl.concat([pl.read_parquet(vintage.detail) for vintage in latest.values()])

    def expected(self, *months: str) -> dict[str, Counts]:
        """What `counts` must be, counted in the fake world itself."""
        return counted(self.services.world.models(), months)

    def least_pages_up_to(self, last: str) -> int:
        """Return how many pages a listing from the oldest on needs to come to a newer model than a month's."""
        models = self.services.world.models()
        older = len([model for model in models if model["createdAt"][:7] <= last])
        return ceil(min(older + 1, len(models)) / self.services.world.hub_page_cap)

    def least_pages(self, first: str) -> int:
        """Return how many pages a listing from the newest on needs to come to an older model than a month's."""
        models = self.services.world.models()
        newer = len([model for model in models if model["createdAt"] >= first])
        return ceil(min(newer + 1, len(models)) / self.services.world.hub_page_cap)


def counted(models: Iterable[Row], months: Iterable[str]) -> dict[str, Counts]:
    """Count models by month, library and kept tags, without the pipeline."""
    kept = {it.name for it in HUB_NAMES if it.kind == "tag"}
    found: dict[str, Counter[tuple[str | None, tuple[str, ...]]]] = {month: Counter() for month in months}
    for model in models:
        if (month := model["createdAt"][:7]) in found:
            found[month][model.get("library_name"), tuple(sorted(kept & {tag.lower() for tag in model["tags"]}))] += 1
    return {month: dict(counts) for month, counts in found.items()}


def without_tags_of_keras(desk: Desk, month: str) -> dict[str, Counts]:
    """What `counts` must be of a month where the models of the library keras come without tags."""
    models = desk.services.world.models()
    return counted(
        ({**model, "tags": [] if model.get("library_name") == "keras" else model["tags"]} for model in models), [month]
    )


def edited(change: Callable[[list[Row]], Any]) -> Fault:
    """Answer truly, with the rows of the page changed in place by a function, or replaced by what it returns."""

    def fault(request: Request, answer: Answer) -> Response:
        true = answer(request)
        page = json.loads(true.body)
        changed = change(page)
        return replace(true, body=json.dumps(page if changed is None else changed).encode())

    return fault


def without_link(request: Request, answer: Answer) -> Response:
    """Answer truly, but name no next page."""
    true = answer(request)
    return replace(true, headers={name: value for name, value in true.headers.items() if name != "Link"})


def lines(got: Ingested) -> list[str]:
    """The failures, as a user reads them; each must be one line."""
    said = [str(failure) for failure in got.failures]
    assert all(line.isprintable() for line in said)
    return said


def statuses(got: Ingested) -> dict[str, str]:
    """The last status of every month."""
    return {f"{outcome.month:%Y-%m}": outcome.status for outcome in got.outcomes if isinstance(outcome.month, date)}


def heals(desk: Desk, first: str, last: str, months: tuple[str, ...], *, missing: int) -> None:
    """Run again against the healed Hub: everything is there, and only what was missing was asked for."""
    desk.services.faults.clear()
    desk.asked()
    got = desk.run(first, last)
    assert lines(got) == []
    assert len(desk.asked()) == missing
    assert desk.counts() == desk.expected(*months)


def snapshot(
    desk: Desk, folder: str = "here", change: Callable[[pl.DataFrame], pl.DataFrame] = lambda frame: frame
) -> str:
    """Write the fake world's snapshot below a folder, changed by a function; return its path."""
    path = desk.data.parent / folder / "models.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    change(pl.read_parquet(io.BytesIO(models_parquet(desk.services.world.model_count)))).write_parquet(path)
    return str(path)
