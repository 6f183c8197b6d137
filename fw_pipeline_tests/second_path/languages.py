"""The claims on other languages, on any figures that are given: C22 to C24."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from functools import cache

import polars as pl

from fw_pipeline_tests.second_path.figures import FIRST, Series, ratio, read, shift, span, window
from fw_pipeline_tests.second_path.measured import ANYTHING, Beside, Measured
from fw_pipeline_tests.second_path.totals import totals

Followed = Mapping[str, Series]
"""Questions by tag or pair of tags and month, from the first month on; None where there is none."""

LANGUAGES = ("javascript", "java", "c++", "julia", "rust", "scala", "haskell")
OFFICIAL, COMMUNITY = LANGUAGES[:3], LANGUAGES[3:]
OWN = {"tensorflow": "tensorflow.js", "pytorch": "libtorch"}
TWO = ("pytorch", "tensorflow")
ASKED = {
    "C22": ("tensorflow;javascript", "tensorflow.js", "tensorflow;java", "tensorflow;c++"),
    "C23": tuple(f"tensorflow;{language}" for language in COMMUNITY),
}


def interfaces() -> Iterator[Measured]:
    """How many languages had an interface by a month, in the months in which that changed."""
    for claim, formula, kind, languages in (
        ("C22", "languages with an official interface", "official", OFFICIAL),
        ("C23", "languages with a community binding", "community", COMMUNITY),
    ):
        mine = (pl.col("framework") == "tensorflow") & (pl.col("kind") == kind) & pl.col("language").is_in(languages)
        rows = read("bindings").filter(mine & pl.col("since").is_not_null()).select("language", "since").rows()
        began = [(language, date.fromisoformat(day).replace(day=1)) for language, day in rows]
        for month in sorted({month for _, month in began}):
            count = len({language for language, since in began if since <= month})
            beside = Beside("bindings", None, count, None, note=ANYTHING)
            yield Measured(claim, formula, None, month, count, len(languages), beside=beside)


def c22_and_c23(tags: Followed, series: str) -> Iterator[Measured]:
    """The monthly mean of a year, of which eight months must have a figure."""
    for claim, names in ASKED.items():
        for name in names:
            if not tags.get(name):
                continue
            for end in span(shift(min(tags[name]), 7), max(tags[name])):
                found = window(tags[name], end, 12)
                asked = int(sum(found))
                value = asked / len(found) if len(found) >= 8 else None
                beside = Beside("stackoverflow", shift(end, -11), asked, len(found), lacking=12 - len(found))
                formula = f"questions on {name.replace(';', ' and ')}"
                yield Measured(claim, formula, series, end, value, len(found), beside=beside)


def pairs_so_far() -> Iterator[Measured]:
    """All questions on a pair of tags that existed on a day, by the months since the first one."""
    for (origin, month), counts in totals().items():
        months = len(span(FIRST, month))
        for claim, languages in (("C22", OFFICIAL), ("C23", COMMUNITY)):
            for language in languages:
                if (pair := counts.get(f"tensorflow;{language}")) is None:
                    continue
                asked, side = pair
                value = asked / months
                low, high = (0.0, value) if side == "at most" else (None, None)
                beside = Beside("stackoverflow", FIRST, asked, months, note=ANYTHING)
                formula = f"questions so far on tensorflow and {language}"
                yield Measured(claim, formula, origin, month, value, months, low=low, high=high, beside=beside)


def spread_of(a: float, b: float) -> float:
    """Two standard errors of a ratio of two counts, as a factor."""
    return math.exp(2 * math.sqrt(1 / a + 1 / b))


def c24(tags: Followed, series: str) -> Iterator[Measured]:
    """The share of PyTorch's questions that name another language over that of TensorFlow's."""
    pairs = {side: {language: tags[f"{side};{language}"] for language in LANGUAGES} for side in TWO}
    alike: dict[date, dict[str, tuple[float, float, float]]] = {}
    for month in sorted(tags["pytorch"]):
        named = [{name for name, by in pairs[side].items() if by.get(month) is not None} for side in TWO]
        if named[0] == named[1] != set() and all(tags[side].get(month) for side in TWO):
            alike[month] = {}
            for side in TWO:
                in_pairs = sum(pairs[side][name][month] or 0 for name in named[0])
                own = tags[OWN[side]].get(month) or 0
                alike[month][side] = (tags[side][month] or 0, in_pairs, in_pairs + own)
    for number, formula in ((1, "languages in pairs of tags"), (2, "languages in pairs and tags of their own")):
        for end in alike:
            if end >= shift(min(alike), 7):
                year = [alike[m] for m in span(shift(end, -11), end) if m in alike]
                a, b = (sum(m[side][number] for m in year) for side in TWO)
                pytorch, tensorflow = (ratio(sum(m[s][number] for m in year), sum(m[s][0] for m in year)) for s in TWO)
                value = ratio(pytorch, tensorflow) if len(year) >= 8 else None
                ends: tuple[float | None, float | None] = (None, None)
                if value is not None and a and b:
                    ends = (value / spread_of(a, b), value * spread_of(a, b))
                beside = Beside(
                    "stackoverflow", shift(end, -11), pytorch, tensorflow, lacking=12 - len(year), note=ANYTHING
                )
                where = ("C24", formula, series, end)
                yield Measured(*where, value, round(a), low=ends[0], high=ends[1], beside=beside)


def c24_so_far() -> Iterator[Measured]:
    """The same of all questions that existed on a day; what is only bounded counts at the ends."""
    for (origin, month), counts in totals().items():
        alike = [name for name in LANGUAGES if all(f"{side};{name}" in counts for side in TWO)]
        if not alike or not all(counts.get(side, (0, ""))[1] == "exact" for side in TWO):
            continue
        for formula, own in (
            ("languages in pairs of tags so far", False),
            ("languages in pairs and tags of their own so far", True),
        ):
            exact, most = [], []
            for side in TWO:
                found = [counts[f"{side};{name}"] for name in alike]
                if own and counts.get(OWN[side], (0, ""))[1] == "exact":
                    found.append(counts[OWN[side]])
                exact.append(sum(asked for asked, how in found if how == "exact"))
                most.append(sum(asked for asked, _ in found))
            (pytorch, tensorflow), (a, b) = (counts[side][0] for side in TWO), exact
            value = ratio(a / pytorch, b / tensorflow)
            ends: tuple[float | None, float | None] = (None, None)
            if a and b:
                ends = (
                    a / pytorch / (most[1] / tensorflow) / spread_of(a, b),
                    most[0] / pytorch / (b / tensorflow) * spread_of(a, b),
                )
            beside = Beside("stackoverflow", FIRST, a / pytorch, b / tensorflow, note=ANYTHING)
            yield Measured("C24", formula, origin, month, value, a, low=ends[0], high=ends[1], beside=beside)


@cache
def listings() -> dict[str, dict[str, Series]]:
    """What others listed of pairs of tags, by origin."""
    mine = (pl.col("side") == "exact") & pl.col("tagged").str.contains(";", literal=True)
    found: dict[str, dict[str, dict[date, float | None]]] = {}
    columns = ("origin", "tagged", "month", "questions")
    for origin, tagged, month, questions in read("question_listings").filter(mine).select(columns).rows():
        found.setdefault(origin, {}).setdefault(tagged, {})[month] = float(questions)
    return {origin: dict(by) for origin, by in found.items()}


def recorded() -> Iterator[Measured]:
    """What is recorded. No listing has pairs of tags and the tags themselves, so that C24 is measured so far alone."""
    yield from interfaces()
    for origin, tags in listings().items():
        yield from c22_and_c23(tags, origin)
    yield from pairs_so_far()
    yield from c24_so_far()
