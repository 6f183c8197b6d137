"""The world that the fake services report on: made up, deterministic, and the same for all of them.

What a test expects is computed from here, never from an answer.
"""

from __future__ import annotations

import random
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Any

from fw_pipeline.catalog.frameworks import PACKAGES, TAGS
from fw_pipeline.months import next_month
from fw_pipeline_tests.support.fake_services import world_models, world_papers

FIRST_MONTH, LAST_MONTH = date(2022, 1, 1), date(2023, 6, 1)

CROWD_STEP, CROWD_AT = 25, 7
"""Every so many seconds, and so many after midnight, somebody asks Stack Overflow about something else."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question on Stack Overflow."""

    number: int
    created: int
    """Unix seconds."""
    tags: frozenset[str]


@dataclass
class World:
    """All figures, and the switches by which a test changes how the services behave."""

    today: date = date(2023, 7, 5)
    """The services' present: nothing is known of this day or later ones."""
    questions_a_month: int = 400
    first_question: date = FIRST_MONTH
    last_question: date = LAST_MONTH
    """Months between which questions are asked on Stack Overflow."""
    model_count: int = 3000
    paper_count: int = 600
    stackexchange_quota: int = 10_000
    """Requests a day with a key."""
    keyless_quota: int = 300
    known_keys: frozenset[str] = frozenset()
    """Keys that are accepted; any when empty."""
    backoff_every: int = 0
    """Every so many answers of Stack Exchange ask for `backoff`; never when 0."""
    backoff_seconds: int = 1
    most_tags: int = 5
    """Tags that Stack Exchange takes in one request."""
    dead_tags: frozenset[str] = frozenset()
    """Tags that exist no more."""
    hub_quota: int = 500
    """Requests to the Hub in a window of five minutes."""
    hub_page_cap: int = 1000
    hub_direction: str = "honoured"
    """What the Hub makes of `direction=1`: `honoured`, `refused` or `ignored`."""
    archive_listing: str = "tree"
    """How the Hub lists the files of the Papers with Code archive: by `tree`, by `parquet`, or by neither."""
    archive_parts: Mapping[str, int] = field(default_factory=lambda: {"papers-with-abstracts": 4})
    """In how many files a repository of the archive holds its table; one where it is not named."""
    arxiv_least_seconds: float = 0.0
    """Requests to arXiv nearer to each other than this are throttled; 3 in the real world."""
    pypistats_quota: int = 10_000
    quoted_integers: bool = False
    """Whether ClickHouse writes 64-bit integers as strings."""
    missing_days: frozenset[date] = frozenset()
    """Days without downloads in either source."""
    clickpy_rows: int = 10_000
    """Most rows of one answer of ClickHouse."""
    posts_kind: str = "DateTime64(3, 'UTC')"
    """Type of the time of a post in ClickHouse's copy of the data dump."""
    posts_until: int = 2**31
    """Unix second in which that copy ends."""
    posts_gone: bool = False
    """Whether the copy is no longer there."""
    counters: dict[str, int] = field(default_factory=dict)
    """What a service counts while it runs: its quota, its backoffs."""
    moments: dict[str, float] = field(default_factory=dict)
    """What a service remembers of the clock, in monotonic seconds."""
    filters: dict[str, frozenset[str]] = field(default_factory=dict)
    """Filters that were created at Stack Exchange."""

    def count(self, name: str) -> int:
        """Count one more of something and return how many there are now."""
        self.counters[name] = self.counters.get(name, 0) + 1
        return self.counters[name]

    def questions(self) -> tuple[Question, ...]:
        """Return every question, by time."""
        return _questions(self.questions_a_month, self.first_question, self.last_question)

    def questions_in(self, month: date, tagged: str) -> int:
        """Return how many questions of a month carry all tags of `a;b`; `*` counts the whole site."""
        first, end = (_seconds(m) for m in (month, next_month(month)))
        wanted = frozenset(() if tagged == "*" else tagged.split(";"))
        listed = sum(first <= it.created < end and wanted <= it.tags for it in self.questions())
        return listed if wanted else listed + self.crowd_between(first, end - 1)

    def crowd_between(self, first: int, last: int) -> int:
        """Return how many other questions the site has, which no tag of ours finds: one in `CROWD_STEP` seconds."""
        begin, end = _seconds(self.first_question), _seconds(next_month(self.last_question))
        first, last = max(first, begin), min(last, end - 1)
        return max(0, (last - CROWD_AT) // CROWD_STEP - (first - 1 - CROWD_AT) // CROWD_STEP) if first <= last else 0

    def all_time(self, tag: str) -> int:
        """Return how many questions ever carried a tag: more than are listed, as the site is older than this world."""
        if tag in self.dead_tags or tag not in _TAG_NAMES:
            return 0
        return 1000 + sum(tag in it.tags for it in self.questions())

    def models(self) -> tuple[dict[str, Any], ...]:
        """Return every model on the Hub, newest first, with all its fields."""
        return world_models.models(self.model_count)

    def papers(self) -> tuple[dict[str, Any], ...]:
        """Return every paper, oldest first: its arXiv entry and its repositories."""
        return world_papers.papers(self.paper_count)

    def downloads(self, package: str, day: date, *, mirrors: bool = True) -> int | None:
        """Return the downloads of a package on a day; None where the day is not known."""
        if package not in PACKAGE_NAMES or not FIRST_MONTH <= day < self.today or day in self.missing_days:
            return None
        return _downloads(package, day, mirrors)

    def days(self) -> Iterator[date]:
        """Yield every day of the world."""
        day = FIRST_MONTH
        while day < self.today:
            yield day
            day += timedelta(days=1)

    def downloads_in(self, month: date, package: str, *, mirrors: bool = True) -> int:
        """Return the downloads of a package in the known days of a month."""
        days = (day for day in self.days() if day.replace(day=1) == month)
        return sum(self.downloads(package, day, mirrors=mirrors) or 0 for day in days)


PACKAGE_NAMES: tuple[str, ...] = tuple(dict.fromkeys((*(it.name for it in PACKAGES), "torchaudio", "numpy")))

_SINGLE_TAGS = tuple(dict.fromkeys(name for tag in TAGS for name in tag.tagged.split(";")))
_TAG_NAMES = frozenset((*_SINGLE_TAGS, "python", "numpy"))


def _seconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


@lru_cache(maxsize=4)
def _questions(a_month: int, month: date, last: date) -> tuple[Question, ...]:
    found: list[Question] = []
    while month <= last:
        chance = random.Random(f"questions {month}")
        start, end = _seconds(month), _seconds(next_month(month))
        moments = sorted({start, end - 1, *(chance.randrange(start, end) for _ in range(a_month))})
        found += [Question(number, at, _tags(chance)) for number, at in enumerate(moments, 70_000_000 + len(found))]
        month = next_month(month)
    return tuple(found)


def _tags(chance: random.Random) -> frozenset[str]:
    if chance.random() < 0.4:
        return frozenset({"numpy"})
    pair = chance.choice(TAGS).tagged.split(";")
    extra = chance.choices(("python", "tensorflow", "pytorch", "keras"), k=chance.randrange(3))
    return frozenset((*pair, *extra))


@lru_cache(maxsize=1 << 17)
def _downloads(package: str, day: date, mirrors: bool) -> int:
    size = 1000 + zlib.crc32(package.encode()) % 100_000
    week = 0.7 if day.weekday() >= 5 else 1.0
    growth = 1 + (day - FIRST_MONTH).days / 365
    noise = 0.95 + zlib.crc32(f"{package} {day}".encode()) % 1000 / 10_000
    everything = int(size * week * growth * noise)
    return everything if mirrors else everything - everything // 50
