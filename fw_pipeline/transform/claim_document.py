"""What the `.yml` beside a claim says of it: the quote, the definitions, what decides, which rows are evidence."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from types import MappingProxyType
from typing import Any

from fw_pipeline.text import shown
from fw_pipeline.transform.yaml_fields import Reader, count, fields, flag, items, number, one_of, refuse, text, texts

RULES = ("at least", "at most", "above", "below", "between")
"""How a claim's value is compared with its threshold. `between` needs `upper`; both ends count."""

FORMS = ("ratio", "change", "fall", "difference", "difference of changes", "other")
"""How a value follows from numerator and denominator: `ratio` n / d, `change` n / d - 1, `fall` 1 - n / d, `difference`
n - d; `difference of changes` likewise, of two changes; `other`: neither, so that nothing can be said of a drift."""

KINDS = ("measured", "not_measurable")
"""Whether the sources can say anything about a claim at all."""


@dataclass(frozen=True, slots=True)
class Definition:
    """One way to compute a claim's value, and the number that decides."""

    formula: str
    meaning: str
    unit: str
    rule: str
    threshold: float
    least_n: int
    headline: bool
    threshold_reason: str
    upper: float | None = None
    form: str = "ratio"
    """How the value follows from numerator and denominator; one of FORMS."""
    says: str | None = None
    """What the value says, as a clause with `{value}` in it; every headline definition has one."""
    over_time: bool = False
    """Whether the value compares later figures with earlier ones, so that a break of known bias makes it a bound."""
    due: date | None = None
    """By when a prediction must have come true; None where the definition does not look ahead."""


@dataclass(frozen=True, slots=True)
class ClaimDoc:
    """What the article said, and how it is put to the test."""

    id: str
    title: str
    quote: str
    sources: tuple[str, ...]
    kind: str
    definitions: tuple[Definition, ...]
    reason: str | None = None
    """Why the claim cannot be measured, or only by proxy."""
    metric: str | None = None
    judged_by: str | None = None
    """The measure that the article itself used or plainly meant: that of the headline definitions."""
    all_must_hold: bool = False
    """Whether the claim says several things that must all hold, so that one that does not refutes it."""
    evidence: Mapping[str, str] = field(default_factory=dict)
    """Which rows of `marts.evidence` a value may be made from, as a condition, by source."""


def read_claim(where: str, value: Any) -> ClaimDoc:
    """Return the section `claim` of a document.

    Raises:
        PipelineError: a key lacks, is unknown or is of another kind, or what it says does not fit together.
    """
    required: dict[str, Reader] = {"id": text, "title": text, "quote": text, "sources": texts}
    required |= {"kind": one_of(*KINDS), "definitions": _definitions}
    optional: dict[str, Reader] = {"reason": text, "metric": text, "judged_by": text, "all_must_hold": flag}
    optional |= {"evidence": _conditions}
    claim = ClaimDoc(**fields(where, value, required=required, optional=optional))
    if claim.kind == "not_measurable" and not claim.reason:
        raise refuse(where, "says not_measurable without a reason", "say in `reason` what stands in the way")
    if claim.kind == "measured" and not claim.definitions:
        raise refuse(where, "is measured by no definition", "add one, with its threshold and least n")
    if claim.kind == "measured" and not claim.judged_by:
        raise refuse(
            where, "does not say what it is judged by", "name in `judged_by` the measure that the article used"
        )
    return claim


def _conditions(where: str, value: Any) -> Mapping[str, str]:
    if not isinstance(value, dict) or not value:
        raise refuse(where, "names no source", "write source: condition on marts.evidence")
    return MappingProxyType({str(source): text(f"{where}.{source}", item) for source, item in value.items()})


def _day(where: str, value: Any) -> date:
    if type(value) is not date:
        raise refuse(where, f"{shown(value)} is no day", "write the day by which it must have come true, as 2028-01-01")
    return value


def _definitions(where: str, value: Any) -> tuple[Definition, ...]:
    words = dict.fromkeys(("formula", "meaning", "unit", "threshold_reason"), text)
    required: dict[str, Reader] = {**words, "rule": one_of(*RULES), "threshold": number}
    required |= {"least_n": count, "headline": flag}
    optional: dict[str, Reader] = {
        "upper": lambda at, seen: None if seen is None else number(at, seen),
        "form": one_of(*FORMS),
        "says": text,
        "over_time": flag,
        "due": _day,
    }
    read = tuple(
        Definition(**fields(where, item, required=required, optional=optional)) for item in items(where, value)
    )
    for item in read:
        if (item.rule == "between") != (item.upper is not None):
            raise refuse(where, f"{item.formula}: `upper` goes with the rule `between`", "give both or neither")
        if item.headline and "{value}" not in (item.says or ""):
            raise refuse(
                where, f"{item.formula}: is of the headline and says nothing", "write `says`, with {value} in it"
            )
    if len({item.formula for item in read}) != len(read):
        raise refuse(where, "defines one formula twice", "give each its own name")
    return read
