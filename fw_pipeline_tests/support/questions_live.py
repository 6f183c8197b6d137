"""Runs a live Stack Overflow provider as the pipeline does, and shows what it asked for and what it left behind."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.catalog.frameworks import Tag
from fw_pipeline.contract import FetchContext, Provider
from fw_pipeline.ingestion.committer import Ingested
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import ProviderSelection, asking, choose
from fw_pipeline.months import Window, parse_month
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.faults import Answer, Fault
from fw_pipeline_tests.support.fake_services.messages import Logged, Request, Response
from fw_pipeline_tests.support.fake_services.schedule import Faults
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.support.fake_services.world import World

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

FEW = (
    Tag("tensorflow", "tensorflow", "core"),
    Tag("pytorch", "pytorch", "core"),
    Tag("tensorflow;c++", "tensorflow", "language"),
)
ASKED = ("*", "tensorflow", "pytorch", "tensorflow;c++")
"""What is counted where these tags are asked for, in order."""

FIRST = 2
"""Requests before the first month: for the filter, and for the tags."""

COUNTS, LISTS = "/stackexchange/questions", "/stackexchange/search"
"""Where the whole site is counted, and where questions are listed, at the fake services."""

EACH = 3
"""Requests for a month of the world of the fake services: one for the whole site, two pages of questions."""

MONTHS = ("2023-04", "2023-05", "2023-06")
SECOND = 3
"""Pages that pass before the second page of the second month is spoilt."""

UNHURRIED = {"pace": "0", "first_wait": "0", "longest_wait": "0", "tries": "2", "patience": "30", "force": "1"}
"""Options that wait for nothing, and take a dump for the whole that is as small as one made for a test."""


@dataclass
class Desk:
    """One data folder and one provider; the fake services, where it asks any."""

    data: Path
    provider: Provider
    services: FakeServices | None = None
    key: str = ""
    log: list[str] = field(default_factory=list)
    runs: int = 0

    def run(self, first: str, last: str, *, now: datetime = NOW, **options: str) -> Ingested:
        """Ingest some months; every run has its own id."""
        self.runs += 1
        chosen, settings = self._chosen(options)
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

    def fetch(self, first: str, last: str, *, now: datetime = NOW, **options: str) -> FetchContext:
        """Return what the provider would be given, with the answers of an unfinished fetch."""
        chosen, settings = self._chosen(options)
        window = Window.of(parse_month(first), parse_month(last))
        return asking(chosen, window, settings, now=now, run_id="by-hand", log=self.log.append)[0]

    @property
    def world(self) -> World:
        """What the fake services report on."""
        assert self.services is not None
        return self.services.world

    @property
    def faults(self) -> Faults:
        """What goes wrong at the fake services."""
        assert self.services is not None
        return self.services.faults

    @property
    def asked(self) -> list[Logged]:
        """The requests that arrived."""
        assert self.services is not None
        return self.services.of("stackexchange")

    @property
    def questions(self) -> list[tuple[str, str, str]]:
        """The month, the tags and the page of every request for questions, in order; `*` counts the whole site."""
        paths = (COUNTS, LISTS)
        found = [dict(request.query) for request in self.asked if request.path in paths]
        return [
            (f"{datetime.fromtimestamp(int(it['todate']), UTC):%Y-%m}", it.get("tagged", "*"), it.get("page", ""))
            for it in found
        ]

    def truth(self, *months: str) -> dict[tuple[str, str], int]:
        """Return what the world knows of the few tags."""
        world = self.world
        return {(month, tagged): world.questions_in(parse_month(month), tagged) for month in months for tagged in ASKED}

    def rows(self) -> pl.DataFrame:
        """The current figures, as the raw table would have them."""
        store = VintageStore(self.data)
        latest = {vintage.month: vintage for vintage in store.vintages("stackoverflow")}
        frames = [store.read("stackoverflow", vintage) for vintage in latest.values()]
        return pl.concat(frames) if frames else pl.DataFrame()

    def figures(self) -> dict[tuple[str, str], int]:
        """The current figures by month and tag."""
        return {(f"{it['month']:%Y-%m}", it["tagged"]): it["questions"] for it in self.rows().iter_rows(named=True)}

    def detail(self) -> pl.DataFrame:
        """The listing beside the current figures."""
        latest = {vintage.month: vintage for vintage in VintageStore(self.data).vintages("stackoverflow")}
        return pl.concat([pl.read_parquet(vintage.detail) for vintage in latest.values()])

    def written(self) -> bytes:
        """Everything below the data folder, unpacked, with the names of the files."""
        files = [path for path in self.data.rglob("*") if path.is_file()]
        return b"\n".join(str(path).encode() + b"\n" + _unpacked(path) for path in files)

    def _chosen(self, options: dict[str, str]) -> tuple[ProviderSelection, Settings]:
        name = self.provider.name
        path = f":{options.pop('path')}" if "path" in options else ""
        base = f"{self.services.url}/stackexchange" if self.services else "http://127.0.0.1:9"
        given = {"FW_DATA_DIR": str(self.data), "FW_PROVIDERS": f"stackoverflow={name}{path}"}
        given |= {"FW_STACKEXCHANGE_URL": base, "STACKEXCHANGE_KEY": self.key}
        if self.services:
            given["FW_CLICKPY_URL"] = f"{self.services.url}/clickpy"
        settings = read(given, dotenv=Path("none"))
        source = replace(SOURCES["stackoverflow"], providers=MappingProxyType({name: self.provider}))
        chosen = choose(source, settings)
        return ProviderSelection(chosen.source, chosen.provider, {**chosen.options, **UNHURRIED, **options}), settings


def _unpacked(path: Path) -> bytes:
    raw = path.read_bytes()
    return gzip.decompress(raw) if path.name.endswith(".gz") else raw


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


def heals(desk: Desk, missing: int) -> None:
    """Run again against the healed server: everything is there, and only what was missing was asked for."""
    desk.faults.clear()
    before = len(desk.asked)
    again = desk.run(MONTHS[0], MONTHS[-1])
    assert not again.failures
    assert desk.figures() == desk.truth(*MONTHS)
    assert len(desk.asked) - before == missing
