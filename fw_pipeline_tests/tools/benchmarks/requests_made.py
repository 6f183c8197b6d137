"""How many requests each live provider makes for a year, counted at the fake services.

`python -m fw_pipeline_tests.tools.benchmarks.requests_made` prints one table. The providers are those of the registry,
so that a new one is counted as soon as it is registered.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

from fw_pipeline.contract import Batch, Provider, Source
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import ProviderSelection, asking
from fw_pipeline.months import Window
from fw_pipeline.settings import Settings, read
from fw_pipeline.sources import SETTINGS, SOURCES
from fw_pipeline_tests.support.dumps import posts_xml
from fw_pipeline_tests.support.fake_services.server import FakeServices
from fw_pipeline_tests.tools.benchmarks.least import LEAST
from fw_pipeline_tests.tools.benchmarks.showing import table

NOW = datetime(2023, 7, 5, 6, 0, tzinfo=UTC)
"""The present of the fake services' world."""

YEAR = Window.of(date(2022, 1, 1), date(2022, 12, 1))

NOWHERE = "http://127.0.0.1:9"
"""Stands for a service that has no fake: a benchmark asks nobody else."""

MOUNTED = {
    "FW_STACKEXCHANGE_URL": "stackexchange",
    "FW_HUGGINGFACE_URL": "huggingface",
    "FW_ARXIV_URL": "arxiv",
    "FW_PWC_LINKS_URL": "pwc/links-between-papers-and-code.parquet",
    "FW_PWC_PAPERS_URL": "pwc/papers-with-abstracts.parquet",
    "FW_PYPISTATS_URL": "pypistats",
    "FW_CLICKPY_URL": "clickpy",
}
"""Where each service is found at the fake ones."""

UNHURRIED = {"pace": "0", "first_wait": "0", "longest_wait": "0", "rest": "0", "tries": "2", "patience": "30"}


@dataclass(frozen=True, slots=True)
class Counted:
    """What one provider asked for."""

    source: str
    provider: Provider
    window: Window
    answered: int
    """Months with figures."""
    reached: int
    planned: int | None
    """What the provider said beforehand."""
    least: int | None
    failure: str = ""


def count(source: Source, provider: Provider, services: FakeServices, place: Path) -> Counted:
    """Fetch a year, or the months that the provider reaches where it reaches none of that year."""
    settings = read(
        {
            "FW_DATA_DIR": str(place / f"{source.name}-{provider.name}"),
            "STACKEXCHANGE_KEY": "any",
            **{
                name: f"{services.url}/{MOUNTED[name]}" if name in MOUNTED else NOWHERE
                for name, it in SETTINGS.items()
                if not it.is_secret
            },
        },
        dotenv=place / "none",
    )
    chosen = ProviderSelection(source, provider, _options(source, provider, settings, place))
    window = _window(provider, chosen, settings)
    fetch, _ = asking(chosen, window, settings, now=NOW)
    planned = provider.plan(fetch).requests
    services.reset()
    answered, failure = 0, ""
    try:
        for said in provider.fetch(fetch):
            if not isinstance(said, Batch):
                failure = failure or str(said)
            elif said.month is not None:
                answered += said.gap is None
    except PipelineError as reason:
        failure = str(reason)
    known = LEAST.get((source.name, provider.name))
    least = known.requests(window, services.world) if known else None
    return Counted(source.name, provider, window, answered, len(services.requests), planned, least, failure)


def _options(source: Source, provider: Provider, settings: Settings, place: Path) -> dict[str, str]:
    options = {**settings.addresses, "contact": "reader@example.org", "scratch": str(place / "scratch"), **UNHURRIED}
    options["force"] = "1"  # a dump that is made for a test is smaller than the real one
    if (source.name, provider.name) == ("stackoverflow", "dump"):
        path = place / "Posts.xml"
        path.write_text(posts_xml(), encoding="utf-8")
        options["path"] = str(path)
    if (source.name, provider.name) == ("huggingface", "parquet"):
        options["path"] = "hf://datasets/cfahlgren1/hub-stats/models.parquet"
    return options


def _window(provider: Provider, chosen: ProviderSelection, settings: Settings) -> Window:
    reach = provider.reach(asking(chosen, YEAR, settings, now=NOW)[0]).window
    start, end = max(YEAR.start, reach.start), min(YEAR.end, reach.end)
    return Window(start, end) if start < end else reach


def rows(found: list[Counted]) -> Iterator[tuple[str, ...]]:
    """Yield what the table shows of each provider. A provider that failed has no figure."""
    for it in found:
        name = f"{it.source} {it.provider.name}"
        months = f"{it.window} ({it.answered} of {len(it.window.months())})"
        if it.failure:
            yield name, months, "failed", "", "", "", ""
            continue
        ratio = "" if not it.least else f"{it.reached / it.least:.3f}"
        each = f"{it.reached / it.answered:.1f}" if it.answered else ""
        planned, least = ("?" if number is None else f"{number:,}" for number in (it.planned, it.least))
        yield name, months, f"{it.reached:,}", least, ratio, each, planned


def remarks(found: list[Counted]) -> Iterator[str]:
    """Yield what there is to say below the table: the plan of each, why more was asked, what it costs for real."""
    for it in found:
        name = f"{it.source} {it.provider.name}"
        known = LEAST.get((it.source, it.provider.name))
        if it.failure:
            yield f"{name}: FAILED, so there is no figure: {it.failure}"
        elif known is None:
            yield f"{name}: nobody has worked out its least; write it in least.py. Its own word: {it.provider.cost}."
        else:
            more = known.more
            if it.least is not None and it.reached > it.least and not more:
                more = f"MORE than the least, and least.py does not say why. Its own word: {it.provider.cost}."
            yield f"{name}: least is {known.plan}. {more}".rstrip()


def main() -> int:
    """Count and print; return 1 where a provider failed."""
    with tempfile.TemporaryDirectory() as folder, FakeServices() as services:
        found = [
            count(source, provider, services, Path(folder))
            for source in SOURCES.values()
            for provider in source.providers.values()
            if provider.name != "recorded"
        ]
    titles = ("provider", "months (with figures)", "reached", "least", "ratio", "a month", "said before")
    table("Requests for a backfill of 2022, at the fake services", titles, rows(found), remarks(found))
    return int(any(it.failure for it in found))


if __name__ == "__main__":
    sys.exit(main())
