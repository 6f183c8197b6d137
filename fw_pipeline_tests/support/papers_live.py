"""Runs a live provider of papers against the fake services as the pipeline does, and shows what it left behind."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.ingestion.committer import Ingested
from fw_pipeline.ingestion.ingest import ingest
from fw_pipeline.ingestion.providers import ProviderSelection, choose
from fw_pipeline.months import Window, parse_month
from fw_pipeline.raw import VintageStore
from fw_pipeline.settings import read
from fw_pipeline.sources import SOURCES
from fw_pipeline_tests.support.fake_services.server import FakeServices

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

UNHURRIED = {"pace": "0", "first_wait": "0", "longest_wait": "0", "tries": "3", "patience": "30", "rest": "0"}

Rows = list[dict[str, Any]]
Key = tuple[date | None, tuple[str, ...], bool | None]


@dataclass
class Desk:
    """One data folder, one provider and the fake services."""

    data: Path
    services: FakeServices
    provider: str
    secrets: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.log: list[str] = []
        self.runs = 0

    def run(
        self,
        first: str,
        last: str,
        *,
        now: datetime = NOW,
        links: str = "links-between-papers-and-code.parquet",
        papers: str = "papers-with-abstracts.parquet",
        **options: str,
    ) -> Ingested:
        """Ingest some months; every run has its own id."""
        self.runs += 1
        settings = read(
            {
                "FW_DATA_DIR": str(self.data / "data"),
                "FW_PROVIDERS": f"papers={self.provider}",
                "FW_CONTACT": "reader@example.org",
                **self.secrets,
                "FW_ARXIV_URL": f"{self.services.url}/arxiv",
                "FW_PWC_LINKS_URL": self._at(links),
                "FW_PWC_PAPERS_URL": self._at(papers),
            },
            dotenv=Path("none"),
        )
        chosen = choose(SOURCES["papers"], settings)
        told = {**chosen.options, **UNHURRIED, "scratch": str(self.data / "scratch"), **options}
        return ingest(
            ProviderSelection(chosen.source, chosen.provider, told),
            Window.of(parse_month(first), parse_month(last)),
            settings,
            run_id=f"run-{self.runs}",
            now=now,
            log=self.log.append,
            say=self.log.append,
            done=lambda _: None,
            patience=5,
        )

    def on_the_hub(self, repository: str, file: str = "*.parquet") -> str:
        """Return the address of a file in a repository of the archive."""
        return f"{self.services.url}/huggingface/datasets/pwc-archive/{repository}/resolve/main/data/{file}"

    def _at(self, names: str) -> str:
        return " ".join(it if "://" in it else f"{self.services.url}/pwc/{it}" for it in names.split())

    def rows(self) -> pl.DataFrame:
        """The current figures, those of no month included."""
        frames = [self._store.read("papers", vintage) for vintage in self._latest()]
        return pl.concat(frames) if frames else pl.DataFrame()

    def figures(self) -> dict[Key, tuple[int, int | None]]:
        """Papers and repositories of the current figures, by month, frameworks and official or not."""
        return {
            (row["month"], tuple(row["frameworks"]), row["official"]): (row["papers"], row["repositories"])
            for row in self.rows().to_dicts()
        }

    def detail(self) -> pl.DataFrame:
        """The listing beside the current figures."""
        return pl.concat([pl.read_parquet(vintage.detail) for vintage in self._latest()])

    def months(self) -> list[str]:
        """The months with figures."""
        return sorted(f"{vintage.month:%Y-%m}" for vintage in self._latest() if vintage.month)

    @property
    def _store(self) -> VintageStore:
        return VintageStore(self.data / "data")

    def _latest(self) -> Iterable[Any]:
        return {vintage.month: vintage for vintage in self._store.vintages("papers")}.values()


def local_archive(desk: Desk, links: bytes | Rows, papers: bytes | Rows, suffix: str = "") -> str:
    """Write both files of an archive, and return the option that names them."""
    for name, body in (("l", links), ("p", papers)):
        path = desk.data / f"{name}{suffix}"
        path.write_bytes(body if isinstance(body, bytes) else json.dumps(body).encode())
    return f"links={desk.data / f'l{suffix}'};papers={desk.data / f'p{suffix}'}"


def lines(got: Ingested) -> list[str]:
    """The failures, as a user reads them; each must be one line."""
    said = [str(failure) for failure in got.failures]
    assert all(line.isprintable() and len(line) < 700 for line in said)
    return said


def statuses(got: Ingested) -> dict[str, str]:
    """The status of every month."""
    return {f"{it.month:%Y-%m}" if it.month else "none": it.status for it in got.outcomes}


def named_in_abstracts(services: FakeServices, month: date) -> Counter[tuple[str, ...]]:
    """Papers of a month by the set of frameworks that their abstracts name, from the world itself."""
    found: Counter[tuple[str, ...]] = Counter()
    for paper in services.world.papers():
        if paper["published"].date().replace(day=1) == month:
            _, _, named = paper["abstract"].partition("Our code uses ")
            found[tuple(sorted(named.rstrip(".").lower().split(" and ")))] += bool(named)
    return +found


def in_the_archive(services: FakeServices) -> dict[Key, tuple[int, int | None]]:
    """Papers and repositories of the archive by month, frameworks and official or not, from the world itself."""
    of_set: Counter[Key] = Counter()
    papers: dict[Key, set[str]] = {}
    repositories: dict[Key, set[str]] = {}
    for paper in services.world.papers():
        month = date.fromisoformat(paper["date"]).replace(day=1) if paper["date"] else None
        links = [(it["repo_url"], _FRAMEWORKS[it["framework"]], it["is_official"]) for it in paper["repositories"]]
        if links:
            of_set[month, tuple(sorted({name for _, names, _ in links for name in names})), None] += 1
        for url, names, official in links:
            papers.setdefault((month, names, official), set()).add(paper["slug"])
            repositories.setdefault((month, names, official), set()).add(url)
    return {
        **{key: (count, None) for key, count in of_set.items()},
        **{key: (len(papers[key]), len(repositories[key])) for key in papers},
    }


_FRAMEWORKS: dict[str, tuple[str, ...]] = {
    "none": (),
    "tf": ("tensorflow",),
    "torch": ("lua-torch",),
    **{name: (name,) for name in ("pytorch", "jax", "mindspore", "paddle", "mxnet", "caffe2")},
}
