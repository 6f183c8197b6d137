"""Formats figures, months and lists for readers."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from fw_pipeline.sources import SOURCES

MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")

VERDICTS = {
    "supported": "supported",
    "came_true": "came true",
    "refuted": "refuted",
    "mixed": "mixed",
    "not_yet": "not yet",
    "insufficient_data": "not enough data",
    "not_measurable": "not measurable",
}
"""The verdicts, in the order in which they are counted, as the page words them."""

SOURCE_TITLES = {
    **{name: source.short_title for name, source in SOURCES.items()},
    "catalogue": "release dates",
    "releases": "release dates",
    "bindings": "published interfaces",
    "projects": "projects on GitHub",
    "authors": "authors of papers",
}
"""The sources, as the page names them, including those of dated facts and listings."""

SERIES_TITLES = {
    (source.name, name): series.title for source in SOURCES.values() for name, series in source.series.items()
}
"""The plain name of a series, by its source and its name in the tables."""

RULES = {"at least": "≥", "above": ">", "at most": "≤", "below": "<"}

NONE = "\N{EN DASH}"
"""Shown in place of a missing figure."""

MINUS = "\N{MINUS SIGN}"

SMALL_SHARE = 0.02
"""Below this a share needs a second digit."""

_THOUSAND, _MILLION, _BILLION = 1e3, 1e6, 1e9


def in_month(day: date | None) -> str:
    """Write a month: `Jan 2023`."""
    return "" if day is None else f"{MONTHS[day.month - 1]} {day.year}"


def in_full(day: date) -> str:
    """Write a month in full: `January 2023`."""
    return f"{day:%B} {day.year}"


def percent(share: float) -> str:
    """Write a share in whole percent, without a sign: `15 percent`."""
    return f"{abs(share):.0%}".replace("%", " percent")


def figure(value: float | None, unit: str | None = None) -> str:
    """Write a figure with its unit, with as many digits as are meaningful; a dash if there is none."""
    if value is None:
        return NONE
    if is_share(unit):
        text = f"{value:.2%}" if 0 < abs(value) < SMALL_SHARE else f"{value:.1%}"
    else:
        text = f"{value:.2f}" if unit == "year" else compact(value)
    return text.replace("-", MINUS)


def bounded(value: float | None, low: float | None, high: float | None, unit: str | None = None) -> str:
    """Write a figure that may be a bound or an estimate: `≥ 93.2%`, `≤ 6.4%`, `47.3% to 57.4%`.

    An end that is None has no bound.
    """
    if value is None or low == high:
        return figure(value, unit)
    if low == value:
        return f"≥ {figure(value, unit)}"
    if high == value:
        return f"≤ {figure(value, unit)}"
    return f"{figure(low, unit)} to {figure(high, unit)}"


def is_share(unit: str | None) -> bool:
    """Return whether figures of this unit are written in percent."""
    return unit is not None and unit.split(" ")[0] in ("share", "fraction")


def compact(value: float) -> str:
    """Write a number in at most four digits: `1.33`, `2,159`, `15.1 million`."""
    size = abs(value)
    for unit, word in ((_BILLION, " billion"), (_MILLION, " million")):
        if size >= unit:
            return f"{value / unit:.3g}{word}"
    if size >= _THOUSAND or value == int(value):
        return f"{value:,.0f}"
    return f"{value:.3g}" if size < 1 else f"{value:.2f}" if size < 100 else f"{value:.0f}"  # noqa: PLR2004 - digits


def rule(words: str | None, threshold: float | None, upper: float | None, unit: str | None) -> str:
    """Write the rule that decides: `≥ 1.75`, `0.4 to 0.6`."""
    if words is None or threshold is None:
        return NONE
    if words == "between":
        return f"{figure(threshold, unit)} to {figure(upper, unit)}"
    return f"{RULES.get(words, words)} {figure(threshold, unit)}{suffix(unit)}"


def suffix(unit: str | None) -> str:
    """Write the unit after a figure, if the figure does not show it already."""
    return "" if unit is None or unit == "year" or is_share(unit) else f" {unit}"


def series_title(source: str | None, series: str) -> str:
    """Return the plain name of a series; one that has none keeps the name that it has in the tables."""
    return SERIES_TITLES.get((source or "", series), series)


def listed(parts: Sequence[str], last: str = "and") -> str:
    """Join parts as in a sentence: `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""
