"""The claims on models of the Hub, each as often as somebody looked: C11 to C13, and the models in C1."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

import polars as pl

from fw_pipeline_tests.by_hand.figures import ratio, read
from fw_pipeline_tests.by_hand.measured import Beside, Measured

TAGS = {"pytorch": {"pytorch"}, "tensorflow": {"tf", "tf-keras"}, "jax": {"jax", "flax"}, "keras": {"keras"}}
SAMPLES = ("1000 most downloaded", "recent and trending, open licence")
WHOLE = "hub, by tag"
SEEN = {SAMPLES[0]: date(2025, 3, 1), SAMPLES[1]: date(2026, 8, 1), WHOLE: date(2025, 2, 1)}


def hub(population: str) -> list[tuple[str | None, frozenset[str] | None, int]]:
    rows = read("huggingface").filter(pl.col("population") == population)
    return [
        (library, None if tags is None else frozenset(tags.strip("[]").split(";")) - {""}, int(models))
        for library, tags, models in rows.select("library", "formats", "models").rows()
    ]


def by_tag(framework: str) -> int:
    (count,) = [models for library, _, models in hub(WHOLE) if (library or "").lower() == framework]
    return count


def said(part: float | None, whole: float | None, note: str | None = None) -> Beside:
    """Models are those that were there: there is no month to begin with, and none that lacks."""
    return Beside("huggingface", None, part, whole, note=note)


def c1() -> Iterator[Measured]:
    for population in (*SAMPLES, WHOLE):
        if population == WHOLE:
            found = {f: [m for library, _, m in hub(WHOLE) if (library or "").lower() == f] for f in TAGS}
            counts = {framework: max(models) for framework, models in found.items() if models}
        else:
            counts = {
                f: sum(models for _, tags, models in hub(population) if tags is not None and tags & names)
                for f, names in TAGS.items()
            }
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
        blocked = population in SAMPLES
        where = ("C1", "models on the hub", population, SEEN[population])
        yield Measured(*where, value, own + most, value, blocked=blocked, beside=beside)


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
    yield from _bounds()


def _bounds() -> Iterator[Measured]:
    """What the counts of two tags allow: all models of the one among those of the other, or none."""
    pytorch, tensorflow = by_tag("pytorch"), by_tag("tensorflow")
    larger, both = max(pytorch, tensorflow), pytorch + tensorflow
    least, most = (pytorch - tensorflow) / pytorch, pytorch / both
    undecided = least < 0.85 <= most
    beside = said(pytorch - tensorflow, larger, f"counts by tag bound the share: at most {most:.3f}")
    name = "of pytorch or tensorflow models at least"
    yield Measured("C11", name, WHOLE, SEEN[WHOLE], least, larger, blocked=undecided, beside=beside)
    most, least = tensorflow / both, max(tensorflow - pytorch, 0) / larger
    undecided = most >= 0.04 and least <= 0.12 and (least < 0.04 or most > 0.12)
    beside = said(tensorflow, both, f"counts by tag bound the share: at least {round(least, 3)}")
    name = "of pytorch or tensorflow models at most"
    yield Measured("C12", name, WHOLE, SEEN[WHOLE], most, both, blocked=undecided, beside=beside)
