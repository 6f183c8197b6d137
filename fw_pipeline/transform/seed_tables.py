"""The small tables that are shipped as CSV beside the recorded figures: their columns, and what each cell must be.

How they are read is in `recorded_csv`.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import polars as pl

from fw_pipeline.sources import SOURCES
from fw_pipeline.transform.seed_csv import RecordedTable

_S, _D, _F, _I, _B = pl.String(), pl.Date(), pl.Float64(), pl.Int64(), pl.Boolean()
_AT, _LIST = pl.Datetime("us", "UTC"), pl.List(pl.String)

SIDES = frozenset({"exact", "at least", "at most"})
"""What a count may be: the figure itself, or a bound of it."""

BIASES: Mapping[str, str] = MappingProxyType(
    {
        "later is higher": "months after the break are counted higher than the same months would have been before",
        "later is lower": "months after the break are counted lower",
    }
)
"""Which way a break may bend what is measured across it. Empty where nobody knows."""


def _outage(row: Mapping[str, Any]) -> str | None:
    if row["last_day"] < row["first_day"]:
        return f"last_day {row['last_day']} lies before first_day {row['first_day']}"
    if row["bias"] and row["kind"] != "break":
        return f"bias is {row['bias']!r}, but only a break has one, and this is {row['kind']!r}"
    return None


def _first_of_month(column: str, row: Mapping[str, Any]) -> str | None:
    day = row[column]
    return f"{column} {day} is not the first day of a month" if day and day.day != 1 else None


_ORIGIN = (_S, "Who published it.")
_METHOD = (_S, "How the figure was obtained.")
_MONTH = (_D, "First day of the UTC month.")
_TAGGED = (_S, "The tag; `a;b` means both tags; `*` every question.")
_COUNTED_ON = (_D, "Day on which it was counted; where `method` says that it is inferred, a day on which it was known.")

RECORDED_TABLES: tuple[RecordedTable, ...] = (
    RecordedTable(
        "outages",
        "Known holes and breaks of the sources.",
        {
            "source": (_S, "Source."),
            "first_day": (_D, "First day concerned; of a break, the first day of the new kind."),
            "last_day": (_D, "Last day concerned."),
            "effect": (_S, "What happened to the figures."),
            "reference": (_S, "Where it is documented."),
            "kind": (
                _S,
                "lost (not recorded), distorted (figures exist and are wrong) or break (another kind after).",
            ),
            "series": (_S, "How the names of the series concerned begin; NULL where all of the source are."),
            "bias": (
                _S,
                "Of a break: later is higher, or later is lower, than it would have been; NULL where nobody knows.",
            ),
        },
        key=("source", "series", "first_day", "effect"),
        may_be_empty=frozenset({"series", "bias"}),
        choices={
            "source": frozenset(SOURCES),
            "kind": frozenset({"lost", "distorted", "break"}),
            "bias": frozenset(BIASES),
        },
        rule=_outage,
    ),
    RecordedTable(
        "events",
        "Dated events that a reader of a curve should know.",
        {
            "day": (_D, "Day of the event."),
            "event": (_S, "What happened."),
            "frameworks": (_S, "Framework concerned, or `all`."),
            "reference": (_S, "Where it is documented."),
        },
        key=("day", "event"),
    ),
    RecordedTable(
        "published_figures",
        "Figures that others published, to reconcile with.",
        {
            "claim": (_S, "Claim that the figure bears on."),
            "metric": (_S, "What was measured, in words."),
            "as_of": (_S, "Month, year or half-year of the figure, as published."),
            "value": (_F, "The figure; NULL where the figure is a month."),
            "unit": (_S, "Unit."),
            "tolerance": (_F, "Difference up to which the figures agree."),
            "source": (_S, "Who published it."),
            "computed_from": (
                _S,
                "How the names begin of the series that it was computed from; NULL where somebody else measured.",
            ),
        },
        key=("metric", "as_of", "source"),
        may_be_empty=frozenset({"value", "tolerance", "computed_from"}),
    ),
    RecordedTable(
        "author_cohorts",
        "Authors by the framework that they used in a base year, and by what they used later, as others counted them.",
        {
            "base_year": (_I, "The year that tells who is in the cohort."),
            "base_framework": (_S, "The one of PyTorch and TensorFlow that the authors used in that year."),
            "later_framework": (_S, "What they used later: pytorch, tensorflow or both."),
            "until": (_D, "Last month that a later paper is of."),
            "authors": (_I, "Authors."),
            "method": _METHOD,
            "origin": _ORIGIN,
        },
        key=("base_year", "base_framework", "later_framework", "until"),
        choices={
            "base_framework": frozenset({"pytorch", "tensorflow"}),
            "later_framework": frozenset({"pytorch", "tensorflow", "both"}),
        },
        rule=partial(_first_of_month, "until"),
    ),
    RecordedTable(
        "question_listings",
        "Questions of a month by tag or pair of tags, as others listed or counted them on a later day: what had been "
        "deleted by then is not in them.",
        {
            "month": _MONTH,
            "tagged": _TAGGED,
            "questions": (_I, "Questions of the month that were still there; or a bound of them, see `side`."),
            "side": (_S, "exact, or `at least` where the listing does not hold every question with the tag."),
            "observed_on": (_D, "Day of the later count."),
            "method": _METHOD,
            "origin": (_S, "Who listed or counted; each is a series of its own in staging.stackoverflow."),
        },
        key=("month", "tagged", "origin"),
        choices={"side": SIDES - {"at most"}},
        rule=partial(_first_of_month, "month"),
    ),
    RecordedTable(
        "question_losses",
        "What the deletion of questions a year after they were asked takes away, by tag.",
        {
            "tagged": (_S, "The tag."),
            "loss": (_F, "Questions at the second count over those at the first, less one; -0.25 is a quarter less."),
            "first_month": (_D, "First of the months whose questions were counted twice."),
            "last_month": (_D, "Last of them."),
            "observed_on": (_D, "Day of the second count; about, where `method` says so."),
            "method": _METHOD,
            "origin": (_S, "Who made the second count."),
        },
        key=("tagged", "origin"),
    ),
    RecordedTable(
        "question_totals",
        "All questions with a tag or a pair of tags that existed on a day: cumulative, of no month.",
        {
            "observed_on": _COUNTED_ON,
            "tagged": _TAGGED,
            "asked_from": (_D, "First day on which the questions were asked; NULL = all that ever were."),
            "asked_until": (_D, "Last day on which they were asked; NULL = all until the count."),
            "questions": (_I, "Questions; or a bound of them, see `side`."),
            "side": (_S, "exact, `at most` or `at least`."),
            "method": _METHOD,
            "origin": _ORIGIN,
        },
        key=("observed_on", "tagged", "asked_from", "origin"),
        may_be_empty=frozenset({"asked_from", "asked_until"}),
        choices={"side": SIDES},
    ),
    RecordedTable(
        "question_samples",
        "Questions in windows of a few days, whole as listed: a sample of their year, too small for a share.",
        {
            "first_question": (_AT, "When the first question of the window was asked (UTC)."),
            "last_question": (_AT, "When the last one was asked (UTC)."),
            "tagged": _TAGGED,
            "questions": (_I, "Questions in the window."),
            "method": _METHOD,
            "origin": _ORIGIN,
        },
        key=("first_question", "tagged", "origin"),
    ),
    RecordedTable(
        "bounds",
        "What a figure that nobody has must be at most, or at least. A bound is never shown or added as a figure.",
        {
            "source": (_S, "Source."),
            "series": (_S, "The series that the figure would belong to, as in `staging`."),
            "month": (_D, "First day of the UTC month; NULL where the series has no months."),
            "key": (_S, "Package, tag or library that it is of."),
            "side": (_S, "`at most` or `at least`; the value itself is possible."),
            "value": (_I, "Downloads over the days covered, questions or models."),
            "days_covered": (_I, "Of downloads, the days that the value covers; NULL otherwise."),
            "observed_on": _COUNTED_ON,
            "method": (_S, "Where the bound comes from."),
            "origin": _ORIGIN,
        },
        key=("source", "series", "month", "key", "side", "observed_on"),
        may_be_empty=frozenset({"month", "days_covered"}),
        choices={"side": SIDES - {"exact"}},
        rule=partial(_first_of_month, "month"),
    ),
    RecordedTable(
        "google_projects",
        "Research projects that Google published, by the frameworks that they use.",
        {
            "repository": (_S, "GitHub repository that holds the project."),
            "project": (_S, "Folder of the project."),
            "first_commit": (_D, "Day of its first commit; NULL where it is not known."),
            "frameworks": (_LIST, "Frameworks that it imports or requires, sorted; empty = none of them."),
            "is_sample": (_B, "Whether only some projects of the repository are here."),
            "method": _METHOD,
            "origin": _ORIGIN,
        },
        key=("repository", "project"),
        may_be_empty=frozenset({"first_commit"}),
    ),
    RecordedTable(
        "bindings",
        "Interfaces of a framework for languages other than Python, each with where it is documented.",
        {
            "framework": (_S, "Framework."),
            "language": (_S, "Programming language, as Stack Overflow tags it."),
            "kind": (_S, "official (published by the framework's own project) or community."),
            "since": (_D, "Day by which it existed; NULL where no source at hand tells one."),
            "status": (_S, "maintained, unmaintained, archived, or unknown, as far as the reference tells."),
            "project": (_S, "Name of the interface, or its repository."),
            "reference": (_S, "Where it is documented, and what is uncertain."),
        },
        key=("framework", "language", "kind", "project"),
        may_be_empty=frozenset({"since"}),
        choices={
            "kind": frozenset({"official", "community"}),
            "status": frozenset({"maintained", "unmaintained", "archived", "unknown"}),
        },
    ),
)
"""The tables, one file each."""
