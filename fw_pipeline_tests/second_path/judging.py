"""What a measurement says of a claim: the rules of docs/verdicts.md and of the documents, applied in plain Python."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date
from functools import cache
from typing import Any

from fw_pipeline_tests.second_path.figures import read
from fw_pipeline_tests.second_path.measured import Measured, definition

APPEARED = date(2023, 1, 1)
"""Month in which the article appeared."""
UNDECIDED = "insufficient_data"
FOR = {"supported", "came_true"}

Interval = tuple[float, float]


@cache
def breaks(source: str) -> list[tuple[date, str, str | None]]:
    """The months in which series of a source become of another kind, how the names begin, and the bias if known."""
    rows = read("outages").filter(source=source, kind="break").select("first_day", "series", "bias").rows()
    return [(date.fromisoformat(day).replace(day=1), series or "", bias or None) for day, series, bias in rows]


def crossed(one: Measured) -> list[str | None]:
    """The biases of the breaks between the first month that a value looks at and the last."""
    said = one.beside
    if said is None or said.since is None:
        return []
    return [
        bias
        for month, series, bias in breaks(said.source)
        if (one.series or "").startswith(series) and said.since < month <= one.as_of
    ]


def interval(one: Measured, value: float) -> Interval | None:
    """Where the true value lies; None where a break makes the value say nothing."""
    known = definition(one.claim, one.formula)
    low = value if one.low is None else one.low
    high = value if one.high is None else one.high
    if biases := set(crossed(one)):
        if not known.get("over_time") or len(biases) > 1 or None in biases:
            return None
        (bias,) = biases
        at_most = (bias == "later is higher") != (known.get("form") == "fall")
        low, high = (-math.inf, high) if at_most else (low, math.inf)
    return round(low, 9), round(high, 9)


def side(ends: Interval, known: Mapping[str, Any]) -> bool | None:
    """Whether all of an interval lies in the band of a rule, or all of it outside; None where it does neither."""
    low, high = ends
    at = float(known["threshold"])
    upper = float(known.get("upper") or at)
    inside, outside = {
        "at least": (low >= at, high < at),
        "at most": (high <= at, low > at),
        "above": (low > at, high <= at),
        "below": (high < at, low >= at),
        "between": (low >= at and high <= upper, high < at or low > upper),
    }[known["rule"]]
    return True if inside else False if outside else None


def verdict(one: Measured) -> str:
    """The verdict of one measurement."""
    known = definition(one.claim, one.formula)
    if "due" in known and one.value is not None and one.as_of <= APPEARED:
        return "not_yet"
    if one.blocked or one.value is None or one.n < known["least_n"]:
        return UNDECIDED
    ends = interval(one, one.value)
    met = None if ends is None else side(ends, known)
    if met is None:
        return UNDECIDED
    if one.estimated and (
        one.exact is None or (without := interval(one, one.exact)) is None or side(without, known) != met
    ):
        return UNDECIDED
    if "due" not in known:
        return "supported" if met else "refuted"
    return "came_true" if met else "not_yet" if one.as_of <= date.fromisoformat(str(known["due"])) else "refuted"
