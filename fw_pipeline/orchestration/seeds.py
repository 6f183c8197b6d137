"""The small tables of schema `meta` that do not come from a fetch: the catalogue, the calendar, the claims, the reach.

Each is a frame with a description of every column; none is written by hand here.
"""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import polars as pl

from fw_pipeline import claims, frameworks
from fw_pipeline.contract import FIRST_MONTH, Reason, Window, last_closed_month
from fw_pipeline.orchestration.choosing import Chosen, asking
from fw_pipeline.orchestration.weights import composite_weights

if TYPE_CHECKING:
    from fw_pipeline.orchestration.pipeline import Pipeline
    from fw_pipeline.warehouse import Built, Writer

Kind = pl.DataType | type[pl.DataType]


@dataclass(frozen=True, slots=True)
class Seed:
    """A small table: its name in `meta`, its meaning, its columns, its rows."""

    name: str
    description: str
    columns: Mapping[str, tuple[Kind, str]]
    rows: Callable[[Pipeline], Iterable[Mapping[str, Any]]]
    may_be_empty: bool = False
    after_fetch: bool = False
    """Whether a fetch changes it."""

    def frame(self, pipeline: Pipeline) -> pl.DataFrame:
        """Return the rows with the declared types."""
        schema = {name: kind for name, (kind, _) in self.columns.items()}
        return pl.DataFrame([dict(row) for row in self.rows(pipeline)], schema=schema, orient="row")

    def make(self, writer: Writer, pipeline: Pipeline) -> Built:
        """Make the table anew."""
        frame = self.frame(pipeline)
        return writer.seed(f"meta.{self.name}", frame, description=self.description, columns=self.words)

    @property
    def words(self) -> dict[str, str]:
        """What each column means."""
        return {name: words for name, (_, words) in self.columns.items()}


def _months(pipeline: Pipeline) -> list[dict[str, Any]]:
    closed = Window.of(FIRST_MONTH, last_closed_month(pipeline.clock()))
    return [{"month": month} for month in closed.months()]


def _reach(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Say what each provider can answer, asked of the provider itself."""
    now = pipeline.clock()
    window = Window.of(FIRST_MONTH, last_closed_month(now))
    found = []
    for source in pipeline.sources.values():
        for provider in source.providers.values():
            chosen = Chosen(source, provider, dict(pipeline.settings.addresses))
            reach = provider.reach(asking(chosen, window, pipeline.settings, now=now)[0])
            found.append(
                {
                    "source": source.name,
                    "provider": provider.name,
                    "first_month": reach.window.start,
                    "last_month": reach.window.months()[-1],
                    "before": reach.before,
                    "after": reach.after,
                    "needs": provider.needs,
                }
            )
    return found


def _statements(pipeline: Pipeline) -> list[dict[str, Any]]:
    """Return the last word of each provider on each month, unless it took it back."""
    said = [statement for source in pipeline.sources for statement in pipeline.vintages.statements(source)]
    last = {(statement.source, statement.month, statement.provider): statement for statement in said}
    columns = ("source", "month", "provider", "at", "status", "cause", "remedy")
    return [
        {name: getattr(statement, name) for name in columns}
        for statement in last.values()
        if statement.status != "answered"
    ]


def _recorded(name: str, kinds: Mapping[str, type]) -> Callable[[Pipeline], list[dict[str, Any]]]:
    """Read a table that is shipped as CSV beside the recorded figures."""

    def rows(pipeline: Pipeline) -> list[dict[str, Any]]:
        path = pipeline.settings.recorded_dir / f"{name}.csv"
        remedy = "restore it from the repository"
        try:
            with path.open(encoding="utf-8", newline="") as stream:
                read = list(csv.DictReader(stream))
        except (OSError, UnicodeDecodeError) as error:
            raise Reason(f"recorded {name}.csv", f"cannot be read: {error}", remedy) from error
        found = []
        for number, row in enumerate(read, start=2):
            try:
                found.append({key: _cell(value, kinds.get(key, str)) for key, value in row.items()})
            except ValueError as error:
                raise Reason(f"recorded {name}.csv line {number}", str(error), remedy) from error
        return found

    return rows


def _cell(value: str, kind: type) -> Any:
    if not value:
        return None
    return date.fromisoformat(value) if kind is date else kind(value)


def _outages(pipeline: Pipeline) -> list[dict[str, Any]]:
    rows = _recorded("outages", {"first_day": date, "last_day": date})(pipeline)
    return [{**row, "from_month": row["first_day"].replace(day=1)} for row in rows]


_S, _D, _F, _I, _B = pl.String, pl.Date, pl.Float64, pl.Int64, pl.Boolean

SEEDS: tuple[Seed, ...] = (
    Seed("months", "Every closed month since November 2015.", {"month": (_D, "First day of the UTC month.")}, _months),
    Seed(
        "frameworks",
        "The frameworks that are compared.",
        {
            "framework": (_S, "Name in every table."),
            "title": (_S, "Name as its authors write it."),
            "released": (_D, "Day of the first public release; NULL where no source at hand says it."),
            "release_reference": (_S, "Where that day comes from."),
        },
        lambda _: frameworks.framework_rows(),
    ),
    Seed(
        "packages",
        "Packages of the Python Package Index: whose they are, and whether they count in a framework's family.",
        {
            "package": (_S, "Normalised name."),
            "framework": (_S, "Framework that it belongs to; NULL where it serves several."),
            "role": (_S, "core, variant, dependency, ecosystem, serving, edge, interchange or stub."),
            "counts_in_family": (_B, "Whether its downloads add to the family without counting anything twice."),
            "reason": (_S, "Why."),
        },
        lambda _: frameworks.package_rows(),
    ),
    Seed(
        "tags",
        "Tags of Stack Overflow: which framework each is about.",
        {
            "tagged": (_S, "The tag, or two tags joined by `;`."),
            "framework": (_S, "Framework that it is about."),
            "role": (_S, "core, variant, language or deployment."),
        },
        lambda _: frameworks.tag_rows(),
    ),
    Seed(
        "hub_names",
        "Tags and libraries of the Hugging Face Hub: which framework each stands for.",
        {
            "name": (_S, "Tag or library name, as the Hub writes it."),
            "kind": (_S, "tag or library."),
            "framework": (_S, "Framework that it stands for; NULL where it stands for none."),
            "is_format": (_B, "Whether it is a file format."),
        },
        lambda _: frameworks.hub_name_rows(),
    ),
    Seed(
        "paper_frameworks",
        "Names of frameworks in Papers with Code.",
        {"name": (_S, "Value in the archive."), "framework": (_S, "Framework that it stands for.")},
        lambda _: frameworks.paper_framework_rows(),
    ),
    Seed(
        "populations",
        "Populations of models and papers: what each is, and whether it is a sample.",
        {
            "source": (_S, "Source."),
            "population": (_S, "Name of the population."),
            "is_sample": (_B, "Whether it is a sample, so that it may not carry a claim about the whole."),
            "what": (_S, "What it is, and of what it is a sample."),
        },
        lambda _: frameworks.population_rows(),
    ),
    Seed(
        "outages",
        "Known holes and breaks of the sources.",
        {
            "source": (_S, "Source."),
            "from_month": (_D, "Month of the first day."),
            "first_day": (_D, "First day concerned."),
            "last_day": (_D, "Last day concerned."),
            "effect": (_S, "What happened to the figures."),
            "reference": (_S, "Where it is documented."),
            "kind": (
                _S,
                "lost (not recorded), distorted (figures exist and are wrong) or break (another kind after).",
            ),
            "series": (_S, "How the names of the series concerned begin; NULL where all of the source are."),
        },
        _outages,
    ),
    Seed(
        "events",
        "Dated events that a reader of a curve should know.",
        {
            "day": (_D, "Day of the event."),
            "event": (_S, "What happened."),
            "frameworks": (_S, "Framework concerned, or `all`."),
            "reference": (_S, "Where it is documented."),
        },
        _recorded("events", {"day": date}),
    ),
    Seed(
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
        },
        _recorded("published_figures", {"value": float, "tolerance": float}),
    ),
    Seed(
        "cohorts",
        "Authors by the framework that they used in a base year, and by what they used later, as others counted them.",
        {
            "base_year": (_I, "The year that tells who is in the cohort."),
            "base_framework": (_S, "The one of PyTorch and TensorFlow that the authors used in that year."),
            "later_framework": (_S, "What they used later: pytorch, tensorflow, both; or `both or tensorflow`."),
            "until": (_D, "Last month that a later paper can be of."),
            "authors": (_I, "Authors."),
            "method": (_S, "How the figure was obtained."),
            "origin": (_S, "Who published it."),
        },
        _recorded("cohorts", {"base_year": int, "until": date, "authors": int}),
    ),
    Seed(
        "claims",
        "The claims of the article.",
        {
            "claim": (_S, "Number of the claim."),
            "title": (_S, "The claim in a few words."),
            "quote": (_S, "The article's own words."),
            "kind": (_S, "measured or not_measurable."),
            "source_list": (pl.List(_S), "Sources that can measure it."),
            "reason": (_S, "Why it cannot be measured, or only by proxy."),
            "metric": (_S, "What is measured."),
            "model": (_S, "The model that measures it: its SQL is in dbt_like_sql/."),
            "reads": (pl.List(_S), "The relations that its SQL reads."),
        },
        lambda pipeline: claims.claim_rows(pipeline.models),
    ),
    Seed(
        "definitions",
        "The definitions under which each claim is measured, and the number that decides.",
        {
            "claim": (_S, "Number of the claim."),
            "formula": (_S, "How the value is computed."),
            "meaning": (_S, "What the value says."),
            "unit": (_S, "Unit of the value."),
            "rule": (_S, "How the value is compared with the threshold."),
            "threshold": (_F, "The number that decides."),
            "upper": (_F, "The upper end, where the rule is between."),
            "least_n": (_I, "The least count that decides."),
            "threshold_reason": (_S, "Why this number decides, and this count."),
            "headline": (_B, "Whether it counts in the headline verdict of the claim."),
            "form": (_S, "How the value follows from numerator and denominator."),
        },
        lambda pipeline: claims.definition_rows(pipeline.models),
    ),
    Seed(
        "composite_weights",
        "What goes into each composite, with which weight; change it in dbt_like_sql/meta/composite_weights.csv.",
        {
            "composite": (_S, "Name of the composite."),
            "source": (_S, "Source; once in each composite."),
            "metric": (_S, "What is counted there, as in marts.framework_metrics."),
            "definition": (_S, "How it is counted, and in which series, as in marts.framework_metrics."),
            "weight": (_F, "Weight; only its part of the sum of the composite matters."),
            "window_months": (_I, "Months that are added up before they are compared."),
            "least_months": (_I, "Months of the window that must have figures."),
            "reason": (_S, "Why this series, weight and window."),
        },
        lambda pipeline: composite_weights(pipeline.settings.sql_dir),
    ),
    Seed(
        "claim_evidence",
        "Which rows of marts.evidence the values of a claim are made from.",
        {
            "claim": (_S, "Number of the claim."),
            "source": (_S, "Source of the rows."),
            "condition": (_S, "What holds of the rows, in SQL; series and months are those of the verdict."),
        },
        lambda pipeline: claims.evidence_rows(pipeline.models),
    ),
    Seed(
        "recounts",
        "Months of questions that others counted again, later than the recorded figures.",
        {
            "month": (_D, "First day of the UTC month."),
            "tagged": (_S, "The tag."),
            "questions": (_I, "Questions of the month that were still there."),
            "observed_on": (_D, "Day of the later count."),
            "method": (_S, "How the figure was obtained."),
            "origin": (_S, "Who counted."),
        },
        _recorded("recounts", {"month": date, "questions": int, "observed_on": date}),
    ),
    Seed(
        "reach",
        "The months that each provider can answer, and why not the others.",
        {
            "source": (_S, "Source."),
            "provider": (_S, "Provider."),
            "first_month": (_D, "First month that it can answer."),
            "last_month": (_D, "Last month that it can answer."),
            "before": (_S, "Why nothing earlier can be had."),
            "after": (_S, "Why nothing later can be had."),
            "needs": (_S, "What it needs: a key, a file, or nothing."),
        },
        _reach,
    ),
    Seed(
        "statements",
        "What fetches said of months for which they had no figures.",
        {
            "source": (_S, "Source."),
            "month": (_D, "Month."),
            "provider": (_S, "Provider that was asked."),
            "at": (pl.Datetime("us", "UTC"), "When (UTC)."),
            "status": (_S, "gap (a known hole) or refused (the answer was unfit)."),
            "cause": (_S, "Why there is no figure."),
            "remedy": (_S, "What to do; empty for a gap."),
        },
        _statements,
        may_be_empty=True,
        after_fetch=True,
    ),
)
"""The small tables, in no particular order: none reads another."""
