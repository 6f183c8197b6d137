"""The claims on models of the Hub, each as often as somebody looked: C11 to C13, and the models in C1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from fw_pipeline_tests.second_path.figures import ratio, read
from fw_pipeline_tests.second_path.measured import ANYTHING, Beside, Measured

TAGS = {"pytorch": {"pytorch"}, "tensorflow": {"tf", "tf-keras"}, "jax": {"jax", "flax"}, "keras": {"keras"}}
SAMPLES = ("1000 most downloaded", "recent and trending, open licence")
WHOLE = "hub, by tag"
SEEN = {SAMPLES[0]: date(2025, 3, 1), SAMPLES[1]: date(2026, 8, 1)}
COUNTED = (date(2022, 4, 1), date(2025, 2, 1))
"""The months in which somebody read the Hub's own counts by tag."""


def hub(population: str) -> list[tuple[str | None, frozenset[str] | None, int]]:
    rows = read("huggingface").filter(pl.col("population") == population)
    return [
        (library, None if tags is None else frozenset(tags.strip("[]").split(";")) - {""}, int(models))
        for library, tags, models in rows.select("library", "formats", "models").rows()
    ]


def by_tag(month: date) -> dict[str, int]:
    """The Hub's own counts of the frameworks that it then had a tag for."""
    mine = (pl.col("population") == WHOLE) & (pl.col("observed_on") == f"{month}")
    counts = {
        name.lower(): int(models)
        for name, models in read("huggingface").filter(mine).select("library", "models").rows()
    }
    return {framework: counts[framework] for framework in TAGS if framework in counts}


def said(part: float | None, whole: float | None, note: str | None = None) -> Beside:
    """Models are those that were there: there is no month to begin with, and none that lacks."""
    return Beside("huggingface", None, part, whole, note=note)


def c1() -> Iterator[Measured]:
    seen = {
        (population, SEEN[population]): {
            f: sum(models for _, tags, models in hub(population) if tags is not None and tags & names)
            for f, names in TAGS.items()
        }
        for population in SAMPLES
    } | {(WHOLE, month): by_tag(month) for month in COUNTED}
    for (population, month), counts in seen.items():
        own = counts["tensorflow"]
        most, name = max((count, framework) for framework, count in counts.items() if framework != "tensorflow")
        value = ratio(own, most)
        beside = Beside(
            "huggingface",
            None,
            own,
            most,
            nameless=", ".join(sorted({"pytorch", "keras", "jax"} - set(counts))) or None,
            note=f"the largest other one is {name}",
        )
        where = ("C1", "models on the hub", population, month)
        yield Measured(*where, value, own + most, value, blocked=population in SAMPLES, beside=beside)


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
                    where = (claim, formula, population, SEEN[population])
                    yield Measured(*where, ratio(number, whole), whole, blocked=True, beside=said(number, whole))
            if not loose:
                usable = sum(m for _, t, _, _, m in kinds if t)
                where = ("C13", "usable with tensorflow at all", population, SEEN[population])
                yield Measured(*where, ratio(usable, either), either, blocked=True, beside=said(usable, either))
    for month in COUNTED:
        yield from _bounds(month)


def _bounds(month: date) -> Iterator[Measured]:
    """What the counts of two tags allow: all models of the rarer one among those of the other, or none."""
    counts = by_tag(month)
    p, t = counts["pytorch"], counts["tensorflow"]
    larger, rarer, both = max(p, t), min(p, t), p + t
    least = max(p - t, 0)
    for claim, formula, (low, high), number, whole, n in (
        ("C11", "of pytorch or tensorflow models", (least / larger, p / both), least, larger, larger),
        ("C12", "of pytorch or tensorflow models", (max(t - p, 0) / larger, t / both), t, both, both),
        ("C13", "of pytorch or tensorflow models", (0.0, rarer / larger), rarer, larger, larger),
        ("C13", "usable with tensorflow at all", (t / both, t / larger if p >= t else 1.0), t, both, both),
    ):
        where, beside = (claim, formula, WHOLE, month), said(number, whole, ANYTHING)
        yield Measured(*where, number / whole, n, low=low, high=high, beside=beside)
