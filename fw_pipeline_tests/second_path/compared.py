"""Comparing what the SQL says beside a value with what the other path says."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from fw_pipeline_tests.second_path.judging import interval
from fw_pipeline_tests.second_path.measured import ANYTHING, SOMETHING, Measured

LEANING = {"C1", "C2", "C3", "C4", "C6", "C8", "C21", "C25", "C26"}
"""The claims into which interpolated figures may go: they say the value without."""


def disagreements(one: Measured, told: Mapping[str, Any], *, judged: bool = False) -> Iterator[str]:
    """Yield what a measurement says beside its value and the other path does not; once `judged`, breaks included."""
    assert one.beside
    expected: dict[str, Any] = {
        "source": one.beside.source,
        "since": one.beside.since,
        "numerator": one.beside.numerator,
        "denominator": one.beside.denominator,
        "months_lacking": one.beside.lacking,
        "months_partial": one.beside.partial,
        "lacking": one.beside.nameless,
        "note": one.beside.note,
    }
    if one.value is not None:
        across = interval(one, one.value) if judged else None
        expected["low"], expected["high"] = across or ends(one)
    expected["exact_value"] = one.exact if one.claim in LEANING else one.value
    for name in ("low", "high"):
        if isinstance(expected.get(name), float) and math.isinf(expected[name]):
            expected[name] = None  # an end that nothing bounds
    for name, wanted in expected.items():
        seen = told.get(name)
        if name in {"low", "high"} and not judged and seen is None and wanted is not None:
            seen = one.value  # the ends of what is exact
        seen = seen or 0 if name.startswith("months") else seen  # who has no months says none, or nothing
        if not same(seen, wanted):
            yield f"{name} is {seen} by SQL, {wanted} by hand"
        rounded = judged or name not in {"low", "high"}
        if rounded and isinstance(seen, float) and seen != round(seen, 9):
            yield f"{name} is {seen}, which is not rounded"
    if (told["cannot_decide"] is not None) != (one.blocked or one.value is None):
        yield f"cannot_decide is {told['cannot_decide']}, blocked {one.blocked}, the value {one.value}"


def ends(one: Measured) -> tuple[float | None, float | None]:
    """Where the true value lies, before any break is thought of."""
    return one.value if one.low is None else one.low, one.value if one.high is None else one.high


def same(seen: Any, wanted: Any) -> bool:
    """Say whether both paths say the same, up to the last digits of a number."""
    if wanted == ANYTHING:
        return True
    if wanted == SOMETHING:
        return seen is not None
    if seen is None or isinstance(wanted, str | date | None):
        return bool(seen == wanted)
    return math.isclose(seen, wanted, rel_tol=1e-7, abs_tol=1e-8)
