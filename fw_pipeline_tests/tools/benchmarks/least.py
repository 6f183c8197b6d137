"""The fewest requests with which each live provider could answer, and why it makes more where it does.

The fewest are those of the cheapest plan for a whole backfill that the services' rules allow: their page sizes, what
one query may return, and what a client must know before it may trust an answer.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from types import MappingProxyType

from fw_pipeline.catalog.frameworks import PACKAGES, TAGS
from fw_pipeline.months import Window
from fw_pipeline.sources.stackoverflow.monthly_questions import carriers
from fw_pipeline.sources.stackoverflow.stackexchange_api import TAGS_A_CALL
from fw_pipeline.sources.stackoverflow.stackexchange_client import PAGE
from fw_pipeline_tests.support.fake_services.world import World

_PAGE = 1000


@dataclass(frozen=True, slots=True)
class Least:
    """The fewest requests for a range of months."""

    requests: Callable[[Window, World], int]
    plan: str
    """The cheapest plan, in words."""
    more: str = ""
    """Why the provider makes more, or what the plan leaves open."""


def _hub_pages(window: Window, world: World) -> int:
    made = [str(model["createdAt"]) for model in world.models()]
    older = [it for it in made if it < f"{window.end:%Y-%m-%d}"]
    newer = [it for it in made if it >= f"{window.start:%Y-%m-%d}"]
    return ceil(min(len(older), len(newer)) / min(_PAGE, world.hub_page_cap))


def _question_pages(window: Window, world: World) -> int:
    tags, months = carriers(TAGS), window.months()
    groups = [frozenset(tags[start : start + TAGS_A_CALL]) for start in range(0, len(tags), TAGS_A_CALL)]
    begin, end = (datetime(day.year, day.month, 1, tzinfo=UTC).timestamp() for day in (window.start, window.end))
    asked = Counter(
        (f"{datetime.fromtimestamp(it.created, UTC):%Y-%m}", group)
        for it in world.questions()
        for group in groups
        if begin <= it.created < end and it.tags & group
    )
    return len(months) + sum(ceil(count / PAGE) for count in asked.values())


LEAST: Mapping[tuple[str, str], Least] = MappingProxyType(
    {
        ("stackoverflow", "clickhouse"): Least(lambda *_: 1, "one for all months, tags and pairs"),
        ("stackoverflow", "api"): Least(
            _question_pages,
            "one for 100 questions of five tags, and one a month for the whole site",
            "Two requests a fetch come on top, for any range. One creates the filter that shows the quota that is left "
            "with every answer. One looks all tags up, because a mistyped tag has no questions, like a tag that nobody "
            "used. A listing over all months at once would spare pages that are not full, and lose what is done.",
        ),
        ("stackoverflow", "dump"): Least(lambda *_: 0, "none: a local file"),
        ("huggingface", "api"): Least(
            _hub_pages,
            f"one a {_PAGE:,} models made up to the last month, or since the first one",
            "A listing begins at one end of the Hub, so a month in its middle costs every page before it; one more is "
            "needed where a page ends with the range. On the real Hub that is about 3,200 for all months. "
            "The plan of 400 to 600 asks by framework tag; it was left, because most PyTorch models since "
            "2023 carry no tag `pytorch`. The provider `parquet` does the same with one download.",
        ),
        ("huggingface", "parquet"): Least(lambda *_: 1, "one file"),
        ("papers", "archive"): Least(lambda *_: 2, "two files, here; on the Hub five, and two lists of them"),
        ("papers", "arxiv"): Least(
            lambda window, _: len(window.months()),
            "one a month",
            "A month with more papers than one answer may hold (2,000) is asked for in halves.",
        ),
        ("pypi", "clickpy"): Least(lambda *_: 2, "one for the last day, one for all figures"),
        ("pypi", "pypistats"): Least(
            lambda *_: len(PACKAGES),
            "one per package: the service answers no other question",
            "It looks back 180 days only, so that it can backfill nothing older.",
        ),
    }
)
"""By source and provider. One that is not here is counted all the same, and said to have no known least."""
