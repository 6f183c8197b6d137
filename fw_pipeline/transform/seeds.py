"""The small tables of schema `meta` that do not come from a fetch: the catalogue, the calendar, the claims, the reach.

Each is a frame with a description of every column; none is written by hand here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import polars as pl

from fw_pipeline.catalog import frameworks
from fw_pipeline.errors import PipelineError
from fw_pipeline.ingestion.providers import ProviderSelection, asking
from fw_pipeline.months import FIRST_MONTH, Window, last_closed_month
from fw_pipeline.transform import claims
from fw_pipeline.transform.preferences import composite_weights, headline_series
from fw_pipeline.transform.seed_csv import Kind, RecordedTable
from fw_pipeline.transform.seed_tables import RECORDED_TABLES

if TYPE_CHECKING:
    from fw_pipeline.transform.context import Pipeline
    from fw_pipeline.warehouse import Built, Writer


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
    key: tuple[str, ...] = ()
    """The columns of which no two rows may agree."""

    def frame(self, pipeline: Pipeline) -> pl.DataFrame:
        """Return the rows with the declared types.

        Raises:
            PipelineError: two rows have the same key, or a recorded file is wrong.
        """
        schema = {name: kind for name, (kind, _) in self.columns.items()}
        frame = pl.DataFrame([dict(row) for row in self.rows(pipeline)], schema=schema, orient="row")
        if self.key and frame.select(self.key).is_duplicated().any():
            twice = ", ".join(map(str, frame.filter(frame.select(self.key).is_duplicated()).row(0)[: len(self.key)]))
            raise PipelineError(f"meta.{self.name}", f"{twice} is there twice", "leave one of them in the catalogue")
        return frame

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
            chosen = ProviderSelection(source, provider, dict(pipeline.settings.addresses))
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


def _recorded(table: RecordedTable) -> Seed:
    return Seed(
        table.name, table.description, table.columns, lambda pipeline: table.read(pipeline.settings.recorded_dir)
    )


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
            "ecosystem": (
                _S,
                "How it is admitted to the list of ecosystems: companion or community; NULL where it is not.",
            ),
            "counts_in_family": (_B, "Whether its downloads add to the family without counting anything twice."),
            "reason": (_S, "Why."),
        },
        lambda _: frameworks.package_rows(),
        key=("package",),
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
        key=("tagged",),
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
            "judged_by": (_S, "The measure that the article used or plainly meant: that of the headline definitions."),
            "all_must_hold": (_B, "Whether it says several things that must all hold."),
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
            "says": (_S, "What the value says, as a clause with {value} in it; NULL where no sentence is made of it."),
            "over_time": (_B, "Whether it compares later figures with earlier ones, so that a break makes it a bound."),
            "due": (_D, "By when a prediction must have come true; NULL where the definition does not look ahead."),
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
        "headline_series",
        "Which series each source leads with, by preference; change it in dbt_like_sql/meta/headline_series.csv.",
        {
            "source": (_S, "Source."),
            "rank": (_I, "Order of preference within the source: 1 comes first."),
            "metric": (_S, "What is counted there, as in marts.framework_metrics."),
            "definition": (_S, "How it is counted, and in which series, as in marts.framework_metrics."),
            "reason": (_S, "Why it stands where it stands."),
        },
        lambda pipeline: headline_series(pipeline.settings.sql_dir),
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
    *(_recorded(table) for table in RECORDED_TABLES),
)
"""The small tables, in no particular order: none reads another."""
