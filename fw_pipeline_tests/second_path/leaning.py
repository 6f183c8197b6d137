"""What a verdict leans on: months without a figure, names without one, and known trouble."""

from __future__ import annotations

from datetime import date
from functools import cache

from fw_pipeline_tests.second_path.figures import read, shift
from fw_pipeline_tests.second_path.measured import Measured


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
