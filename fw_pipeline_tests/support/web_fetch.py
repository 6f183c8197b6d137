"""A fetch for an `HttpClient`: real evidence in a temporary folder, and a clock that only moves when somebody waits."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.contract import FetchContext
from fw_pipeline.http import HttpClient, Limits, RateLimit, Response
from fw_pipeline.months import Window
from fw_pipeline.raw import EvidenceStore

NOW = datetime(2023, 7, 5, 12, 0, tzinfo=UTC)
MONTH = date(2023, 3, 1)
TORCH = "/pypistats/packages/torch/overall"


@dataclass
class Clock:
    """A clock that stands still but for sleeping."""

    now: float = NOW.timestamp()
    slept: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        """Return Unix seconds."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Move on."""
        self.slept.append(seconds)
        self.now += seconds


@dataclass
class Bench:
    """Makes an `HttpClient` for one run after another over the same data folder."""

    folder: Path
    clock: Clock = field(default_factory=Clock)
    log: list[str] = field(default_factory=list)
    waits: list[str] = field(default_factory=list)
    secrets: Mapping[str, str] = field(default_factory=dict)
    options: Mapping[str, str] = field(default_factory=dict)
    runs: int = 0

    def fetch(self) -> FetchContext:
        """Return a fetch of a new run, which resumes what an unfinished one kept."""
        self.runs += 1
        evidence_store = EvidenceStore(self.folder, "pypi", "pypistats", run_id=f"run-{self.runs}", now=NOW)
        return FetchContext(
            window=Window.of(date(2023, 1, 1), date(2023, 6, 1)),
            now=NOW,
            evidence=evidence_store,
            scan=_no_scan,
            log=self.log.append,
            waits=self.waits.append,
            options={"contact": "mail@example.org", "scratch": f"{self.folder / 'scratch'}", **self.options},
            secrets=self.secrets,
        )

    def web(self, *, budget: int = 100, rate: RateLimit | None = None, **limits: Any) -> HttpClient:
        """Return an `HttpClient` of a new run."""
        bounds = replace(Limits.of(self.options), **{"tries": 3, "answer_bytes": 2**22, **limits})
        rate = rate or RateLimit()
        label = "pypi pypistats"
        clock = self.clock
        return HttpClient(
            self.fetch(), rate=rate, budget=budget, host_label=label, limits=bounds, clock=clock, sleep=clock.sleep
        )

    def written(self) -> dict[Path, bytes]:
        """Return everything that was written below the folder, unpacked."""
        files = (path for path in self.folder.rglob("*") if path.is_file())
        return {path: _unpacked(path.read_bytes()) for path in files}

    def journal(self) -> list[dict[str, Any]]:
        """Return what the evidence store noted, in order."""
        lines = [path.read_text() for path in sorted(self.folder.rglob("requests.ndjson"))]
        return [json.loads(line) for text in lines for line in text.splitlines() if line]


def rows_of(answer: Response) -> int:
    """Read an answer of pypistats: how many rows it has."""
    return len(answer.json(dict)["data"])


def ask(
    web: HttpClient, url: str, *, name: str = "torch", read: Callable[[Response], Any] = rows_of, **more: Any
) -> Any:
    """Ask for the downloads of torch, for one month."""
    return web.get(f"{url}{TORCH}", name=name, read=read, month=MONTH, **more)


def _unpacked(raw: bytes) -> bytes:
    return gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw


def _no_scan(sql: str, parameters: Mapping[str, Any]) -> pl.DataFrame:
    raise NotImplementedError(sql, parameters)
