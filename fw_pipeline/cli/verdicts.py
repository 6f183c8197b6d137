"""Verdicts: those on all claims as of a month, and one claim with what each definition said of it.

The evidence behind a claim is in `explanation`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from fw_pipeline.errors import PipelineError
from fw_pipeline.report.claim_cards import THEN
from fw_pipeline.report.claim_standing import standing
from fw_pipeline.report.formatting import VERDICTS
from fw_pipeline.warehouse import observed_later, query, replayed


@contextlib.contextmanager
def known_then(published: Path, as_of: date | None) -> Iterator[Path]:
    """Give the file to answer from: the published one, or one built anew from what had been observed as of a month.

    It is built anew only where a month has figures that were observed by then and others that were observed later.

    Raises:
        PipelineError: nothing is published yet, the month is none that has verdicts, or a table cannot be built.
    """
    if as_of is not None:
        _refuse_outside(published, as_of)
    if as_of is None or not observed_later(published, as_of):
        yield published
        return
    from fw_pipeline.definitions import load_models
    from fw_pipeline.transform.claims import build_steps

    # what listings tell has no vintages, and their files need not be where the published file was copied to
    models = [it for it in load_models() if not any(relation.startswith("detail.") for relation in it.upstream)]
    with replayed(published, build_steps(models), as_of) as file:
        yield file


def every_claim(published: Path, *, as_of: date | None = None) -> pl.DataFrame:
    """Return the verdict on every claim as of a month: its row of `marts.headline_verdicts`.

    Raises:
        PipelineError: nothing is published yet.
    """
    until = f"date '{as_of.isoformat()}'" if as_of else "date '9999-01-01'"
    return query(
        published,
        f"""
        from marts.headline_verdicts
        where as_of <= {until}
        qualify row_number() over (partition by claim order by as_of desc) = 1
        order by cast(claim[2:] as integer)
        """,
    )


def _refuse_outside(published: Path, as_of: date) -> None:
    first, last = query(published, "select min(as_of), max(as_of) from marts.headline_verdicts").row(0)
    if first is not None and not first <= as_of <= last:
        months = f"choose a month from {first:%Y-%m} to {last:%Y-%m}, or leave --as-of out"
        raise PipelineError("claim", "no verdict is given as of this month", months, month=as_of)


def in_short(published: Path, found: pl.DataFrame) -> pl.DataFrame:
    """Return verdicts as they fit on a screen of 80 columns, in plain words, with what decided each.

    Raises:
        PipelineError: nothing is published yet.
    """
    halves = query(
        published,
        "select claim from meta.definitions where headline group by claim having count(due) between 1 and count(*) - 1",
    )
    both = frozenset(halves["claim"])
    stood = [standing(row, has_both=row["claim"] in both) for row in found.iter_rows(named=True)]
    return found.select(
        "claim",
        "title",
        pl.Series("verdict", [VERDICTS[one.verdict] for one in stood], pl.String),
        pl.col("measured").dt.strftime("%Y-%m").alias("figures of"),
        pl.Series("why", [one.in_a_word for one in stood], pl.String),
    )


@dataclass(frozen=True, slots=True)
class Judged:
    """A claim, and how it stands as of a month."""

    claim: Mapping[str, Any]
    then: Mapping[str, Any] | None
    """Its row of `marts.headline_verdicts` when the article appeared; None as of an earlier month."""
    headline: Mapping[str, Any] | None
    """Its latest row there; None before the first closed month."""
    verdicts: pl.DataFrame
    """What every definition said last, those of the headline first."""


def judged(published: Path, name: str, *, as_of: date | None = None) -> Judged:
    """Return a claim, how it stands as of a month and stood when the article appeared, and what each definition said.

    The newest measurement that decides stands for a definition, if its `counts` in that month; no later gap erases it.
    Otherwise it is the newest that has a value.

    Raises:
        PipelineError: nothing is published yet, or there is no such claim.
    """
    claims = {row["claim"]: row for row in query(published, "from meta.claims").to_dicts()}
    if (claim := name.upper()) not in claims:
        known = sorted(claims, key=lambda each: int(each[1:]))
        raise PipelineError(f"claim {name!r}", "no such claim", f"choose one of {', '.join(known)}")
    until = f"date '{as_of or date.max}'"
    stood = query(
        published, f"from marts.headline_verdicts where claim = '{claim}' and as_of <= {until} order by as_of desc"
    )
    verdicts = query(
        published,
        f"""
        with headline as (
            select definitions_undecided from marts.headline_verdicts
            where claim = '{claim}' and as_of <= {until} order by as_of desc limit 1
        )
        select verdicts.*, definitions.meaning, definitions.threshold_reason,
            verdicts.verdict in ('supported', 'refuted', 'not_yet', 'came_true')
                and not list_contains(coalesce(headline.definitions_undecided, []), verdicts.definition) as counts
        from marts.verdicts as verdicts
        left join headline on true
        left join meta.definitions as definitions
            on verdicts.claim = definitions.claim and verdicts.formula = definitions.formula
        where verdicts.claim = '{claim}' and (as_of is null or as_of <= {until})
        qualify row_number() over (
            partition by definition order by counts desc, value is not null desc, as_of desc
        ) = 1
        order by verdicts.headline desc, definition
        """,  # noqa: S608 - a checked name and a date
    )
    then = stood.filter(pl.col("as_of") == THEN).to_dicts()
    return Judged(claims[claim], next(iter(then), None), next(iter(stood.head(1).to_dicts()), None), verdicts)


def title(judged: Judged) -> str:
    """Return the claim in a few words."""
    return f"{judged.claim['claim']}  {judged.claim['title']}"


def facts(judged: Judged) -> Iterator[tuple[str, str]]:
    """Yield what to read first: the quote, one sentence, the verdicts of then and of now, and what judges the claim."""
    headline, then = judged.headline, judged.then
    halves = judged.verdicts.filter("headline")["due"].is_not_null()
    yield "said", f'"{" ".join(judged.claim["quote"].split())}"'
    if headline is not None:
        yield "in short", headline["why"]
        if then is not None and then["as_of"] != headline["as_of"]:
            yield f"{then['as_of']:%Y-%m}", f"{_stood(then, halves)} (the article appeared in this month)"
        yield f"{headline['as_of']:%Y-%m}", _stood(headline, halves)
        votes = {"for": "sources_for", "against": "sources_against", "mixed": "sources_mixed"}
        cast = [f"{vote} {', '.join(headline[name])}" for vote, name in votes.items() if headline[name]]
        yield "votes", "; ".join(cast)
    yield "judged by", " ".join((judged.claim["judged_by"] or "").split())


def _stood(headline: Mapping[str, Any], halves: pl.Series) -> str:
    """Say how a claim stood in a month: the verdict, the month of its figures, and what decided."""
    stood = standing(headline, has_both=halves.any() and not halves.all())
    figures = f" by figures of {headline['measured']:%Y-%m}" if headline["measured"] else ""
    return f"{VERDICTS[stood.verdict]}{figures}; {stood.in_a_word}"


def by_definition(verdicts: pl.DataFrame) -> pl.DataFrame:
    """Return what the definitions of a claim said as it fits on a screen: what decides as a rule, bounds as bounds."""
    bound = (
        pl.when(pl.col("low").eq_missing(pl.col("high")))
        .then(pl.lit(""))
        .when(pl.col("low") == pl.col("value"))
        .then(pl.lit("≥ "))
        .when(pl.col("high") == pl.col("value"))
        .then(pl.lit("≤ "))
        .otherwise(pl.lit("~ "))
    )
    old = pl.when(~pl.col("counts") & (pl.col("verdict") != "insufficient_data") & pl.col("as_of").is_not_null())
    verdict = pl.col("verdict").replace_strict(VERDICTS)
    return verdicts.select(
        definition=pl.when("headline").then(pl.format("{} *", "definition")).otherwise("definition"),
        figures=pl.col("as_of").dt.strftime("%Y-%m"),
        value=bound + pl.col("value").map_elements(lambda value: f"{value:,.4g}", return_dtype=pl.String),
        needed="takes",
        n="n",
        verdict=old.then(pl.format("{} (old)", verdict)).otherwise(verdict),
        obstacle="obstacle",
    )
