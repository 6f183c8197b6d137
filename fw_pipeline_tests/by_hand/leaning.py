"""What a verdict leans on: months without a figure, known trouble, and the drift that alone could flip it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from functools import cache

from fw_pipeline_tests.by_hand.figures import read, shift
from fw_pipeline_tests.by_hand.measured import Measured, definition, holds, verdict

FORMS: Mapping[str, Callable[[float, float], float]] = {
    "ratio": lambda part, whole: part / whole,
    "change": lambda now, before: now / before - 1,
    "fall": lambda now, peak: 1 - now / peak,
    "difference": lambda one, other: one - other,
}
"""How a value follows from its two parts; of the form `other`, nothing can be said."""


def leans_on_gap(one: Measured) -> bool:
    """Say whether a month lacks or is partial, a name has no figure, or there was known trouble in the months."""
    said = one.beside
    assert said
    return bool(said.lacking or said.partial or said.nameless) or any(
        (one.series or "").startswith(series or "")
        and date.fromisoformat(first) < shift(one.as_of, 1)
        and date.fromisoformat(last) >= (said.since or one.as_of)
        for first, last, series in outages(said.source)
    )


@cache
def outages(source: str) -> list[tuple[str, str, str | None]]:
    return read("outages").filter(source=source).select("first_day", "last_day", "series").rows()


def known_drift(one: Measured, rates: Iterable[tuple[str, str, date, float]]) -> float | None:
    """The last rate that was known by then, of the series that the value is made from."""
    assert one.beside
    known = [(at, rate) for of, series, at, rate in rates if (of, series) == (one.beside.source, one.series)]
    return max(((at, rate) for at, rate in known if at <= one.as_of), default=(None, None))[1]


def drift_flips(one: Measured, drift: float | None) -> bool | None:
    """Say whether the verdict would be another if one of the two parts, and not the other, moved by the drift."""
    known, said = definition(one.claim, one.formula), one.beside
    form = known.get("form", "ratio")
    if said is None or said.numerator is None or said.denominator is None or one.value is None:
        return None
    if drift is None or form == "other" or verdict(one) == "insufficient_data":
        return None
    first, second, factor = said.numerator, said.denominator, 1 + drift
    if form == "difference of changes":
        moved = [(1 + first) * factor - 1 - second, first - ((1 + second) * factor - 1)]
    else:
        moved = [FORMS[form](first * factor, second), FORMS[form](first, second * factor)]
    return any(holds(value, known) != holds(round(one.value, 9), known) for value in moved)
