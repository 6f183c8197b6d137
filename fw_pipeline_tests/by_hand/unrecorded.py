"""The claims of which nothing is recorded, on any figures that are given: C19, C20 and C22 to C24."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date

from fw_pipeline_tests.by_hand.catalogue import DEPLOYMENT
from fw_pipeline_tests.by_hand.figures import Series, ratio, shift, span, window
from fw_pipeline_tests.by_hand.leaving_out import without_figure
from fw_pipeline_tests.by_hand.measured import Beside, Measured

Followed = Mapping[str, Series]
"""Figures by package or tag and month, from its first month on; None where there is none."""
Sides = Mapping[str, Sequence[str]]

SERVING = {"tensorflow-serving-api", "torchserve"}
LANGUAGES = ("javascript", "java", "c++", "julia", "rust", "scala", "haskell")
TOOLS: Sides = {"tensorflow": ("tensorflow-serving", "tensorflow-lite"), "pytorch": ("torchserve", "executorch")}
OWN = {"tensorflow": "tensorflow.js", "pytorch": "libtorch"}
TWO = ("tensorflow", "pytorch")


def measures(packages: Followed, tags: Followed) -> Iterator[tuple[str, str, Sides, Followed]]:
    """The ways to count deployment: the measure, its source, the names of each side, the figures."""
    serving = {side: [name for name in names if name in SERVING] for side, names in DEPLOYMENT.items()}
    edge = {side: [name for name in names if name not in SERVING] for side, names in DEPLOYMENT.items()}
    yield "downloads of serving packages", "pypi", serving, packages
    yield "downloads of edge packages", "pypi", edge, packages
    yield "downloads of serving and edge packages", "pypi", DEPLOYMENT, packages
    yield "questions on deployment tags", "stackoverflow", TOOLS, tags


def followed_months(sides: Sides, figures: Followed) -> list[date]:
    """The months in which a name of each side is followed."""
    by_side = [{m for name in names for m in figures.get(name, ())} for names in sides.values()]
    return sorted(set.intersection(*by_side))


def total(names: Sequence[str], figures: Followed, month: date) -> float | None:
    found = [value for name in names if (value := figures.get(name, {}).get(month)) is not None]
    return sum(found) if found else None


def c19_and_c20(
    packages: Followed, tags: Followed, series: Mapping[str, str], short: Mapping[str, frozenset[date]]
) -> Iterator[Measured]:
    """Compare what is deployed; `series` by source, and `short` are the months of a package that miss days."""
    for measure, source, sides, figures in measures(packages, tags):
        months = followed_months(sides, figures)
        every = {name: figures[name] for names in sides.values() for name in names if name in figures}
        missed = {month for name in every for month in short.get(name, ())} if source == "pypi" else set()
        level = {m: (total(sides["tensorflow"], figures, m), total(sides["pytorch"], figures, m)) for m in months}
        for end in months:
            tensorflow, pytorch = level[end]
            beside = Beside(
                source,
                end,
                tensorflow,
                pytorch,
                lacking=int(tensorflow is None or pytorch is None),
                partial=int(end in missed),
                nameless=without_figure(every, end),
            )
            n = round((tensorflow or 0) + (pytorch or 0))
            where = ("C19", f"{measure} in the month", series[source], end)
            yield Measured(*where, ratio(tensorflow, pytorch), n, beside=beside)
            if end >= shift(months[0], 14):
                quarters = [span(shift(end, -2), end)]
                if shift(end, -12) in level:
                    quarters.append(span(shift(end, -14), shift(end, -12)))
                told = [_both(level, quarter) for quarter in quarters]
                now, ago = (*(_over(pairs) for pairs in told), None)[:2]
                lacking = 6 - sum(len(pairs) for pairs in told)
                partial = len({m for quarter in quarters for m in quarter if m in level} & missed)
                beside = Beside(source, shift(end, -14), now, ago, lacking=lacking, partial=partial)
                n = round(sum(t + p for t, p in told[0]))
                where = ("C20", f"change of the ratio of {measure}", series[source], end)
                yield Measured(*where, ratio(now, ago), n, beside=beside)


def _both(level: Mapping[date, tuple[float | None, float | None]], months: Sequence[date]) -> list[tuple[float, float]]:
    """The levels of both sides in the months that have both."""
    pairs = [level.get(month, (None, None)) for month in months]
    return [(t, p) for t, p in pairs if t is not None and p is not None]


def _over(pairs: Sequence[tuple[float, float]]) -> float | None:
    """PyTorch over TensorFlow in a quarter, of which two months must have both."""
    return ratio(sum(p for _, p in pairs), sum(t for t, _ in pairs)) if len(pairs) >= 2 else None


def c22_and_c23(tags: Followed, series: str) -> Iterator[Measured]:
    """The monthly mean of a year."""
    for claim, names in (
        ("C22", ("tensorflow;javascript", "tensorflow.js", "tensorflow;java", "tensorflow;c++")),
        ("C23", tuple(f"tensorflow;{language}" for language in LANGUAGES[3:])),
    ):
        for name in names:
            for end in span(shift(min(tags[name]), 11), max(tags[name])):
                found = window(tags[name], end, 12)
                asked = int(sum(found))
                value = asked / len(found) if len(found) >= 8 else None
                beside = Beside("stackoverflow", shift(end, -11), asked, len(found), lacking=12 - len(found))
                formula = f"questions on {name.replace(';', ' and ')}"
                yield Measured(claim, formula, series, end, value, asked, beside=beside)


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
            if end >= shift(min(alike), 11):
                year = [alike[m] for m in span(shift(end, -11), end) if m in alike]
                shares = {s: ratio(sum(m[s][number] for m in year), sum(m[s][0] for m in year)) for s in TWO}
                value = ratio(shares["pytorch"], shares["tensorflow"]) if len(year) >= 8 else None
                beside = Beside(
                    "stackoverflow",
                    shift(end, -11),
                    shares["pytorch"],
                    shares["tensorflow"],
                    lacking=12 - len(year),
                )
                n = round(sum(m["pytorch"][number] for m in year))
                yield Measured("C24", formula, series, end, value, n, beside=beside)
