"""What a measurement is: a value, what it is made of, and where the true value lies."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from functools import cache
from itertools import groupby
from pathlib import Path
from typing import Any

import yaml

DOCUMENTS = Path(__file__).parents[2] / "dbt_like_sql" / "claims"

SOMETHING = "*"
"""Stands for a sentence: what it says is the product's own, that it is there is not."""
ANYTHING = "?"
"""Stands for a sentence that may be there or not."""


@dataclass(frozen=True, slots=True)
class Beside:
    """What a measurement says beside its value, for a reader who wants to check it."""

    source: str
    since: date | None
    """The first month that is looked at; None where there are no months."""
    numerator: float | None
    denominator: float | None
    lacking: int = 0
    """Months that the value looks at and that have no figure."""
    partial: int = 0
    """Months that it looks at and whose figure leaves something out."""
    nameless: str | None = None
    """Of which frameworks or packages there is no figure."""
    note: str | None = None


@dataclass(frozen=True, slots=True)
class Measured:
    """One value of one formula in one series."""

    claim: str
    formula: str
    series: str | None
    as_of: date
    value: float | None
    n: int
    exact: float | None = None
    """The value without interpolated figures, where some went into it."""
    estimated: bool = False
    """Whether interpolated figures went into it."""
    blocked: bool = False
    """Whether it must not decide: a sample, a hole."""
    low: float | None = None
    high: float | None = None
    """Where the true value lies; None where the value is exact."""
    beside: Beside | None = None
    """None where nothing was there to be measured."""

    @property
    def definition(self) -> str:
        return f"{self.formula}, {self.series}" if self.series else self.formula


@cache
def documents() -> dict[str, dict[str, Any]]:
    read = [yaml.safe_load(path.read_text())["claim"] for path in DOCUMENTS.glob("*.yml")]
    return {claim["id"]: claim for claim in read}


@cache
def definition(claim: str, formula: str) -> dict[str, Any]:
    (found,) = [known for known in documents()[claim]["definitions"] if known["formula"] == formula]
    return dict(found)


def last_words(found: Iterable[Measured], month: date) -> list[Measured]:
    """The last measurement of each definition at or before a month."""
    rows = sorted((one for one in found if one.as_of <= month), key=lambda one: (one.claim, one.definition, one.as_of))
    return [list(group)[-1] for _, group in groupby(rows, key=lambda one: (one.claim, one.definition))]
