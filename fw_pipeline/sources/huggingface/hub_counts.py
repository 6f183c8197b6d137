"""The raw table of the Hub's models, the table of the models themselves, and the figures of a month made from them.

Nothing here asks or reads a file: the providers bring the models of one month and say how they came by them. Column
names, types and meanings are the contract with every reader.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import MappingProxyType

import polars as pl

from fw_pipeline.catalog.frameworks import HUB_NAMES, POPULATIONS
from fw_pipeline.contract import Availability, Batch, DetailTable, FetchContext, Setting, Table
from fw_pipeline.errors import MonthRejected
from fw_pipeline.months import Window, last_closed_month, next_month

TABLE = Table(
    key={"month": pl.Date, "population": pl.String, "library": pl.String, "formats": pl.List(pl.String)},
    measures={"models": pl.Int64, "downloads_30d": pl.Int64, "likes": pl.Int64},
    required=("models",),
    nullable=("library", "formats"),
    largest={
        "models": (10_000_000, "The whole Hub held three million models in September 2026."),
        "downloads_30d": (
            100_000_000_000,
            "Some four hundred times the busiest group of models on record, 257 million.",
        ),
        "likes": (100_000_000, "Thousands of times the best liked group of models on record, 29,337."),
    },
    known={
        "population": frozenset(it.name for it in POPULATIONS if it.source == "huggingface"),
        "formats": frozenset(it.name for it in HUB_NAMES if it.kind == "tag"),
    },
    counted_again=True,
    description="Models on the Hugging Face Hub by month of creation, library and set of format tags.",
    columns={
        "population": "Which models were looked at: `hub` (all), or the named sample.",
        "library": "The library named by the model card; NULL where none is.",
        "formats": "Sorted set of framework and format tags; empty = none; NULL = not known.",
        "models": "Models.",
        "downloads_30d": "Downloads of these models in the 30 days before observation.",
        "likes": "Likes of these models at observation.",
    },
)

HUGGINGFACE_MODELS = DetailTable(
    "huggingface_models",
    "Models of the Hugging Face Hub, one row per model and provider; empty without a live provider.",
    MappingProxyType(
        {
            "model_id": (pl.String, "The Hub's own identifier, which a change of name does not change."),
            "id": (pl.String, "The model's name: owner/name."),
            "created_at": (pl.Datetime("us", "UTC"), "When it was created (UTC); 2022-03-02 for every older model."),
            "library": (pl.String, "The library named by the model card; NULL where none is."),
            "formats": (pl.List(pl.String), "Sorted set of framework and format tags; empty = none."),
            "gated": (pl.String, "Whether its files must be asked for: no, auto or manual; NULL where not known."),
            "downloads_30d": (pl.Int64, "Downloads in the 30 days before observation; NULL where not known."),
            "likes": (pl.Int64, "Likes at observation; NULL where not known."),
            "month": (pl.Date, "First day of the UTC month of creation."),
            "observed_on": (pl.Date, "Day on which the Hub was looked at."),
        }
    ),
)

SOURCE = "huggingface"

URL = Setting("FW_HUGGINGFACE_URL", "The Hugging Face Hub.", default="https://huggingface.co")
TOKEN = Setting("HF_TOKEN", "Hugging Face allows twice as many requests with a token.", is_secret=True)

POPULATION = "hub"
FIRST_MONTH = date(2022, 3, 1)
OLDEST = datetime(2022, 3, 2, 23, 29, 5, tzinfo=UTC)
"""The Hub began to keep dates here: every older model carries this second, or the one before."""

FORMATS: tuple[str, ...] = tuple(sorted(it.name for it in HUB_NAMES if it.kind == "tag"))
"""The tags that are kept, in order: frameworks and file formats."""

MODELS: Mapping[str, pl.DataType] = MappingProxyType(
    {name: kind for name, kind in HUGGINGFACE_MODELS.schema.items() if name not in {"month", "observed_on"}}
)
"""What is listed of a model; the month and the day of the look are added when it is counted."""

RUN_AGAIN = "run again later: what is done is kept; if it stays so, the service may have changed"

_COUNTS = (
    (datetime(2022, 3, 2, tzinfo=UTC), 0),
    (datetime(2024, 9, 26, tzinfo=UTC), 1_000_000),
    (datetime(2026, 9, 1, tzinfo=UTC), 3_034_516),
)
"""Models on the Hub at some moments, as others counted them."""

_QUIET = timedelta(days=1)
"""The Hub gains a model every few seconds: where the newest is older than this, the present was not seen."""


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the Hub: what every figure of it says of itself."""

    provider: str
    method: str
    origin: str
    observed_on: date
    newest: datetime
    """Creation of the newest model that was seen (UTC)."""
    seen_at: datetime
    """When the look was taken, by the clock of whoever gave it (UTC)."""

    def lacks(self, month: date) -> str | None:
        """Return why a month is not whole in what was seen, or None when it is."""
        end = datetime.combine(next_month(month), datetime.min.time(), UTC)
        if self.seen_at < end:
            return f"it was not over when the Hub was looked at ({self.seen_at:%Y-%m-%d %H:%M} UTC)"
        if self.newest < end - _QUIET:
            return f"what was seen of the Hub ends on {self.newest:%Y-%m-%d}"
        return None


def models_until(moment: datetime) -> float:
    """Estimate how many models the Hub had at a moment, on straight lines between what others counted."""
    earlier, later = _COUNTS[:2] if moment < _COUNTS[1][0] else _COUNTS[1:]
    rate = (later[1] - earlier[1]) / (later[0] - earlier[0]).total_seconds()
    return max(0.0, earlier[1] + rate * (moment - earlier[0]).total_seconds())


def untagged_note(models: int) -> tuple[str, ...]:
    """Return what a reader should know of models without a list of tags, if there are any."""
    return (f"{models} models have no list of tags: counted as models without a tag",) if models else ()


def reach_of(fetch: FetchContext) -> Availability:
    """Return the months that the Hub has creation dates for."""
    return Availability(
        Window.of(FIRST_MONTH, max(FIRST_MONTH, last_closed_month(fetch.now))),
        before=f"the Hub keeps creation dates since {OLDEST:%Y-%m-%d}; every older model carries that date",
        after="only months that are over are counted",
    )


def counted(
    month: date, models: pl.DataFrame, look: Look, *, evidence: Iterable[str], notes: Iterable[str] = ()
) -> Batch | MonthRejected:
    """Return the figures of one month; `models` has the columns `MODELS` and each model once.

    A month without any model is refused: the Hub has gained models in every month since it keeps dates.
    """
    if not models.height:
        cause = "no model was created in this month, although the Hub has older and newer ones"
        return MonthRejected(f"{SOURCE} ({look.provider})", cause, RUN_AGAIN, month=month)
    old = models.filter(pl.col("created_at") <= OLDEST).height if month == FIRST_MONTH else 0
    pile = f"; {old} of the month are older: the Hub dates them {OLDEST:%Y-%m-%d}" if old else ""
    whole = {name: _whole(name) for name in ("downloads_30d", "likes")}
    rows = (
        models.group_by("library", "formats")
        .agg(pl.len().cast(pl.Int64).alias("models"), **whole)
        .with_columns(
            pl.lit(month).alias("month"),
            pl.lit(POPULATION).alias("population"),
            pl.lit(look.method + pile).alias("method"),
            pl.lit(look.origin).alias("origin"),
            pl.lit(look.observed_on).alias("observed_on"),
        )
        .select(TABLE.schema.names())
        .sort("library", "formats")
    )
    listing = models.sort("created_at", "model_id").with_columns(
        pl.lit(month).alias("month"), pl.lit(look.observed_on).alias("observed_on")
    )
    return Batch(month, rows, tuple(evidence), detail=listing, notes=tuple(notes))


def _whole(name: str) -> pl.Expr:
    """Return the sum of a column, or NULL where it is not known of every model: a part is not the whole."""
    return pl.when(pl.col(name).is_null().any()).then(None).otherwise(pl.col(name).sum())
