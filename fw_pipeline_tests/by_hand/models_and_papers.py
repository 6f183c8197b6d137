"""The claims on models, papers, authors and releases: C5, C9, C11 to C15, and the papers in C1, C4, C21, C26."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from functools import cache

import polars as pl

from fw_pipeline_tests.by_hand.figures import FIRST, RECORDED, Series, ratio, read, shift, span, spread
from fw_pipeline_tests.by_hand.measured import Measured

TAGS = {"pytorch": {"pytorch"}, "tensorflow": {"tf", "tf-keras"}, "jax": {"jax", "flax"}, "keras": {"keras"}}
SAMPLES = ("1000 most downloaded", "recent and trending, open licence")
SEEN = {SAMPLES[0]: date(2025, 3, 1), SAMPLES[1]: date(2026, 8, 1), "hub, by tag": date(2025, 2, 1)}
VENUES, LINKS = "nine venues", "papers with code sample"

Paper = tuple[date, frozenset[str], bool | None, int, int | None]


def hub(population: str) -> list[tuple[str | None, frozenset[str] | None, int]]:
    rows = read("huggingface").filter(pl.col("population") == population)
    return [
        (library, None if tags is None else frozenset(tags.strip("[]").split(";")) - {""}, int(models))
        for library, tags, models in rows.select("library", "formats", "models").rows()
    ]


def by_tag(framework: str) -> int:
    (count,) = [models for library, _, models in hub("hub, by tag") if (library or "").lower() == framework]
    return count


@cache
def papers(population: str) -> list[Paper]:
    rows = read("papers").filter((pl.col("population") == population) & pl.col("month").is_not_null())
    columns = ("month", "frameworks", "official", "papers", "repositories")
    return [
        (
            month,
            frozenset(names.strip("[]").split(";")) - {""},
            None if official is None else official == "true",
            int(count),
            None if repositories is None else int(repositories),
        )
        for month, names, official, count, repositories in rows.select(columns).rows()
    ]


def _counted(framework: str, population: str, *, repositories: bool = False) -> dict[date, float | None]:
    """Papers (or repositories) of a month that use a framework; zero where the month was looked at, None where not."""
    rows = [row for row in papers(population) if row[0] >= FIRST and not (repositories and row[4] is None)]
    named = {name for _, names, *_ in rows for name in names} - {"*"}
    if framework not in named:
        return {}
    months = {month for month, *_ in rows}
    found = dict.fromkeys(months, 0.0)
    for month, names, _, count, repos in rows:
        if framework in names:
            found[month] += repos or 0 if repositories else count
    return spread(found)


def paper_series(framework: str) -> list[tuple[str, Series, Series]]:
    """The papers of a framework and all papers, by month, in both populations."""
    found: list[tuple[str, Series, Series]] = []
    for population in (VENUES, LINKS):
        whole: dict[date, float] = {}
        stated = any("*" in names for _, names, *_ in papers(population))
        for month, names, _, count, _ in papers(population):
            if month >= FIRST and (not stated or "*" in names):
                whole[month] = whole.get(month, 0) + count
        found.append((population, _counted(framework, population), spread(whole)))
    return found


def c1() -> Iterator[Measured]:
    for metric in ("papers", "repositories"):
        for population in (VENUES, LINKS):
            rows = papers(population)
            if metric == "repositories" and all(row[4] is None for row in rows):
                continue
            frameworks = {name for _, names, *_ in rows for name in names} - {"*"}
            series = {f: _counted(f, population, repositories=metric == "repositories") for f in frameworks}
            for end in span(min(min(s) for s in series.values() if s), max(max(s) for s in series.values() if s)):
                year = span(date(end.year, 1, 1), end)
                known = {f: [v for m in year if (v := s.get(m)) is not None] for f, s in series.items() if end in s}
                sums = {framework: sum(values) for framework, values in known.items() if values}
                rivals = [value for f, value in sums.items() if f != "tensorflow"]
                if rivals:
                    tensorflow = sums.get("tensorflow")
                    n = int(tensorflow + max(rivals)) if tensorflow is not None else 0
                    value = ratio(tensorflow, max(rivals))
                    blocked = population == LINKS
                    yield Measured("C1", f"{metric} in the year", population, end, value, n, blocked=blocked)
    for population in SAMPLES:
        counts = {
            f: sum(models for _, tags, models in hub(population) if tags is not None and tags & names)
            for f, names in TAGS.items()
        }
        most = max(count for f, count in counts.items() if f != "tensorflow")
        both = counts["tensorflow"] + most
        of_sample = ratio(counts["tensorflow"], most)
        yield Measured("C1", "models on the hub", population, SEEN[population], of_sample, both, blocked=True)
    known = {f: [m for lib, _, m in hub("hub, by tag") if (lib or "").lower() == f] for f in TAGS}
    largest = max(max(found) for f, found in known.items() if found and f != "tensorflow")
    own = max(known["tensorflow"])
    count = int(own + largest)
    yield Measured("C1", "models on the hub", "hub, by tag", SEEN["hub, by tag"], ratio(own, largest), count)


def c5() -> Iterator[Measured]:
    keras, tensorflow = date(2015, 3, 27), date(2015, 11, 9)
    for formula in ("months between the releases", "months between the releases by the half year"):
        yield Measured("C5", formula, None, date(2015, 11, 1), (tensorflow - keras).days / 30.4375, 2)


def c9() -> Iterator[Measured]:
    day = date(2015, 11, 9).timetuple().tm_yday
    yield Measured("C9", "release date as a year", None, date(2015, 11, 1), 2015 + (day - 1) / 365, 1)


def c11_to_c13() -> Iterator[Measured]:
    for population in SAMPLES:
        for rule, loose in (("", False), (" with safetensors as pytorch", True)):
            kinds = []
            for _, tags, models in hub(population):
                if tags is not None:
                    pytorch = bool(tags & TAGS["pytorch"]) or (loose and "safetensors" in tags)
                    tensorflow, jax = bool(tags & TAGS["tensorflow"]), bool(tags & TAGS["jax"])
                    kinds.append((pytorch, tensorflow, jax, jax or bool(tags & TAGS["keras"]), models))
            everything = sum(m for *_, m in kinds)
            known = sum(m for p, t, _, other, m in kinds if p or t or other)
            either = sum(m for p, t, _, _, m in kinds if p or t)
            parts = {
                "C11": [
                    sum(m for p, t, j, _, m in kinds if p and not t and not (bare and j)) for bare in (False, True)
                ],
                "C12": [
                    sum(m for p, t, j, _, m in kinds if t and not p and not (bare and j)) for bare in (False, True)
                ],
                "C13": [sum(m for p, t, j, _, m in kinds if p and t and not (bare and j)) for bare in (False, True)],
            }
            for claim, (part, without_jax) in parts.items():
                wholes = [
                    (f"of all models{rule}", part, everything),
                    (f"of models of a known framework{rule}", part, known),
                    (f"of models of a known framework{rule} and without jax", without_jax, known),
                    (f"of pytorch or tensorflow models{rule}", part, either),
                ]
                if claim == "C13":
                    only = sum(m for p, t, _, _, m in kinds if p != t)
                    wholes.append((f"of the rest of the models of a known framework{rule}", part, known - only))
                for formula, number, whole in wholes:
                    value = ratio(number, whole)
                    yield Measured(claim, formula, population, SEEN[population], value, whole, blocked=True)
    tagged, other = by_tag("pytorch"), by_tag("tensorflow")
    seen = SEEN["hub, by tag"]
    least = (tagged - other) / tagged
    undecided = least < 0.85 <= tagged / (tagged + other)
    name = "of pytorch or tensorflow models at least"
    yield Measured("C11", name, "hub, by tag", seen, least, max(tagged, other), blocked=undecided)
    most, floor = other / (tagged + other), max(other - tagged, 0) / max(tagged, other)
    undecided = most >= 0.04 and floor <= 0.12 and (floor < 0.04 or most > 0.12)
    name = "of pytorch or tensorflow models at most"
    yield Measured("C12", name, "hub, by tag", seen, most, tagged + other, blocked=undecided)


def c14(until: date) -> Iterator[Measured]:
    for population in (VENUES, LINKS):
        ways = {
            "papers": [(m, names, count) for m, names, _, count, _ in papers(population)],
            "repositories": [(m, names, repos) for m, names, _, _, repos in papers(population) if repos is not None],
            "papers with an official repository": [
                (m, names, count) for m, names, o, count, _ in papers(population) if o
            ],
            "official repositories": [
                (m, names, repos) for m, names, o, _, repos in papers(population) if o and repos is not None
            ],
        }
        for counted, rows in ways.items():
            if not rows:
                continue
            first, last = min(m for m, *_ in rows), max(m for m, *_ in rows)
            for end in span(max(first, FIRST), min(last, until)):
                for covers, start in (("in the year", date(end.year, 1, 1)), ("over 12 months", shift(end, -11))):
                    if covers == "over 12 months" and (counted != "papers" or first > start):
                        continue
                    inside = [(names, count) for m, names, count in rows if start <= m <= end]
                    if not inside:
                        continue
                    stated = [count for names, count in inside if "*" in names]
                    everything = sum(stated) if stated else sum(count for _, count in inside)
                    pytorch = sum(count for names, count in inside if "pytorch" in names)
                    either = sum(count for names, count in inside if names & {"pytorch", "tensorflow"})
                    for formula, whole in (
                        (f"of {counted} naming one of the two {covers}", either),
                        (f"of all {counted} {covers}", everything),
                    ):
                        blocked = population == LINKS or whole == 0
                        yield Measured("C14", formula, population, end, ratio(pytorch, whole), whole, blocked=blocked)


def c15() -> Iterator[Measured]:
    rows = pl.read_csv(RECORDED / "cohorts.csv")
    authors = {
        (base, later): n for base, later, n in rows.select("base_framework", "later_framework", "authors").rows()
    }
    began = {name: sum(n for (base, _), n in authors.items() if base == name) for name in ("tensorflow", "pytorch")}
    alone = authors["tensorflow", "pytorch"]
    for formula, part, whole in (
        ("moved to pytorch alone", alone, began["tensorflow"]),
        ("moved to pytorch alone or beside tensorflow", alone + authors["tensorflow", "both"], began["tensorflow"]),
        ("pytorch authors who stayed", authors["pytorch", "pytorch"], began["pytorch"]),
    ):
        yield Measured("C15", formula, "recorded", date(2022, 5, 1), part / whole, whole)


def c21() -> Iterator[Measured]:
    for (population, pytorch, _), (_, tensorflow, _) in zip(
        paper_series("pytorch"), paper_series("tensorflow"), strict=True
    ):
        months = sorted({*pytorch, *tensorflow})
        for end in span(shift(months[0], 11), months[-1]):
            year = span(shift(end, -11), end)
            part = sum(pytorch.get(m) or 0 for m in year)
            both = [(pytorch.get(m), tensorflow.get(m)) for m in year]
            whole = sum(p + t for p, t in both if p is not None and t is not None)
            blocked = population == LINKS or whole == 0
            name = "pytorch in the new papers of 12 months"
            yield Measured("C21", name, population, end, ratio(part, whole), int(whole), blocked=blocked)
